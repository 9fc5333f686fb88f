/** Fleet frames into columns: typed arrays outside the signal graph, one slot per vehicle. */
import type { FleetFrame } from "../contract/stream.ts";

/** Vehicles a browser takes at most; a frame that numbers one higher is refused. */
export const VEHICLES_MAX = 200_000;

const DEGREE_SCALE = 1e5;

/** The fleet as the stream last told it. Columns are indexed by the vehicle's number. */
export class FleetColumns {
  /** One above the highest number in use. */
  size = 0;
  /** Ids by number; "" where no vehicle has that number. */
  ids: string[] = [];
  /** Degrees; NaN while unknown. */
  lat = new Float64Array(0);
  lon = new Float64Array(0);
  /** Degrees clockwise from north; NaN while unknown. */
  heading = new Float32Array(0);
  /** T and A of the latest sample, server clock, epoch milliseconds. */
  at = new Float64Array(0);
  append = new Float64Array(0);
  /** Index into VEHICLE_STATES. */
  state = new Uint8Array(0);
  /** 0 no open anomaly, else 1 + index into SEVERITIES. */
  severity = new Uint8Array(0);
  /** The signals that frames carry, their divisors, and a column for each; NaN while unknown. */
  names: readonly string[] = [];
  scales: readonly number[] = [];
  signals: Float32Array[] = [];
  /** Frame number and server clock of the latest frame. */
  seq = 0;
  now = 0;
  /** Grows whenever a number comes to mean another vehicle. */
  renames = 0;
  readonly #numbers = new Map<string, number>();

  /** The number of a vehicle, or -1. */
  numberOf(id: string): number {
    return this.#numbers.get(id) ?? -1;
  }

  /** The column of a signal; undefined if frames do not carry it. */
  signal(name: string): Float32Array | undefined {
    const column = this.names.indexOf(name);
    return column < 0 ? undefined : this.signals[column];
  }

  /** Takes over which signals frames carry: names and scales in turn. */
  carry(given: FleetFrame["k"]): void {
    this.names = given.filter((_, k) => k % 2 === 0).map(String);
    this.scales = given.filter((_, k) => k % 2 === 1).map(Number);
    this.signals = this.names.map(() => new Float32Array(this.state.length).fill(NaN));
  }

  /** Names a vehicle. @throws {RangeError} if the number is none */
  name(number: number, id: string): void {
    checkNumber(number);
    this.reserve(number + 1);
    const before = this.ids[number];
    if (before !== undefined && before !== "") this.#numbers.delete(before);
    if (before !== id) this.renames++;
    this.ids[number] = id;
    this.#numbers.set(id, number);
    if (number >= this.size) this.size = number + 1;
  }

  /** Makes room for that many vehicles. */
  reserve(count: number): void {
    const capacity = this.state.length;
    while (this.ids.length < count) this.ids.push("");
    if (count <= capacity) return;
    const grown = Math.min(VEHICLES_MAX, Math.max(256, count, capacity * 2));
    this.lat = copied(new Float64Array(grown).fill(NaN), this.lat);
    this.lon = copied(new Float64Array(grown).fill(NaN), this.lon);
    this.heading = copied(new Float32Array(grown).fill(NaN), this.heading);
    this.at = copied(new Float64Array(grown), this.at);
    this.append = copied(new Float64Array(grown), this.append);
    this.state = copied(new Uint8Array(grown), this.state);
    this.severity = copied(new Uint8Array(grown), this.severity);
    this.signals = this.signals.map((column) => copied(new Float32Array(grown).fill(NaN), column));
  }

  /** Forgets every vehicle. */
  clear(): void {
    this.size = 0;
    this.ids.length = 0;
    this.renames++;
    this.#numbers.clear();
    this.lat.fill(NaN);
    this.lon.fill(NaN);
    this.heading.fill(NaN);
    this.at.fill(0);
    this.append.fill(0);
    this.state.fill(0);
    this.severity.fill(0);
    for (const column of this.signals) column.fill(NaN);
  }
}

/**
 * Takes a frame into the columns. Costs no object per vehicle.
 *
 * @param onFresh called with the number of each vehicle of a delta whose latest sample is newer
 * @throws {RangeError} if the frame numbers a vehicle that cannot be, or one never named: the
 *   reader then asks for a fresh snapshot
 */
