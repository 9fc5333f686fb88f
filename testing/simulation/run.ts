/** Runs a scenario from its beginning until all is worked off, and checks what came of it. */
import { BusError } from "../../bus/port.ts";
import { TOPICS } from "../../contract/topics.ts";
import { Seeded } from "../seeded.ts";
import { Broker } from "./broker.ts";
import { checkOutput, CHECKPOINT_HEADER, newestProgress, StepChecks } from "./check.ts";
import { runMachine } from "./machine_run.ts";
import { Machine, Process } from "./process.ts";
import { ruleSet, versionRecord } from "./rules.ts";
import { type Fault, isExact, type Scenario } from "./scenario.ts";
import { SimBus } from "./sim_bus.ts";
import { EPOCH_MS, World } from "./world.ts";

/** What came of a run. */
export interface Outcome {
  /** What is wrong; empty if all is well. */
  readonly failures: readonly string[];
  /** Hash of all that happened. */
  readonly hash: string;
  /** Events that happened. */
  readonly events: number;
  /** The last of them, if they were kept. */
  readonly trace: readonly string[];
  /** How often each operational event was told, and other things that a seed may bring about. */
  readonly seen: ReadonlyMap<string, number>;
}

/** Time for which all has to be worked off, with no tick to come, until it counts. */
const QUIET_MS = 2_000;
/** Longest time from the last fault until then. */
const PATIENCE_MS = 40_000;
/** Longest time that a process may take to stop when asked. */
const STOP_MS = 6_000;
const LOOK_MS = 200;

/** Runs a scenario. */
export async function simulate(
  scenario: Scenario,
  options: { readonly keepTrace?: boolean } = {},
): Promise<Outcome> {
  const run = new Run(scenario, options.keepTrace ?? false);
  const unhandled = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    run.fail(`a rejection that nobody handles: ${textOf(event.reason)}`);
  };
  globalThis.addEventListener("unhandledrejection", unhandled);
  try {
    return await run.toEnd();
  } finally {
    globalThis.removeEventListener("unhandledrejection", unhandled);
  }
}

/** A process that runs on a machine. */
interface Running {
  readonly process: Process;
  readonly stop: AbortController;
}

class Run {
  readonly #world: World;
  readonly #broker: Broker;
  readonly #machines: readonly Machine[];
  readonly #running: (Running | null)[];
  readonly #failures: string[] = [];
  readonly #seen = new Map<string, number>();
  readonly #version: { current: string };
  #brokerSkewMs = 0;
  #faultsOver = false;
  #done = false;
  /** When something was last left to do. */
  #busyAt = EPOCH_MS;

