/** The loop of one partition: read, push, commit. */
import { type Batch, type Bus, FencedError, type Lease, type Outgoing } from "../bus/port.ts";
import type { AgentContext } from "../contract/agent.ts";
import { decodeProgress, encodeProgress, type Progress } from "../contract/progress.ts";
import type { TopicNames } from "../contract/topics.ts";
import type { Engine, PushMode, PushResult } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { deadLetter } from "./dead_letter.ts";
import type { Meter } from "./meter.ts";
import type { Pulse } from "./pulse.ts";
import { clearedByChange, openOnTopic, transitionRecord } from "./rule_change.ts";

/** What a partition's loop is made with. */
export interface PartitionDependencies {
  readonly context: AgentContext;
  readonly bus: Bus;
  readonly topics: TopicNames;
  readonly ruleSet: RuleSet;
  readonly createEngine: (ruleSet: RuleSet, options: { readonly partition: number }) => Engine;
  readonly meter: Meter;
  readonly pulse: Pulse;
}

/**
 * Longest time for which a step without outputs stays uncommitted. Losing such a step loses
 * nothing: the records are read again and, the engine being deterministic, give nothing again.
 */
const COMMIT_MS = 500;
/** A partition gets at most one tick in this time. */
const TICK_MS = 1_000;

/**
 * Runs a partition until its lease is lost or the context's signal aborts.
 *
 * @throws what the bus throws, but for the loss of the lease
 */
export async function runPartition(lease: Lease, deps: PartitionDependencies): Promise<void> {
  const loop = new PartitionLoop(lease, deps);
  try {
    await loop.run();
  } catch (error) {
    if (!(error instanceof FencedError) && !lease.lost.aborted) throw error;
  } finally {
    deps.meter.drop(lease.partition);
    await lease.release();
  }
}

class PartitionLoop {
  readonly #engine: Engine;
  /** Offset behind what the engine has taken in. */
  #next = 0;
  #since = 0;
  #committedNext = 0;
  #committedAt: number;
  #tickedAt = -Infinity;
  #pending: Outgoing[] = [];

  constructor(readonly lease: Lease, readonly deps: PartitionDependencies) {
    this.#engine = deps.createEngine(deps.ruleSet, { partition: lease.partition });
    this.#committedAt = deps.context.now();
  }

  async run(): Promise<void> {
    const { lease, deps: { context, pulse } } = this;
    await this.#restore();
    for await (const batch of lease.read(this.#next)) {
      await context.untilResumed();
      if (context.signal.aborted || lease.lost.aborted) break;
      if (batch === null) await this.#idle();
      else await this.#step(batch);
      await pulse.turn();
    }
    // A clean stop leaves nothing to read again.
    if (!lease.lost.aborted && this.#next > this.#committedNext) await this.#commit();
  }

  /** Rebuilds the state from the log, up to where the last committed step ended. */
  async #restore(): Promise<void> {
    const { lease, deps } = this;
    const stored = await lease.progress();
    const { start, end } = await lease.bounds();
    if (stored === null) {
      this.#next = this.#since = this.#committedNext = start;
      return;
    }
    const progress = decodeProgress(stored);
    this.#next = this.#committedNext = progress.next;
    this.#since = progress.since;
    if (progress.next < start || progress.next > end) this.#reportGap(progress, start, end);
    const changed = progress.version !== deps.ruleSet.version;
    const live = changed ? this.#next : Math.max(start, progress.since);
    await this.#replay(start, live, "warm");
    await this.#replay(live, this.#next, "suppress");
    if (changed) await this.#changeRules(progress.version);
  }

  #reportGap(progress: Progress, start: number, end: number): void {
    const { lease, deps: { context, meter } } = this;
    const { next } = progress;
    this.#next = this.#committedNext = start;
    if (next < start) meter.add("records_lost", start - next);
    context.events({
      level: "error",
      name: "analysis.gap",
      message: next < start
        ? `${lease.topic}/${lease.partition}: records ${next} to ${
          start - 1
        } were dropped by the ` +
          `retention before analysis read them; it goes on at ${start}. Lengthen the retention, ` +
          "or keep analysis running"
        : `${lease.topic}/${lease.partition}: progress says ${next}, but the log ends at ${end}: ` +
          `the topic was made anew; analysis starts at ${start}`,
    });
  }

