/** Reads a file of rule tests: series of values, and the transitions that are to come of them. */
import type { Fault, RuleSet, Span } from "../language/ast.ts";
import { CatalogIndex } from "../language/catalog_index.ts";
import { FaultList, quote } from "../language/faults.ts";
import { checkFormat } from "../language/rules_file.ts";
import { asDurationMs, asList, asMap, asScalar, Fields } from "../language/yaml_fields.ts";
import { type Node, readYaml } from "../language/yaml_text.ts";
import { type Expectation, readExpectations } from "./expectations.ts";
import { readSeries, type Series, type SeriesValue } from "./series_text.ts";

/** What one vehicle sends. */
export interface CaseVehicle {
  readonly id: string;
  /** By name of signal: a value for each step, null where it is not sent. */
  readonly series: ReadonlyMap<string, readonly SeriesValue[]>;
}

/** One test. */
export interface RuleCase {
  readonly name: string;
  readonly span: Span;
  /** T of the first step, epoch milliseconds. */
  readonly startMs: number;
  /** Between two steps. */
  readonly intervalMs: number;
  /** How long time goes on, milliseconds from the start. */
  readonly endMs: number;
  readonly vehicles: readonly CaseVehicle[];
  readonly expect: readonly Expectation[];
  /** Whether rules that `expect` does not name may do nothing at all. */
  readonly othersNone: boolean;
}

/** Tests, or at least one fault. */
export type CasesResult =
  | { readonly ok: true; readonly cases: readonly RuleCase[] }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** Start of time where a test names none: a Monday, 00:00 UTC. */
export const CASE_START_MS = Date.UTC(2026, 0, 5);

const FILE_KEYS = ["version", "rules", "catalog", "zones", "tests"];
const CASE_KEYS = ["name", "start", "interval", "end", "series", "vehicles", "expect"];
/** Vehicle of a test that names none. */
const VEHICLE = "V";
const INTERVAL_MS = 1_000;

/** Files that a file of tests names, as it names them; "" where it names none. */
export interface CaseSources {
  readonly rules: string;
  readonly catalog: string;
  readonly zones: string;
}

/** Which rules, catalog and zones a file of tests is for; whatever is wrong with it is left for later. */
export function caseSources(text: string): CaseSources {
  const root = readYaml(text, new FaultList(""));
  const of = (key: string) => {
    const entry = root?.kind === "map" ? root.entries.find((each) => each.key === key) : undefined;
    return entry?.value.kind === "scalar" ? entry.value.text : "";
  };
  return { rules: of("rules"), catalog: of("catalog"), zones: of("zones") };
}

/** Reads tests of a rule set; never throws on any text. */
export function loadCases(
  text: string,
  options: { readonly file: string; readonly rules: RuleSet },
): CasesResult {
  const faults = new FaultList(options.file);
  const root = readYaml(text, faults);
  const map = root === null ? null : asMap(root, "a file of tests", faults);
  if (map === null) return { ok: false, faults: faults.sorted() };
  const rulesEntry = map.entries.find(({ key }) => key === "rules");
  if (rulesEntry !== undefined && rulesEntry.value.kind !== "scalar") {
    const message = "Cannot run the tests of this file: it is one of rules";
    const advice = "tests stand in a file of their own, as in the rules_test.yaml of init";
    faults.add(rulesEntry.keySpan, message, advice);
    return { ok: false, faults: faults.sorted() };
  }
  const fields = new Fields(map, FILE_KEYS, "a file of tests", faults);
  checkFormat(fields, faults);
  for (const key of ["rules", "catalog", "zones"]) {
    const node = fields.get(key);
    if (node !== undefined) asScalar(node, key, faults);
  }
  const list = fields.get("tests");
  if (list === undefined) {
    const span = { ...map.span, length: Math.min(1, map.span.length) };
    faults.add(span, "Cannot use a file of tests without tests", "add tests: and a list");
  }
  const items = list === undefined ? null : asList(list, "tests", faults);
  const catalog = new CatalogIndex(options.rules.catalog, options.rules.zones);
  const cases = (items ?? []).map((item) => readCase(item, catalog, options.rules, faults))
    .filter((each) => each !== null);
  if (faults.count > 0) return { ok: false, faults: faults.sorted() };
  return { ok: true, cases };
}

