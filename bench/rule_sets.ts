/** The rule sets that are measured: shipped ones, twenty stateful ones, many made of those. */
import type { Catalog } from "../contract/catalog.ts";
import type { Condition, Rule, RuleSet, Value } from "../rules-wasm/language/ast.ts";
import { formatFault } from "../rules-wasm/language/format_fault.ts";
import { loadRules } from "../rules-wasm/language/rules_file.ts";
import type { Zone } from "../rules-wasm/language/zone.ts";
import { hashVersion } from "../rules-wasm/version.ts";

/** The file of the twenty stateful rules. */
export const RULES_20 = new URL("./rules_20.yaml", import.meta.url).pathname;

/**
 * Makes `count` rules of a rule set's: copies in which every limit and every duration is another.
 *
 * Copies share with one another what has neither limit nor duration: the signals and `prev(x)`.
 * Limits move by a ten-thousandth a copy so that the copies fire about as often; durations grow by
 * a thousandth a copy, so that no two copies share a window and each keeps about as much. (A second
 * more and more of what lasts a second would soon hold several samples of a vehicle, not one.)
 */
export function manyRules(ruleSet: RuleSet, count: number): RuleSet {
  const { rules } = ruleSet;
  const made = Array.from({ length: count }, (_, i) => {
    const copy = Math.floor(i / rules.length);
    return copy === 0 ? rules[i] : varied(rules[i % rules.length], copy);
  });
  return { ...ruleSet, rules: made, version: hashVersion(`${ruleSet.version} ${count}`) };
}

function varied(rule: Rule, copy: number): Rule {
  return {
    ...rule,
    id: `${rule.id}-${copy}`,
    when: variedCondition(rule.when, copy),
    clear: rule.clear === null ? null : variedCondition(rule.clear, copy),
    levels: rule.levels.map((level) => ({ ...level, when: variedCondition(level.when, copy) })),
    terms: rule.terms.map((term) =>
      term.kind === "compare"
        ? {
          ...term,
          left: variedValue(term.left, copy),
          right: variedValue(term.right, copy),
        }
        : { ...term, of: variedCondition(term.of, copy) }
    ),
    message: rule.message.map((part) =>
      part.kind === "value" ? { ...part, of: variedValue(part.of, copy) } : part
    ),
  };
}

const longer = (durationMs: number, copy: number) =>
  durationMs + Math.ceil(durationMs * copy / 1_000);

function variedCondition(expr: Condition, copy: number): Condition {
  const condition = (of: Condition) => variedCondition(of, copy);
  const value = (of: Value) => variedValue(of, copy);
  switch (expr.kind) {
    case "boolean":
    case "flag":
      return expr;
    case "not":
      return { ...expr, of: condition(expr.of) };
    case "and":
    case "or":
      return { ...expr, left: condition(expr.left), right: condition(expr.right) };
    case "compare":
      return { ...expr, left: value(expr.left), right: value(expr.right) };
    case "call":
      switch (expr.fn) {
        case "changed":
          return { ...expr, args: [value(expr.args[0])] };
        case "rose":
        case "fell":
          return { ...expr, args: [condition(expr.args[0])] };
        case "held":
          return {
            ...expr,
            args: [condition(expr.args[0])],
            durationMs: longer(expr.durationMs, copy),
          };
        case "seq":
          return {
            ...expr,
            args: [condition(expr.args[0]), condition(expr.args[1])],
            durationMs: longer(expr.durationMs, copy),
          };
        default:
          throw new RangeError(`Cannot vary "${expr.fn}": no rule of the bench has it`);
      }
  }
}

function variedValue(expr: Value, copy: number): Value {
  const value = (of: Value) => variedValue(of, copy);
  switch (expr.kind) {
    case "number":
      return { ...expr, value: expr.value * (1 + copy * 1e-4) };
    case "name":
    case "signal":
      return expr;
    case "negate":
    case "convert":
      return { ...expr, of: value(expr.of) };
    case "truth":
      return { ...expr, of: variedCondition(expr.of, copy) };
    case "arithmetic":
      return { ...expr, left: value(expr.left), right: value(expr.right) };
    case "call":
      switch (expr.fn) {
        case "prev":
          return { ...expr, args: [value(expr.args[0])] };
        case "abs":
        case "sqrt":
        case "min":
        case "max":
        case "clamp":
          return { ...expr, args: expr.args.map(value) };
        case "count":
          return {
            ...expr,
            args: [variedCondition(expr.args[0], copy)],
            durationMs: longer(expr.durationMs, copy),
          };
        case "delta":
        case "rate":
        case "ewma":
        case "zscore":
        case "avg":
        case "sum":
        case "lowest":
        case "highest":
        case "stddev":
          return {
            ...expr,
            args: [value(expr.args[0])],
            durationMs: longer(expr.durationMs, copy),
          };
        default:
          throw new RangeError(`Cannot vary "${expr.fn}": no rule of the bench has it`);
      }
  }
}

/**
 * Rules from the keys of each, the id aside; `zones` are those that they may name.
 *
 * @throws {SyntaxError} if the language refuses them
 */
export function rulesOf(
  catalog: Catalog,
  rules: readonly string[],
  zones: readonly Zone[] = [],
): RuleSet {
  const entries = rules.map((keys, i) => `  - { id: r${i}, ${keys} }\n`);
  const text = `version: 1\nrules:\n${entries.join("")}`;
  const result = loadRules(text, { file: "bench", catalog, zones, hash: hashVersion });
  if (result.ok) return result.rules;
  throw new SyntaxError(result.faults.map((fault) => formatFault(fault, text)).join("\n"));
}
