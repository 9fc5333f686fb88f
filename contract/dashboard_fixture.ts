/** A dashboard for tests: one of each kind. */
import type { DashboardView } from "./dashboard.ts";

/** Signals of the tests' frames. */
export const FRAME_SIGNALS = [
  { name: "speed", scale: 10 },
  { name: "coolant", scale: 10 },
  { name: "fuel", scale: 10 },
  { name: "battery", scale: 100 },
] as const;

/** `FRAME_SIGNALS` as a full frame names them. */
export const FRAME_NAMES = FRAME_SIGNALS.flatMap(({ name, scale }) => [name, scale]);

const column = (signal: string, label: string, unit: string) =>
  ({ kind: "signal", type: "number", names: [], digits: 0, signal, label, unit }) as const;

/** The dashboard. */
export const DASHBOARD: DashboardView = {
  units: "km/h",
  zone: "",
  show: "all",
  tiles: [
    { kind: "own", name: "moving" },
    { kind: "own", name: "anomalies" },
    { kind: "own", name: "samples" },
    {
      kind: "signal",
      label: "Mean speed",
      fold: "mean",
      signal: "speed",
      unit: "km/h",
      digits: 0,
      above: null,
      below: null,
    },
  ],
  columns: [
    { kind: "own", name: "vehicle" },
    { kind: "own", name: "state" },
    column("speed", "Speed", "km/h"),
    column("coolant", "Engine", "degC"),
    column("fuel", "Fuel", "%"),
    { kind: "own", name: "anomaly" },
    { kind: "own", name: "seen" },
  ],
  charts: [{ signal: "speed", label: "Speed" }],
  frame: FRAME_SIGNALS,
};
