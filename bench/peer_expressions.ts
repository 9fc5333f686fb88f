/**
 * Expressions of the TypeScript peer: the checked tree as closures over a vehicle, the way one
 * writes a rule engine in TypeScript. Unknown is NaN; truth is 1, 0 or NaN.
 */
import type { Condition, RuleSet, Value } from "../rules-wasm/language/ast.ts";
import {
  broughtByAll,
  type Expression,
  expressionsOf,
  signalsOf,
} from "../rules-wasm/language/brings.ts";
import { structure } from "../rules-wasm/language/structure.ts";
import { slotWidthMs } from "../rules-wasm/reference/operator_state.ts";

/** What the peer keeps of a vehicle for its expressions. */
export interface PeerValues {
  t: number;
  /** Whether an edge may be seen: not when a sample is looked at again. */
  again: boolean;
  values: number[];
  times: number[];
  /** Results of stateful operators at the last sample, and their state. */
  results: number[];
  last: number[];
  slots: { slot: number; t: number; value: number }[][];
  absent: Set<number>;
}

/** A compiled expression. */
export type Compiled = (v: PeerValues) => number;

/** Whether a sample brings an expression, by which signals it carries. */
export type Brings = (brought: readonly boolean[]) => boolean;

interface Operator {
  readonly brings: Brings;
  readonly step: (v: PeerValues, brought: boolean) => number;
}

/** Compiles the expressions of one rule set; equal stateful operators are shared. */
export class PeerCompiler {
  readonly operators: Operator[] = [];
  readonly #numbers = new Map<string, number>();

  readonly #columns = new Map<number, number>();

  constructor(readonly ruleSet: RuleSet) {
    for (const signal of ruleSet.rules.flatMap(expressionsOf).flatMap((e) => [...signalsOf(e)])) {
      if (!this.#columns.has(signal)) this.#columns.set(signal, this.#columns.size);
    }
  }

  /** Signals that the rules name. */
  get columns(): number {
    return this.#columns.size;
  }

  /** Where a vehicle keeps a signal; -1 for one that no rule names. */
  columnOf(signal: number): number {
    return this.#columns.get(signal) ?? -1;
  }

  /** A fresh vehicle's values. */
  newValues(): PeerValues {
    const signals = this.columns;
    const count = this.operators.length;
    return {
      t: 0,
      again: false,
      values: new Array<number>(signals).fill(NaN),
      times: new Array<number>(signals).fill(-Infinity),
      results: new Array<number>(count).fill(NaN),
      last: new Array<number>(count).fill(NaN),
      slots: Array.from({ length: count }, () => []),
      absent: new Set(),
    };
  }

  /** Which samples bring an expression. */
  brings(expr: Expression): Brings {
    if (broughtByAll(expr)) return () => true;
    const signals = signalsOf(expr).map((signal) => this.columnOf(signal));
    if (signals.length === 1) {
      const [only] = signals;
      return (brought) => brought[only];
    }
    return (brought) => signals.some((signal) => brought[signal]);
  }

  /** Compiles a value. */
  value(expr: Value): Compiled {
    switch (expr.kind) {
      case "number":
      case "name": {
        const { value } = expr;
        return () => value;
      }
      case "signal":
        return this.#signal(expr.signal);
      case "negate": {
        const of = this.value(expr.of);
        return (v) => -of(v);
      }
      case "convert": {
        const of = this.value(expr.of);
        const { factor, offset } = expr;
        return (v) => finite(finite(of(v) * factor) + offset);
      }
      case "arithmetic": {
        const left = this.value(expr.left);
        const right = this.value(expr.right);
        switch (expr.op) {
          case "+":
            return (v) => finite(left(v) + right(v));
          case "-":
            return (v) => finite(left(v) - right(v));
          case "*":
            return (v) => finite(left(v) * right(v));
          case "/":
            return (v) => finite(left(v) / right(v));
        }
      }
      /* falls through -- unreachable: the operators above are all there are */
      case "truth":
        return this.condition(expr.of);
      case "call":
        return this.#call(expr);
    }
  }

  /** Compiles a condition. */
  condition(expr: Condition): Compiled {
    switch (expr.kind) {
      case "boolean": {
        const value = expr.value ? 1 : 0;
        return () => value;
      }
      case "flag": {
        const of = this.#signal(expr.signal);
        return (v) => {
          const value = of(v);
          return Number.isNaN(value) ? NaN : value !== 0 ? 1 : 0;
        };
      }
      case "compare": {
        const left = this.value(expr.left);
        const right = this.value(expr.right);
        const test = COMPARE[expr.op];
        return (v) => {
          const a = left(v);
          const b = right(v);
          return Number.isNaN(a) || Number.isNaN(b) ? NaN : test(a, b) ? 1 : 0;
        };
      }
      case "and": {
        const left = this.condition(expr.left);
        const right = this.condition(expr.right);
        return (v) => {
          const a = left(v);
          if (a === 0) return 0;
          const b = right(v);
          return b === 0 ? 0 : a * b;
        };
      }
      case "or": {
        const left = this.condition(expr.left);
        const right = this.condition(expr.right);
        return (v) => {
          const a = left(v);
          if (a === 1) return 1;
          const b = right(v);
          return b === 1 ? 1 : a + b;
        };
      }
      case "not": {
        const of = this.condition(expr.of);
        return (v) => 1 - of(v);
      }
      case "call": {
        if (expr.fn === "inside") {
          throw new RangeError(`Cannot compile "${expr.fn}": the peer knows no zones`);
        }
        if (expr.fn === "absent") {
          const { durationMs } = expr;
          return (v) => v.absent.has(durationMs) ? 1 : 0;
        }
        const number = this.#operator(expr);
        return (v) => v.again ? 0 : v.results[number];
      }
    }
  }

  #signal(signal: number): Compiled {
    const { staleAfterMs } = this.ruleSet.catalog.signals[signal];
    const column = this.columnOf(signal);
    return (v) => v.t - v.times[column] > staleAfterMs ? NaN : v.values[column];
  }

