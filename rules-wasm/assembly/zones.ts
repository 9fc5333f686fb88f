/** Whether a position lies in a zone, exactly: on corners in whole steps, products in 64 bits. */
import {
  POLYGON_BYTES,
  POLYGON_NEXT,
  POLYGON_RINGS,
  ZONE_CIRCLE_LAT,
  ZONE_CIRCLE_LON,
  ZONE_CIRCLE_RADIUS,
  ZONE_MAX_X,
  ZONE_MAX_Y,
  ZONE_MIN_X,
  ZONE_MIN_Y,
  ZONE_POLYGONS,
  ZONE_POLYGONS_AT,
} from "./plan_layout";
import { distanceMetres } from "./shared_math";

/** Whether a box, at the start of a zone or polygon, holds a position in steps. */
@inline
function boxHolds(box: usize, x: f64, y: f64): bool {
  return x >= load<f64>(box, ZONE_MIN_X) && x <= load<f64>(box, ZONE_MAX_X) &&
    y >= load<f64>(box, ZONE_MIN_Y) && y <= load<f64>(box, ZONE_MAX_Y);
}

const OUTSIDE: u32 = 0;
const WITHIN: u32 = 1;
const ON: u32 = 2;

/**
 * Where a position lies to a ring of `count` corners: how many of its edges cross the ray to the
 * east, odd or even, unless it lies on one of them.
 */
function ringHolds(corners: usize, count: u32, x: f64, y: f64): u32 {
  const last = corners + (<usize>(count - 1) << 4);
  let ax = load<f64>(last);
  let ay = load<f64>(last, 8);
  let odd = OUTSIDE;
  for (let i: u32 = 0; i < count; i++) {
    const bx = load<f64>(corners + (<usize>i << 4));
    const by = load<f64>(corners + (<usize>i << 4), 8);
    if ((ay > y) != (by > y)) {
      // Differences are below 2^32 (longitudes) and 2^31 (latitudes).
      const edge = <i64>(bx - ax) * <i64>(y - ay);
      const point = <i64>(x - ax) * <i64>(by - ay);
      if (edge == point) return ON;
      if ((edge > point) == (by > ay)) odd ^= WITHIN;
    } else if (by == y && (bx == x || (ay == y && (ax > x) != (bx > x)))) {
      return ON;
    }
    ax = bx;
    ay = by;
  }
  return odd;
}

/** Even-odd over all rings of a polygon, so that a hole is outside; the boundary belongs to it. */
function polygonHolds(polygon: usize, x: f64, y: f64): bool {
  const rings = <u32>load<f64>(polygon, POLYGON_RINGS);
  let ring = polygon + POLYGON_BYTES;
  let odd = OUTSIDE;
  for (let i: u32 = 0; i < rings; i++) {
    const count = <u32>load<f64>(ring);
    const where = ringHolds(ring + 8, count, x, y);
    if (where == ON) return true;
    odd ^= where;
    ring += 8 + (<usize>count << 4);
  }
  return odd == WITHIN;
}

/**
 * Whether a zone holds a position that its box holds.
 *
 * @param x longitude in whole steps
 * @param y latitude in whole steps
 */
export function zoneHolds(zone: usize, lat: f64, lon: f64, x: f64, y: f64): bool {
  const polygons = <u32>load<f64>(zone, ZONE_POLYGONS);
  if (polygons == 0) {
    const far = distanceMetres(
      load<f64>(zone, ZONE_CIRCLE_LAT),
      load<f64>(zone, ZONE_CIRCLE_LON),
      lat,
      lon,
    );
    return far <= load<f64>(zone, ZONE_CIRCLE_RADIUS);
  }
  let polygon = zone + ZONE_POLYGONS_AT;
  for (let i: u32 = 0; i < polygons; i++) {
    if (boxHolds(polygon, x, y) && polygonHolds(polygon, x, y)) return true;
    polygon += <usize>load<f64>(polygon, POLYGON_NEXT);
  }
  return false;
}
