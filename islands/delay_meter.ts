/** Screen delay: from a sample's append time to the paint that shows it. */

/** Delays kept: about two seconds of 2,000 vehicles, or a minute of 60. */
const DELAYS_MAX = 4096;
/** Delays older than this no longer count, milliseconds. */
const WINDOW_MS = 30_000;

/** Keeps the last delays in a ring and says their percentiles. */
export class DelayMeter {
  readonly #delays = new Float32Array(DELAYS_MAX);
  readonly #at = new Float64Array(DELAYS_MAX);
  #next = 0;
  #pending: number[] = [];

  /** A sample with that append time will be in the next paint. */
  expect(append: number): void {
    if (this.#pending.length < DELAYS_MAX) this.#pending.push(append);
  }

  /** Forgets what was expected: it was not painted (a hidden tab, a paused view). */
  forget(): void {
    this.#pending = [];
  }

  /** What was expected is on the screen as of `now` (server clock, milliseconds). */
  painted(now: number): void {
    for (const append of this.#pending) {
      this.#delays[this.#next] = Math.max(0, now - append);
      this.#at[this.#next] = now;
      this.#next = (this.#next + 1) % DELAYS_MAX;
    }
    this.#pending = [];
  }

  /** The percentile of the delays within the window, milliseconds; NaN if there are none. */
  percentile(share: number, now: number): number {
    const recent: number[] = [];
    for (let k = 0; k < DELAYS_MAX; k++) {
      if (this.#at[k] > 0 && now - this.#at[k] <= WINDOW_MS) recent.push(this.#delays[k]);
    }
    if (recent.length === 0) return NaN;
    recent.sort((a, b) => a - b);
    return recent[Math.min(recent.length - 1, Math.ceil(share * recent.length) - 1)];
  }
}
