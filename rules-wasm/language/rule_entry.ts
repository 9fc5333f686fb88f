/** One entry under `rules`: its keys, checked against the catalog and against one another. */
import { SEVERITIES, type Severity } from "../../contract/anomaly.ts";
import type { MessagePart, Rule, RuleSettings, SeverityLevel, Span, TermSource } from "./ast.ts";
import { hasAbsent } from "./brings.ts";
import type { CatalogIndex } from "./catalog_index.ts";
import { checkCondition, type CheckedCondition } from "./checker.ts";
import { FAMILIAR_RULE_KEYS, FAMILIAR_SEVERITIES } from "./familiar_words.ts";
import { didYouMean, type FaultList, quote, reportInto } from "./faults.ts";
import { parseMessage } from "./message.ts";
import { asBoolean, asDurationMs, asMap, asScalar, Fields } from "./yaml_fields.ts";
import type { Node } from "./yaml_text.ts";

/** Keys of one rule. */
export const RULE_KEYS: readonly string[] = [
  ...["id", "when", "for", "clear", "clear_for", "severity", "cooldown", "message", "once"],
  ...["max_gap", "enabled", "labels", "vehicles", "runbook"],
];

/** Severity of a rule that names none. */
export const SEVERITY_DEFAULT: Severity = "warning";

/** Links to runbooks. */
export const RUNBOOK = /^https?:\/\/\S+$/;
/** Ids of rules. */
export const RULE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Names of labels. */
export const LABEL_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/;
/** Longest text of a label or vehicle pattern, UTF-16 units. */
export const TEXT_LENGTH_MAX = 256;
/** Most vehicles or patterns that a rule may list. */
export const RULE_VEHICLES_MAX = 10_000;

/** What a rule is checked against. */
export interface RuleContext {
  readonly catalog: CatalogIndex;
  readonly settings: RuleSettings;
  readonly faults: FaultList;
  /** The whole file. */
  readonly text: string;
}

/** A rule with what only its file needs. */
export interface RuleEntry {
  readonly rule: Rule;
  readonly enabled: boolean;
}

/** Where the id of an entry stands, for the check that no two are equal. */
export interface RuleId {
  readonly id: string;
  readonly span: Span;
}

/**
 * Reads one rule.
 *
 * @param seen told the id as soon as it is known, even if the rule is refused
 * @returns the rule, or null if anything was reported
 */
export function readRule(
  node: Node,
  context: RuleContext,
  seen: (id: RuleId) => void,
): RuleEntry | null {
  const { faults, settings } = context;
  const before = faults.count;
  const map = asMap(
    node,
    "a rule",
    faults,
    'begin it with "- id: NAME" and a line "when: CONDITION"',
  );
  if (map === null) return null;
  const fields = new Fields(map, RULE_KEYS, "a rule", faults, FAMILIAR_RULE_KEYS);
  const id = readId(fields, faults, seen);
  const when = readCondition(fields, "when", context);
  if (fields.lacks("when")) {
    faults.add(firstLine(fields.span), "Cannot use a rule without when", "add when: CONDITION");
  }
  const clear = readCondition(fields, "clear", context);
  const forMs = readDuration(fields, "for", 0, faults);
  const clearForMs = readDuration(fields, "clear_for", 0, faults);
  const cooldownMs = readDuration(fields, "cooldown", 0, faults);
  const maxGapMs = readDuration(fields, "max_gap", 1, faults);
  const once = readFlag(fields, "once", false, faults);
  const enabled = readFlag(fields, "enabled", true, faults);
  const severity = readSeverity(fields, context);
  const message = readMessage(fields, context, when?.terms ?? []);
  const labels = readLabels(fields, faults);
  const vehicles = readVehicles(fields, faults);
  const runbook = readRunbook(fields, faults);

  if (once) refuseClearing(fields, faults);
  const durations = { for: forMs, clear_for: clearForMs };
  refuseAbsentWithDuration(fields, [when, clear, ...severity.levels], durations, faults);
  if (faults.count > before || id === null || when === null || message === null) return null;
  const rule: Rule = {
    id,
    when: when.condition,
    clear: clear?.condition ?? null,
    forMs: forMs ?? 0,
    clearForMs: clearForMs ?? 0,
    cooldownMs: cooldownMs ?? 0,
    maxGapMs: maxGapMs ?? settings.maxGapMs,
    once,
    severity: severity.severity,
    levels: severity.levels.map(({ severity, condition }): SeverityLevel => (
      { severity, when: condition }
    )),
    message,
    terms: when.terms,
    labels,
    vehicles,
    runbook,
    source: sourceOf(context.text, node.span),
  };
  return { rule, enabled };
}

