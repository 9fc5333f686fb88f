/** What the reference knows of places: zones by exact whole numbers, and kept positions. */
import { distanceMetres } from "../assembly/shared_math.ts";
import { type Polygon, type Ring, toSteps, type Zone } from "../language/zone.ts";

/** A position in degrees. */
export interface Position {
  readonly lat: number;
  readonly lon: number;
}

/** Whether a position lies in a zone or on its boundary. */
export function isInside({ shape }: Zone, { lat, lon }: Position): boolean {
  if (shape.kind === "circle") {
    return distanceMetres(shape.lat, shape.lon, lat, lon) <= shape.radiusMetres;
  }
  const point = { x: BigInt(toSteps(lon)), y: BigInt(toSteps(lat)) };
  return shape.polygons.some((polygon) => covers(polygon, point));
}

interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

/** In its outer ring and in no hole; a point on any ring belongs to it. */
function covers(polygon: Polygon, point: Point): boolean {
  const turns = polygon.map((ring) => windings(ring, point));
  if (turns.includes("on")) return true;
  return turns.filter((turn) => turn === "odd").length % 2 === 1;
}

/** Whether a half-line from the point meets the ring an odd number of times. */
function windings(ring: Ring, point: Point): "odd" | "even" | "on" {
  const corners: Point[] = [];
  for (let i = 0; i < ring.length; i += 2) {
    corners.push({ x: BigInt(ring[i]), y: BigInt(ring[i + 1]) });
  }
  let meets = 0;
  for (const [i, a] of corners.entries()) {
    const b = corners[(i + 1) % corners.length];
    // Twice the area of the triangle a, b, point: positive if the point is to the left of a to b.
    const side = (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x);
    const between = isBetween(a.x, point.x, b.x) && isBetween(a.y, point.y, b.y);
    if (side === 0n && between) return "on";
    const rises = a.y <= point.y && point.y < b.y;
    const falls = b.y <= point.y && point.y < a.y;
    if ((rises && side > 0n) || (falls && side < 0n)) meets++;
  }
  return meets % 2 === 1 ? "odd" : "even";
}

function isBetween(a: bigint, x: bigint, b: bigint): boolean {
  return (a <= x && x <= b) || (b <= x && x <= a);
}

/** The positions kept for `moved`: the last of each slot. */
export class KeptPositions {
  readonly #kept: { readonly slot: number; readonly t: number; readonly at: Position }[] = [];

  constructor(readonly durationMs: number, readonly slotMs: number, readonly maxGapMs: number) {}

  /** The same again, under another `max_gap`, without what the one so far made too old. */
  copy(stood: { readonly t: number; readonly maxGapMs: number }, maxGapMs: number): KeptPositions {
    const copy = new KeptPositions(this.durationMs, this.slotMs, maxGapMs);
    const oldest = stood.t - this.durationMs - stood.maxGapMs;
    copy.#kept.push(...this.#kept.filter(({ t }) => t >= oldest));
    return copy;
  }

  take(t: number, at: Position): void {
    const slot = Math.floor(t / this.slotMs);
    if (this.#kept.at(-1)?.slot === slot) this.#kept.pop();
    this.#kept.push({ slot, t, at });
  }

  /** Metres from the reference; NaN if there is none. */
  moved(t: number, { lat, lon }: Position): number {
    const before = t - this.durationMs;
    const reference = this.#kept.findLast((each) => each.t <= before);
    if (reference === undefined || reference.t < before - this.maxGapMs) return NaN;
    return distanceMetres(reference.at.lat, reference.at.lon, lat, lon);
  }
}
