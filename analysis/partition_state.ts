/** A partition's engine as its checkpoint and its log make it, and what it takes to change rules. */
import type { Bus, Lease, Outgoing, OutgoingRecord } from "../bus/port.ts";
import type { AgentContext } from "../contract/agent.ts";
import { type CheckpointPlace, decodeProgress, type Progress } from "../contract/progress.ts";
import { encodeRuleRecord } from "../contract/rule_versions.ts";
import { ANALYSIS_GROUP, type TopicNames } from "../contract/topics.ts";
import type { DurableEngine, PushMode } from "../rules-wasm/engine_port.ts";
import { pointEvents } from "../rules-wasm/point_events.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import type { RuleSource } from "../rules-wasm/rule_source.ts";
import { warmingMs } from "../rules-wasm/warming.ts";
import { SnapshotError } from "../rules-wasm/snapshot_format.ts";
import {
  CheckpointError,
  type CheckpointRecords,
  checkpointRecords,
  readCheckpoint,
} from "./checkpoint.ts";
import type { Meter } from "./meter.ts";
import {
  clearedBy,
  OpenAnomalies,
  openedAnew,
  openOnTopic,
  transitionRecord,
} from "./open_anomalies.ts";
import type { PartitionCount } from "./partition_count.ts";
import type { Platform } from "./platform.ts";
import type { Pulse } from "./pulse.ts";
import { Warming } from "./warming.ts";

/** What a partition's state is made with. */
export interface StateDependencies {
  readonly context: AgentContext;
  readonly bus: Bus;
  readonly topics: TopicNames;
  readonly rules: RuleSource;
  readonly createEngine: (
    ruleSet: RuleSet,
    options: { readonly partition: number },
  ) => DurableEngine;
  readonly meter: Meter;
  readonly pulse: Pulse;
  readonly partitions: PartitionCount;
  readonly platform: Pick<Platform, "codec">;
}

/** The state of one partition; `restore` comes first. */
export class PartitionState {
  ruleSet: RuleSet;
  engine: DurableEngine;
  /** Offset behind what the engine has taken in. */
  next = 0;
  /** First offset at which the rules were in force. */
  since = 0;
  checkpoint: CheckpointPlace | null = null;
  /** Partitions that the topic has. */
  partitions = 0;
  /** What the anomalies topic lacks to say what the state says; goes out with the next step. */
  corrections: OutgoingRecord[] = [];
  /** Activations that go out with the next step. */
  activations: Outgoing[] = [];
  #warming: Warming | null = null;
  /** Whether a checkpoint is due with the next step, whatever the time. */
  checkpointDue = false;

  constructor(readonly lease: Lease, readonly deps: StateDependencies) {
    this.ruleSet = deps.rules.current();
    this.engine = this.#engineOf(this.ruleSet);
  }

  /**
   * Rebuilds the state as it was when the last step was committed.
   *
   * @returns whether it is whole; if not, the partition was taken away or the agent is to stop
   */
  async restore(): Promise<boolean> {
    const { lease, deps: { rules } } = this;
    const stored = await lease.progress();
    const progress = stored === null ? null : decodeProgress(stored);
    this.partitions = await this.deps.partitions.check(progress);
    const { start, end } = await lease.bounds();
    if (progress === null) {
      this.next = this.since = start;
      this.#noteActivation(start);
      return true;
    }
    const gap = progress.next < start || progress.next > end;
    if (gap) this.#reportGap(progress, start, end);
    this.next = gap ? start : progress.next;
    this.since = gap ? start : progress.since;
    this.checkpoint = progress.checkpoint;
    await rules.catchUp();
    const current = rules.current();
    const before = progress.version === current.version ? current : rules.version(progress.version);
    if (before === null) return await this.#beginWith(current, progress.version, start);
    // An engine costs a kernel of its own: the one made at the start does for the same rules.
    if (before !== this.ruleSet) this.#use(before);
    return gap ? await this.#mend(start) : await this.#rebuild(progress, start);
  }

