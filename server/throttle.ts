/** How many wrong tokens a caller may show: guessing is slowed, and whoever knows the token is not. */

/** Wrong tokens per minute and caller before that caller is refused for the rest of the minute. */
export const WRONG_PER_MINUTE_MAX = 20;
const WINDOW_MS = 60_000;
/** Callers counted one by one; those beyond share one count. */
const CALLERS_MAX = 10_000;
/** Callers remembered for having shown the right token; beyond it the first ones are forgotten. */
const TRUSTED_MAX = 1_000;

/** Counts wrong tokens by caller, for requests with a token and sign-ins alike. */
export class Throttle {
  readonly #now: () => number;
  readonly #wrong = new Map<string, number>();
  readonly #trusted = new Set<string>();
  #since = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether the caller has shown too many wrong tokens, and never the right one. */
  refuses(caller: string): boolean {
    this.#turn();
    // One faulty client behind a shared address must not lock out those that work there.
    if (this.#trusted.has(caller)) return false;
    return (this.#wrong.get(this.#key(caller)) ?? 0) >= WRONG_PER_MINUTE_MAX;
  }

  /** Whether the caller is beyond the limit, trusted or not. */
  exceeded(caller: string): boolean {
    return (this.#wrong.get(this.#key(caller)) ?? 0) > WRONG_PER_MINUTE_MAX;
  }

  /** Notes what a caller showed. */
  showed(caller: string, right: boolean): void {
    this.#turn();
    if (!right) {
      const key = this.#key(caller);
      this.#wrong.set(key, (this.#wrong.get(key) ?? 0) + 1);
      return;
    }
    this.#trusted.add(caller);
    for (const first of this.#trusted) {
      if (this.#trusted.size <= TRUSTED_MAX) break;
      this.#trusted.delete(first);
    }
  }

  #turn(): void {
    const now = this.#now();
    if (now - this.#since <= WINDOW_MS && now >= this.#since) return;
    this.#since = now;
    this.#wrong.clear();
  }

  #key(caller: string): string {
    return this.#wrong.has(caller) || this.#wrong.size < CALLERS_MAX ? caller : "";
  }
}
