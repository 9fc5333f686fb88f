import { assert, assertEquals } from "@std/assert";
import { checkColumns, type ColumnMapping, loadMapping } from "./mapping.ts";
import { openMapping, SHIPPED_MAPPINGS } from "./recording.ts";
import { mappedRows } from "./row_text.ts";
import { shippedCatalog } from "./test_support.ts";

const catalog = shippedCatalog();

function load(text: string): ColumnMapping {
  const result = loadMapping(text, { file: "map.yaml", catalog });
  if (!result.ok) throw new Error(result.faults.map((fault) => fault.message).join("; "));
  return result.mapping;
}

function faultsOf(text: string): string[] {
  const result = loadMapping(text, { file: "map.yaml", catalog });
  return result.ok
    ? []
    : result.faults.map(({ span, message, suggestion }) =>
      `${span.line}:${span.column} ${message} (${suggestion})`
    );
}

const HEAD = `version: 1
vehicle: { constant: v-1 }
time: { column: t, format: epoch-s }
`;

function row(columns: string, header: string, cells: string): unknown {
  const mapping = load(`${HEAD}columns:\n${columns}\n`);
  const read = mappedRows(mapping, header.split(","));
  return JSON.parse(read(cells.split(",")).text(0));
}

Deno.test("mapping: cells become the signal's values in the signal's unit", () => {
  const cases: [string, string, unknown][] = [
    ["  x: speed", "72.5", { speed: 72.5 }],
    ["  x: speed", "+5", { speed: 5 }],
    ["  x: speed", ".5", { speed: 0.5 }],
    ["  x: speed", "NaN", { speed: "NaN" }],
    ["  x: speed", "", {}],
    ["  x: Vehicle.Speed", "7", { speed: 7 }],
    ["  x: { signal: speed, unit: m/s }", "10", { speed: 36 }],
    ["  x: { signal: speed, unit: mph }", "100", { speed: 160.9344 }],
    ["  x: { signal: coolant, unit: degF }", "212", { coolant: 100 }],
    ["  x: { signal: accel_x, unit: g }", "0.35", { accel_x: 3.4323275 }],
    ["  x: { signal: fuel, scale: 100 }", "0.5", { fuel: 50 }],
    ["  x: { signal: coolant, scale: 0.1, offset: -40, unit: degC }", "1300", { coolant: 90 }],
    ["  x: gps_valid", "1.0", { gps_valid: true }],
    ["  x: gps_valid", "false", { gps_valid: false }],
    ["  x: { signal: gear_selector, values: { Drive: D } }", "Drive", { gear_selector: "D" }],
    ["  x: { signal: speed, when: ok == 1 }", "7", { speed: 7 }],
    ["  x: { signal: speed, when: ok != 1 }", "7", {}],
    ["  x: { signal: speed, when: ok == yes }", "7", {}],
    ["  x: { signal: speed, when: none == 1 }", "7", {}],
  ];
  for (const [columns, cell, expected] of cases) {
    const found = row(columns, "t,x,ok,none", `1600000000,${cell},1,`);
    const all = { vehicle: "v-1", ts: 1_600_000_000_000, ...Object(expected) };
    assertEquals(found, all, `${columns} of ${JSON.stringify(cell)}`);
  }
});

Deno.test("mapping: what cannot be read as time or vehicle stays visible in the sample", () => {
  const mapping = load(`version: 1
vehicle: { column: id, prefix: car- }
time: { columns: [d, c], format: MM/DD/YYYY HH:mm:ss }
missing: [NA]
columns: { v: speed }
`);
  const read = mappedRows(mapping, ["id", "d", "c", "v"]);
  const cases: [string[], string][] = [
    [["7", "06/30/2021", "09:39:19", "5"], `{"vehicle":"car-7","ts":1625045959000,"speed":5}`],
    [
      ["7", "90/02/2032", "12:08:07", "5"],
      `{"vehicle":"car-7","ts":"90/02/2032 12:08:07","speed":5}`,
    ],
    [["NA", "06/30/2021", "09:39:19", "5"], `{"ts":1625045959000,"speed":5}`],
    [["", "", "", "5"], `{"speed":5}`],
    [[], `{}`],
  ];
  for (const [cells, expected] of cases) assertEquals(read(cells).text(0), expected);
  assertEquals(read(["7", "06/30/2021", "09:39:19"]).text(1000).includes("1625045960000"), true);
});

Deno.test("mapping: every fault is told at once, with line, column and what to do", () => {
  const faults = faultsOf(`version: 1
vehicle: { constant: v-1, column: id }
time: { column: t, format: epoch, zone: Mars }
colums: { x: speed }
columns:
  a: sped
  b: { signal: speed, unit: degC }
  c: { signal: coolant, when: gps is fine }
  d: { signal: coolant }
  e: { unit: km }
  f: { signal: gear_selector, values: { x: Drive } }
`);
  const expected = [
    "2:1 Cannot tell the vehicle",
    '3:28 Cannot use "epoch" as a time format',
    '3:41 Cannot use "Mars" as a time zone',
    '4:1 Cannot use the key "colums" in a column mapping (did you mean "columns"?)',
    '6:6 Cannot find a signal named "sped" in the catalog (did you mean "speed"?)',
    "7:29 Cannot convert degC for speed, which is in km/h",
    '8:31 Cannot use "gps is fine" as a condition',
    '9:3 Cannot map "d" to coolant: "c" on line 8',
    '10:3 Cannot map "e" without its signal',
    '11:44 Cannot use "Drive" as a value of gear_selector',
  ];
  assertEquals(faults.length, expected.length, faults.join("\n"));
  expected.forEach((start, k) => assert(faults[k].startsWith(start), `${faults[k]} / ${start}`));
  assertEquals(faultsOf("version: 1").length, 3);
  for (const text of ["", "[]", "a: [", "\u0000", "version: 2"]) {
    assert(faultsOf(text).length > 0, JSON.stringify(text));
  }
});

Deno.test("mapping: columns that a recording does not have are told with the nearest name", () => {
  const mapping = load(`${HEAD}columns:\n  speed_kmh: speed\nignore: [gone]\n`);
  const faults = checkColumns(mapping, ["t", "speed_km_h", "rpm"], "drive.csv");
  assertEquals(faults.map(({ message, suggestion }) => `${message} ${suggestion}`), [
    'Cannot find the column "speed_kmh" in drive.csv did you mean "speed_km_h"?',
    'Cannot find the column "gone" in drive.csv its columns are t, speed_km_h, rpm',
  ]);
  assertEquals(checkColumns(mapping, ["t", "speed_kmh", "gone"], "x"), []);
});

Deno.test("mapping: the shipped ones are sound", () => {
  for (const name of Object.keys(SHIPPED_MAPPINGS)) {
    assert(openMapping(name, catalog) !== null, name);
  }
  assertEquals(openMapping("", catalog), null);
});
