/**
 * Back-tests: the engine over history. Output comes by A, then partition, then its order there.
 */
import type { Bus } from "../bus/port.ts";
import type { Transition } from "../contract/anomaly.ts";
import type { Decoder } from "../rules-wasm/decoder_port.ts";
import type { AnomalyRecord, Engine, EngineInput } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import type { RuleSource } from "../rules-wasm/rule_source.ts";
import { vehicleFilter } from "../rules-wasm/vehicle_filter.ts";
import { type BacktestProgress, type BacktestSummary, Tally } from "./backtest_tally.ts";
import { type Stretch, stretchesOf } from "./log_versions.ts";
import { makeAppendTimes, orderByAppend, readSamples } from "./recording_order.ts";

/** What every back-test is given. */
export interface BacktestOptions {
  readonly ruleSet: RuleSet;
  readonly createEngine: (ruleSet: RuleSet, options: { readonly partition: number }) => Engine;
  /** Records handed to the engine at a time; has no bearing on the output. */
  readonly batchRecords: number;
  /** Records with `fromMs <= A < toMs` are evaluated. Infinite for no bound. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Ids and globs of the vehicles whose anomalies are wanted; none given: all. */
  readonly vehicles?: readonly string[];
  readonly signal: AbortSignal;
  /** Takes NDJSON. */
  readonly output: (bytes: Uint8Array) => void;
  /** Takes each transition as an object. */
  readonly each?: (transition: Transition) => void;
  readonly progress: (progress: BacktestProgress) => void;
  /** Gives way to signals and timers; called after every batch. */
  readonly turn: () => Promise<void>;
}

/** A back-test of the log. */
export interface LogOptions extends BacktestOptions {
  readonly bus: Bus;
  readonly topic: string;
  /** Runs the versions that were in force, as the activations say, instead of `ruleSet`. */
  readonly asLive?: RuleSource;
}

/**
 * Runs over the log that the bus retains, all partitions. State starts empty at `fromMs`.
 *
 * @throws {import("../bus/port.ts").BusError} with `asLive`, if the rules of a version are not known
 */
export async function backtestLog(options: LogOptions): Promise<BacktestSummary> {
  const { bus, topic } = options;
  const bounds = await bus.bounds(topic);
  const ranges = await Promise.all(bounds.map(async ({ start, end }, partition) => ({
    from: Number.isFinite(options.fromMs)
      ? await bus.offsetAt(topic, partition, options.fromMs)
      : start,
    to: Number.isFinite(options.toMs) ? await bus.offsetAt(topic, partition, options.toMs) : end,
  })));
  const records = ranges.reduce((sum, { from, to }) => sum + Math.max(0, to - from), 0);
  const tally = tallyOf(options, records);
  const streams = ranges.map(async function* ({ from, to }, partition) {
    const stretches = stretchesIn(options, partition, from, to);
    const engine = options.createEngine(stretches[0]?.ruleSet ?? options.ruleSet, { partition });
    for (const [i, stretch] of stretches.entries()) {
      let change = i === 0 ? null : await warmed(options, partition, stretch);
      for await (const batch of bus.range(topic, partition, stretch.from, stretch.to)) {
        if (options.signal.aborted) break;
        if (change !== null) {
          yield* engine.swap(stretch.ruleSet, change.engine, batch.appendTimes[0]);
          change = null;
        }
        yield* engine.push(batch).anomalies;
        tally.report(partition, engine, batch.appendTimes);
        await options.turn();
      }
    }
    // What was stopped has not come to its end.
    if (options.signal.aborted) return;
    yield* endAt(engine, options.toMs);
    tally.report(partition, engine);
  });
  for await (const anomaly of mergeByAppend(streams)) {
    if (options.signal.aborted) break;
    tally.take(anomaly);
  }
  return tally.summary();
}

function stretchesIn(options: LogOptions, partition: number, from: number, to: number): Stretch[] {
  const { asLive, ruleSet } = options;
  return asLive === undefined
    ? [{ ruleSet, from, to, warmedFrom: from }]
    : stretchesOf(asLive, partition, from, to, ruleSet);
}

