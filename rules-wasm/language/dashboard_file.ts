/** Reads `dashboard.yaml` into what the dashboard shows, or every fault in it. */
import { type Catalog, type Signal, signalIndex } from "../../contract/catalog.ts";
import {
  type Chart,
  type Column,
  type DashboardView,
  FLEET_FILTERS,
  FOLDS,
  type FrameSignal,
  OWN_COLUMNS,
  OWN_TILES,
  type SignalTile,
  type Tile,
} from "../../contract/dashboard.ts";
import type { Fault } from "./ast.ts";
import { closest, didYouMean, FaultList, quote } from "./faults.ts";
import { checkFormat } from "./rules_file.ts";
import { suggestZone } from "./time_zone.ts";
import { asList, asMap, asScalar, asWhole, Fields } from "./yaml_fields.ts";
import { type MapNode, type Node, readYaml, type ScalarNode } from "./yaml_text.ts";

/** Keys of the file. */
export const DASHBOARD_FILE_KEYS = [
  ...["version", "units", "zone", "show", "tiles", "columns", "charts"],
] as const;
/** Most of each that a screen holds. */
export const TILES_MAX = 8;
/** Most columns of the vehicle table. */
export const COLUMNS_MAX = 12;
/** Most charts that may be named; a page shows the first six that the vehicle has values for. */
export const CHARTS_MAX = 24;

const TILE_KEYS = ["label", ...FOLDS, "above", "below", "digits"];
const COLUMN_KEYS = ["signal", "label", "digits"];
const CHART_KEYS = ["signal", "label"];
const LABEL_LENGTH_MAX = 32;
const DIGITS_MAX = 4;

/** What the file is read with. */
export interface DashboardOptions {
  /** The file as the user named it, for faults. */
  readonly file: string;
  readonly catalog: Catalog;
}

/** The dashboard, or at least one fault. */
export type DashboardResult =
  | { readonly ok: true; readonly dashboard: DashboardView }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** Reads the text of the file. Never throws on any text. */
export function loadDashboard(text: string, options: DashboardOptions): DashboardResult {
  const faults = new FaultList(options.file);
  const root = readYaml(text, faults);
  const map = root === null ? null : asMap(root, "a dashboard file", faults);
  if (map === null) return { ok: false, faults: faults.sorted() };
  const dashboard = new DashboardReader(options.catalog, faults).read(map);
  return faults.count > 0 ? { ok: false, faults: faults.sorted() } : { ok: true, dashboard };
}

/** A signal as a title: `engine_oil` is `Engine oil`. */
export function signalTitle(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll(/[_.]/g, " ");
}

class DashboardReader {
  constructor(readonly catalog: Catalog, readonly faults: FaultList) {}

  read(map: MapNode): DashboardView {
    const fields = new Fields(map, DASHBOARD_FILE_KEYS, "a dashboard file", this.faults);
    checkFormat(fields, this.faults);
    const units = this.#choice(fields.get("units"), "units", ["metric", "imperial"]);
    const show = this.#choice(fields.get("show"), "show", FLEET_FILTERS);
    const zone = this.#zone(fields.get("zone"));
    const tiles = this.#list(fields, map, "tiles", TILES_MAX, (node) => this.#tile(node));
    const columns = this.#list(fields, map, "columns", COLUMNS_MAX, (node) => this.#column(node));
    const charts = this.#list(fields, map, "charts", CHARTS_MAX, (node) => this.#chart(node));
    this.#checkFirst(fields.get("columns"), columns);
    return {
      units: units === "imperial" ? "mph" : "km/h",
      zone,
      show: show ?? "all",
      tiles,
      columns,
      charts,
      frame: this.#frame(tiles, columns),
    };
  }

