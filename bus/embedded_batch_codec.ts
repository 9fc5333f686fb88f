/**
 * Rows of the embedded bus: one blob holds the records of one publish and partition as columns.
 *
 * ```
 * u8 format (1) | u8 flags | u16 0 | u32 count
 * u32 valueEnds[count]
 * u32 keyEnds[count]      if KEYS; the top bit marks "no key"
 * u32 headerEnds[count]   if HEADERS
 * u32 deltas[count]       if DELTAS: offset - base, else the records follow one another
 * u8  tombstones[count]   if TOMBSTONES
 * keys | headers (JSON objects, none is no bytes) | values, each back to back
 * ```
 * Little-endian, as every platform that the runtime supports; a reader takes views of the columns.
 */
import type { Headers, OutgoingRecord } from "./port.ts";

const FORMAT = 1;
const KEYS = 1;
const HEADERS = 2;
const TOMBSTONES = 4;
const DELTAS = 8;
const HEAD_BYTES = 8;
const NO_KEY = 0x80000000;

const NO_BYTES = new Uint8Array(0);
const NO_HEADERS: Headers = Object.freeze({});
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Encodes records of one partition.
 *
 * @param records at least one; below 2 GiB in all
 * @param deltas offsets less the row's base, ascending; left out: 0, 1, 2, …
 */
export function encodeRow(
  records: readonly OutgoingRecord[],
  deltas?: readonly number[],
): Uint8Array {
  const count = records.length;
  let flags = deltas === undefined ? 0 : DELTAS;
  let keyBytes = 0;
  let valueBytes = 0;
  let headerBytes = 0;
  const headers: (Uint8Array | null)[] = [];
  for (let i = 0; i < count; i++) {
    const { key, value, headers: named } = records[i];
    if (key !== null) {
      flags |= KEYS;
      keyBytes += key.length;
    }
    if (value === null) flags |= TOMBSTONES;
    else valueBytes += value.length;
    if (named !== undefined && Object.keys(named).length > 0) {
      const text = encoder.encode(JSON.stringify(named));
      headers[i] = text;
      headerBytes += text.length;
      flags |= HEADERS;
    }
  }
  const columns = 1 + bit(flags, KEYS) + bit(flags, HEADERS) + bit(flags, DELTAS);
  const keysAt = HEAD_BYTES + columns * 4 * count + bit(flags, TOMBSTONES) * count;
  const headersAt = keysAt + keyBytes;
  const valuesAt = headersAt + headerBytes;
  const row = new Uint8Array(valuesAt + valueBytes);
  row[0] = FORMAT;
  row[1] = flags;
  const words = new Uint32Array(row.buffer, 4, 1 + columns * count);
  words[0] = count;
  let column = 1;
  let at = valuesAt;
  for (let i = 0; i < count; i++) {
    const { value } = records[i];
    if (value !== null) {
      row.set(value, at);
      at += value.length;
    }
    words[column + i] = at - valuesAt;
  }
  column += count;
  if (flags & KEYS) {
    at = keysAt;
    for (let i = 0; i < count; i++) {
      const { key } = records[i];
      if (key !== null) {
        row.set(key, at);
        at += key.length;
      }
      words[column + i] = (at - keysAt) | (key === null ? NO_KEY : 0);
    }
    column += count;
  }
  if (flags & HEADERS) {
    at = headersAt;
    for (let i = 0; i < count; i++) {
      const text = headers[i] ?? NO_BYTES;
      row.set(text, at);
      at += text.length;
      words[column + i] = at - headersAt;
    }
    column += count;
  }
  if (deltas !== undefined) {
    words.set(deltas, column);
    column += count;
  }
  if (flags & TOMBSTONES) {
    const marks = HEAD_BYTES + columns * 4 * count;
    for (let i = 0; i < count; i++) if (records[i].value === null) row[marks + i] = 1;
  }
  return row;
}

