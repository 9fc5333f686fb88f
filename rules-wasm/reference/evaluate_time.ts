/** What the reference knows of times: of day and week, of runs, of what came before. */

/** The hour of the day in UTC, 0 to 23. */
export function hourOf(t: number): number {
  return new Date(t).getUTCHours();
}

/** The day of the week in UTC, 1 (Monday) to 7 (Sunday). */
export function weekdayOf(t: number): number {
  return new Date(t).getUTCDay() || 7;
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
