/**
 * The engine: bytes in, anomalies out, for one partition.
 *
 * The kernel scans, evaluates and keeps state; this side cuts a batch where timers fall due, and
 * makes an object for each transition and refusal only.
 */
import type { Refusal } from "../contract/telemetry.ts";
import { COLUMN_BYTES } from "./assembly/layout.ts";
import * as K from "./assembly/plan_layout.ts";
import { TransitionWriter, type VehicleText } from "./anomaly_json.ts";
import { type EngineCalls, engineCalls, EngineMemory } from "./engine_memory.ts";
import type {
  AnomalyRecord,
  Engine,
  EngineCounts,
  EngineInput,
  PushMode,
  PushResult,
} from "./engine_port.ts";
import { createKernelScanner } from "./kernel_scanner.ts";
import type { RuleSet } from "./language/ast.ts";
import { compilePlan, type Plan } from "./plan.ts";
import { planBytes } from "./plan_bytes.ts";
import type { KernelInstance } from "./scan_kernel.ts";
import type { Scanner } from "./scanner_port.ts";
import { vehicleFilter } from "./vehicle_filter.ts";

/** How an engine is made. */
export interface EngineOptions {
  readonly partition: number;
  /** Partition that a vehicle's id belongs to, to count those that turn up elsewhere. */
  readonly partitionOf?: (key: Uint8Array) => number;
}

/** A rule's openings since the engine was made. */
export interface RuleMetric {
  readonly rule: string;
  /** How often it opened or opened again. */
  readonly fired: number;
}

/** What the kernel's engine tells beside the port. */
export interface KernelEngine extends Engine {
  /** Bytes of state that a vehicle takes on average, records of what rules have pending apart. */
  bytesPerVehicle(): number;
  /** Openings per rule, in order of the file. */
  ruleMetrics(): readonly RuleMetric[];
}

/**
 * Makes an engine for one partition.
 *
 * @throws {RangeError} if the rules ask for what the kernel does not do
 */
export function createEngine(ruleSet: RuleSet, options: EngineOptions): KernelEngine {
  const plan = compilePlan(ruleSet);
  const { kernel, scanner } = createKernelScanner(ruleSet, plan.signals);
  return new PartitionEngine(plan, options, kernel, scanner);
}

/** A vehicle as transitions name it. */
interface Vehicle extends VehicleText {
  readonly key: Uint8Array;
}

/** A transition before its bytes are made. */
interface Written {
  readonly key: Uint8Array;
  readonly json: string;
  readonly append: number;
}

const TEXT = new TextEncoder();

/** The engine over a kernel and whatever fills its columns. */
export class PartitionEngine implements KernelEngine {
  readonly #calls: EngineCalls;
  readonly #memory: EngineMemory;
  readonly #writers: readonly TransitionWriter[];
  readonly #filters: readonly ((vehicle: string) => boolean)[];
  /** Ids by slot, decoded when first needed. */
  readonly #vehicles: Vehicle[] = [];
  #slots = 0;
  /** Slots given free; the scanner gives the last of them to the next new vehicle. */
  readonly #freed: number[] = [];
  #offsetsAt = 0;
  #offsetsRoom = 0;
  #misplaced = 0;

  constructor(
    readonly plan: Plan,
    readonly options: EngineOptions,
    kernel: KernelInstance,
    readonly scanner: Scanner,
  ) {
    const { rules, version } = plan.ruleSet;
    this.#calls = engineCalls(kernel);
    this.#memory = new EngineMemory(kernel.memory);
    this.#writers = rules.map((rule) => new TransitionWriter(rule, version, options.partition));
    this.#filters = rules.filter((rule) => rule.vehicles.length > 0)
      .map((rule) => vehicleFilter(rule.vehicles));
    const bytes = planBytes(plan);
    const address = this.#calls.planRoom(bytes.length);
    this.#memory.put(bytes, address);
    this.#calls.planLoad(address);
    plan.signals.forEach((signal, i) => this.#calls.planColumn(i, scanner.column(signal)));
    this.#fillConstants();
    this.#calls.runStop();
  }

  push(input: EngineInput, mode: PushMode = "live"): PushResult {
    const { scanner } = this;
    const calls = this.#calls;
    const written: Written[] = [];
    const refusals: Refusal[] = [];
    const kernelMode = mode === "warm" ? K.MODE_WARM : K.MODE_LIVE;
    const out = mode === "live" ? written : null;
    const { latenessMs } = this.plan.ruleSet.settings;
    const runRows = latenessMs > 0 ? calls.runLateRows : calls.runRows;
    scanner.begin(input);
    this.#takeOffsets(input);
    while (!this.#memory.exhausted) {
      this.#fireTimers(kernelMode, out);
      scanner.scan(calls.runStop());
      refusals.push(...scanner.drain());
      this.#addVehicles();
      calls.runStart();
      runRows(this.#offsetsAt, kernelMode);
      if (out) this.#collect(out);
    }
    calls.runStop();
    return { anomalies: encoded(written), refusals };
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
      misplaced: this.#misplaced,
    };
  }

  waiting(): number {
    return this.#memory.u32(K.E_WAITING);
  }

  vehicles(): number {
    return this.#memory.slots - this.#freed.length;
  }

  openAnomalies(): number {
    return this.#memory.u32(K.E_OPEN);
  }

  stateBytes(): number {
    return this.#memory.f64(K.E_STATE_BYTES);
  }

  bytesPerVehicle(): number {
    return this.plan.stride + this.#memory.f64(K.E_BLOCK_BYTES) / Math.max(1, this.vehicles());
  }

  ruleMetrics(): readonly RuleMetric[] {
    const at = this.#calls.firedAt();
    return this.plan.ruleSet.rules.map((rule, i) => ({
      rule: rule.id,
      fired: this.#memory.f64(at + 8 * i),
    }));
  }

  #fillConstants(): void {
    const values = this.#calls.valuesAt();
    for (const [register, value] of this.plan.constants) {
      const at = values + register * COLUMN_BYTES;
      for (let row = 0; row < 1024; row++) this.#memory.view.setFloat64(at + 8 * row, value, true);
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
      const slot = forgotten - 1;
      this.scanner.free(slot);
      delete this.#vehicles[slot];
      this.#freed.push(slot);
    }
  }

