/** Instructions of a plan: the expressions of all rules, each sub-expression once. */
import type { Condition, Value } from "./language/ast.ts";
import { broughtByAll, type Expression, hasAbsent, signalsOf } from "./language/brings.ts";
import { structure } from "./language/structure.ts";
import * as K from "./assembly/plan_layout.ts";
import { ageCode, clockCode, heldCode, seqCode } from "./plan_time.ts";
import { ringBytes, slotWidthMs, weightedCode, windowCode } from "./plan_rings.ts";

/** One instruction; what an opcode does not use is 0. */
export interface Instruction {
  readonly op: number;
  readonly dst: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly state: number;
  readonly brings: number;
  /** Offset of the ring of OP_SLOTS and OP_WINDOW. */
  readonly flags: number;
  readonly k0: number;
  readonly k1: number;
}

/** Bytes of a vehicle's state that an operator keeps. */
export interface StatePart {
  /** Structure of the expression whose state it is. */
  readonly structure: string;
  readonly offset: number;
  readonly bytes: number;
  /** Whether a fresh one is unknown numbers (NaN); zeros otherwise. */
  readonly unknown: boolean;
  /** Whether its first 8 bytes are counts, 0 in a fresh one. */
  readonly counted?: boolean;
}

const ARITHMETIC = { "+": K.OP_ADD, "-": K.OP_SUB, "*": K.OP_MUL, "/": K.OP_DIV } as const;
const COMPARE = {
  "<": K.CMP_LT,
  "<=": K.CMP_LE,
  ">": K.CMP_GT,
  ">=": K.CMP_GE,
  "==": K.CMP_EQ,
  "!=": K.CMP_NE,
} as const;
/** The comparison with its sides changed about. */
const MIRRORED = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!=" } as const;

/** Compiles expressions; equal ones get one register. */
export class PlanCode {
  readonly code: Instruction[] = [];
  readonly states: StatePart[] = [];
  /** Constants that need a register: value by register. */
  readonly constants = new Map<number, number>();
  /** Sets of signals that bring something, as positions among the plan's signals. */
  readonly brings: (readonly number[])[] = [];
  valueCount: number;
  conditionCount = 0;
  stateBytes: number;
  readonly #known = new Map<string, number>();
  readonly #bringsKnown = new Map<string, number>();

  /**
   * @param signals numbers of the catalog signals named, ascending; their positions are registers
   * @param absents durations of `absent`, ascending
   * @param stateOffset where the operators' state begins
   */
  constructor(
    readonly signals: readonly number[],
    readonly absents: readonly number[],
    readonly maxGapMs: number,
    stateOffset: number,
  ) {
    this.valueCount = signals.length;
    this.stateBytes = stateOffset;
  }

  /**
   * Gives the rings of slots and panes their places, behind everything that most rows touch.
   *
   * @param from where they begin; @returns where they end
   */
  placeRings(from: number): number {
    let at = from;
    this.code.forEach((each, i) => {
      const bytes = ringBytes(each);
      if (bytes === 0) return;
      const key = this.states.find((part) => part.offset === each.state)?.structure ?? "";
      this.code[i] = { ...each, flags: at };
      this.states.push({ structure: `ring of ${key}`, offset: at, bytes, unknown: false });
      at += bytes;
    });
    return at;
  }

