/** Time between two readings of a wall clock, which may be set back or forward in between. */

/**
 * Whether `ms` have passed since a reading of the clock. A clock that was set back by as much counts
 * too: what is done now and then is then done once too soon, not put off until the clock is back
 * where it was.
 */
export function elapsed(now: number, since: number, ms: number): boolean {
  return Math.abs(now - since) >= ms;
}
