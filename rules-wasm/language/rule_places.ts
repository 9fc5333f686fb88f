/** Where the parts of sound rules stand in their file, down to single terms. */
import type { Condition, Rule, Span } from "./ast.ts";
import { FaultList } from "./faults.ts";
import { parse, writtenText } from "./parser.ts";
import type { Place } from "./place.ts";
import type { Range, Syntax } from "./syntax.ts";
import { type MapNode, type Node, readYaml } from "./yaml_text.ts";

/** A condition as it stands in the file. */
export interface PlacedCondition {
  readonly text: string;
  readonly place: Place;
  readonly syntax: Syntax;
  readonly condition: Condition;
  readonly span: Span;
}

/** A part of a condition that is no `and`, `or` or `not`, with its place. */
export interface PlacedTerm {
  readonly condition: Condition;
  readonly syntax: Syntax;
  /** As written, for people. */
  readonly text: string;
  readonly span: Span;
  /** Text of a part of it, as written. */
  readonly textOf: (part: Range) => string;
}

/** A rule with its places. */
export interface PlacedRule {
  readonly rule: Rule;
  readonly when: PlacedCondition;
  readonly clear: PlacedCondition | null;
  /** As in `Rule.levels`. */
  readonly levels: readonly PlacedCondition[];
  /** Where the value of a key stands; that of the rule's first line if it is not given. */
  span(key: string): Span;
}

/** Finds the rules of a checked file; rules that are not enabled are left out. */
export function placeRules(text: string, rules: readonly Rule[]): readonly PlacedRule[] {
  const root = readYaml(text, new FaultList(""));
  const list = root?.kind === "map" ? valueOf(root, "rules") : undefined;
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  const placed: PlacedRule[] = [];
  for (const item of list?.kind === "list" ? list.items : []) {
    const id = item.kind === "map" ? valueOf(item, "id") : undefined;
    const rule = id?.kind === "scalar" ? byId.get(id.text) : undefined;
    if (rule === undefined || item.kind !== "map") continue;
    const found = placeRule(item, rule);
    if (found !== null) placed.push(found);
  }
  return placed;
}

function valueOf(map: MapNode, key: string): Node | undefined {
  return map.entries.find((entry) => entry.key === key)?.value;
}

function placeRule(map: MapNode, rule: Rule): PlacedRule | null {
  const when = placeCondition(valueOf(map, "when"), rule.when);
  if (when === null) return null;
  const clear = rule.clear === null ? null : placeCondition(valueOf(map, "clear"), rule.clear);
  const ladder = valueOf(map, "severity");
  const levels = rule.levels.map((level) =>
    placeCondition(
      ladder?.kind === "map" ? valueOf(ladder, level.severity) : undefined,
      level.when,
    )
  ).filter((level) => level !== null);
  const start: Span = { ...map.span, length: Math.min(1, map.span.length) };
  return { rule, when, clear, levels, span: (key) => valueOf(map, key)?.span ?? start };
}

function placeCondition(node: Node | undefined, condition: Condition): PlacedCondition | null {
  if (node?.kind !== "scalar") return null;
  const { text, place } = node;
  const syntax = parse(text, () => {});
  if (syntax === null) return null;
  return { text, place, syntax, condition, span: place.locate(syntax.offset, syntax.length) };
}

/** The terms of a condition, left to right. */
export function termsOf(placed: PlacedCondition): readonly PlacedTerm[] {
  return partsOf(placed, true);
}

/** The parts of a condition that all have to be true, left to right: what `and` joins. */
export function conjunctsOf(placed: PlacedCondition): readonly PlacedTerm[] {
  return partsOf(placed, false);
}

function partsOf(placed: PlacedCondition, all: boolean): readonly PlacedTerm[] {
  const parts: PlacedTerm[] = [];
  const walk = (syntax: Syntax, condition: Condition): void => {
    // Constant parts are folded: there the tree is smaller than the text.
    if (
      (syntax.kind === "and" || syntax.kind === "or" && all) && condition.kind === syntax.kind &&
      "left" in condition
    ) {
      walk(syntax.left, condition.left);
      walk(syntax.right, condition.right);
    } else if (all && syntax.kind === "not" && condition.kind === "not") {
      walk(syntax.of, condition.of);
    } else {
      parts.push({
        condition,
        syntax,
        text: writtenText(placed.text, syntax),
        span: spanOf(placed, syntax),
        textOf: (part) => writtenText(placed.text, part),
      });
    }
  };
  walk(placed.syntax, placed.condition);
  return parts;
}

/** The place of a part of a condition's text. */
export function spanOf(placed: PlacedCondition, range: Range): Span {
  return placed.place.locate(range.offset, range.length);
}
