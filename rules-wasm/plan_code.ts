/** Instructions of a plan: the expressions of all rules, each sub-expression once. */
import type { Condition, Value } from "./language/ast.ts";
import { broughtByAll, type Expression, hasAbsent, signalsOf } from "./language/brings.ts";
import * as K from "./assembly/plan_layout.ts";
import { conditionCode } from "./plan_conditions.ts";
import { structure } from "./language/structure.ts";
import type { ZoneOffset } from "./language/time_zone.ts";
import { valueCode } from "./plan_values.ts";

/** One instruction; what an opcode does not use is 0. */
export interface Instruction {
  readonly op: number;
  readonly dst: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly state: number;
  readonly brings: number;
  /** SLOTS_* of OP_SLOTS. */
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
  /** Offsets in it of the numbers (f64) that are unknown, NaN, in a fresh one; the rest is 0. */
  readonly unknownAt: readonly number[];
}

/** State that an operator or a signal keeps, as it is known beyond one plan and one process. */
export interface KeptState {
  /** Its form, then the structure of its expression. Equal keys: the same state. */
  readonly key: string;
  /** How the kernel is told of it (assembly/portable_layout.ts). */
  readonly target: number;
}

/** Compiles expressions; equal ones get one register. */
export class PlanCode {
  readonly code: Instruction[] = [];
  readonly states: StatePart[] = [];
  /** Numbers that instructions refer to by their place among them. */
  readonly data: number[] = [];
  /** What the operators keep, in order of the code. */
  readonly kept: KeptState[] = [];
  /** Constants that need a register: value by register. */
  readonly constants = new Map<number, number>();
  /** Sets of signals that bring something, as positions among the plan's signals. */
  readonly brings: (readonly number[])[] = [];
  /** Registers of signals' last values before a row, by position; the next ones hold their T. */
  readonly befores = new Map<number, number>();
  valueCount: number;
  conditionCount = 0;
  stateBytes: number;
  readonly #known = new Map<string, number>();
  readonly #bringsKnown = new Map<string, number>();

  /**
   * @param signals numbers of the catalog signals named, ascending; their positions are registers
   * @param absents durations of `absent`, ascending
   * @param stateOffset where the operators' state begins
   * @param signalText how signals are named in keys of state
   */
  constructor(
    readonly signals: readonly number[],
    readonly absents: readonly number[],
    readonly maxGapMs: number,
    stateOffset: number,
    readonly zoneOffsets: readonly ZoneOffset[],
    readonly signalText: (signal: number) => string,
  ) {
    this.valueCount = signals.length;
    this.stateBytes = stateOffset;
  }

  /** The structure of an expression, as keys of state have it. */
  structure(expr: Expression): string {
    return structure(expr, this.signalText);
  }

  /** The register of a value. */
  value(expr: Value): number {
    return valueCode(this, expr);
  }

  /** The register of a condition. */
  condition(expr: Condition): number {
    return conditionCode(this, expr);
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

  /** Register of a signal's last value before a row; the next one holds the T of that. */
  before(signal: number): number {
    const position = this.position(signal);
    const known = this.befores.get(position);
    if (known !== undefined) return known;
    const register = this.valueCount;
    this.valueCount += 2;
    this.befores.set(position, register);
    return register;
  }

  /** The register of an instruction; `kept` names the state that it keeps, unknown numbers at first unless it says otherwise. */
  operator(
    parts: Partial<Instruction> & { readonly op: number },
    kept?: { readonly key: string; readonly bytes: number; readonly unknown?: boolean },
  ): number {
    const register = () => parts.op < K.OP_COMPARE ? this.valueCount++ : this.conditionCount++;
    if (kept === undefined) return this.#emit(parts, register);
    const known = this.#known.get(kept.key);
    if (known !== undefined) return known;
    const dst = register();
    this.#known.set(kept.key, dst);
    const unknownAt = kept.unknown ?? true ? numbersAt(0, kept.bytes) : [];
    this.#push({ ...parts, dst, state: this.#reserve(kept.key, kept.bytes, unknownAt) });
    this.#keep(kept.key);
    return dst;
  }

  /**
   * The first register of an operator with state, each state once.
   *
   * @param unknownAt as in `StatePart`
   */
  stateful(
    key: string,
    bytes: number,
    registers: number,
    unknownAt: readonly number[],
    make: (dst: number, state: number) => Partial<Instruction> & { op: number; dst: number },
  ): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const state = this.#reserve(key, bytes, unknownAt);
    const dst = this.valueCount;
    this.valueCount += registers;
    this.#known.set(key, dst);
    this.#push(make(dst, state));
    this.#keep(key);
    return dst;
  }

  /** Notes that the last instruction keeps state. */
  #keep(key: string): void {
    this.kept.push({ key, target: 2 * (this.code.length - 1) + 1 });
  }

  #reserve(structure: string, bytes: number, unknownAt: readonly number[]): number {
    const align = bytes % 8 === 0 ? 8 : 1;
    const offset = Math.ceil(this.stateBytes / align) * align;
    this.stateBytes = offset + bytes;
    this.states.push({ structure, offset, bytes, unknownAt });
    return offset;
  }

  /** Place of numbers among the data; `make` is asked for them once a key. */
  place(key: string, make: () => readonly number[]): number {
    const known = this.#known.get(`data ${key}`);
    if (known !== undefined) return known;
    const at = this.data.length;
    for (const value of make()) this.data.push(value);
    this.#known.set(`data ${key}`, at);
    return at;
  }

  /** Adds an instruction as it is, for one with state that follows. */
  emit(parts: Partial<Instruction> & { op: number; dst: number }): void {
    this.#push(parts);
  }

  /** The register of a constant. */
  constant(value: number): number {
    const key = `constant ${Object.is(value, -0) ? "-0" : value}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const dst = this.valueCount++;
    this.constants.set(dst, value);
    this.#known.set(key, dst);
    return dst;
  }

  /** The register of an instruction without state that gives a value; equal ones share it. */
  emitValue(parts: Partial<Instruction> & { op: number }): number {
    return this.#emit(parts, () => this.valueCount++);
  }

  /** The same for a condition. */
  emitCondition(parts: Partial<Instruction> & { op: number }): number {
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

/** Offsets of the numbers from `from` to `to`, as many as fit. */
export function numbersAt(from: number, to: number): number[] {
  return Array.from({ length: Math.floor((to - from) / 8) }, (_, i) => from + 8 * i);
}