/** The engine aside that a change of rules was warmed with; undefined where nothing was new. */
async function warmed(
  options: LogOptions,
  partition: number,
  { ruleSet, from, warmedFrom }: Stretch,
): Promise<{ readonly engine: Engine | undefined }> {
  if (warmedFrom >= from) return { engine: undefined };
  const { bus, topic, signal, turn } = options;
  const engine = options.createEngine(ruleSet, { partition });
  for await (const batch of bus.range(topic, partition, warmedFrom, from)) {
    if (signal.aborted) break;
    engine.push(batch, "warm");
    await turn();
  }
  return { engine };
}

/** Runs over recordings without append times, all vehicles in one partition; lines are offsets. */
export async function backtestRecording(
  options: BacktestOptions & {
    /** Blocks of whole lines of NDJSON. */
    readonly lines: AsyncIterable<Uint8Array>;
    readonly decoder: Decoder;
  },
): Promise<BacktestSummary> {
  const { ruleSet, fromMs, toMs, batchRecords } = options;
  const samples = await readSamples(
    options.lines,
    options.decoder,
    (count) => options.progress({ samples: count, done: 0, total: 0 }),
  );
  const { maxClockAheadMs } = ruleSet.settings;
  const append = makeAppendTimes(samples.slot, samples.t, samples.count, maxClockAheadMs);
  const order = orderByAppend(append).filter((i) => append[i] >= fromMs && append[i] < toMs);
  const tally = tallyOf(options, order.length);
  const engine = options.createEngine(ruleSet, { partition: 0 });
  for (let at = 0; at < order.length && !options.signal.aborted; at += batchRecords) {
    const rows = order.subarray(at, at + batchRecords);
    const input = gather(samples, append, rows);
    for (const anomaly of engine.push(input).anomalies) tally.take(anomaly);
    tally.report(0, engine, input.appendTimes);
    await options.turn();
  }
  if (!options.signal.aborted) {
    for (const anomaly of endAt(engine, toMs)) tally.take(anomaly);
    tally.report(0, engine);
  }
  let unread = 0;
  for (const count of samples.refused.values()) unread += count;
  return tally.summary(unread);
}

function tallyOf(options: BacktestOptions, records: number): Tally {
  const { ruleSet, output, progress, vehicles = [], each = () => {} } = options;
  return new Tally(
    { ruleSet, output, progress, each, vehicle: vehicleFilter(vehicles) },
    records,
  );
}

function gather(
  samples: Awaited<ReturnType<typeof readSamples>>,
  append: Float64Array,
  rows: Uint32Array,
): EngineInput {
  const count = rows.length;
  let bytes = 0;
  for (const i of rows) bytes += samples.end[i] - samples.start[i];
  const values = new Uint8Array(bytes);
  const valueEnds = new Uint32Array(count);
  const appendTimes = new Float64Array(count);
  const offsets = new Float64Array(count);
  let end = 0;
  rows.forEach((i, row) => {
    values.set(samples.blocks[samples.block[i]].subarray(samples.start[i], samples.end[i]), end);
    end += samples.end[i] - samples.start[i];
    valueEnds[row] = end;
    appendTimes[row] = append[i];
    offsets[row] = samples.line[i];
  });
  return { count, values, valueEnds, appendTimes, offsets };
}

/** As if a tick came at `toMs`: timers due by then fire. */
function endAt(engine: Engine, toMs: number): readonly AnomalyRecord[] {
  if (!Number.isFinite(toMs)) return [];
  return engine.push({
    count: 1,
    values: new Uint8Array(0),
    valueEnds: Uint32Array.of(0),
    appendTimes: Float64Array.of(toMs),
    offsets: Float64Array.of(-1),
  }).anomalies;
}

/** Merges streams that are each in the order of `append`; ties go to the earlier stream. */
async function* mergeByAppend(
  streams: readonly AsyncGenerator<AnomalyRecord>[],
): AsyncGenerator<AnomalyRecord> {
  const heads: (AnomalyRecord | undefined)[] = [];
  for (const stream of streams) heads.push((await stream.next()).value ?? undefined);
  while (true) {
    let least = -1;
    heads.forEach((head, i) => {
      if (head && (least < 0 || head.append < (heads[least]?.append ?? Infinity))) least = i;
    });
    const head = heads[least];
    if (!head) return;
    yield head;
    heads[least] = (await streams[least].next()).value ?? undefined;
  }
}
