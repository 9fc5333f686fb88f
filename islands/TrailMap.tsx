/** Where a vehicle went: its trail with the moment under the cursor. */
import type { Signal } from "@preact/signals";
import { metresPerPixel, worldPixels, worldX, worldY } from "./mercator.ts";
import { formatCount } from "./format.ts";
import { indexAt } from "./series_data.ts";

const WIDTH = 640;
const HEIGHT = 400;
const MARGIN = 32;
/** A trail is broken where positions lie further apart than this, milliseconds. */
const BREAK_MS = 60_000;

/** Positions over time, column by column, ascending. */
export interface Trail {
  readonly t: readonly number[];
  readonly lat: readonly number[];
  readonly lon: readonly number[];
}

/** The trail as a picture; it needs no scripts. */
export function TrailMap(props: { trail: Trail; cursor: Signal<number | null> }) {
  const { trail, cursor } = props;
  const count = trail.t.length;
  if (count === 0) return <p class="none">No position in this window.</p>;
  const place = placement(trail);
  const at = cursor.value === null ? count - 1 : Math.max(0, indexAt(trail.t, cursor.value));
  const [x, y] = place.point(at);
  return (
    <svg
      class="trail"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`Trail of ${formatCount(count)} positions`}
    >
      <path class="grid" d={gridPath()} />
      <path class="line" d={linePath(trail, place)} />
      <circle class="start" cx={place.point(0)[0]} cy={place.point(0)[1]} r={4} />
      <circle class="halo" cx={x} cy={y} r={13} />
      <circle class="here" cx={x} cy={y} r={5} />
      <path class="scale" d={`M16 ${HEIGHT - 16}v4h${place.scalePixels.toFixed(1)}v-4`} />
      <text x={20} y={HEIGHT - 20}>{place.scaleLabel}</text>
    </svg>
  );
}

interface Placement {
  readonly point: (index: number) => readonly [number, number];
  readonly scalePixels: number;
  readonly scaleLabel: string;
}

/** Fits the trail into the box; a vehicle that stood still gets at least 200 m across. */
function placement(trail: Trail): Placement {
  const xs = trail.lon.map(worldX);
  const ys = trail.lat.map(worldY);
  const box = (values: readonly number[]) => {
    const least = values.reduce((a, b) => Math.min(a, b));
    const most = values.reduce((a, b) => Math.max(a, b));
    return { middle: (least + most) / 2, span: most - least };
  };
  const across = box(xs);
  const down = box(ys);
  const lat = trail.lat[0] ?? 0;
  const least = 200 / (metresPerPixel(lat, 0) * worldPixels(0));
  const scale = Math.min(
    (WIDTH - 2 * MARGIN) / Math.max(across.span, least),
    (HEIGHT - 2 * MARGIN) / Math.max(down.span, least),
  );
  const metres = metresPerPixel(lat, 0) * worldPixels(0) / scale;
  const power = 10 ** Math.floor(Math.log10(metres * 140));
  const round = [5, 2, 1].map((digit) => digit * power).find((length) => length <= metres * 140) ??
    power;
  return {
    point: (k) => [
      (xs[k] - across.middle) * scale + WIDTH / 2,
      (ys[k] - down.middle) * scale + HEIGHT / 2,
    ],
    scalePixels: round / metres,
    scaleLabel: round >= 1000 ? `${formatCount(round / 1000)} km` : `${round} m`,
  };
}

function linePath(trail: Trail, place: Placement): string {
  let path = "";
  trail.t.forEach((time, k) => {
    const [x, y] = place.point(k);
    const isBroken = k === 0 || time - trail.t[k - 1] > BREAK_MS;
    path += `${isBroken ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return path;
}

function gridPath(): string {
  let path = "";
  for (let x = 80; x < WIDTH; x += 80) path += `M${x} 0V${HEIGHT}`;
  for (let y = 80; y < HEIGHT; y += 80) path += `M0 ${y}H${WIDTH}`;
  return path;
}
