/** Reads `signals.yaml` into the signal catalog, or every fault in it. */
import {
  type Catalog,
  type Signal,
  type SignalType,
  STALE_AFTER_MS_DEFAULT,
} from "../../contract/catalog.ts";
import type { Fault, Span } from "./ast.ts";
import { FAMILIAR_SIGNAL_KEYS, FAMILIAR_TYPES } from "./familiar_words.ts";
import { didYouMean, FaultList, quote } from "./faults.ts";
import { KEYWORDS } from "./lexer.ts";
import { checkFormat } from "./rules_file.ts";
import { parseUnit, unitText } from "./units.ts";
import { asDurationMs, asList, asMap, asNumber, asScalar, Fields } from "./yaml_fields.ts";
import { type Entry, type MapNode, type Node, readYaml } from "./yaml_text.ts";

/** Most signals in a catalog. */
export const SIGNALS_MAX = 512;

/** Longest key on the wire, UTF-8 bytes. */
export const KEY_BYTES_MAX = 128;

/** Most names of one signal. */
export const NAMES_MAX = 64;

/** Keys of a catalog file. */
export const CATALOG_FILE_KEYS: readonly string[] = ["version", "vehicle", "time", "signals"];
/** Keys of one signal. */
export const SIGNAL_KEYS: readonly string[] = [
  ...["type", "unit", "range", "names", "stale_after", "keys", "vss", "description"],
];
/** Types of signals. */
export const SIGNAL_TYPES: readonly SignalType[] = ["number", "boolean", "name"];

/** Names of signals. */
export const SIGNAL_NAME = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*$/;
/** Paths of the Vehicle Signal Specification. */
export const VSS_PATH = /^Vehicle(?:\.[A-Z][A-Za-z0-9]*)+$/;
/** Words that mean something else where a signal's name would stand. */
export const RESERVED_NAMES: readonly string[] = [...KEYWORDS, "vehicle"];

/** A catalog, or at least one fault. */
export type CatalogResult =
  | { readonly ok: true; readonly catalog: Catalog }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/**
 * Reads the text of a signal catalog; never throws on any text.
 *
 * @param options.file the file as the user named it, for faults
 */
export function loadCatalog(text: string, options: { readonly file: string }): CatalogResult {
  const faults = new FaultList(options.file);
  const root = readYaml(text, faults);
  const map = root === null ? null : asMap(root, "a signal catalog", faults);
  if (map === null) return { ok: false, faults: faults.sorted() };
  const fields = new Fields(map, CATALOG_FILE_KEYS, "a signal catalog", faults);
  checkFormat(fields, faults);
  const keys = new KeyOwners(faults);
  const vehicleKeys = readKeys(fields, map, "vehicle", keys, faults);
  const timeKeys = readKeys(fields, map, "time", keys, faults);
  const signals = readSignals(fields, map, keys, faults);
  if (faults.count > 0) return { ok: false, faults: faults.sorted() };
  return { ok: true, catalog: { signals, vehicleKeys, timeKeys } };
}

/** Sees to it that no key means two things. */
class KeyOwners {
  readonly #owners = new Map<string, { readonly owner: string; readonly line: number }>();
  readonly #faults: FaultList;

  constructor(faults: FaultList) {
    this.#faults = faults;
  }

  /** Gives a key to an owner; false, with a fault, if the key cannot be used. */
  claim(key: string, owner: string, span: Span): boolean {
    const bytes = new TextEncoder().encode(key).length;
    if (bytes > KEY_BYTES_MAX) {
      this.#faults.add(
        span,
        `Cannot use a key of ${bytes} bytes: the most are ${KEY_BYTES_MAX}`,
      );
      return false;
    }
    const taken = this.#owners.get(key);
    if (taken !== undefined) {
      const whose = taken.owner === owner ? "this one has it already" : `${taken.owner} has it`;
      this.#faults.add(
        span,
        `Cannot use the key ${quote(key)} for ${owner}: ${whose}, line ${taken.line}`,
        "remove one of them: a key means one thing",
      );
      return false;
    }
    this.#owners.set(key, { owner, line: span.line });
    return true;
  }
}

function firstLine(span: Span): Span {
  return { ...span, length: Math.min(1, span.length) };
}

