/** Records as columns: filled from Kafka's record batches, joined, and given out as batches. */
import type { Batch, Headers } from "./port.ts";

const NO_HEADERS: Headers = Object.freeze({});
const decoder = new TextDecoder();

/** Reads zigzag varints of up to 64 bits as numbers. */
export class Cursor {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  varint(): number {
    const { bytes } = this;
    let byte = this.#next(bytes);
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let low = byte & 0x7f;
    let scale = 128;
    for (let i = 1; i < 10; i++) {
      byte = this.#next(bytes);
      low += (byte & 0x7f) * scale;
      if (byte < 0x80) return low % 2 === 0 ? low / 2 : -(low + 1) / 2;
      scale *= 128;
    }
    throw new RangeError("a variable-length number does not end");
  }

  #next(bytes: Uint8Array): number {
    if (this.at >= bytes.length) throw new RangeError("a record is cut");
    return bytes[this.at++];
  }
}

/** The columns of a batch that is being read. */
export class Columns {
  count = 0;
  #offsets = new Float64Array(0);
  #times = new Float64Array(0);
  #valueEnds = new Uint32Array(0);
  #keyEnds = new Uint32Array(0);
  #headerEnds = new Uint32Array(0);
  /** Bit 0: no key; bit 1: tombstone. */
  #flags = new Uint8Array(0);
  #values = new Uint8Array(0);
  /** Keys and headers of each record, in this order. */
  #extras = new Uint8Array(0);
  #valueLength = 0;
  #extraLength = 0;

  /** Offset of the first record that was left out, null if none was. */
  cutAt: number | null = null;

  constructor(readonly bytesMax: number) {}

  /** Whether a value of that length has to wait for the next batch. */
  isFull(length: number): boolean {
    return this.count > 0 && this.#valueLength + length > this.bytesMax;
  }

  reserve(count: number, bytes: number): void {
    this.#offsets = new Float64Array(count);
    this.#times = new Float64Array(count);
    this.#valueEnds = new Uint32Array(count);
    this.#keyEnds = new Uint32Array(count);
    this.#headerEnds = new Uint32Array(count);
    this.#flags = new Uint8Array(count);
    this.#values = new Uint8Array(bytes);
    this.#extras = new Uint8Array(Math.min(bytes, count * 64));
  }

  add(
    offset: number,
    time: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: Uint8Array,
  ): void {
    const i = this.count++;
    this.#offsets[i] = offset;
    this.#times[i] = time;
    this.#flags[i] = (key === null ? 1 : 0) | (value === null ? 2 : 0);
    if (value !== null) {
      this.#values.set(value, this.#valueLength);
      this.#valueLength += value.length;
    }
    this.#valueEnds[i] = this.#valueLength;
    if (key !== null) this.#addExtra(key);
    this.#keyEnds[i] = this.#extraLength;
    // One zero byte says "no headers".
    if (headers.length > 1) this.#addExtra(headers);
    this.#headerEnds[i] = this.#extraLength;
  }

  finish(
    place: { topic: string; partition: number; nextOffset: number; highWatermark: number },
  ): ColumnBatch {
    const { count, cutAt } = this;
    const values = this.#values.subarray(0, this.#valueLength);
    return new ColumnBatch(place, {
      offsets: this.#offsets.subarray(0, count),
      appendTimes: this.#times.subarray(0, count),
      // Do not hold on to room for what was left out.
      values: cutAt === null ? values : values.slice(),
      valueEnds: this.#valueEnds.subarray(0, count),
      extras: this.#extras.subarray(0, this.#extraLength),
      keyEnds: this.#keyEnds.subarray(0, count),
      headerEnds: this.#headerEnds.subarray(0, count),
      flags: this.#flags.subarray(0, count),
    });
  }

