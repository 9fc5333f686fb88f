/** Column mappings: which columns of a recording are vehicle, time and signals. */
import type { Catalog } from "../contract/catalog.ts";
import type { Fault, Span } from "../rules-wasm/language/ast.ts";
import { didYouMean, FaultList, quote } from "../rules-wasm/language/faults.ts";
import { formatFaults } from "../rules-wasm/language/format_fault.ts";
import { checkFormat } from "../rules-wasm/language/rules_file.ts";
import { asList, asMap, asScalar, Fields } from "../rules-wasm/language/yaml_fields.ts";
import { type Entry, type MapNode, type Node, readYaml } from "../rules-wasm/language/yaml_text.ts";
import { type MappedColumn, readColumn } from "./mapping_column.ts";
import { type TimeReader, timeReader } from "./time_format.ts";

/** A column that a mapping names, with where it does. */
export interface ColumnUse {
  readonly name: string;
  readonly span: Span;
}

/** A checked mapping. */
export interface ColumnMapping {
  /** The id itself, or the column that it stands in with what goes before it. */
  readonly vehicle:
    | { readonly kind: "constant"; readonly id: string }
    | { readonly kind: "column"; readonly column: ColumnUse; readonly prefix: string };
  /** Texts of these columns, joined by a space, are read as the time. */
  readonly time: { readonly columns: readonly ColumnUse[]; readonly read: TimeReader };
  /** Texts that mean that there is no value; the empty text always does. */
  readonly missing: ReadonlySet<string>;
  readonly columns: readonly MappedColumn[];
  /** Columns that are left out on purpose. */
  readonly ignored: readonly ColumnUse[];
  /** The file as the user named it, and its text, for faults found with the recording at hand. */
  readonly file: string;
  readonly text: string;
}

/** A mapping, or at least one fault. */
export type MappingResult =
  | { readonly ok: true; readonly mapping: ColumnMapping }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** A mapping that is wrong, or does not fit the recording; the message shows every fault. */
export class MappingFaults extends Error {
  override name = "MappingFaults";
  /** @param text the mapping file's text, "" where the fault is in the recording alone */
  constructor(readonly faults: readonly Fault[], text: string) {
    super(formatFaults(faults, text));
  }
}

const KEYS = ["version", "vehicle", "time", "missing", "columns", "ignore"];
const VEHICLE_KEYS = ["constant", "column", "prefix"];
const TIME_KEYS = ["column", "columns", "format", "zone"];

/**
 * Reads the text of a mapping; never throws on any text.
 *
 * @param options.file the file as the user named it, for faults
 */
export function loadMapping(
  text: string,
  options: { readonly file: string; readonly catalog: Catalog },
): MappingResult {
  const faults = new FaultList(options.file);
  const root = readYaml(text, faults);
  const map = root === null ? null : asMap(root, "a column mapping", faults);
  if (map === null) return { ok: false, faults: faults.sorted() };
  const fields = new Fields(map, KEYS, "a column mapping", faults);
  checkFormat(fields, faults);
  const vehicle = readVehicle(fields, map, faults);
  const time = readTime(fields, map, faults);
  const missing = new Set(readNames(fields.get("missing"), "missing", faults).map((x) => x.name));
  const columns = readColumns(fields.get("columns"), map, options.catalog, faults);
  const ignored = readNames(fields.get("ignore"), "ignore", faults);
  if (faults.count > 0 || vehicle === null || time === null) {
    return { ok: false, faults: faults.sorted() };
  }
  const { file } = options;
  return { ok: true, mapping: { vehicle, time, missing, columns, ignored, file, text } };
}

/**
 * What of a mapping does not fit a recording's columns: named columns that it does not have.
 *
 * @param recording the recording as the user named it
 */
export function checkColumns(
  mapping: ColumnMapping,
  header: readonly string[],
  recording: string,
): readonly Fault[] {
  const faults = new FaultList(mapping.file);
  const has = new Set(header);
  const uses = [
    ...(mapping.vehicle.kind === "column" ? [mapping.vehicle.column] : []),
    ...mapping.time.columns,
    ...mapping.columns,
    ...mapping.columns.flatMap((column) => column.when === null ? [] : [column.when.column]),
    ...mapping.ignored,
  ];
  for (const { name, span } of uses) {
    if (has.has(name)) continue;
    const near = didYouMean(name, header);
    faults.add(
      span,
      `Cannot find the column ${quote(name)} in ${recording}`,
      near !== "" ? near : `its columns are ${header.slice(0, 40).join(", ")}`,
    );
  }
  return faults.sorted();
}

