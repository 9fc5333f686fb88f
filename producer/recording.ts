/** Recordings as rows: CSV and NDJSON, by a column mapping or as they are. */
import type { Catalog } from "../contract/catalog.ts";
import type { EventSink } from "../contract/events.ts";
import type { Fault } from "../rules-wasm/language/ast.ts";
import { readCsv } from "./csv_reader.ts";
import { jsonRows, lineBlocks } from "./json_lines.ts";
import { checkColumns, type ColumnMapping, loadMapping, MappingFaults } from "./mapping.ts";
import { openRecording, RecordingError } from "./recording_file.ts";
import { knownColumns, mappedRows, nativeRows, type RowReader } from "./row_text.ts";
import {
  LINE_BYTES_MAX,
  type RecordingOptions,
  type SourceRow,
  tellSkipped,
} from "./source_row.ts";

const encoder = new TextEncoder();
const NEWLINE = 0x0a;

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
      for await (const { bytes } of lineBlocks(chunks, path, options)) {
        yield bytes.at(-1) === NEWLINE ? bytes : joinLines([bytes]);
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

/** Lines with their ends, in one piece. */
function joinLines(lines: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(lines.reduce((sum, line) => sum + line.length + 1, 0));
  let at = 0;
  for (const line of lines) {
    joined.set(line, at);
    at += line.length;
    joined[at++] = NEWLINE;
  }
  return joined;
}
