/** Rule sets by the versions on the log: compiled when asked for, and the one in force. */
import type { RuleHistory, RuleVersion, VersionSource } from "../contract/rule_versions.ts";
import { loadKernelRules } from "./kernel_rules.ts";
import type { Fault, RuleSet } from "./language/ast.ts";
import { type CatalogResult, loadCatalog } from "./language/catalog_file.ts";
import { formatFault } from "./language/format_fault.ts";
import { loadZones } from "./language/zones_file.ts";
import { hashVersion } from "./version.ts";

/** What agents know of the rules. */
export interface RuleSource {
  /** The rules in force. */
  current(): RuleSet;
  /** The rules of a version by name; null if the log does not know it, or it is not what it was. */
  version(name: string): RuleSet | null;
  /** Versions and activations as the log has them. */
  readonly history: RuleHistory;
  /** Reads what the log has by now. */
  catchUp(): Promise<void>;
  /** Calls back after each new version until the returned function is called. */
  onChange(listener: () => void): () => void;
}

/** Who writes a version, and why. */
export interface Authorship {
  readonly author: string;
  readonly message: string;
  readonly source: VersionSource;
}

/** What came of writing a version. */
export type Written =
  | { readonly kind: "written"; readonly version: RuleVersion }
  /** It means the same as what is in force: nothing was written. */
  | { readonly kind: "same"; readonly version: string }
  /** Another version came first. */
  | { readonly kind: "conflict"; readonly current: string }
  /** The texts are wrong; nothing was written. */
  | { readonly kind: "faults"; readonly report: string; readonly faults: readonly Fault[] };

/** A source of rules that takes new ones too. */
export interface RuleLog extends RuleSource {
  /**
   * Writes a version, if it is right, says something new, and nothing came before it.
   *
   * @param base version that it is to replace; null for whichever is in force
   */
  write(texts: RuleTexts, base: string | null, who: Authorship): Promise<Written>;
}

/** The texts that make a rule set. */
export type RuleTexts = Pick<RuleVersion, "rules" | "catalog" | "zones">;

/** A rule set, or what is wrong: the faults, and the same in words for people. */
export type CompiledTexts =
  | { readonly ok: true; readonly ruleSet: RuleSet }
  | { readonly ok: false; readonly faults: readonly Fault[]; readonly report: string };

/** Compiles texts; never throws on any text. */
export function compileTexts(texts: RuleTexts, file = "rules.yaml"): CompiledTexts {
  const catalog = catalogOf(texts.catalog);
  if (!catalog.ok) return refused(catalog.faults, texts.catalog);
  const zones = texts.zones === ""
    ? { ok: true, zones: [] } as const
    : loadZones(texts.zones, { file: "zones.geojson", hash: hashVersion });
  if (!zones.ok) return refused(zones.faults, texts.zones);
  const options = { file, catalog: catalog.catalog, zones: zones.zones, hash: hashVersion };
  const rules = loadKernelRules(texts.rules, options);
  if (!rules.ok) return refused(rules.faults, texts.rules);
  return { ok: true, ruleSet: rules.rules };
}

/** The catalog that was read last: versions of one run share theirs. */
let lastCatalog: { readonly text: string; readonly read: CatalogResult } | null = null;

function catalogOf(text: string): CatalogResult {
  if (lastCatalog?.text === text) return lastCatalog.read;
  const read = loadCatalog(text, { file: "signals.yaml" });
  lastCatalog = { text, read };
  return read;
}

function refused(faults: readonly Fault[], text: string): CompiledTexts {
  const report = faults.map((fault) => formatFault(fault, text)).join("\n");
  return { ok: false, faults, report };
}

/** Rule sets compiled and kept at most. */
const KEPT_MAX = 8;

/** Rule sets by version, compiled once. */
export class CompiledVersions {
  readonly #kept = new Map<string, RuleSet>();

  /** @param texts how texts become a rule set */
  constructor(readonly history: RuleHistory, readonly texts: typeof compileTexts = compileTexts) {}

  /**
   * The rule set that a version was; null if the log does not know it, or if this program gives its
   * texts another meaning than the one that wrote them.
   *
   * @throws {SyntaxError} if its text is wrong by now: a later program understands less
   */
  get(name: string): RuleSet | null {
    const record = this.history.find(name);
    const ruleSet = record === undefined ? null : this.compile(record);
    return ruleSet?.version === name ? ruleSet : null;
  }

  /**
   * What this program takes the texts of a version for.
   *
   * @throws {SyntaxError} if they are wrong by now
   */
  compile(record: RuleVersion): RuleSet {
    const name = record.version;
    const kept = this.#kept.get(name);
    if (kept) return kept;
    const compiled = this.texts(record, `rules of version ${name}`);
    if (!compiled.ok) {
      throw new SyntaxError(`Cannot use the rules of version ${name}:\n${compiled.report}`);
    }
    this.#kept.set(name, compiled.ruleSet);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_MAX) break;
      this.#kept.delete(oldest);
    }
    return compiled.ruleSet;
  }
}
