/** Series in the store: one columnar blob per vehicle and minute. */
import { type Chunk, MINUTE_MS } from "./series_buffer.ts";
import {
  decodeSeries,
  encodeSeries,
  inOrder,
  mergeSeries,
  type SeriesColumns,
} from "./series_codec.ts";
import { bytesIn, numberIn, type Sql, type Statement, textIn } from "./store_schema.ts";

/** Minutes of one vehicle are this far apart in `series.key`. */
const VEHICLE_STEP = 2 ** 32;
/** Newest minutes of a vehicle that are looked at to say where it stood. */
const RESTORED_MINUTES = 3;

/** The latest that the store knows of a vehicle. */
export interface StoredVehicle {
  readonly id: string;
  readonly at: number;
  readonly append: number;
  /** Last values by the name of the signal. */
  readonly values: ReadonlyMap<string, number>;
}

/** The tables of series, vehicles and signals. */
export class SeriesTable {
  readonly #sql: Sql;
  readonly #vehicles = new Map<string, number>();
  readonly #signals = new Map<string, number>();
  readonly #find: Statement;
  readonly #put: Statement;
  readonly #range: Statement;
  readonly #touch: Statement;

  constructor(sql: Sql) {
    this.#sql = sql;
    this.#find = sql.prepare("SELECT blob FROM series WHERE key = ?");
    this.#put = sql.prepare(
      "INSERT INTO series (key, written, blob) VALUES (?, ?, ?) " +
        "ON CONFLICT (key) DO UPDATE SET written = excluded.written, blob = excluded.blob",
    );
    this.#range = sql.prepare(
      "SELECT key, blob FROM series WHERE key BETWEEN ? AND ? ORDER BY key",
    );
    this.#touch = sql.prepare(
      "UPDATE vehicles SET newest = max(newest, ?), append = max(append, ?) WHERE id = ?",
    );
    for (const row of sql.prepare("SELECT id, name FROM vehicles").all()) {
      this.#vehicles.set(textIn(row, "name"), numberIn(row, "id"));
    }
    for (const row of sql.prepare("SELECT id, name FROM signals").all()) {
      this.#signals.set(textIn(row, "name"), numberIn(row, "id"));
    }
  }

  /** Number of a signal in the store; adds it if need be. */
  signalId(name: string): number {
    const known = this.#signals.get(name);
    if (known !== undefined) return known;
    const id = this.#signals.size + 1;
    this.#sql.prepare("INSERT INTO signals (id, name) VALUES (?, ?)").run(id, name);
    this.#signals.set(name, id);
    return id;
  }

  /** Stores a chunk, merged into what there is of its minute; call within a transaction. */
  write(vehicle: string, chunk: Chunk, idOf: (signal: number) => number): void {
    const id = this.#vehicleId(vehicle);
    const key = id * VEHICLE_STEP + chunk.minute;
    const start = chunk.minute * MINUTE_MS;
    const raw = chunk.series(idOf);
    let series = inOrder(raw.t, raw.columns);
    const there = this.#find.get(key);
    if (there !== undefined) {
      series = mergeSeries(decodeSeries(start, bytesIn(there, "blob")), series);
    }
    this.#put.run(key, Math.floor(chunk.touched / MINUTE_MS), encodeSeries(start, series));
    this.#touch.run(series.t[series.t.length - 1] ?? 0, chunk.append, id);
  }

  /** Stored stretches of some signals of a vehicle, by minute, ascending. */
  read(
    vehicle: string,
    signals: readonly string[],
    fromMinute: number,
    toMinute: number,
  ): { readonly minute: number; readonly series: SeriesColumns }[] {
    const id = this.#vehicles.get(vehicle);
    if (id === undefined) return [];
    const wanted = new Set(signals.map((name) => this.#signals.get(name) ?? -1));
    const base = id * VEHICLE_STEP;
    return this.#range.all(base + clampMinute(fromMinute), base + clampMinute(toMinute))
      .map((row) => {
        const minute = numberIn(row, "key") - base;
        return {
          minute,
          series: decodeSeries(minute * MINUTE_MS, bytesIn(row, "blob"), wanted),
        };
      });
  }

  /** Every vehicle known, as its newest minutes leave it. */
  *vehicles(): Iterable<StoredVehicle> {
    const newest = this.#sql.prepare(
      "SELECT key, blob FROM series WHERE key BETWEEN ? AND ? ORDER BY key DESC " +
        `LIMIT ${RESTORED_MINUTES}`,
    );
    const names = new Map([...this.#signals].map(([name, id]) => [id, name]));
    for (const row of this.#sql.prepare("SELECT id, name, newest, append FROM vehicles").all()) {
      const base = numberIn(row, "id") * VEHICLE_STEP;
      const minutes = newest.all(base, base + numberIn(row, "newest") / MINUTE_MS);
      const values = new Map<string, number>();
      for (const minute of minutes) {
        const start = (numberIn(minute, "key") - base) * MINUTE_MS;
        lastValues(decodeSeries(start, bytesIn(minute, "blob")), names, values);
      }
      yield {
        id: textIn(row, "name"),
        at: numberIn(row, "newest"),
        append: numberIn(row, "append"),
        values,
      };
    }
  }

  /** Deletes what was stored before a minute of the wall clock; at most `max` blobs. */
  prune(beforeMinute: number, max: number): number {
    const result = this.#sql.prepare(
      "DELETE FROM series WHERE key IN " +
        "(SELECT key FROM series WHERE written < ? ORDER BY written LIMIT ?)",
    ).run(beforeMinute, max);
    return Number(result.changes);
  }

  /** Minute of the wall clock at which the oldest blob was stored; undefined if there is none. */
  oldest(): number | undefined {
    const row = this.#sql.prepare("SELECT min(written) AS oldest FROM series").get();
    return typeof row?.oldest === "number" ? row.oldest : undefined;
  }

  #vehicleId(name: string): number {
    const known = this.#vehicles.get(name);
    if (known !== undefined) return known;
    const id = this.#vehicles.size + 1;
    this.#sql.prepare("INSERT INTO vehicles (id, name, newest, append) VALUES (?, ?, 0, 0)")
      .run(id, name);
    this.#vehicles.set(name, id);
    return id;
  }
}

/** Takes the last value of each signal that `values` lacks; positions only as a pair. */
function lastValues(
  series: SeriesColumns,
  names: ReadonlyMap<number, string>,
  values: Map<string, number>,
): void {
  const byName = new Map<string, Float64Array>();
  for (const [id, column] of series.columns) byName.set(names.get(id) ?? "", column);
  const lat = byName.get("lat");
  const lon = byName.get("lon");
  for (const [name, column] of byName) {
    if (values.has(name)) continue;
    const paired = name === "lat" || name === "lon";
    for (let k = column.length - 1; k >= 0; k--) {
      const value = column[k] ?? NaN;
      if (value !== value) continue;
      if (paired && (Number.isNaN(lat?.[k] ?? NaN) || Number.isNaN(lon?.[k] ?? NaN))) continue;
      values.set(name, value);
      break;
    }
  }
}

function clampMinute(minute: number): number {
  return Math.min(Math.max(Math.floor(minute), 0), VEHICLE_STEP - 1);
}
