/** Recordings as rows: CSV and NDJSON, by a column mapping or as they are. */
import { RECORD_BYTES_MAX } from "../bus/port.ts";
import type { Catalog } from "../contract/catalog.ts";
import type { EventSink } from "../contract/events.ts";
import type { Fault } from "../rules-wasm/language/ast.ts";
import { readCsv } from "./csv_reader.ts";
import { checkColumns, type ColumnMapping, loadMapping, MappingFaults } from "./mapping.ts";
import { openRecording, RecordingError } from "./recording_file.ts";
import {
  type DraftRow,
  flatten,
  knownColumns,
  mappedRows,
  nativeRows,
  type RowReader,
} from "./row_text.ts";
import { readWireTime } from "./time_format.ts";

/** A row of a recording with where it stands; `malformed` is no JSON object and goes as it is. */
export interface SourceRow extends DraftRow {
  readonly line: number;
  readonly malformed: boolean;
  /** The row as it stood in the file, where it may go on the bus unchanged. */
  readonly original: Uint8Array | null;
}

/** How recordings are read. */
export interface RecordingOptions {
  readonly mapping: ColumnMapping | null;
  readonly catalog: Catalog;
  readonly events: EventSink;
  readonly onBytes?: (count: number) => void;
  /** Told of each row that cannot be taken at all; an event says why. */
  readonly onSkipped?: () => void;
}

/** Longest line of NDJSON and longest row of CSV: nothing longer fits a record. */
const LINE_BYTES_MAX = RECORD_BYTES_MAX;
const NEWLINE = 0x0a;
const encoder = new TextEncoder();

/**
 * The mapping of a name or path; null for "".
 *
 * @param name path of a file, or the name of a shipped mapping (`twizy`)
 * @throws {MappingFaults} naming every fault
 * @throws {RecordingError} if there is no such file
 */
export function openMapping(name: string, catalog: Catalog): ColumnMapping | null {
  if (name === "") return null;
  const text = readMappingFile(name);
  const result = loadMapping(text, { file: name, catalog });
  if (result.ok) return result.mapping;
  throw new MappingFaults(result.faults, text);
}

function readMappingFile(name: string): string {
  try {
    return Deno.readTextFileSync(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const shipped = SHIPPED_MAPPINGS[name];
    if (shipped !== undefined) return Deno.readTextFileSync(shipped);
    const names = Object.keys(SHIPPED_MAPPINGS).join(", ");
    throw new RecordingError(
      `Cannot open the mapping ${name}: there is no such file; shipped ones are ${names}`,
      { cause: error },
    );
  }
}

/** Mappings that come with Kilter, by name. */
export const SHIPPED_MAPPINGS: Readonly<Record<string, URL>> = {
  css_obd2_gps_1hz: new URL("./mappings/css_obd2_gps_1hz.yaml", import.meta.url),
  driveplotr: new URL("./mappings/driveplotr.yaml", import.meta.url),
  twizy: new URL("./mappings/twizy.yaml", import.meta.url),
};

/**
 * Rows of one file in its order, in batches.
 *
 * @throws {MappingFaults} if the mapping does not fit the file
 * @throws {RecordingError} if the file cannot be read
 */
export async function* readRows(
  path: string,
  options: RecordingOptions,
): AsyncGenerator<SourceRow[]> {
  const { format, chunks } = await openRecording(path, options.onBytes);
  if (format === "csv") yield* csvRows(path, chunks, options);
  else yield* jsonRows(path, chunks, options);
}

/**
 * Recordings one after another as blocks of whole lines of NDJSON, for a back-test.
 *
 * @param options.mapping path or name of a column mapping, "" for none
 * @throws {MappingFaults} if the mapping is wrong or does not fit a file
 * @throws {RecordingError} if a file cannot be read
 */
export async function* readRecordings(
  paths: readonly string[],
  options: {
    readonly mapping: string;
    readonly catalog: Catalog;
    readonly events: EventSink;
  },
): AsyncGenerator<Uint8Array> {
  const mapping = openMapping(options.mapping, options.catalog);
  for (const path of paths) {
    const { format, chunks } = await openRecording(path);
    if (format === "ndjson" && mapping === null) {
      // Such lines are samples already, broken ones too: the engine says what is wrong with them.
      for await (const { lines } of lineBlocks(chunks, path, options)) {
        yield joinLines(lines);
      }
      continue;
    }
    const read = { mapping, catalog: options.catalog, events: options.events };
    const rows = format === "csv" ? csvRows(path, chunks, read) : jsonRows(path, chunks, read);
    for await (const batch of rows) {
      yield joinLines(batch.map((row) => row.original ?? encoder.encode(row.text(0))));
    }
  }
}

async function* csvRows(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  options: RecordingOptions,
): AsyncGenerator<SourceRow[]> {
  let read: RowReader | null = null;
  let width = 0;
  let ragged = 0;
  const rows = readCsv(chunks, {
    rowLengthMax: LINE_BYTES_MAX,
    onSkipped: (line, why) => tellSkipped(options, path, line, why),
  });
  for await (const batch of rows) {
    const out: SourceRow[] = [];
    for (const { line, cells } of batch) {
      if (read === null) {
        const header = cells.map((cell) => cell.trim());
        width = header.length;
        read = bind(path, header, options);
        continue;
      }
      if (cells.length !== width) ragged++;
      const draft = read(cells);
      out.push({ ...draft, line, malformed: false, original: null });
    }
    yield out;
  }
  if (read === null) throw new RecordingError(`Cannot replay ${path}: it is empty`);
  if (ragged > 0) {
    options.events({
      level: "warn",
      name: "replay.ragged",
      message: `${path}: ${ragged} rows have more or fewer cells than the header's ${width}; ` +
        "what is missing is taken as absent, what is too many is left out",
      count: ragged,
    });
  }
}

/** Binds a header to the mapping, or to the catalog's own keys. */
function bind(path: string, header: readonly string[], options: RecordingOptions): RowReader {
  const { mapping, catalog, events } = options;
  if (mapping === null) {
    const { vehicle, time } = knownColumns(catalog, header);
    if (vehicle !== "" && time !== "") return nativeRows(catalog, header);
    const lacks = vehicle === "" ? "a vehicle" : "a time";
    throw new RecordingError(
      `Cannot replay ${path}: none of its columns is known as ${lacks} ` +
        `(they are ${header.slice(0, 40).join(", ")}); name a column mapping with --map`,
    );
  }
  const faults: readonly Fault[] = checkColumns(mapping, header, path);
  if (faults.length > 0) throw new MappingFaults(faults, mapping.text);
  const used = new Set([
    ...(mapping.vehicle.kind === "column" ? [mapping.vehicle.column.name] : []),
    ...[...mapping.time.columns, ...mapping.columns, ...mapping.ignored].map((use) => use.name),
    ...mapping.columns.flatMap(({ when }) => when === null ? [] : [when.column.name]),
  ]);
  const spare = header.filter((name) => !used.has(name));
  if (spare.length > 0) {
    events({
      level: "warn",
      name: "replay.unmapped",
      message: `${path}: the mapping does not name the columns ${spare.join(", ")}; they are ` +
        "left out (put them under ignore to say so)",
      count: spare.length,
    });
  }
  return mappedRows(mapping, header);
}

async function* jsonRows(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  options: RecordingOptions,
): AsyncGenerator<SourceRow[]> {
  const { mapping, catalog } = options;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const { lines, first } of lineBlocks(chunks, path, options)) {
    const out: SourceRow[] = [];
    lines.forEach((bytes, k) => {
      const line = first + k;
      if (bytes.every((byte) => byte <= 0x20)) return;
      const object = parseObject(bytes, decoder);
      if (object === null) {
        const text = () => "";
        out.push({ line, vehicle: null, t: NaN, text, malformed: true, original: bytes });
        return;
      }
      const fields = flatten(object);
      const names = [...fields.keys()];
      if (mapping === null) {
        const known = knownColumns(catalog, names);
        const draft = nativeJson(object, fields, known);
        out.push({ ...draft, line, malformed: false, original: bytes });
        return;
      }
      const draft = mappedRows(mapping, names)([...fields.values()]);
      out.push({ ...draft, line, malformed: false, original: null });
    });
    if (out.length > 0) yield out;
  }
}

