/**
 * What a sound rules file says that its author can hardly mean: rules that never fire, clearing
 * that contradicts firing, mistaken units, windows longer than the log, rules that others cover.
 */
import type { Condition, Fault, RuleSet, Span } from "./ast.ts";
import { hasAbsent, signalsOf, walk } from "./brings.ts";
import { coveredRules } from "./covering.ts";
import { momentaryPart, Possibility } from "./possible.ts";
import {
  conjunctsOf,
  type PlacedCondition,
  type PlacedRule,
  type PlacedTerm,
  placeRules,
  termsOf,
} from "./rule_places.ts";
import { showDuration, showRange } from "./show_values.ts";
import { longWindows } from "./long_windows.ts";
import { mistakenUnit } from "./mistaken_unit.ts";
import { overlap } from "./overlap.ts";

/** Kinds of warning; the names are stable. */
export const WARNING_CODES = [
  "never-fires",
  "always-true",
  "never-true",
  "never-clears",
  "clears-while-firing",
  "unit",
  "retention",
  "covered",
  "not-sent",
] as const;
/** One of `WARNING_CODES`. */
export type WarningCode = typeof WARNING_CODES[number];

/** One thing in a file that is allowed, and most likely a mistake. */
export interface Warning extends Fault {
  readonly code: WarningCode;
  /** Id of the rule that it is about. */
  readonly rule: string;
}

/** What warnings are made with. */
export interface WarningOptions {
  /** The file as the user named it. */
  readonly file: string;
  /** How long the log is kept, milliseconds; Infinity where that is not known. */
  readonly retentionMs?: number;
  /** Numbers of the signals that vehicles sent lately; left out where no data is at hand. */
  readonly sent?: ReadonlySet<number> | undefined;
}

/** Adds a warning. */
export type Warn = (
  rule: string,
  code: WarningCode,
  span: Span,
  message: string,
  suggestion?: string,
) => void;

/**
 * Warnings of a rules file, in the order of their place. Pure, and for the browser as well.
 *
 * @param text the file
 * @param ruleSet what `loadRules` made of it
 */
export function warningsOf(
  text: string,
  ruleSet: RuleSet,
  options: WarningOptions,
): readonly Warning[] {
  const warnings: Warning[] = [];
  const warn: Warn = (rule, code, span, message, suggestion = "") => {
    warnings.push({ file: options.file, span, message, suggestion, code, rule });
  };
  const possible = new Possibility(ruleSet.catalog);
  const placed = placeRules(text, ruleSet.rules);
  const firing: PlacedRule[] = [];
  for (const rule of placed) {
    if (neverFires(rule, possible, warn)) continue;
    firing.push(rule);
    alwaysTrue(rule, possible, warn);
    deadTerms(rule, possible, warn);
    clearing(rule, possible, warn);
  }
  for (const rule of placed) {
    for (const part of conditionsOf(rule)) {
      for (const term of termsOf(part)) mistakenUnit(term, rule.rule.id, possible, warn);
    }
    if (options.retentionMs !== undefined) longWindows(rule, options.retentionMs, warn);
    if (options.sent !== undefined) notSent(rule, ruleSet, options.sent, warn);
  }
  coveredRules(firing, possible, warn);
  return warnings.sort((a, b) => a.span.offset - b.span.offset);
}

function conditionsOf(rule: PlacedRule): readonly PlacedCondition[] {
  return [rule.when, ...(rule.clear === null ? [] : [rule.clear]), ...rule.levels];
}

/** Whether no run of a condition ever lasts as long as asked. */
function lastsTooShort(condition: Condition, ms: number): boolean {
  return ms > 0 && momentaryPart(condition) !== null;
}

function neverFires(placed: PlacedRule, possible: Possibility, warn: Warn): boolean {
  const { rule, when } = placed;
  if (!possible.canBe(when.condition, true)) {
    const { span, why, advice } = whyNever(when, possible);
    warn(rule.id, "never-fires", span, `This rule can never fire: ${why}`, advice);
    return true;
  }
  if (!lastsTooShort(when.condition, rule.forMs)) return false;
  const part = momentaryText(when);
  warn(
    rule.id,
    "never-fires",
    placed.span("for"),
    `This rule can never fire: ${part} is true on single samples, for asks for ${
      showDuration(rule.forMs)
    }`,
    "leave for out, or hold the condition within: held(…)",
  );
  return true;
}

function momentaryText(placed: PlacedCondition): string {
  const part = conjunctsOf(placed).find((term) => momentaryPart(term.condition) !== null);
  return part?.text ?? placed.text;
}

