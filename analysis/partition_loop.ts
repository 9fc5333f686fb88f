/** The loop of one partition: read, push, commit. */
import { type Batch, BusError, FencedError, type Lease, type Outgoing } from "../bus/port.ts";
import { encodeProgress } from "../contract/progress.ts";
import type { PushResult } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { deadLetters } from "./dead_letter.ts";
import { elapsed } from "./elapsed.ts";
import { PartitionState, type StateDependencies } from "./partition_state.ts";

/** What a partition's loop is made with. */
export interface PartitionDependencies extends StateDependencies {
  /** Time between two checkpoints, milliseconds, unless taking one takes long. */
  readonly checkpointMs: number;
}

/**
 * Longest time for which a step without outputs stays uncommitted. Losing such a step loses
 * nothing: the records are read again and, the engine being deterministic, give nothing again.
 */
const COMMIT_MS = 500;
/** A partition gets at most one tick in this time. */
const TICK_MS = 1_000;
/** Longest stretch for which preparing new rules holds a batch up, or an idle partition. */
const BUSY_WARMING_MS = 20;
const IDLE_WARMING_MS = 200;
/** A checkpoint waits for so many times what the last one took. */
const CHECKPOINT_SHARE = 20;

/**
 * Runs a partition until its lease is lost or the context's signal aborts. A step that fails ends
 * the lease: that is told, and whoever gets the partition next goes on from the last step.
 *
 * @throws what the bus throws while the lease stands
 */
export async function runPartition(lease: Lease, deps: PartitionDependencies): Promise<void> {
  try {
    await new PartitionLoop(lease, deps).run();
  } catch (error) {
    if (!(error instanceof FencedError) && !lease.lost.aborted) throw error;
    if (!deps.context.signal.aborted) tellOfLoss(lease, deps, error);
  } finally {
    deps.meter.drop(lease.partition);
    await lease.release();
  }
}

function tellOfLoss(lease: Lease, { context, meter }: PartitionDependencies, error: unknown): void {
  const fenced = error instanceof FencedError;
  meter.add(fenced ? "leases_lost" : "steps_failed", 1);
  context.events({
    level: fenced ? "info" : "error",
    name: fenced ? "analysis.lease_lost" : "analysis.step_failed",
    message: `${lease.topic}/${lease.partition}: ${
      error instanceof Error ? error.message : String(error)
    }; its next owner goes on from the last step that was committed`,
  });
}

class PartitionLoop {
  readonly #state: PartitionState;
  #committedNext = 0;
  #committedAt: number;
  #checkpointedAt: number;
  /** Time from the last checkpoint to the next. */
  #checkpointMs: number;
  #tickedAt = -Infinity;
  /** When the bus last refused a tick. */
  #notTickedAt = -Infinity;
  /** Version for which a tick was made. */
  #tickedFor = "";
  #pending: Outgoing[] = [];

  constructor(readonly lease: Lease, readonly deps: PartitionDependencies) {
    this.#state = new PartitionState(lease, deps);
    this.#committedAt = deps.context.now();
    this.#checkpointedAt = this.#committedAt;
    this.#checkpointMs = deps.checkpointMs;
  }

