/**
 * Telemetry read object by object in plain TypeScript: the oracle of the kernel's scan, written
 * from the description of the wire and not from the kernel.
 */
import type { Catalog, Signal } from "../../contract/catalog.ts";
import {
  type Refusal,
  type RefusalReason,
  TIME_MS_MAX,
  VEHICLE_ID_BYTES_MAX,
} from "../../contract/telemetry.ts";
import { malformed, type Met, skipSpace, textOf, WalkFault, walkValue } from "./json_walk.ts";

/** What a sample's values were counted as. */
export interface ValueCounts {
  unknownKeys: number;
  outOfRange: number;
  wrongType: number;
}

/** An accepted object. */
export interface TelemetrySample {
  readonly kind: "sample";
  readonly vehicle: string;
  /** Device time T, whole epoch milliseconds. */
  readonly t: number;
  /** Values by the signal's number in the catalog; a missing one is absent. */
  readonly values: ReadonlyMap<number, number>;
  readonly counts: ValueCounts;
  /** Index of the object within the record, refused ones counted too. */
  readonly index: number;
  /** First byte of the object within the record's value. */
  readonly start: number;
  /** End (exclusive) of the object within the record's value. */
  readonly end: number;
}

/** An object refused for what it is, whatever the clock and the vehicles seen before. */
export interface TelemetryRefusal {
  readonly kind: "refused";
  readonly refusal: Omit<Refusal, "record">;
}

/** What a key of the catalog is for. */
type Owner =
  | { readonly kind: "signal"; readonly signal: number }
  | { readonly kind: "vehicle" }
  | { readonly kind: "time" };

const owners = new WeakMap<Catalog, Map<string, Owner>>();

/** Who reads which key; the first owner of a key keeps it. */
function ownersOf(catalog: Catalog): Map<string, Owner> {
  const known = owners.get(catalog);
  if (known) return known;
  const map = new Map<string, Owner>();
  const add = (key: string, owner: Owner) => {
    if (!map.has(key)) map.set(key, owner);
  };
  catalog.signals.forEach((signal, i) => {
    const keys = signal.vss === "" ? signal.keys : [...signal.keys, signal.vss];
    for (const key of keys) add(key, { kind: "signal", signal: i });
  });
  for (const key of catalog.vehicleKeys) add(key, { kind: "vehicle" });
  for (const key of catalog.timeKeys) add(key, { kind: "time" });
  owners.set(catalog, map);
  return map;
}

/**
 * Reads a record's value (not a tick): its objects in the order of the text.
 *
 * An object may stretch over lines. Once one is malformed, the record is read line by line from the
 * line on which that one begins, so that what is broken takes in no neighbour.
 *
 * @throws Error when its own walk and `JSON.parse` disagree
 */
export function* readTelemetry(
  bytes: Uint8Array,
  catalog: Catalog,
): Generator<TelemetrySample | TelemetryRefusal> {
  let at = skipSpace(bytes, 0);
  let lineByLine = false;
  if (at === bytes.length) yield refused("malformed-json", 0, 0, at, at);
  for (let index = 0; at < bytes.length; index++) {
    const start = at;
    const newline = bytes.indexOf(0x0a, start);
    const line = newline < 0 ? bytes.length : newline;
    let read = tryRead(lineByLine ? bytes.subarray(0, line) : bytes, start);
    if (read instanceof WalkFault && !lineByLine) {
      lineByLine = true;
      if (read.position > line) read = tryRead(bytes.subarray(0, line), start);
    }
    if (read instanceof WalkFault) {
      at = line;
      yield refused(read.reason, index, start, at, read.position);
    } else {
      at = read.next;
      yield bytes[start] === 0x7b
        ? readObject(bytes, catalog, read.met, index, start, read.end)
        : refused("not-an-object", index, start, read.end, start);
    }
    at = skipSpace(bytes, at);
  }
}

/** Reads one value and what stands behind it on its line. */
function tryRead(
  bytes: Uint8Array,
  start: number,
): { readonly met: Met[]; readonly end: number; readonly next: number } | WalkFault {
  const met: Met[] = [];
  try {
    const end = walkValue(bytes, start, (value) => met.push(value));
    const next = lineEnd(bytes, end);
    holdAgainstParse(bytes, start, end, true);
    return { met, end, next };
  } catch (fault) {
    if (!(fault instanceof WalkFault)) throw fault;
    const newline = bytes.indexOf(0x0a, fault.position);
    holdAgainstParse(bytes, start, newline < 0 ? bytes.length : newline, false);
    return fault;
  }
}

function refused(
  reason: RefusalReason,
  index: number,
  start: number,
  end: number,
  position: number,
): TelemetryRefusal {
  return { kind: "refused", refusal: { reason, index, start, end, position } };
}

/** The newline or end behind a value. @throws WalkFault when something else stands before it */
function lineEnd(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && bytes[at] !== 0x0a) {
    if (bytes[at] !== 0x20 && bytes[at] !== 0x09 && bytes[at] !== 0x0d) throw malformed(bytes, at);
    at++;
  }
  return at;
}

