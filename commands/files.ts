/** Reads the files a user edits, or the shipped ones, into catalog and rules. */
import type { Catalog } from "../contract/catalog.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { loadCatalog } from "../rules-wasm/language/catalog_file.ts";
import type { DashboardView } from "../contract/dashboard.ts";
import { loadDashboard } from "../rules-wasm/language/dashboard_file.ts";
import { formatFault } from "../rules-wasm/language/format_fault.ts";
import { loadKernelRules } from "../rules-wasm/kernel_rules.ts";
import type { Zone } from "../rules-wasm/language/zone.ts";
import { loadZones } from "../rules-wasm/language/zones_file.ts";
import type { RuleTexts } from "../rules-wasm/rule_source.ts";
import { hashVersion } from "../rules-wasm/version.ts";
import { BaseMap, BaseMapError } from "../server/base_map.ts";

/** A file that is wrong: every fault in it, ready to be shown. */
export class FileFaults extends Error {
  override name = "FileFaults";
}

/** Shipped defaults, embedded in the binary. */
export const SHIPPED = {
  rules: new URL("../rules-wasm/rules.yaml", import.meta.url),
  catalog: new URL("../rules-wasm/signals.yaml", import.meta.url),
  dashboard: new URL("../server/dashboard.yaml", import.meta.url),
  tests: new URL("../rules-wasm/rules_test.yaml", import.meta.url),
  rulesSchema: new URL("../rules-wasm/schema/rules.schema.json", import.meta.url),
  catalogSchema: new URL("../rules-wasm/schema/signals.schema.json", import.meta.url),
} as const;

/**
 * The text of a user's file.
 *
 * @throws {FileFaults} if it cannot be read
 */
export function readUserFile(path: string): string {
  try {
    return decodeUserText(Deno.readFileSync(path), path);
  } catch (error) {
    if (error instanceof FileFaults) throw error;
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new FileFaults(`${path}: ${why}`, { cause: error });
  }
}

/**
 * The text of bytes that have to be UTF-8.
 *
 * @throws {FileFaults} naming the first byte that is not
 */
export function decodeUserText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const text = new TextDecoder().decode(bytes);
    const offset = firstReplaced(bytes, text);
    const line = text.slice(0, offset).split("\n").length;
    const column = offset - text.lastIndexOf("\n", offset - 1);
    const message = "Cannot read the file here: it is no UTF-8";
    const suggestion = "save the file with the encoding UTF-8";
    const fault = { file, span: { offset, length: 1, line, column }, message, suggestion };
    throw new FileFaults(formatFault(fault, text), { cause: error });
  }
}

/** Where bytes that are no UTF-8 were replaced; a replacement character may stand there itself. */
function firstReplaced(bytes: Uint8Array, text: string): number {
  const encoded = new TextEncoder().encode(text);
  let same = 0;
  // The decoder passes over a byte order mark.
  const from = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (encoded[same] === bytes[from + same]) same++;
  return new TextDecoder().decode(encoded.subarray(0, same)).replace(/\ufffd$/, "").length;
}

/**
 * The texts of the files that make a rule set; "" for the shipped ones, and for no zones.
 *
 * @throws {FileFaults} naming every fault
 */
export function readTexts(
  paths: { readonly rules: string; readonly catalog: string; readonly zones: string },
): RuleTexts {
  const read = (path: string, shipped: URL) =>
    path === "" ? Deno.readTextFileSync(shipped) : readUserFile(path);
  const texts = {
    rules: read(paths.rules, SHIPPED.rules),
    catalog: read(paths.catalog, SHIPPED.catalog),
    zones: paths.zones === "" ? "" : readUserFile(paths.zones),
  };
  // The files' own names belong to their faults.
  readRules(paths.rules, readCatalog(paths.catalog), readZones(paths.zones));
  return texts;
}

/** The rules file that may change; null for one embedded in a binary. */
export function ruleFile(path: string): string | null {
  if (path !== "") return path;
  return Deno.build.standalone ? null : fromFileUrl(SHIPPED.rules);
}

function fromFileUrl(url: URL): string {
  return decodeURIComponent(url.pathname);
}

/**
 * Reads the catalog; "" for the shipped one.
 *
 * @throws {FileFaults} naming every fault
 */
export function readCatalog(path: string): Catalog {
  const text = path === "" ? Deno.readTextFileSync(SHIPPED.catalog) : readUserFile(path);
  const result = loadCatalog(text, { file: path || "signals.yaml" });
  if (result.ok) return result.catalog;
  throw new FileFaults(result.faults.map((fault) => formatFault(fault, text)).join("\n"));
}

/**
 * Reads zones; "" for none.
 *
 * @throws {FileFaults} naming every fault
 */
export function readZones(path: string): readonly Zone[] {
  if (path === "") return [];
  const text = readUserFile(path);
  const result = loadZones(text, { file: path, hash: hashVersion });
  if (result.ok) return result.zones;
  throw new FileFaults(result.faults.map((fault) => formatFault(fault, text)).join("\n"));
}

/**
 * Reads what the dashboard shows, against a catalog; "" for the shipped file.
 *
 * @throws {FileFaults} naming every fault
 */
export function readDashboard(path: string, catalog: Catalog): DashboardView {
  const text = path === "" ? Deno.readTextFileSync(SHIPPED.dashboard) : readUserFile(path);
  const result = loadDashboard(text, { file: path || "dashboard.yaml", catalog });
  if (result.ok) return result.dashboard;
  throw new FileFaults(result.faults.map((fault) => formatFault(fault, text)).join("\n"));
}

/** Looks at a base map; "" for none. @throws {FileFaults} if it is none */
export function checkBaseMap(path: string): void {
  if (path === "") return;
  try {
    BaseMap.open(path);
  } catch (error) {
    if (error instanceof BaseMapError) throw new FileFaults(error.message);
    throw error;
  }
}

/**
 * Reads rules against a catalog and zones; "" for the shipped ones.
 *
 * @throws {FileFaults} naming every fault
 */
export function readRules(path: string, catalog: Catalog, zones: readonly Zone[] = []): RuleSet {
  const text = path === "" ? Deno.readTextFileSync(SHIPPED.rules) : readUserFile(path);
  const result = loadKernelRules(text, {
    file: path || "rules.yaml",
    catalog,
    zones,
    hash: hashVersion,
  });
  if (result.ok) return result.rules;
  throw new FileFaults(result.faults.map((fault) => formatFault(fault, text)).join("\n"));
}
