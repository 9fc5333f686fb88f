/** Mean and variance of one value, weighted by elapsed time. */
import { exp } from "../assembly/shared_math.ts";

/** State of `ewma` or `zscore` of one value. */
export class WeightedMean {
  #mean = NaN;
  #variance = NaN;
  /** T from which samples came without a gap over `maxGapMs`, and T of the last. */
  #since = NaN;
  #last = NaN;

  constructor(readonly tauMs: number, readonly maxGapMs: number) {}

  /** The same again, under another `max_gap`. */
  copy(maxGapMs: number): WeightedMean {
    const copy = new WeightedMean(this.tauMs, maxGapMs);
    copy.#mean = this.#mean;
    copy.#variance = this.#variance;
    copy.#since = this.#since;
    copy.#last = this.#last;
    return copy;
  }

  /** The mean, of all samples taken in; NaN before the first. */
  mean(): number {
    return this.#mean;
  }

  /** Notes that x came at T: the first half of taking it in. */
  come(t: number): number {
    const elapsed = t - this.#last;
    const follows = elapsed <= this.maxGapMs;
    if (!follows) this.#since = t;
    this.#last = t;
    return elapsed;
  }

  /** How many standard deviations x lies from the mean at T; not finite or NaN for unknown. */
  score(t: number, x: number): number {
    const full = this.#last - this.#since >= this.tauMs && t - this.#last <= this.maxGapMs;
    return full ? (x - this.#mean) / Math.sqrt(this.#variance) : NaN;
  }

  /** Moves mean and variance by x, `elapsedMs` after the one before it (NaN: it is the first). */
  move(x: number, elapsedMs: number): void {
    const a = 1 - exp(-elapsedMs / this.tauMs);
    const distance = x - this.#mean;
    this.#mean = this.#mean + a * distance;
    this.#variance = (1 - a) * (this.#variance + a * distance * distance);
    if (Number.isFinite(this.#mean) && Number.isFinite(this.#variance)) return;
    this.#mean = x;
    this.#variance = 0;
  }
}
