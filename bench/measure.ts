/**
 * Fair timing: both sides in one run, interleaved A B B A, the median of paired ratios.
 *
 * Ratios are of processor time: what else runs on the machine changes the clock's time far more.
 */
import process from "node:process";

/** What one timed piece of work took. */
export interface Timing {
  readonly wallMs: number;
  /** Processor time of the whole process that did it, all its threads. */
  readonly cpuMs: number;
}

/** A stopwatch that has been started; it gives what has passed since. */
export type Stopwatch = () => Timing;

/** Starts a stopwatch over this process. */
export function startStopwatch(now: () => number): Stopwatch {
  const cpu = process.cpuUsage();
  const start = now();
  return () => {
    const wallMs = now() - start;
    const { user, system } = process.cpuUsage(cpu);
    return { wallMs, cpuMs: (user + system) / 1000 };
  };
}

/** One side of a comparison: each call does its piece of work once more. */
export interface Side {
  readonly name: string;
  readonly time: () => Promise<Timing> | Timing;
}

/** Median, least and greatest. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** What a comparison gave. */
export interface Ratio extends Spread {
  /** Median times of a piece of work. */
  readonly a: Timing;
  readonly b: Timing;
  /** Ratio of A against itself in the same rounds; far from 1 the machine was too noisy. */
  readonly aa: number;
  /** B less A, by rounds, milliseconds. */
  readonly difference: Spread;
}

/** Rounds of a comparison. */
export const ROUNDS = 10;
/** An A/A ratio outside of this voids a run. */
export const AA_BOUNDS = [0.97, 1.03] as const;

/** Times work in this process; `prepare` is not timed, what it returns is run once and timed. */
export function inProcess(name: string, prepare: () => () => void, now: () => number): Side {
  return {
    name,
    time: () => {
      const run = prepare();
      const stopwatch = startStopwatch(now);
      run();
      return stopwatch();
    },
  };
}

/**
 * Compares two sides over rounds of A B B A, after a warm-up of each.
 *
 * The ratio is time of B over time of A: how many times faster A is.
 */
export async function compare(a: Side, b: Side, rounds = ROUNDS): Promise<Ratio> {
  await a.time();
  await b.time();
  const ratios: number[] = [];
  const differences: number[] = [];
  const own: number[] = [];
  const times: { a: Timing[]; b: Timing[] } = { a: [], b: [] };
  for (let round = 0; round < rounds; round++) {
    const first = await a.time();
    const second = await b.time();
    const third = await b.time();
    const fourth = await a.time();
    const ours = first.cpuMs + fourth.cpuMs;
    const theirs = second.cpuMs + third.cpuMs;
    ratios.push(theirs / ours);
    differences.push((theirs - ours) / 2);
    own.push(fourth.cpuMs / first.cpuMs);
    times.a.push(first, fourth);
    times.b.push(second, third);
  }
  return {
    ...spread(ratios),
    a: middle(times.a),
    b: middle(times.b),
    aa: median(own),
    difference: spread(differences),
  };
}

/** Whether a comparison was made on too noisy a machine to give a figure. */
export function isNoisy({ aa }: Ratio): boolean {
  return aa < AA_BOUNDS[0] || aa > AA_BOUNDS[1];
}

/** The middle value; of an even number the mean of the two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function spread(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

function middle(timings: readonly Timing[]): Timing {
  return {
    wallMs: median(timings.map(({ wallMs }) => wallMs)),
    cpuMs: median(timings.map(({ cpuMs }) => cpuMs)),
  };
}
