/** Seeded chance: many small independent streams in one typed array, one for each vehicle. */

/** Mixes two 32-bit numbers into one; neighbouring inputs give unrelated outputs. */
export function mixSeed(seed: number, stream: number): number {
  let h = (seed ^ 0x9e3779b9) >>> 0;
  h = Math.imul(h ^ (stream + 0x85ebca6b), 0xc2b2ae35) >>> 0;
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) >>> 0;
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39) >>> 0;
  return (h ^ (h >>> 15)) >>> 0;
}

/**
 * Independent streams of pseudo-random numbers (mulberry32, one 32-bit state a stream).
 *
 * Drawing from one stream never moves another, so a vehicle's life does not depend on the others.
 */
export class RandomStreams {
  readonly #state: Uint32Array;

  /** @param streams number of streams, numbered from 0 */
  constructor(seed: number, streams: number) {
    this.#state = new Uint32Array(streams);
    for (let i = 0; i < streams; i++) this.#state[i] = mixSeed(seed, i);
  }

  /** Uniform in [0, 1). */
  next(stream: number): number {
    const s = (this.#state[stream] + 0x6d2b79f5) >>> 0;
    this.#state[stream] = s;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** Uniform in [low, high). */
  between(stream: number, low: number, high: number): number {
    return low + (high - low) * this.next(stream);
  }

  /** Whole number in [0, n). */
  below(stream: number, n: number): number {
    return Math.floor(this.next(stream) * n);
  }

  /** Bell-shaped with mean 0 and standard deviation 1, never beyond ±3 (sum of four uniforms). */
  bell(stream: number): number {
    const sum = this.next(stream) + this.next(stream) + this.next(stream) + this.next(stream);
    // The sum has mean 2 and variance 4/12; the extremes are clipped so that bounds are bounds.
    const z = (sum - 2) * 1.7320508075688772;
    return z < -3 ? -3 : z > 3 ? 3 : z;
  }
}
