/**
 * The columnar blob that holds one vehicle's samples of one minute.
 *
 * ```
 * version u8 | rows varint | times: rows zigzag varints, each relative to the one before (the first
 * to the start of the minute) | columns: signal id varint, bytes varint, then encoding u8,
 * presence u8 (1: a bitmap of the rows follows), values
 * ```
 * Values that are decimals of up to six places (nearly all that vehicles send) are kept as exact
 * integers, delta by delta in varints, so that a sample takes one or two bytes; others as doubles.
 */

/** Samples of a stretch of time as columns; NaN where a sample lacks the signal. */
export interface SeriesColumns {
  /** T per sample, epoch milliseconds, strictly ascending. */
  readonly t: Float64Array;
  /** Values by the store's signal id. */
  readonly columns: ReadonlyMap<number, Float64Array>;
}

const VERSION = 1;
const DECIMALS_MAX = 6;
const POWERS = Array.from({ length: DECIMALS_MAX + 1 }, (_, decimals) => 10 ** decimals);
/** Encoding byte of a column of doubles; 0 to DECIMALS_MAX are integers of so many places. */
const DOUBLES = 255;
/** Scaled values beyond this are kept as doubles, so that deltas stay exact integers. */
const SCALED_MAX = 2 ** 50;

/** Writes a blob. Times need not lie within the minute, but are shortest there. */
export function encodeSeries(minuteStart: number, series: SeriesColumns): Uint8Array {
  const writer = new Writer();
  writer.byte(VERSION);
  writer.varint(series.t.length);
  let before = minuteStart;
  for (const t of series.t) {
    writer.zigzag(t - before);
    before = t;
  }
  for (const [id, values] of series.columns) {
    const column = encodeColumn(values);
    if (column === null) continue;
    writer.varint(id);
    writer.varint(column.length);
    writer.bytes(column);
  }
  return writer.done();
}

/**
 * Reads a blob back.
 *
 * @param wanted the signal ids to decode; undefined for all
 * @throws {RangeError} if the bytes are not a blob of this encoding
 */
export function decodeSeries(
  minuteStart: number,
  blob: Uint8Array,
  wanted?: ReadonlySet<number>,
): SeriesColumns {
  const reader = new Reader(blob);
  const version = reader.byte();
  if (version !== VERSION) {
    throw new RangeError(`Cannot read a series of encoding ${version}: this is ${VERSION}`);
  }
  const rows = reader.varint();
  const t = new Float64Array(rows);
  let before = minuteStart;
  for (let k = 0; k < rows; k++) {
    before += reader.zigzag();
    t[k] = before;
  }
  const columns = new Map<number, Float64Array>();
  while (!reader.atEnd()) {
    const id = reader.varint();
    const bytes = reader.take(reader.varint());
    if (wanted === undefined || wanted.has(id)) columns.set(id, decodeColumn(bytes, rows));
  }
  return { t, columns };
}

/** The samples of both in the order of time; of two at the same T, `newer` wins signal by signal. */
export function mergeSeries(older: SeriesColumns, newer: SeriesColumns): SeriesColumns {
  const times = new Float64Array(older.t.length + newer.t.length);
  times.set(older.t);
  times.set(newer.t, older.t.length);
  const ids = new Set([...older.columns.keys(), ...newer.columns.keys()]);
  const columns = new Map<number, Float64Array>();
  for (const id of ids) {
    const values = new Float64Array(times.length).fill(NaN);
    const first = older.columns.get(id);
    const second = newer.columns.get(id);
    if (first !== undefined) values.set(first);
    if (second !== undefined) values.set(second, older.t.length);
    columns.set(id, values);
  }
  return inOrder(times, columns);
}

