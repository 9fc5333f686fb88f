/** Writes a plan as the kernel reads it (assembly/plan_layout.ts). */
import { SEVERITIES } from "../contract/anomaly.ts";
import * as K from "./assembly/plan_layout.ts";
import type { Plan, PlanRule } from "./plan.ts";
import type { Instruction } from "./plan_code.ts";

/** A plan's bytes for a partition, to be placed at a multiple of 16. */
export function planBytes(plan: Plan, partition: number): Uint8Array {
  const out = new PlanWriter();
  out.reserve(K.PLAN_HEADER_BYTES);
  const signalsAt = writeSignals(out, plan);
  const bringsAt = writeBrings(out, plan);
  const codeAt = out.align(8);
  for (const instruction of plan.code) writeInstruction(out, instruction);
  const rulesAt = out.reserve(plan.rules.length * K.RULE_BYTES);
  plan.rules.forEach((rule, i) => writeRule(out, rulesAt + i * K.RULE_BYTES, rule));
  const absentAt = out.align(8);
  for (const duration of plan.absents) out.f64(duration);
  const dataAt = out.align(8);
  for (const value of plan.data) out.f64(value);
  const templateAt = writeTemplate(out, plan);
  const { settings } = plan.ruleSet;
  const header: readonly (readonly [number, number])[] = [
    [K.PLAN_VALUES, plan.values],
    [K.PLAN_CONDITIONS, plan.conditions],
    [K.PLAN_BRINGS, plan.brings.length],
    [K.PLAN_CODE, plan.code.length],
    [K.PLAN_RULES, plan.rules.length],
    [K.PLAN_SIGNALS, plan.signals.length],
    [K.PLAN_ABSENT, plan.absents.length],
    [K.PLAN_STRIDE, plan.stride],
    [K.PLAN_BRINGS_AT, bringsAt],
    [K.PLAN_CODE_AT, codeAt],
    [K.PLAN_RULES_AT, rulesAt],
    [K.PLAN_SIGNALS_AT, signalsAt],
    [K.PLAN_ABSENT_AT, absentAt],
    [K.PLAN_TEMPLATE_AT, templateAt],
    [K.PLAN_ACTIVE, plan.activeAt],
    [K.PLAN_ACTIVE_WORDS, plan.activeWords],
    [K.PLAN_FILTER, plan.filterAt],
    [K.PLAN_FILTER_WORDS, plan.filterWords],
    [K.PLAN_CAME, plan.cameAt],
    [K.PLAN_DATA_AT, dataAt],
    [K.PLAN_CAPTURES_MAX, Math.max(0, ...plan.rules.map((rule) => rule.captures.length))],
    [K.PLAN_PARTITION, partition],
    [K.PLAN_WAITING, plan.waitingAt],
    [K.PLAN_WAITING_MAX, plan.ruleSet.settings.maxWaiting],
  ];
  for (const [at, value] of header) out.setI32(at, value);
  out.setF64(K.PLAN_CLOCK_AHEAD, settings.maxClockAheadMs);
  out.setF64(K.PLAN_CLOCK_RESET, settings.clockResetAfterMs);
  out.setF64(K.PLAN_UNKNOWN_AFTER, settings.unknownAfterMs);
  out.setF64(K.PLAN_FORGET_AFTER, settings.forgetAfterMs);
  out.setF64(K.PLAN_MAX_GAP, settings.maxGapMs);
  out.setF64(K.PLAN_LATENESS, settings.latenessMs);
  return out.bytes();
}

function writeSignals(out: PlanWriter, plan: Plan): number {
  const at = out.align(8);
  plan.signals.forEach((signal, i) => {
    out.i32(signal);
    out.i32(plan.signalsAt + 8 * i);
    out.f64(plan.ruleSet.catalog.signals[signal].staleAfterMs);
    out.i32(plan.befores.get(i) ?? -1);
    out.i32(0);
  });
  return at;
}

function writeBrings(out: PlanWriter, plan: Plan): number {
  const at = out.align(4);
  for (const set of plan.brings) {
    out.i32(set.length);
    for (const position of set) out.i32(position);
  }
  return at;
}

