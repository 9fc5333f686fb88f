/** Reads `rules.yaml` into a checked rule set, or every fault in it. */
import type { Catalog } from "../../contract/catalog.ts";
import type { Fault, Rule, RuleSet, Span } from "./ast.ts";
import { CatalogIndex } from "./catalog_index.ts";
import { FaultList } from "./faults.ts";
import { meaningOf } from "./meaning.ts";
import { readRule, type RuleId } from "./rule_entry.ts";
import { readSettings } from "./rule_settings.ts";
import { asList, asMap, Fields, nodeKind } from "./yaml_fields.ts";
import type { Zone } from "./zone.ts";
import { readYaml } from "./yaml_text.ts";

/** Keys of a rules file. */
export const RULES_FILE_KEYS: readonly string[] = ["version", "settings", "rules"];

/** Most rules in one file. */
export const RULES_MAX = 10_000;

/** How a file begins. */
const HOW = 'begin with "version: 1", and go on with "rules:" and a list of them';

/** The format of the file. */
const FORMAT_VERSION = "1";

/** What a rules file is read with. */
export interface RulesOptions {
  /** The file as the user named it, for faults. */
  readonly file: string;
  readonly catalog: Catalog;
  /** What `loadZones` gave; none by default. */
  readonly zones?: readonly Zone[];
  /** 16 hexadecimal digits of a text: 64 bits of its hash, which name the version. */
  readonly hash: (text: string) => string;
}

/** A rule set, or at least one fault. */
export type RulesResult =
  | { readonly ok: true; readonly rules: RuleSet }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** Reads the text of a rules file; never throws on any text. */
export function loadRules(text: string, options: RulesOptions): RulesResult {
  const faults = new FaultList(options.file);
  const root = readYaml(text, faults);
  const map = root === null ? null : asMap(root, "a rules file", faults, HOW);
  if (map === null) return { ok: false, faults: faults.sorted() };
  const fields = new Fields(map, RULES_FILE_KEYS, "a rules file", faults);
  checkFormat(fields, faults);
  const settings = readSettings(fields.get("settings"), faults);
  const catalog = new CatalogIndex(options.catalog, options.zones);
  const list = fields.get("rules");
  if (fields.lacks("rules")) {
    faults.add(start(map), "Cannot use a rules file without rules", "add rules: and a list");
  }
  const dashes = 'begin each rule with a dash: "- id: NAME"';
  const items = list === undefined ? null : asList(list, "rules", faults, dashes);
  if (list !== undefined && items !== null && items.length > RULES_MAX) {
    faults.add(start(list), `Cannot use ${items.length} rules: the most are ${RULES_MAX}`);
    return { ok: false, faults: faults.sorted() };
  }
  const rules: Rule[] = [];
  const ids = new Map<string, Span>();
  for (const item of items ?? []) {
    const context = { catalog, settings, faults, text };
    const entry = readRule(item, context, (id) => noteId(id, ids, faults));
    if (entry !== null && entry.enabled) rules.push(entry.rule);
  }
  if (faults.count > 0) return { ok: false, faults: faults.sorted() };
  const meaning = { catalog: options.catalog, settings, zones: options.zones ?? [], rules };
  return { ok: true, rules: { ...meaning, version: options.hash(meaningOf(meaning)) } };
}

function start(node: { readonly span: Span }): Span {
  return { ...node.span, length: Math.min(1, node.span.length) };
}

/** Checks the `version` key of a file: it has to be 1. */
export function checkFormat(fields: Fields, faults: FaultList): void {
  const node = fields.get("version");
  const advice = `write version: ${FORMAT_VERSION}`;
  if (node === undefined) {
    if (fields.lacks("version")) {
      faults.add(start(fields), "Cannot use a file without version", advice);
    }
  } else if (node.kind !== "scalar" || node.text !== FORMAT_VERSION) {
    const message = `Cannot use ${nodeKind(node)} as version: the only one is ${FORMAT_VERSION}`;
    faults.add(node.span, message, advice);
  }
}

function noteId({ id, span }: RuleId, ids: Map<string, Span>, faults: FaultList): void {
  const first = ids.get(id);
  if (first === undefined) ids.set(id, span);
  else {
    const message = `Cannot use the id ${JSON.stringify(id)} twice: line ${first.line} has it too`;
    faults.add(span, message, "give each rule an id of its own");
  }
}
