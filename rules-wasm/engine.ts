/**
 * The engine: bytes in, anomalies out, for one partition.
 *
 * The kernel scans, evaluates and keeps state; this side cuts a batch where timers fall due, and
 * makes an object for each transition and refusal only.
 */
import type { Refusal } from "../contract/telemetry.ts";
import {
  COLUMN_BYTES,
  CONTROL_NEXT_A,
  CONTROL_OUT_OF_RANGE,
  CONTROL_REFUSED,
  CONTROL_SAMPLES,
  CONTROL_TICKS,
  CONTROL_UNKNOWN_KEYS,
  CONTROL_WRONG_TYPE,
  ROWS_MAX,
} from "./assembly/layout.ts";
import * as K from "./assembly/plan_layout.ts";
import { TransitionWriter } from "./anomaly_json.ts";
import { type EngineCalls, engineCalls, EngineMemory } from "./engine_memory.ts";
import { EngineSlots } from "./engine_slots.ts";
import type {
  AnomalyRecord,
  EngineCounts,
  EngineInput,
  PushMode,
  PushPart,
} from "./engine_port.ts";
import type { Cleared, EngineOptions, KernelEngine, RuleMetric } from "./kernel_engine.ts";
import { createKernelScanner } from "./kernel_scanner.ts";
import type { RuleSet } from "./language/ast.ts";
import { LiveEngine } from "./live_engine.ts";
import type { Plan } from "./plan.ts";
import { planBytes } from "./plan_bytes.ts";
import type { KernelInstance } from "./scan_kernel.ts";
import type { Scanner } from "./scanner_port.ts";
import type { KernelState } from "./state_transfer.ts";
import { encoded, inOrder, readTransition, type Written } from "./transition_records.ts";

export type { EngineOptions, KernelEngine, RuleMetric };

/**
 * Makes an engine for one partition.
 *
 * @throws {RangeError} if the rules ask for what the kernel does not do
 */
export function createEngine(ruleSet: RuleSet, options: EngineOptions): KernelEngine {
  return new LiveEngine(ruleSet, options, (plan, vehicles) => {
    const slots = Math.max(plan.vehiclesMax, vehicles);
    const { kernel, scanner } = createKernelScanner(plan.ruleSet, plan.signals, slots);
    return new PartitionEngine(plan, options, kernel, scanner);
  });
}

/** A part of a batch ends behind the record that gives so many transitions and refusals, */
const PART_RESULTS = 16_384;
/** or transitions of so many characters. */
const PART_CHARS = 8 * 2 ** 20;

/** What the kernel counts. */
const COUNTERS = [
  CONTROL_SAMPLES,
  CONTROL_REFUSED,
  CONTROL_UNKNOWN_KEYS,
  CONTROL_OUT_OF_RANGE,
  CONTROL_WRONG_TYPE,
  CONTROL_TICKS,
  K.E_LATE,
  K.E_DUPLICATES,
  K.E_CROWDED,
  K.E_CLOCK_RESETS,
  K.E_FORGOTTEN,
];

/** One plan over one kernel instance and whatever fills its columns. */
export class PartitionEngine {
  readonly #calls: EngineCalls;
  readonly #memory: EngineMemory;
  #writers: readonly TransitionWriter[] = [];
  readonly #slots: EngineSlots;
  #plan: Plan;
  #offsetsAt = 0;
  #offsetsRoom = 0;

  constructor(
    plan: Plan,
    readonly options: EngineOptions,
    readonly kernel: KernelInstance,
    readonly scanner: Scanner,
  ) {
    this.#calls = engineCalls(kernel);
    this.#memory = new EngineMemory(kernel.memory);
    this.#slots = new EngineSlots(this.#calls, this.#memory, scanner, options);
    this.#memory.view.setFloat64(K.E_TIMERS_TO, -Infinity, true);
    this.#plan = plan;
    this.#load(plan);
  }

  get plan(): Plan {
    return this.#plan;
  }

