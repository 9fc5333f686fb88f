/** The loop of one partition: read, push, commit. */
import { type Batch, type Bus, FencedError, type Lease, type Outgoing } from "../bus/port.ts";
import type { AgentContext } from "../contract/agent.ts";
import { decodeProgress, encodeProgress, type Progress } from "../contract/progress.ts";
import type { TopicNames } from "../contract/topics.ts";
import type { Engine, PushMode, PushResult } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import type { RuleSource } from "../rules-wasm/rule_source.ts";
import { deadLetters } from "./dead_letter.ts";
import type { Meter } from "./meter.ts";
import type { PartitionCount } from "./partition_count.ts";
import type { Pulse } from "./pulse.ts";
import {
  clearedBy,
  OpenAnomalies,
  openedAnew,
  openOnTopic,
  transitionRecord,
} from "./open_anomalies.ts";

/** What a partition's loop is made with. */
export interface PartitionDependencies {
  readonly context: AgentContext;
  readonly bus: Bus;
  readonly topics: TopicNames;
  readonly rules: RuleSource;
  readonly createEngine: (ruleSet: RuleSet, options: { readonly partition: number }) => Engine;
  readonly meter: Meter;
  readonly pulse: Pulse;
  readonly partitions: PartitionCount;
}

/**
 * Longest time for which a step without outputs stays uncommitted. Losing such a step loses
 * nothing: the records are read again and, the engine being deterministic, give nothing again.
 */
const COMMIT_MS = 500;
/** A partition gets at most one tick in this time. */
const TICK_MS = 1_000;

/**
 * Runs a partition until its lease is lost or the context's signal aborts. A step that fails ends
 * the lease: that is told, and whoever gets the partition next goes on from the last step.
 *
 * @throws what the bus throws while the lease stands
 */
