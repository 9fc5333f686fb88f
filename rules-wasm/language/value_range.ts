/** What a value of the checked tree may be, given what is assumed of others at the same moment. */
import type { Catalog } from "../../contract/catalog.ts";
import type { Condition, Value } from "./ast.ts";
import type { Expression } from "./brings.ts";
import {
  absolute,
  ANY,
  type Interval,
  interval,
  meet,
  only,
  operate,
  opposite,
  whole,
  widened,
} from "./intervals.ts";
import { structure } from "./structure.ts";

/** What is assumed of one moment: two expressions of one structure have one value there. */
export class Moment {
  readonly #ranges: Map<string, Interval>;
  /** Whether edges may be true (a sample) or `absent` may (silence); null: nothing says. */
  silent: boolean | null;

  constructor(of?: Moment) {
    this.#ranges = new Map(of === undefined ? [] : of.#ranges);
    this.silent = of?.silent ?? null;
  }

  /** What is assumed of an expression, by its structure. */
  range(key: string): Interval {
    return this.#ranges.get(key) ?? ANY;
  }

  /** Assumes more of an expression; false if nothing is left of it. */
  narrow(key: string, to: Interval | null): boolean {
    const both = to === null ? null : meet(this.range(key), to);
    if (both === null) return false;
    this.#ranges.set(key, both);
    return true;
  }
}

const KEYS = new WeakMap<Expression, string>();

/** The structure of an expression, written once. */
export function keyOf(expr: Expression): string {
  let key = KEYS.get(expr);
  if (key === undefined) KEYS.set(expr, key = structure(expr));
  return key;
}

/** Whether a value is always a whole number. */
export function isWhole(value: Value): boolean {
  switch (value.kind) {
    case "name":
      return true;
    case "signal":
      return value.type !== "number";
    case "call":
      if (value.fn === "prev") return isWhole(value.args[0]);
      return value.fn === "hour" || value.fn === "weekday" || value.fn === "count";
    default:
      return false;
  }
}

/** Ranges of values over a catalog. */
export class ValueRanges {
  /** @param canHold whether a condition can be true at some moment, of which nothing is assumed */
  constructor(readonly catalog: Catalog, readonly canHold: (condition: Condition) => boolean) {}

  /** All that a value may be at a moment when it is known; null: it never is. */
  of(value: Value, moment: Moment): Interval | null {
    const own = this.#own(value, moment);
    if (own === null) return null;
    const both = meet(own, moment.range(keyOf(value)));
    return both !== null && isWhole(value) ? whole(both) : both;
  }

  /** All that a value may ever be. */
  ever(value: Value): Interval | null {
    return this.of(value, new Moment());
  }

  #own(value: Value, moment: Moment): Interval | null {
    switch (value.kind) {
      case "number":
      case "name":
        return only(value.value);
      case "signal":
        return this.#signal(value.signal);
      case "negate": {
        const of = this.of(value.of, moment);
        return of === null ? null : opposite(of);
      }
      case "convert": {
        const of = this.of(value.of, moment);
        const scaled = of === null ? null : operate("*", of, only(value.factor));
        return scaled === null ? null : operate("+", scaled, only(value.offset));
      }
      case "arithmetic": {
        const left = this.of(value.left, moment);
        const right = this.of(value.right, moment);
        return left === null || right === null ? null : operate(value.op, left, right);
      }
      case "truth":
        return { low: 0, high: 1 };
      case "call":
        return this.#call(value, moment);
    }
  }

  #signal(number: number): Interval | null {
    const signal = this.catalog.signals[number];
    switch (signal?.type) {
      case "number":
        return interval(signal.min, signal.max);
      case "boolean":
        return { low: 0, high: 1 };
      case "name":
        return interval(0, signal.names.length - 1);
      default:
        return ANY;
    }
  }

  #call(call: Extract<Value, { kind: "call" }>, moment: Moment): Interval | null {
    switch (call.fn) {
      case "abs":
      case "sqrt":
      case "min":
      case "max":
      case "clamp":
        return arithmeticRange(call.fn, call.args.map((arg) => this.of(arg, moment)));
      case "prev":
      case "lowest":
      case "highest":
        return this.ever(call.args[0]);
      case "delta":
      case "rate": {
        const now = this.of(call.args[0], moment);
        const reference = this.ever(call.args[0]);
        const delta = now === null || reference === null ? null : operate("-", now, reference);
        if (delta === null || call.fn === "delta") return delta;
        // At least the duration has passed since the reference.
        const most = operate("/", delta, only(call.durationMs / 1000)) ?? ANY;
        return { low: Math.min(0, most.low), high: Math.max(0, most.high) };
      }
      case "avg":
      case "ewma": {
        const of = this.ever(call.args[0]);
        return of === null ? null : widened(of);
      }
      case "sum": {
        const of = this.ever(call.args[0]);
        if (of === null) return only(0);
        return { low: of.low < 0 ? -Infinity : 0, high: of.high > 0 ? Infinity : 0 };
      }
      case "stddev": {
        const of = this.ever(call.args[0]);
        if (of === null) return null;
        const { high } = widened({ low: 0, high: (of.high - of.low) / 2 });
        // Rounding grows with the values themselves, however near they are to one another.
        return { low: 0, high: high + 1e-6 * Math.max(Math.abs(of.low), Math.abs(of.high)) };
      }
      case "count":
        return this.canHold(call.args[0]) ? { low: 0, high: Infinity } : only(0);
      // Of the last sample that brought both, which may be older than either is by now.
      case "latitude":
        return this.ever(call.args[0]);
      case "longitude":
        return this.ever(call.args[1]);
      case "age":
      case "moved":
        return { low: 0, high: Infinity };
      case "hour":
        return { low: 0, high: 23 };
      case "weekday":
        return { low: 1, high: 7 };
      default:
        return ANY;
    }
  }
}

function arithmeticRange(
  fn: "abs" | "sqrt" | "min" | "max" | "clamp",
  args: readonly (Interval | null)[],
): Interval | null {
  const known = args.filter((arg) => arg !== null);
  if (known.length < args.length) return null;
  const lows = known.map((arg) => arg.low);
  const highs = known.map((arg) => arg.high);
  const [a = ANY, low = ANY, high = ANY] = known;
  switch (fn) {
    case "abs":
      return absolute(a);
    case "sqrt":
      return a.high < 0 ? null : { low: Math.sqrt(Math.max(0, a.low)), high: Math.sqrt(a.high) };
    case "min":
      return { low: Math.min(...lows), high: Math.min(...highs) };
    case "max":
      return { low: Math.max(...lows), high: Math.max(...highs) };
    case "clamp":
      return {
        low: Math.min(Math.max(a.low, low.low), high.low),
        high: Math.min(Math.max(a.high, low.high), high.high),
      };
  }
}
