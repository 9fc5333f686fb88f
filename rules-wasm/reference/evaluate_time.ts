/** What the reference knows of times: of day and week, of runs, of what came before. */

import type { ZoneOffset } from "../language/time_zone.ts";

/** A date whose UTC parts are what the clocks of a zone show. */
function localDate(t: number, offsets: readonly ZoneOffset[]): Date {
  const inForce = offsets.findLast(({ fromMs }) => fromMs <= t);
  return new Date(t + (inForce?.offsetMs ?? 0));
}

/** The hour of the day in a zone, 0 to 23. */
export function hourOf(t: number, offsets: readonly ZoneOffset[]): number {
  return localDate(t, offsets).getUTCHours();
}

/** The day of the week in a zone, 1 (Monday) to 7 (Sunday). */
export function weekdayOf(t: number, offsets: readonly ZoneOffset[]): number {
  return localDate(t, offsets).getUTCDay() || 7;
}

/** Whether a run of trues reaches up to `t` and spans a duration. */
export function spans(
  trues: readonly number[],
  t: number,
  durationMs: number,
  maxGapMs: number,
): boolean {
  const last = trues.at(-1);
  return last !== undefined && t - last <= maxGapMs && last - trues[0] >= durationMs;
}

/** Whether one of `times` lies before `t`, by a duration at most. */
export function within(times: readonly number[], t: number, durationMs: number): boolean {
  return times.some((time) => time < t && t - time <= durationMs);
}
