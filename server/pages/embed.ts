/** What a page embeds for its islands: the shell's part, and the fleet as a frame. */
import type { AnomalyPage, PipelineView, VehicleView } from "../../contract/views.ts";
import { VEHICLE_STATES } from "../../contract/views.ts";
import type { FrameSignal } from "../../contract/dashboard.ts";
import type { FleetFrame } from "../../contract/stream.ts";
import { applyFrame, FleetColumns } from "../../islands/decode_frame.ts";
import { countFleet, type FleetCounts } from "../../islands/fleet_filter.ts";
import { severityLevel } from "../../islands/severity.ts";
import type { ShellProps } from "../../islands/store.ts";
import type { FleetSummary, PageBase } from "./model.ts";

/** What a page knows beside its base. */
export interface ShellParts {
  readonly title: string;
  readonly vehicles?: readonly VehicleView[];
  readonly fleet?: FleetSummary;
  readonly anomalies?: AnomalyPage;
  readonly pipeline?: PipelineView;
  readonly tileValues?: readonly (number | null)[];
}

/** The shell's part of what a page embeds. */
export function shellProps(base: PageBase, parts: ShellParts): ShellProps {
  const { vehicles, fleet, anomalies, pipeline, tileValues } = parts;
  const { dashboard } = base;
  return {
    now: base.now,
    assets: base.assets,
    title: parts.title,
    frame: vehicles === undefined ? null : frameOf(vehicles, base.now, dashboard.frame),
    counts: fleet === undefined ? null : countsOf(fleet, vehicles ?? []),
    anomalies: anomalies ?? { anomalies: [], cursor: null, open: base.open },
    pipeline: pipeline ?? null,
    dashboard,
    baseMap: base.baseMap,
    tileValues: tileValues ?? [],
  };
}

/** Vehicles as a full frame: a tenth of the views' size, and read by the same decoder. */
export function frameOf(
  vehicles: readonly VehicleView[],
  now: number,
  carried: readonly FrameSignal[],
): FleetFrame {
  const column = (scale: number, valueOf: (vehicle: VehicleView) => number | null | undefined) =>
    vehicles.map((vehicle) => {
      const value = valueOf(vehicle) ?? NaN;
      return Number.isFinite(value) ? Math.round(value * scale) : null;
    });
  return {
    seq: 0,
    now,
    full: true,
    ids: vehicles.flatMap(({ id }, number) => [number, id]),
    i: vehicles.map((_, number) => number),
    lat: column(1e5, ({ lat }) => lat),
    lon: column(1e5, ({ lon }) => lon),
    h: column(1, ({ heading }) => heading),
    t: vehicles.map(({ at }) => Math.round(now - at)),
    a: vehicles.map(({ append }) => Math.round(now - append)),
    s: vehicles.map(({ state }) => VEHICLE_STATES.indexOf(state)),
    x: vehicles.map(({ severity }) => severityLevel(severity)),
    k: carried.flatMap(({ name, scale }) => [name, scale]),
    c: carried.map(({ name, scale }) => column(scale, ({ signals }) => signals[name])),
  };
}

function countsOf(fleet: FleetSummary, vehicles: readonly VehicleView[]): FleetCounts {
  const { newest, newestTime } = countFleet(columnsOf(vehicles));
  return {
    vehicles: fleet.vehicles,
    states: VEHICLE_STATES.map((state) => fleet.states[state]),
    withAnomalies: vehicles.filter(({ severity }) => severity !== null).length,
    newest,
    newestTime,
  };
}

function columnsOf(vehicles: readonly VehicleView[]): FleetColumns {
  const columns = new FleetColumns();
  const now = vehicles.reduce((newest, { append }) => Math.max(newest, append), 0);
  applyFrame(columns, frameOf(vehicles, now, []));
  return columns;
}

/** JSON that may stand within a script element: no `<` can end it. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}
