/** Back-tests over recordings: all vehicles in one partition; lines are offsets. */
import type { Decoder } from "../rules-wasm/decoder_port.ts";
import { endAt } from "./backtest_lanes.ts";
import { type BacktestOptions, tallyOf } from "./backtest_options.ts";
import { reportOf } from "./backtest_piece.ts";
import type { BacktestSummary } from "./backtest_tally.ts";
import { orderedSamples } from "./recording_stream.ts";
import { surveyRecording } from "./recording_survey.ts";

/** A shorter recording need not be read a second time, bytes. */
const HELD_BYTES_MAX = 32 << 20;

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
}

/**
 * Runs over recordings without append times. They are read twice: to know the order of their
 * samples, then to evaluate them. In the order of time they take the same memory whatever their
 * length.
 */
export async function backtestRecording(options: RecordingOptions): Promise<BacktestSummary> {
  const { ruleSet, fromMs, toMs, batchRecords, signal, createDecoder } = options;
  const { maxClockAheadMs } = ruleSet.settings;
  const wanted = (append: number) => append >= fromMs && append < toMs;
  const source = new Source(options);
  const survey = await surveyRecording(
    source.first(),
    createDecoder(),
    maxClockAheadMs,
    wanted,
    (count) => options.progress({ samples: count, done: 0, total: 0 }),
  );
  const tally = tallyOf(options, survey.wanted);
  const engine = options.createEngine(ruleSet, { partition: 0 });
  const batches = orderedSamples({
    ...{ blocks: source.again(), decoder: createDecoder(), survey, maxClockAheadMs },
    ...{ wanted, batchRecords },
  });
  for await (const batch of batches) {
    if (signal.aborted) break;
    for (const { value } of engine.push(batch).anomalies) tally.take(value);
    tally.report(0, reportOf(engine, batch.appendTimes));
    await options.turn();
  }
  if (!signal.aborted) {
    for (const { value } of endAt(engine, toMs)) tally.take(value);
    tally.report(0, reportOf(engine, new Float64Array(0)));
  }
  let unread = 0;
  for (const count of survey.refused.values()) unread += count;
  return tally.summary(unread);
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
