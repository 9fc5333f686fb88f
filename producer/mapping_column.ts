/** One column of a mapping: which signal it is, and how its texts become the signal's values. */
import type { Catalog, Signal, SignalType } from "../contract/catalog.ts";
import type { CompareOp, Span } from "../rules-wasm/language/ast.ts";
import { didYouMean, type FaultList, quote } from "../rules-wasm/language/faults.ts";
import { conversion, isComparable, parseUnit } from "../rules-wasm/language/units.ts";
import { asMap, asNumber, asScalar, Fields } from "../rules-wasm/language/yaml_fields.ts";
import type { Entry, Node } from "../rules-wasm/language/yaml_text.ts";

/** A condition on a row: its column's value against a constant. */
export interface RowCondition {
  readonly column: { readonly name: string; readonly span: Span };
  readonly op: CompareOp;
  /** Compared as numbers if it is one, else as texts. */
  readonly operand: number | string;
}

/** A column mapped to a signal. */
export interface MappedColumn {
  readonly name: string;
  readonly span: Span;
  readonly signal: string;
  readonly type: SignalType;
  /** A number becomes `number * factor + offset`; null leaves its text as it stands. */
  readonly convert: { readonly factor: number; readonly offset: number } | null;
  /** Texts that stand for other texts. */
  readonly values: ReadonlyMap<string, string>;
  /** Where it does not hold, the cell counts as missing. */
  readonly when: RowCondition | null;
}

const KEYS = ["signal", "unit", "scale", "offset", "values", "when"];
const CONDITION = /^\s*(.+?)\s*(==|!=|<=|>=|<|>)\s*(.+?)\s*$/;

/** Reads `COLUMN: SIGNAL` or `COLUMN: { signal: …, unit: …, scale: …, offset: …, when: … }`. */
export function readColumn(entry: Entry, catalog: Catalog, faults: FaultList): MappedColumn | null {
  const plain = {
    name: entry.key,
    span: entry.keySpan,
    convert: null,
    values: new Map<string, string>(),
    when: null,
  };
  if (entry.value.kind === "scalar") {
    const signal = findSignal(entry.value, catalog, faults);
    return signal === null ? null : { ...plain, signal: signal.name, type: signal.type };
  }
  const map = asMap(entry.value, "a column", faults);
  if (map === null) return null;
  const fields = new Fields(map, KEYS, "a column", faults);
  const node = fields.get("signal");
  if (node === undefined) {
    faults.add(entry.keySpan, `Cannot map ${quote(entry.key)} without its signal`);
    return null;
  }
  const signal = findSignal(node, catalog, faults);
  if (signal === null) return null;
  return {
    ...plain,
    signal: signal.name,
    type: signal.type,
    convert: readConversion(fields, signal, faults),
    values: readValues(fields.get("values"), signal, faults),
    when: readCondition(fields.get("when"), faults),
  };
}

/** Whether a row's cell fulfils a condition; a missing cell (null) does not. */
export function holds(condition: RowCondition, cell: string | null): boolean {
  if (cell === null) return false;
  const { operand, op } = condition;
  const value = typeof operand === "number" ? Number(cell) : cell;
  switch (op) {
    case "==":
      return value === operand;
    case "!=":
      return value !== operand;
    case "<":
      return value < operand;
    case "<=":
      return value <= operand;
    case ">":
      return value > operand;
    case ">=":
      return value >= operand;
  }
}

function findSignal(node: Node, catalog: Catalog, faults: FaultList): Signal | null {
  const text = asScalar(node, "a signal", faults);
  if (text === null) return null;
  const name = text.text;
  const found = catalog.signals.find((each) => each.name === name) ??
    catalog.signals.find((each) => each.keys.includes(name) || each.vss === name);
  if (found !== undefined) return found;
  const near = didYouMean(name, catalog.signals.map((each) => each.name));
  const advice = near !== "" ? near : "add it to signals.yaml, or put the column under ignore";
  faults.add(text.span, `Cannot find a signal named ${quote(name)} in the catalog`, advice);
  return null;
}

function readConversion(
  fields: Fields,
  signal: Signal,
  faults: FaultList,
): MappedColumn["convert"] {
  const scaleNode = fields.get("scale");
  const offsetNode = fields.get("offset");
  const scale = scaleNode === undefined ? 1 : asNumber(scaleNode, "scale", faults) ?? 1;
  const offset = offsetNode === undefined ? 0 : asNumber(offsetNode, "offset", faults) ?? 0;
  const own = { factor: scale, offset };
  const unitEntry = fields.entry("unit");
  const isPlain = scaleNode === undefined && offsetNode === undefined;
  if (signal.type !== "number" && (unitEntry !== undefined || !isPlain)) {
    const span = (unitEntry ?? fields.entry("scale") ?? fields.entry("offset"))?.keySpan;
    faults.add(span ?? fields.span, `Cannot convert ${signal.name}: it is no number`);
    return null;
  }
  const text = unitEntry === undefined ? null : asScalar(unitEntry.value, "unit", faults);
  if (text === null) return isPlain ? null : own;
  const from = parseUnit(text.text);
  if (!from.ok) {
    faults.add(text.span, from.message, from.suggestion);
    return null;
  }
  const to = parseUnit(signal.unit);
  if (signal.unit === "" || !to.ok || !isComparable(from.unit, to.unit)) {
    const whose = signal.unit === "" ? "has no unit" : `is in ${signal.unit}`;
    faults.add(text.span, `Cannot convert ${text.text} for ${signal.name}, which ${whose}`);
    return null;
  }
  const units = conversion(from.unit, to.unit, true);
  if (units === null) return isPlain ? null : own;
  return { factor: scale * units.factor, offset: offset * units.factor + units.offset };
}

function readValues(
  node: Node | undefined,
  signal: Signal,
  faults: FaultList,
): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const map = node === undefined ? null : asMap(node, "values", faults);
  for (const { key, value } of map?.entries ?? []) {
    const text = asScalar(value, `the value for ${quote(key)}`, faults);
    if (text === null) continue;
    if (signal.type === "name" && !signal.names.includes(text.text)) {
      const near = didYouMean(text.text, signal.names);
      faults.add(
        text.span,
        `Cannot use ${quote(text.text)} as a value of ${signal.name}`,
        near !== "" ? near : `its names are ${signal.names.join(", ")}`,
      );
      continue;
    }
    values.set(key, text.text);
  }
  return values;
}

function readCondition(node: Node | undefined, faults: FaultList): RowCondition | null {
  const text = node === undefined ? null : asScalar(node, "when", faults);
  if (text === null) return null;
  const found = CONDITION.exec(text.text);
  const op = OPS.find((each) => each === found?.[2]);
  if (found === null || op === undefined) {
    faults.add(
      text.span,
      `Cannot use ${quote(text.text)} as a condition`,
      "write COLUMN == VALUE; the operators are == != < <= > >=",
    );
    return null;
  }
  const operand = found[3];
  const isNumber = operand.trim() !== "" && Number.isFinite(Number(operand));
  const unquoted = operand.replace(/^(["'])(.*)\1$/, "$2");
  return {
    column: { name: found[1], span: text.place.locate(0, text.text.length) },
    op,
    operand: isNumber ? Number(operand) : unquoted,
  };
}

const OPS: readonly CompareOp[] = ["==", "!=", "<", "<=", ">", ">="];