function readCase(
  node: Node,
  catalog: CatalogIndex,
  rules: RuleSet,
  faults: FaultList,
): RuleCase | null {
  const map = asMap(node, "a test", faults);
  if (map === null) return null;
  const fields = new Fields(map, CASE_KEYS, "a test", faults);
  const span = { ...map.span, length: Math.min(1, map.span.length) };
  const nameNode = fields.get("name");
  const name = nameNode === undefined ? null : asScalar(nameNode, "the name of a test", faults);
  if (nameNode === undefined) {
    faults.add(span, "Cannot use a test without name", "add name: WHAT IT SHOWS");
  }
  const duration = (key: string, minMs: number) => {
    const value = fields.get(key);
    return value === undefined ? null : asDurationMs(value, key, minMs, faults);
  };
  const intervalMs = duration("interval", 1) ?? INTERVAL_MS;
  const end = duration("end", 0);
  const startMs = readStart(fields, faults);
  const vehicles = readVehicles(fields, span, catalog, faults);
  const expectNode = fields.get("expect");
  if (expectNode === undefined) {
    faults.add(
      span,
      "Cannot use a test that expects nothing",
      "add expect: none, or what each rule is to do",
    );
    return null;
  }
  const ids = vehicles.map(({ id }) => id);
  const { expect, othersNone } = readExpectations(expectNode, rules, ids, faults);
  const steps = Math.max(0, ...vehicles.map(stepsOf));
  const lastMs = Math.max(0, steps - 1) * intervalMs;
  const latest = Math.max(0, ...expect.flatMap(({ transitions }) => transitions.map((t) => t.at)));
  if (end !== null && end < lastMs) {
    const at = fields.get("end")?.span ?? span;
    faults.add(at, `Cannot end a test before its last step, ${lastMs / 1000} s`);
  }
  return {
    name: name?.text ?? "",
    span: nameNode?.span ?? span,
    startMs,
    intervalMs,
    endMs: end ?? Math.max(lastMs, latest),
    vehicles,
    expect,
    othersNone,
  };
}

function readStart(fields: Fields, faults: FaultList): number {
  const node = fields.get("start");
  if (node === undefined) return CASE_START_MS;
  const scalar = asScalar(node, "start", faults);
  if (scalar === null) return CASE_START_MS;
  const { text } = scalar;
  const sound = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/
    .test(text);
  const ms = sound ? Date.parse(text.replace(" ", "T")) : NaN;
  if (ms >= 0) return ms;
  faults.add(
    scalar.span,
    `Cannot use ${quote(text)} as start: it must be a time with its zone`,
    "such as 2026-01-05T06:00:00Z",
  );
  return CASE_START_MS;
}

function readVehicles(
  fields: Fields,
  span: Span,
  catalog: CatalogIndex,
  faults: FaultList,
): readonly CaseVehicle[] {
  const series = fields.get("series");
  const vehicles = fields.get("vehicles");
  if (series !== undefined && vehicles !== undefined) {
    faults.add(
      fields.entry("series")?.keySpan ?? span,
      "Cannot use series beside vehicles",
      "give each vehicle its own series",
    );
  }
  if (vehicles !== undefined) {
    const map = asMap(vehicles, "vehicles", faults);
    return (map?.entries ?? []).map(({ key, value }) => readVehicle(key, value, catalog, faults));
  }
  if (series !== undefined) return [readVehicle(VEHICLE, series, catalog, faults)];
  faults.add(span, "Cannot use a test without series", "add series: { SIGNAL: VALUES }");
  return [];
}

function readVehicle(
  id: string,
  node: Node,
  catalog: CatalogIndex,
  faults: FaultList,
): CaseVehicle {
  const map = asMap(node, "series", faults);
  const found = new Map<string, Series>();
  for (const { key, keySpan, value } of map?.entries ?? []) {
    const known = catalog.find(key);
    if (known === undefined) {
      const advice = catalog.suggest(key);
      faults.add(keySpan, `Cannot find a signal named ${quote(key)}`, advice);
    } else found.set(key, readSeries(value, known.signal, faults));
  }
  const steps = Math.max(0, ...[...found.values()].map(({ values }) => values.length));
  if (map !== null && steps === 0 && faults.count === 0) {
    faults.add(map.span, "Cannot use series without any value of a known number of steps");
  }
  const series = new Map([...found].map(([name, { values, rest }]) => {
    const more = rest === undefined ? 0 : steps - values.length;
    return [name, [...values, ...Array<SeriesValue>(Math.max(0, more)).fill(rest ?? null)]];
  }));
  return { id, series };
}

function stepsOf({ series }: CaseVehicle): number {
  return Math.max(0, ...[...series.values()].map((values) => values.length));
}
