/** Web Mercator: the whole earth as the unit square, x to the east, y to the south. */

/** Pixels of the whole earth at zoom 0. */
export const TILE_PIXELS = 256;
/** Zooms between which the map moves. */
export const ZOOM_MIN = 1;
export const ZOOM_MAX = 19;

const LATITUDE_MAX = 85.05112878;
const EARTH_METRES = 40_075_016.686;

/** Where the map looks: degrees at the centre, zoom as power of two. */
export interface Camera {
  readonly lat: number;
  readonly lon: number;
  readonly zoom: number;
}

/** A box on the map in degrees. */
export interface Bounds {
  readonly south: number;
  readonly west: number;
  readonly north: number;
  readonly east: number;
}

/** x of a longitude, 0 at -180 degrees, 1 at 180. */
export function worldX(lon: number): number {
  return lon / 360 + 0.5;
}

/** y of a latitude, 0 in the north; latitudes beyond the square are held at its edge. */
export function worldY(lat: number): number {
  const sin = Math.sin(clamp(lat, -LATITUDE_MAX, LATITUDE_MAX) * Math.PI / 180);
  return 0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI);
}

/** Longitude of an x. */
export function lonOf(x: number): number {
  return (x - 0.5) * 360;
}

/** Latitude of a y. */
export function latOf(y: number): number {
  return Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180 / Math.PI;
}

/** Pixels of the unit square's side at a zoom. */
export function worldPixels(zoom: number): number {
  return TILE_PIXELS * 2 ** zoom;
}

/** Metres that a pixel spans at a latitude. */
export function metresPerPixel(lat: number, zoom: number): number {
  return EARTH_METRES * Math.cos(lat * Math.PI / 180) / worldPixels(zoom);
}

/** The camera moved by pixels of the screen: right and down are positive. */
export function panned(camera: Camera, dx: number, dy: number): Camera {
  const scale = worldPixels(camera.zoom);
  return {
    lat: latOf(clamp(worldY(camera.lat) + dy / scale, 0, 1)),
    lon: clamp(camera.lon + dx / scale * 360, -180, 180),
    zoom: camera.zoom,
  };
}

/**
 * The camera after zooming so that the point at (x, y) pixels from the centre stays where it is.
 */
export function zoomedAt(camera: Camera, zoom: number, x: number, y: number): Camera {
  const next = clamp(zoom, ZOOM_MIN, ZOOM_MAX);
  const moved = panned(camera, x, y);
  return panned({ ...moved, zoom: next }, -x, -y);
}

/** The camera that shows a box within a screen of that many pixels, with a margin. */
export function fitted(bounds: Bounds, width: number, height: number, margin = 48): Camera {
  const x0 = worldX(bounds.west);
  const x1 = worldX(bounds.east);
  const y0 = worldY(bounds.north);
  const y1 = worldY(bounds.south);
  const wide = Math.max(1, width - 2 * margin) / Math.max(1e-9, x1 - x0);
  const high = Math.max(1, height - 2 * margin) / Math.max(1e-9, y1 - y0);
  const zoom = Math.log2(Math.min(wide, high) / TILE_PIXELS);
  return {
    lat: latOf((y0 + y1) / 2),
    lon: lonOf((x0 + x1) / 2),
    zoom: clamp(zoom, ZOOM_MIN, 16),
  };
}

/**
 * The box around positions, leaving out the far strays: the 1st to the 99th percentile once there
 * are many, so that one wrong position does not shrink the fleet to a dot.
 *
 * @returns null if there is no position
 */
export function boundsOf(lats: readonly number[], lons: readonly number[]): Bounds | null {
  if (lats.length === 0) return null;
  const cut = lats.length < 50 ? 0 : Math.floor(lats.length / 100);
  const byLat = lats.toSorted((a, b) => a - b);
  const byLon = lons.toSorted((a, b) => a - b);
  const last = lats.length - 1 - cut;
  return { south: byLat[cut], north: byLat[last], west: byLon[cut], east: byLon[last] };
}

/** Camera as the URL carries it: `lat,lon,zoom`. */
export function cameraText(camera: Camera): string {
  return `${camera.lat.toFixed(5)},${camera.lon.toFixed(5)},${camera.zoom.toFixed(2)}`;
}

/** Reads a camera from the URL; null if it is none. */
export function cameraOf(text: string | null): Camera | null {
  if (text === null) return null;
  const [lat, lon, zoom] = text.split(",").map(Number);
  if (![lat, lon, zoom].every((value) => Number.isFinite(value))) return null;
  if (Math.abs(lat) > 90 || Math.abs(lon) > 180) return null;
  return { lat, lon, zoom: clamp(zoom, ZOOM_MIN, ZOOM_MAX) };
}

/** A value held between two bounds. */
export function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
