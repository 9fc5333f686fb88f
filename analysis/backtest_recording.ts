/** Back-tests over recordings: all vehicles in one partition; lines are offsets. */
import type { Decoder } from "../rules-wasm/decoder_port.ts";
import type { EngineInput } from "../rules-wasm/engine_port.ts";
import { endAt } from "./backtest_lanes.ts";
import { type BacktestOptions, tallyOf } from "./backtest_options.ts";
import { reportOf } from "./backtest_piece.ts";
import type { BacktestSummary } from "./backtest_tally.ts";
import { makeAppendTimes, orderByAppend, readSamples } from "./recording_order.ts";

/** Runs over recordings without append times, all vehicles in one partition; lines are offsets. */
export async function backtestRecording(
  options: BacktestOptions & {
    /** Records handed to the engine at a time; has no bearing on the output. */
    readonly batchRecords: number;
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
    for (const anomaly of engine.push(input).anomalies) tally.take(anomaly.value);
    tally.report(0, reportOf(engine, input.appendTimes));
    await options.turn();
  }
  if (!options.signal.aborted) {
    for (const anomaly of endAt(engine, toMs)) tally.take(anomaly.value);
    tally.report(0, reportOf(engine, new Float64Array(0)));
  }
  let unread = 0;
  for (const count of samples.refused.values()) unread += count;
  return tally.summary(unread);
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
