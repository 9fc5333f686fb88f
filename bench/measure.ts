/** Fair timing: both sides in one run, interleaved A B B A, the median of paired ratios. */

/** One side of a comparison. `prepare` is not timed; what it returns is run once and timed. */
export interface Side {
  readonly name: string;
  readonly prepare: () => () => void;
}

/** What a comparison gave. */
export interface Ratio {
  /** Median over the rounds of time of B over time of A: how many times faster A is. */
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** Median times, milliseconds. */
  readonly aMs: number;
  readonly bMs: number;
  /** Ratio of A against itself in the same rounds; far from 1 the machine was too noisy. */
  readonly aa: number;
}

/** Rounds of a comparison. */
export const ROUNDS = 10;
/** An A/A ratio outside of this voids a run. */
export const AA_BOUNDS = [0.97, 1.03] as const;

/** Compares two sides over `rounds` rounds of A B B A, after one warm-up round. */
export function compare(a: Side, b: Side, now: () => number, rounds = ROUNDS): Ratio {
  const time = (side: Side) => {
    const run = side.prepare();
    const start = now();
    run();
    return now() - start;
  };
  time(a), time(b);
  const ratios: number[] = [];
  const own: number[] = [];
  const times: { a: number[]; b: number[] } = { a: [], b: [] };
  for (let round = 0; round < rounds; round++) {
    const first = time(a);
    const second = time(b);
    const third = time(b);
    const fourth = time(a);
    ratios.push((second + third) / (first + fourth));
    own.push(fourth / first);
    times.a.push(first, fourth);
    times.b.push(second, third);
  }
  return {
    median: median(ratios),
    least: Math.min(...ratios),
    most: Math.max(...ratios),
    aMs: median(times.a),
    bMs: median(times.b),
    aa: median(own),
  };
}

/** The middle value; of an even number the mean of the two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
