import { assert, assertEquals, assertThrows } from "@std/assert";
import { FRAME_NAMES, FRAME_SIGNALS } from "../contract/dashboard_fixture.ts";
import type { FleetFrame } from "../contract/stream.ts";
import { applyFrame, encodeColumns, FleetColumns, isFleetFrame } from "./decode_frame.ts";
import { seeded } from "./random_fixture.ts";

interface Vehicle {
  id: string;
  lat: number | null;
  lon: number | null;
  heading: number | null;
  at: number;
  append: number;
  state: number;
  severity: number;
  signals: (number | null)[];
}

/** The sending side in its plainest form. */
function encode(vehicles: Vehicle[], changed: number[], now: number, full: boolean): FleetFrame {
  const rows = changed.map((number) => vehicles[number]);
  const integer = (value: number | null, scale: number) =>
    value === null ? null : Math.round(value * scale);
  return {
    seq: 1,
    now,
    full,
    ids: changed.flatMap((number) => [number, vehicles[number].id]),
    i: changed,
    lat: rows.map(({ lat }) => integer(lat, 1e5)),
    lon: rows.map(({ lon }) => integer(lon, 1e5)),
    h: rows.map(({ heading }) => integer(heading, 1)),
    t: rows.map(({ at }) => now - at),
    a: rows.map(({ append }) => now - append),
    s: rows.map(({ state }) => state),
    x: rows.map(({ severity }) => severity),
    k: full ? FRAME_NAMES : [],
    c: FRAME_SIGNALS.map(({ scale }, k) => rows.map(({ signals }) => integer(signals[k], scale))),
  };
}

function randomVehicle(random: () => number, id: string): Vehicle {
  const maybe = (value: number) => random() < 0.2 ? null : value;
  return {
    id,
    lat: maybe(random() * 180 - 90),
    lon: maybe(random() * 360 - 180),
    heading: maybe(Math.floor(random() * 360)),
    at: 1_700_000_000_000 + Math.floor(random() * 1e6),
    append: 1_700_000_000_000 + Math.floor(random() * 1e6),
    state: Math.floor(random() * 4),
    severity: Math.floor(random() * 4),
    signals: FRAME_SIGNALS.map(() => maybe(random() * 200)),
  };
}

function assertHolds(columns: FleetColumns, vehicles: Vehicle[], seed: number): void {
  const near = (actual: number, expected: number | null, step: number, what: string) =>
    assert(
      expected === null ? Number.isNaN(actual) : Math.abs(actual - expected) <= step,
      `seed ${seed}: ${what} is ${actual}, not ${expected}`,
    );
  vehicles.forEach((vehicle, number) => {
    assertEquals(columns.ids[number], vehicle.id);
    assertEquals(columns.numberOf(vehicle.id), number);
    near(columns.lat[number], vehicle.lat, 0.6e-5, "lat");
    near(columns.lon[number], vehicle.lon, 0.6e-5, "lon");
    near(columns.heading[number], vehicle.heading, 0.5, "heading");
    near(columns.at[number], vehicle.at, 0, "at");
    near(columns.append[number], vehicle.append, 0, "append");
    near(columns.state[number], vehicle.state, 0, "state");
    near(columns.severity[number], vehicle.severity, 0, "severity");
    vehicle.signals.forEach((value, k) => {
      near(columns.signals[k][number], value, 0.51 / FRAME_SIGNALS[k].scale + 1e-4, "signal");
    });
  });
}

Deno.test("decode_frame: a snapshot and any deltas leave what the sender holds", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed * 7919);
    const vehicles = Array.from(
      { length: 1 + Math.floor(random() * 300) },
      (_, k) => randomVehicle(random, `V${k}`),
    );
    const columns = new FleetColumns();
    const all = vehicles.map((_, number) => number);
    applyFrame(columns, encode(vehicles, all, 1_700_002_000_000, true));
    for (let step = 0; step < 5; step++) {
      if (random() < 0.5) vehicles.push(randomVehicle(random, `N${step}`));
      const changed = vehicles.map((_, number) => number).filter((number) =>
        number >= columns.size || random() < 0.3
      );
      for (const number of changed) {
        vehicles[number] = { ...randomVehicle(random, ""), id: vehicles[number].id };
      }
      const wire: unknown = JSON.parse(
        JSON.stringify(encode(vehicles, changed, 1_700_003_000_000 + step, false)),
      );
      assert(isFleetFrame(wire), `seed ${seed}`);
      applyFrame(columns, wire);
    }
    assertHolds(columns, vehicles, seed);
    const copy = new FleetColumns();
    applyFrame(copy, encodeColumns(columns, columns.now));
    assertHolds(copy, vehicles, seed);
  }
});

Deno.test("decode_frame: a full frame replaces all that was known", () => {
  const random = seeded(3);
  const columns = new FleetColumns();
  const before = ["a", "b", "c"].map((id) => randomVehicle(random, id));
  applyFrame(columns, encode(before, [0, 1, 2], 1_700_002_000_000, true));
  const after = [randomVehicle(random, "c")];
  applyFrame(columns, encode(after, [0], 1_700_002_000_000, true));
  assertEquals(columns.size, 1);
  assertEquals(columns.numberOf("a"), -1);
  assertHolds(columns, after, 3);
});

Deno.test("decode_frame: a full frame may carry other signals than the one before", () => {
  const random = seeded(4);
  const columns = new FleetColumns();
  const frame = encode([randomVehicle(random, "a")], [0], 1_700_002_000_000, true);
  applyFrame(columns, frame);
  assertEquals(columns.names, ["speed", "coolant", "fuel", "battery"]);
  applyFrame(columns, { ...frame, k: ["rpm", 1], c: [[2100]] });
  assertEquals([columns.names, columns.signal("rpm")?.[0]], [["rpm"], 2100]);
  assertEquals(columns.signal("speed"), undefined);
});

Deno.test("decode_frame: newer samples of a delta are told, older ones are not", () => {
  const random = seeded(5);
  const vehicles = ["a", "b"].map((id) => randomVehicle(random, id));
  const columns = new FleetColumns();
  applyFrame(columns, encode(vehicles, [0, 1], 1_700_002_000_000, true));
  vehicles[1] = { ...vehicles[1], append: vehicles[1].append + 1 };
  const fresh: number[] = [];
  const frame = encode(vehicles, [0, 1], 1_700_002_000_000, false);
  applyFrame(columns, frame, (number) => fresh.push(number));
  assertEquals(fresh, [1]);
});

Deno.test("decode_frame: what does not fit is refused", () => {
  const random = seeded(9);
  const frame = encode([randomVehicle(random, "a")], [0], 1_700_002_000_000, false);
  const columns = new FleetColumns();
  assertThrows(() => applyFrame(columns, { ...frame, ids: [] }), RangeError, "not been named");
  assertThrows(() => applyFrame(columns, { ...frame, ids: [1e9, "a"] }), RangeError);
  for (const broken of [null, 1, {}, { ...frame, lat: [] }, { ...frame, c: [[1, 2]] }]) {
    assertEquals(isFleetFrame(broken), false);
  }
});
