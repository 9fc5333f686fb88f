/** Zones files: what is read, and every fault with its place and what to do. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Seeded } from "../../testing/seeded.ts";
import { randomPlace, randomZones } from "../reference/random_zones.ts";
import { hashVersion } from "../version.ts";
import { formatFaults } from "./format_fault.ts";
import { FilePlace } from "./place.ts";
import { FaultList } from "./faults.ts";
import { readJson } from "./json_text.ts";
import { toSteps } from "./zone.ts";
import { loadZones, ZONES_MAX } from "./zones_file.ts";

const read = (text: string) => loadZones(text, { file: "zones.geojson", hash: hashVersion });

/** A file of one zone with these members. */
const zone = (members: string) => file(`{ "type": "Feature", ${members} }`);
const file = (features: string) => `{ "type": "FeatureCollection", "features": [\n${features}\n] }`;
const RING = "[[0, 0], [1, 0], [1, 1], [0, 0]]";
const polygon = (rings: string) =>
  zone(`"id": "a",\n"geometry": { "type": "Polygon", "coordinates": ${rings} }`);
const point = (position: string, radius = '"radius": 5') =>
  zone(
    `"id": "a", "properties": { ${radius} },\n` +
      `"geometry": { "type": "Point", "coordinates": ${position} }`,
  );

Deno.test("zones: every geometry, id and name is read", () => {
  const result = read(`\ufeff{ "type": "FeatureCollection", "name": "any", "bbox": [0, 0, 1, 1],
    "crs": { "type": "name", "properties": { "name": "urn:ogc:def:crs:OGC:1.3:CRS84" } },
    "features": [
      { "type": "Feature", "id": "depot", "properties": { "name": "Depot \\u00dc", "n": 3 },
        "geometry": { "type": "Polygon", "coordinates": [${RING}, ${RING}] } },
      { "type": "Feature", "properties": { "id": "by property" },
        "geometry": { "type": "MultiPolygon", "coordinates": [[${RING}], [${RING}]] } },
      { "type": "Feature", "id": 7, "properties": { "radius": 1e3, "name": null },
        "geometry": { "type": "Point", "coordinates": [-0.1, 51.5, 30] } }
    ] }`);
  assert(result.ok, JSON.stringify(result));
  const ring = Int32Array.of(0, 0, 1e7, 0, 1e7, 1e7);
  assertEquals(result.zones.map(({ id, name, shape }) => ({ id, name, shape })), [
    { id: "depot", name: "Depot Ü", shape: { kind: "polygons", polygons: [[ring, ring]] } },
    {
      id: "by property",
      name: "by property",
      shape: { kind: "polygons", polygons: [[ring], [ring]] },
    },
    { id: "7", name: "7", shape: { kind: "circle", lat: 51.5, lon: -0.1, radiusMetres: 1000 } },
  ]);
  assertEquals(new Set(result.zones.map(({ digest }) => digest)).size, 3);
});

Deno.test("zones: a file without zones is one", () => {
  assertEquals(read('{"type":"FeatureCollection","features":[]}'), { ok: true, zones: [] });
});

Deno.test("zones: steps are the nearest, halves going up", () => {
  assertEquals([13.4050001, -13.4050001, 180, -90].map(toSteps), [
    ...[134050001, -134050001, 1800000000, -900000000],
  ]);
  assertEquals([0.00000005, -0.00000005, 0.00000004].map(toSteps), [1, 0, 0]);
});