  /**
   * Prepares a change of rules, a little at a time.
   *
   * @returns whether they can come into force before the next record
   */
  async prepare(to: RuleSet, budgetMs: number): Promise<boolean> {
    const { lease, deps: { bus, context } } = this;
    if (this.#warming?.ruleSet !== to) this.#warming = await this.#warmingOf(to);
    return await this.#warming.advance(lease, bus, this.next, budgetMs, () => context.now());
  }

  /**
   * Puts the rules that were prepared in force before the next record; what that causes goes out
   * with the step that takes the record in, and the activation with it.
   *
   * @param nextA append time of that record
   */
  change(nextA: number): void {
    const warming = this.#warming;
    if (warming === null) throw new TypeError("Cannot change rules that were not prepared");
    const { lease: { topic, partition }, deps: { context, meter } } = this;
    const before = this.ruleSet.version;
    const { ruleSet, engine, from } = warming;
    const caused = this.engine.swap(ruleSet, engine ?? undefined, nextA);
    this.#warming = null;
    this.ruleSet = ruleSet;
    this.since = this.next;
    this.checkpointDue = true;
    const { version } = ruleSet;
    for (const { key, value } of caused) this.corrections.push({ key, value, partition });
    meter.add("rule_changes", 1);
    this.#noteActivation(from);
    context.events({
      level: "info",
      name: "analysis.rules_changed",
      message: `${topic}/${partition}: rules ${version} take over from ${before} at offset ` +
        `${this.next}; ${caused.length} transitions` +
        (engine === null
          ? ""
          : `; ${warming.records} records taken in aside, ${warming.tookMs} ms`),
    });
  }

  /** The log is to say that the rules are in force from the next record on. */
  #noteActivation(warmedFrom: number): void {
    const { lease: { partition }, deps: { context, topics } } = this;
    const activation = encodeRuleRecord({
      ...{ kind: "activation", format: 1, version: this.ruleSet.version, partition },
      ...{ offset: this.next, warmedFrom, time: context.now() },
    });
    this.activations.push({
      topic: topics.rules,
      records: [{ key: null, value: activation, partition: 0 }],
    });
  }

  /** Rules that look back are shown the last telemetry; others come into force as they are. */
  async #warmingOf(to: RuleSet): Promise<Warming> {
    const { lease: { topic, partition }, deps: { bus } } = this;
    const back = warmingMs(this.ruleSet, to);
    const clock = this.engine.clock();
    if (back === 0 || clock === -Infinity) return new Warming(to, null, this.next);
    const from = await bus.offsetAt(topic, partition, clock - back);
    return new Warming(to, this.#engineOf(to), Math.min(from, this.next));
  }

  /** The state as records of a checkpoint. */
  async takeCheckpoint(): Promise<CheckpointRecords> {
    const { lease: { partition, topic }, deps: { bus, topics, platform } } = this;
    const from = (await bus.bounds(topics.checkpoints))[partition]?.end ?? 0;
    return await checkpointRecords(this.engine.snapshot(), {
      ...{ partition, from, next: this.next },
      key: `${ANALYSIS_GROUP}/${topic}`,
      chunksBefore: this.checkpoint?.chunks ?? 0,
    }, platform.codec);
  }

