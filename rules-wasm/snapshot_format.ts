/**
 * How a snapshot lies in bytes.
 *
 * ```
 *  0  u8[8]   "KILTERST"
 *  8  u32     format, FORMAT
 * 12  u32     bytes of the header
 * 16  u8[16]  first half of SHA-256 over bytes 0 to 16 and all from 32 on
 * 32  header  JSON, UTF-8: `SnapshotHeader`
 *     body    vehicles, longest silent first (assembly/portable.ts)
 *             samples that wait, as heard (assembly/portable_waiting.ts)
 * ```
 *
 * Numbers are little endian. A reader takes every format up to its own.
 */
import { createHash } from "node:crypto";
import type { RuleShape } from "./rule_entries.ts";

/** The format that is written. */
export const FORMAT = 1;

const MAGIC = "KILTERST";
const FORMAT_AT = 8;
const HEADER_AT = 12;
const SUM_AT = 16;
const START = 32;

/** Why a snapshot is refused. */
export type SnapshotFault = "foreign" | "newer" | "damaged" | "partition";

/** A snapshot that cannot be restored; the engine that was to take it is as it was. */
export class SnapshotError extends Error {
  override readonly name = "SnapshotError";

  constructor(readonly fault: SnapshotFault, why: string, options?: ErrorOptions) {
    super(`Cannot restore the snapshot: ${why}`, options);
  }
}

/** What a snapshot says before its vehicles. */
export interface SnapshotHeader {
  /** Meaning of the kernel that wrote it, and name of its rule set: for people. */
  readonly meaning: number;
  readonly version: string;
  readonly partition: number;
  /** The clock C; null before the first record. */
  readonly clock: number | null;
  /** A before which timers had fired; null as for the clock. */
  readonly timersTo: number | null;
  readonly vehicles: number;
  /** Samples that wait. */
  readonly waiting: number;
  readonly bodyBytes: number;
  /** Hashes of the keys of state, in the order in which vehicles have them. */
  readonly states: readonly string[];
  readonly rules: readonly RuleShape[];
}

/** A snapshot's bytes. */
export function encodeSnapshot(header: SnapshotHeader, body: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(START + text.length + body.length);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint32(FORMAT_AT, FORMAT, true);
  view.setUint32(HEADER_AT, text.length, true);
  bytes.set(text, START);
  bytes.set(body, START + text.length);
  bytes.set(checksum(bytes), SUM_AT);
  return bytes;
}

/**
 * Reads a snapshot as far as its header; the body's parts are whole, their insides unread.
 *
 * @throws {SnapshotError} if it is none, of a newer format, or damaged
 */
export function decodeSnapshot(
  bytes: Uint8Array,
): { readonly header: SnapshotHeader; readonly body: Uint8Array } {
  const magic = new TextEncoder().encode(MAGIC);
  if (bytes.length < magic.length || !magic.every((byte, i) => bytes[i] === byte)) {
    throw new SnapshotError("foreign", `its first bytes are not ${MAGIC}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < START) throw new SnapshotError("damaged", "it is cut short");
  const format = view.getUint32(FORMAT_AT, true);
  if (format > FORMAT) {
    throw new SnapshotError(
      "newer",
      `it is of format ${format}, this program reads up to ${FORMAT}; use a newer program`,
    );
  }
  const sum = checksum(bytes);
  if (format === 0 || sum.some((byte, i) => bytes[SUM_AT + i] !== byte)) {
    throw new SnapshotError("damaged", "its checksum does not fit its bytes");
  }
  const bodyAt = START + view.getUint32(HEADER_AT, true);
  if (bodyAt > bytes.length) throw new SnapshotError("damaged", "its header is cut short");
  const header = decodeHeader(bytes.subarray(START, bodyAt));
  const body = bytes.subarray(bodyAt);
  if (body.length !== header.bodyBytes) {
    throw new SnapshotError("damaged", `it has ${body.length} bytes for ${header.bodyBytes}`);
  }
  const { length } = partEnds(body);
  const parts = header.vehicles + header.waiting;
  if (length !== parts) {
    throw new SnapshotError("damaged", `it has ${length} vehicles and samples for ${parts}`);
  }
  return { header, body };
}

/**
 * Where the vehicles of a body end, then its samples.
 *
 * @throws {SnapshotError} if the last one does not end with the body
 */
export function partEnds(body: Uint8Array): number[] {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const ends: number[] = [];
  let at = 0;
  while (at + 4 <= body.length) {
    at += 4 + view.getUint32(at, true);
    ends.push(at);
  }
  if (at !== body.length) throw new SnapshotError("damaged", "its last part is cut short");
  return ends;
}

function checksum(bytes: Uint8Array): Uint8Array {
  const hash = createHash("sha256");
  hash.update(bytes.subarray(0, SUM_AT));
  hash.update(bytes.subarray(START));
  return hash.digest().subarray(0, START - SUM_AT);
}

function decodeHeader(bytes: Uint8Array): SnapshotHeader {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new SnapshotError("damaged", "its header is no JSON", { cause });
  }
  if (!isHeader(header)) throw new SnapshotError("damaged", "its header lacks fields");
  return header;
}

function isHeader(value: unknown): value is SnapshotHeader {
  return isObject(value) && isNumber(value.meaning) && isText(value.version) &&
    isNumber(value.partition) && (value.clock === null || isNumber(value.clock)) &&
    (value.timersTo === null || isNumber(value.timersTo)) && isNumber(value.vehicles) &&
    isNumber(value.waiting) &&
    isNumber(value.bodyBytes) && isList(value.states, isText) && isList(value.rules, isShape);
}

function isShape(value: unknown): value is RuleShape {
  return isObject(value) && isText(value.id) && typeof value.once === "boolean" &&
    isText(value.when) && (value.clear === null || isText(value.clear)) &&
    isText(value.severity) &&
    isList(
      value.levels,
      (level) => isObject(level) && isText(level.severity) && isText(level.when),
    );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isList(value: unknown, is: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(is);
}
