/** The reference's samples that wait for older ones of their vehicle. */
import type { Cause } from "./lifecycle.ts";
import type { TelemetrySample } from "./telemetry_text.ts";

/** Most samples of one vehicle that wait. */
export const WAITING_PER_VEHICLE = 256;

/** A sample that was heard and is not evaluated yet. */
export interface WaitingSample {
  readonly sample: TelemetrySample;
  /** How it was heard: its T, A, offset and index. */
  readonly heard: Cause;
  /** How many samples of the partition were heard before it. */
  readonly position: number;
  /** Durations of `absent` that were true until it was heard. */
  readonly ended: ReadonlySet<number>;
}

/** Those of one vehicle, in the order in which they will be evaluated. */
export class WaitingSamples {
  #samples: WaitingSample[] = [];

  get size(): number {
    return this.#samples.length;
  }

  [Symbol.iterator](): Iterator<WaitingSample> {
    return this.#samples.values();
  }

  has(waiting: WaitingSample): boolean {
    return this.#samples.includes(waiting);
  }

  /** Of one T, what was heard first comes first. */
  add(waiting: WaitingSample): void {
    this.#samples.push(waiting);
    this.#samples.sort((a, b) => a.sample.t - b.sample.t || a.position - b.position);
  }

  /** Takes out, in order, those with T up to a limit. */
  takeUpTo(t: number): WaitingSample[] {
    return this.#take(this.#samples.filter(({ sample }) => sample.t <= t).length);
  }

  /** Takes out the oldest. */
  takeOldest(): WaitingSample[] {
    return this.#take(1);
  }

  /** Takes out one with all that come before it. */
  takeThrough(waiting: WaitingSample): WaitingSample[] {
    return this.#take(this.#samples.indexOf(waiting) + 1);
  }

  #take(count: number): WaitingSample[] {
    return this.#samples.splice(0, count);
  }
}
