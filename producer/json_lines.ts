/** Reads NDJSON as it streams in, as it stands or by a column mapping. */
import type { Catalog } from "../contract/catalog.ts";
import { createDecoder } from "../rules-wasm/decoder.ts";
import type { Decoder } from "../rules-wasm/decoder_port.ts";
import { type DraftRow, flatten, knownColumns, mappedRows } from "./row_text.ts";
import {
  LINE_BYTES_MAX,
  type RecordingOptions,
  type SourceRow,
  tellSkipped,
} from "./source_row.ts";
import { readWireTime } from "./time_format.ts";

/** Vehicles that one recording may hold. */
const VEHICLES_MAX = 1_000_000;
const NEWLINE = 0x0a;
const TOO_LONG = `it is longer than ${LINE_BYTES_MAX} bytes`;

/** Rows of NDJSON in batches; a line that is no JSON object is a malformed row. */
export async function* jsonRows(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  options: RecordingOptions,
): AsyncGenerator<SourceRow[]> {
  const { mapping, catalog } = options;
  const native = mapping === null ? new NativeLines(catalog) : null;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const block of lineBlocks(chunks, path, options)) {
    if (native !== null) {
      const rows = native.read(block);
      if (rows.length > 0) yield rows;
      continue;
    }
    const out: SourceRow[] = [];
    block.lines.forEach((bytes, k) => {
      const line = block.first + k;
      if (isBlank(bytes)) return;
      const object = parseObject(bytes, decoder);
      if (object === null || mapping === null) {
        out.push(malformedRow(line, bytes));
        return;
      }
      const fields = flatten(object);
      const draft = mappedRows(mapping, [...fields.keys()])([...fields.values()]);
      out.push({ ...draft, line, malformed: false, original: null });
    });
    if (out.length > 0) yield out;
  }
}

/**
 * Reads samples as they stand on the wire: the decoder finds vehicle and time of what the analysis
 * would accept; only what it would refuse, and what is to be shifted, is parsed.
 */
class NativeLines {
  readonly #decoder: Decoder;
  readonly #text = new TextDecoder("utf-8", { fatal: true });

  constructor(readonly catalog: Catalog) {
    this.#decoder = createDecoder(catalog, {
      maxVehicles: VEHICLES_MAX,
      maxClockAheadMs: Infinity,
    });
  }

  read({ bytes, lines, first }: LineBlock): SourceRow[] {
    const rows: SourceRow[] = [];
    // Each line is a record of its own, so that a broken one spoils no neighbour.
    const ends = Uint32Array.from(
      lines,
      (line) => line.byteOffset - bytes.byteOffset + line.length,
    );
    const input = {
      count: lines.length,
      values: bytes,
      valueEnds: ends,
      appendTimes: new Float64Array(lines.length),
    };
    this.#decoder.decode(input, {
      rows: ({ count, record, slot, start, end, t }) => {
        for (let k = 0; k < count; k++) {
          const original = bytes.subarray(start[k], end[k]);
          rows.push({
            line: first + record[k],
            vehicle: this.#decoder.vehicle(slot[k]),
            t: t[k],
            text: (shiftMs) => this.#parsed(original)?.text(shiftMs) ?? "",
            malformed: false,
            original,
          });
        }
      },
      refused: ({ record }) => {
        const original = lines[record];
        if (isBlank(original)) return;
        const line = first + record;
        const draft = this.#parsed(original);
        if (draft === null) rows.push(malformedRow(line, original));
        else rows.push({ ...draft, line, malformed: false, original });
      },
    });
    return rows;
  }

  #parsed(bytes: Uint8Array): DraftRow | null {
    const object = parseObject(bytes, this.#text);
    if (object === null) return null;
    const fields = flatten(object);
    return nativeJson(object, fields, knownColumns(this.catalog, [...fields.keys()]));
  }
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte <= 0x20);
}

function malformedRow(line: number, original: Uint8Array): SourceRow {
  return { line, vehicle: null, t: NaN, text: () => "", malformed: true, original };
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

export interface LineBlock {
  /** The lines with their ends, in one piece. */
  readonly bytes: Uint8Array;
  readonly lines: readonly Uint8Array[];
  /** Number of the first line, from 1. */
  readonly first: number;
}

/** Whole lines, without their ends, a block for each chunk; the memory is the receiver's. */
export async function* lineBlocks(
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
    let first = line;
    let lines: Uint8Array[] = [];
    let begin = 0;
    let at = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
      if (skipping || end - at > LINE_BYTES_MAX) {
        if (!skipping) tellSkipped(options, path, line, TOO_LONG);
        skipping = false;
        if (lines.length > 0) yield { bytes: bytes.subarray(begin, at), lines, first };
        lines = [];
        begin = end + 1;
        first = line + 1;
      } else lines.push(bytes.subarray(at, end));
      at = end + 1;
      line++;
    }
    rest = skipping ? new Uint8Array() : bytes.subarray(at);
    if (rest.length > LINE_BYTES_MAX) {
      tellSkipped(options, path, line, TOO_LONG);
      rest = new Uint8Array();
      skipping = true;
    }
    if (lines.length > 0) yield { bytes: bytes.subarray(begin, at), lines, first };
  }
  if (rest.length > 0) yield { bytes: rest, lines: [rest], first: line };
}
