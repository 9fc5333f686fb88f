/** Arithmetic and comparison of quantities: which units fit, and what unit comes of them. */
import type { ArithmeticOp, Value } from "./ast.ts";
import { constantOf, type Quantity, quantity, type Scale } from "./typed.ts";
import { describeDimension } from "./unit_table.ts";
import {
  conversion,
  convertConstant,
  differenceUnit,
  dimensionOf,
  isComparable,
  isExcessive,
  NO_UNIT,
  over,
  times,
  type Unit,
  unitText,
} from "./units.ts";

/** A result, or why there is none. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string; readonly suggestion: string };

function refuse(message: string, suggestion = ""): Outcome<never> {
  return { ok: false, message, suggestion };
}

function done<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

/** A quantity's value in a unit that it fits; a bare constant takes the unit as it is. */
export function valueIn(q: Quantity, unit: Unit, point: boolean): Value {
  if (q.unit === null) return q.value;
  const constant = constantOf(q);
  if (constant !== null) {
    return { kind: "number", value: convertConstant(constant, q.unit, unit, point) };
  }
  const change = conversion(q.unit, unit, point);
  return change === null ? q.value : { kind: "convert", of: q.value, ...change };
}

/** Why two units do not fit: "X is a speed, Y a temperature". */
function mismatch(action: string, a: Unit, b: Unit): Outcome<never> {
  const show = (unit: Unit) => unit.length === 0 ? "a number without unit" : unitText(unit);
  const describe = (unit: Unit) => {
    const { name } = describeDimension(dimensionOf(unit));
    return name === "" || unit.length === 0 ? show(unit) : `${show(unit)} (${name})`;
  };
  const { units } = describeDimension(dimensionOf(a));
  const advice = units === "" ? "" : `use a unit such as ${units}`;
  return refuse(`Cannot ${action} ${describe(a)} and ${describe(b)}: the units do not fit`, advice);
}

/** Quantities brought into one unit. */
export interface Aligned {
  readonly values: readonly Value[];
  /** Null if all are bare. */
  readonly unit: Unit | null;
  readonly scale: Scale;
}

/**
 * Brings quantities into one unit, to compare them or to choose among them: that of the first that
 * is not constant, else of the first that has one.
 */
export function align(action: string, all: readonly Quantity[]): Outcome<Aligned> {
  const lead = all.find((q) => constantOf(q) === null) ?? all.find((q) => q.unit !== null);
  if (lead === undefined || lead.unit === null) {
    return done({ values: all.map((q) => q.value), unit: null, scale: "difference" });
  }
  const unit = lead.unit;
  for (const q of all) {
    if (q.unit !== null && !isComparable(unit, q.unit)) return mismatch(action, unit, q.unit);
  }
  const scales = all.filter((q) => q.unit !== null).map((q) => q.scale);
  if (scales.includes("point") && scales.includes("difference")) {
    return refuse(
      `Cannot ${action} a temperature and a difference of temperatures`,
      "subtract one temperature from the other first",
    );
  }
  const difference = scales.includes("difference");
  return done({
    values: all.map((q) => valueIn(q, unit, !difference)),
    unit,
    scale: difference ? "difference" : scales.includes("point") ? "point" : "either",
  });
}

/** A sum, difference, product or quotient; constants are folded. */
export function arithmetic(op: ArithmeticOp, left: Quantity, right: Quantity): Outcome<Quantity> {
  return op === "+" || op === "-" ? sum(op, left, right) : product(op, left, right);
}

function sum(op: "+" | "-", left: Quantity, right: Quantity): Outcome<Quantity> {
  const action = op === "+" ? "add" : "subtract";
  const leftUnit = left.unit ?? right.unit;
  const rightUnit = right.unit ?? left.unit;
  if (leftUnit === null || rightUnit === null) return combine(op, left.value, right.value, null);
  if (!isComparable(leftUnit, rightUnit)) return mismatch(action, leftUnit, rightUnit);
  const how = scaleOfSum(op, left, right);
  if (!how.ok) return how;
  const { leftPoint, rightPoint, scale } = how.value;
  const unit = leadUnit(left, right, leftUnit, rightUnit, leftPoint, rightPoint);
  const twoPoints = leftPoint && rightPoint;
  return combine(
    op,
    valueIn(left, unit, leftPoint),
    valueIn(right, unit, rightPoint),
    twoPoints ? differenceUnit(unit) : unit,
    scale,
  );
}