export async function runPartition(lease: Lease, deps: PartitionDependencies): Promise<void> {
  try {
    // Each turn is one version of the rules.
    while (await new PartitionLoop(lease, deps).run() === "rules changed");
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
  readonly #engine: Engine;
  readonly #ruleSet: RuleSet;
  /** Offset behind what the engine has taken in. */
  #next = 0;
  #since = 0;
  #committedNext = 0;
  #committedAt: number;
  #tickedAt = -Infinity;
  #pending: Outgoing[] = [];
  #partitions = 0;

  constructor(readonly lease: Lease, readonly deps: PartitionDependencies) {
    this.#ruleSet = deps.rules.current();
    this.#engine = deps.createEngine(this.#ruleSet, { partition: lease.partition });
    this.#committedAt = deps.context.now();
  }

  /** @returns why it ended; after "rules changed" all that it took in is committed */
  async run(): Promise<"over" | "rules changed"> {
    const { lease, deps: { context, pulse, rules } } = this;
    if (!await this.#restore()) return "over";
    for await (const batch of lease.read(this.#next)) {
      await context.untilResumed();
      // What was read and not pushed is read again: nothing of it is committed.
      if (context.signal.aborted || lease.lost.aborted) break;
      if (rules.current().version !== this.#ruleSet.version) {
        await this.#commit();
        return "rules changed";
      }
      if (batch === null) await this.#idle();
      else await this.#step(batch);
      await pulse.turn();
    }
    return "over";
  }

  /**
   * Rebuilds the state from the log, up to where the last committed step ended.
   *
   * @returns whether it is whole; if not, the partition was taken away or the agent is to stop
   */
  async #restore(): Promise<boolean> {
    const { lease } = this;
    const stored = await lease.progress();
    const progress = stored === null ? null : decodeProgress(stored);
    this.#partitions = await this.deps.partitions.check(progress);
    const { start, end } = await lease.bounds();
    if (progress === null) {
      this.#next = this.#since = this.#committedNext = start;
      return true;
    }
    const gap = progress.next < start || progress.next > end;
    if (gap) this.#reportGap(progress, start, end);
    this.#next = this.#committedNext = gap ? start : progress.next;
    this.#since = gap ? start : progress.since;
    if (progress.version !== this.#ruleSet.version) {
      return await this.#replay(start, this.#next, "warm") && this.#changeRules(progress.version);
    }
    if (gap || start > progress.since) return this.#mend(start);
    return await this.#replay(start, this.#since, "warm") &&
      await this.#replay(this.#since, this.#next, "suppress");
  }

  #reportGap(progress: Progress, start: number, end: number): void {
    const { lease, deps: { context, meter } } = this;
    const { next } = progress;
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

  /** @returns whether it came to its end */
  async #replay(
    from: number,
    to: number,
    mode: PushMode,
    take: (value: Uint8Array) => void = () => {},
  ): Promise<boolean> {
    if (from >= to) return true;
    const { lease, deps: { bus, context, meter, pulse } } = this;
    for await (const batch of bus.range(lease.topic, lease.partition, from, to)) {
      if (context.signal.aborted || lease.lost.aborted) return false;
      for (const { value } of this.#engine.push(batch, mode).anomalies) take(value);
      meter.add("records_replayed", batch.count);
      this.#report(batch);
      await pulse.turn();
    }
    return !context.signal.aborted && !lease.lost.aborted;
  }

  /**
   * Takes over where the log no longer reaches back to where the state began: what is left of it
   * gives a state that may know other anomalies than were published. Those that it does not know
   * clear, those that only it knows open, so that from here on both are the same.
   */
  async #mend(start: number): Promise<boolean> {
    const { lease, deps: { topics, context } } = this;
    const ruleSet = this.#ruleSet;
    const known = new OpenAnomalies(this.#events());
    if (!await this.#replay(start, this.#next, "live", (value) => known.take(value))) return false;
    const published = await this.#published();
    this.#since = start;
    const clock = this.#engine.clock();
    const gone = [...published.values()].filter(({ id }) => !known.has(id));
    const fresh = [...known.values()].filter(({ id }) => !published.has(id));
    const transitions = [
      ...gone.map((last) => clearedBy("forgotten", last, ruleSet.version, clock)),
      ...fresh.map(openedAnew),
    ];
    this.#output(
      topics.anomalies,
      transitions.map((each) => transitionRecord(each, lease.partition)),
    );
    await this.#commit();
    context.events({
      level: "warn",
      name: "analysis.state_mended",
      message: `${lease.topic}/${lease.partition}: the log is kept from offset ${start} on only; ` +
        `of what was open before, ${gone.length} anomalies are forgotten, ${fresh.length} opened anew`,
    });
    return true;
  }

  /** Closes what the version before had open; the state is warm, so that the new one goes on. */
  async #changeRules(before: string): Promise<boolean> {
    const { lease, deps: { topics, context } } = this;
    const ruleSet = this.#ruleSet;
    const open = [...(await this.#published()).values()];
    this.#since = this.#next;
    const clock = this.#engine.clock();
    this.#output(
      topics.anomalies,
      open.map((last) =>
        transitionRecord(
          clearedBy("rule changed", last, ruleSet.version, clock),
          lease.partition,
        )
      ),
    );
    await this.#commit();
    context.events({
      level: "info",
      name: "analysis.rules_changed",
      message: `${lease.topic}/${lease.partition}: rules ${ruleSet.version} take over from ` +
        `${before} at offset ${this.#next}; ${open.length} anomalies of before cleared`,
    });
    return true;
  }

  /** What stands open on the anomalies topic; what others wrote there is passed over and told. */
  async #published(): Promise<OpenAnomalies> {
    const { lease, deps: { bus, topics, context, meter, pulse } } = this;
    const open = new OpenAnomalies(this.#events());
    await openOnTopic(bus, topics.anomalies, lease.partition, open, () => pulse.turn());
    if (open.foreign > 0) {
      meter.add("foreign_anomalies", open.foreign);
      context.events({
        level: "warn",
        name: "analysis.foreign_anomalies",
        message: `${topics.anomalies}/${lease.partition}: ${open.foreign} records are no ` +
          "anomaly transitions and are passed over; only Kilter should write to this topic",
      });
    }
    return open;
  }

  #events(): ReadonlySet<string> {
    const { rules } = this.#ruleSet;
    return new Set(rules.filter((rule) => rule.once).map((rule) => rule.id));
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
      this.#output(topics.deadLetters, deadLetters(batch, result.refusals));
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
    const { lease, deps: { context } } = this;
    const progress = encodeProgress({
      next: this.#next,
      version: this.#ruleSet.version,
      since: this.#since,
      checkpoint: null,
      partitions: this.#partitions,
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
      waiting: this.#engine.waiting(),
      vehicles: this.#engine.vehicles(),
      stateBytes: this.#engine.stateBytes(),
    });
  }
}
