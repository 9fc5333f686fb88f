import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { applyFrame, FleetColumns } from "./decode_frame.ts";
import { worldX } from "./mercator.ts";
import { Motion, shorterTurn } from "./motion.ts";
import { CELLS_MAX, RoadMemory } from "./road_memory.ts";

function place(columns: FleetColumns, lon: number, append: number, full: boolean): void {
  applyFrame(columns, {
    seq: 1,
    now: append,
    full,
    ids: [0, "a"],
    i: [0],
    lat: [0],
    lon: [Math.round(lon * 1e5)],
    h: [350],
    t: [0],
    a: [0],
    s: [0],
    x: [0],
    k: [],
    c: [],
  });
}

Deno.test("motion: a vehicle glides for as long as its last step took, and does not teleport", () => {
  const columns = new FleetColumns();
  const motion = new Motion();
  place(columns, 10, 1_000_000, true);
  motion.retarget(columns, 0, true);
  motion.advance(0, 1);
  assertAlmostEquals(motion.x[0], worldX(10));
  place(columns, 10.01, 1_001_000, false);
  motion.retarget(columns, 5000, true);
  let before = motion.x[0];
  for (let time = 5000; time <= 6000; time += 100) {
    const gliding = motion.advance(time, 1);
    assertEquals(gliding, time < 6000);
    assert(motion.x[0] - before <= worldX(10.0011) - worldX(10), `a jump at ${time}`);
    before = motion.x[0];
  }
  assertAlmostEquals(motion.x[0], worldX(10.01));
});

Deno.test("motion: who asked for less motion sees jumps, no glides", () => {
  const columns = new FleetColumns();
  const motion = new Motion();
  place(columns, 10, 1_000_000, true);
  motion.retarget(columns, 0, false);
  place(columns, 10.01, 1_001_000, false);
  motion.retarget(columns, 1000, false);
  assertEquals(motion.advance(1001, 1), false);
  assertAlmostEquals(motion.x[0], worldX(10.01));
});

Deno.test("motion: turns take the shorter side", () => {
  assertAlmostEquals(shorterTurn(0.1, 2 * Math.PI - 0.1), -0.2);
  assertAlmostEquals(shorterTurn(2 * Math.PI - 0.1, 0.1), 0.2);
  assertAlmostEquals(shorterTurn(1, 2), 1);
});

Deno.test("road_memory: a road driven a hundred times is one road", () => {
  const roads = new RoadMemory();
  const drive = (vehicle: number) => {
    for (let k = 0; k <= 100; k++) roads.learn(vehicle, 59.3, 18 + k * 0.0004);
  };
  drive(1);
  drive(2);
  const edges = roads.from.length;
  assert(edges > 50);
  for (let vehicle = 3; vehicle < 100; vehicle++) drive(vehicle);
  assertEquals(roads.from.length, edges);
  assert(Math.max(...roads.driven) >= 90);
});

Deno.test("road_memory: a lost fix draws no line, and memory stays bounded", () => {
  const roads = new RoadMemory();
  roads.learn(1, 59, 18);
  roads.learn(1, 40, 10);
  assertEquals(roads.from.length, 0);
  for (let k = 0; k < 40_000; k++) {
    roads.learn(2, 50 + (k % 200) * 0.01, k * 0.0008 % 360 - 180);
    roads.learn(3, 10 + Math.floor(k / 400) * 0.005, (k % 400) * 0.002);
  }
  assert(roads.x.length <= CELLS_MAX);
});
