/** Samples of the minutes that are still filling, column by column, until the store takes them. */
import type { DecodedRows } from "../rules-wasm/decoder_port.ts";
import type { SeriesColumns } from "./series_codec.ts";

/** Length of the stretch that one chunk holds, milliseconds of T. */
export const MINUTE_MS = 60_000;
/** Samples kept of one vehicle and minute (100 a second); more are counted and not kept. */
export const CHUNK_ROWS_MAX = 6_000;
/** A chunk nothing was added to for this long, wall clock, is done. */
const IDLE_AFTER_MS = 90_000;
const ROWS_FIRST = 64;
/** Emptied chunks kept for reuse. */
const SPARE_CHUNKS_MAX = 4_096;

/** One vehicle's samples of one minute, in the order of their coming. */
export class Chunk {
  rows = 0;
  t = new Float64Array(ROWS_FIRST);
  /** Values by catalog index; NaN beyond `rows` and where missing. */
  readonly columns: (Float64Array | undefined)[];
  vehicle = 0;
  minute = 0;
  partition = 0;
  /** Offset of the record that opened it. */
  firstOffset = 0;
  /** Wall clock of the latest addition and A of its record, epoch milliseconds. */
  touched = 0;
  append = 0;

  constructor(signals: number) {
    this.columns = new Array(signals).fill(undefined);
  }

  /** The samples as they stand, with the store's signal ids; copies. */
  series(idOf: (signal: number) => number): SeriesColumns {
    const columns = new Map<number, Float64Array>();
    this.columns.forEach((values, signal) => {
      if (values !== undefined) columns.set(idOf(signal), values.slice(0, this.rows));
    });
    return { t: this.t.slice(0, this.rows), columns };
  }

  /** Makes room for one more row. */
  grow(): void {
    if (this.rows < this.t.length) return;
    const capacity = this.t.length * 2;
    this.t = grown(this.t, capacity, 0);
    this.columns.forEach((values, signal) => {
      if (values !== undefined) this.columns[signal] = grown(values, capacity, NaN);
    });
  }
}

/** The open chunks of all vehicles. */
export class SeriesBuffer {
  /** Samples not kept since their minute was full. */
  overfull = 0;
  /** The chunk each vehicle fills now, by vehicle number. */
  readonly #current: (Chunk | undefined)[] = [];
  /** Chunks of other minutes, by vehicle and minute; the store takes them from here. */
  readonly #closed = new Map<number, Chunk>();
  readonly #spare: Chunk[] = [];
  readonly #signals: number;

  /** @param signals signals in the catalog */
  constructor(signals: number) {
    this.#signals = signals;
  }

  /** Chunks waiting for the store. */
  get closed(): number {
    return this.#closed.size;
  }

  /**
   * Adds decoded rows.
   *
   * @param vehicles vehicle number per row; negative: passed over
   * @param active catalog indices of the signals that occur in these rows
   */
  add(
    rows: DecodedRows,
    vehicles: Int32Array,
    active: readonly number[],
    source: { partition: number; offsets: Float64Array; appendTimes: Float64Array },
    now: number,
  ): void {
    const columns = active.map((signal) => rows.column(signal));
    for (let k = 0; k < rows.count; k++) {
      const vehicle = vehicles[k] ?? -1;
      if (vehicle < 0) continue;
      const t = rows.t[k] ?? 0;
      const minute = Math.floor(t / MINUTE_MS);
      const record = rows.record[k] ?? 0;
      const chunk = this.#chunkFor(vehicle, minute, source.partition, source.offsets[record] ?? 0);
      if (chunk.rows >= CHUNK_ROWS_MAX) {
        this.overfull++;
        continue;
      }
      chunk.grow();
      const row = chunk.rows++;
      chunk.t[row] = t;
      chunk.touched = now;
      chunk.append = source.appendTimes[record] ?? 0;
      for (let c = 0; c < columns.length; c++) {
        const value = columns[c]?.[k] ?? NaN;
        if (value !== value) continue;
        const signal = active[c] ?? 0;
        let column = chunk.columns[signal];
        if (column === undefined) {
          column = new Float64Array(chunk.t.length).fill(NaN);
          chunk.columns[signal] = column;
        }
        column[row] = value;
      }
    }
  }

  /** Closes chunks that nothing comes to any more; `all` closes every one. */
  close(now: number, all = false): void {
    this.#current.forEach((chunk, vehicle) => {
      if (chunk === undefined || (!all && now - chunk.touched < IDLE_AFTER_MS)) return;
      this.#current[vehicle] = undefined;
      this.#closed.set(keyOf(chunk.vehicle, chunk.minute), chunk);
    });
  }

  /** Closed chunks, oldest first, at most `max`; hand each back to `release` once it is stored. */
  take(max: number): Chunk[] {
    const taken: Chunk[] = [];
    for (const [key, chunk] of this.#closed) {
      if (taken.length >= max) break;
      taken.push(chunk);
      this.#closed.delete(key);
    }
    return taken;
  }

  /** Takes a stored chunk back for reuse. */
  release(chunk: Chunk): void {
    if (chunk.t.length > ROWS_FIRST * 2 || this.#spare.length >= SPARE_CHUNKS_MAX) return;
    for (const column of chunk.columns) column?.fill(NaN, 0, chunk.rows);
    chunk.rows = 0;
    this.#spare.push(chunk);
  }

  /** Chunks of a vehicle that overlap the minutes, in no order. */
  *of(vehicle: number, fromMinute: number, toMinute: number): Iterable<Chunk> {
    const current = this.#current[vehicle];
    const within = (chunk: Chunk) => chunk.minute >= fromMinute && chunk.minute <= toMinute;
    if (current !== undefined && within(current)) yield current;
    for (const chunk of this.#closed.values()) {
      if (chunk.vehicle === vehicle && within(chunk)) yield chunk;
    }
  }

  /** Lowers `next` (offset by partition) to what must be read again if the open chunks are lost. */
  holdBack(next: Map<number, number>): void {
    const hold = (chunk: Chunk) => {
      const at = next.get(chunk.partition);
      if (at !== undefined && chunk.firstOffset < at) next.set(chunk.partition, chunk.firstOffset);
    };
    for (const chunk of this.#current) {
      if (chunk !== undefined) hold(chunk);
    }
    for (const chunk of this.#closed.values()) hold(chunk);
  }

  #chunkFor(vehicle: number, minute: number, partition: number, offset: number): Chunk {
    const current = this.#current[vehicle];
    if (current !== undefined && current.minute === minute) return current;
    const key = keyOf(vehicle, minute);
    const waiting = this.#closed.get(key);
    if (waiting !== undefined) return waiting;
    const chunk = this.#spare.pop() ?? new Chunk(this.#signals);
    chunk.vehicle = vehicle;
    chunk.minute = minute;
    chunk.partition = partition;
    chunk.firstOffset = offset;
    if (current !== undefined && current.minute > minute) {
      // A late sample of a minute already stored: it goes straight to be merged there.
      this.#closed.set(key, chunk);
      return chunk;
    }
    if (current !== undefined) this.#closed.set(keyOf(vehicle, current.minute), current);
    this.#current[vehicle] = chunk;
    return chunk;
  }
}

/** Minutes stay below 2^32 up to the year 9999, vehicle numbers below 2^20: a safe integer. */
function keyOf(vehicle: number, minute: number): number {
  return vehicle * 2 ** 32 + minute;
}

function grown(old: Float64Array, capacity: number, fill: number): Float64Array<ArrayBuffer> {
  const array = new Float64Array(capacity).fill(fill);
  array.set(old);
  return array;
}