function readKeys(
  fields: Fields,
  map: MapNode,
  what: "vehicle" | "time",
  owners: KeyOwners,
  faults: FaultList,
): readonly string[] {
  const node = fields.get(what);
  if (node === undefined) {
    const message = `Cannot use a signal catalog without ${what}: which key of a sample holds it`;
    const usual = what === "time" ? "ts" : what;
    if (fields.lacks(what)) faults.add(firstLine(map.span), message, `add ${what}: [${usual}]`);
    return [];
  }
  const keys = claimAll(node, what, `the ${what}`, owners, faults);
  if (node.kind === "list" && node.items.length === 0) {
    faults.add(node.span, `Cannot use an empty list as ${what}`, `add a key: [${what}]`);
  }
  return keys;
}

/** The texts of a list of keys, each given to its owner. */
function claimAll(
  node: Node,
  what: string,
  owner: string,
  owners: KeyOwners,
  faults: FaultList,
): readonly string[] {
  const keys: string[] = [];
  for (const item of asList(node, what, faults) ?? []) {
    const key = asScalar(item, "a key", faults);
    if (key !== null && owners.claim(key.text, owner, key.span)) keys.push(key.text);
  }
  return keys;
}

function readSignals(
  fields: Fields,
  map: MapNode,
  owners: KeyOwners,
  faults: FaultList,
): readonly Signal[] {
  const node = fields.get("signals");
  if (node === undefined) {
    const message = "Cannot use a signal catalog without signals";
    if (fields.lacks("signals")) faults.add(firstLine(map.span), message, "add signals:");
    return [];
  }
  const how = "write each as NAME: { unit: km/h, range: [0, 250] }";
  const entries = asMap(node, "signals", faults, how)?.entries ?? [];
  if (entries.length > SIGNALS_MAX) {
    const message = `Cannot use ${entries.length} signals: the most are ${SIGNALS_MAX}`;
    faults.add(firstLine(node.span), message);
    return [];
  }
  const named = entries.filter((entry) => checkName(entry, owners, faults));
  return named.map((entry) => readSignal(entry, owners, faults)).filter((s) => s !== null);
}

function checkName(entry: Entry, owners: KeyOwners, faults: FaultList): boolean {
  const { key, keySpan } = entry;
  if (RESERVED_NAMES.includes(key)) {
    faults.add(
      keySpan,
      `Cannot name a signal ${quote(key)}: the word has a meaning of its own`,
      "name it otherwise",
    );
    return false;
  }
  if (!SIGNAL_NAME.test(key)) {
    const rule =
      "lower case letters, digits, underscores and dots only, each part begins with a letter";
    const near = key.toLowerCase().replace(/[^a-z0-9_.]+/g, "_");
    const advice = SIGNAL_NAME.test(near) ? `write ${near}` : "";
    faults.add(keySpan, `Cannot name a signal ${quote(key)}: ${rule}`, advice);
    return false;
  }
  return owners.claim(key, `the signal ${key}`, keySpan);
}

function readSignal(entry: Entry, owners: KeyOwners, faults: FaultList): Signal | null {
  const what = `the signal ${entry.key}`;
  const map = asMap(entry.value, what, faults);
  if (map === null) return null;
  const fields = new Fields(map, SIGNAL_KEYS, what, faults, FAMILIAR_SIGNAL_KEYS);
  const names = readNames(fields, faults);
  const given = readType(fields, faults);
  const type = given ?? (fields.get("names") === undefined ? "number" : "name");
  // What a refused type would have asked for nobody knows.
  if (given === null && fields.get("type") !== undefined) return null;
  refuseMisfits(fields, type, what, faults);
  const unit = readUnit(fields, faults);
  const keysNode = fields.get("keys");
  const keys = keysNode === undefined ? [] : claimAll(keysNode, "keys", what, owners, faults);
  const vss = readVss(fields, owners, what, faults);
  const stale = fields.get("stale_after");
  const description = fields.get("description");
  const [min, max] = type === "number" ? readRange(fields, what, faults) : [0, 1];
  return {
    name: entry.key,
    type,
    unit,
    min,
    max: type === "name" ? Math.max(0, names.length - 1) : max,
    staleAfterMs: stale === undefined ? STALE_AFTER_MS_DEFAULT : readStale(stale, faults),
    names,
    keys: [entry.key, ...keys],
    vss,
    description: description === undefined
      ? ""
      : asScalar(description, "description", faults)?.text ?? "",
  };
}

