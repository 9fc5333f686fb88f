/**
 * Tells readers that something new may be there.
 *
 * This thread's own commits are told at once; those of others show in `PRAGMA data_version`, which
 * is looked at while someone waits: often after a change, seldom when nothing happens.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Pause between two looks after a change. */
const POLL_MS_MIN = 1;
/** Growth of the pause from look to look. */
const POLL_GROWTH = 1.3;

/** Waiting for changes over one connection. */
export class Changes {
  readonly #version: StatementSync;
  /** Time at which each waiter's wait is over, by what ends it. */
  readonly #waiters = new Map<() => void, number>();
  readonly #pollMsMax: number;
  #seen: unknown;
  #pauseMs = POLL_MS_MIN;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;

  /** @param pollMsMax longest pause between two looks when nothing happens */
  constructor(database: DatabaseSync, pollMsMax: number) {
    this.#version = database.prepare("PRAGMA data_version");
    this.#pollMsMax = Math.max(POLL_MS_MIN, pollMsMax);
    this.#seen = this.#look();
  }

  /** Wakes all who wait, after a commit of this thread. */
  notify(): void {
    this.#pauseMs = POLL_MS_MIN;
    this.#wake();
  }

  /**
   * Resolves at the next change, when `ms` have passed (or up to a poll later), when a signal
   * aborts, or on `close`.
   */
  wait(ms: number, ...signals: readonly AbortSignal[]): Promise<void> {
    if (this.#closed || signals.some(({ aborted }) => aborted)) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = () => {
      for (const signal of signals) signal.removeEventListener("abort", end);
      this.#waiters.delete(end);
      if (this.#waiters.size === 0) this.#stop();
      resolve();
    };
    for (const signal of signals) signal.addEventListener("abort", end);
    // One timer serves them all: a wake-up of the runtime costs more than a look.
    this.#waiters.set(end, performance.now() + ms);
    if (this.#timer === null) this.#schedule();
    return promise;
  }

  /** Ends all waiting; later waits return at once. */
  close(): void {
    this.#closed = true;
    this.#wake();
    this.#stop();
  }

  #schedule(): void {
    const left = Math.min(...this.#waiters.values()) - performance.now();
    const pauseMs = Math.max(POLL_MS_MIN, Math.min(this.#pauseMs, left));
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const version = this.#look();
      if (version !== this.#seen) {
        this.#seen = version;
        this.#pauseMs = POLL_MS_MIN;
        this.#wake();
      } else {
        this.#pauseMs = Math.min(this.#pollMsMax, this.#pauseMs * POLL_GROWTH);
        const now = performance.now();
        for (const [end, due] of [...this.#waiters]) if (due <= now) end();
      }
      if (this.#waiters.size > 0 && this.#timer === null) this.#schedule();
    }, pauseMs);
  }

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #look(): unknown {
    try {
      return this.#version.get()?.data_version;
    } catch {
      // The reader that this wakes meets the same fault and tells it.
      return null;
    }
  }

  #wake(): void {
    for (const end of [...this.#waiters.keys()]) end();
  }
}

/** Lets timers and messages of this thread have their turn; some microseconds. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
