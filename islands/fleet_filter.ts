/** Which vehicles are shown: one filter for map and table. */
import { FLEET_FILTERS, type FleetFilterName } from "../contract/dashboard.ts";
import { VEHICLE_STATES } from "../contract/views.ts";
import type { FleetColumns } from "./decode_frame.ts";

/** What the chips choose. */
export const FILTERS = FLEET_FILTERS;
/** One of `FILTERS`. */
export type FleetFilter = FleetFilterName;

const STALE = VEHICLE_STATES.indexOf("stale");

/**
 * Whether the vehicle of that number passes.
 *
 * @param name part of its id, in small letters; "" lets all through
 */
export function passes(
  columns: FleetColumns,
  number: number,
  filter: FleetFilter,
  name = "",
): boolean {
  const id = columns.ids[number];
  if (id === "" || (name !== "" && !isNamed(id, name))) return false;
  switch (filter) {
    case "all":
      return true;
    case "anomalies":
      return columns.severity[number] > 0;
    case "stale":
      return columns.state[number] === STALE;
  }
}

/** Whether an id holds a part of a name. @param name in small letters */
export function isNamed(id: string, name: string): boolean {
  return id.toLowerCase().includes(name);
}

/** Samples that came within this long of the newest one came last, milliseconds. */
const LAST_MS = 30_000;

/** Counts over the fleet. */
export interface FleetCounts {
  readonly vehicles: number;
  /** By index into VEHICLE_STATES. */
  readonly states: readonly number[];
  readonly withAnomalies: number;
  /** A of the newest sample, epoch milliseconds; 0 if there is none. */
  readonly newest: number;
  /** Latest T among the samples that came last, epoch milliseconds; 0 if there is none. */
  readonly newestTime: number;
}

/** Counts the fleet. */
export function countFleet(columns: FleetColumns): FleetCounts {
  const states = VEHICLE_STATES.map(() => 0);
  let vehicles = 0;
  let withAnomalies = 0;
  let newest = 0;
  for (let number = 0; number < columns.size; number++) {
    if (columns.ids[number] === "") continue;
    vehicles++;
    states[columns.state[number]]++;
    if (columns.severity[number] > 0) withAnomalies++;
    newest = Math.max(newest, columns.append[number]);
  }
  return { vehicles, states, withAnomalies, newest, newestTime: newestTime(columns, newest) };
}

function newestTime(columns: FleetColumns, newest: number): number {
  let time = 0;
  for (let number = 0; number < columns.size; number++) {
    if (columns.ids[number] === "" || newest - columns.append[number] > LAST_MS) continue;
    time = Math.max(time, columns.at[number]);
  }
  return time;
}