function readType(fields: Fields, faults: FaultList): SignalType | null {
  const node = fields.get("type");
  const scalar = node === undefined ? null : asScalar(node, "type", faults);
  if (scalar === null) return null;
  const found = SIGNAL_TYPES.find((type) => type === scalar.text);
  if (found !== undefined) return found;
  const near = didYouMean(scalar.text, SIGNAL_TYPES, FAMILIAR_TYPES);
  const advice = near !== "" ? near : `types are ${SIGNAL_TYPES.join(", ")}`;
  faults.add(scalar.span, `Cannot use ${quote(scalar.text)} as type`, advice);
  return null;
}

/** Keys that have no meaning for a signal of that type, and those that it needs. */
function refuseMisfits(fields: Fields, type: SignalType, what: string, faults: FaultList): void {
  const misfits = type === "number" ? ["names"] : type === "name" ? ["unit", "range"] : [
    ...["unit", "range", "names"],
  ];
  for (const key of misfits) {
    const entry = fields.entry(key);
    if (entry === undefined) continue;
    const message = `Cannot use the key ${quote(key)} in ${what}: its type is ${type}`;
    faults.add(entry.keySpan, message, `remove it, or change the type`);
  }
  if (type === "name" && fields.lacks("names")) {
    const message = `Cannot use ${what} of type name without names`;
    faults.add(firstLine(fields.span), message, "add names: [...]");
  }
}

function readNames(fields: Fields, faults: FaultList): readonly string[] {
  const node = fields.get("names");
  const items = node === undefined ? null : asList(node, "names", faults);
  if (node === undefined || items === null) return [];
  if (items.length === 0 || items.length > NAMES_MAX) {
    faults.add(node.span, `Cannot use ${items.length} names: there must be 1 to ${NAMES_MAX}`);
  }
  const names: string[] = [];
  for (const item of items) {
    const name = asScalar(item, "a name", faults);
    if (name === null) continue;
    if (names.includes(name.text)) {
      faults.add(name.span, `Cannot use the name ${quote(name.text)} twice`, "remove one of them");
    } else names.push(name.text);
  }
  return names;
}

function readUnit(fields: Fields, faults: FaultList): string {
  const node = fields.get("unit");
  const scalar = node === undefined ? null : asScalar(node, "unit", faults);
  if (scalar === null) return "";
  const read = parseUnit(scalar.text);
  if (read.ok) return unitText(read.unit);
  faults.add(scalar.span, read.message, read.suggestion);
  return "";
}

function readRange(fields: Fields, what: string, faults: FaultList): readonly [number, number] {
  const node = fields.get("range");
  if (node === undefined) {
    const message = `Cannot use ${what} without range: what is impossible has to be told`;
    const advice = "add range: [LEAST, GREATEST]";
    if (fields.lacks("range")) faults.add(firstLine(fields.span), message, advice);
    return [0, 0];
  }
  const items = asList(node, "range", faults, "write range: [LEAST, GREATEST]");
  if (items === null) return [0, 0];
  const [low, high] = items;
  if (items.length !== 2 || low === undefined || high === undefined) {
    const message = `Cannot use a list of ${items.length} as range`;
    faults.add(node.span, message, "write range: [LEAST, GREATEST]");
    return [0, 0];
  }
  const min = asNumber(low, "the least value", faults);
  const max = asNumber(high, "the greatest value", faults);
  if (min === null || max === null) return [0, 0];
  if (min > max) {
    const message = `Cannot use the range ${min} to ${max}: its least value is above its greatest`;
    faults.add(node.span, message, `write range: [${max}, ${min}]`);
  }
  return [min, max];
}

function readStale(node: Node, faults: FaultList): number {
  if (node.kind === "scalar" && node.text === "never") return Infinity;
  const before = faults.count;
  const ms = asDurationMs(node, "stale_after", 1, faults, ", or never");
  return faults.count > before || ms === null ? STALE_AFTER_MS_DEFAULT : ms;
}

function readVss(fields: Fields, owners: KeyOwners, what: string, faults: FaultList): string {
  const node = fields.get("vss");
  const scalar = node === undefined ? null : asScalar(node, "vss", faults);
  if (scalar === null) return "";
  if (!VSS_PATH.test(scalar.text)) {
    const message = `Cannot use ${quote(scalar.text)} as VSS path`;
    faults.add(
      scalar.span,
      message,
      "a path looks like Vehicle.Speed; leave vss out if there is none",
    );
    return "";
  }
  return owners.claim(scalar.text, what, scalar.span) ? scalar.text : "";
}
