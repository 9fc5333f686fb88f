/** Series of the past: what the store holds and what is still filling, as one. */
import type { Catalog } from "../contract/catalog.ts";
import type { SeriesView } from "../contract/views.ts";
import type { TrailView } from "./pages/model.ts";
import type { FleetProjection } from "./fleet_projection.ts";
import { MINUTE_MS, type SeriesBuffer } from "./series_buffer.ts";
import { mergeSeries, type SeriesColumns } from "./series_codec.ts";
import type { SeriesTable } from "./store_series.ts";

/** Longest stretch of one answer, milliseconds: 31 days. */
export const SERIES_SPAN_MS_MAX = 31 * 86_400_000;

/** Reads series. */
export class History {
  readonly #catalog: Catalog;
  readonly #fleet: FleetProjection;
  readonly #buffer: SeriesBuffer;
  readonly #table: SeriesTable;

  constructor(
    catalog: Catalog,
    fleet: FleetProjection,
    buffer: SeriesBuffer,
    table: SeriesTable,
  ) {
    this.#catalog = catalog;
    this.#fleet = fleet;
    this.#buffer = buffer;
    this.#table = table;
  }

  /**
   * Signals of a vehicle from `from` up to and including `to`, epoch milliseconds of T.
   *
   * @param points samples per signal at most: beyond it each stretch keeps its least and greatest
   */
  series(
    vehicle: string,
    signals: readonly string[],
    from: number,
    to: number,
    points: number,
  ): SeriesView[] {
    const samples = this.#read(vehicle, signals, from, to);
    return signals.map((name) => {
      const signal = this.#catalog.signals.find((signal) => signal.name === name);
      const t: number[] = [];
      const v: number[] = [];
      for (const part of samples) {
        const column = part.columns.get(name);
        column?.forEach((value, k) => {
          const time = part.t[k] ?? 0;
          if (value !== value || time < from || time > to) return;
          t.push(time);
          v.push(value);
        });
      }
      return { vehicle, signal: name, unit: signal?.unit ?? "", ...thin(t, v, points) };
    });
  }

  /** Positions of a vehicle over the same kind of stretch, at most `points`, evenly thinned. */
  trail(vehicle: string, from: number, to: number, points: number): TrailView {
    const trail = { t: [] as number[], lat: [] as number[], lon: [] as number[] };
    for (const part of this.#read(vehicle, ["lat", "lon"], from, to)) {
      const lats = part.columns.get("lat");
      const lons = part.columns.get("lon");
      if (lats === undefined || lons === undefined) continue;
      part.t.forEach((time, k) => {
        const lat = lats[k] ?? NaN;
        const lon = lons[k] ?? NaN;
        if (lat !== lat || lon !== lon || time < from || time > to) return;
        trail.t.push(time);
        trail.lat.push(lat);
        trail.lon.push(lon);
      });
    }
    const step = Math.ceil(trail.t.length / points);
    if (step <= 1) return trail;
    const last = trail.t.length - 1;
    const keep = (_: number, k: number) => k % step === 0 || k === last;
    return {
      t: trail.t.filter(keep),
      lat: trail.lat.filter(keep),
      lon: trail.lon.filter(keep),
    };
  }

  /** Stretches by minute, ascending, with columns by the signal's name. */
  #read(
    vehicle: string,
    signals: readonly string[],
    from: number,
    to: number,
  ): { t: Float64Array; columns: Map<string, Float64Array> }[] {
    const fromMinute = Math.floor(from / MINUTE_MS);
    const toMinute = Math.floor(to / MINUTE_MS);
    const byMinute = new Map<number, SeriesColumns>();
    for (const { minute, series } of this.#table.read(vehicle, signals, fromMinute, toMinute)) {
      byMinute.set(minute, series);
    }
    const ids = new Map(signals.map((name) => [name, this.#idOf(name)]));
    const number = this.#fleet.numberOf(vehicle);
    if (number >= 0) {
      const nameOf = (signal: number) => this.#catalog.signals[signal]?.name ?? "";
      for (const chunk of this.#buffer.of(number, fromMinute, toMinute)) {
        const fresh = chunk.series((signal) => ids.get(nameOf(signal)) ?? -1);
        const stored = byMinute.get(chunk.minute) ?? { t: new Float64Array(0), columns: new Map() };
        byMinute.set(chunk.minute, mergeSeries(stored, fresh));
      }
    }
    return [...byMinute].sort(([a], [b]) => a - b).map(([, { t, columns }]) => {
      const named = new Map<string, Float64Array>();
      for (const [name, id] of ids) {
        const column = columns.get(id);
        if (column !== undefined) named.set(name, column);
      }
      return { t, columns: named };
    });
  }

  #idOf(name: string): number {
    return this.#table.signalId(name);
  }
}

/** Least and greatest of each of `points / 2` equal stretches of samples, in order of time. */
function thin(
  t: readonly number[],
  v: readonly number[],
  points: number,
): { t: readonly number[]; v: readonly number[] } {
  if (t.length <= points) return { t, v };
  const buckets = Math.max(1, Math.floor(points / 2));
  const out: { t: number[]; v: number[] } = { t: [], v: [] };
  for (let bucket = 0; bucket < buckets; bucket++) {
    const start = Math.floor(bucket * t.length / buckets);
    const end = Math.floor((bucket + 1) * t.length / buckets);
    let least = start;
    let greatest = start;
    for (let k = start; k < end; k++) {
      if ((v[k] ?? 0) < (v[least] ?? 0)) least = k;
      if ((v[k] ?? 0) > (v[greatest] ?? 0)) greatest = k;
    }
    for (const k of least === greatest ? [least] : [least, greatest].sort((a, b) => a - b)) {
      out.t.push(t[k] ?? 0);
      out.v.push(v[k] ?? 0);
    }
  }
  return out;
}
