/** The server's clock as a page knows it: ages and delays are counted on it. */
import { type Signal, signal } from "@preact/signals";

/** After this long an old estimate no longer counts, so that a drifting clock is followed. */
const ESTIMATE_MS = 60_000;

/** Server time, estimated from what the stream says; frozen while the view is paused. */
export class Clock {
  /** Server clock, epoch milliseconds; moves once a second, for ages. */
  readonly second: Signal<number>;
  readonly #wall: () => number;
  #offset: number | null = null;
  #best = -Infinity;
  #bestBefore = -Infinity;
  #bestSince = 0;
  #frozenAt: number | null = null;
  #pageNow: number;

  /**
   * @param pageNow the server's clock when it drew the page: what `now` says until `tick`
   * @param wall the browser's clock, epoch milliseconds
   */
  constructor(pageNow: number, wall: () => number) {
    this.#pageNow = pageNow;
    this.#wall = wall;
    this.second = signal(pageNow);
  }

  /** Server time of what the view shows, epoch milliseconds. */
  now(): number {
    return this.#frozenAt ?? this.live();
  }

  /** Server time, paused or not. */
  live(): number {
    return this.#offset === null ? this.#pageNow : this.#wall() + this.#offset;
  }

  /**
   * Learns from a message that carries the server's clock. What came fastest comes nearest: the
   * greatest difference of the last minutes is taken as the offset.
   */
  learn(serverNow: number): void {
    const wall = this.#wall();
    if (wall - this.#bestSince > ESTIMATE_MS) {
      this.#bestBefore = this.#best;
      this.#best = -Infinity;
      this.#bestSince = wall;
    }
    this.#best = Math.max(this.#best, serverNow - wall);
    this.#offset = Math.max(this.#best, this.#bestBefore);
  }

  /** Begins to run from the page's own time, before the stream has said anything. */
  start(): void {
    this.#offset ??= this.#pageNow - this.#wall();
    this.tick();
  }

  /** Moves `second`; call about once a second. */
  tick(): void {
    this.second.value = this.now();
  }

  /** Holds `now` where it is, or lets it go on. */
  freeze(frozen: boolean): void {
    this.#frozenAt = frozen ? this.live() : null;
    this.tick();
  }
}
