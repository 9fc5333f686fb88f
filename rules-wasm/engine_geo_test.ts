/** Golden traces of the functions of positions: inside, entered, left, moved. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Signal } from "../contract/catalog.ts";
import { golden, Trace, type TraceRow, traceRules } from "../testing/engine_trace.ts";

type Corners = readonly (readonly [number, number])[];

/** A closed rectangle of GeoJSON: longitudes, then latitudes. */
function rectangle(west: number, east: number, south: number, north: number): Corners {
  return [[west, south], [east, south], [east, north], [west, north], [west, south]];
}

const YARD = rectangle(10, 10.004, 50, 50.004);
const HOLE = rectangle(10.001, 10.003, 50.001, 50.003);

function feature(id: string, type: string, coordinates: unknown, radius?: number): unknown {
  const properties = radius === undefined ? null : { radius };
  return { type: "Feature", id, properties, geometry: { type, coordinates } };
}

const MAP = JSON.stringify({
  type: "FeatureCollection",
  features: [
    feature("yard", "Polygon", [YARD]),
    feature("ring road", "Polygon", [YARD, HOLE]),
    // A triangle whose long side rises by 1 over 2 from (10, 50).
    feature("slope", "Polygon", [[[10, 50], [10.004, 50], [10.004, 50.002], [10, 50]]]),
    feature("disc", "Point", [10, 50], 111.2),
    feature("pole", "Point", [0, 90], 111.2),
    feature("date line", "Point", [180, 10], 111.2),
    feature("isles", "MultiPolygon", [
      [rectangle(179.99, 180, -1, 1)],
      [rectangle(-180, -179.99, -1, 1)],
    ]),
  ],
});

function trace(rules: string): Trace {
  return new Trace(traceRules(`version: 1\n${rules}`, undefined, MAP));
}

/** Truth of a condition at each row: "1", "0", or "?" for unknown. */
function truths(condition: string, rows: readonly TraceRow[]): string {
  const at = (when: string): Set<number> => {
    const both = trace(
      `rules: [{ id: r, when: ${JSON.stringify(when)}, once: true, max_gap: 1 ms }]`,
    );
    const seen = new Set<number>();
    rows.forEach((row, i) => {
      // Each true is a run of its own, being further than max_gap from the one before.
      if (both.push([row]).length > 0) seen.add(i);
    });
    return seen;
  };
  const yes = at(condition);
  const no = at(`not (${condition})`);
  return rows.map((_, i) => yes.has(i) ? "1" : no.has(i) ? "0" : "?").join("");
}

/** A second each at positions (latitude, longitude). */
function drive(positions: readonly (readonly [number, number])[]): TraceRow[] {
  return positions.map(([lat, lon], a) => ({ a, is: { lat, lon } }));
}

golden(["inside()"], "a polygon holds what is within it and its whole boundary", () => {
  const rows = drive([
    [50.002, 10.002], // the middle
    [50, 10], // its corners
    [50.004, 10],
    [50, 10.004],
    [50.004, 10.004],
    [50, 10.002], // its sides
    [50.004, 10.002],
    [50.002, 10],
    [50.002, 10.004],
    [50.0040001, 10.002], // 1 cm north of it
    [49.9999999, 10.002],
    [50.002, 10.0040001],
    [50.002, 9.9999999],
    [50.004, 11], // on the line of a side, beyond its end
    [50, 9],
  ]);
  assertEquals(truths('inside("yard")', rows), "111111111000000");
});

golden(["inside()"], "positions are taken to the nearest 1e-7 degrees, halves going up", () => {
  // 50.00400004 is 500,040,000.4 steps, thus the boundary's 500,040,000; 50.00400005 is one more.
  // 9.99999995 is 99,999,999.5 steps, thus 100,000,000; 9.99999994 is one less.
  const rows = drive([[50.00400004, 10], [50.00400006, 10], [50, 9.99999996], [50, 9.99999994]]);
  assertEquals(truths('inside("yard")', rows), "1010");
});