  #addExtra(bytes: Uint8Array): void {
    const needed = this.#extraLength + bytes.length;
    if (needed > this.#extras.length) {
      const grown = new Uint8Array(Math.max(needed, this.#extras.length * 2));
      grown.set(this.#extras.subarray(0, this.#extraLength));
      this.#extras = grown;
    }
    this.#extras.set(bytes, this.#extraLength);
    this.#extraLength = needed;
  }
}

/** The columns of a batch, one element a record in all but `values` and `extras`. */
interface ColumnSet {
  readonly offsets: Float64Array;
  readonly appendTimes: Float64Array;
  readonly values: Uint8Array;
  readonly valueEnds: Uint32Array;
  /** Keys and headers of each record, in this order, back to back. */
  readonly extras: Uint8Array;
  readonly keyEnds: Uint32Array;
  readonly headerEnds: Uint32Array;
  /** Bit 0: no key; bit 1: tombstone. */
  readonly flags: Uint8Array;
}

/** A batch read from Kafka. */
export class ColumnBatch implements Batch {
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: number;
  readonly highWatermark: number;
  readonly count: number;
  readonly offsets: Float64Array;
  readonly appendTimes: Float64Array;
  readonly values: Uint8Array;
  readonly valueEnds: Uint32Array;
  readonly #columns: ColumnSet;

  constructor(
    place: { topic: string; partition: number; nextOffset: number; highWatermark: number },
    columns: ColumnSet,
  ) {
    this.topic = place.topic;
    this.partition = place.partition;
    this.nextOffset = place.nextOffset;
    this.highWatermark = place.highWatermark;
    this.count = columns.offsets.length;
    this.offsets = columns.offsets;
    this.appendTimes = columns.appendTimes;
    this.values = columns.values;
    this.valueEnds = columns.valueEnds;
    this.#columns = columns;
  }

  /** One batch of several that follow one another; there must be at least one. */
  static join(batches: readonly [ColumnBatch, ...ColumnBatch[]]): ColumnBatch {
    const [first] = batches;
    const last = batches.at(-1) ?? first;
    if (last === first) return first;
    const { topic, partition } = first;
    const { nextOffset, highWatermark } = last;
    const count = batches.reduce((sum, batch) => sum + batch.count, 0);
    const valueBytes = batches.reduce((sum, batch) => sum + batch.values.length, 0);
    const extraBytes = batches.reduce((sum, batch) => sum + batch.#columns.extras.length, 0);
    const joined = {
      offsets: new Float64Array(count),
      appendTimes: new Float64Array(count),
      values: new Uint8Array(valueBytes),
      valueEnds: new Uint32Array(count),
      extras: new Uint8Array(extraBytes),
      keyEnds: new Uint32Array(count),
      headerEnds: new Uint32Array(count),
      flags: new Uint8Array(count),
    };
    let row = 0;
    let valueAt = 0;
    let extraAt = 0;
    for (const batch of batches) {
      const columns = batch.#columns;
      joined.offsets.set(columns.offsets, row);
      joined.appendTimes.set(columns.appendTimes, row);
      joined.flags.set(columns.flags, row);
      joined.values.set(columns.values, valueAt);
      joined.extras.set(columns.extras, extraAt);
      for (let i = 0; i < batch.count; i++) {
        joined.valueEnds[row + i] = columns.valueEnds[i] + valueAt;
        joined.keyEnds[row + i] = columns.keyEnds[i] + extraAt;
        joined.headerEnds[row + i] = columns.headerEnds[i] + extraAt;
      }
      row += batch.count;
      valueAt += columns.values.length;
      extraAt += columns.extras.length;
    }
    return new ColumnBatch({ topic, partition, nextOffset, highWatermark }, joined);
  }

  key(i: number): Uint8Array | null {
    const { flags, extras, keyEnds, headerEnds } = this.#columns;
    if ((flags[i] & 1) !== 0) return null;
    return extras.subarray(i === 0 ? 0 : headerEnds[i - 1], keyEnds[i]);
  }

  headers(i: number): Headers {
    const { extras, keyEnds, headerEnds } = this.#columns;
    if (keyEnds[i] === headerEnds[i]) return NO_HEADERS;
    return decodeHeaders(extras.subarray(keyEnds[i], headerEnds[i]));
  }

  tombstone(i: number): boolean {
    return (this.#columns.flags[i] & 2) !== 0;
  }
}

function decodeHeaders(bytes: Uint8Array): Headers {
  const cursor = new Cursor(bytes);
  const headers: Record<string, string> = {};
  const count = cursor.varint();
  for (let i = 0; i < count; i++) {
    const name = readText(cursor);
    headers[name] = readText(cursor);
  }
  return headers;
}

function readText(cursor: Cursor): string {
  const length = Math.max(0, cursor.varint());
  const text = decoder.decode(cursor.bytes.subarray(cursor.at, cursor.at + length));
  cursor.at += length;
  return text;
}