function firstLine(span: Span): Span {
  return { ...span, length: Math.min(span.length, 1) };
}

function readId(
  fields: Fields,
  faults: FaultList,
  seen: (id: RuleId) => void,
): string | null {
  const node = fields.get("id");
  if (node === undefined) {
    if (fields.lacks("id")) {
      faults.add(firstLine(fields.span), "Cannot use a rule without id", "add id: NAME");
    }
    return null;
  }
  const id = asScalar(node, "id", faults);
  if (id === null) return null;
  if (!RULE_ID.test(id.text)) {
    const rule = "letters, digits, dots, dashes and underscores only, at most 64";
    const near = id.text.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+|-+$/g, "");
    const advice = RULE_ID.test(near) ? `write ${near}` : "";
    faults.add(id.span, `Cannot use ${quote(id.text)} as id: ${rule}`, advice);
    return null;
  }
  seen({ id: id.text, span: id.span });
  return id.text;
}

function readCondition(
  fields: Fields,
  key: string,
  context: RuleContext,
): CheckedCondition | null {
  const node = fields.get(key);
  return node === undefined ? null : conditionOf(node, key, context);
}

function conditionOf(node: Node, key: string, context: RuleContext): CheckedCondition | null {
  const advice = node.kind === "list" ? 'join conditions with "and" or "or"' : "";
  const scalar = asScalar(node, key, context.faults, advice);
  if (scalar === null) return null;
  return checkCondition(scalar.text, context.catalog, reportInto(context.faults, scalar.place));
}

function readDuration(
  fields: Fields,
  key: string,
  minMs: number,
  faults: FaultList,
): number | null {
  const node = fields.get(key);
  return node === undefined ? null : asDurationMs(node, key, minMs, faults);
}

function readFlag(fields: Fields, key: string, usual: boolean, faults: FaultList): boolean {
  const node = fields.get(key);
  return node === undefined ? usual : asBoolean(node, key, faults) ?? usual;
}

interface CheckedLevel extends CheckedCondition {
  readonly severity: Severity;
}

interface CheckedSeverity {
  readonly severity: Severity;
  readonly levels: readonly CheckedLevel[];
}

function readSeverity(fields: Fields, context: RuleContext): CheckedSeverity {
  const { faults } = context;
  const usual = { severity: SEVERITY_DEFAULT, levels: [] };
  const node = fields.get("severity");
  if (node === undefined) return usual;
  if (node.kind !== "map") {
    const scalar = asScalar(node, "severity", faults);
    const severity = scalar === null ? null : severityOf(scalar.text, scalar.span, faults);
    return { severity: severity ?? SEVERITY_DEFAULT, levels: [] };
  }
  const levels: CheckedLevel[] = [];
  for (const entry of node.entries) {
    const severity = severityOf(entry.key, entry.keySpan, faults);
    const checked = conditionOf(entry.value, entry.key, context);
    if (severity !== null && checked !== null) levels.push({ ...checked, severity });
  }
  if (node.entries.length === 0) {
    faults.add(
      node.span,
      "Cannot use an empty severity ladder",
      "name a severity, or leave it out",
    );
  }
  const rank = (level: CheckedLevel) => SEVERITIES.indexOf(level.severity);
  levels.sort((a, b) => rank(a) - rank(b));
  return { severity: levels[0]?.severity ?? SEVERITY_DEFAULT, levels };
}

function severityOf(text: string, span: Span, faults: FaultList): Severity | null {
  const found = SEVERITIES.find((severity) => severity === text);
  if (found !== undefined) return found;
  const near = didYouMean(text, SEVERITIES, FAMILIAR_SEVERITIES);
  const advice = near !== "" ? near : `severities are ${SEVERITIES.join(", ")}`;
  faults.add(span, `Cannot use ${quote(text)} as severity`, advice);
  return null;
}

function readMessage(
  fields: Fields,
  context: RuleContext,
  terms: readonly TermSource[],
): readonly MessagePart[] | null {
  const node = fields.get("message");
  if (node === undefined) return defaultMessage(terms);
  const scalar = asScalar(node, "message", context.faults);
  if (scalar === null) return null;
  return parseMessage(scalar.text, context.catalog, reportInto(context.faults, scalar.place));
}

