import { assert, assertEquals } from "@std/assert";
import type { Catalog } from "../../contract/catalog.ts";
import { tileValue } from "../../contract/dashboard.ts";
import { loadCatalog } from "./catalog_file.ts";
import { loadDashboard } from "./dashboard_file.ts";
import { formatFaults } from "./format_fault.ts";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, ROOT));

function catalog(): Catalog {
  const result = loadCatalog(read("rules-wasm/signals.yaml"), { file: "signals.yaml" });
  assert(result.ok);
  return result.catalog;
}

const CATALOG = catalog();

function load(text: string) {
  const result = loadDashboard(text, { file: "dashboard.yaml", catalog: CATALOG });
  assert(result.ok, result.ok ? "" : formatFaults(result.faults, text));
  return result.dashboard;
}

/** Faults as `line:column message (advice)`. */
function faults(text: string): string[] {
  const result = loadDashboard(text, { file: "dashboard.yaml", catalog: CATALOG });
  assert(!result.ok);
  return result.faults.map(({ span, message, suggestion }) =>
    `${span.line}:${span.column} ${message}${suggestion === "" ? "" : ` (${suggestion})`}`
  );
}

const REST = "tiles: []\ncolumns: [vehicle]\ncharts: []\n";

Deno.test("dashboard file: the shipped one shows what pages showed before there was one", () => {
  const { units, zone, show, tiles, columns, frame } = load(read("server/dashboard.yaml"));
  assertEquals([units, zone, show], ["km/h", "", "all"]);
  const names = tiles.map((tile) => tile.kind === "own" ? tile.name : tile.label);
  assertEquals(names, ["moving", "standing", "stale", "anomalies", "samples", "delay"]);
  const labels = columns.map((column) => column.kind === "own" ? column.name : column.label);
  assertEquals(labels, ["vehicle", "state", "Speed", "Engine", "Fuel", "anomaly", "seen"]);
  assertEquals(frame, ["speed", "coolant", "fuel"].map((name) => ({ name, scale: 10 })));
});

Deno.test("docs/dashboard.md: its example is a dashboard, and means what the page says", () => {
  const example = /```yaml dashboard\n([^]*?)```/.exec(read("docs/dashboard.md"))?.[1] ?? "";
  const { units, zone, show, tiles, columns, charts, frame } = load(example);
  assertEquals([units, zone, show], ["mph", "Europe/London", "anomalies"]);
  assertEquals(tiles[2], {
    kind: "signal",
    label: "Low fuel",
    fold: "count",
    signal: "fuel",
    unit: "%",
    digits: 0,
    above: null,
    below: 10,
  });
  assertEquals(columns[5], {
    kind: "signal",
    signal: "ignition",
    label: "Ignition",
    unit: "",
    type: "boolean",
    names: [],
    digits: 0,
  });
  assertEquals(charts[1], { signal: "coolant", label: "Coolant" });
  assertEquals(frame.map(({ name, scale }) => `${name} ${scale}`), [
    "speed 10",
    "rpm 10",
    "battery 10",
    "ignition 1",
    "fuel 10",
    "coolant 10",
  ]);
});

Deno.test("dashboard file: every fault with its place and what to do", () => {
  assertEquals(
    faults(`version: 1
unit: metric
units: imperail
zone: Europe/Stokholm
show: everything
tiles:
  - movign
  - speed
  - { label: A, count: fuel }
  - { count: fuel, below: 10 bar }
  - { mean: speeed }
  - { mean: speed, max: speed }
  - { label: None }
  - moving
  - moving
columns: [vehicle, sped, { label: X }, { signal: rpm, digits: 9 }]
charts: [speed, ignition]
`),
    [
      '2:1 Cannot use the key "unit" in a dashboard file (did you mean "units"?)',
      '3:8 Cannot use "imperail" as units (did you mean "imperial"?)',
      '4:7 Cannot find a time zone named "Europe/Stokholm" (did you mean "Europe/Stockholm"?)',
      '5:7 Cannot use "everything" as show (it is one of all, anomalies, stale)',
      "7:3 Cannot show 9 tiles: the most are 8",
      '7:5 Cannot find a tile named "movign" (did you mean "moving"?)',
      '8:5 Cannot find a tile named "speed" (a figure of a signal says which: ' +
      "{ label: …, mean: speed })",
      "9:5 Cannot count every value there is (add above: or below:, such as below: 10 %)",
      '10:27 Cannot use "10 bar" as below: fuel is in % (write a number, or one such as 10 %)',
      '11:13 Cannot find a signal named "speeed" (did you mean "speed"?)',
      "12:5 Cannot use a tile with both mean and max " +
      "(name a signal behind one of count, mean, min, max, sum)",
      "13:5 Cannot use a tile that says nothing of a signal " +
      "(name a signal behind one of count, mean, min, max, sum)",
      "15:5 Cannot show the same twice among tiles: line 14 has it too (remove one of them)",
      '16:20 Cannot find a signal named "sped" (did you mean "speed"?)',
      "16:26 Cannot use a column without a signal (add signal: NAME)",
      "16:63 Cannot use 9 as digits: it must be a whole number from 0 to 4",
      '17:17 Cannot chart "ignition": it is not a number',
    ],
  );
});

Deno.test("dashboard file: what is missing or too much is told", () => {
  assertEquals(faults("tiles: []\n"), [
    "1:1 Cannot use a file without version (write version: 1)",
    "1:1 Cannot use a dashboard file without columns (add columns: and a list, " +
    "which may be empty: [])",
    "1:1 Cannot use a dashboard file without charts (add charts: and a list, " +
    "which may be empty: [])",
  ]);
  assertEquals(faults(`version: 1\n${REST}`.replace("[vehicle]", "[state, vehicle]")), [
    "3:11 Cannot use a table whose first column is not vehicle (begin the list with vehicle)",
  ]);
  const many = "moving, standing, stale, vehicles, anomalies, samples, delay, lag, " +
    "{ mean: speed }";
  assertEquals(faults(`version: 1\n${REST}`.replace("tiles: []", `tiles: [${many}]`)), [
    "2:8 Cannot show 9 tiles: the most are 8",
  ]);
});

Deno.test("dashboard: a tile is made of known values of vehicles that are not stale", () => {
  const [count, mean, max] = load(
    `version: 1\ntiles: [{ count: fuel, above: 5, below: 50 }, { mean: fuel }, { max: fuel }]\n` +
      "columns: [vehicle]\ncharts: []\n",
  ).tiles;
  assert(count.kind === "signal" && mean.kind === "signal" && max.kind === "signal");
  const values = [10, 50, NaN, 4, 40, 30];
  const states = [0, 1, 0, 2, 3, 0];
  assertEquals(tileValue(count, values, states, 6), 2);
  assertEquals(tileValue(mean, values, states, 6), (10 + 50 + 4 + 30) / 4);
  assertEquals(tileValue(max, values, states, 6), 50);
  assertEquals(tileValue(max, [NaN], [0], 1), NaN);
  assertEquals(tileValue(count, [NaN], [0], 1), 0);
  assertEquals(tileValue(mean, undefined, states, 6), NaN);
});
