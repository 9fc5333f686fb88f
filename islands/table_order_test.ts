import { assertEquals } from "@std/assert";
import { FRAME_NAMES } from "../contract/dashboard_fixture.ts";
import { applyFrame, FleetColumns } from "./decode_frame.ts";
import { pressed, tableOrder } from "./table_order.ts";

function fleet(): FleetColumns {
  const columns = new FleetColumns();
  applyFrame(columns, {
    seq: 1,
    now: 1000,
    full: true,
    ids: [0, "VH-10", 1, "VH-2", 2, "VH-1"],
    i: [0, 1, 2],
    lat: [null, null, null],
    lon: [null, null, null],
    h: [null, null, null],
    t: [0, 0, 0],
    a: [10, 5, 900],
    s: [0, 0, 3],
    x: [0, 3, 1],
    k: FRAME_NAMES,
    c: [[500, null, 900], [null, null, null], [10, 10, 10], [1, 2, 3]],
  });
  return columns;
}

Deno.test("table_order: by every column both ways, the unknown last, the equal by id", () => {
  const columns = fleet();
  const ids = (key: string, descending: boolean) =>
    tableOrder(columns, "all", { key, descending }).map((number) => columns.ids[number]);
  assertEquals(ids("vehicle", false), ["VH-1", "VH-2", "VH-10"]);
  assertEquals(ids("signal speed", true), ["VH-1", "VH-10", "VH-2"]);
  assertEquals(ids("signal speed", false), ["VH-10", "VH-1", "VH-2"]);
  assertEquals(ids("signal coolant", true), ["VH-1", "VH-2", "VH-10"]);
  assertEquals(ids("signal fuel", true), ["VH-1", "VH-2", "VH-10"]);
  assertEquals(ids("anomaly", true), ["VH-2", "VH-1", "VH-10"]);
  assertEquals(ids("signal rpm", true), ["VH-1", "VH-2", "VH-10"]);
  assertEquals(ids("seen", true), ["VH-2", "VH-10", "VH-1"]);
});

Deno.test("table_order: a vehicle that comes later finds its place", () => {
  const columns = fleet();
  const ids = () =>
    tableOrder(columns, "all", { key: "vehicle", descending: false })
      .map((number) => columns.ids[number]);
  assertEquals(ids(), ["VH-1", "VH-2", "VH-10"]);
  columns.name(3, "VH-9");
  assertEquals(ids(), ["VH-1", "VH-2", "VH-9", "VH-10"]);
});

Deno.test("table_order: the filter lets through what it says", () => {
  const columns = fleet();
  const sorting = { key: "vehicle", descending: false } as const;
  const shown = (filter: "anomalies" | "stale") =>
    tableOrder(columns, filter, sorting).map((number) => columns.ids[number]);
  assertEquals(shown("anomalies"), ["VH-1", "VH-2"]);
  assertEquals(shown("stale"), ["VH-1"]);
});

Deno.test("table_order: a second press turns the column round", () => {
  const first = pressed({ key: "anomaly", descending: true }, "signal speed");
  assertEquals(first, { key: "signal speed", descending: true });
  assertEquals(pressed(first, "signal speed"), { key: "signal speed", descending: false });
  assertEquals(pressed(first, "vehicle"), { key: "vehicle", descending: false });
});