function writeInstruction(out: PlanWriter, each: Instruction): void {
  for (
    const word of [each.op, each.dst, each.a, each.b, each.c, each.state, each.brings, each.flags]
  ) {
    out.i32(word);
  }
  out.f64(each.k0);
  out.f64(each.k1);
}

function writeRule(out: PlanWriter, at: number, each: PlanRule): void {
  const { rule } = each;
  const levelsAt = out.align(4);
  for (const level of each.levels) {
    out.i32(level.severity);
    out.i32(level.condition);
    out.i32(level.brings);
  }
  const capturesAt = out.align(4);
  for (const capture of each.captures) out.i32(capture);
  const absentAt = out.align(4);
  for (const position of each.absents) out.i32(position);
  const idAt = out.text(rule.id);
  const words: readonly (readonly [number, number])[] = [
    [K.RULE_WHEN, each.when],
    [K.RULE_CLEAR, each.clear],
    [K.RULE_BRINGS_WHEN, each.bringsWhen],
    [K.RULE_BRINGS_CLEAR, each.bringsClear],
    [K.RULE_ONCE, rule.once ? 1 : 0],
    [K.RULE_SEVERITY, SEVERITIES.indexOf(rule.severity)],
    [K.RULE_LEVELS, each.levels.length],
    [K.RULE_LEVELS_AT, levelsAt],
    [K.RULE_FILTER, each.filter],
    [K.RULE_CAPTURES, each.captures.length],
    [K.RULE_CAPTURES_AT, capturesAt],
    [K.RULE_ABSENT, each.absents.length],
    [K.RULE_ABSENT_AT, absentAt],
    [K.RULE_ID_AT, idAt],
  ];
  for (const [offset, value] of words) out.setI32(at + offset, value);
  out.setF64(at + K.RULE_FOR, rule.forMs);
  out.setF64(at + K.RULE_CLEAR_FOR, rule.clearForMs);
  out.setF64(at + K.RULE_COOLDOWN, rule.cooldownMs);
  out.setF64(at + K.RULE_MAX_GAP, rule.maxGapMs);
}

/** State of a fresh vehicle: nothing heard, everything unknown. */
function writeTemplate(out: PlanWriter, plan: Plan): number {
  const at = out.reserve(plan.stride);
  for (const offset of [K.V_LAST_T, K.V_LAST_A, K.V_LAST_OFFSET]) out.setF64(at + offset, NaN);
  out.setU16(at + K.V_ROW, 0xffff);
  for (const part of plan.states) {
    for (const each of part.unknownAt) out.setF64(at + part.offset + each, NaN);
  }
  return at;
}

/** Grows a little-endian image. */
class PlanWriter {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Moves to a multiple of `to`; @returns the place */
  align(to: number): number {
    return this.#grow(Math.ceil(this.#length / to) * to);
  }

  /** Leaves room, zeroed, at a multiple of 8; @returns its place */
  reserve(bytes: number): number {
    const at = this.align(8);
    this.#grow(at + bytes);
    return at;
  }

  i32(value: number): void {
    const at = this.#length;
    this.#grow(at + 4);
    this.setI32(at, value);
  }

  /** Length, then UTF-8; @returns its place */
  text(text: string): number {
    const at = this.align(4);
    const bytes = new TextEncoder().encode(text);
    this.i32(bytes.length);
    this.#grow(at + 4 + bytes.length);
    this.#bytes.set(bytes, at + 4);
    return at;
  }

  f64(value: number): void {
    const at = this.align(8);
    this.#grow(at + 8);
    this.setF64(at, value);
  }

  setU16(at: number, value: number): void {
    this.#view.setUint16(at, value, true);
  }

  setI32(at: number, value: number): void {
    this.#view.setInt32(at, value, true);
  }

  setF64(at: number, value: number): void {
    this.#view.setFloat64(at, value, true);
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(length: number): number {
    if (length > this.#bytes.length) {
      const more = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      more.set(this.#bytes);
      this.#bytes = more;
      this.#view = new DataView(more.buffer);
    }
    this.#length = length;
    return length;
  }
}