Deno.test("zones: a fault names its place, what is wrong and what to do", () => {
  const cases: readonly [string, string, string, string][] = [
    ["", "1:1", "Cannot read the file as JSON: a value is missing before its end", ""],
    ["{", "1:2", "a key in quotes is missing before its end", ""],
    ["[1 2]", "1:4", '"," or "]" is missing before "2"', ""],
    ['{"a":1,"a":2}', "1:8", 'the key "a" stands twice', ""],
    ['{"a" 1}', "1:6", '":" is missing', ""],
    ['["a\\x"]', "1:2", "has no end, or a bad escape", ""],
    ["[01]", "1:3", '"," or "]" is missing before "1"', ""],
    ["[1,]", "1:4", 'a value is missing before "]"', ""],
    ["{} {}", "1:4", "more follows", ""],
    ["[".repeat(40), "1:33", "it nests deeper than 32 levels", ""],
    ["[]", "1:1", "it must be a FeatureCollection", '"features"'],
    [`{ "type": "Feature" }`, "1:11", 'Cannot use "Feature" as the file', '"features"'],
    [`{ "type": "FeatureCollection" }`, "1:1", 'without a list of "features"', 'add "features"'],
    [file("3"), "2:1", "Cannot use 3 as a zone: it must be a Feature", ""],
    [file('{ "type": "Polygon" }'), "2:11", 'Cannot use "Polygon" as a zone', ""],
    [
      `{ "type": "FeatureCollection", "features": [],
"crs": { "properties": { "name": "urn:ogc:def:crs:EPSG::3857" } } }`,
      "2:34",
      "Cannot use the coordinates",
      "export the file as WGS 84",
    ],
    [zone('"geometry": null, "id": "a"'), "2:34", "Cannot use a zone without geometry", "Polygon"],
    [
      zone(`"geometry": { "type": "Polygon", "coordinates": [${RING}] }`),
      "2:1",
      "without id",
      'add "id"',
    ],
    [polygon("[]"), "3:49", "Cannot use an empty list as the rings of a polygon", ""],
    [polygon("[[0, 0]]"), "3:51", "Cannot use 0 as a position", "two numbers"],
    [polygon("[[[0, 0], [1, 0], [0, 0]]]"), "3:50", "a ring of 3 positions", "three corners"],
    [
      polygon("[[[0, 0], [1, 0], [1, 1], [0, 1]]]"),
      "3:75",
      "a ring that is not closed",
      "add [0, 0] at its end",
    ],
    [polygon("[[[0, 0], [1, 1], [3, 3], [0, 0]]]"), "3:50", "that encloses nothing", ""],
    [
      polygon("[[[48, 120], [48, 121], [49, 121], [48, 120]]]"),
      "3:56",
      "Cannot use the latitude 120",
      "are the two swapped?",
    ],
    [polygon("[[[0, 0], [1, 0], [1, 900], [0, 0]]]"), "3:71", "the latitude 900", "-90 to 90"],
    [
      polygon("[[[179, 0], [181, 0], [181, 1], [179, 0]]]"),
      "3:62",
      "the longitude 181",
      "the parts of a MultiPolygon",
    ],
    [polygon('[[[0, "1"]]]'), "3:51", "Cannot use this list as a position", ""],
    [
      zone('"id": "a", "geometry": { "type": "LineString", "coordinates": [] }'),
      "2:55",
      'Cannot use "LineString" as the geometry of a zone',
      "draw a Polygon",
    ],
    [
      zone('"id": "a", "geometry": { "type": "Polygn", "coordinates": [] }'),
      "2:55",
      'Cannot use "Polygn"',
      'did you mean "Polygon"?',
    ],
    [zone('"id": "a", "geometry": { "type": "Polygon" }'), "2:45", "without coordinates", ""],
    [point("[0, 0]", ""), "3:13", "a Point without radius", 'add "radius": METRES'],
    [point("[0, 0]", '"radius": "5"'), "2:59", 'Cannot use "5" as radius', ""],
    [point("[0, 0]", '"radius": 0'), "2:59", "Cannot use 0 as radius", ""],
    [point("[0, 0]", '"radius": 2e7'), "2:59", "at most 10000000", ""],
    [point("[100, 200]"), "3:53", "the latitude 200", "from -90 to 90"],
    [
      zone(`"id": "", "geometry": { "type": "Polygon", "coordinates": [${RING}] }`),
      "2:28",
      'Cannot use "" as id',
      "",
    ],
    [
      zone(
        `"id": "a", "properties": { "name": 3 }, "geometry": { "type": "Polygon", "coordinates": [${RING}] }`,
      ),
      "2:57",
      "Cannot use 3 as name",
      "",
    ],
  ];
  for (const [text, place, message, suggestion] of cases) {
    const result = read(text);
    assert(!result.ok, text);
    const [fault, ...rest] = result.faults;
    assertEquals(rest.map((each) => each.message), [], text);
    assertStringIncludes(fault.message, message, text);
    assertStringIncludes(fault.suggestion, suggestion, text);
    assertEquals(`${fault.span.line}:${fault.span.column}`, place, `${fault.message}\n${text}`);
    assert(formatFaults(result.faults, text).startsWith(`zones.geojson:${place}: `));
  }
});