  async run(): Promise<void> {
    const { lease, deps: { context, pulse, rules } } = this;
    const state = this.#state;
    const startedAt = context.now();
    if (!await state.restore()) return;
    this.#committedNext = state.next;
    // What took long to rebuild is worth a checkpoint soon.
    if (elapsed(context.now(), startedAt, COMMIT_MS)) this.#checkpointMs = 0;
    this.#takeCorrections();
    if (this.#pending.length > 0 || state.checkpointDue) await this.#commit();
    for await (const batch of lease.read(state.next)) {
      await context.untilResumed();
      // What was read and not pushed is read again: nothing of it is committed.
      if (context.signal.aborted || lease.lost.aborted) break;
      await this.#changeRules(rules.current(), batch);
      if (batch === null) await this.#idle();
      else await this.#step(batch);
      await pulse.turn();
    }
  }

  /**
   * New rules come into force before a record: where none comes a tick is made, so that the log
   * shows which timers were due before.
   */
  async #changeRules(to: RuleSet, batch: Batch | null): Promise<void> {
    const state = this.#state;
    if (to.version === state.ruleSet.version) return;
    const ready = await state.prepare(to, batch === null ? IDLE_WARMING_MS : BUSY_WARMING_MS);
    if (!ready) return;
    if (batch !== null) state.change(batch.appendTimes[0]);
    else if (this.#tickedFor !== to.version && this.#mayTick()) {
      if (await this.#tick()) this.#tickedFor = to.version;
    }
  }

  async #step(batch: Batch): Promise<void> {
    const { lease, deps: { meter, context } } = this;
    const state = this.#state;
    // What a change of rules caused comes before what the batch causes.
    this.#takeCorrections();
    for (let from = 0; from < batch.count;) {
      const part = state.engine.pushPart(batch, from);
      from = part.next;
      state.next = from < batch.count ? batch.offsets[from] : batch.nextOffset;
      this.#give(batch, part);
      // A batch that gives very much goes out in several steps.
      if (from < batch.count) await this.#commit();
    }
    const now = context.now();
    meter.report(lease.partition, batch, state.engine);
    const due = state.checkpointDue || elapsed(now, this.#committedAt, COMMIT_MS);
    if (this.#pending.length > 0 || due) await this.#commit();
  }

  #give(batch: Batch, { anomalies, refusals }: PushResult): void {
    const { lease: { partition }, deps: { topics, meter } } = this;
    if (anomalies.length > 0) {
      meter.add("transitions", anomalies.length);
      const records = anomalies.map(({ key, value }) => ({ key, value, partition }));
      this.#output(topics.anomalies, records);
    }
    if (refusals.length > 0) {
      for (const { reason } of refusals) meter.add(`refused_${reason}`, 1);
      this.#output(topics.deadLetters, deadLetters(batch, refusals));
    }
  }

  /** Nothing to read: commits what is left over, and appends a tick when a timer is due. */
  async #idle(): Promise<void> {
    const { deps: { context } } = this;
    const now = context.now();
    if (this.#state.next > this.#committedNext && elapsed(now, this.#committedAt, COMMIT_MS)) {
      await this.#commit();
    }
    const timer = this.#state.engine.nextTimer();
    if (timer === null || now <= timer || !elapsed(now, this.#tickedAt, TICK_MS)) return;
    this.#tickedAt = now;
    if (this.#mayTick()) await this.#tick();
  }

  #mayTick(): boolean {
    return elapsed(this.deps.context.now(), this.#notTickedAt, TICK_MS);
  }

  /** Appends a tick; false if the bus does not take it now: a tick that is late is none too late. */
  async #tick(): Promise<boolean> {
    const { lease, deps: { bus, context } } = this;
    const tick = { key: null, value: new Uint8Array(0), partition: lease.partition };
    try {
      await bus.publish([{ topic: lease.topic, records: [tick] }]);
      return true;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      this.#notTickedAt = context.now();
      context.events({
        level: "warn",
        name: "analysis.not_ticked",
        message: `${lease.topic}/${lease.partition}: timers are due, and the bus takes no tick; ` +
          `it is tried again: ${error.message}`,
      });
      return false;
    }
  }

  #takeCorrections(): void {
    this.#output(this.deps.topics.anomalies, this.#state.corrections);
    this.#state.corrections = [];
  }

  #output(topic: string, records: Outgoing["records"]): void {
    if (records.length > 0) this.#pending.push({ topic, records });
  }

  async #commit(): Promise<void> {
    const { lease, deps: { context } } = this;
    const state = this.#state;
    this.#pending.push(...state.activations);
    state.activations = [];
    if (
      state.checkpointDue || elapsed(context.now(), this.#checkpointedAt, this.#checkpointMs)
    ) await this.#checkpoint();
    const { next, since, checkpoint, partitions } = state;
    const { version } = state.ruleSet;
    const outputs = this.#pending;
    this.#pending = [];
    const progress = encodeProgress({ next, version, since, checkpoint, partitions });
    await lease.commit({ nextOffset: next, outputs, progress });
    this.#committedNext = next;
    this.#committedAt = context.now();
  }

  /** Adds a checkpoint to the step. */
  async #checkpoint(): Promise<void> {
    const { deps: { context, topics, meter, checkpointMs } } = this;
    const state = this.#state;
    const startedAt = context.now();
    const { records, place } = await state.takeCheckpoint();
    this.#output(topics.checkpoints, records);
    state.checkpoint = place;
    state.checkpointDue = false;
    this.#checkpointedAt = context.now();
    const took = this.#checkpointedAt - startedAt;
    this.#checkpointMs = Math.max(checkpointMs, CHECKPOINT_SHARE * took);
    meter.add("checkpoints", 1);
    meter.add("checkpoint_bytes", place.bytes);
  }
}
