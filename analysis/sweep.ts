/** One rule at many limits, or with many durations, in one run: how often would each have fired? */
import type { Condition, Rule, RuleSet } from "../rules-wasm/language/ast.ts";
import { closest, quote } from "../rules-wasm/language/faults.ts";
import { parseUnit, toMilliseconds } from "../rules-wasm/language/units.ts";

/** Most values of a sweep. */
export const SWEEP_MAX = 500;

/** A rule in variants, each a rule of its own. */
export interface Sweep {
  /** What is swept: `overspeed.when.limit`. */
  readonly path: string;
  /** Unit of the values, "" for none. */
  readonly unit: string;
  readonly values: readonly number[];
  /** As many rules as values, each with its value as id. */
  readonly rules: RuleSet;
}

const FORM = "RULE.when.limit=FROM..TO/STEP, RULE.clear.limit=…, RULE.for=FROM..TO/STEP s";

/**
 * Reads a sweep: `overspeed.when.limit=110..150/5`, or `.limit[2]` for the second term that has
 * one. Limits are in the unit in which the term shows them, durations in the unit behind the step.
 *
 * @returns the sweep, or what is wrong with the text
 */
export function readSweep(text: string, rules: RuleSet): Sweep | string {
  const found =
    /^(.+)\.(when\.limit|clear\.limit|for|clear_for)(?:\[(\d+)\])?=(-?[\d.]+)\.\.(-?[\d.]+)\/([\d.]+)(?:\s*([^\s\d]\S*))?$/
      .exec(text.trim());
  if (found === null) return `Cannot read ${quote(text)} as a sweep: write ${FORM}`;
  const [, id = "", path = "", nth = "1", from, to, step, unit = ""] = found;
  const rule = rules.rules.find((each) => each.id === id);
  if (rule === undefined) {
    const near = closest(id, rules.rules.map((each) => each.id));
    return `Cannot find a rule named ${quote(id)}${near === "" ? "" : `: did you mean "${near}"?`}`;
  }
  const values = valuesOf(Number(from), Number(to), Number(step));
  if (typeof values === "string") return values;
  const varied = path === "for" || path === "clear_for"
    ? vary(rule, path, unit, values)
    : limits(rule, path === "when.limit" ? "when" : "clear", Number(nth), unit, values);
  if (typeof varied === "string") return varied;
  return {
    path: `${id}.${path}${nth === "1" ? "" : `[${nth}]`}`,
    unit: varied.unit,
    values,
    rules: { ...rules, rules: varied.rules },
  };
}

function valuesOf(from: number, to: number, step: number): readonly number[] | string {
  if (![from, to, step].every(Number.isFinite)) return "Cannot read the numbers of the sweep";
  if (to < from) return `Cannot sweep from ${from} to ${to}: the first is the least`;
  if (!(step > 0)) return "Cannot sweep in steps of 0";
  // The last value is in, whatever adding makes of it.
  const count = Math.floor((to - from) / step + 1e-9) + 1;
  if (count > SWEEP_MAX) return `Cannot sweep over ${count} values: the most are ${SWEEP_MAX}`;
  return Array.from({ length: count }, (_, i) => Number((from + i * step).toPrecision(12)));
}

interface Variants {
  readonly unit: string;
  readonly rules: readonly Rule[];
}

function vary(
  rule: Rule,
  key: "for" | "clear_for",
  unit: string,
  values: readonly number[],
): Variants | string {
  const read = parseUnit(unit === "" ? "s" : unit);
  const times = read.ok ? values.map((value) => toMilliseconds(value, read.unit)) : [null];
  const all = times.filter((ms) => ms !== null && Number.isInteger(ms) && ms >= 0)
    .map((ms) => ms ?? 0);
  if (all.length < values.length) {
    return `Cannot sweep ${key} in ${quote(unit)}: it has to be whole milliseconds, 0 or more`;
  }
  const rules = values.map((value, i) => ({
    ...rule,
    id: String(value),
    ...key === "for" ? { forMs: all[i] } : { clearForMs: all[i] },
  }));
  return { unit: unit === "" ? "s" : unit, rules };
}

function limits(
  rule: Rule,
  key: "when" | "clear",
  nth: number,
  unit: string,
  values: readonly number[],
): Variants | string {
  const condition = rule[key];
  const terms = condition === null ? [] : limitsOf(condition);
  const term = terms[nth - 1];
  if (term === undefined) {
    return `Cannot sweep limit ${nth} of ${key}: ${quote(rule.id)} has ${terms.length} there`;
  }
  const own = term.term.unit;
  if (unit !== "" && unit !== own) return `Cannot sweep in ${unit}: this limit is in ${own}`;
  const rules = values.map((value) => ({
    ...rule,
    id: String(value),
    [key]: condition === null ? null : replaced(condition, term, value),
  }));
  return { unit: own, rules };
}

type Compare = Extract<Condition, { kind: "compare" }>;

/** Comparisons with a number, left to right. */
function limitsOf(condition: Condition): readonly Compare[] {
  switch (condition.kind) {
    case "and":
    case "or":
      return [...limitsOf(condition.left), ...limitsOf(condition.right)];
    case "not":
      return limitsOf(condition.of);
    case "call":
      if (!("args" in condition)) return [];
      return condition.args.flatMap((arg) => isCondition(arg) ? limitsOf(arg) : []);
    case "compare": {
      const { left, right, term } = condition;
      const has = term.names === undefined && (left.kind === "number" || right.kind === "number");
      return has ? [condition] : [];
    }
    default:
      return [];
  }
}

function isCondition(node: { readonly kind: string }): node is Condition {
  return ["and", "or", "not", "compare", "call", "flag", "boolean"].includes(node.kind);
}

function replaced(condition: Condition, term: Compare, value: number): Condition {
  const again = (each: Condition) => replaced(each, term, value);
  if (condition === term) {
    const limit = { kind: "number", value } as const;
    return term.right.kind === "number" ? { ...term, right: limit } : { ...term, left: limit };
  }
  switch (condition.kind) {
    case "and":
    case "or":
      return { ...condition, left: again(condition.left), right: again(condition.right) };
    case "not":
      return { ...condition, of: again(condition.of) };
    case "call":
      return replacedInCall(condition, again);
    default:
      return condition;
  }
}

function replacedInCall(
  call: Extract<Condition, { kind: "call" }>,
  again: (each: Condition) => Condition,
): Condition {
  switch (call.fn) {
    case "rose":
    case "fell":
      return { ...call, args: [again(call.args[0])] };
    case "held":
      return { ...call, args: [again(call.args[0])] };
    case "seq":
      return { ...call, args: [again(call.args[0]), again(call.args[1])] };
    default:
      return call;
  }
}
