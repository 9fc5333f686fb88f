/**
 * The table of functions. A function is a row: its name, how it is called, and how a call is
 * checked; nothing else knows the functions one by one.
 */
import type { Condition, Value, WeightedFunction, WindowFunction } from "./ast.ts";
import { hasClock, signalsOf } from "./brings.ts";
import { quote } from "./faults.ts";
import { checkCrossing, checkInside, checkMoved, type PositionParts } from "./functions_geo.ts";
import { align } from "./quantities.ts";
import type { Range, Syntax } from "./syntax.ts";
import { showDuration } from "./show_values.ts";
import { BOOLEAN_NAMES, constantOf, type Quantity, quantity, type Typed } from "./typed.ts";
import {
  differenceUnit,
  NO_UNIT,
  over,
  perSecond,
  root,
  toMilliseconds,
  unitText,
} from "./units.ts";
import type { Zone } from "./zone.ts";

/** A call in the raw tree. */
export type CallSyntax = Extract<Syntax, { kind: "call" }>;

/** What a row needs of the checker; each part reports what it refuses and then returns null. */
export interface CallContext {
  /** The type of any argument. */
  typed(arg: Syntax): Typed | null;
  /** An argument that must be a number. */
  quantity(arg: Syntax): Quantity | null;
  /** An argument that must be a condition, without `absent` in it. */
  statefulCondition(arg: Syntax): Condition | null;
  /** The vehicle's position, for a call that needs it. */
  position(call: Range): PositionParts | null;
  /** The zone that an argument names. */
  zone(arg: Syntax): Zone | null;
  /** A quantity, refused if a constant in it is not finite. */
  finite(range: Range, q: Quantity): Quantity | null;
  /** A node's text as written. */
  text(range: Range): string;
  refuse(range: Range, message: string, suggestion?: string): null;
}

/** One function of the language. */
export interface FunctionRow {
  readonly name: string;
  /** How it is called, for people. */
  readonly signature: string;
  readonly argumentsMin: number;
  readonly argumentsMax: number;
  /** Checks a call whose number of arguments is right. */
  readonly check: (call: CallSyntax, context: CallContext) => Typed | null;
}

/** Least duration of a function that keeps slots: one slot. */
const SLOT_MS_MIN = 10;

/** Least duration that `held` and `seq` measure. */
const SPAN_MS_MIN = 10;

/** The unit of `age`: 1 / (1 / s). */
const SECONDS = over(NO_UNIT, perSecond(NO_UNIT));
/** Least duration of a function over a window: one pane. */
const PANE_MS_MIN = 1000;

/** Greatest duration anywhere, in milliseconds: 366 days. */
export const DURATION_MS_MAX = 366 * 86_400_000;

/** A duration argument in whole milliseconds, at least `leastMs`; null if it was refused. */
export function durationMs(context: CallContext, arg: Syntax, leastMs: number): number | null {
  const q = context.quantity(arg);
  if (q === null) return null;
  const text = context.text(arg);
  const constant = constantOf(q);
  const advice = "write a number and its unit, such as 30 s, 2 min or 1 h";
  if (constant === null) {
    return context.refuse(arg, `Cannot use ${text} as a duration: it is not constant`, advice);
  }
  const ms = q.unit === null ? null : toMilliseconds(constant, q.unit);
  if (ms === null) {
    const metres = q.unit !== null && unitText(q.unit) === "m";
    const why = metres ? "m is metres" : "it is not a time";
    return context.refuse(
      arg,
      `Cannot use ${text} as a duration: ${why}`,
      metres ? 'minutes are written "min"' : advice,
    );
  }
  if (!Number.isInteger(ms)) {
    return context.refuse(arg, `Cannot use ${text} as a duration: it is not whole milliseconds`);
  }
  if (ms < leastMs) {
    return context.refuse(
      arg,
      `Cannot use ${text} as a duration here: the least is ${showDuration(leastMs)}`,
    );
  }
  if (ms > DURATION_MS_MAX) {
    return context.refuse(arg, `Cannot use ${text} as a duration: the greatest is 366 d`);
  }
  return ms;
}

