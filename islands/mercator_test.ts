import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  boundsOf,
  cameraOf,
  cameraText,
  fitted,
  latOf,
  lonOf,
  panned,
  worldPixels,
  worldX,
  worldY,
  zoomedAt,
} from "./mercator.ts";
import { seeded } from "./random_fixture.ts";

Deno.test("mercator: there and back again", () => {
  const random = seeded(11);
  for (let k = 0; k < 200; k++) {
    const lat = random() * 170 - 85;
    const lon = random() * 360 - 180;
    assertAlmostEquals(latOf(worldY(lat)), lat, 1e-9);
    assertAlmostEquals(lonOf(worldX(lon)), lon, 1e-9);
  }
});

Deno.test("mercator: zooming keeps the point under the pointer", () => {
  const camera = { lat: 59.3, lon: 18, zoom: 10 };
  const at = panned(camera, 200, -120);
  const zoomed = zoomedAt(camera, 12.5, 200, -120);
  const after = panned(zoomed, 200, -120);
  assertAlmostEquals(after.lat, at.lat, 1e-9);
  assertAlmostEquals(after.lon, at.lon, 1e-9);
});

Deno.test("mercator: the fleet fits, and one stray does not shrink it", () => {
  const lats = Array.from({ length: 200 }, (_, k) => 59 + k / 1000);
  const lons = lats.map((lat) => lat - 41);
  const bounds = boundsOf([...lats, -33], [...lons, 151]);
  assert(bounds !== null && bounds.south > 58.9 && bounds.east < 18.3);
  const camera = fitted(bounds, 900, 500);
  const wide = (worldX(bounds.east) - worldX(bounds.west)) * worldPixels(camera.zoom);
  const high = (worldY(bounds.south) - worldY(bounds.north)) * worldPixels(camera.zoom);
  assert(wide <= 900 && high <= 500 && (wide > 400 || high > 200));
  assertEquals(boundsOf([], []), null);
});

Deno.test("mercator: a camera in the URL is read back, nonsense is not", () => {
  const camera = { lat: 59.33001, lon: -18.06, zoom: 12.25 };
  assertEquals(cameraOf(cameraText(camera)), camera);
  for (const text of [null, "", "1,2", "a,b,c", "99,0,3", "1,2,Infinity"]) {
    assertEquals(cameraOf(text), null);
  }
});
