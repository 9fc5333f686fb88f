import { assert, assertEquals, assertThrows } from "@std/assert";
import { landBytes } from "./build_land.ts";
import { packLand, unpackLand } from "./land.ts";
import { latOf, lonOf, worldX, worldY } from "./mercator.ts";
import { clipped } from "./map_ground.ts";

Deno.test("land: what is packed comes back, to a thousandth of a degree", () => {
  const ring = [-179.999, -70.5, 0.004, 0, 179.998, 70.25, 16.434, 57.264];
  const [outline] = unpackLand(packLand([ring]));
  assertEquals(outline.x.length, 4);
  for (let k = 0; k < 4; k++) {
    assert(Math.abs(lonOf(outline.x[k]) - ring[2 * k]) <= 0.001 + 1e-9);
    assert(Math.abs(latOf(outline.y[k]) - ring[2 * k + 1]) <= 0.001 + 1e-9);
  }
});

Deno.test("land: bytes that end within a ring are refused", () => {
  const bytes = packLand([[1, 2, 3, 4, 5, 6]]);
  assertThrows(() => unpackLand(bytes.slice(0, -1)), RangeError, "end within a ring");
});

Deno.test("land: the file kept is what the package gives, and says where land is", async () => {
  const kept = await Deno.readFile(new URL("./land.bin", import.meta.url));
  assertEquals(kept, await landBytes());
  const outlines = unpackLand(kept);
  const isLand = (lat: number, lon: number) => {
    const [x, y] = [worldX(lon), worldY(lat)];
    let crossings = 0;
    for (const { x: xs, y: ys } of outlines) {
      for (let i = 0, j = xs.length - 1; i < xs.length; j = i++) {
        if (ys[i] > y === ys[j] > y) continue;
        if (x < xs[i] + (xs[j] - xs[i]) * (y - ys[i]) / (ys[j] - ys[i])) crossings++;
      }
    }
    return crossings % 2 === 1;
  };
  assertEquals([isLand(48.85, 2.35), isLand(-23.5, -46.6), isLand(-33, 147)], [true, true, true]);
  assertEquals([isLand(45, -30), isLand(0, 0), isLand(42, 51)], [false, false, false]);
});

Deno.test("map_ground: clipping keeps what lies within, and closes it along the edge", () => {
  const square = { xs: [-10, 30, 30, -10], ys: [-10, -10, 5, 5] };
  const { xs, ys } = clipped(square.xs, square.ys, 20, 20);
  const corners = xs.map((x, k) => `${x},${ys[k]}`).sort();
  assertEquals(corners, ["0,0", "0,5", "20,0", "20,5"]);
  assertEquals(clipped([30, 40, 40], [0, 0, 9], 20, 20).xs, []);
});
