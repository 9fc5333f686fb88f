/** The last d of one value: its panes with every sample, folded anew whenever it is asked for. */
import type { WindowFunction } from "../language/ast.ts";

interface Pane {
  readonly index: number;
  readonly samples: number[];
}

/** Count, mean, and sum of the squares of distances from it. */
interface Spread {
  readonly n: number;
  readonly mean: number;
  readonly m2: number;
}

/** Width of the panes of a window over d: max(1 s, d/32). */
export function paneWidthMs(durationMs: number): number {
  return Math.max(1000, durationMs / 32);
}

/** A window of (T-d, T], in whole panes. */
export class SampleWindow {
  #panes: Pane[] = [];
  /** T from which samples came without a gap over `maxGapMs`, and T of the last. */
  #since = NaN;
  #last = NaN;

  constructor(readonly durationMs: number, readonly maxGapMs: number) {}

  /** The same again, under another `max_gap`. */
  copy(maxGapMs: number): SampleWindow {
    const copy = new SampleWindow(this.durationMs, maxGapMs);
    copy.#panes = this.#panes.map(({ index, samples }) => ({ index, samples: [...samples] }));
    copy.#since = this.#since;
    copy.#last = this.#last;
    return copy;
  }

  /** Takes in a sample; T never falls. */
  take(t: number, value: number): void {
    const index = Math.floor(t / paneWidthMs(this.durationMs));
    const newest = this.#panes.at(-1);
    if (newest?.index === index) newest.samples.push(value);
    else this.#panes.push({ index, samples: [value] });
    const follows = t - this.#last <= this.maxGapMs;
    if (!follows) this.#since = t;
    this.#last = t;
  }

  /** The function's value at T; NaN for unknown. */
  result(fn: WindowFunction | "count", t: number): number {
    const { durationMs } = this;
    const ended = t - durationMs;
    this.#panes = this.#panes.filter((pane) => (pane.index + 1) * paneWidthMs(durationMs) > ended);
    const panes = this.#panes.map((pane) => pane.samples);
    const full = this.#last - this.#since >= durationMs && t - this.#last <= this.maxGapMs;
    switch (fn) {
      case "count":
        return countOf(panes);
      case "sum":
        return sumOf(panes);
      case "avg":
        return full ? sumOf(panes) / countOf(panes) : NaN;
      case "lowest":
        return panes.length === 0 ? NaN : Math.min(...panes.flat());
      case "highest":
        return panes.length === 0 ? NaN : Math.max(...panes.flat());
      case "stddev": {
        if (!full || panes.length === 0) return NaN;
        const { n, m2 } = panes.map(spreadOf).reduce(merged);
        return Math.sqrt(m2 / n);
      }
    }
  }
}

function countOf(panes: readonly number[][]): number {
  return panes.flat().length;
}

function sumOf(panes: readonly number[][]): number {
  const sums = panes.map((samples) => samples.reduce((sum, x) => sum + x, 0));
  return sums.length === 0 ? 0 : sums.reduce((sum, pane) => sum + pane);
}

/** Welford's recurrence over the samples of a pane. */
function spreadOf(samples: readonly number[]): Spread {
  return samples.reduce<Spread>((before, x) => {
    const n = before.n + 1;
    const mean = before.mean + (x - before.mean) / n;
    return { n, mean, m2: before.m2 + (x - before.mean) * (x - mean) };
  }, { n: 0, mean: 0, m2: 0 });
}

/** Chan's merging of two spreads, the older first. */
function merged(a: Spread, b: Spread): Spread {
  const n = a.n + b.n;
  const distance = b.mean - a.mean;
  return {
    n,
    mean: a.mean + distance * (b.n / n),
    m2: a.m2 + b.m2 + distance * distance * (a.n * b.n / n),
  };
}
