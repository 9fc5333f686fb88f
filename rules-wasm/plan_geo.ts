/** Instructions of positions, and zones as the kernel reads them. */
import * as K from "./assembly/plan_layout.ts";
import { EARTH_RADIUS_METRES } from "./assembly/shared_math.ts";
import type { PositionPart } from "./language/ast.ts";
import { type Polygon, toSteps, type Zone, type ZoneShape } from "./language/zone.ts";
import { numbersAt, type PlanCode } from "./plan_code.ts";
import { slotsCode } from "./plan_rings.ts";

/** The register of a part of the position. */
export function positionCode(code: PlanCode, { fn, args: [lat, lon] }: PositionPart): number {
  const key = `position ${code.structure(lat)} ${code.structure(lon)}`;
  const first = code.stateful(key, 16, 2, numbersAt(0, 16), (dst, state) => ({
    op: K.OP_POSITION,
    dst,
    a: code.value(lat),
    b: code.value(lon),
    c: code.bringing(lon),
    state,
    brings: code.bringing(lat),
  }));
  return fn === "latitude" ? first : first + 1;
}

/** The register of the distance from the position at the reference. */
export function movedCode(
  code: PlanCode,
  [lat, lon]: readonly [PositionPart, PositionPart],
  durationMs: number,
): number {
  return code.emitValue({
    op: K.OP_MOVED,
    a: code.value(lat),
    b: code.value(lon),
    c: slotsCode(code, lat, durationMs),
    k0: durationMs + code.maxGapMs,
    k1: slotsCode(code, lon, durationMs),
  });
}

/** The register of whether the position lies in a zone. */
export function insideCode(
  code: PlanCode,
  zone: Zone,
  [lat, lon]: readonly [PositionPart, PositionPart],
): number {
  return code.emitCondition({
    op: K.OP_INSIDE,
    a: code.value(lat),
    b: code.value(lon),
    c: code.place(`zone ${zone.digest}`, () => zoneData(zone.shape)),
  });
}

/** Least and greatest longitude, least and greatest latitude, in steps. */
type Box = readonly [number, number, number, number];

/** A zone's numbers, as laid out in assembly/plan_layout.ts. */
function zoneData(shape: ZoneShape): readonly number[] {
  if (shape.kind === "circle") {
    return [...circleBox(shape), 0, shape.lat, shape.lon, shape.radiusMetres];
  }
  const polygons = shape.polygons.map(polygonData);
  const box = joined(shape.polygons.flat().map(boxOf));
  return [...box, polygons.length, ...polygons.flat()];
}

function polygonData(polygon: Polygon): readonly number[] {
  const rings = polygon.flatMap((ring) => [ring.length / 2, ...ring]);
  const bytes = K.POLYGON_BYTES + 8 * rings.length;
  return [...joined(polygon.map(boxOf)), bytes, polygon.length, ...rings];
}

function boxOf(ring: Int32Array): Box {
  let [minX, maxX, minY, maxY] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < ring.length; i += 2) {
    minX = Math.min(minX, ring[i]);
    maxX = Math.max(maxX, ring[i]);
    minY = Math.min(minY, ring[i + 1]);
    maxY = Math.max(maxY, ring[i + 1]);
  }
  return [minX, maxX, minY, maxY];
}

function joined(boxes: readonly Box[]): Box {
  return boxes.reduce(([a, b, c, d], [e, f, g, h]) => [
    Math.min(a, e),
    Math.max(b, f),
    Math.min(c, g),
    Math.max(d, h),
  ]);
}

/** By how much the box of a circle is wider than it need be, in degrees: 10 cm. */
const SLACK_DEGREES = 1e-6;

/** A box that holds a circle, not the least one: what is outside it is surely outside. */
function circleBox({ lat, lon, radiusMetres }: Extract<ZoneShape, { kind: "circle" }>): Box {
  const degrees = 180 / Math.PI;
  const reach = radiusMetres / EARTH_RADIUS_METRES;
  const up = reach * degrees + SLACK_DEGREES;
  const [minLat, maxLat] = [lat - up, lat + up];
  let across = Infinity;
  if (minLat > -90 && maxLat < 90) {
    // Where meridians touch the circle.
    across = Math.asin(Math.sin(reach) / Math.cos(lat / degrees)) * degrees + SLACK_DEGREES;
  }
  const whole = !(lon - across >= -180 && lon + across <= 180);
  const [minLon, maxLon] = whole ? [-181, 181] : [lon - across, lon + across];
  return [toSteps(minLon), toSteps(maxLon), toSteps(minLat), toSteps(maxLat)];
}
