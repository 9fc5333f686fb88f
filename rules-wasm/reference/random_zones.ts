/** Random zones for the differential test, and where random logs drive about among them. */
import type { Seeded } from "../../testing/seeded.ts";
import { loadZones } from "../language/zones_file.ts";

/** The middle of where random vehicles drive: in towns, at a pole, on both sides of a meridian. */
export interface Place {
  readonly lat: number;
  readonly lon: number;
}

const PLACES: readonly Place[] = [
  { lat: 52.5, lon: 13.4 },
  { lat: -33.86, lon: 151.2 },
  { lat: 0, lon: 0 },
  { lat: 89.995, lon: 45 },
  { lat: -89.997, lon: -170 },
  { lat: 10, lon: 180 },
  { lat: -17.5, lon: -179.998 },
];

/** Steps of the grid about a place on which corners and most positions lie, on either side. */
export const GRID_REACH = 10;

/** A place for vehicles to drive at. */
export function randomPlace(random: Seeded): Place {
  return random.chance(0.6) ? PLACES[0] : random.pick(PLACES);
}

/** A point of the grid, 0.001 degrees wide; within the range of the catalog. */
export function gridPoint({ lat, lon }: Place, up: number, right: number): Place {
  const east = lon + right / 1000;
  const wrapped = east > 180 ? east - 360 : east < -180 ? east + 360 : east;
  return {
    lat: Number(Math.max(-90, Math.min(90, lat + up / 1000)).toFixed(6)),
    lon: Number(wrapped.toFixed(6)),
  };
}

/** A random `zones.geojson` with the ids of its zones. */
export interface RandomZones {
  readonly text: string;
  readonly ids: readonly string[];
}

/** One to five zones about a place: polygons of any shape, holes, several parts, circles. */
export function randomZones(random: Seeded, place: Place): RandomZones {
  const ids = Array.from({ length: 1 + random.below(5) }, (_, i) => `zone ${i}`);
  const features = ids.map((id) => {
    for (;;) {
      const feature = randomFeature(random, place, id);
      // Corners on one line are no zone.
      const { ok } = loadZones(collection([feature]), { file: "", hash: () => "" });
      if (ok) return feature;
    }
  });
  return { text: collection(features), ids };
}

function collection(features: readonly unknown[]): string {
  return JSON.stringify({ type: "FeatureCollection", features });
}

function randomFeature(random: Seeded, place: Place, id: string): unknown {
  const feature = { type: "Feature", id };
  const dice = random.below(10);
  if (dice < 3) {
    const radius = random.pick([50, 111.2, 300, 700, 1500.5, 5_000_000]);
    const coordinates = corner(random, place);
    return { ...feature, properties: { radius }, geometry: { type: "Point", coordinates } };
  }
  if (dice < 8) {
    const coordinates = randomPolygon(random, place);
    return { ...feature, properties: null, geometry: { type: "Polygon", coordinates } };
  }
  const coordinates = Array.from(
    { length: 1 + random.below(3) },
    () => randomPolygon(random, place),
  );
  return { ...feature, properties: {}, geometry: { type: "MultiPolygon", coordinates } };
}

type Corner = readonly [number, number];

function corner(random: Seeded, place: Place): Corner {
  const step = () => random.below(2 * GRID_REACH + 1) - GRID_REACH;
  const { lat, lon } = gridPoint(place, step(), step());
  return [lon, lat];
}

/** Rings of random corners cross themselves and one another: even-odd says what is inside. */
function randomPolygon(random: Seeded, place: Place): readonly (readonly Corner[])[] {
  const rings = 1 + (random.chance(0.4) ? 1 + random.below(2) : 0);
  return Array.from({ length: rings }, () => {
    const corners = random.chance(0.5) ? rectangle(random, place) : Array.from(
      { length: 3 + random.below(8) },
      () => corner(random, place),
    );
    return [...corners, corners[0]];
  });
}

function rectangle(random: Seeded, place: Place): readonly Corner[] {
  const [x0, y0] = corner(random, place);
  const [x1, y1] = corner(random, place);
  const ring: readonly Corner[] = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  return random.chance(0.5) ? ring : [...ring].reverse();
}
