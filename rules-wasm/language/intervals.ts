/**
 * Intervals of doubles: all that a value may be.
 *
 * Rounding to the nearest double never reverses an order, so the ends of a sum, difference, product
 * or quotient of intervals are those of its operands' ends, computed as the engines compute them.
 */
import type { ArithmeticOp } from "./ast.ts";

/** Every double from `low` to `high`, both included. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Any number. */
export const ANY: Interval = { low: -Infinity, high: Infinity };

/** The interval, or null if it holds nothing. */
export function interval(low: number, high: number): Interval | null {
  return low <= high ? { low, high } : null;
}

/** One number. */
export function only(value: number): Interval {
  return { low: value, high: value };
}

/** What lies in both; null: nothing. */
export function meet(a: Interval, b: Interval): Interval | null {
  return interval(Math.max(a.low, b.low), Math.min(a.high, b.high));
}

/** The whole numbers in it; null: none. */
export function whole(of: Interval): Interval | null {
  return interval(Math.ceil(of.low), Math.floor(of.high));
}

/** The least interval that holds all numbers given; what is not a number stands for 0. */
function around(...values: readonly number[]): Interval {
  // Only 0 times or infinity over infinity is none: its neighbours among the values bound it.
  const numbers = values.map((value) => Number.isNaN(value) ? 0 : value);
  return { low: Math.min(...numbers), high: Math.max(...numbers) };
}

/** All results of an operation; null: it never has one. */
export function operate(op: ArithmeticOp, a: Interval, b: Interval): Interval | null {
  switch (op) {
    case "+":
      return sum(a.low + b.low, a.high + b.high);
    case "-":
      return sum(a.low - b.high, a.high - b.low);
    case "*":
      return around(a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high);
    case "/":
      if (b.low === 0 && b.high === 0) return null;
      if (b.low <= 0 && b.high >= 0) return ANY;
      return around(a.low / b.low, a.low / b.high, a.high / b.low, a.high / b.high);
  }
}

function sum(low: number, high: number): Interval {
  return { low: Number.isNaN(low) ? -Infinity : low, high: Number.isNaN(high) ? Infinity : high };
}

/** All of `-x`. */
export function opposite(of: Interval): Interval {
  return { low: -of.high, high: -of.low };
}

/** All of `|x|`. */
export function absolute(of: Interval): Interval {
  const low = of.low <= 0 && of.high >= 0 ? 0 : Math.min(Math.abs(of.low), Math.abs(of.high));
  return { low, high: Math.max(Math.abs(of.low), Math.abs(of.high)) };
}

/** A little wider: for means, whose rounding may carry them past the values they are means of. */
export function widened(of: Interval): Interval {
  const slack = 1e-6 * Math.max(Math.abs(of.low), Math.abs(of.high));
  return { low: of.low - slack, high: of.high + slack };
}

const DOUBLE = new Float64Array(1);
const BITS = new BigInt64Array(DOUBLE.buffer);

/** The least double above a number. */
export function above(value: number): number {
  if (value === 0) return Number.MIN_VALUE;
  if (!(value < Infinity)) return value;
  if (value === -Infinity) return -Number.MAX_VALUE;
  DOUBLE[0] = value;
  BITS[0] += value > 0 ? 1n : -1n;
  return DOUBLE[0];
}

/** The greatest double below a number. */
export function below(value: number): number {
  return -above(-value);
}