  #engineOf(ruleSet: RuleSet): DurableEngine {
    return this.deps.createEngine(ruleSet, { partition: this.lease.partition });
  }

  #use(ruleSet: RuleSet): void {
    this.ruleSet = ruleSet;
    this.engine = this.#engineOf(ruleSet);
  }

  /** The state from the checkpoint and what came after it, or from the log alone. */
  async #rebuild(progress: Progress, start: number): Promise<boolean> {
    const place = progress.checkpoint;
    const from = place?.next ?? progress.since;
    if (from < start || place !== null && !await this.#load(place)) return await this.#mend(start);
    if (place === null && !await this.#replay(start, from, "warm")) return false;
    if (!await this.#replay(from, this.next, "suppress")) return false;
    if (from === this.next) return true;
    const bounds = await this.lease.bounds();
    if (bounds.start <= from) return true;
    // Retention went on meanwhile: what it took of the replay was passed over in silence.
    this.#use(this.ruleSet);
    this.checkpoint = null;
    return await this.#mend(bounds.start);
  }

  /** @returns whether the checkpoint could be read */
  async #load(place: CheckpointPlace): Promise<boolean> {
    const { lease: { topic, partition }, deps: { bus, topics, context, meter, platform } } = this;
    const key = `${ANALYSIS_GROUP}/${topic}`;
    try {
      const { codec } = platform;
      this.engine.restore(
        await readCheckpoint(bus, topics.checkpoints, partition, key, place, codec),
      );
      meter.add("checkpoints_restored", 1);
      context.events({
        level: "info",
        name: "analysis.restored",
        message:
          `${topic}/${partition}: state of offset ${place.next}, ${this.engine.vehicles()} ` +
          `vehicles; it reads on to ${this.next}`,
      });
      return true;
    } catch (error) {
      if (!(error instanceof CheckpointError || error instanceof SnapshotError)) throw error;
      meter.add("checkpoints_refused", 1);
      context.events({
        level: "error",
        name: "analysis.checkpoint_refused",
        message: `${topic}/${partition}: ${error.message}; its state is made from the log instead`,
      });
      this.#use(this.ruleSet);
      this.checkpoint = null;
      return false;
    }
  }

  #reportGap(progress: Progress, start: number, end: number): void {
    const { lease, deps: { context, meter } } = this;
    const { next } = progress;
    const where = `${lease.topic}/${lease.partition}`;
    if (next < start) meter.add("records_lost", start - next);
    context.events({
      level: "error",
      name: "analysis.gap",
      message: next < start
        ? `${where}: records ${next} to ${start - 1} were dropped by the retention before ` +
          `analysis read them; it goes on at ${start}. Lengthen the retention, or keep analysis ` +
          "running"
        : `${where}: progress says ${next}, but the log ends at ${end}: the topic was made anew; ` +
          `analysis starts at ${start}`,
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
      for (let at = 0; at < batch.count;) {
        const { anomalies, next } = this.engine.pushPart(batch, at, mode);
        for (const { value } of anomalies) take(value);
        at = next;
      }
      meter.add("records_replayed", batch.count);
      meter.report(lease.partition, batch, this.engine);
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
    const { lease, ruleSet, deps: { context } } = this;
    const known = new OpenAnomalies(this.#events());
    if (!await this.#replay(start, this.next, "live", (value) => known.take(value))) return false;
    const published = await this.#published();
    this.since = start;
    this.checkpointDue = true;
    const clock = this.engine.clock();
    const gone = [...published.values()].filter(({ id }) => !known.has(id));
    const fresh = [...known.values()].filter(({ id }) => !published.has(id));
    this.corrections.push(
      ...[
        ...gone.map((last) => clearedBy("forgotten", last, ruleSet.version, clock)),
        ...fresh.map(openedAnew),
      ].map((each) => transitionRecord(each, lease.partition)),
    );
    context.events({
      level: "warn",
      name: "analysis.state_mended",
      message: `${lease.topic}/${lease.partition}: the log is kept from offset ${start} on only; ` +
        `of what was open before, ${gone.length} anomalies are forgotten, ${fresh.length} opened anew`,
    });
    return true;
  }

  /** Begins with rules whose state cannot come from that before: what was open clears. */
  async #beginWith(ruleSet: RuleSet, before: string, start: number): Promise<boolean> {
    const { lease, deps: { context } } = this;
    this.#use(ruleSet);
    if (!await this.#replay(start, this.next, "warm")) return false;
    const open = [...(await this.#published()).values()];
    this.since = this.next;
    this.checkpointDue = true;
    const clock = this.engine.clock();
    this.corrections.push(
      ...open.map((last) =>
        transitionRecord(
          clearedBy("rule changed", last, ruleSet.version, clock),
          lease.partition,
        )
      ),
    );
    context.events({
      level: "info",
      name: "analysis.rules_changed",
      message: `${lease.topic}/${lease.partition}: rules ${ruleSet.version} take over from ` +
        `${before} at offset ${this.next}; ${open.length} anomalies of before cleared`,
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

  #events(): ReturnType<typeof pointEvents> {
    return pointEvents(this.deps.rules, this.ruleSet);
  }
}