/** The message of a rule that has none: vehicle, colon, first term. */
function defaultMessage(terms: readonly TermSource[]): readonly MessagePart[] {
  const [first] = terms;
  if (first === undefined) return [{ kind: "vehicle" }];
  const text = first.kind === "compare" ? first.term.text : first.text;
  return [{ kind: "vehicle" }, { kind: "text", text: `: ${text}` }];
}

function readLabels(fields: Fields, faults: FaultList): Readonly<Record<string, string>> {
  const labels: [string, string][] = [];
  const node = fields.get("labels");
  const map = node === undefined
    ? null
    : asMap(node, "labels", faults, "write labels: { NAME: TEXT }");
  for (const entry of map?.entries ?? []) {
    if (!LABEL_NAME.test(entry.key) || entry.key === "__proto__") {
      faults.add(entry.keySpan, `Cannot use ${quote(entry.key)} as the name of a label`);
      continue;
    }
    const value = asScalar(entry.value, `the label ${entry.key}`, faults);
    if (value !== null && withinLength(value.text, value.span, faults)) {
      labels.push([entry.key, value.text]);
    }
  }
  return Object.fromEntries(labels);
}

function withinLength(text: string, span: Span, faults: FaultList): boolean {
  if (text.length <= TEXT_LENGTH_MAX) return true;
  faults.add(
    span,
    `Cannot use a text of ${text.length} characters: the most are ${TEXT_LENGTH_MAX}`,
  );
  return false;
}

function readVehicles(fields: Fields, faults: FaultList): readonly string[] {
  const node = fields.get("vehicles");
  if (node === undefined) return [];
  const items = node.kind === "list" ? node.items : [node];
  if (items.length === 0) {
    faults.add(
      node.span,
      "Cannot limit a rule to no vehicle",
      "leave vehicles out for all of them",
    );
  }
  if (items.length > RULE_VEHICLES_MAX) {
    faults.add(node.span, `Cannot list more than ${RULE_VEHICLES_MAX} vehicles`, "use a glob");
    return [];
  }
  const vehicles: string[] = [];
  for (const item of items) {
    const scalar = asScalar(item, "a vehicle or glob", faults);
    if (scalar !== null && withinLength(scalar.text, scalar.span, faults)) {
      vehicles.push(scalar.text);
    }
  }
  return vehicles;
}

function readRunbook(fields: Fields, faults: FaultList): string {
  const node = fields.get("runbook");
  if (node === undefined) return "";
  const scalar = asScalar(node, "runbook", faults);
  if (scalar === null) return "";
  if (!RUNBOOK.test(scalar.text)) {
    const rule = "it must be a link that begins with http:// or https://";
    faults.add(scalar.span, `Cannot use ${quote(scalar.text)} as runbook: ${rule}`);
  }
  return scalar.text;
}

/** A point event never clears, so nothing can say when. */
function refuseClearing(fields: Fields, faults: FaultList): void {
  for (const key of ["clear", "clear_for"]) {
    const entry = fields.entry(key);
    if (entry === undefined) continue;
    const why = "a point event is opened only";
    faults.add(entry.keySpan, `Cannot use ${key} together with once: ${why}`, "remove one of them");
  }
}

function refuseAbsentWithDuration(
  fields: Fields,
  conditions: readonly (CheckedCondition | null)[],
  durations: Readonly<Record<string, number | null>>,
  faults: FaultList,
): void {
  const uses = conditions.some((checked) => checked !== null && hasAbsent(checked.condition));
  if (!uses) return;
  for (const [key, ms] of Object.entries(durations)) {
    const entry = fields.entry(key);
    if (entry === undefined || ms === null || ms === 0) continue;
    const why = "its own duration says how long";
    faults.add(entry.keySpan, `Cannot use ${key} together with absent: ${why}`, `remove ${key}`);
  }
}

/** The entry's text as it stands in the file, its lines moved left as far as its first one. */
function sourceOf(text: string, span: Span): string {
  const lines = text.slice(span.offset, span.offset + span.length).trimEnd().split(/\r?\n/);
  const indent = span.column - 1;
  return lines
    .map((line, i) => i > 0 && line.slice(0, indent).trim() === "" ? line.slice(indent) : line)
    .join("\n");
}