/** An argument whose value is kept: it has to name a signal. */
function keptValue(context: CallContext, call: CallSyntax, arg: Syntax): Typed | null {
  const typed = context.typed(arg);
  if (typed === null) return null;
  if (typed.kind === "condition" || typed.kind === "string") {
    const advice = typed.kind === "condition" ? "use rose(…) or fell(…) for conditions" : "";
    const text = context.text(arg);
    return context.refuse(arg, `Cannot take ${call.name} of ${text}: it is no value`, advice);
  }
  return namesSignal(context, call, arg, typed.value) ? typed : null;
}

function namesSignal(
  context: CallContext,
  call: CallSyntax,
  arg: Syntax,
  kept: Value | Condition,
): boolean {
  if (signalsOf(kept).length > 0 || hasClock(kept)) return true;
  context.refuse(
    arg,
    `Cannot take ${call.name} of ${context.text(arg)}: it names no signal`,
    `it is called as ${FUNCTIONS.get(call.name)?.signature ?? call.name}`,
  );
  return false;
}

function checkPrev(call: CallSyntax, context: CallContext): Typed | null {
  const [arg] = call.args;
  const typed = arg === undefined ? null : keptValue(context, call, arg);
  if (typed === null || typed.kind === "condition" || typed.kind === "string") return null;
  const value: Value = { kind: "call", fn: "prev", args: [typed.value] };
  if (typed.kind !== "boolean") return { ...typed, value };
  return { kind: "boolean", value, condition: isTrue(value, context.text(call)) };
}

/** The condition that a value of 0 or 1 is 1. */
function isTrue(value: Value, text: string): Condition {
  const term = { text, unit: "", names: BOOLEAN_NAMES };
  return { kind: "compare", op: "==", left: value, right: { kind: "number", value: 1 }, term };
}

function checkChanged(call: CallSyntax, context: CallContext): Typed | null {
  const [arg] = call.args;
  const typed = arg === undefined ? null : keptValue(context, call, arg);
  if (typed === null || typed.kind === "condition" || typed.kind === "string") return null;
  return {
    kind: "condition",
    condition: { kind: "call", fn: "changed", args: [typed.value] },
  };
}

function checkEdge(fn: "rose" | "fell"): FunctionRow["check"] {
  return (call, context) => {
    const [arg] = call.args;
    const of = arg === undefined ? null : context.statefulCondition(arg);
    if (arg === undefined || of === null || !namesSignal(context, call, arg, of)) return null;
    return { kind: "condition", condition: { kind: "call", fn, args: [of] } };
  };
}

function checkDifference(fn: "delta" | "rate"): FunctionRow["check"] {
  return (call, context) => {
    const [arg, time] = call.args;
    if (arg === undefined || time === undefined) return null;
    const q = context.quantity(arg);
    const ms = durationMs(context, time, SLOT_MS_MIN);
    if (q === null || !namesSignal(context, call, arg, q.value) || ms === null) return null;
    const value: Value = { kind: "call", fn, args: [q.value], durationMs: ms };
    const unit = differenceUnit(q.unit ?? []);
    return quantity(value, fn === "delta" ? unit : perSecond(unit), "difference");
  };
}

function checkAge(call: CallSyntax, context: CallContext): Typed | null {
  const [arg] = call.args;
  const typed = arg === undefined ? null : keptValue(context, call, arg);
  if (typed === null || typed.kind === "condition" || typed.kind === "string") return null;
  return quantity({ kind: "call", fn: "age", args: [typed.value] }, SECONDS);
}

function checkClock(fn: "hour" | "weekday"): FunctionRow["check"] {
  return () => quantity({ kind: "call", fn }, NO_UNIT);
}

function checkHeld(call: CallSyntax, context: CallContext): Typed | null {
  const [arg, time] = call.args;
  if (arg === undefined || time === undefined) return null;
  const of = context.statefulCondition(arg);
  const ms = durationMs(context, time, SPAN_MS_MIN);
  if (of === null || !namesSignal(context, call, arg, of) || ms === null) return null;
  return {
    kind: "condition",
    condition: { kind: "call", fn: "held", args: [of], durationMs: ms },
  };
}

