/** Takes typed values out of YAML nodes; whatever does not fit becomes a fault. */
import type { Span } from "./ast.ts";
import { didYouMean, type FaultList, meant, quote } from "./faults.ts";
import { FAMILIAR_TRUTHS } from "./familiar_words.ts";
import { DURATION_MS_MAX } from "./functions.ts";
import { parseUnit, toMilliseconds, unitText } from "./units.ts";
import type { Entry, MapNode, Node, ScalarNode } from "./yaml_text.ts";

/** The entries of a map whose keys are fixed. */
export class Fields {
  readonly span: Span;
  readonly #entries = new Map<string, Entry>();
  /** Keys that stand there in another word, or with a value that was refused. */
  readonly #told: Set<string>;

  /**
   * Reports every unknown key.
   *
   * @param what what the map is, for messages ("a rule")
   * @param familiar what keys of other systems stand for
   */
  constructor(
    node: MapNode,
    keys: readonly string[],
    what: string,
    faults: FaultList,
    familiar: ReadonlyMap<string, string> = new Map(),
  ) {
    this.span = node.span;
    this.#told = new Set(node.refused);
    for (const entry of node.entries) {
      if (keys.includes(entry.key)) {
        this.#entries.set(entry.key, entry);
        continue;
      }
      const near = didYouMean(entry.key, keys, familiar);
      this.#told.add(meant(entry.key, keys, familiar));
      const advice = near !== "" ? near : `its keys are ${keys.join(", ")}`;
      faults.add(entry.keySpan, `Cannot use the key ${quote(entry.key)} in ${what}`, advice);
    }
  }

  /** The value of a key, or undefined. */
  get(key: string): Node | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Whether a key is missing, and nothing was said of it yet. */
  lacks(key: string): boolean {
    return !this.#entries.has(key) && !this.#told.has(key);
  }

  /** The entry of a key, or undefined. */
  entry(key: string): Entry | undefined {
    return this.#entries.get(key);
  }
}

/** What a node is called in messages. */
export function nodeKind(node: Node): string {
  switch (node.kind) {
    case "map":
      return "a map";
    case "list":
      return "a list";
    case "scalar":
      return node.isNull ? "nothing" : quote(node.text);
  }
}

/** A node as a map. */
export function asMap(
  node: Node,
  what: string,
  faults: FaultList,
  advice = "",
): MapNode | null {
  if (node.kind === "map") return node;
  const message = `Cannot use ${nodeKind(node)} as ${what}: it must be a map of keys`;
  faults.add(node.span, message, advice);
  return null;
}

/** A node as the items of a list. */
export function asList(
  node: Node,
  what: string,
  faults: FaultList,
  advice?: string,
): readonly Node[] | null {
  if (node.kind === "list") return node.items;
  const single = node.kind === "scalar" && !node.isNull ? `write ${what}: [${node.text}]` : "";
  const message = `Cannot use ${nodeKind(node)} as ${what}: it must be a list`;
  faults.add(node.span, message, advice ?? (single.length > 60 ? "" : single));
  return null;
}

/** A node as a scalar that is not empty. */
export function asScalar(
  node: Node,
  what: string,
  faults: FaultList,
  advice = "",
): ScalarNode | null {
  if (node.kind === "scalar" && !node.isNull && node.text !== "") return node;
  const given = node.kind === "scalar" ? "nothing" : nodeKind(node);
  faults.add(node.span, `Cannot use ${given} as ${what}: it must be a text`, advice);
  return null;
}

/** A node as true or false. */
export function asBoolean(node: Node, what: string, faults: FaultList): boolean | null {
  if (node.kind === "scalar" && !node.isQuoted) {
    if (node.text === "true") return true;
    if (node.text === "false") return false;
  }
  const truth = node.kind === "scalar"
    ? FAMILIAR_TRUTHS.get(node.text.toLowerCase()) ?? node.text
    : "";
  const advice = truth === "true" || truth === "false" ? `write ${truth}` : "";
  const message = `Cannot use ${nodeKind(node)} as ${what}: it must be true or false`;
  faults.add(node.span, message, advice);
  return null;
}

/** A node as a finite number. */
export function asNumber(node: Node, what: string, faults: FaultList): number | null {
  if (node.kind === "scalar" && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(node.text)) {
    const value = Number(node.text);
    if (Number.isFinite(value)) return value;
  }
  faults.add(node.span, `Cannot use ${nodeKind(node)} as ${what}: it must be a number`);
  return null;
}

/** A node as a whole number within bounds. */
export function asWhole(
  node: Node,
  what: string,
  min: number,
  max: number,
  faults: FaultList,
): number | null {
  const value = asNumber(node, what, faults);
  if (value === null) return null;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  const rule = `it must be a whole number from ${min} to ${max}`;
  faults.add(node.span, `Cannot use ${value} as ${what}: ${rule}`);
  return null;
}

/**
 * A node as a duration (`5 s`, `2 min`, `0`) in whole milliseconds.
 *
 * @param minMs least duration allowed
 * @param others what else may stand there, for advice (", or never")
 */
export function asDurationMs(
  node: Node,
  what: string,
  minMs: number,
  faults: FaultList,
  others = "",
): number | null {
  const refuse = (why: string, advice: string) => {
    faults.add(node.span, `Cannot use ${nodeKind(node)} as ${what}: ${why}`, advice);
    return null;
  };
  const advice = `write a number and its unit, such as 30 s, 2 min or 1 h${others}`;
  if (node.kind !== "scalar") return refuse("it must be a duration", advice);
  const text = node.text.trim();
  const found = /^(-?(?:\d+(?:\.\d+)?|\.\d+))(?:\s*([^\s\d,:;.].*))?$/.exec(text);
  if (found === null) {
    const point = /^\d+,\d+\s*[a-z]+$/.test(text) ? `write ${text.replace(",", ".")}` : advice;
    return refuse("it must be a duration", point);
  }
  const [, number = "", unitName] = found;
  const value = Number(number);
  if (unitName === undefined && value !== 0) return refuse("its unit is missing", advice);
  const read = parseUnit(unitName ?? "s");
  if (!read.ok) return refuse(lowerFirst(read.message), read.suggestion || advice);
  const ms = Number.isFinite(value) ? toMilliseconds(value, read.unit) : null;
  if (ms === null) {
    const metres = unitText(read.unit) === "m";
    return refuse(
      metres ? "m is metres" : `${unitText(read.unit)} measures no time`,
      metres ? 'minutes are written "min"' : advice,
    );
  }
  if (!Number.isInteger(ms)) return refuse("it is not whole milliseconds", "the shortest is 1 ms");
  if (ms < minMs) return refuse(ms < 0 ? "it is negative" : `the least is ${minMs} ms`, "");
  if (ms > DURATION_MS_MAX) return refuse("the greatest is 366 d", "");
  return ms;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