export function applyFrame(
  columns: FleetColumns,
  frame: FleetFrame,
  onFresh?: (number: number) => void,
): void {
  if (frame.full) {
    columns.clear();
    columns.carry(frame.k);
  }
  const { ids } = frame;
  for (let k = 0; k + 1 < ids.length; k += 2) {
    columns.name(Number(ids[k]), String(ids[k + 1]));
  }
  const { i, lat, lon, h, t, a, s, x, c, now } = frame;
  for (let k = 0; k < i.length; k++) {
    const number = i[k];
    checkNumber(number);
    if (number >= columns.size) {
      throw new RangeError(`Cannot apply the frame as vehicle ${number} has not been named`);
    }
    const before = columns.append[number];
    const append = now - a[k];
    columns.lat[number] = scaled(lat[k], DEGREE_SCALE);
    columns.lon[number] = scaled(lon[k], DEGREE_SCALE);
    columns.heading[number] = h[k] ?? NaN;
    columns.at[number] = now - t[k];
    columns.append[number] = append;
    columns.state[number] = s[k];
    columns.severity[number] = x[k];
    for (let column = 0; column < columns.signals.length; column++) {
      columns.signals[column][number] = scaled(c[column]?.[k], columns.scales[column]);
    }
    if (!frame.full && onFresh !== undefined && append > before) onFresh(number);
  }
  columns.seq = frame.seq;
  columns.now = now;
}

/** The columns as a full frame: what a page embeds, and what a late listener is given. */
export function encodeColumns(columns: FleetColumns, now: number): FleetFrame {
  const i: number[] = [];
  const ids: (number | string)[] = [];
  for (let number = 0; number < columns.size; number++) {
    if (columns.ids[number] === "") continue;
    i.push(number);
    ids.push(number, columns.ids[number]);
  }
  const integers = (column: Float64Array | Float32Array, scale: number) =>
    i.map((number) => {
      const value = column[number];
      return Number.isFinite(value) ? Math.round(value * scale) : null;
    });
  return {
    seq: columns.seq,
    now,
    full: true,
    ids,
    i,
    lat: integers(columns.lat, DEGREE_SCALE),
    lon: integers(columns.lon, DEGREE_SCALE),
    h: integers(columns.heading, 1),
    t: i.map((number) => Math.round(now - columns.at[number])),
    a: i.map((number) => Math.round(now - columns.append[number])),
    s: i.map((number) => columns.state[number]),
    x: i.map((number) => columns.severity[number]),
    k: columns.names.flatMap((name, k) => [name, columns.scales[k]]),
    c: columns.signals.map((column, k) => integers(column, columns.scales[k])),
  };
}

/** Whether a value has the form of a frame: its columns are arrays of one length. */
export function isFleetFrame(value: unknown): value is FleetFrame {
  if (typeof value !== "object" || value === null) return false;
  const frame: Record<string, unknown> = { ...value };
  const { i, ids, k, c } = frame;
  if (!Array.isArray(i) || !Array.isArray(ids) || !Array.isArray(k) || !Array.isArray(c)) {
    return false;
  }
  const isColumn = (column: unknown) => Array.isArray(column) && column.length === i.length;
  return typeof frame.seq === "number" && typeof frame.now === "number" &&
    typeof frame.full === "boolean" && ids.length % 2 === 0 && k.length % 2 === 0 &&
    ["lat", "lon", "h", "t", "a", "s", "x"].every((name) => isColumn(frame[name])) &&
    c.every(isColumn);
}

function checkNumber(number: number): void {
  if (!Number.isInteger(number) || number < 0 || number >= VEHICLES_MAX) {
    throw new RangeError(
      `Cannot take vehicle number ${number}: it must be an integer from 0 to ${VEHICLES_MAX - 1}`,
    );
  }
}

function scaled(value: number | null | undefined, scale: number): number {
  return value === null || value === undefined ? NaN : value / scale;
}

function copied<A extends Float64Array | Float32Array | Uint8Array>(to: A, from: A): A {
  to.set(from);
  return to;
}