/** Why a condition can never be true, at the smallest part of it that shows it. */
function whyNever(
  placed: PlacedCondition,
  possible: Possibility,
): { readonly span: Span; readonly why: string; readonly advice: string } {
  const parts = conjunctsOf(placed);
  for (const part of parts) {
    if (!possible.canBe(part.condition, true)) {
      return { span: part.span, ...whyPart(part, possible) };
    }
  }
  for (const [i, b] of parts.slice(0, PAIRS_MAX).entries()) {
    for (const a of parts.slice(0, i)) {
      const goals = [{ condition: a.condition, is: true }, { condition: b.condition, is: true }];
      if (possible.together(goals) !== null) continue;
      const silent = hasAbsent(a.condition) || hasAbsent(b.condition);
      const why = `${a.text} and ${b.text} are never true together`;
      const advice = silent ? "while nothing arrives nothing rises, falls or changes" : "";
      return { span: b.span, why, advice };
    }
  }
  return { span: placed.span, why: "its terms contradict one another", advice: "" };
}

/** Parts of which each two are looked at together, at most. */
const PAIRS_MAX = 40;

function whyPart(part: PlacedTerm, possible: Possibility): { why: string; advice: string } {
  const { condition } = part;
  if (condition.kind === "boolean") return { why: "its condition is always false", advice: "" };
  const range = condition.kind === "compare" ? showRange(condition, part, possible) : "";
  if (range !== "") return { why: range, advice: "compare it with a value within that range" };
  return { why: `${part.text} is never true`, advice: "" };
}

function alwaysTrue({ rule, when }: PlacedRule, possible: Possibility, warn: Warn): void {
  if (signalsOf(when.condition).length === 0 || possible.canBe(when.condition, false)) return;
  const [term] = termsOf(when);
  const range = term?.condition.kind === "compare" ? showRange(term.condition, term, possible) : "";
  const why = range === "" ? "its condition is never false" : range;
  warn(rule.id, "always-true", when.span, `This rule fires on every sample: ${why}`);
}

/** Terms that are never true where the whole can be: one side of an `or`, a level of the ladder. */
function deadTerms(placed: PlacedRule, possible: Possibility, warn: Warn): void {
  const id = placed.rule.id;
  const negated = new Set<Condition>();
  walk(placed.when.condition, (node) => {
    if (node.kind === "not") walk(node.of, (of) => isCondition(of) && negated.add(of));
  });
  for (const term of termsOf(placed.when)) {
    const { condition } = term;
    if (condition.kind === "boolean" || negated.has(condition)) continue;
    if (possible.canBe(condition, true)) continue;
    const { why, advice } = whyPart(term, possible);
    warn(id, "never-true", term.span, `This term can never be true: ${why}`, advice);
  }
  for (const level of placed.levels) {
    if (level.condition.kind === "boolean" || possible.canBe(level.condition, true)) continue;
    const { span, why, advice } = whyNever(level, possible);
    warn(id, "never-true", span, `This severity is never reached: ${why}`, advice);
  }
}

function isCondition(node: { readonly kind: string }): node is Condition {
  return ["boolean", "flag", "compare", "and", "or", "not", "call"].includes(node.kind);
}

function clearing(placed: PlacedRule, possible: Possibility, warn: Warn): void {
  const { rule, when, clear } = placed;
  if (clear === null) return;
  if (!possible.canBe(clear.condition, true)) {
    const { span, why, advice } = whyNever(clear, possible);
    warn(rule.id, "never-clears", span, `This rule never clears: ${why}`, advice);
    return;
  }
  if (lastsTooShort(clear.condition, rule.clearForMs)) {
    const part = momentaryText(clear);
    const asked = showDuration(rule.clearForMs);
    warn(
      rule.id,
      "never-clears",
      placed.span("clear_for"),
      `This rule never clears: ${part} is true on single samples, clear_for asks for ${asked}`,
      "leave clear_for out",
    );
    return;
  }
  const example = overlap(when.condition, clear.condition, possible);
  if (example === null) return;
  const at = example === "" ? "" : `, for example with ${example}`;
  warn(
    rule.id,
    "clears-while-firing",
    clear.span,
    `clear can be true while when is${at}: a true when keeps it open`,
    "let clear begin where when has ended",
  );
}

function notSent(
  { rule, when }: PlacedRule,
  ruleSet: RuleSet,
  sent: ReadonlySet<number>,
  warn: Warn,
): void {
  const told = new Set<number>();
  for (const term of termsOf(when)) {
    for (const number of signalsOf(term.condition)) {
      if (sent.has(number) || told.has(number)) continue;
      told.add(number);
      const name = ruleSet.catalog.signals[number]?.name ?? "";
      warn(
        rule.id,
        "not-sent",
        term.span,
        `No vehicle has sent ${name} lately: this term is unknown`,
        "a key that devices use for it may be missing in the catalog",
      );
    }
  }
}
