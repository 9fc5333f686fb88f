/** Series as charts take them: gaps told, windows kept, values found by time. */

/** Between samples further apart than this a chart shows a gap, milliseconds. */
export const GAP_MS = 60_000;

/** One signal over time, growing at its end. */
export interface ChartSeries {
  readonly signal: string;
  readonly unit: string;
  /** T, epoch milliseconds, ascending. */
  readonly t: readonly number[];
  readonly v: readonly number[];
}

/** Times and values with a null where a gap is, as uPlot draws them. */
export function withGaps(series: ChartSeries): [number[], (number | null)[]] {
  const times: number[] = [];
  const values: (number | null)[] = [];
  series.t.forEach((time, k) => {
    const before = series.t[k - 1];
    if (k > 0 && time - before > GAP_MS) {
      times.push(before + 1);
      values.push(null);
    }
    times.push(time);
    values.push(series.v[k]);
  });
  return [times, values];
}

/** The series with a newer sample, and without what lies before `from`. */
export function appended(
  series: ChartSeries,
  time: number,
  value: number | undefined,
  from: number,
): ChartSeries {
  const last = series.t[series.t.length - 1] ?? -Infinity;
  if (value === undefined || time <= last) return series;
  const first = series.t.findIndex((t) => t >= from);
  const cut = first < 0 ? series.t.length : first;
  return { ...series, t: [...series.t.slice(cut), time], v: [...series.v.slice(cut), value] };
}

/** Index of the sample at or before a time, -1 if all come later. */
export function indexAt(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** A stretch of time in one state. */
export interface Stretch {
  readonly moving: boolean;
  readonly from: number;
  readonly to: number;
}

/** Above this speed a vehicle moves, km/h. */
const MOVING_KMH = 3;

/** Stretches of moving and standing by the speed; none over gaps. */
export function stretches(speed: ChartSeries): readonly Stretch[] {
  const found: Stretch[] = [];
  for (let k = 1; k < speed.t.length; k++) {
    const from = speed.t[k - 1];
    const to = speed.t[k];
    if (to - from > GAP_MS) continue;
    const moving = speed.v[k - 1] > MOVING_KMH;
    const last = found[found.length - 1];
    if (last !== undefined && last.moving === moving && last.to === from) {
      found[found.length - 1] = { ...last, to };
    } else found.push({ moving, from, to });
  }
  return found;
}

/**
 * The series as the points of a polyline per unbroken run, within a box of that size.
 *
 * @param range least and greatest value that the box shows
 * @returns values for `points` attributes, with coordinates to a tenth
 */
export function polylines(
  series: ChartSeries,
  from: number,
  to: number,
  width: number,
  height: number,
  [least, most]: readonly [number, number] = rangeOf(series.v),
): readonly string[] {
  const lines: string[] = [];
  let points: string[] = [];
  series.t.forEach((time, k) => {
    if (k > 0 && time - series.t[k - 1] > GAP_MS) {
      lines.push(points.join(" "));
      points = [];
    }
    const x = (time - from) / Math.max(1, to - from) * width;
    const y = height - (series.v[k] - least) / (most - least) * height;
    points.push(`${x.toFixed(1)},${y.toFixed(1)}`);
  });
  lines.push(points.join(" "));
  return lines.filter((line) => line !== "");
}

/** Least and greatest value with some room, never the same. */
export function rangeOf(values: readonly number[]): readonly [number, number] {
  let least = Infinity;
  let most = -Infinity;
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (!Number.isFinite(least)) return [0, 1];
  const room = Math.max((most - least) * 0.08, Math.abs(most) * 0.01, 0.5);
  return [least >= 0 && least - room < 0 ? 0 : least - room, most + room];
}
