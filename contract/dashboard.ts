/**
 * What the dashboard shows, as `dashboard.yaml` says: tiles, columns, charts, units, filter.
 *
 * Pure data, browser-safe; `rules-wasm/language/dashboard_file.ts` reads the file into it.
 */
import type { SignalType } from "./catalog.ts";
import { VEHICLE_STATES } from "./views.ts";

/** Filters of map and table. */
export const FLEET_FILTERS = ["all", "anomalies", "stale"] as const;
/** One of `FLEET_FILTERS`. */
export type FleetFilterName = typeof FLEET_FILTERS[number];

/** Tiles that need no signal. */
export const OWN_TILES = [
  "moving",
  "standing",
  "stale",
  "vehicles",
  "anomalies",
  "samples",
  "delay",
  "lag",
] as const;
/** One of `OWN_TILES`. */
export type OwnTileName = typeof OWN_TILES[number];

/** What a tile may make of the fleet's values of a signal. */
export const FOLDS = ["count", "mean", "min", "max", "sum"] as const;
/** One of `FOLDS`. */
export type Fold = typeof FOLDS[number];

/** A figure over the latest values of a signal, stale vehicles left out. */
export interface SignalTile {
  readonly kind: "signal";
  readonly label: string;
  readonly fold: Fold;
  readonly signal: string;
  /** The catalog's unit. */
  readonly unit: string;
  /** Most digits after the point. */
  readonly digits: number;
  /** Only values above and below are counted; null for no bound. */
  readonly above: number | null;
  readonly below: number | null;
}

/** One tile. */
export type Tile = { readonly kind: "own"; readonly name: OwnTileName } | SignalTile;

/** Columns that need no signal; the first is always there. */
export const OWN_COLUMNS = ["vehicle", "state", "anomaly", "seen"] as const;
/** One of `OWN_COLUMNS`. */
export type OwnColumnName = typeof OWN_COLUMNS[number];

/** A column of a signal's latest values. */
export interface SignalColumn {
  readonly kind: "signal";
  readonly signal: string;
  readonly label: string;
  readonly unit: string;
  readonly type: SignalType;
  /** Names of a signal of type "name". */
  readonly names: readonly string[];
  readonly digits: number;
}

/** One column of the vehicle table. */
export type Column = { readonly kind: "own"; readonly name: OwnColumnName } | SignalColumn;

/** One chart of the vehicle page. */
export interface Chart {
  readonly signal: string;
  readonly label: string;
}

/** A signal that travels in fleet frames, as integers of value times scale. */
export interface FrameSignal {
  readonly name: string;
  readonly scale: number;
}

/** The whole file. */
export interface DashboardView {
  /** Units of who has not chosen. */
  readonly units: "km/h" | "mph";
  /** IANA name of the zone of who has not chosen; "" for the browser's own. */
  readonly zone: string;
  /** Filter of pages whose address names none. */
  readonly show: FleetFilterName;
  readonly tiles: readonly Tile[];
  readonly columns: readonly Column[];
  /** Preferred first; a page shows those of which the vehicle has values. */
  readonly charts: readonly Chart[];
  /** Signals that tiles, columns and map need. */
  readonly frame: readonly FrameSignal[];
}

const STALE = VEHICLE_STATES.indexOf("stale");

/**
 * The figure of a tile.
 *
 * @param values latest value by vehicle, NaN while unknown; undefined where the signal is not there
 * @param states by vehicle, indices into VEHICLE_STATES
 * @returns NaN if there is no value to make it of; a count is then 0
 */
export function tileValue(
  tile: SignalTile,
  values: ArrayLike<number> | undefined,
  states: ArrayLike<number>,
  size: number,
): number {
  let count = 0;
  let sum = 0;
  let min = Infinity;
  let max = -Infinity;
  if (values === undefined) return NaN;
  for (let k = 0; k < size; k++) {
    const value = values[k];
    if (value === undefined || value !== value || states[k] === STALE) continue;
    if (tile.above !== null && !(value > tile.above)) continue;
    if (tile.below !== null && !(value < tile.below)) continue;
    count++;
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (tile.fold === "count") return count;
  if (count === 0) return NaN;
  switch (tile.fold) {
    case "mean":
      return sum / count;
    case "min":
      return min;
    case "max":
      return max;
    case "sum":
      return sum;
  }
}
