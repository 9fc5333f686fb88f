/** Zones as maps draw them: outlines in degrees. */
import type { ZoneView } from "../contract/views.ts";
import { STEPS_PER_DEGREE, type Zone } from "../rules-wasm/language/zone.ts";
import { placeAt } from "./geography.ts";

/** Corners of a drawn circle. */
const CIRCLE_CORNERS = 64;

/** The zones in the order of their file. */
export function zoneViews(zones: readonly Zone[]): ZoneView[] {
  return zones.map(({ id, name, shape }) => ({
    id,
    name,
    rings: shape.kind === "circle"
      ? [circle(shape.lat, shape.lon, shape.radiusMetres)]
      : shape.polygons.flat().map((ring) => Array.from(ring, (step) => step / STEPS_PER_DEGREE)),
  }));
}

function circle(lat: number, lon: number, radiusMetres: number): number[] {
  const degrees: number[] = [];
  for (let k = 0; k < CIRCLE_CORNERS; k++) {
    const place = placeAt(lat, lon, k * 360 / CIRCLE_CORNERS, radiusMetres);
    degrees.push(place.lon, place.lat);
  }
  return degrees;
}