  /** The register of a value. */
  value(expr: Value): number {
    switch (expr.kind) {
      case "number":
      case "name":
        return this.#constant(expr.value);
      case "signal":
        return this.position(expr.signal);
      case "arithmetic":
        return this.#emitValue({
          op: ARITHMETIC[expr.op],
          a: this.value(expr.left),
          b: this.value(expr.right),
        });
      case "negate":
        return this.#emitValue({ op: K.OP_NEGATE, a: this.value(expr.of) });
      case "convert":
        return this.#emitValue({
          op: K.OP_CONVERT,
          a: this.value(expr.of),
          k0: expr.factor,
          k1: expr.offset,
        });
      case "call":
        switch (expr.fn) {
          case "abs":
            return this.#emitValue({ op: K.OP_ABS, a: this.value(expr.args[0]) });
          case "sqrt":
            return this.#emitValue({ op: K.OP_SQRT, a: this.value(expr.args[0]) });
          case "min":
          case "max": {
            const op = expr.fn === "min" ? K.OP_MIN : K.OP_MAX;
            return expr.args.map((arg) => this.value(arg))
              .reduce((a, b) => this.#emitValue({ op, a, b }));
          }
          case "clamp": {
            const [x, low, high] = expr.args.map((arg) => this.value(arg));
            const raised = this.#emitValue({ op: K.OP_MAX, a: x, b: low });
            return this.#emitValue({ op: K.OP_MIN, a: raised, b: high });
          }
          case "prev":
            return this.#previous(expr.args[0]);
          case "delta":
          case "rate": {
            const reference = this.#slots(expr.args[0], expr.durationMs);
            return this.#emitValue({
              op: expr.fn === "delta" ? K.OP_DELTA : K.OP_RATE,
              a: this.value(expr.args[0]),
              b: reference,
              c: reference + 1,
              k0: expr.durationMs + this.maxGapMs,
            });
          }
          case "age":
            return ageCode(this, expr.args[0]);
          case "hour":
          case "weekday":
            return clockCode(this, expr.fn);
          case "ewma":
            return weightedCode(this, expr.args[0], expr.durationMs);
          case "zscore":
            return weightedCode(this, expr.args[0], expr.durationMs) + 1;
          case "avg":
            return windowCode(this, expr) + 1;
          case "sum":
          case "lowest":
          case "highest":
          case "stddev":
          case "count":
            return windowCode(this, expr);
        }
    }
  }

  /** The register of a condition. */
  condition(expr: Condition): number {
    switch (expr.kind) {
      case "boolean":
        return this.#emitCondition({ op: K.OP_CONSTANT, c: expr.value ? 1 : 0 });
      case "flag":
        return this.#emitCondition({ op: K.OP_FLAG, a: this.position(expr.signal) });
      case "compare":
        return this.#compare(expr);
      case "and":
      case "or":
        return this.#emitCondition({
          op: expr.kind === "and" ? K.OP_AND : K.OP_OR,
          a: this.condition(expr.left),
          b: this.condition(expr.right),
        });
      case "not":
        return this.#not(this.condition(expr.of));
      case "call":
        switch (expr.fn) {
          case "absent":
            return this.#emitCondition({
              op: K.OP_ABSENT,
              c: this.absents.indexOf(expr.durationMs),
            });
          case "changed": {
            const x = this.value(expr.args[0]);
            const before = this.#previous(expr.args[0]);
            const differs = this.#emitCondition({ op: K.OP_COMPARE, a: x, b: before, c: K.CMP_NE });
            const known = this.#emitCondition({ op: K.OP_COMPARE, a: x, b: x, c: K.CMP_EQ });
            return this.#edge(expr, differs, known);
          }
          case "rose":
          case "fell": {
            const now = this.condition(expr.args[0]);
            const before = this.#previousCondition(expr.args[0], now);
            const [is, was] = expr.fn === "rose"
              ? [now, this.#not(before)]
              : [this.#not(now), before];
            return this.#edge(expr, this.#emitCondition({ op: K.OP_AND, a: is, b: was }), now);
          }
          case "held":
            return heldCode(this, expr.args[0], expr.durationMs);
          case "seq":
            return seqCode(this, expr.args[0], expr.args[1], expr.durationMs);
        }
    }
  }

  /** Number of the mask of rows that bring an expression. */
  bringing(expr: Expression): number {
    if (hasAbsent(expr)) return K.BRINGS_ALL;
    if (broughtByAll(expr)) return K.BRINGS_EVALUATED;
    const signals = signalsOf(expr).map((signal) => this.position(signal));
    const key = signals.join();
    let mask = this.#bringsKnown.get(key);
    if (mask === undefined) {
      mask = K.BRINGS_SETS + this.brings.length;
      this.brings.push(signals);
      this.#bringsKnown.set(key, mask);
    }
    return mask;
  }

  /** Position of a signal among those of the plan; also its register. */
  position(signal: number): number {
    return this.signals.indexOf(signal);
  }

  /** The register of an instruction; `kept` names the state that it keeps, unknown at first. */
  operator(
    parts: Partial<Instruction> & { readonly op: number },
    kept?: { readonly key: string; readonly bytes: number },
  ): number {
    const register = () => parts.op < K.OP_COMPARE ? this.valueCount++ : this.conditionCount++;
    if (kept === undefined) return this.#emit(parts, register);
    const known = this.#known.get(kept.key);
    if (known !== undefined) return known;
    const dst = register();
    this.#known.set(kept.key, dst);
    this.#push({ ...parts, dst, state: this.#reserve(kept.key, kept.bytes, true) });
    return dst;
  }

  #compare(expr: Condition & { readonly kind: "compare" }): number {
    const { left, right } = expr;
    if (isConstant(right)) {
      return this.#emitCondition({
        op: K.OP_COMPARE_CONSTANT,
        a: this.value(left),
        c: COMPARE[expr.op],
        k0: right.value,
      });
    }
    if (isConstant(left)) {
      return this.#emitCondition({
        op: K.OP_COMPARE_CONSTANT,
        a: this.value(right),
        c: COMPARE[MIRRORED[expr.op]],
        k0: left.value,
      });
    }
    return this.#emitCondition({
      op: K.OP_COMPARE,
      a: this.value(left),
      b: this.value(right),
      c: COMPARE[expr.op],
    });
  }

  #not(a: number): number {
    return this.#emitCondition({ op: K.OP_NOT, a });
  }

  #edge(expr: Expression, a: number, b: number): number {
    return this.#emitCondition({ op: K.OP_EDGE, a, b, brings: this.bringing(expr) });
  }

  #previous(x: Value): number {
    return this.stateful(`prev ${structure(x)}`, 16, 1, false, (dst, state) => ({
      op: K.OP_PREV,
      dst,
      a: this.value(x),
      state,
      brings: this.bringing(x),
    }));
  }

  #slots(x: Value, durationMs: number): number {
    const width = slotWidthMs(durationMs);
    const places = Math.ceil(durationMs / width) + 1;
    const key = `slots ${durationMs} ${structure(x)}`;
    return this.stateful(key, 48, 2, true, (dst, state) => ({
      op: K.OP_SLOTS,
      dst,
      a: this.value(x),
      c: places,
      state,
      brings: this.bringing(x),
      k0: durationMs,
      k1: width,
    }));
  }

  #previousCondition(expr: Condition, now: number): number {
    const key = `last ${structure(expr)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const state = this.#reserve(key, 1, false);
    const dst = this.conditionCount++;
    this.#known.set(key, dst);
    this.#push({
      op: K.OP_PREV_CONDITION,
      dst,
      a: now,
      state,
      brings: this.bringing(expr),
    });
    return dst;
  }

  /** The first register of an operator with state, each state once; `counted` as in `StatePart`. */
  stateful(
    key: string,
    bytes: number,
    registers: number,
    counted: boolean,
    make: (dst: number, state: number) => Partial<Instruction> & { op: number; dst: number },
  ): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const state = this.#reserve(key, bytes, true, counted);
    const dst = this.valueCount;
    this.valueCount += registers;
    this.#known.set(key, dst);
    this.#push(make(dst, state));
    return dst;
  }

  #reserve(structure: string, bytes: number, unknown: boolean, counted = false): number {
    const align = bytes % 8 === 0 ? 8 : 1;
    const offset = Math.ceil(this.stateBytes / align) * align;
    this.stateBytes = offset + bytes;
    this.states.push({ structure, offset, bytes, unknown, counted });
    return offset;
  }

  #constant(value: number): number {
    const key = `constant ${Object.is(value, -0) ? "-0" : value}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const dst = this.valueCount++;
    this.constants.set(dst, value);
    this.#known.set(key, dst);
    return dst;
  }

  #emitValue(parts: Partial<Instruction> & { op: number }): number {
    return this.#emit(parts, () => this.valueCount++);
  }

  #emitCondition(parts: Partial<Instruction> & { op: number }): number {
    return this.#emit(parts, () => this.conditionCount++);
  }

  #emit(parts: Partial<Instruction> & { op: number }, register: () => number): number {
    const { op, a = 0, b = 0, c = 0, brings = 0, k0 = 0, k1 = 0 } = parts;
    const key = [op, a, b, c, brings, Object.is(k0, -0) ? "-0" : k0, k1].join(" ");
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const dst = register();
    this.#known.set(key, dst);
    this.#push({ ...parts, dst });
    return dst;
  }

  #push(parts: Partial<Instruction> & { op: number; dst: number }): void {
    this.code.push({ a: 0, b: 0, c: 0, state: 0, brings: 0, flags: 0, k0: 0, k1: 0, ...parts });
  }
}

function isConstant(expr: Value): expr is Value & { kind: "number" | "name" } {
  return expr.kind === "number" || expr.kind === "name";
}