function checkSeq(call: CallSyntax, context: CallContext): Typed | null {
  const [first, second, time] = call.args;
  if (first === undefined || second === undefined || time === undefined) return null;
  const a = context.statefulCondition(first);
  const b = context.statefulCondition(second);
  const ms = durationMs(context, time, SPAN_MS_MIN);
  if (a === null || !namesSignal(context, call, first, a)) return null;
  if (b === null || !namesSignal(context, call, second, b) || ms === null) return null;
  return {
    kind: "condition",
    condition: { kind: "call", fn: "seq", args: [a, b], durationMs: ms },
  };
}

/** A function of the values within a duration, or weighted by one; its unit is made from that of x. */
function checkWindow(
  fn: WindowFunction | WeightedFunction,
  result: (of: Value, x: Quantity) => Quantity,
): FunctionRow["check"] {
  return (call, context) => {
    const [arg, time] = call.args;
    if (arg === undefined || time === undefined) return null;
    const q = context.quantity(arg);
    const ms = durationMs(context, time, fn === "ewma" || fn === "zscore" ? 1 : PANE_MS_MIN);
    if (q === null || !namesSignal(context, call, arg, q.value) || ms === null) return null;
    if (fn === "sum" && q.scale === "point") {
      return context.refuse(call, "Cannot take sum of a temperature: its zero is arbitrary");
    }
    return result({ kind: "call", fn, args: [q.value], durationMs: ms }, q);
  };
}

/** As x is: a point stays a point. */
function likeX(value: Value, x: Quantity): Quantity {
  return { ...x, value };
}

/** A distance between values of x. */
function distance(value: Value, x: Quantity): Quantity {
  return quantity(value, differenceUnit(x.unit ?? NO_UNIT), "difference");
}

function plainNumber(value: Value): Quantity {
  return quantity(value, NO_UNIT);
}

function checkCount(call: CallSyntax, context: CallContext): Typed | null {
  const [arg, time] = call.args;
  if (arg === undefined || time === undefined) return null;
  const of = context.statefulCondition(arg);
  const ms = durationMs(context, time, PANE_MS_MIN);
  if (of === null || !namesSignal(context, call, arg, of) || ms === null) return null;
  return quantity({ kind: "call", fn: "count", args: [of], durationMs: ms }, NO_UNIT);
}

function checkAbsent(call: CallSyntax, context: CallContext): Typed | null {
  const [time] = call.args;
  const ms = time === undefined ? null : durationMs(context, time, 1);
  if (ms === null) return null;
  return { kind: "condition", condition: { kind: "call", fn: "absent", durationMs: ms } };
}

function allQuantities(call: CallSyntax, context: CallContext): readonly Quantity[] | null {
  const all = call.args.map((arg) => context.quantity(arg));
  const known = all.filter((q) => q !== null);
  return known.length === all.length ? known : null;
}

/** The same as the kernel's and the reference's: any unknown makes the result unknown. */
function fold(fn: "abs" | "sqrt" | "min" | "max" | "clamp", numbers: readonly number[]): number {
  const [a = NaN, low = NaN, high = NaN] = numbers;
  switch (fn) {
    case "abs":
      return Math.abs(a);
    case "sqrt":
      return Math.sqrt(a);
    case "min":
      return Math.min(...numbers);
    case "max":
      return Math.max(...numbers);
    case "clamp":
      return Math.min(Math.max(a, low), high);
  }
}

function pure(
  fn: "abs" | "sqrt" | "min" | "max" | "clamp",
  args: readonly Value[],
): Value {
  const numbers = args.flatMap((arg) => arg.kind === "number" ? [arg.value] : []);
  if (numbers.length === args.length) return { kind: "number", value: fold(fn, numbers) };
  return { kind: "call", fn, args };
}

function checkAbs(call: CallSyntax, context: CallContext): Typed | null {
  const [q] = allQuantities(call, context) ?? [];
  if (q === undefined) return null;
  if (q.scale === "point") {
    return context.refuse(call, "Cannot take abs of a temperature: its zero is arbitrary");
  }
  return context.finite(call, { ...q, value: pure("abs", [q.value]) });
}

