/** Order of the vehicle table's rows. */
import { FRAME_SIGNALS } from "../contract/stream.ts";
import type { FleetColumns } from "./decode_frame.ts";
import { type FleetFilter, passes } from "./fleet_filter.ts";

/** Columns by which rows are ordered. */
export const SORT_KEYS = [
  "vehicle",
  "state",
  "speed",
  "coolant",
  "fuel",
  "anomaly",
  "seen",
] as const;
/** One of `SORT_KEYS`. */
export type SortKey = typeof SORT_KEYS[number];

/** By what, and which end comes first. */
export interface Sorting {
  readonly key: SortKey;
  readonly descending: boolean;
}

/** Worst first, then by id. */
export const DEFAULT_SORTING: Sorting = { key: "anomaly", descending: true };

/** Vehicles in the order of their ids, as people count: VH-2 before VH-10. */
const byName = new Intl.Collator("en", { numeric: true });

/**
 * Numbers of the vehicles that pass, in order; what is unknown comes last either way, and what is
 * equal comes by id.
 */
export function tableOrder(
  columns: FleetColumns,
  filter: FleetFilter,
  sorting: Sorting,
): number[] {
  const numbers: number[] = [];
  for (let k = 0; k < columns.size; k++) if (passes(columns, k, filter)) numbers.push(k);
  const { ids } = columns;
  const sign = sorting.descending ? -1 : 1;
  if (sorting.key === "vehicle") {
    return numbers.sort((a, b) => sign * byName.compare(ids[a], ids[b]));
  }
  const values = valuesOf(columns, sorting.key);
  return numbers.sort((a, b) => {
    const x = values[a];
    const y = values[b];
    if (x === y) return byName.compare(ids[a], ids[b]);
    if (x !== x) return y !== y ? byName.compare(ids[a], ids[b]) : 1;
    if (y !== y) return -1;
    return sign * (x - y);
  });
}

/** The sorting after a press on a header: the same column turns round. */
export function pressed(sorting: Sorting, key: SortKey): Sorting {
  if (sorting.key === key) return { key, descending: !sorting.descending };
  return { key, descending: key !== "vehicle" && key !== "state" };
}

function valuesOf(
  columns: FleetColumns,
  key: Exclude<SortKey, "vehicle">,
): Float32Array | Float64Array | Uint8Array {
  switch (key) {
    case "state":
      return columns.state;
    case "anomaly":
      return columns.severity;
    case "seen":
      return columns.append;
    default:
      return columns.signals[FRAME_SIGNALS.findIndex(({ name }) => name === key)];
  }
}