/** The columns of a row, views of its blob. */
export class RowColumns {
  readonly valueEnds: Uint32Array;
  readonly values: Uint8Array;
  readonly #keyEnds: Uint32Array | null;
  readonly #keys: Uint8Array;
  readonly #headerEnds: Uint32Array | null;
  readonly #headers: Uint8Array;
  readonly #deltas: Uint32Array | null;
  readonly #tombstones: Uint8Array | null;

  private constructor(
    readonly base: number,
    readonly appendTime: number,
    readonly count: number,
    blob: Uint8Array,
  ) {
    const flags = blob[1];
    let at = HEAD_BYTES;
    const column = () => {
      const words = new Uint32Array(blob.buffer, blob.byteOffset + at, count);
      at += count * 4;
      return words;
    };
    const bytes = (length: number) => {
      const from = at;
      at += length;
      if (at > blob.length) throw new RangeError("a column ends beyond its row");
      return blob.subarray(from, at);
    };
    const last = (ends: Uint32Array | null) => ends === null ? 0 : ends[count - 1] & ~NO_KEY;
    this.valueEnds = column();
    this.#keyEnds = flags & KEYS ? column() : null;
    this.#headerEnds = flags & HEADERS ? column() : null;
    this.#deltas = flags & DELTAS ? column() : null;
    this.#tombstones = flags & TOMBSTONES ? bytes(count) : null;
    this.#keys = bytes(last(this.#keyEnds));
    this.#headers = bytes(last(this.#headerEnds));
    this.values = bytes(this.valueEnds[count - 1]);
    if (at !== blob.length) throw new RangeError("a row is longer than its columns");
  }

  /**
   * Views a row.
   *
   * @param base offset of its first record when it was appended
   * @throws {RangeError} if the blob is no such row
   */
  static read(base: number, appendTime: number, blob: Uint8Array): RowColumns {
    const aligned = blob.byteOffset % 4 === 0 ? blob : blob.slice();
    if (aligned.length < HEAD_BYTES || aligned[0] !== FORMAT) {
      throw new RangeError("a row has an unknown format");
    }
    const [count] = new Uint32Array(aligned.buffer, aligned.byteOffset + 4, 1);
    if (count === 0) throw new RangeError("a row is empty");
    return new RowColumns(base, appendTime, count, aligned);
  }

  /** Offset of record i. */
  offset(i: number): number {
    return this.base + (this.#deltas === null ? i : this.#deltas[i]);
  }

  /** Index of the first record at or behind an offset; `count` if there is none. */
  indexOf(offset: number): number {
    if (this.#deltas === null) return Math.min(this.count, Math.max(0, offset - this.base));
    let i = 0;
    while (i < this.count && this.base + this.#deltas[i] < offset) i++;
    return i;
  }

  /** Byte of `values` at which value i begins; `i === count` gives the end. */
  valueStart(i: number): number {
    return i === 0 ? 0 : this.valueEnds[i - 1];
  }

  /** Key of record i, a view. */
  key(i: number): Uint8Array | null {
    if (this.#keyEnds === null || this.#keyEnds[i] & NO_KEY) return null;
    const start = i === 0 ? 0 : this.#keyEnds[i - 1] & ~NO_KEY;
    return this.#keys.subarray(start, this.#keyEnds[i]);
  }

  /** Headers of record i. */
  headers(i: number): Headers {
    if (this.#headerEnds === null) return NO_HEADERS;
    const start = i === 0 ? 0 : this.#headerEnds[i - 1];
    const end = this.#headerEnds[i];
    if (start === end) return NO_HEADERS;
    const parsed: Record<string, string> = JSON.parse(
      decoder.decode(this.#headers.subarray(start, end)),
    );
    return parsed;
  }

  /** Whether record i is a tombstone. */
  tombstone(i: number): boolean {
    return this.#tombstones !== null && this.#tombstones[i] === 1;
  }

  /** Record i as it was published. */
  record(i: number): OutgoingRecord {
    const value = this.values.subarray(this.valueStart(i), this.valueEnds[i]);
    return {
      key: this.key(i),
      value: this.tombstone(i) ? null : value,
      headers: this.headers(i),
    };
  }
}

function bit(flags: number, flag: number): number {
  return flags & flag ? 1 : 0;
}
