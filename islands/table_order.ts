/** Order of the vehicle table's rows. */
import type { Column } from "../contract/dashboard.ts";
import type { FleetColumns } from "./decode_frame.ts";
import { type FleetFilter, passes } from "./fleet_filter.ts";

/** By what, and which end comes first. */
export interface Sorting {
  /** What `columnKey` gives. */
  readonly key: string;
  readonly descending: boolean;
}

/** A column's name among all, signals apart from what is not one. */
export function columnKey(column: Column): string {
  return column.kind === "own" ? column.name : `signal ${column.signal}`;
}

/** Worst first, then by id. */
export const DEFAULT_SORTING: Sorting = { key: "anomaly", descending: true };

/** As people count: VH-2 before VH-10. */
const byName = new Intl.Collator("en", { numeric: true });

/**
 * Places of the vehicles in the order of their ids, by number. Kept until vehicles come or go: to
 * compare 2,000 names anew with every order took longer than all else of a redraw.
 */
function placesByName(columns: FleetColumns): Uint32Array {
  const kept = places.get(columns);
  if (kept?.renames === columns.renames) return kept.byNumber;
  const { ids, renames } = columns;
  const byNumber = new Uint32Array(columns.size);
  Array.from(byNumber, (_, number) => number).sort((a, b) => byName.compare(ids[a], ids[b]))
    .forEach((number, place) => byNumber[number] = place);
  places.set(columns, { renames, byNumber });
  return byNumber;
}

const places = new WeakMap<FleetColumns, { renames: number; byNumber: Uint32Array }>();

/**
 * Numbers of the vehicles that pass, in order; what is unknown comes last either way, and what is
 * equal comes by id.
 *
 * @param name part of the ids, in small letters
 */
export function tableOrder(
  columns: FleetColumns,
  filter: FleetFilter,
  sorting: Sorting,
  name = "",
): number[] {
  const numbers: number[] = [];
  for (let k = 0; k < columns.size; k++) if (passes(columns, k, filter, name)) numbers.push(k);
  const place = placesByName(columns);
  const sign = sorting.descending ? -1 : 1;
  if (sorting.key === "vehicle") {
    return numbers.sort((a, b) => sign * (place[a] - place[b]));
  }
  const values = valuesOf(columns, sorting.key);
  return numbers.sort((a, b) => {
    const x = values[a];
    const y = values[b];
    if (x === y) return place[a] - place[b];
    if (x !== x) return y !== y ? place[a] - place[b] : 1;
    if (y !== y) return -1;
    return sign * (x - y);
  });
}

/** The sorting after a press on a header: the same column turns round. */
export function pressed(sorting: Sorting, key: string): Sorting {
  if (sorting.key === key) return { key, descending: !sorting.descending };
  return { key, descending: key !== "vehicle" && key !== "state" };
}

function valuesOf(columns: FleetColumns, key: string): ArrayLike<number> {
  switch (key) {
    case "state":
      return columns.state;
    case "anomaly":
      return columns.severity;
    case "seen":
      return columns.append;
    default:
      // A signal that frames do not carry (yet) is unknown of all.
      return columns.signal(key.replace(/^signal /, "")) ??
        new Float32Array(columns.size).fill(NaN);
  }
}