function holdAgainstParse(bytes: Uint8Array, start: number, end: number, valid: boolean): void {
  let parsed = true;
  try {
    JSON.parse(textOf(bytes, start, end));
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
    parsed = false;
  }
  if (parsed !== valid) {
    throw new Error(`The walk and JSON.parse disagree on bytes ${start} to ${end}`);
  }
}

function readObject(
  bytes: Uint8Array,
  catalog: Catalog,
  met: readonly Met[],
  index: number,
  start: number,
  end: number,
): TelemetrySample | TelemetryRefusal {
  const values = new Map<number, number>();
  const counts: ValueCounts = { unknownKeys: 0, outOfRange: 0, wrongType: 0 };
  const keyed = ownersOf(catalog);
  let vehicle: Met | undefined;
  let time: Met | undefined;
  for (const value of met.slice(1)) {
    const owner = value.path === null ? undefined : keyed.get(value.path);
    // An object's leaves are values, under dotted names; it is none itself, and wrong for a signal.
    if (value.kind === "object" && owner?.kind !== "signal") continue;
    if (owner === undefined) {
      if (!value.inArray) counts.unknownKeys++;
    } else if (owner.kind === "vehicle") vehicle = value;
    else if (owner.kind === "time") time = value;
    else {
      const read = readSignal(bytes, catalog.signals[owner.signal], value);
      values.delete(owner.signal);
      if (typeof read === "number") values.set(owner.signal, read);
      else if (read !== "missing") counts[read]++;
    }
  }
  const refuse = (reason: RefusalReason, at: Met | undefined) =>
    refused(reason, index, start, end, at?.start ?? start);
  const id = readVehicle(bytes, vehicle);
  if (id === null) return refuse("no-vehicle", vehicle);
  if (!id.isWellFormed() || new TextEncoder().encode(id).length > VEHICLE_ID_BYTES_MAX) {
    return refuse("bad-vehicle-id", vehicle);
  }
  const t = readTime(bytes, time);
  if (t === null) return refuse("no-time", time);
  if (t < 0 || Math.trunc(t) > TIME_MS_MAX) return refuse("impossible-time", time);
  return { kind: "sample", vehicle: id, t: Math.trunc(t) + 0, values, counts, index, start, end };
}

function readSignal(
  bytes: Uint8Array,
  signal: Signal,
  value: Met,
): number | "missing" | "outOfRange" | "wrongType" {
  if (value.kind === "object" || value.kind === "array") return "wrongType";
  const read: unknown = JSON.parse(textOf(bytes, value.start, value.end));
  if (read === null) return "missing";
  switch (signal.type) {
    case "number": {
      if (typeof read !== "number") return "wrongType";
      const possible = Number.isFinite(read) && read >= signal.min && read <= signal.max;
      return possible ? read : "outOfRange";
    }
    case "boolean":
      if (typeof read === "boolean") return read ? 1 : 0;
      if (typeof read !== "number") return "wrongType";
      return read === 0 || read === 1 ? Math.abs(read) : "outOfRange";
    case "name": {
      if (typeof read !== "string") return "wrongType";
      const name = signal.names.indexOf(read);
      return name < 0 ? "outOfRange" : name;
    }
  }
}

/** The id, or null when there is none. */
function readVehicle(bytes: Uint8Array, value: Met | undefined): string | null {
  if (value?.kind !== "string" && value?.kind !== "number") return null;
  const text = textOf(bytes, value.start, value.end);
  const read: unknown = JSON.parse(text);
  if (typeof read === "number") return Number.isFinite(read) ? text : null;
  return typeof read === "string" && read !== "" ? read : null;
}

const ISO_TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?)?$/;

/** The time in milliseconds, possible or not; null when there is none. */
function readTime(bytes: Uint8Array, value: Met | undefined): number | null {
  if (value?.kind !== "string" && value?.kind !== "number") return null;
  const read: unknown = JSON.parse(textOf(bytes, value.start, value.end));
  if (typeof read === "number") return read;
  const parts = typeof read === "string" ? ISO_TIME.exec(read) : null;
  if (parts === null) return null;
  const [year, month, day] = parts.slice(1, 4).map(Number);
  const [hour, minute, second] = parts.slice(4, 7).map((part) => Number(part ?? 0));
  const fraction = parts[7] ?? "";
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  const [zoneHour, zoneMinute] = [Number(parts[9] ?? 0), Number(parts[10] ?? 0)];
  if (minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) return null;
  const midnight = minute === 0 && second === 0 && /^0*$/.test(fraction);
  if (hour > 24 || hour === 24 && !midnight) return null;
  const ms = Number(fraction.padEnd(3, "0").slice(0, 3));
  const zone = (zoneHour * 60 + zoneMinute) * (parts[8] === "-" ? -60_000 : 60_000);
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 + ms - zone;
}