/** The unit in which a sum is computed: a point's, else an undecided constant's, else a signal's. */
function leadUnit(
  left: Quantity,
  right: Quantity,
  leftUnit: Unit,
  rightUnit: Unit,
  leftPoint: boolean,
  rightPoint: boolean,
): Unit {
  if (right.unit === null) return leftUnit;
  if (left.unit === null) return rightUnit;
  if (leftPoint && !(rightPoint && constantOf(left) !== null)) return leftUnit;
  if (rightPoint) return rightUnit;
  if (left.scale === "either") return leftUnit;
  return constantOf(left) !== null && constantOf(right) === null ? rightUnit : leftUnit;
}

/** How both sides of a sum are read on a temperature scale, and what comes of it. */
interface SumScale {
  readonly leftPoint: boolean;
  readonly rightPoint: boolean;
  readonly scale: Scale;
}

function scaleOfSum(op: "+" | "-", left: Quantity, right: Quantity): Outcome<SumScale> {
  const l = left.unit === null ? "bare" : left.scale;
  const r = right.unit === null ? "bare" : right.scale;
  const plain = { leftPoint: false, rightPoint: false };
  if (l === "point" && r === "point") {
    if (op === "-") return done({ leftPoint: true, rightPoint: true, scale: "difference" });
    return refuse("Cannot add two temperatures: only a difference can be added to one");
  }
  if (l === "point") {
    const doubtful = op === "-" && r === "either" && right.unit !== null &&
      unitText(right.unit) !== "K";
    if (doubtful) {
      return refuse(
        `Cannot tell whether ${
          unitText(right.unit)
        } is meant as a temperature or a difference here`,
        "write a difference in K, or move the limit to the other side of the comparison",
      );
    }
    return done({ leftPoint: true, rightPoint: false, scale: "point" });
  }
  if (r === "point") {
    if (op === "+") return done({ leftPoint: false, rightPoint: true, scale: "point" });
    if (l === "difference") {
      return refuse("Cannot subtract a temperature from a difference of temperatures");
    }
    return done({ leftPoint: true, rightPoint: true, scale: "difference" });
  }
  if (l === "either") {
    return done({ ...plain, scale: r === "difference" && op === "+" ? "difference" : "either" });
  }
  if (l === "bare" && r === "either") return done({ ...plain, scale: "either" });
  return done({ ...plain, scale: "difference" });
}

function product(op: "*" | "/", left: Quantity, right: Quantity): Outcome<Quantity> {
  if (left.scale === "point" || right.scale === "point") {
    return refuse(
      `Cannot ${op === "*" ? "multiply" : "divide"} a temperature: its zero is arbitrary`,
      "subtract another temperature first: a difference can be multiplied",
    );
  }
  if (left.unit === null && right.unit === null) {
    return combine(op, left.value, right.value, null);
  }
  const join = op === "*" ? times : over;
  const unit = join(left.unit ?? NO_UNIT, right.unit ?? NO_UNIT);
  if (isExcessive(unit)) {
    return refuse(`Cannot use the unit ${unitText(unit)}: its powers are too high`);
  }
  return combine(op, left.value, right.value, unit, "difference");
}

function combine(
  op: ArithmeticOp,
  left: Value,
  right: Value,
  unit: Unit | null,
  scale: Scale = "difference",
): Outcome<Quantity> {
  if (left.kind !== "number" || right.kind !== "number") {
    return done(quantity({ kind: "arithmetic", op, left, right }, unit, scale));
  }
  const value = compute(op, left.value, right.value);
  return done(quantity({ kind: "number", value }, unit, scale));
}

function compute(op: ArithmeticOp, a: number, b: number): number {
  switch (op) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
  }
}
