import { assertEquals } from "@std/assert";
import { DASHBOARD, FRAME_NAMES } from "../contract/dashboard_fixture.ts";
import type { FleetFrame } from "../contract/stream.ts";
import { anomaly } from "./anomaly_fixture.ts";
import { AppStore, type ShellProps } from "./store.ts";

const frame: FleetFrame = {
  seq: 1,
  now: 10_000,
  full: true,
  ids: [0, "VH-0001"],
  i: [0],
  lat: [5933000],
  lon: [1806000],
  h: [90],
  t: [100],
  a: [50],
  s: [0],
  x: [2],
  k: FRAME_NAMES,
  c: [[742], [915], [610], [1390]],
};
const shell: ShellProps = {
  now: 10_000,
  assets: "/assets/x/",
  title: "Live",
  frame,
  counts: null,
  anomalies: {
    anomalies: [anomaly("a"), anomaly("b", { vehicle: "VH-0002" })],
    cursor: null,
    open: { info: 0, warning: 2, critical: 0 },
  },
  pipeline: null,
  dashboard: DASHBOARD,
  baseMap: "",
  tileValues: [],
};

Deno.test("store: a paused view stands still, and catches up in one step", () => {
  const store = new AppStore(shell, () => 0);
  store.togglePause();
  const c = [[1000], [915], [610], [1390]];
  store.take({ kind: "fleet", frame: { ...frame, full: false, ids: [], a: [0], c, now: 11_000 } });
  store.take({ kind: "anomaly", event: { kind: "opened", anomaly: anomaly("c") } });
  assertEquals(Math.round(store.shown.signals[0][0]), 74);
  assertEquals(store.anomalies.list.value.length, 2);
  assertEquals([store.pause.value?.samples, store.pause.value?.anomalies], [1, 1]);
  store.togglePause();
  assertEquals(Math.round(store.shown.signals[0][0]), 100);
  assertEquals(store.anomalies.list.value.length, 3);
  assertEquals(store.pause.value, null);
});

Deno.test("store: row, marker and card are one selection", () => {
  const store = new AppStore(shell, () => 0);
  store.selectVehicle("VH-0002");
  assertEquals(store.anomaly.value, "b");
  store.selectAnomaly("a", "VH-0001");
  assertEquals(store.vehicle.value, "VH-0001");
  store.selectVehicle("VH-0009");
  assertEquals(store.anomaly.value, "");
});