golden(["inside()"], "a hole is outside, its boundary inside", () => {
  const rows = drive([
    [50.0005, 10.0005], // between yard and hole
    [50.002, 10.002], // in the hole
    [50.001, 10.002], // on its side
    [50.003, 10.003], // on its corner
    [50.0029999, 10.0029999], // 1 cm within it
    [50.005, 10.002], // outside all
  ]);
  assertEquals(truths('inside("ring road")', rows), "101100");
});

golden(["inside()"], "a slanted side is exact", () => {
  // On the side, latitude - 50 is half of longitude - 10: at 10.0030002 it is 0.0015001.
  const rows = drive([
    [50.0015001, 10.0030002],
    [50.0015002, 10.0030002], // 1 cm north
    [50.0015, 10.0030002],
    [50.0015001, 10.0030001], // on it up to half a step: 0.00150005 is less than 0.0015001
    [50.0015001, 10.0030003],
  ]);
  assertEquals(truths('inside("slope")', rows), "10101");
});

golden(
  ["inside()"],
  "a circle holds what lies at most its radius away, over pole and date line",
  () => {
    // 0.001 degrees of a great circle are 6371008.8 * pi / 180,000 = 111.19508 m, 0.00101 are 112.307.
    assertEquals(
      truths('inside("disc")', drive([[50, 10], [50.001, 10], [49.999, 10], [50.00101, 10]])),
      "1110",
    );
    // A degree of longitude at 50 north is cos(50) = 0.64279 of one of latitude: 0.001 / 0.64279 =
    // 0.0015557 degrees are 111.195 m, 0.00157 are 112.22.
    assertEquals(truths('inside("disc")', drive([[50, 10.0015557], [50, 10.00157]])), "10");
    const pole = drive([[90, 123], [89.999, 45], [89.999, -135], [89.9989, 45], [-90, 0]]);
    assertEquals(truths('inside("pole")', pole), "11100");
    // At 10 north the cosine is 0.98481: 0.001 is 109.506 m, 0.00103 is 112.79.
    const line = drive([[10, 180], [10, -180], [10, 179.999], [10, -179.999], [10, -179.99897]]);
    assertEquals(truths('inside("date line")', line), "11110");
  },
);

golden(["inside()"], "a zone across the date line is a polygon on either side", () => {
  const rows = drive([[0, 179.995], [0, 180], [0, -180], [0, -179.995], [0, 0], [0, 179.98]]);
  assertEquals(truths('inside("isles")', rows), "111100");
});

golden(["inside()"], "lat and lon count only when both came at one T", () => {
  const rows: TraceRow[] = [
    { a: 0, is: { lat: 50.001 } }, // no longitude yet
    { a: 1, t: 0, is: { lon: 10.001 } }, // of the same T: both are there
    { a: 2, is: { x: 1 } }, // as they stand
    { a: 3, is: { lat: 50.002 } }, // of T = 3; the longitude is of T = 0
    { a: 4, is: { x: 2 } }, // so it stays
    { a: 5, t: 3, is: { lat: 50.002 } }, // late: not evaluated
    { a: 6, is: { lon: 10.002 } }, // of T = 6
    { a: 7, t: 6, is: { lat: 60 } },
    { a: 8, t: 6, is: { lat: 50.002 } }, // a latitude of the same T replaces it
    { a: 65, is: { x: 3 } }, // 59 s old
    { a: 66.001, is: { x: 4 } }, // older than stale_after, 60 s
  ];
  // A rule of inside alone would not look at the rows of x: with "or true" in it, it does.
  assertEquals(truths('inside("yard") and (x > 0 or true)', rows), "?11????011?");
});