  constructor(readonly scenario: Scenario, keepTrace: boolean) {
    const { seed, partitions, rules } = scenario;
    const world = this.#world = new World(seed, keepTrace);
    const broker = this.#broker = new Broker(
      () => world.now + this.#brokerSkewMs,
      scenario.broker,
      new Seeded(seed ^ 0x5bd1e995),
      (label) => world.note(label),
    );
    const spec = { partitions, retentionMs: Infinity, retentionBytes: Infinity } as const;
    broker.ensureTopics([
      { ...spec, name: TOPICS.telemetry, cleanup: "delete" },
      { ...spec, name: TOPICS.anomalies, cleanup: "delete" },
      { ...spec, name: TOPICS.deadLetters, cleanup: "delete" },
      { ...spec, name: TOPICS.checkpoints, cleanup: "compact" },
      { ...spec, name: TOPICS.rules, partitions: 1, cleanup: "delete" },
    ]);
    this.#version = { current: "" };
    this.#changeRules(rules);
    const checks = new StepChecks(broker, (what) => this.fail(what));
    broker.onStep = (claim, next, progress) => checks.take(claim, next, progress);
    this.#machines = Array.from(
      { length: scenario.machines },
      (_, index) => new Machine(index, seed + index, (op, nth) => this.#callFault(index, op, nth)),
    );
    this.#running = this.#machines.map(() => null);
  }

  fail(what: string): void {
    this.#world.note(`FAILURE: ${what}`);
    this.#failures.push(what);
  }

  async toEnd(): Promise<Outcome> {
    const world = this.#world;
    const { inputs, faults, faultsMs } = this.scenario;
    for (const { atMs, partition, value } of inputs) {
      const records = [{ key: null, value: new TextEncoder().encode(value), partition }];
      world.after(
        atMs,
        "telemetry comes",
        () => this.#broker.publish([{ topic: TOPICS.telemetry, records }]),
      );
    }
    for (const fault of faults) {
      if (fault.kind === "call") continue;
      world.afterwards(fault.atMs, `fault: ${fault.kind}`, () => {
        this.#strike(fault);
        return true;
      });
    }
    for (const machine of this.#machines) this.#startIn(world.random.below(400), machine);
    world.after(faultsMs, "faults end", () => this.#endFaults());
    while (!this.#done && this.#failures.length === 0) await world.step();
    if (this.#failures.length === 0) this.#check();
    // What still runs is dropped: none of its promises is ever settled.
    for (const running of this.#running) if (running !== null) running.process.alive = false;
    return {
      failures: this.#failures,
      hash: world.hash,
      events: world.events,
      trace: world.trace,
      seen: this.#seen,
    };
  }

  #startIn(ms: number, machine: Machine): void {
    this.#world.afterwards(ms, `machine ${machine.index} starts`, () => {
      this.#start(machine);
      return true;
    });
  }

  #start(machine: Machine): void {
    const { scenario } = this;
    const process = new Process(this.#world, machine, scenario.conditions);
    const stop = new AbortController();
    const running = { process, stop };
    this.#running[machine.index] = running;
    const again = () => {
      if (this.#running[machine.index] !== running) return;
      this.#running[machine.index] = null;
      this.#startIn(100 + this.#world.random.below(900), machine);
    };
    process.onCrash = again;
    const bus = new SimBus(this.#broker, process, scenario.reads);
    runMachine(process, bus, scenario, stop.signal, {
      events: (event) => this.#see(event.name),
    }).then(() => {
      if (!stop.signal.aborted) this.fail(`${process.name} has ended by itself`);
      again();
    }, (error: unknown) => {
      this.#world.note(`${process.name} fails: ${textOf(error)}`);
      this.#see("agent failed");
      // What faults of the bus bring about is told as such; everything else is a bug.
      if (!(error instanceof BusError)) this.fail(`${process.name} throws: ${stackOf(error)}`);
      else if (this.#faultsOver && this.#world.now > this.#calmAt) {
        this.fail(`${process.name} fails though nothing goes wrong: ${stackOf(error)}`);
      }
      again();
    });
  }

  #see(what: string): void {
    this.#seen.set(what, (this.#seen.get(what) ?? 0) + 1);
  }

  /** Time from which on no fault of before has consequences for a call. */
  get #calmAt(): number {
    const { faults, faultsMs, conditions } = this.scenario;
    // A process that was stopped hears of it afterwards.
    const pauses = faults.map((fault) => fault.kind === "pause" ? fault.ms : 0);
    return EPOCH_MS + faultsMs + 3 * conditions.timeoutMs + Math.max(0, ...pauses);
  }

  #callFault(index: number, op: string, nth: number) {
    if (this.#faultsOver) return null;
    const found = this.scenario.faults.find((fault) =>
      fault.kind === "call" && fault.machine === index && fault.op === op && fault.nth === nth
    );
    if (found?.kind !== "call") return null;
    this.#see(`${op} ${found.fault}`);
    return found.fault;
  }

  #strike(fault: Exclude<Fault, { kind: "call" }>): void {
    const broker = this.#broker;
    if (this.#faultsOver) return;
    this.#see(fault.kind);
    switch (fault.kind) {
      case "crash":
        return this.#running[fault.machine]?.process.crash();
      case "stop":
        return this.#stop(fault.machine);
      case "pause":
        return this.#running[fault.machine]?.process.pause(fault.ms);
      case "clock":
        this.#machines[fault.machine].skewMs += fault.ms;
        return;
      case "hold":
        this.#machines[fault.machine].heldUntil = this.#world.now + fault.ms;
        return;
      case "broker clock":
        this.#brokerSkewMs += fault.ms;
        return;
      case "rebalance":
        for (const group of broker.groups.values()) group.rebalance();
        return;
      case "compact":
        for (let p = 0; p < this.scenario.partitions; p++) broker.compact(TOPICS.checkpoints, p);
        return;
      case "rules":
        return this.#changeRules(fault.to);
      case "trim":
        return this.#trim(fault.partition, fault.share);
      case "damage":
        return this.#damage(fault.partition, fault.how);
    }
  }

  #stop(index: number): void {
    const running = this.#running[index];
    if (running === null) return;
    running.stop.abort();
    this.#world.after(STOP_MS, `machine ${index} has stopped`, () => {
      if (this.#running[index] === running) this.fail(`${running.process.name} does not stop`);
    });
  }

  #changeRules(to: number): void {
    const base = this.#version.current;
    const value = versionRecord(to, base, this.#world.now - EPOCH_MS);
    if (ruleSet(to).version === base) return;
    this.#version.current = ruleSet(to).version;
    this.#broker.publish([{ topic: TOPICS.rules, records: [{ key: null, value, partition: 0 }] }]);
  }

  #trim(partition: number, share: number): void {
    const { start, next } = this.#broker.part(TOPICS.telemetry, partition);
    const progress = newestProgress(this.#broker, partition);
    const most = this.scenario.gentle ? progress?.checkpoint?.next ?? start : next;
    this.#broker.forget(TOPICS.telemetry, partition, start + Math.floor((most - start) * share));
  }

  /** Damages the newest checkpoint, then takes all processes down: somebody has to read it. */
  #damage(partition: number, how: "flip" | "cut" | "drop"): void {
    const part = this.#broker.part(TOPICS.checkpoints, partition);
    const at = part.records.findLastIndex(({ headers, value }) =>
      value !== null && headers[CHECKPOINT_HEADER] !== undefined
    );
    const record = part.records[at];
    if (record === undefined || record.value === null) return;
    const value = how === "cut" ? record.value.slice(0, -5) : record.value.slice();
    if (how === "flip") value[value.length >> 1] ^= 4;
    part.records.splice(at, 1, ...(how === "drop" ? [] : [{ ...record, value }]));
    for (const running of this.#running) running?.process.crash();
  }

  #endFaults(): void {
    this.#faultsOver = true;
    for (const machine of this.#machines) machine.skewMs = 0;
    this.#brokerSkewMs = 0;
    this.#look();
  }

  /** Looks time and again whether all is worked off. */
  #look(): void {
    const { now } = this.#world;
    const waits = this.#running.some((running) =>
      running === null || running.process.paused || running.process.machine.heldUntil > now
    );
    if (waits || !this.#consumed()) this.#busyAt = now;
    const passed = now - EPOCH_MS - this.scenario.faultsMs;
    if (now - this.#busyAt >= QUIET_MS && passed >= QUIET_MS) this.#done = true;
    else if (passed > PATIENCE_MS) {
      this.fail(`not worked off ${PATIENCE_MS} ms after the last fault: ${this.#standing()}`);
    } else this.#world.after(LOOK_MS, "look", () => this.#look());
  }

  #consumed(): boolean {
    for (let partition = 0; partition < this.scenario.partitions; partition++) {
      const { start, next } = this.#broker.part(TOPICS.telemetry, partition);
      const progress = newestProgress(this.#broker, partition);
      // Of nothing there is no progress: nothing came, or retention was faster.
      if (progress === null && start === next) continue;
      if (progress?.next !== next) return false;
      if (progress.version !== this.#version.current) return false;
    }
    return true;
  }

  #standing(): string {
    return Array.from({ length: this.scenario.partitions }, (_, partition) => {
      const { next } = this.#broker.part(TOPICS.telemetry, partition);
      const progress = newestProgress(this.#broker, partition);
      return `${partition}: ${progress?.next ?? "nothing"} of ${next} under ${progress?.version}`;
    }).join(", ");
  }

  #check(): void {
    const exact = isExact(this.scenario);
    // A process that has lost its partition without knowing may miss what was taken away since.
    const taken: readonly Fault["kind"][] = ["damage", "trim", "compact"];
    if (!this.scenario.faults.some(({ kind }) => taken.includes(kind))) {
      for (const name of ["gap", "state_mended", "checkpoint_refused"]) {
        if (this.#seen.has(`analysis.${name}`)) this.fail(`analysis.${name} without a cause`);
      }
    }
    this.#see(exact ? "exact" : "mended");
    checkOutput({
      broker: this.#broker,
      exact,
      now: this.#world.now,
      fail: (what) => this.fail(what),
      see: (what) => this.#see(what),
    });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? textOf(error) : String(error);
}
