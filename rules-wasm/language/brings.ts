/** Which samples bring an expression: the one definition that both engines use. */
import type { Condition, Rule, Value } from "./ast.ts";

/** A value or a condition. */
export type Expression = Value | Condition;

/** Calls `visit` with every node of a tree, parents before their parts. */
export function walk(expr: Expression, visit: (node: Expression) => void): void {
  visit(expr);
  switch (expr.kind) {
    case "number":
    case "name":
    case "signal":
    case "boolean":
    case "flag":
      return;
    case "negate":
    case "convert":
    case "not":
    case "truth":
      walk(expr.of, visit);
      return;
    case "arithmetic":
    case "compare":
    case "and":
    case "or":
      walk(expr.left, visit);
      walk(expr.right, visit);
      return;
    case "call":
      if ("args" in expr) { for (const arg of expr.args) walk(arg, visit); }
      return;
  }
}

/** Answers by the tree's root: trees never change, and explanations ask at every sample. */
const SIGNALS = new WeakMap<Expression, readonly number[]>();
const BROUGHT_BY_ALL = new WeakMap<Expression, boolean>();

/** Numbers of the signals that an expression names, ascending, each once. */
export function signalsOf(expr: Expression): readonly number[] {
  const known = SIGNALS.get(expr);
  if (known !== undefined) return known;
  const found = new Set<number>();
  walk(expr, (node) => {
    if (node.kind === "signal" || node.kind === "flag") found.add(node.signal);
  });
  const signals = [...found].sort((a, b) => a - b);
  SIGNALS.set(expr, signals);
  return signals;
}

/** Whether `absent` stands anywhere in an expression. */
export function hasAbsent(expr: Expression): boolean {
  return hasCall(expr, ["absent"]);
}

/** Whether what an expression means depends on the time of a sample alone: `hour` or `weekday`. */
export function hasClock(expr: Expression): boolean {
  return hasCall(expr, ["hour", "weekday"]);
}

function hasCall(expr: Expression, names: readonly string[]): boolean {
  let found = false;
  walk(expr, (node) => {
    if (node.kind === "call" && names.includes(node.fn)) found = true;
  });
  return found;
}

/**
 * Whether every sample brings the expression: it names no signal, or has `absent` or `age` in it.
 * Otherwise a sample brings it that carries one of `signalsOf`.
 */
export function broughtByAll(expr: Expression): boolean {
  const known = BROUGHT_BY_ALL.get(expr);
  if (known !== undefined) return known;
  const all = hasCall(expr, ["absent", "age"]) || signalsOf(expr).length === 0;
  BROUGHT_BY_ALL.set(expr, all);
  return all;
}

/** Every expression of a rule, those of its terms and message included. */
export function expressionsOf(rule: Rule): readonly Expression[] {
  const found: Expression[] = [rule.when];
  if (rule.clear) found.push(rule.clear);
  for (const level of rule.levels) found.push(level.when);
  for (const term of rule.terms) {
    if (term.kind === "compare") found.push(term.left, term.right);
    else found.push(term.of);
  }
  for (const part of rule.message) if (part.kind === "value") found.push(part.of);
  return found;
}
