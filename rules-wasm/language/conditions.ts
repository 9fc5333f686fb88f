/** Conditions of the checked tree: comparisons of every kind of value, and how they are joined. */
import type { CompareOp, Condition, Value } from "./ast.ts";
import { didYouMean, quote } from "./faults.ts";
import type { CallContext } from "./functions.ts";
import { align } from "./quantities.ts";
import type { Syntax } from "./syntax.ts";
import { BOOLEAN_NAMES, kindText, type Quantity, type Typed } from "./typed.ts";
import { unitText } from "./units.ts";

/** A comparison in the raw tree. */
export type CompareSyntax = Extract<Syntax, { kind: "compare" }>;

/** Checks a comparison; null if anything was reported. */
export function compare(context: CallContext, syntax: CompareSyntax): Condition | null {
  const left = context.typed(syntax.left);
  if (left?.kind === "name" && isNameOf(left.names, syntax.right)) {
    return refuseBareName(context, syntax.right);
  }
  const right = context.typed(syntax.right);
  if (left === null || right === null) return null;
  if (left.kind === "quantity" && right.kind === "quantity") {
    return compareQuantities(context, syntax, left, right);
  }
  if (syntax.op !== "==" && syntax.op !== "!=") {
    const odd = left.kind === "quantity" ? right : left;
    return context.refuse(
      syntax,
      `Cannot compare with ${quote(syntax.op)}: one side is ${kindText(odd)}`,
      left.kind === right.kind
        ? "only == and != compare these"
        : compareAdvice(context, syntax, odd),
    );
  }
  if (left.kind === "name" || right.kind === "name") {
    return compareNames(context, syntax, syntax.op, left, right);
  }
  return compareBooleans(context, syntax, syntax.op, left, right);
}

/** How something that is no number is asked for. */
function compareAdvice(context: CallContext, { left, right }: CompareSyntax, odd: Typed): string {
  const of = [left, right].find((each) => each.kind === "signal" || each.kind === "call");
  const text = of === undefined ? "x" : context.text(of);
  if (odd.kind === "boolean") return `write "${text}" or "not ${text}"`;
  return odd.kind === "name" ? `write ${text} == "${odd.names[0] ?? ""}"` : "";
}

function compareQuantities(
  context: CallContext,
  syntax: CompareSyntax,
  left: Quantity,
  right: Quantity,
): Condition | null {
  const aligned = align("compare", [left, right]);
  if (!aligned.ok) return context.refuse(syntax, aligned.message, aligned.suggestion);
  const { values: [a, b], unit } = aligned.value;
  if (a === undefined || b === undefined) return null;
  for (const value of [a, b]) {
    if (value.kind === "number" && !Number.isFinite(value.value)) {
      return context.refuse(
        syntax,
        `Cannot use ${quote(context.text(syntax))}: a limit is not finite`,
      );
    }
  }
  if (a.kind === "number" && b.kind === "number") {
    return { kind: "boolean", value: holds(syntax.op, a.value, b.value) };
  }
  const term = { text: context.text(syntax), unit: unit === null ? "" : unitText(unit) };
  return { kind: "compare", op: syntax.op, left: a, right: b, term };
}

function compareNames(
  context: CallContext,
  syntax: CompareSyntax,
  op: "==" | "!=",
  left: Typed,
  right: Typed,
): Condition | null {
  const names = left.kind === "name" ? left.names : right.kind === "name" ? right.names : [];
  const a = nameSide(context, syntax.left, left, names);
  const b = nameSide(context, syntax.right, right, names);
  if (a === null || b === null) return null;
  const term = { text: context.text(syntax), unit: "", names };
  return { kind: "compare", op, left: a, right: b, term };
}

function nameSide(
  context: CallContext,
  syntax: Syntax,
  typed: Typed,
  names: readonly string[],
): Value | null {
  if (typed.kind === "string") {
    const at = names.indexOf(typed.text);
    if (at !== -1) return { kind: "name", value: at, text: typed.text };
    const near = didYouMean(typed.text, names);
    return context.refuse(
      syntax,
      `Cannot find ${quote(typed.text)} among the names of this signal`,
      near !== "" ? near : `its names are ${names.slice(0, 20).map(quote).join(", ")}`,
    );
  }
  if (typed.kind !== "name") {
    const text = quote(context.text(syntax));
    return context.refuse(syntax, `Cannot compare a name with ${text}: it is ${kindText(typed)}`);
  }
  if (typed.names.length !== names.length || typed.names.some((name, i) => name !== names[i])) {
    return context.refuse(syntax, "Cannot compare two signals whose names differ");
  }
  return typed.value;
}

function compareBooleans(
  context: CallContext,
  syntax: CompareSyntax,
  op: "==" | "!=",
  left: Typed,
  right: Typed,
): Condition | null {
  const isTruth = (typed: Typed) => typed.kind === "condition" || typed.kind === "boolean";
  if (!isTruth(left) || !isTruth(right)) {
    const truth = isTruth(left) ? syntax.left : syntax.right;
    const advice = isTruth(left) !== isTruth(right)
      ? `a condition stands alone: ${context.text(truth)}, or not ${context.text(truth)}`
      : "";
    const what = `${kindText(left)} and ${kindText(right)}`;
    return context.refuse(syntax, `Cannot compare ${what}`, advice);
  }
  if (left.kind === "boolean" && right.kind === "boolean") {
    const term = { text: context.text(syntax), unit: "", names: BOOLEAN_NAMES };
    return { kind: "compare", op, left: left.value, right: right.value, term };
  }
  const a = truthOf(left);
  const b = truthOf(right);
  if (a !== null && b?.kind === "boolean") return b.value === (op === "==") ? a : negated(a);
  if (b !== null && a?.kind === "boolean") return a.value === (op === "==") ? b : negated(b);
  return context.refuse(
    syntax,
    "Cannot compare two conditions",
    "join them with and, or and not",
  );
}

/** Whether a word that stands where a signal would is one of the names it is compared with. */
function isNameOf(names: readonly string[], syntax: Syntax): boolean {
  return syntax.kind === "signal" && names.includes(syntax.name);
}

function refuseBareName(context: CallContext, syntax: Syntax): null {
  const text = context.text(syntax);
  return context.refuse(syntax, `Cannot read the name ${text} without quotes`, `write "${text}"`);
}

function truthOf(typed: Typed): Condition | null {
  return typed.kind === "condition" || typed.kind === "boolean" ? typed.condition : null;
}

/** `and` or `or`; folded only when both sides are constant, so that no signal is lost. */
export function join(kind: "and" | "or", left: Condition, right: Condition): Condition {
  if (left.kind === "boolean" && right.kind === "boolean") {
    const value = kind === "and" ? left.value && right.value : left.value || right.value;
    return { kind: "boolean", value };
  }
  return { kind, left, right };
}

/** The negation of a condition; folded when it is constant. */
export function negated(of: Condition): Condition {
  return of.kind === "boolean" ? { kind: "boolean", value: !of.value } : { kind: "not", of };
}

function holds(op: CompareOp, a: number, b: number): boolean {
  switch (op) {
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    case "==":
      return a === b;
    case "!=":
      return a !== b;
  }
}