golden(["inside()", "moved()"], "the position is unknown when one part of it is stale", () => {
  // lat holds for ever here, lon for 60 s.
  const signal = (name: string, staleAfterMs: number, most: number): Signal => ({
    ...{ name, type: "number", unit: "deg", min: -most, max: most, staleAfterMs },
    ...{ names: [], keys: [name], vss: "", description: "" },
  });
  const catalog = {
    signals: [signal("lat", Infinity, 90), signal("lon", 60_000, 180)],
    vehicleKeys: ["vehicle"],
    timeKeys: ["ts"],
  };
  const rules = `version: 1
rules:
  - { id: in, when: 'inside("yard") or age(lat) < 0', once: true, max_gap: 1 ms }
  - { id: out, when: 'not (inside("yard") or age(lat) < 0)', once: true, max_gap: 1 ms }
  - { id: moved, when: moved(10 s) >= 0 m and age(lat) >= 0, once: true, max_gap: 1 ms }`;
  const both = new Trace(traceRules(rules, catalog, MAP));
  const rows: TraceRow[] = [
    { a: 0, is: { lat: 50.001, lon: 10.001 } },
    { a: 60, is: { other: 1 } }, // lon is 60 s old
    { a: 60.002, is: { other: 1 } },
  ];
  assertEquals(both.lines(rows), ["opened in@0", "opened in@60", "opened moved@60"]);
});

golden(
  ["entered()", "left()"],
  "true on the sample that crosses, against the last known place",
  () => {
    const rows: TraceRow[] = [
      { a: 0, is: { lat: 50.002, lon: 10.002, x: 0 } }, // inside, nothing known before: no crossing
      { a: 1, is: { lat: 50.003, lon: 10.002 } },
      { a: 2, is: { lat: 50.005, lon: 10.002 } }, // left
      { a: 3, is: { lat: 50.006, lon: 10.002 } },
      { a: 4, is: { x: 1 } }, // brings no position: false
      { a: 5, is: { lat: 50.003 } }, // brings a part of one: unknown
      { a: 6, t: 5, is: { lon: 10.002 } }, // entered
      { a: 7, is: { x: 2 } },
      { a: 100, is: { x: 3 } }, // the position is stale; false, as it is not brought
      { a: 101, is: { lat: 51, lon: 10 } }, // left, however old the last known place is
    ];
    assertEquals(truths('entered("yard") and x >= 0', rows), "00000?1000");
    assertEquals(truths('left("yard") and x >= 0', rows), "00100?0001");
    assertEquals(truths('rose(inside("yard")) and x >= 0', rows), "00000?1000");
  },
);

golden(
  ["left()", "hour()", "settings.zone"],
  "left-depot-at-night, by the clocks of Berlin",
  () => {
    // TRACE_START is a midnight in UTC, 2 in Berlin: 2 h 59 min later it is 4:59, then 5:00.
    const rules = `settings: { zone: Europe/Berlin }
rules:
  - id: left-depot-at-night
    when: left("yard") and hour() < 5
    once: true
    severity: critical`;
    const minute = 60;
    const out = { lat: 51, lon: 10 };
    const home = { lat: 50.001, lon: 10.001 };
    const rows: TraceRow[] = [
      { a: 0, v: "V", is: home },
      { a: 0, v: "W", is: home },
      { a: 179 * minute, v: "V", is: out },
      { a: 180 * minute, v: "W", is: out },
    ];
    assertEquals(trace(rules).lines(rows, ({ vehicle }) => vehicle), [
      `opened left-depot-at-night@${179 * minute} V`,
    ]);
  },
);

golden(["inside()", "absent()"], "at a silence a vehicle is where it was last", () => {
  const rules = `rules: [{ id: gone, when: 'absent(30 s) and inside("yard")' }]`;
  assertEquals(
    trace(rules).lines([
      { a: 0, v: "V", is: { lat: 50.001, lon: 10.001 } },
      { a: 0, v: "W", is: { lat: 51, lon: 10.001 } },
      { a: 1, v: "X", is: { lat: 50.001, lon: 10.001 } },
      { a: 2, v: "X", is: { lat: 50.002 } }, // unknown since
      { a: 40 },
    ], ({ vehicle }) => vehicle),
    ["opened gone@30 V"],
  );
});