  /** The kernel, for who takes state out of it and puts it in. */
  get state(): KernelState {
    return { calls: this.#calls, memory: this.#memory, scan: this.kernel.scan };
  }

  /** As `Engine.pushPart`. */
  pushPart(input: EngineInput, from: number, mode: PushMode): PushPart {
    const { scanner } = this;
    const calls = this.#calls;
    const memory = this.#memory;
    const written: Written[] = [];
    const refusals: Refusal[] = [];
    const kernelMode = mode === "warm" ? K.MODE_WARM : K.MODE_LIVE;
    const out = mode === "live" ? written : null;
    const runRows = this.#plan.ruleSet.settings.latenessMs > 0 ? calls.runLateRows : calls.runRows;
    const rest = recordsFrom(input, from);
    scanner.begin(rest);
    this.#takeOffsets(rest);
    let chars = 0;
    let charsOf = 0;
    while (!memory.exhausted) {
      for (; charsOf < written.length; charsOf++) chars += written[charsOf].json.length;
      const enough = written.length + refusals.length >= PART_RESULTS || chars >= PART_CHARS;
      if (enough && !memory.insideRecord && memory.recordsDone > 0) break;
      this.#fireTimers(kernelMode, out);
      scanner.scan(calls.runStop(), enough);
      for (const refusal of scanner.drain()) {
        refusals.push(from === 0 ? refusal : { ...refusal, record: refusal.record + from });
      }
      this.#slots.addNew();
      for (let more = true; more;) {
        calls.runStart();
        more = runRows(this.#offsetsAt, kernelMode) === 1;
        if (out) this.#collect(out);
      }
    }
    calls.runStop();
    const next = memory.exhausted ? input.count : from + memory.recordsDone;
    return { anomalies: encoded(written), refusals, next };
  }

  nextTimer(): number | null {
    const due = this.#memory.f64(K.E_NEXT_TIMER);
    return due === Infinity ? null : due;
  }

  clock(): number {
    return this.#memory.clock;
  }

  counts(): EngineCounts {
    return {
      ...this.scanner.counts(),
      late: this.#memory.f64(K.E_LATE),
      duplicates: this.#memory.f64(K.E_DUPLICATES),
      crowded: this.#memory.f64(K.E_CROWDED),
      clockResets: this.#memory.f64(K.E_CLOCK_RESETS),
      forgotten: this.#memory.f64(K.E_FORGOTTEN),
      misplaced: this.#slots.misplaced,
    };
  }

  waiting(): number {
    return this.#memory.u32(K.E_WAITING);
  }

  vehicles(): number {
    return this.#slots.count;
  }

  openAnomalies(): number {
    return this.#memory.u32(K.E_OPEN);
  }

  stateBytes(): number {
    return this.#memory.f64(K.E_STATE_BYTES);
  }

  bytesPerVehicle(): number {
    return this.#plan.stride + this.#memory.f64(K.E_BLOCK_BYTES) / Math.max(1, this.vehicles());
  }

  /** Bytes of memory that the kernel has taken. */
  memoryBytes(): number {
    return this.kernel.memory.buffer.byteLength;
  }

  ruleMetrics(): readonly RuleMetric[] {
    const at = this.#calls.firedAt();
    return this.#plan.ruleSet.rules.map((rule, i) => ({
      rule: rule.id,
      fired: this.#memory.f64(at + 8 * i),
    }));
  }

  /** Takes over vehicles that were loaded into the kernel, which had none. */
  welcomeLoaded(): void {
    this.#slots.welcomeLoaded();
    this.#calls.limitVehicles(this.#plan.vehiclesMax);
  }

  /** Sets which rules, by their patterns in another plan, are for the vehicles. */
  filterBy(ruleSet: RuleSet): void {
    this.#slots.filterAll(ruleSet);
  }

  /** Takes a plan of the same layout of state into force. */
  replan(plan: Plan): void {
    const { signals } = plan;
    const at = this.#calls.seenAt();
    const seen = this.#memory.bytes.slice(at, at + signals.length);
    const fired = new Map(this.ruleMetrics().map((metric) => [metric.rule, metric.fired]));
    this.#load(plan);
    seen.forEach((flag, i) => {
      if (flag !== 0) this.#calls.markSeen(i);
    });
    this.#setFired(fired);
  }

  /** Takes the place of another engine, its state being loaded: counts on where that stands. */
  succeed(other: PartitionEngine): void {
    for (const at of COUNTERS) this.#memory.view.setFloat64(at, other.#memory.f64(at), true);
    this.#slots.misplaced = Math.max(this.#slots.misplaced, other.#slots.misplaced);
    this.#setFired(new Map(other.ruleMetrics().map((metric) => [metric.rule, metric.fired])));
    this.#calls.runStop();
  }

  #setFired(fired: ReadonlyMap<string, number>): void {
    const at = this.#calls.firedAt();
    this.#plan.ruleSet.rules.forEach(({ id }, i) =>
      this.#memory.view.setFloat64(at + 8 * i, fired.get(id) ?? 0, true)
    );
  }

  /** Fires the timers that are due before an A, as a record of that A would. */
  fireBefore(a: number): AnomalyRecord[] {
    const out: Written[] = [];
    this.#memory.view.setFloat64(CONTROL_NEXT_A, a, true);
    this.#fireTimers(K.MODE_LIVE, out);
    this.#memory.view.setFloat64(CONTROL_NEXT_A, Infinity, true);
    this.#calls.runStop();
    return encoded(out);
  }

  /** Evaluates all samples that wait, at an A. */
  releaseWaiting(a: number): AnomalyRecord[] {
    const out: Written[] = [];
    for (let more = true; more;) {
      this.#calls.runStart();
      more = this.#calls.releaseWaiting(a, K.MODE_LIVE) === 1;
      this.#collect(out);
    }
    return encoded(out);
  }

  /** Forgets a vehicle at an A, for lack of room. */
  forgetVehicle(slot: number, a: number): AnomalyRecord[] {
    const out: Written[] = [];
    this.#calls.runStart();
    this.#calls.forgetVehicle(slot, a);
    this.#collect(out);
    this.#slots.free(slot);
    return encoded(out);
  }

  /** Clears what a change of rules at A ends, in the order of the list. */
  clearChanged(list: readonly Cleared[], a: number): AnomalyRecord[] {
    const calls = this.#calls;
    const out: Written[] = [];
    for (let from = 0; from < list.length; from += ROWS_MAX) {
      const rows = list.slice(from, from + ROWS_MAX);
      calls.runStart();
      calls.changeBegin();
      rows.forEach(({ slot }, row) => calls.changeRow(row, slot, a));
      calls.changeEvaluate(rows.length);
      rows.forEach(({ rules }, row) => {
        for (const rule of rules) calls.changeClear(row, rule);
      });
      calls.changeEnd(rows.length);
      this.#collect(out);
    }
    return encoded(out);
  }

  /** Id of the vehicle in a slot. */
  vehicleId(slot: number): string {
    return this.#slots.vehicle(slot).id;
  }

  #load(plan: Plan): void {
    const { scanner } = this;
    const { rules, version } = plan.ruleSet;
    this.#plan = plan;
    this.#writers = rules.map((rule) =>
      new TransitionWriter(rule, version, this.options.partition)
    );
    this.#slots.filterNew(plan.ruleSet);
    const bytes = planBytes(plan, this.options.partition);
    const address = this.#calls.planRoom(bytes.length);
    this.#memory.put(bytes, address);
    this.#calls.planLoad(address);
    plan.signals.forEach((signal, i) => this.#calls.planColumn(i, scanner.column(signal)));
    this.#fillConstants();
    this.#calls.runStop();
  }

  #fillConstants(): void {
    const values = this.#calls.valuesAt();
    const { buffer } = this.#memory.view;
    for (const [register, value] of this.#plan.constants) {
      new Float64Array(buffer, values + register * COLUMN_BYTES, ROWS_MAX).fill(value);
    }
  }

  /** Fires what is due before the next record. */
  #fireTimers(mode: number, out: Written[] | null): void {
    for (let more = 1; more !== 0;) {
      this.#calls.runStart();
      more = this.#calls.runTimers(mode);
      if (out) this.#collect(out);
      const forgotten = this.#memory.u32(K.E_FORGOTTEN_SLOT);
      if (forgotten === 0) continue;
      this.#slots.free(forgotten - 1);
    }
  }

  #takeOffsets(input: EngineInput): void {
    const bytes = input.count * 8;
    if (bytes > this.#offsetsRoom) {
      this.#offsetsRoom = Math.max(8192, bytes * 2);
      this.#offsetsAt = this.#calls.alloc(this.#offsetsRoom, 16);
    }
    const { offsets, count } = input;
    this.#memory.put(
      new Uint8Array(offsets.buffer, offsets.byteOffset, 8 * count),
      this.#offsetsAt,
    );
  }

  /** Writes the transitions of the last run, in the order of their rows, then of the rules. */
  #collect(out: Written[]): void {
    const memory = this.#memory;
    const count = memory.transitions;
    if (count === 0) return;
    const at = memory.u32(K.E_TRANSITIONS_AT);
    const size = memory.u32(K.E_TRANSITION_BYTES);
    const { view } = memory;
    for (const i of inOrder(view, at, size, count)) {
      const from = at + i * size;
      const slot = view.getUint32(from + K.TR_SLOT, true);
      const rule = view.getUint32(from + K.TR_RULE, true);
      const captures = new Float64Array(this.#plan.rules[rule].captures.length);
      for (let c = 0; c < captures.length; c++) {
        captures[c] = view.getFloat64(from + K.TR_CAPTURES + 8 * c, true);
      }
      const vehicle = this.#slots.vehicle(slot);
      const data = readTransition(view, from);
      const json = this.#writers[rule].write(data, vehicle, captures);
      out.push({ key: vehicle.key, json, append: data.append });
    }
  }
}

/** The records of a batch from one on. */
function recordsFrom(input: EngineInput, from: number): EngineInput {
  if (from === 0) return input;
  const { count, values, valueEnds, appendTimes, offsets } = input;
  const start = valueEnds[from - 1];
  return {
    count: count - from,
    values: values.subarray(start),
    valueEnds: valueEnds.subarray(from, count).map((end) => end - start),
    appendTimes: appendTimes.subarray(from, count),
    offsets: offsets.subarray(from, count),
  };
}
