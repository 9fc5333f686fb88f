import { assertAlmostEquals, assertEquals } from "@std/assert";
import { FRAME_NAMES, FRAME_SIGNALS } from "../contract/dashboard_fixture.ts";
import { FleetFrameEncoder } from "./fleet_frame.ts";
import { FleetProjection } from "./fleet_projection.ts";
import { CATALOG, rowsOf } from "./test_support.ts";

const NOW = 1_700_000_000_000;
const ALL = CATALOG.signals.map((_, index) => index);

function fleetOf(maxVehicles = 1_000): FleetProjection {
  return new FleetProjection({
    catalog: CATALOG,
    maxVehicles,
    anomaliesOf: () => ({ open: 0, severity: null }),
  });
}

function apply(
  fleet: FleetProjection,
  samples: Parameters<typeof rowsOf>[0],
  append = NOW,
  now = append,
): void {
  fleet.applyRows(rowsOf(samples), Float64Array.of(append), (slot) => `VH-${slot}`, ALL, now);
}

Deno.test("fleet: a position is taken only when both coordinates come in one sample", () => {
  const fleet = fleetOf();
  apply(fleet, [{ slot: 0, t: NOW, values: { lat: 0 } }, {
    slot: 0,
    t: NOW + 1,
    values: { lon: 9 },
  }]);
  assertEquals([fleet.view(0).lat, fleet.view(0).lon], [null, null]);
  apply(fleet, [{ slot: 0, t: NOW + 2, values: { lat: 59.3, lon: 18.1 } }]);
  apply(fleet, [{ slot: 0, t: NOW + 3, values: { lat: 60 } }]);
  assertEquals([fleet.view(0).lat, fleet.view(0).lon], [59.3, 18.1]);
});

Deno.test("fleet: each signal keeps its last known value; late samples change nothing", () => {
  const fleet = fleetOf();
  apply(fleet, [{ slot: 0, t: NOW, values: { speed: 50, fuel: 61 } }]);
  apply(fleet, [{ slot: 0, t: NOW + 1000, values: { speed: 60 } }]);
  apply(fleet, [{ slot: 0, t: NOW - 1000, values: { speed: 1, fuel: 1 } }]);
  assertEquals(fleet.view(0).signals, { speed: 60, fuel: 61 });
  assertEquals(fleet.view(0).at, NOW + 1000);
  assertEquals(fleet.late, 1);
});

Deno.test("fleet: a vehicle whose clock was set back is followed again after a minute", () => {
  const fleet = fleetOf();
  apply(fleet, [{ slot: 0, t: NOW + 50_000, values: { speed: 50 } }]);
  apply(fleet, [{ slot: 0, t: NOW, values: { speed: 60 } }], NOW + 30_000);
  assertEquals(fleet.view(0).signals.speed, 50);
  apply(fleet, [{ slot: 0, t: NOW + 31_000, values: { speed: 70 } }], NOW + 60_000);
  assertEquals(fleet.view(0).signals.speed, 70);
});

Deno.test("fleet: moving, idle, stopped and stale", () => {
  const fleet = fleetOf();
  const cases: [Record<string, number>, string][] = [
    [{ speed: 50, rpm: 2000 }, "moving"],
    [{ speed: 0, rpm: 800 }, "idle"],
    [{ speed: 0, rpm: 0 }, "stopped"],
    [{ speed: 2 }, "stopped"],
  ];
  cases.forEach(([values], slot) => apply(fleet, [{ slot, t: NOW, values }]));
  cases.forEach(([, state], slot) => assertEquals(fleet.view(slot).state, state));
  fleet.sweep(NOW + 30_000);
  assertEquals(fleet.summary().stale, 0);
  fleet.sweep(NOW + 30_001);
  assertEquals(fleet.summary(), { moving: 0, idle: 0, stopped: 0, stale: 4 });
});

Deno.test("fleet: a heading that no one sends follows from the positions", () => {
  const fleet = fleetOf();
  apply(fleet, [{ slot: 0, t: NOW, values: { lat: 59, lon: 18 } }]);
  apply(fleet, [{ slot: 0, t: NOW + 1, values: { lat: 59, lon: 18.001 } }]);
  assertAlmostEquals(fleet.view(0).heading ?? NaN, 90, 0.01);
});

Deno.test("fleet: vehicles beyond the bound are counted and not kept", () => {
  const fleet = fleetOf(2);
  for (let slot = 0; slot < 4; slot++) apply(fleet, [{ slot, t: NOW, values: { speed: 1 } }]);
  assertEquals([fleet.size, fleet.refusedVehicles], [2, 2]);
});

Deno.test("fleet: applying the same samples twice leaves the same fleet", () => {
  const fleet = fleetOf();
  const samples = [{ slot: 0, t: NOW, values: { speed: 50, lat: 1, lon: 2 } }];
  apply(fleet, samples);
  const before = fleet.view(0);
  apply(fleet, samples);
  assertEquals(fleet.view(0), before);
});

Deno.test("frames: a delta names what is new once and carries only what changed", () => {
  const fleet = fleetOf();
  const frames = new FleetFrameEncoder(fleet, CATALOG, FRAME_SIGNALS);
  apply(fleet, [
    { slot: 0, t: NOW - 100, values: { speed: 74.25, lat: 59.334594, lon: -18.1 } },
    { slot: 1, t: NOW, values: { battery: 13.91 } },
  ]);
  const first = frames.delta(NOW);
  assertEquals(first?.ids, [0, "VH-0", 1, "VH-1"]);
  assertEquals(first?.lat, [5933459, null]);
  assertEquals(first?.lon, [-1810000, null]);
  assertEquals(first?.t, [100, 0]);
  assertEquals(first?.c, [[743, null], [null, null], [null, null], [null, 1391]]);
  assertEquals(frames.delta(NOW), null);
  apply(fleet, [{ slot: 1, t: NOW + 1, values: { speed: 9 } }]);
  const second = frames.delta(NOW + 1);
  assertEquals([second?.ids, second?.i, second?.seq], [[], [1], 2]);
  const full = frames.full(NOW + 1);
  assertEquals([full.full, full.seq, full.i, full.k], [true, 2, [0, 1], FRAME_NAMES]);
  frames.carry([{ name: "battery", scale: 10 }]);
  const other = frames.full(NOW + 1);
  assertEquals([other.k, other.c], [["battery", 10], [[null, 139]]]);
});