Deno.test("zones: all faults are told at once, and no id stands twice", () => {
  const feature = (id: string, position: string) =>
    `{ "type": "Feature", "id": "${id}", "properties": { "radius": 9 },
  "geometry": { "type": "Point", "coordinates": ${position} } }`;
  const text = file(
    [feature("a", "[0, 0]"), feature("b", "[0, 95]"), feature("a", "[0, 0, 0]")].join(",\n"),
  );
  const result = read(text);
  assert(!result.ok);
  assertEquals(result.faults.map(({ span, message }) => `${span.line} ${message}`), [
    "5 Cannot use the latitude 95",
    '6 Cannot use the id "a" twice: line 2 has it too',
  ]);
});

Deno.test("zones: limits on zones, corners and faults are told", () => {
  const many = (count: number, each: string) => file(Array(count).fill(each).join(","));
  const only = (text: string) => {
    const result = read(text);
    assert(!result.ok);
    return result.faults;
  };
  assertStringIncludes(only(many(ZONES_MAX + 1, "{}"))[0].message, "the most are 10000");
  assertStringIncludes(only(many(500, "3")).at(-1)?.message ?? "", "Cannot tell more faults");
  assertEquals(only(many(500, "3")).length, 101);
  const corners = Array.from({ length: 100_001 }, (_, i) => `[${i / 1e6},${i % 2}]`);
  const [fault] = only(polygon(`[[${corners.join()},[0,0]]]`));
  assertStringIncludes(fault.message, "Cannot use more than 100000 corners");
  assertStringIncludes(only(" ".repeat(9_000_000))[0].message, "the longest allowed is 8388608");
});

Deno.test("zones: JSON is taken and refused as JSON.parse does, over 20,000 mutated files", () => {
  let sound = 0;
  for (let seed = 1; seed <= 20_000; seed++) {
    const random = new Seeded(seed);
    const whole = randomZones(random, randomPlace(random)).text.slice(0, 400);
    const at = random.below(whole.length);
    const marks = [
      "",
      '"',
      "{",
      "]",
      ",",
      ":",
      "0",
      "-",
      "e5",
      "\\u00",
      "tru",
      "\t",
      "\u0001",
      "é",
    ];
    const text = random.chance(0.3)
      ? `[${whole.slice(at).match(/-?\d[\d.]*/)?.[0] ?? "true"}${random.pick(marks)} , "${
        random.pick(marks)
      }"]`
      : whole.slice(0, at) + random.pick(marks) + whole.slice(at + random.below(3));
    let expected = true;
    try {
      JSON.parse(text);
    } catch {
      expected = false;
    }
    const faults = new FaultList("zones.geojson");
    const node = readJson(text, new FilePlace(text), faults);
    // A key that stands twice is refused, as nobody means it.
    const twice = faults.sorted().some(({ message }) => message.includes("stands twice"));
    assertEquals(node !== null || twice, expected, `seed ${seed}: ${text}`);
    assertEquals(faults.count, node === null ? 1 : 0);
    if (expected) sound++;
  }
  assert(sound > 1000 && sound < 19_000, `${sound} of 20,000 were sound`);
});