/** Sorts by time and makes one sample of those at the same T: the last value of a signal wins. */
export function inOrder(
  t: Float64Array,
  columns: ReadonlyMap<number, Float64Array>,
): SeriesColumns {
  let ascending = true;
  for (let k = 1; k < t.length; k++) {
    if ((t[k] ?? 0) <= (t[k - 1] ?? 0)) {
      ascending = false;
      break;
    }
  }
  if (ascending) return { t, columns };
  const order = Uint32Array.from(t, (_, k) => k);
  order.sort((a, b) => (t[a] ?? 0) - (t[b] ?? 0) || a - b);
  const target = new Uint32Array(t.length);
  let rows = 0;
  let before = NaN;
  for (const k of order) {
    const time = t[k] ?? 0;
    if (time !== before) rows++;
    before = time;
    target[k] = rows - 1;
  }
  const times = new Float64Array(rows);
  for (const k of order) times[target[k] ?? 0] = t[k] ?? 0;
  const merged = new Map<number, Float64Array>();
  for (const [id, values] of columns) {
    const out = new Float64Array(rows).fill(NaN);
    for (const k of order) {
      const value = values[k] ?? NaN;
      if (!Number.isNaN(value)) out[target[k] ?? 0] = value;
    }
    merged.set(id, out);
  }
  return { t: times, columns: merged };
}

function encodeColumn(values: Float64Array): Uint8Array | null {
  const present = presentOf(values);
  if (present.length === 0) return null;
  const writer = new Writer();
  const decimals = decimalsOf(present);
  writer.byte(decimals);
  if (present.length === values.length) {
    writer.byte(0);
  } else {
    writer.byte(1);
    const bitmap = new Uint8Array(Math.ceil(values.length / 8));
    values.forEach((value, k) => {
      if (value === value) bitmap[k >> 3] = (bitmap[k >> 3] ?? 0) | 1 << (k & 7);
    });
    writer.bytes(bitmap);
  }
  if (decimals === DOUBLES) {
    writer.bytes(new Uint8Array(present.buffer, present.byteOffset, present.byteLength));
    return writer.done();
  }
  const factor = POWERS[decimals] ?? 1;
  let before = 0;
  for (let k = 0; k < present.length; k++) {
    const scaled = Math.round((present[k] ?? 0) * factor);
    writer.zigzag(scaled - before);
    before = scaled;
  }
  return writer.done();
}

/** The values that are there: nearly always all. */
function presentOf(values: Float64Array): Float64Array {
  for (let k = 0; k < values.length; k++) {
    if (Number.isNaN(values[k])) return values.filter((value) => value === value);
  }
  return values;
}

function decodeColumn(bytes: Uint8Array, rows: number): Float64Array {
  const reader = new Reader(bytes);
  const decimals = reader.byte();
  const bitmap = reader.byte() === 1 ? reader.take(Math.ceil(rows / 8)) : null;
  const values = new Float64Array(rows).fill(NaN);
  const factor = POWERS[decimals] ?? 1;
  let scaled = 0;
  for (let k = 0; k < rows; k++) {
    if (bitmap !== null && ((bitmap[k >> 3] ?? 0) >> (k & 7) & 1) === 0) continue;
    if (decimals === DOUBLES) {
      values[k] = reader.double();
    } else {
      scaled += reader.zigzag();
      values[k] = scaled / factor;
    }
  }
  return values;
}

/** Fewest decimal places that keep every value exactly, or DOUBLES. */
function decimalsOf(values: Float64Array): number {
  let decimals = 0;
  let factor = 1;
  for (let k = 0; k < values.length; k++) {
    const value = values[k] ?? 0;
    while (Math.round(value * factor) / factor !== value) {
      if (++decimals > DECIMALS_MAX) return DOUBLES;
      factor = POWERS[decimals] ?? 1;
      // The places that this value needs must keep those before it, too.
      k = -1;
      break;
    }
  }
  for (let k = 0; k < values.length; k++) {
    if (Math.abs((values[k] ?? 0) * factor) > SCALED_MAX) return DOUBLES;
  }
  return decimals;
}

class Writer {
  #bytes = new Uint8Array(256);
  #at = 0;

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  bytes(values: Uint8Array): void {
    this.#room(values.length);
    this.#bytes.set(values, this.#at);
    this.#at += values.length;
  }

  /** Whole numbers from 0 up to 2^53. */
  varint(value: number): void {
    this.#room(8);
    if (value < 128) {
      this.#bytes[this.#at++] = value;
      return;
    }
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#at++] = rest % 128 + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  zigzag(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  #room(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + count));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new RangeError("Cannot read the series: it ends too early");
    return value;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  double(): number {
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  take(count: number): Uint8Array {
    if (this.#at + count > this.#bytes.length) {
      throw new RangeError("Cannot read the series: it ends too early");
    }
    const bytes = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return bytes;
  }
}
