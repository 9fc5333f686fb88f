/** Batches of the embedded bus: parts of rows, side by side in columns. */
import type { RowColumns } from "./embedded_batch_codec.ts";
import type { Batch, Headers } from "./port.ts";

/** Records `start` to `end` (exclusive) of a row. */
interface Slice {
  readonly row: RowColumns;
  readonly start: number;
  readonly end: number;
}

/** What `toBatch` makes a batch of. */
export interface BatchSource {
  readonly topic: string;
  readonly partition: number;
  /** In order of their offsets. */
  readonly rows: readonly RowColumns[];
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** Most bytes of values; the first record may exceed it. */
  readonly bytesMax: number;
  /** Offset to go on at if every record is taken. */
  readonly nextOffset: number;
  readonly highWatermark: number;
}

/**
 * Makes one batch of the records with `from <= offset < to`.
 *
 * A single row is viewed in place; several are copied together.
 *
 * @returns null if no record lies there
 */
export function toBatch(source: BatchSource): Batch | null {
  const { slices, cutAt } = sliceRows(source);
  if (slices.length === 0) return null;
  const nextOffset = cutAt ?? source.nextOffset;
  return new SlicedBatch(
    source.topic,
    source.partition,
    slices,
    nextOffset,
    Math.max(source.highWatermark, nextOffset),
  );
}

function sliceRows(source: BatchSource): { slices: Slice[]; cutAt: number | null } {
  const slices: Slice[] = [];
  let left = source.bytesMax;
  for (const row of source.rows) {
    const start = row.indexOf(source.from);
    const end = row.indexOf(source.to);
    if (start >= end) continue;
    const bytes = row.valueStart(end) - row.valueStart(start);
    if (bytes <= left) {
      slices.push({ row, start, end });
      left -= bytes;
      continue;
    }
    let fits = start;
    const limit = row.valueStart(start) + left;
    while (fits < end && row.valueEnds[fits] <= limit) fits++;
    if (fits === start && slices.length === 0) fits++;
    if (fits > start) slices.push({ row, start, end: fits });
    if (fits === end) return { slices, cutAt: null };
    return { slices, cutAt: row.offset(fits) };
  }
  return { slices, cutAt: null };
}

class SlicedBatch implements Batch {
  readonly count: number;
  readonly offsets: Float64Array;
  readonly appendTimes: Float64Array;
  readonly values: Uint8Array;
  readonly valueEnds: Uint32Array;
  /** Index of each slice's first record within the batch. */
  readonly #starts: number[] = [];

  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly slices: readonly Slice[],
    readonly nextOffset: number,
    readonly highWatermark: number,
  ) {
    let count = 0;
    let bytes = 0;
    for (const { row, start, end } of slices) {
      this.#starts.push(count);
      count += end - start;
      bytes += row.valueStart(end) - row.valueStart(start);
    }
    this.count = count;
    this.offsets = new Float64Array(count);
    this.appendTimes = new Float64Array(count);
    const [first] = slices;
    const inPlace = slices.length === 1;
    const firstByte = first.row.valueStart(first.start);
    this.values = inPlace
      ? first.row.values.subarray(firstByte, firstByte + bytes)
      : new Uint8Array(bytes);
    this.valueEnds = inPlace && firstByte === 0
      ? first.row.valueEnds.subarray(first.start, first.end)
      : new Uint32Array(count);
    this.#fill(inPlace);
  }

  key(i: number): Uint8Array | null {
    const { row, at } = this.#find(i);
    return row.key(at);
  }

  headers(i: number): Headers {
    const { row, at } = this.#find(i);
    return row.headers(at);
  }

  tombstone(i: number): boolean {
    const { row, at } = this.#find(i);
    return row.tombstone(at);
  }

  #fill(inPlace: boolean): void {
    let to = 0;
    let byte = 0;
    for (const { row, start, end } of this.slices) {
      const from = row.valueStart(start);
      const until = row.valueStart(end);
      if (!inPlace) this.values.set(row.values.subarray(from, until), byte);
      this.appendTimes.fill(row.appendTime, to, to + end - start);
      // In place the ends are the row's own already where its first record is taken.
      const shift = byte - from;
      for (let i = start; i < end; i++, to++) {
        this.offsets[to] = row.offset(i);
        if (shift !== 0 || !inPlace) this.valueEnds[to] = row.valueEnds[i] + shift;
      }
      byte += until - from;
    }
  }

  #find(i: number): { row: RowColumns; at: number } {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#starts[middle] <= i) low = middle;
      else high = middle - 1;
    }
    const slice = this.slices[low];
    return { row: slice.row, at: slice.start + i - this.#starts[low] };
  }
}