  #call(expr: Value & { kind: "call" }): Compiled {
    switch (expr.fn) {
      case "prev":
      case "delta":
      case "rate": {
        const number = this.#operator(expr);
        return (v) => v.results[number];
      }
      case "age":
      case "hour":
      case "weekday":
        throw new RangeError(`Cannot compile "${expr.fn}": no rule of the bench has it`);
      case "custom":
        throw new RangeError(
          `Cannot compile "${expr.operator.name}": the peer has no custom operators`,
        );
      case "avg":
      case "lowest":
      case "highest":
      case "sum":
      case "stddev":
      case "count":
      case "ewma":
      case "zscore":
        throw new RangeError(`Cannot compile "${expr.fn}": the peer knows no windows`);
      case "latitude":
      case "longitude":
      case "moved":
        throw new RangeError(`Cannot compile "${expr.fn}": the peer knows no positions`);
      default: {
        const args = expr.args.map((arg) => this.value(arg));
        const [a, b, c] = args;
        switch (expr.fn) {
          case "abs":
            return (v) => Math.abs(a(v));
          case "sqrt":
            return (v) => Math.sqrt(a(v));
          case "clamp":
            return (v) => Math.min(Math.max(a(v), b(v)), c(v));
          case "min":
            return (v) => args.reduce((least, arg) => Math.min(least, arg(v)), Infinity);
          case "max":
            return (v) => args.reduce((most, arg) => Math.max(most, arg(v)), -Infinity);
        }
      }
    }
  }

  #operator(expr: Expression & { kind: "call" }): number {
    const key = structure(expr);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const step = this.#step(expr, () => number);
    // Operators within it were numbered first, so that they are stepped first.
    const number = this.operators.length;
    this.#numbers.set(key, number);
    this.operators.push({ brings: this.brings(expr), step });
    return number;
  }

  #step(expr: Expression & { kind: "call" }, number: () => number): Operator["step"] {
    switch (expr.fn) {
      case "prev": {
        const of = this.value(expr.args[0]);
        return (v, brought) => {
          const i = number();
          const result = v.last[i];
          const now = brought ? of(v) : NaN;
          if (!Number.isNaN(now)) v.last[i] = now;
          return result;
        };
      }
      case "delta":
      case "rate":
        return this.#difference(expr.fn, this.value(expr.args[0]), expr.durationMs, number);
      case "changed":
      case "rose":
      case "fell": {
        const { fn } = expr;
        const of = expr.fn === "changed" ? this.value(expr.args[0]) : this.condition(expr.args[0]);
        return (v, brought) => {
          if (!brought) return 0;
          const i = number();
          const now = of(v);
          if (Number.isNaN(now)) return NaN;
          const last = v.last[i];
          v.last[i] = now;
          if (Number.isNaN(last)) return 0;
          return (fn === "changed" ? now !== last : fn === "rose" ? now > last : now < last)
            ? 1
            : 0;
        };
      }
      default:
        throw new RangeError(`Cannot compile "${expr.fn}" as an operator: it keeps no state`);
    }
  }

  #difference(
    fn: "delta" | "rate",
    of: Compiled,
    durationMs: number,
    number: () => number,
  ): Operator["step"] {
    const width = slotWidthMs(durationMs);
    const { maxGapMs } = this.ruleSet.settings;
    return (v, brought) => {
      const slots = v.slots[number()];
      const now = of(v);
      if (brought && !Number.isNaN(now)) {
        const slot = Math.floor(v.t / width);
        if (slots.length > 0 && slots[slots.length - 1].slot === slot) slots.pop();
        slots.push({ slot, t: v.t, value: now });
      }
      while (slots.length > 1 && slots[1].t <= v.t - durationMs) slots.shift();
      const reference = slots[0];
      if (!reference || reference.t > v.t - durationMs) return NaN;
      if (reference.t < v.t - durationMs - maxGapMs) return NaN;
      const difference = finite(now - reference.value);
      return fn === "delta" ? difference : finite(difference / ((v.t - reference.t) / 1000));
    };
  }
}

const COMPARE = {
  "<": (a: number, b: number) => a < b,
  "<=": (a: number, b: number) => a <= b,
  ">": (a: number, b: number) => a > b,
  ">=": (a: number, b: number) => a >= b,
  "==": (a: number, b: number) => a === b,
  "!=": (a: number, b: number) => a !== b,
} as const;

function finite(value: number): number {
  return Number.isFinite(value) ? value : NaN;
}