function checkSqrt(call: CallSyntax, context: CallContext): Typed | null {
  const [q] = allQuantities(call, context) ?? [];
  if (q === undefined) return null;
  const unit = q.unit === null ? null : root(q.unit);
  if (q.unit !== null && unit === null) {
    return context.refuse(
      call,
      `Cannot take sqrt of ${unitText(q.unit)}: the unit is not a square`,
      "a square is a product such as x * x",
    );
  }
  return context.finite(call, quantity(pure("sqrt", [q.value]), unit, "difference"));
}

function checkChoice(fn: "min" | "max" | "clamp"): FunctionRow["check"] {
  return (call, context) => {
    const all = allQuantities(call, context);
    if (all === null) return null;
    const aligned = align(`take ${fn} of`, all);
    if (!aligned.ok) return context.refuse(call, aligned.message, aligned.suggestion);
    const { values, unit, scale } = aligned.value;
    const [, low, high] = values;
    if (fn === "clamp" && low?.kind === "number" && high?.kind === "number") {
      if (low.value > high.value) {
        return context.refuse(
          call,
          `Cannot clamp between ${low.value} and ${high.value}: the lower limit is above the upper`,
          `the order is ${quote("clamp(x, low, high)")}`,
        );
      }
    }
    return context.finite(call, quantity(pure(fn, values), unit, scale));
  };
}

type Signature = readonly [signature: string, min: number, max: number];

function row([signature, argumentsMin, argumentsMax]: Signature, check: FunctionRow["check"]) {
  const name = signature.slice(0, signature.indexOf("("));
  return { name, signature, argumentsMin, argumentsMax, check };
}

const ROWS: readonly FunctionRow[] = [
  row(["abs(x)", 1, 1], checkAbs),
  row(["sqrt(x)", 1, 1], checkSqrt),
  row(["min(x, y, …)", 2, 16], checkChoice("min")),
  row(["max(x, y, …)", 2, 16], checkChoice("max")),
  row(["clamp(x, low, high)", 3, 3], checkChoice("clamp")),
  row(["prev(x)", 1, 1], checkPrev),
  row(["delta(x, duration)", 2, 2], checkDifference("delta")),
  row(["rate(x, duration)", 2, 2], checkDifference("rate")),
  row(["changed(x)", 1, 1], checkChanged),
  row(["rose(condition)", 1, 1], checkEdge("rose")),
  row(["fell(condition)", 1, 1], checkEdge("fell")),
  row(["absent(duration)", 1, 1], checkAbsent),
  row(["avg(x, duration)", 2, 2], checkWindow("avg", likeX)),
  row(["lowest(x, duration)", 2, 2], checkWindow("lowest", likeX)),
  row(["highest(x, duration)", 2, 2], checkWindow("highest", likeX)),
  row(["sum(x, duration)", 2, 2], checkWindow("sum", likeX)),
  row(["stddev(x, duration)", 2, 2], checkWindow("stddev", distance)),
  row(["count(condition, duration)", 2, 2], checkCount),
  row(["ewma(x, tau)", 2, 2], checkWindow("ewma", likeX)),
  row(["zscore(x, tau)", 2, 2], checkWindow("zscore", plainNumber)),
  row(["held(condition, duration)", 2, 2], checkHeld),
  row(["age(x)", 1, 1], checkAge),
  row(["seq(a, b, duration)", 3, 3], checkSeq),
  row(["inside(zone)", 1, 1], checkInside),
  row(["entered(zone)", 1, 1], checkCrossing("rose")),
  row(["left(zone)", 1, 1], checkCrossing("fell")),
  row(
    ["moved(duration)", 1, 1],
    checkMoved((context, arg) => durationMs(context, arg, SLOT_MS_MIN)),
  ),
  row(["hour()", 0, 0], checkClock("hour")),
  row(["weekday()", 0, 0], checkClock("weekday")),
];

/** The language's own functions by name. */
export const FUNCTIONS: ReadonlyMap<string, FunctionRow> = new Map(
  ROWS.map((entry) => [entry.name, entry]),
);