function readVehicle(
  fields: Fields,
  map: MapNode,
  faults: FaultList,
): ColumnMapping["vehicle"] | null {
  const entry = fields.entry("vehicle");
  const advice = "write vehicle: { column: NAME } or vehicle: { constant: ID }";
  if (entry === undefined) {
    faults.add(first(map.span), "Cannot use a mapping without vehicle", advice);
    return null;
  }
  const node = asMap(entry.value, "vehicle", faults);
  if (node === null) return null;
  const parts = new Fields(node, VEHICLE_KEYS, "vehicle", faults);
  const constant = scalar(parts, "constant", faults);
  const column = scalar(parts, "column", faults);
  const prefix = scalar(parts, "prefix", faults);
  if (constant !== null && column === null && prefix === null) {
    return { kind: "constant", id: constant.name };
  }
  if (column !== null && constant === null) {
    return { kind: "column", column, prefix: prefix?.name ?? "" };
  }
  faults.add(entry.keySpan, "Cannot tell the vehicle from this: it takes one of both", advice);
  return null;
}

function readTime(fields: Fields, map: MapNode, faults: FaultList): ColumnMapping["time"] | null {
  const entry = fields.entry("time");
  const advice = "write time: { column: NAME, format: epoch-s }";
  if (entry === undefined) {
    faults.add(first(map.span), "Cannot use a mapping without time", advice);
    return null;
  }
  const node = asMap(entry.value, "time", faults);
  if (node === null) return null;
  const parts = new Fields(node, TIME_KEYS, "time", faults);
  const column = scalar(parts, "column", faults);
  const several = readNames(parts.get("columns"), "columns of the time", faults);
  const columns = column === null ? several : [column, ...several];
  if (columns.length === 0) {
    faults.add(entry.keySpan, "Cannot use a time without its column", advice);
  }
  const format = scalar(parts, "format", faults);
  const zone = scalar(parts, "zone", faults);
  if (format === null) {
    if (parts.entry("format") === undefined) {
      faults.add(entry.keySpan, "Cannot use a time without its format", advice);
    }
    return null;
  }
  const known = timeReader("iso", zone?.name ?? "UTC");
  if (!known.ok) faults.add(zone?.span ?? entry.keySpan, known.message, known.suggestion);
  const reader = timeReader(format.name, known.ok ? zone?.name ?? "UTC" : "UTC");
  if (!reader.ok) {
    faults.add(format.span, reader.message, reader.suggestion);
    return null;
  }
  return { columns, read: reader.read };
}

function readColumns(
  node: Node | undefined,
  map: MapNode,
  catalog: Catalog,
  faults: FaultList,
): readonly MappedColumn[] {
  const advice = "write columns: with one line COLUMN: SIGNAL for each";
  if (node === undefined) {
    faults.add(first(map.span), "Cannot use a mapping without columns", advice);
    return [];
  }
  const columns = asMap(node, "columns", faults);
  if (columns === null) return [];
  const owners = new Map<string, Entry>();
  const mapped: MappedColumn[] = [];
  for (const entry of columns.entries) {
    const column = readColumn(entry, catalog, faults);
    if (column === null) continue;
    const owner = owners.get(column.signal);
    if (owner === undefined) {
      owners.set(column.signal, entry);
      mapped.push(column);
      continue;
    }
    faults.add(
      entry.keySpan,
      `Cannot map ${quote(entry.key)} to ${column.signal}: ${quote(owner.key)} on line ` +
        `${owner.keySpan.line} is mapped to it already`,
      "remove one of them, or put it under ignore",
    );
  }
  return mapped;
}

function readNames(node: Node | undefined, what: string, faults: FaultList): ColumnUse[] {
  if (node === undefined) return [];
  const items = asList(node, what, faults) ?? [];
  return items.flatMap((item) => {
    // A quoted empty text is an item like any other; it is just no name.
    if (item.kind === "scalar" && item.isQuoted && item.text === "") return [];
    const text = asScalar(item, `an item of ${what}`, faults);
    return text === null ? [] : [{ name: text.text, span: text.span }];
  });
}

function scalar(fields: Fields, key: string, faults: FaultList): ColumnUse | null {
  const node = fields.get(key);
  if (node === undefined) return null;
  const text = asScalar(node, key, faults);
  return text === null ? null : { name: text.text, span: text.span };
}

function first(span: Span): Span {
  return { ...span, length: Math.min(1, span.length) };
}