/** `moved(10 s)` in metres at each row; NaN for unknown. */
function metres(rows: readonly TraceRow[]): number[] {
  const rules = `settings: { max_gap: 30 s }
rules: [{ id: r, when: "true", message: "{moved(10 s)}", max_gap: 1 ms, once: true }]`;
  return trace(rules).push(rows).map(({ message }) => Number(message.replace(/ m$/, "")));
}

golden(["moved()"], "the great-circle distance from the newest position at least d old", () => {
  const at = (a: number, lat: number, lon: number): TraceRow => ({ a, is: { lat, lon } });
  const shown = metres([
    at(0, 0, 0),
    at(9.998, 0.001, 0), // nothing is 10 s old
    at(10, 0.002, 0), // from (0, 0), 10 s before
    { a: 10.5, is: { x: 1 } }, // the same
    at(20, 0.002, 0.003), // from (0.002, 0) of T = 10
    { a: 25, is: { lat: 0.5 } }, // a part of a position is none
    at(39, 0, 0.003), // from (0.002, 0.003) of T = 20, 19 s before
    at(100, 0, 0), // 61 s after the last: beyond d + max_gap
    at(110, 0, 90), // a quarter of the way around
    at(120, 0, -90), // one half
  ]);
  // On the equator and on a meridian n degrees are 6371008.8 * n * pi / 180 m. At 0.002 north the
  // cosine is 1 - 6e-10.
  const degree = 6_371_008.8 * Math.PI / 180;
  const expected = [NaN, NaN, 0.002, 0.002, 0.003, NaN, 0.002, NaN, 90, 180];
  shown.forEach((value, i) => {
    const wanted = expected[i] * degree;
    assert(
      Number.isNaN(wanted) ? Number.isNaN(value) : Math.abs(value - wanted) <= 1e-9 * wanted,
      `row ${i} moved ${value} m, not ${wanted}`,
    );
  });
});

golden(["moved()"], "as with delta, the last of each slot of d / 16 is kept", () => {
  // Slots of 10 s / 16 = 625 ms: T = 0 and 0.6 fall into one, of which 0.6 is kept, 0.7 into the next.
  const at = (a: number, lat: number): TraceRow => ({ a, is: { lat, lon: 0 } });
  const shown = metres([
    at(0, 0),
    at(0.6, 0.001),
    at(0.7, 0.002),
    at(10.5, 0.003),
    at(10.65, 0.004),
  ]);
  const degree = 6_371_008.8 * Math.PI / 180;
  assertEquals(shown.map((value) => Math.round(value / degree * 1000)), [NaN, NaN, NaN, NaN, 3]);
});

golden(["moved()", "for:"], "a rule: parked, yet it moves", () => {
  const rules = `rules:
  - id: towed
    when: moved(10 s) > 100 m and not ignition
    message: "{vehicle} moved {moved(10 s)} from its place"
    once: true
    for: 1 s`;
  const at = (a: number, lat: number): TraceRow => ({ a, is: { lat, lon: 0, ignition: false } });
  // 0.0009 degrees are 100.08 m, 0.00089 are 98.96.
  assertEquals(trace(rules).lines([at(0, 0), at(10, 0.00089), at(11, 0.0009), at(12, 0.0009)]), [
    "opened towed@12",
  ]);
});

Deno.test("zones: a version is of their shapes and ids, not of their names or order of keys", () => {
  const version = (map: string) =>
    traceRules("version: 1\nrules: [{ id: r, when: ignition }]", undefined, map).version;
  const one = (zone: string) => `{"type":"FeatureCollection","features":[${zone}]}`;
  const yard = '"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]}';
  const base = version(one(`{${yard},"id":"a","properties":{"radius":5}}`));
  assertEquals(version(one(`{"id":"a","properties":{"name":"A","radius":5.0},${yard}}`)), base);
  assertNotEquals(version(one(`{${yard},"id":"b","properties":{"radius":5}}`)), base);
  assertNotEquals(version(one(`{${yard},"id":"a","properties":{"radius":6}}`)), base);
  assertNotEquals(version(""), base);
});