  #choice<const T extends string>(
    node: Node | undefined,
    what: string,
    names: readonly T[],
  ): T | undefined {
    const scalar = node === undefined ? null : asScalar(node, what, this.faults);
    if (scalar === null) return undefined;
    const found = names.find((name) => name === scalar.text);
    if (found !== undefined) return found;
    const advice = didYouMean(scalar.text, names) || `it is one of ${names.join(", ")}`;
    this.faults.add(scalar.span, `Cannot use ${quote(scalar.text)} as ${what}`, advice);
    return undefined;
  }

  #zone(node: Node | undefined): string {
    const scalar = node === undefined ? null : asScalar(node, "zone", this.faults);
    if (scalar === null || scalar.text === "browser") return "";
    try {
      new Intl.DateTimeFormat("en", { timeZone: scalar.text });
      return scalar.text;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const message = `Cannot find a time zone named ${quote(scalar.text)}`;
      this.faults.add(scalar.span, message, suggestZone(scalar.text));
      return "";
    }
  }

  /** The items of a list that has to be there; none of them twice. */
  #list<T>(
    fields: Fields,
    map: MapNode,
    key: string,
    most: number,
    readItem: (node: Node) => T | null,
  ): T[] {
    const node = fields.get(key);
    if (node === undefined) {
      const span = { ...map.span, length: Math.min(1, map.span.length) };
      const message = `Cannot use a dashboard file without ${key}`;
      this.faults.add(span, message, `add ${key}: and a list, which may be empty: []`);
      return [];
    }
    const items = asList(node, key, this.faults) ?? [];
    if (items.length > most) {
      this.faults.add(node.span, `Cannot show ${items.length} ${key}: the most are ${most}`);
    }
    const seen = new Map<string, number>();
    return items.flatMap((item) => {
      const read = readItem(item);
      if (read === null) return [];
      const text = JSON.stringify(read);
      const line = seen.get(text);
      if (line !== undefined) {
        const message = `Cannot show the same twice among ${key}: line ${line} has it too`;
        this.faults.add(item.span, message, "remove one of them");
      }
      seen.set(text, item.span.line);
      return [read];
    });
  }

  #tile(node: Node): Tile | null {
    if (node.kind !== "map") {
      const scalar = asScalar(node, "a tile", this.faults);
      if (scalar === null) return null;
      const name = OWN_TILES.find((own) => own === scalar.text);
      if (name !== undefined) return { kind: "own", name };
      const isSignal = signalIndex(this.catalog, scalar.text) >= 0;
      const advice = isSignal
        ? `a figure of a signal says which: { label: …, mean: ${scalar.text} }`
        : didYouMean(scalar.text, OWN_TILES) || `it is one of ${OWN_TILES.join(", ")}, or a map`;
      this.faults.add(scalar.span, `Cannot find a tile named ${quote(scalar.text)}`, advice);
      return null;
    }
    return this.#signalTile(node);
  }

  #signalTile(node: MapNode): SignalTile | null {
    const fields = new Fields(node, TILE_KEYS, "a tile", this.faults);
    const folds = FOLDS.filter((fold) => fields.get(fold) !== undefined);
    if (folds.length !== 1) {
      const message = folds.length === 0
        ? "Cannot use a tile that says nothing of a signal"
        : `Cannot use a tile with both ${folds[0]} and ${folds[1]}`;
      this.faults.add(node.span, message, `name a signal behind one of ${FOLDS.join(", ")}`);
      return null;
    }
    const [fold] = folds;
    const signal = this.#signal(fields.get(fold), fold);
    const above = this.#bound(fields.get("above"), "above", signal);
    const below = this.#bound(fields.get("below"), "below", signal);
    if (signal === null) return null;
    const isBound = fields.get("above") !== undefined || fields.get("below") !== undefined;
    if (fold === "count" && !isBound) {
      const advice = `add above: or below:, such as below: 10 ${signal.unit}`.trimEnd();
      this.faults.add(node.span, "Cannot count every value there is", advice);
    }
    if (signal.type !== "number") {
      const message = `Cannot use ${quote(signal.name)} in a tile: it is not a number`;
      this.faults.add(fields.get(fold)?.span ?? node.span, message);
    }
    return {
      kind: "signal",
      label: this.#label(fields, fold === "count" ? signal.name : `${fold} ${signal.name}`),
      fold,
      signal: signal.name,
      unit: signal.unit,
      digits: this.#digits(fields),
      above,
      below,
    };
  }

  /** A number, its unit behind it or not; the unit has to be the catalog's. */
  #bound(node: Node | undefined, what: string, signal: Signal | null): number | null {
    const scalar = node === undefined ? null : asScalar(node, what, this.faults);
    if (scalar === null || signal === null) return null;
    const found = /^([+-]?(?:\d+\.?\d*|\.\d+))\s*(.*)$/.exec(scalar.text.trim());
    const [, number = "", unit = ""] = found ?? [];
    if (found !== null && (unit === "" || unit === signal.unit)) return Number(number);
    const measured = signal.unit === "" ? "has no unit" : `is in ${signal.unit}`;
    const message = `Cannot use ${quote(scalar.text)} as ${what}: ${signal.name} ${measured}`;
    const advice = `write a number${
      signal.unit === "" ? "" : `, or one such as 10 ${signal.unit}`
    }`;
    this.faults.add(scalar.span, message, advice);
    return null;
  }

  #column(node: Node): Column | null {
    if (node.kind !== "map") {
      const scalar = asScalar(node, "a column", this.faults);
      if (scalar === null) return null;
      const own = OWN_COLUMNS.find((name) => name === scalar.text);
      if (own !== undefined) return { kind: "own", name: own };
      return this.#signalColumn(this.#named(scalar, OWN_COLUMNS), null);
    }
    const fields = new Fields(node, COLUMN_KEYS, "a column", this.faults);
    return this.#signalColumn(this.#needed(fields, node, "a column"), fields);
  }

  #signalColumn(signal: Signal | null, fields: Fields | null): Column | null {
    if (signal === null) return null;
    const { name, unit, type, names } = signal;
    const label = fields === null ? signalTitle(name) : this.#label(fields, name);
    const digits = fields === null ? 0 : this.#digits(fields);
    return { kind: "signal", signal: name, label, unit, type, names, digits };
  }

  #checkFirst(node: Node | undefined, columns: readonly Column[]): void {
    if (node === undefined || this.faults.count > 0) return;
    const [first] = columns;
    if (first?.kind === "own" && first.name === "vehicle") return;
    const span = node.kind === "list" ? node.items[0]?.span ?? node.span : node.span;
    const message = "Cannot use a table whose first column is not vehicle";
    this.faults.add(span, message, "begin the list with vehicle");
  }

  #chart(node: Node): Chart | null {
    const fields = node.kind === "map"
      ? new Fields(node, CHART_KEYS, "a chart", this.faults)
      : null;
    const signal = fields === null
      ? this.#signal(node, "a chart")
      : this.#needed(fields, node, "a chart");
    if (signal === null) return null;
    if (signal.type !== "number") {
      this.faults.add(node.span, `Cannot chart ${quote(signal.name)}: it is not a number`);
    }
    const label = fields === null ? signalTitle(signal.name) : this.#label(fields, signal.name);
    return { signal: signal.name, label };
  }

  #needed(fields: Fields, node: Node, what: string): Signal | null {
    const given = fields.get("signal");
    if (given === undefined) {
      this.faults.add(node.span, `Cannot use ${what} without a signal`, "add signal: NAME");
      return null;
    }
    return this.#signal(given, "signal");
  }

  #signal(node: Node | undefined, what: string): Signal | null {
    const scalar = node === undefined ? null : asScalar(node, what, this.faults);
    return scalar === null ? null : this.#named(scalar, []);
  }

  #named(scalar: ScalarNode, others: readonly string[]): Signal | null {
    const found = this.catalog.signals[signalIndex(this.catalog, scalar.text)];
    if (found !== undefined) return found;
    const names = [...others, ...this.catalog.signals.map(({ name }) => name)];
    const near = closest(scalar.text, names);
    const advice = near === "" ? "signals stand in the catalog" : `did you mean "${near}"?`;
    this.faults.add(scalar.span, `Cannot find a signal named ${quote(scalar.text)}`, advice);
    return null;
  }

  #label(fields: Fields, name: string): string {
    const node = fields.get("label");
    const scalar = node === undefined ? null : asScalar(node, "label", this.faults);
    if (scalar === null) return signalTitle(name);
    if (scalar.text.length <= LABEL_LENGTH_MAX) return scalar.text;
    const message = `Cannot use a label of ${scalar.text.length} characters`;
    this.faults.add(scalar.span, message, `the most are ${LABEL_LENGTH_MAX}`);
    return "";
  }

  #digits(fields: Fields): number {
    const node = fields.get("digits");
    return node === undefined ? 0 : asWhole(node, "digits", 0, DIGITS_MAX, this.faults) ?? 0;
  }

  /** What frames have to carry, `speed` for the map among them, each once and finely enough. */
  #frame(tiles: readonly Tile[], columns: readonly Column[]): FrameSignal[] {
    const scales = new Map<string, number>();
    const need = (name: string, digits: number) =>
      scales.set(name, Math.max(scales.get(name) ?? 1, 10 ** digits));
    if (signalIndex(this.catalog, "speed") >= 0) need("speed", 1);
    for (const each of [...columns, ...tiles]) {
      if (each.kind === "own") continue;
      const isNumber = !("type" in each) || each.type === "number";
      need(each.signal, isNumber ? Math.max(1, each.digits) : 0);
    }
    return [...scales].map(([name, scale]) => ({ name, scale }));
  }
}
