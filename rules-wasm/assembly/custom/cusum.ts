import { Slots } from "../slots.ts";

/** Sum of what x lies above the target, and below it, less the slack; never less than 0. */
const ABOVE = 0;
const BELOW = 1;

/** One sum after a sample: 0 before the first, at most `limit`. */
function grown(before: number, by: number, limit: number): number {
  const sum = before > 0 ? before + by : by;
  return sum > 0 ? Math.min(sum, limit) : 0;
}

/**
 * Cumulative sums (Page, "Continuous inspection schemes", Biometrika 41, 1954): finds a small shift
 * of the mean of x that single values hide.
 *
 * Every sample adds to the one sum what x lies above `target + slack`, to the other what it lies
 * below `target - slack`; neither falls below 0 nor grows beyond `limit`, so that it comes back.
 *
 * @returns the greater of the two, that below as a negative number; unknown where x or another
 * argument is, which leaves the sums as they are
 */
export function cusum(
  state: Slots,
  _t: number,
  x: number,
  target: number,
  slack: number,
  limit: number,
): number {
  const distance = x - target;
  if (isNaN(distance) || isNaN(slack) || isNaN(limit)) return NaN;
  const above = grown(state.get(ABOVE), distance - slack, limit);
  const below = grown(state.get(BELOW), -distance - slack, limit);
  state.set(ABOVE, above);
  state.set(BELOW, below);
  return below > above ? -below : above;
}
