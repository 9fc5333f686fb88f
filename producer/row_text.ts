/** Turns rows of a recording into samples as JSON text, by a mapping or as the catalog knows them. */
import type { Catalog } from "../contract/catalog.ts";
import type { ColumnMapping } from "./mapping.ts";
import { holds, type MappedColumn } from "./mapping_column.ts";
import { readWireTime } from "./time_format.ts";

/** A row before it is written: times can still be shifted. */
export interface DraftRow {
  readonly vehicle: string | null;
  readonly t: number;
  /** The sample's text with its time moved on by `shiftMs`; unreadable times stay as they are. */
  text(shiftMs: number): string;
}

/** Reads the rows of one recording whose columns are known. */
export type RowReader = (cells: readonly string[]) => DraftRow;

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** A reader of rows that a mapping (already checked against the header) describes. */
export function mappedRows(mapping: ColumnMapping, header: readonly string[]): RowReader {
  const index = (name: string) => header.indexOf(name);
  const { vehicle, missing } = mapping;
  const vehicleAt = vehicle.kind === "column" ? index(vehicle.column.name) : -1;
  const timeAt = mapping.time.columns.map((column) => index(column.name));
  const cell = (cells: readonly string[], at: number): string | null => {
    const text = cells[at]?.trim() ?? "";
    return text === "" || missing.has(text) ? null : text;
  };
  const columns = mapping.columns.map((column) => ({
    column,
    at: index(column.name),
    whenAt: column.when === null ? -1 : index(column.when.column.name),
    key: `,${JSON.stringify(column.signal)}:`,
  }));
  return (cells) => {
    let id: string | null = null;
    if (vehicle.kind === "constant") id = vehicle.id;
    else {
      const text = cell(cells, vehicleAt);
      id = text === null ? null : vehicle.prefix + text;
    }
    const parts = timeAt.map((at) => cell(cells, at)).filter((part) => part !== null);
    const raw = parts.join(" ");
    const t = parts.length === timeAt.length ? mapping.time.read(raw) : NaN;
    let body = "";
    for (const { column, at, whenAt, key } of columns) {
      const text = cell(cells, at);
      if (text === null) continue;
      if (column.when !== null && !holds(column.when, cell(cells, whenAt))) continue;
      body += key + valueText(column, text);
    }
    return {
      vehicle: id,
      t,
      text: (shiftMs) => {
        const head = id === null ? "" : `"vehicle":${JSON.stringify(id)}`;
        const time = Number.isNaN(t) ? JSON.stringify(raw) : String(Math.floor(t + shiftMs));
        const ts = raw === "" ? "" : `${head === "" ? "" : ","}"ts":${time}`;
        return `{${head === "" && ts === "" ? body.slice(1) : head + ts + body}}`;
      },
    };
  };
}

/** The JSON text of a cell's value. */
function valueText(column: MappedColumn, cell: string): string {
  const text = column.values.get(cell) ?? cell;
  if (column.type === "boolean") return booleanText(text);
  if (column.type === "name") return JSON.stringify(text);
  if (column.convert === null) return scalarText(text);
  const number = Number(text);
  if (!Number.isFinite(number)) return JSON.stringify(text);
  // 15 digits take off what binary fractions add: 0.35 g is 3.4323275 m/s², not …27499….
  const converted = number * column.convert.factor + column.convert.offset;
  return String(Number(converted.toPrecision(15)));
}

function booleanText(text: string): string {
  if (/^true$/i.test(text) || Number(text) === 1) return "true";
  if (/^false$/i.test(text) || Number(text) === 0) return "false";
  return JSON.stringify(text);
}

/** Numbers as they stand, as far as JSON writes them so; else as numbers, else as texts. */
function scalarText(text: string): string {
  if (JSON_NUMBER.test(text)) return text;
  // "+5", ".5" and "007" are numbers to whoever wrote them.
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return String(Number(text));
  return JSON.stringify(text);
}

/** Which columns of a header the catalog knows as vehicle and time; "" for none. */
export function knownColumns(
  catalog: Catalog,
  header: readonly string[],
): { readonly vehicle: string; readonly time: string } {
  const find = (keys: readonly string[]) => header.findLast((name) => keys.includes(name)) ?? "";
  return { vehicle: find(catalog.vehicleKeys), time: find(catalog.timeKeys) };
}

/** A reader of rows whose columns are keys as they would stand on the wire. */
export function nativeRows(catalog: Catalog, header: readonly string[]): RowReader {
  const { vehicle, time } = knownColumns(catalog, header);
  const vehicleAt = header.indexOf(vehicle);
  const timeAt = header.indexOf(time);
  return (cells) => {
    const id = cells[vehicleAt]?.trim() || null;
    const raw = cells[timeAt]?.trim() ?? "";
    const t = readWireTime(JSON_NUMBER.test(raw) ? Number(raw) : raw);
    return {
      vehicle: id,
      t,
      text: (shiftMs) => {
        const fields: string[] = [];
        header.forEach((name, at) => {
          const text = cells[at]?.trim() ?? "";
          if (text === "" || name === "") return;
          let value = /^(true|false)$/i.test(text) ? text.toLowerCase() : scalarText(text);
          if (at === vehicleAt) value = JSON.stringify(text);
          if (at === timeAt && shiftMs !== 0 && !Number.isNaN(t)) {
            value = String(Math.floor(t + shiftMs));
          }
          fields.push(`${JSON.stringify(name)}:${value}`);
        });
        return `{${fields.join(",")}}`;
      },
    };
  };
}

/** The fields of an object by dotted name, as texts; null and lists are passed over. */
export function flatten(object: object, prefix = "", into = new Map<string, string>()) {
  for (const [key, value] of Object.entries(object)) {
    const name = prefix + key;
    if (value === null || Array.isArray(value)) continue;
    if (typeof value === "object") flatten(value, `${name}.`, into);
    else into.set(name, String(value));
  }
  return into;
}