function nativeJson(
  object: object,
  fields: ReadonlyMap<string, string>,
  known: { readonly vehicle: string; readonly time: string },
): DraftRow {
  const raw = fields.get(known.time);
  const isNumber = raw !== undefined && raw.trim() !== "" && Number.isFinite(Number(raw));
  const t = raw === undefined ? NaN : readWireTime(isNumber ? Number(raw) : raw);
  return {
    vehicle: fields.get(known.vehicle) || null,
    t,
    text: (shiftMs) => {
      const [top, ...deeper] = known.time.split(".");
      // A time within an object inside is put on top: of several the last counts.
      const rest = Object.entries(object).filter(([key]) => deeper.length > 0 || key !== top);
      return JSON.stringify({ ...Object.fromEntries(rest), ts: Math.floor(t + shiftMs) });
    },
  };
}

function parseObject(bytes: Uint8Array, decoder: TextDecoder): object | null {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch (error) {
    // Bytes that are no UTF-8 (TypeError) or no JSON (SyntaxError): the caller passes them on.
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

interface LineBlock {
  readonly lines: Uint8Array[];
  /** Number of the first line, from 1. */
  readonly first: number;
}

/** Whole lines, without their ends, a block for each chunk; the memory is the receiver's. */
async function* lineBlocks(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  options: Pick<RecordingOptions, "events" | "onSkipped">,
): AsyncGenerator<LineBlock> {
  let rest: Uint8Array = new Uint8Array();
  let line = 1;
  let skipping = false;
  let begun = false;
  for await (const piece of chunks) {
    // A byte order mark is no part of the first line.
    const marked = !begun && piece[0] === 0xef && piece[1] === 0xbb && piece[2] === 0xbf;
    const chunk = marked ? piece.subarray(3) : piece;
    begun = true;
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    const first = line;
    const lines: Uint8Array[] = [];
    let at = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
      // A line that was given up is an empty one to who counts.
      lines.push(skipping ? new Uint8Array() : bytes.subarray(at, end));
      skipping = false;
      at = end + 1;
      line++;
    }
    rest = skipping ? new Uint8Array() : bytes.subarray(at);
    if (rest.length > LINE_BYTES_MAX) {
      tellSkipped(options, path, line, `it is longer than ${LINE_BYTES_MAX} bytes`);
      rest = new Uint8Array();
      skipping = true;
    }
    if (lines.length > 0) yield { lines, first };
  }
  if (rest.length > 0) yield { lines: [rest], first: line };
}

function tellSkipped(
  options: Pick<RecordingOptions, "events" | "onSkipped">,
  path: string,
  line: number,
  why: string,
): void {
  options.onSkipped?.();
  options.events({
    level: "warn",
    name: "replay.skipped",
    message: `${path}:${line}: this row is left out: ${why}`,
  });
}

/** Lines with their ends, in one piece. */
export function joinLines(lines: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(lines.reduce((sum, line) => sum + line.length + 1, 0));
  let at = 0;
  for (const line of lines) {
    joined.set(line, at);
    at += line.length;
    joined[at++] = NEWLINE;
  }
  return joined;
}
