/** Distances and bearings on the globe, as short steps of a vehicle need them. */

const EARTH_RADIUS_METRES = 6_371_008.8;
const RADIANS = Math.PI / 180;

/** Distance in metres by the equirectangular approximation: good to 0.1 % below 100 km. */
export function distanceMetres(lat0: number, lon0: number, lat1: number, lon1: number): number {
  const x = shortWay(lon1 - lon0) * RADIANS * Math.cos((lat0 + lat1) / 2 * RADIANS);
  const y = (lat1 - lat0) * RADIANS;
  return Math.hypot(x, y) * EARTH_RADIUS_METRES;
}

/** Bearing from the first point to the second: degrees clockwise from north, 0 to below 360. */
export function bearingDegrees(lat0: number, lon0: number, lat1: number, lon1: number): number {
  const x = shortWay(lon1 - lon0) * Math.cos((lat0 + lat1) / 2 * RADIANS);
  const bearing = Math.atan2(x, lat1 - lat0) / RADIANS;
  return bearing < 0 ? bearing + 360 : bearing;
}

function shortWay(degrees: number): number {
  if (degrees > 180) return degrees - 360;
  if (degrees < -180) return degrees + 360;
  return degrees;
}

/**
 * The place that lies so far away on the great circle of a bearing.
 *
 * @param bearing degrees clockwise from north
 * @returns degrees; the longitude goes on beyond 180 rather than jump there
 */
export function placeAt(
  lat: number,
  lon: number,
  bearing: number,
  metres: number,
): { readonly lat: number; readonly lon: number } {
  const far = metres / EARTH_RADIUS_METRES;
  const from = lat * RADIANS;
  const turn = bearing * RADIANS;
  const sin = Math.sin(from) * Math.cos(far) + Math.cos(from) * Math.sin(far) * Math.cos(turn);
  const east = Math.atan2(
    Math.sin(turn) * Math.sin(far) * Math.cos(from),
    Math.cos(far) - Math.sin(from) * sin,
  );
  return { lat: Math.asin(Math.max(-1, Math.min(1, sin))) / RADIANS, lon: lon + east / RADIANS };
}
