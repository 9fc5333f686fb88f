/**
 * What a custom operator keeps between samples, as the reference engine runs it.
 *
 * Authors import this module; `slots_kernel.ts` takes its place in the kernel and does the same.
 */

/** The numbers that one call of an operator keeps for one vehicle, NaN at first. */
export class Slots {
  readonly #values: Float64Array;
  /** A place that was asked for and that the operator has not declared; the build refuses it. */
  outside: number | null = null;

  /** @param count how many */
  constructor(count: number) {
    this.#values = new Float64Array(count).fill(NaN);
  }

  /** The number at place `i`, from 0; NaN outside. */
  get(i: number): number {
    return this.#holds(i) ? this.#values[Math.floor(i)] : NaN;
  }

  /** Keeps a number at place `i`, from 0; outside, nothing is kept. */
  set(i: number, value: number): void {
    if (this.#holds(i)) this.#values[Math.floor(i)] = value;
  }

  #holds(i: number): boolean {
    const holds = i >= 0 && i < this.#values.length;
    if (!holds) this.outside = i;
    return holds;
  }
}
