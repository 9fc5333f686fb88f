/** What the hand-written peer keeps of a vehicle for the functions that its rules use. */
import { exp } from "../rules-wasm/assembly/shared_math.ts";

/** true, false, or null for unknown. */
export type Truth = boolean | null;

/** Two neighbours further apart than this belong to no one run, milliseconds. */
export const MAX_GAP_MS = 120_000;

/** x > limit; unknown if x is. */
export function above(x: number, limit: number): Truth {
  return Number.isNaN(x) ? null : x > limit;
}

/** x < limit; unknown if x is. */
export function below(x: number, limit: number): Truth {
  return Number.isNaN(x) ? null : x < limit;
}

/** Kleene's and. */
export function and(a: Truth, b: Truth): Truth {
  if (a === false || b === false) return false;
  return a === null || b === null ? null : true;
}

/** Kleene's or. */
export function or(a: Truth, b: Truth): Truth {
  if (a === true || b === true) return true;
  return a === null || b === null ? null : false;
}

/** The last value of a signal. */
export class LastValue {
  value = NaN;
  t = -Infinity;

  constructor(readonly staleAfterMs: number) {}

  /** Takes in what a sample carries (NaN: nothing); @returns the value at its T */
  take(t: number, x: number): number {
    if (!Number.isNaN(x)) {
      this.value = x;
      this.t = t;
      return x;
    }
    return t - this.t > this.staleAfterMs ? NaN : this.value;
  }
}

/** What `delta` and `rate` over a duration look back to: the last sample of each slot. */
export class Slots {
  readonly #slots: { slot: number; t: number; value: number }[] = [];
  readonly #widthMs: number;

  constructor(readonly durationMs: number) {
    this.#widthMs = Math.max(10, durationMs / 16);
  }

  /** @returns the kept sample that a difference at T is from, if there is one */
  step(t: number, x: number): { readonly t: number; readonly value: number } | undefined {
    const slots = this.#slots;
    if (!Number.isNaN(x)) {
      const slot = Math.floor(t / this.#widthMs);
      if (slots.length > 0 && slots[slots.length - 1].slot === slot) slots.pop();
      slots.push({ slot, t, value: x });
    }
    const before = t - this.durationMs;
    while (slots.length > 1 && slots[1].t <= before) slots.shift();
    const [first] = slots;
    if (!first || first.t > before || first.t < before - MAX_GAP_MS) return undefined;
    return first;
  }
}

/** A pane of a window: all that any of the functions needs. */
interface Pane {
  readonly index: number;
  sum: number;
  count: number;
  least: number;
  greatest: number;
}

/** The last d of a value, in panes. */
export class Panes {
  readonly #panes: Pane[] = [];
  readonly #widthMs: number;
  #since = NaN;
  #last = NaN;

  constructor(readonly durationMs: number) {
    this.#widthMs = Math.max(1000, durationMs / 32);
  }

  /** Moves on to T and takes in what came (NaN: nothing). */
  step(t: number, x: number): void {
    const panes = this.#panes;
    const before = t - this.durationMs;
    while (panes.length > 0 && (panes[0].index + 1) * this.#widthMs <= before) panes.shift();
    if (Number.isNaN(x)) return;
    const index = Math.floor(t / this.#widthMs);
    const newest = panes[panes.length - 1];
    if (newest && newest.index === index) {
      newest.sum += x;
      newest.count++;
      newest.least = Math.min(newest.least, x);
      newest.greatest = Math.max(newest.greatest, x);
    } else {
      panes.push({ index, sum: x, count: 1, least: x, greatest: x });
    }
    if (!(t - this.#last <= MAX_GAP_MS)) this.#since = t;
    this.#last = t;
  }

  /** Mean, once x has come for the whole duration. */
  average(t: number): number {
    const full = this.#last - this.#since >= this.durationMs && t - this.#last <= MAX_GAP_MS;
    if (!full) return NaN;
    let sum = NaN;
    let count = 0;
    for (const pane of this.#panes) {
      sum = count === 0 ? pane.sum : sum + pane.sum;
      count += pane.count;
    }
    return sum / count;
  }

  /** How many came. */
  count(): number {
    let count = 0;
    for (const pane of this.#panes) count += pane.count;
    return count;
  }

  /** Greatest less least. */
  spread(): number {
    let least = Infinity;
    let greatest = -Infinity;
    for (const pane of this.#panes) {
      least = Math.min(least, pane.least);
      greatest = Math.max(greatest, pane.greatest);
    }
    return this.#panes.length === 0 ? NaN : greatest - least;
  }
}

/** A mean weighted by elapsed time. */
export class WeightedMean {
  #mean = NaN;
  #last = NaN;

  constructor(readonly tauMs: number) {}

  /** @returns the mean with x in it (NaN: nothing came) */
  step(t: number, x: number): number {
    if (Number.isNaN(x)) return this.#mean;
    const a = 1 - exp(-(t - this.#last) / this.tauMs);
    const mean = this.#mean + a * (x - this.#mean);
    this.#mean = Number.isFinite(mean) ? mean : x;
    this.#last = t;
    return this.#mean;
  }
}

/** A run of trues that has lasted. */
export class Held {
  #first = NaN;
  #last = NaN;

  constructor(readonly durationMs: number) {}

  /** @param came whether the sample brings the condition */
  step(t: number, truth: Truth, came: boolean): Truth {
    if (came && truth === false) this.#last = NaN;
    if (came && truth === true) {
      if (!(t - this.#last <= MAX_GAP_MS)) this.#first = t;
      this.#last = t;
    }
    if (truth !== true) return truth;
    return t - this.#last <= MAX_GAP_MS && this.#last - this.#first >= this.durationMs;
  }
}

/** `seq` of two conditions. */
export class Sequence {
  #latest = NaN;
  #earlier = NaN;
  #was: Truth = null;

  constructor(readonly durationMs: number) {}

  /** @param came whether the sample brings the conditions */
  step(t: number, first: Truth, second: Truth, came: boolean): Truth {
    if (!came) return false;
    const before = this.#latest < t ? this.#latest : this.#earlier;
    const recent = t - before <= this.durationMs;
    if (first === true && this.#latest !== t) {
      this.#earlier = this.#latest;
      this.#latest = t;
    }
    if (second === null) return recent ? null : false;
    const turned = second && this.#was === false;
    this.#was = second;
    return turned && recent;
  }
}