  /** Gives new vehicles their state, and tells which rules are for them. */
  #addVehicles(): void {
    const { slots } = this.#memory;
    if (slots > this.#slots) {
      this.#calls.addVehicles(slots);
      for (let slot = this.#slots; slot < slots; slot++) this.#welcome(slot);
      this.#slots = slots;
    }
    for (
      let slot = this.#freed.at(-1);
      slot !== undefined && this.scanner.inUse(slot);
      slot = this.#freed.at(-1)
    ) {
      this.#freed.pop();
      this.#welcome(slot);
    }
  }

  /** A vehicle is new in a slot: is it in its partition, and which rules are for it? */
  #welcome(slot: number): void {
    const { partition, partitionOf } = this.options;
    if (partitionOf && partitionOf(this.#vehicle(slot).key) !== partition) this.#misplaced++;
    const filters = this.#filters;
    if (filters.length === 0) return;
    const { id } = this.#vehicle(slot);
    for (let word = 0; word * 32 < filters.length; word++) {
      let bits = 0;
      for (let bit = 0; bit < 32 && word * 32 + bit < filters.length; bit++) {
        if (filters[word * 32 + bit](id)) bits |= 1 << bit;
      }
      this.#calls.setFilter(slot, word, bits);
    }
  }

  #vehicle(slot: number): Vehicle {
    const known = this.#vehicles[slot];
    if (known !== undefined) return known;
    const id = this.scanner.vehicle(slot);
    return this.#vehicles[slot] = { id, json: JSON.stringify(id), key: TEXT.encode(id) };
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
      const captures = new Float64Array(this.plan.rules[rule].captures.length);
      for (let c = 0; c < captures.length; c++) {
        captures[c] = view.getFloat64(from + K.TR_CAPTURES + 8 * c, true);
      }
      const vehicle = this.#vehicle(slot);
      const append = view.getFloat64(from + K.TR_APPEND, true);
      const json = this.#writers[rule].write(
        {
          kind: view.getUint32(from + K.TR_KIND, true),
          reason: view.getUint32(from + K.TR_REASON, true),
          severity: view.getUint32(from + K.TR_SEVERITY, true),
          count: view.getUint32(from + K.TR_COUNT, true),
          onset: view.getFloat64(from + K.TR_ONSET, true),
          at: view.getFloat64(from + K.TR_AT, true),
          append,
          openOffset: view.getFloat64(from + K.TR_OPEN_OFFSET, true),
          openIndex: view.getUint32(from + K.TR_OPEN_INDEX, true),
          sourceOffset: view.getFloat64(from + K.TR_SOURCE_OFFSET, true),
          sourceIndex: view.getUint32(from + K.TR_SOURCE_INDEX, true),
        },
        vehicle,
        captures,
      );
      out.push({ key: vehicle.key, json, append });
    }
  }
}

/**
 * Numbers of the transitions by row; those of one row stay in the order in which they came: rule by
 * rule, what a clock reset clears before what its sample opens.
 */
function inOrder(view: DataView, at: number, size: number, count: number): Iterable<number> {
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    keys[i] = view.getUint32(at + i * size + K.TR_ROW, true) * 2 ** 32 + i;
  }
  keys.sort();
  return keys.map((key) => key % 2 ** 32);
}

/** Makes the bytes of all at once: a call for each would cost several times as much. */
function encoded(written: readonly Written[]): AnomalyRecord[] {
  if (written.length === 0) return [];
  const text = written.map(({ json }) => json).join("");
  const bytes = TEXT.encode(text);
  // As many bytes as characters: all ASCII, so that lengths in the text are lengths in the bytes.
  const ascii = bytes.length === text.length;
  let at = 0;
  return written.map(({ key, json, append }) => {
    const value = ascii ? bytes.subarray(at, at + json.length) : TEXT.encode(json);
    at += json.length;
    return { key, value, append };
  });
}
