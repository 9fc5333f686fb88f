import { assertAlmostEquals, assertEquals } from "@std/assert";
import { type Zone } from "../rules-wasm/language/zone.ts";
import { loadZones } from "../rules-wasm/language/zones_file.ts";
import { bearingDegrees, distanceMetres, placeAt } from "./geography.ts";
import { zoneViews } from "./zones.ts";

function zonesOf(features: readonly object[]): readonly Zone[] {
  const text = JSON.stringify({ type: "FeatureCollection", features });
  const read = loadZones(text, { file: "zones.geojson", hash: () => "0".repeat(16) });
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  return read.zones;
}

Deno.test("zones: polygons come with their holes, open and in degrees", () => {
  const outer = [[16.4, 57.2], [16.5, 57.2], [16.5, 57.3], [16.4, 57.2]];
  const hole = [[16.48, 57.22], [16.49, 57.22], [16.49, 57.23], [16.48, 57.22]];
  const geometry = { type: "Polygon", coordinates: [outer, hole] };
  const views = zoneViews(
    zonesOf([{ type: "Feature", id: "depot", properties: { name: "Depot" }, geometry }]),
  );
  assertEquals(views, [{
    id: "depot",
    name: "Depot",
    rings: [outer, hole].map((ring) => ring.slice(0, -1).flat()),
  }]);
});

Deno.test("zones: a circle's corners lie at its radius, all around", () => {
  const geometry = { type: "Point", coordinates: [16.4, 57.2] };
  const [view] = zoneViews(
    zonesOf([{ type: "Feature", id: 7, properties: { radius: 500 }, geometry }]),
  );
  assertEquals([view.id, view.name, view.rings.length], ["7", "7", 1]);
  const [ring] = view.rings;
  for (let k = 0; k < ring.length; k += 2) {
    assertAlmostEquals(distanceMetres(57.2, 16.4, ring[k + 1], ring[k]), 500, 0.5);
  }
});

Deno.test("geography: a place at a bearing and distance lies there", () => {
  for (const bearing of [0, 45, 135, 270]) {
    const place = placeAt(57.2, 16.4, bearing, 2000);
    assertAlmostEquals(distanceMetres(57.2, 16.4, place.lat, place.lon), 2000, 2);
    assertAlmostEquals(bearingDegrees(57.2, 16.4, place.lat, place.lon), bearing, 0.1);
  }
});
