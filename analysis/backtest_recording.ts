/** Back-tests over recordings: all vehicles in one partition; lines are offsets. */
import type { Decoder } from "../rules-wasm/decoder_port.ts";
import { compilePlan } from "../rules-wasm/plan.ts";
import { endAt } from "./backtest_lanes.ts";
import { type BacktestOptions, tallyOf } from "./backtest_options.ts";
import { reportOf } from "./backtest_piece.ts";
import { type DistantEngine, type RoundResult, Shards } from "./backtest_shards.ts";
import type { BacktestSummary, Tally } from "./backtest_tally.ts";
import { type OrderedBatch, orderedSamples } from "./recording_stream.ts";
import { surveyRecording } from "./recording_survey.ts";

/** A shorter recording need not be read a second time, bytes. */
const HELD_BYTES_MAX = 32 << 20;

/** Samples of a round, where vehicles are shared out, and rounds under way at most. */
const ROUND_SAMPLES = 8_192;
const ROUNDS_MAX = 3;

/** A back-test of recordings. */
export interface RecordingOptions extends BacktestOptions {
  /** Records handed to the engine at a time; has no bearing on the output. */
  readonly batchRecords: number;
  /** Blocks of whole lines of NDJSON, the same each time. */
  readonly open: () => AsyncIterable<Uint8Array>;
  /** Whether it can be opened a second time; if not, all of it is held in memory. */
  readonly twice: boolean;
  /** What of it is held in memory between its two readings at most, bytes; default 32 MiB. */
  readonly heldBytesMax?: number;
  /** Makes a decoder, each time alike. */
  readonly createDecoder: () => Decoder;
  /** Engines in other threads, for so many samples; none: this thread evaluates. */
  readonly engines?: (samples: number) => readonly DistantEngine[];
  /** Samples handed to those engines together; has no bearing on the output. */
  readonly roundSamples?: number;
}

/**
 * Runs over recordings without append times. They are read twice: to know the order of their
 * samples, then to evaluate them. In the order of time they take the same memory whatever their
 * length.
 */
export async function backtestRecording(options: RecordingOptions): Promise<BacktestSummary> {
  const { ruleSet, fromMs, toMs, batchRecords, createDecoder } = options;
  const { maxClockAheadMs } = ruleSet.settings;
  const wanted = (append: number) => append >= fromMs && append < toMs;
  const source = new Source(options);
  const surveyor = createDecoder();
  const survey = await surveyRecording(
    source.first(),
    surveyor,
    maxClockAheadMs,
    wanted,
    (count) => options.progress({ samples: count, done: 0, total: 0 }),
  );
  const tally = tallyOf(options, survey.wanted);
  // One bound holds for the samples that wait of all vehicles, and lines order what comes together.
  // So does one bound hold for all vehicles: who is refused depends on who came before.
  const shared = ruleSet.settings.latenessMs === 0 && survey.singly &&
    surveyor.vehicles() <= compilePlan(ruleSet).vehiclesMax;
  const engines = shared && options.engines !== undefined ? options.engines(survey.wanted) : [];
  const decoder = createDecoder();
  const batches = orderedSamples({
    ...{ blocks: source.again(), decoder, survey, maxClockAheadMs, wanted },
    batchRecords: engines.length > 0 ? options.roundSamples ?? ROUND_SAMPLES : batchRecords,
  });
  await (engines.length > 0
    ? evaluateShared(options, tally, batches, new Shards(engines, (slot) => decoder.vehicle(slot)))
    : evaluate(options, tally, batches));
  let unread = 0;
  for (const count of survey.refused.values()) unread += count;
  return tally.summary(unread);
}

/** In this thread. */
async function evaluate(
  { ruleSet, toMs, signal, turn, createEngine }: RecordingOptions,
  tally: Tally,
  batches: AsyncIterable<OrderedBatch>,
): Promise<void> {
  const engine = createEngine(ruleSet, { partition: 0 });
  for await (const batch of batches) {
    if (signal.aborted) return;
    let anomalies;
    try {
      anomalies = engine.push(batch).anomalies;
    } catch (error) {
      throw failureAt(batch, error);
    }
    for (const { value } of anomalies) tally.take(value);
    tally.report(0, reportOf(engine, batch.appendTimes));
    await turn();
  }
  if (signal.aborted) return;
  for (const { value } of endAt(engine, toMs)) tally.take(value);
  tally.report(0, reportOf(engine, new Float64Array(0)));
}

/** A failure with where it happened: the lines of a batch, from 1. */
function failureAt({ offsets }: OrderedBatch, cause: unknown): Error {
  const [first, last] = [Math.min(...offsets), Math.max(...offsets)];
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Error(`Cannot evaluate the samples within lines ${first + 1} to ${last + 1}: ${why}`, {
    cause,
  });
}

/** In other threads, while this one reads on. */
async function evaluateShared(
  { toMs, signal, turn }: RecordingOptions,
  tally: Tally,
  rounds: AsyncIterable<OrderedBatch>,
  shards: Shards,
): Promise<void> {
  const underWay: { put: Promise<() => RoundResult>; firstMs: number; lastMs: number }[] = [];
  const take = ({ values, pushed, samples }: RoundResult, firstMs: number, lastMs: number) => {
    for (const value of values) tally.take(value);
    pushed.forEach(({ counts, waiting }, shard) =>
      tally.report(shard, { records: samples[shard], firstMs, lastMs, counts, waiting })
    );
  };
  const settle = async () => {
    const first = underWay.shift();
    if (first !== undefined) take((await first.put)(), first.firstMs, first.lastMs);
  };
  try {
    for await (const round of rounds) {
      if (signal.aborted) return;
      const { appendTimes, count } = round;
      const put = shards.push(round).catch((error) => {
        throw failureAt(round, error);
      });
      // It is awaited in its turn.
      put.catch(() => {});
      underWay.push({ put, firstMs: appendTimes[0], lastMs: appendTimes[count - 1] });
      if (underWay.length >= ROUNDS_MAX) await settle();
      await turn();
    }
    while (underWay.length > 0 && !signal.aborted) await settle();
    if (signal.aborted || !Number.isFinite(toMs)) return;
    take(await shards.tick(toMs), Infinity, -Infinity);
  } finally {
    await Promise.allSettled(underWay.map(({ put }) => put));
  }
}

/** The blocks of a recording, to be read twice. */
class Source {
  #kept: Uint8Array[] | null = [];
  #bytes = 0;

  constructor(readonly options: RecordingOptions) {}

  async *first(): AsyncGenerator<Uint8Array> {
    const { open, twice, signal, turn, heldBytesMax = HELD_BYTES_MAX } = this.options;
    for await (const block of open()) {
      if (signal.aborted) return;
      this.#bytes += block.length;
      if (twice && this.#bytes > heldBytesMax) this.#kept = null;
      this.#kept?.push(block);
      yield block;
      await turn();
    }
  }

  async *again(): AsyncGenerator<Uint8Array> {
    if (this.options.signal.aborted) return;
    if (this.#kept === null) return yield* this.options.open();
    yield* this.#kept;
  }
}
