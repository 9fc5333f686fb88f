/** The engine that its owner holds: its state outlives kernels, plans and processes. */
import type { PartitionEngine } from "./engine.ts";
import type {
  AnomalyRecord,
  Engine,
  EngineCounts,
  EngineInput,
  PushMode,
  PushPart,
  PushResult,
} from "./engine_port.ts";
import type { EngineOptions, KernelEngine, RuleMetric } from "./kernel_engine.ts";
import type { RuleSet } from "./language/ast.ts";
import { KERNEL_MEANING } from "./language/meaning.ts";
import { compilePlan, type Plan } from "./plan.ts";
import { entryBytes, ruleEntries, ruleShapes } from "./rule_entries.ts";
import { KERNEL_BYTES_MAX, MOVE_SHARE } from "./plan_bounds.ts";
import { type MakeEngine, moveEngine, swapPlan } from "./plan_swap.ts";
import { decodeSnapshot, encodeSnapshot, SnapshotError } from "./snapshot_format.ts";
import { latest, loadStates, loadVehicles, saveState } from "./state_transfer.ts";
import { hashVersion } from "./version.ts";

/** Hands everything on to the engine of the plan in force, and replaces it. */
export class LiveEngine implements KernelEngine {
  #engine: PartitionEngine;
  readonly #memoryBytes: number;
  /** Bytes of memory above which the state moves to a fresh kernel. */
  #moveAbove: number;
  /** Hashes of the keys of state, of the plan that they were made of. */
  #hashes: { readonly plan: Plan; readonly states: readonly string[] } | null = null;

  /** @throws {RangeError} if the rules ask for what the kernel does not do */
  constructor(ruleSet: RuleSet, readonly options: EngineOptions, readonly make: MakeEngine) {
    this.#memoryBytes = Math.min(options.memoryBytes ?? KERNEL_BYTES_MAX, KERNEL_BYTES_MAX);
    this.#moveAbove = MOVE_SHARE * this.#memoryBytes;
    this.#engine = make(this.#planOf(ruleSet), 0);
  }

  push(input: EngineInput, mode: PushMode = "live"): PushResult {
    let part = this.pushPart(input, 0, mode);
    if (part.next >= input.count) return part;
    const anomalies = [...part.anomalies];
    const refusals = [...part.refusals];
    while (part.next < input.count) {
      part = this.pushPart(input, part.next, mode);
      for (const anomaly of part.anomalies) anomalies.push(anomaly);
      for (const refusal of part.refusals) refusals.push(refusal);
    }
    return { anomalies, refusals };
  }

  pushPart(input: EngineInput, from: number, mode: PushMode = "live"): PushPart {
    if (this.#engine.memoryBytes() > this.#moveAbove) this.#move();
    return this.#engine.pushPart(input, from, mode);
  }

  snapshot(): Uint8Array {
    const { plan, state } = this.#engine;
    const saved = saveState(state, plan.kept);
    const finite = (time: number) => Number.isFinite(time) ? time : null;
    return encodeSnapshot({
      meaning: KERNEL_MEANING,
      version: plan.ruleSet.version,
      partition: this.options.partition,
      clock: finite(saved.clock),
      timersTo: finite(saved.timersTo),
      vehicles: saved.vehicles,
      waiting: saved.waiting,
      bodyBytes: saved.body.length,
      states: this.#stateHashes(plan),
      rules: ruleShapes(plan.ruleSet),
    }, saved.body);
  }

  swap(ruleSet: RuleSet, warmed?: Engine, nextA?: number): readonly AnomalyRecord[] {
    const plan = this.#planOf(ruleSet);
    const { partition } = this.options;
    const aside = warmed === undefined ? null : LiveEngine.aside(warmed, ruleSet, partition);
    const swapped = swapPlan(this.#engine, plan, this.make, aside, nextA);
    this.#engine = swapped.engine;
    return swapped.anomalies;
  }

  restore(snapshot: Uint8Array): void {
    const { header, body } = decodeSnapshot(snapshot);
    const { partition } = this.options;
    if (header.partition !== partition) {
      throw new SnapshotError(
        "partition",
        `it is of partition ${header.partition}, this engine's is ${partition}`,
      );
    }
    const { plan } = this.#engine;
    // What was saved where there was more room: whom it has heard last are taken.
    const saved = latest({
      body,
      vehicles: header.vehicles,
      waiting: header.waiting,
      clock: header.clock ?? -Infinity,
      timersTo: header.timersTo ?? -Infinity,
    }, plan.vehicleRoom);
    const fresh = this.make(plan, saved.vehicles);
    const targets = new Map(
      this.#stateHashes(plan).map((hash, i) => [hash, plan.kept[i].target]),
    );
    const entries = ruleEntries(header.rules, ruleShapes(plan.ruleSet));
    try {
      loadVehicles(fresh.state, saved);
      fresh.welcomeLoaded();
      loadStates(fresh.state, saved, {
        targets: header.states.map((hash) => targets.get(hash) ?? 0),
        entries: entryBytes(entries, plan),
        rules: entries.length,
      });
    } catch (cause) {
      if (!(cause instanceof WebAssembly.RuntimeError)) throw cause;
      throw new SnapshotError("damaged", "its vehicles cannot be read", { cause });
    }
    fresh.succeed(this.#engine);
    this.#engine = fresh;
  }

  nextTimer(): number | null {
    return this.#engine.nextTimer();
  }

  clock(): number {
    return this.#engine.clock();
  }

  counts(): EngineCounts {
    return this.#engine.counts();
  }

  vehicles(): number {
    return this.#engine.vehicles();
  }

  openAnomalies(): number {
    return this.#engine.openAnomalies();
  }

  waiting(): number {
    return this.#engine.waiting();
  }

  stateBytes(): number {
    return this.#engine.stateBytes();
  }

  bytesPerVehicle(): number {
    return this.#engine.bytesPerVehicle();
  }

  memoryBytes(): number {
    return this.#engine.memoryBytes();
  }

  ruleMetrics(): readonly RuleMetric[] {
    return this.#engine.ruleMetrics();
  }

  /**
   * The engine of a warmed one.
   *
   * @throws {RangeError} if it is of other rules or another partition
   */
  static aside(warmed: Engine, ruleSet: RuleSet, partition: number): PartitionEngine {
    if (!(warmed instanceof LiveEngine)) {
      throw new TypeError("Cannot warm the rules: the engine aside is of another kind");
    }
    const { version } = warmed.#engine.plan.ruleSet;
    if (version !== ruleSet.version || warmed.options.partition !== partition) {
      throw new RangeError(
        `Cannot warm the rules: the engine aside is of version ${version} and partition ` +
          `${warmed.options.partition}, not ${ruleSet.version} and ${partition}`,
      );
    }
    return warmed.#engine;
  }

  #planOf(ruleSet: RuleSet): Plan {
    return compilePlan(ruleSet, this.#memoryBytes);
  }

  /**
   * Moves the state to a fresh kernel: there it takes what it needs, without what came and went.
   * What that leaves may be much still; the next move waits until as much again has gathered.
   */
  #move(): void {
    this.#engine = moveEngine(this.#engine, this.make);
    const step = (1 - MOVE_SHARE) / 4 * this.#memoryBytes;
    this.#moveAbove = Math.max(MOVE_SHARE * this.#memoryBytes, this.memoryBytes() + step);
  }

  #stateHashes(plan: Plan): readonly string[] {
    if (this.#hashes?.plan !== plan) {
      this.#hashes = { plan, states: plan.kept.map(({ key }) => hashVersion(key)) };
    }
    return this.#hashes.states;
  }
}
