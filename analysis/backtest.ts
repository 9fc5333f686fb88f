/**
 * Back-tests: the engine over history. Output comes by A, then partition, then its order there.
 */
import type { Bus } from "../bus/port.ts";
import { decodeTransition } from "../contract/anomaly.ts";
import type { Decoder } from "../rules-wasm/decoder_port.ts";
import type {
  AnomalyRecord,
  Engine,
  EngineCounts,
  EngineInput,
} from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
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
  readonly signal: AbortSignal;
  /** Takes NDJSON. */
  readonly output: (bytes: Uint8Array) => void;
  readonly progress: (samples: number) => void;
  /** Gives way to signals and timers; called after every batch. */
  readonly turn: () => Promise<void>;
}

/** What a back-test came to. */
export interface BacktestSummary {
  readonly samples: number;
  readonly refused: number;
  /** Samples older than the last one evaluated of their vehicle: not evaluated. */
  readonly late: number;
  readonly duplicates: number;
  /** Samples not evaluated, because the history ended while they waited for older ones. */
  readonly waiting: number;
  readonly transitions: number;
  /** How often each rule opened an anomaly, most first. */
  readonly opened: readonly (readonly [string, number])[];
}

/** Runs over the log that the bus retains, all partitions. State starts empty at `fromMs`. */
export async function backtestLog(
  options: BacktestOptions & { readonly bus: Bus; readonly topic: string },
): Promise<BacktestSummary> {
  const { bus, topic } = options;
  const tally = new Tally(options);
  const bounds = await bus.bounds(topic);
  const streams = bounds.map(async function* ({ start, end }, partition) {
    const from = Number.isFinite(options.fromMs)
      ? await bus.offsetAt(topic, partition, options.fromMs)
      : start;
    const to = Number.isFinite(options.toMs)
      ? await bus.offsetAt(topic, partition, options.toMs)
      : end;
    const engine = options.createEngine(options.ruleSet, { partition });
    for await (const batch of bus.range(topic, partition, from, to)) {
      if (options.signal.aborted) break;
      yield* engine.push(batch).anomalies;
      tally.report(partition, engine);
      await options.turn();
    }
    yield* endAt(engine, options.toMs);
    tally.report(partition, engine);
  });
  for await (const anomaly of mergeByAppend(streams)) {
    if (options.signal.aborted) break;
    tally.take(anomaly);
  }
  return tally.summary();
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
  const tally = new Tally(options);
  const samples = await readSamples(options.lines, options.decoder, options.progress);
  const { maxClockAheadMs } = ruleSet.settings;
  const append = makeAppendTimes(samples.slot, samples.t, samples.count, maxClockAheadMs);
  const order = orderByAppend(append).filter((i) => append[i] >= fromMs && append[i] < toMs);
  const engine = options.createEngine(ruleSet, { partition: 0 });
  for (let at = 0; at < order.length && !options.signal.aborted; at += batchRecords) {
    const rows = order.subarray(at, at + batchRecords);
    for (const anomaly of engine.push(gather(samples, append, rows)).anomalies) tally.take(anomaly);
    tally.report(0, engine);
    await options.turn();
  }
  for (const anomaly of endAt(engine, toMs)) tally.take(anomaly);
  tally.report(0, engine);
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

/** Writes transitions out and counts. */
class Tally {
  #transitions = 0;
  readonly #opened = new Map<string, number>();
  readonly #counts = new Map<number, EngineCounts>();
  readonly #waiting = new Map<number, number>();

  constructor(readonly options: BacktestOptions) {}

  take({ value }: AnomalyRecord): void {
    this.#transitions++;
    const { kind, rule } = decodeTransition(value);
    if (kind === "opened") this.#opened.set(rule, (this.#opened.get(rule) ?? 0) + 1);
    const line = new Uint8Array(value.length + 1);
    line.set(value);
    line[value.length] = 10;
    this.options.output(line);
  }

  report(partition: number, engine: Engine): void {
    this.#counts.set(partition, engine.counts());
    this.#waiting.set(partition, engine.waiting());
    this.options.progress(this.#sum("samples"));
  }

  /** @param unread objects refused before they reached an engine */
  summary(unread = 0): BacktestSummary {
    return {
      samples: this.#sum("samples"),
      refused: this.#sum("refused") + unread,
      late: this.#sum("late"),
      duplicates: this.#sum("duplicates"),
      waiting: [...this.#waiting.values()].reduce((sum, count) => sum + count, 0),
      transitions: this.#transitions,
      opened: [...this.#opened].sort(([, a], [, b]) => b - a),
    };
  }

  #sum(name: "samples" | "refused" | "late" | "duplicates"): number {
    let sum = 0;
    for (const counts of this.#counts.values()) sum += counts[name];
    return sum;
  }
}
