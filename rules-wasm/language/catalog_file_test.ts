import { assert, assertEquals, assertGreaterOrEqual, assertStringIncludes } from "@std/assert";
import type { Catalog } from "../../contract/catalog.ts";
import { loadCatalog } from "./catalog_file.ts";
import { formatFaults } from "./format_fault.ts";
import { isComparable, parseUnit, unitText } from "./units.ts";

const SHIPPED = await Deno.readTextFile(new URL("../signals.yaml", import.meta.url));
/** Signals of COVESA VSS 6.0; real data lies outside the project. */
const VSS = new URL("../../../shared/data/d_covesa_vss/vss_6.0_signals.csv", import.meta.url);

function shipped(): Catalog {
  const result = loadCatalog(SHIPPED, { file: "signals.yaml" });
  if (!result.ok) throw new Error(formatFaults(result.faults, SHIPPED));
  return result.catalog;
}

async function isThere(url: URL): Promise<boolean> {
  try {
    await Deno.stat(url);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const HEAD = "version: 1\nvehicle: [vehicle]\ntime: [ts]\nsignals:\n";

/** A catalog of these lines below `signals`. */
function signals(...lines: string[]): string {
  return `${HEAD}${lines.map((line) => `  ${line}\n`).join("")}`;
}

Deno.test("catalog: at least 40 signals ship, each with unit, range and description", () => {
  const catalog = shipped();
  assertGreaterOrEqual(catalog.signals.length, 40);
  for (const signal of catalog.signals) {
    assertEquals(signal.keys[0], signal.name);
    assert(signal.description.endsWith("."), signal.name);
    assert(signal.min < signal.max, signal.name);
    const read = parseUnit(signal.unit === "" ? "1" : signal.unit);
    assertEquals(read.ok && unitText(read.unit), signal.unit);
  }
});

Deno.test("catalog: other producers' keys lead to the signals that they mean", () => {
  const catalog = shipped();
  const owner = (key: string) =>
    catalog.signals.find((signal) => signal.keys.includes(key) || signal.vss === key)?.name;
  const cases: readonly [string, string][] = [
    ["speed", "speed"],
    ["engine_temp", "coolant"],
    ["fuel_level", "fuel"],
    ["vibration", "vibration"],
    ["battery_voltage", "battery"],
    ["gps.lat", "lat"],
    ["gps.lon", "lon"],
    ["Vehicle.Speed", "speed"],
    ["Vehicle.CurrentLocation.Latitude", "lat"],
    ["Vehicle.Powertrain.CombustionEngine.Speed", "rpm"],
    ["Vehicle.Powertrain.FuelSystem.RelativeLevel", "fuel"],
  ];
  for (const [key, name] of cases) assertEquals(owner(key), name, key);
  for (const key of ["vehicle", "vehicle_id", "vin", "device_id"]) {
    assert(catalog.vehicleKeys.includes(key), key);
  }
  for (const key of ["ts", "timestamp"]) assert(catalog.timeKeys.includes(key), key);
});

Deno.test({
  name: "catalog: every VSS path is one of VSS 6.0, of the same unit and type" +
    (await isThere(VSS) ? "" : " (skipped: the VSS list is not there)"),
  ignore: !(await isThere(VSS)),
  fn: async () => {
    const rows = (await Deno.readTextFile(VSS)).split("\n").map((row) => row.split(","));
    const known = new Map(rows.map(([path = "", , datatype = "", unit = ""]) => [
      path,
      { datatype, unit },
    ]));
    const spelling: Readonly<Record<string, string>> = { "g/s": "gram/s" };
    const found = shipped().signals.filter((signal) => signal.vss !== "");
    assertGreaterOrEqual(found.length, 40);
    for (const signal of found) {
      const row = known.get(signal.vss);
      assert(row !== undefined, `${signal.vss} is no path of VSS 6.0`);
      if (signal.type !== "number") {
        const expected = signal.type === "boolean" ? "boolean" : "string";
        assertEquals(row.datatype, expected, signal.vss);
        continue;
      }
      const read = parseUnit(row.unit === "" ? "1" : spelling[row.unit] ?? row.unit);
      assert(read.ok, `${signal.vss}: unit ${row.unit}`);
      assertEquals(unitText(read.unit), signal.unit, signal.vss);
      assert(isComparable(read.unit, read.unit));
    }
  },
});

Deno.test("catalog: types, defaults and units are read", () => {
  const text = signals(
    "a: { unit: m/s^2, range: [-1, 1.5e2] }",
    "b.c: { type: boolean, stale_after: never, keys: [x, y.z] }",
    'd: { names: [P, "ON", 3], stale_after: 5 min, vss: Vehicle.X }',
  );
  const result = loadCatalog(text, { file: "signals.yaml" });
  assert(result.ok);
  const shared = { description: "" };
  assertEquals(result.catalog, {
    vehicleKeys: ["vehicle"],
    timeKeys: ["ts"],
    signals: [
      {
        ...{ name: "a", type: "number", unit: "m/s2", min: -1, max: 150, staleAfterMs: 60_000 },
        ...{ names: [], keys: ["a"], vss: "", ...shared },
      },
      {
        ...{ name: "b.c", type: "boolean", unit: "", min: 0, max: 1, staleAfterMs: Infinity },
        ...{ names: [], keys: ["b.c", "x", "y.z"], vss: "", ...shared },
      },
      {
        ...{ name: "d", type: "name", unit: "", min: 0, max: 2, staleAfterMs: 300_000 },
        ...{ names: ["P", "ON", "3"], keys: ["d"], vss: "Vehicle.X", ...shared },
      },
    ],
  });
});

Deno.test("catalog: each kind of fault is refused with its place and what to do", () => {
  const cases: readonly [string, string, string, string][] = [
    ["version: 1\ntime: [t]\nsignals: {}", "1:1", "without vehicle", "add vehicle: [vehicle]"],
    ["version: 1\nvehicle: [v]\nsignals: {}", "1:1", "without time", ""],
    ["version: 1\nvehicle: [v]\ntime: [t]", "1:1", "without signals", ""],
    ["version: 1\nvehicle: []\ntime: [t]\nsignals: {}", "2:10", "an empty list as vehicle", ""],
    ["version: 1\nvehicle: v\ntime: [t]\nsignals: {}", "2:10", "it must be a list", ""],
    [signals("a: { rnge: [0, 1], range: [0, 1] }"), "5:8", 'the key "rnge"', 'mean "range"?'],
    [signals("a: { range: [5, 1] }"), "5:15", "the range 5 to 1", "write range: [1, 5]"],
    [signals("a: { range: [1] }"), "5:15", "a list of 1 as range", ""],
    [signals("a: { range: [x, 1] }"), "5:16", 'Cannot use "x" as the least value', ""],
    [signals("a: { unit: V }"), "5:6", "without range", ""],
    [signals("a: { unit: Volt, range: [0, 1] }"), "5:14", 'a unit named "Volt"', ""],
    [signals("a: { unit: kph2, range: [0, 1] }"), "5:14", "a unit named", ""],
    [signals("a: { type: bool }"), "5:14", 'Cannot use "bool" as type', ""],
    [signals("a: { type: boolen }"), "5:14", "as type", 'did you mean "boolean"?'],
    [signals("a: { type: name }"), "5:6", "without names", ""],
    [signals("a: { names: [] }"), "5:15", "Cannot use 0 names", ""],
    [signals("a: { names: [x, x] }"), "5:19", 'the name "x" twice', ""],
    [signals("a: { type: boolean, unit: V }"), "5:23", "its type is boolean", ""],
    [signals("a: { range: [0, 1], vss: speed }"), "5:28", "as VSS path", "Vehicle.Speed"],
    [signals("a: { range: [0, 1], stale_after: 5 }"), "5:36", "its unit is missing", ""],
    [signals("A: { range: [0, 1] }"), "5:3", 'Cannot name a signal "A"', ""],
    [signals("and: { range: [0, 1] }"), "5:3", "has a meaning of its own", ""],
    [signals("a: { range: [0, 1], keys: [ts] }"), "5:30", "the time has it, line 3", ""],
    [
      signals("a: { range: [0, 1], keys: [k] }", "b: { range: [0, 1], keys: [k] }"),
      "6:30",
      'the key "k" for the signal b: the signal a has it, line 5',
      "a key means one thing",
    ],
    [
      signals("a: { range: [0, 1], vss: Vehicle.X }", "b: { range: [0, 1], vss: Vehicle.X }"),
      "6:28",
      "the signal a has it",
      "",
    ],
    [signals(`a: { range: [0, 1], keys: [${"k".repeat(200)}] }`), "5:30", "200 bytes", ""],
  ];
  for (const [text, place, message, suggestion] of cases) {
    const result = loadCatalog(text, { file: "signals.yaml" });
    assert(!result.ok, text);
    assertEquals(result.faults.length, 1, formatFaults(result.faults, text));
    const [fault] = result.faults;
    assert(fault !== undefined);
    assertEquals(`${fault.span.line}:${fault.span.column}`, place, text);
    assertStringIncludes(fault.message, message, text);
    assertStringIncludes(fault.suggestion, suggestion, text);
  }
});