  async #replay(from: number, to: number, mode: PushMode): Promise<void> {
    if (from >= to) return;
    const { lease, deps: { bus, context, meter, pulse } } = this;
    for await (const batch of bus.range(lease.topic, lease.partition, from, to)) {
      if (context.signal.aborted || lease.lost.aborted) return;
      this.#engine.push(batch, mode);
      meter.add("records_replayed", batch.count);
      this.#report(batch);
      await pulse.turn();
    }
  }

  /** Closes what the version before had open; the state is warm, so that the new one goes on. */
  async #changeRules(before: string): Promise<void> {
    const { lease, deps: { bus, topics, ruleSet, context } } = this;
    const once = new Set(ruleSet.rules.filter((rule) => rule.once).map((rule) => rule.id));
    const open = await openOnTopic(bus, topics.anomalies, lease.partition, once);
    this.#since = this.#next;
    const clock = this.#engine.clock();
    this.#output(
      topics.anomalies,
      open.map((last) =>
        transitionRecord(clearedByChange(last, ruleSet.version, clock), lease.partition)
      ),
    );
    await this.#commit();
    context.events({
      level: "info",
      name: "analysis.rules_changed",
      message: `${lease.topic}/${lease.partition}: rules ${ruleSet.version} take over from ` +
        `${before} at offset ${this.#next}; ${open.length} anomalies of before cleared`,
    });
  }

  async #step(batch: Batch): Promise<void> {
    const { lease, deps: { topics, meter } } = this;
    const result: PushResult = this.#engine.push(batch);
    this.#next = batch.nextOffset;
    if (result.anomalies.length > 0) {
      meter.add("transitions", result.anomalies.length);
      const { partition } = lease;
      this.#output(
        topics.anomalies,
        result.anomalies.map(({ key, value }) => ({ key, value, partition })),
      );
    }
    if (result.refusals.length > 0) {
      for (const { reason } of result.refusals) meter.add(`refused_${reason}`, 1);
      this.#output(topics.deadLetters, result.refusals.map((each) => deadLetter(batch, each)));
    }
    this.#report(batch);
    const due = this.deps.context.now() - this.#committedAt >= COMMIT_MS;
    if (this.#pending.length > 0 || due) await this.#commit();
  }

  /** Nothing to read: commits what is left over, and appends a tick when a timer is due. */
  async #idle(): Promise<void> {
    const { lease, deps: { bus, context } } = this;
    const now = context.now();
    if (this.#next > this.#committedNext && now - this.#committedAt >= COMMIT_MS) {
      await this.#commit();
    }
    const timer = this.#engine.nextTimer();
    if (timer === null || now <= timer || now - this.#tickedAt < TICK_MS) return;
    this.#tickedAt = now;
    const tick = { key: null, value: new Uint8Array(0), partition: lease.partition };
    await bus.publish([{ topic: lease.topic, records: [tick] }]);
  }

  #output(topic: string, records: Outgoing["records"]): void {
    if (records.length > 0) this.#pending.push({ topic, records });
  }

  async #commit(): Promise<void> {
    const { lease, deps: { context, ruleSet } } = this;
    const progress = encodeProgress({
      format: 1,
      next: this.#next,
      version: ruleSet.version,
      since: this.#since,
    });
    const outputs = this.#pending;
    this.#pending = [];
    await lease.commit({ nextOffset: this.#next, outputs, progress });
    this.#committedNext = this.#next;
    this.#committedAt = context.now();
  }

  #report(batch: Batch): void {
    const { lease, deps: { context, meter } } = this;
    const lagRecords = Math.max(0, batch.highWatermark - batch.nextOffset);
    const age = context.now() - batch.appendTimes[batch.count - 1];
    meter.set(lease.partition, {
      lagRecords,
      lagSeconds: lagRecords > 0 ? Math.max(0, age / 1000) : 0,
      counts: this.#engine.counts(),
      vehicles: this.#engine.vehicles(),
      stateBytes: this.#engine.stateBytes(),
    });
  }
}
