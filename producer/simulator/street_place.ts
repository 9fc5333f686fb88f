/** Where on the streets a position lies: what a sample of the simulation tells of its vehicle. */
import { METRES_PER_DEGREE, type StreetNetwork } from "./street_network.ts";

/** A place on an edge. */
export interface StreetPlace {
  readonly edge: number;
  /** Point of the edge last passed, and metres from its start. */
  readonly point: number;
  readonly along: number;
}

/** Positions are sent to a millionth of a degree; what lies further off the street is not on it. */
const METRES_MAX = 2;
/** Headings are sent to a tenth of a degree. */
const DEGREES_MAX = 1;

/** Finds places; keeps a box for each edge, so that most are passed over at once. */
export class StreetPlaces {
  readonly #boxes: Float64Array;

  constructor(readonly streets: StreetNetwork) {
    const { edgeCount, pointStart, x, y } = streets;
    this.#boxes = new Float64Array(4 * edgeCount);
    for (let edge = 0; edge < edgeCount; edge++) {
      const box = [Infinity, Infinity, -Infinity, -Infinity];
      for (let p = pointStart[edge]; p < pointStart[edge + 1]; p++) {
        box[0] = Math.min(box[0], x[p]);
        box[1] = Math.min(box[1], y[p]);
        box[2] = Math.max(box[2], x[p]);
        box[3] = Math.max(box[3], y[p]);
      }
      this.#boxes.set(box, 4 * edge);
    }
  }

  /**
   * The place of a position, driven through with a heading.
   *
   * @param heading degrees clockwise from north
   * @returns null if no street runs there that way
   */
  find(lat: number, lon: number, heading: number): StreetPlace | null {
    const { streets } = this;
    const boxes = this.#boxes;
    const y = (lat - streets.lat) * METRES_PER_DEGREE;
    const x = (lon - streets.lon) * METRES_PER_DEGREE * Math.cos(streets.lat * Math.PI / 180);
    let best: StreetPlace | null = null;
    let nearest = METRES_MAX;
    for (let edge = 0; edge < streets.edgeCount; edge++) {
      const k = 4 * edge;
      const isAway = x < boxes[k] - METRES_MAX || y < boxes[k + 1] - METRES_MAX ||
        x > boxes[k + 2] + METRES_MAX || y > boxes[k + 3] + METRES_MAX;
      if (isAway) continue;
      const last = streets.pointStart[edge + 1] - 1;
      for (let point = streets.pointStart[edge]; point < last; point++) {
        const { metres, share } = distance(streets, point, x, y, heading);
        if (!(metres < nearest)) continue;
        nearest = metres;
        const step = streets.along[point + 1] - streets.along[point];
        best = { edge, point, along: streets.along[point] + share * step };
      }
    }
    return best;
  }
}

/** Metres to the piece of street behind a point, and how far along it; NaN if it runs elsewhere. */
function distance(
  streets: StreetNetwork,
  point: number,
  x: number,
  y: number,
  heading: number,
): { readonly metres: number; readonly share: number } {
  const dx = streets.x[point + 1] - streets.x[point];
  const dy = streets.y[point + 1] - streets.y[point];
  const runs = Math.atan2(dx, dy) * 180 / Math.PI;
  const turn = Math.abs((runs - heading + 540) % 360 - 180);
  if (turn > DEGREES_MAX) return { metres: NaN, share: 0 };
  const px = x - streets.x[point];
  const py = y - streets.y[point];
  const length = dx * dx + dy * dy;
  const share = Math.min(1, Math.max(0, (px * dx + py * dy) / length));
  return { metres: Math.hypot(px - share * dx, py - share * dy), share };
}
