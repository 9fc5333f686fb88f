/**
 * Back-tests over the log: the engine over history. Output comes by A, then partition, then its
 * order there, whatever the number of threads.
 */
import type { Bus } from "../bus/port.ts";
import type { RuleSource } from "../rules-wasm/rule_source.ts";
import { heldBytesMax, type LaneJob, Lanes } from "./backtest_lanes.ts";
import { Merge } from "./backtest_merge.ts";
import { type BacktestOptions, tallyOf } from "./backtest_options.ts";
import type { Piece } from "./backtest_piece.ts";
import type { BacktestSummary } from "./backtest_tally.ts";

/** Lanes that are running, in this thread or in others. */
export interface RunningLanes {
  /** So much of a partition's output has been taken. */
  release(partition: number, bytes: number): void;
  /** Resolves when all have come to their end, or were stopped; rejects if one failed. */
  readonly ended: Promise<void>;
}

/** Starts lanes that hand their pieces on, of each partition in order. */
export type StartLanes = (
  jobs: readonly LaneJob[],
  receive: (piece: Piece) => void,
) => RunningLanes;

/** A back-test of the log. */
export interface LogOptions extends BacktestOptions {
  readonly bus: Bus;
  readonly topic: string;
  /** Runs the versions that were in force, as the activations say, instead of `ruleSet`. */
  readonly asLive?: RuleSource;
  /** Runs the partitions elsewhere than in this thread. */
  readonly lanes?: StartLanes;
}

/**
 * Runs over the log that the bus retains, all partitions. State starts empty at `fromMs`.
 *
 * @throws {import("../bus/port.ts").BusError} with `asLive`, if the rules of a version are not known
 */
export async function backtestLog(options: LogOptions): Promise<BacktestSummary> {
  const jobs = await jobsOf(options);
  const records = jobs.reduce((sum, { from, to }) => sum + to - from, 0);
  const tally = tallyOf(options, records);
  let running: RunningLanes | null = null;
  const merge = new Merge(
    jobs.map(({ partition }) => partition),
    (value) => tally.take(value),
    (partition, bytes) => running?.release(partition, bytes),
  );
  const start = options.lanes ?? startHere(options);
  running = start(jobs, (piece) => {
    if (options.signal.aborted) return;
    merge.add(piece);
    tally.report(piece.partition, piece.report);
  });
  await running.ended;
  if (!options.signal.aborted && !merge.done) {
    throw new Error("The lanes of a back-test ended before all that they gave could be merged");
  }
  return tally.summary();
}

/** What there is to do: partitions without records among them, whose timers may be due at the end. */
async function jobsOf(options: LogOptions): Promise<LaneJob[]> {
  const { bus, topic, fromMs, toMs } = options;
  const bounds = await bus.bounds(topic);
  return await Promise.all(bounds.map(async ({ start, end }, partition) => {
    const from = Number.isFinite(fromMs) ? await bus.offsetAt(topic, partition, fromMs) : start;
    const to = Number.isFinite(toMs) ? await bus.offsetAt(topic, partition, toMs) : end;
    return { partition, from, to: Math.max(from, to) };
  }));
}

/** Runs lanes in this thread. */
export function startHere(options: LogOptions): StartLanes {
  return (jobs, receive) => {
    const lanes = new Lanes(options, jobs, heldBytesMax(jobs.length));
    return {
      release: (partition, bytes) => lanes.release(partition, bytes),
      // What it gives before this returns would not be released: it begins in a turn of its own.
      ended: Promise.resolve().then(() => lanes.run(receive)),
    };
  };
}
