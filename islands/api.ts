/// <reference lib="dom" />
/** What pages fetch from the API beside the stream. */
import { SEVERITIES } from "../contract/anomaly.ts";
import type { NearestLimit, Threshold } from "../contract/explanation.ts";
import type {
  AnomalyPage,
  AnomalyView,
  RuleCost,
  RuleView,
  SeriesView,
  SignalLimit,
  TailRecord,
  TailView,
  VehicleView,
  VersionView,
  ZoneView,
} from "../contract/views.ts";
import type { AnomalySnapshot } from "./anomaly_store.ts";
import { isAnomalyView } from "./stream_events.ts";

/** Anomalies read at most after a reconnect; beyond it they are only counted. */
const SNAPSHOT_MAX = 1000;
/** A snapshot that takes longer than this will not come. */
const SNAPSHOT_MS_MAX = 15_000;

/**
 * All anomalies that are not cleared, as far as one answer brings them: a single answer, since
 * several would be of several instants, and their counts would not be those of their lists.
 *
 * @throws {Error} if the server does not answer with them
 */
export async function fetchOpenAnomalies(): Promise<AnomalySnapshot> {
  const path = `/api/anomalies?live=yes&limit=${SNAPSHOT_MAX}`;
  const fields = await fetchFields(path, AbortSignal.timeout(SNAPSHOT_MS_MAX));
  if (typeof fields.position !== "string") throw notAsAgreed(path);
  return { ...anomalyPageOf(fields, path), position: fields.position };
}

/** One page of anomalies. @throws {Error} if the server does not answer with one */
export async function fetchAnomalyPage(path: string): Promise<AnomalyPage> {
  return anomalyPageOf(await fetchFields(path), path);
}

function anomalyPageOf(fields: Record<string, unknown>, path: string): AnomalyPage {
  const { anomalies, cursor, open } = fields;
  const counts = fieldsOf(open);
  if (!Array.isArray(anomalies) || counts === null) throw notAsAgreed(path);
  const count = (name: string) => typeof counts[name] === "number" ? counts[name] : 0;
  const [info, warning, critical] = SEVERITIES.map(count);
  return {
    anomalies: anomalies.filter(isAnomalyView),
    cursor: typeof cursor === "string" ? cursor : null,
    open: { info, warning, critical },
  };
}

/** A vehicle as it is now. @throws {Error} if the server does not answer with one */
export async function fetchVehicle(id: string): Promise<VehicleView> {
  const path = `/api/vehicles/${encodeURIComponent(id)}`;
  const value = await fetchValue(path);
  if (!isVehicleView(value)) throw notAsAgreed(path);
  return value;
}

/** One anomaly as it is now. @throws {Error} if the server does not answer with one */
export async function fetchAnomaly(id: string): Promise<AnomalyView> {
  const path = `/api/anomalies/${encodeURIComponent(id)}`;
  const { anomaly } = await fetchFields(path);
  if (!isAnomalyView(anomaly)) throw notAsAgreed(path);
  return anomaly;
}

/** What the server adds to an anomaly: its rule, and the signals around it. */
export interface Explanation {
  /** The rule as the version that raised it has it; null if that is not known any more. */
  readonly rule: RuleText | null;
  /** The rule as it is in force now; null if there is none of that id any more. */
  readonly inForce: RuleText | null;
  /** When the version that raised it came; null if that is not known. */
  readonly written: { readonly time: number; readonly author: string } | null;
  readonly series: readonly SeriesView[];
  readonly limits: readonly SignalLimit[];
  /** Topic of the sample; "" if not told. */
  readonly topic: string;
}

/** The limits, and the duration, that would have kept an anomaly from firing. */
export interface Silencing {
  readonly limits:
    readonly (Pick<Threshold, "term" | "unit"> & { readonly nearest: NearestLimit })[];
  /** Shortest `for`, milliseconds; null where none does. */
  readonly forMs: number | null;
}

/** What an explanation shows of a rule. */
export type RuleText = Pick<RuleView, "source" | "runbook">;

/** Why an anomaly fired. @throws {Error} if the server does not answer with an explanation */
export async function fetchExplanation(id: string): Promise<Explanation> {
  const path = `/api/anomalies/${encodeURIComponent(id)}?proof=no`;
  const { rule, inForce, written, series, limits, topic } = await fetchFields(path);
  if (!Array.isArray(series) || !Array.isArray(limits)) throw notAsAgreed(path);
  const version = fieldsOf(written);
  return {
    rule: ruleTextOf(rule),
    inForce: ruleTextOf(inForce),
    written: typeof version?.time === "number" && typeof version.author === "string"
      ? { time: version.time, author: version.author }
      : null,
    series: series.filter(isSeriesView),
    limits: limits.filter(isSignalLimit),
    topic: typeof topic === "string" ? topic : "",
  };
}

/**
 * What would have kept an anomaly from firing, evaluated anew from the log; null if that cannot be
 * told. Takes up to some seconds.
 *
 * @throws {Error} if the server does not answer
 */
export async function fetchSilencing(id: string): Promise<Silencing | null> {
  const { proof } = await fetchFields(`/api/anomalies/${encodeURIComponent(id)}`);
  const fields = fieldsOf(proof);
  if (fields === null || !Array.isArray(fields.thresholds)) return null;
  const shortest = fieldsOf(fields.duration)?.nearestMs;
  return {
    limits: fields.thresholds.filter(isSilencingLimit),
    forMs: typeof shortest === "number" ? shortest : null,
  };
}

function isSilencingLimit(value: unknown): value is Silencing["limits"][number] {
  const fields = fieldsOf(value);
  const nearest = fieldsOf(fields?.nearest);
  return typeof fields?.term === "string" && typeof fields.unit === "string" &&
    typeof nearest?.value === "number" && typeof nearest.difference === "number" &&
    typeof nearest.exclusive === "boolean" &&
    (nearest.side === "above" || nearest.side === "below");
}

/** The rules in force with their counts. @throws {Error} if the server does not answer with rules */
export async function fetchRules(): Promise<{ version: string; rules: RuleView[] }> {
  const { version, rules } = await fetchFields("/api/rules");
  if (!Array.isArray(rules) || typeof version !== "string") throw notAsAgreed("/api/rules");
  return { version, rules: rules.filter(isRuleView) };
}

/** The latest versions of the rules. @throws {Error} if the server does not answer with versions */
export async function fetchVersions(): Promise<{ versions: VersionView[]; total: number }> {
  const path = "/api/rules/versions?limit=50";
  const { versions, total } = await fetchFields(path);
  if (!Array.isArray(versions) || typeof total !== "number") throw notAsAgreed(path);
  return { versions: versions.filter(isVersionView), total };
}

/** Ids of the rules in force. @throws {Error} if the server does not answer with rules */
export async function fetchRuleIds(): Promise<string[]> {
  return (await fetchRules()).rules.map(({ id }) => id);
}

/** Zones of the rules in force. @throws {Error} if the server does not answer with zones */
export async function fetchZones(): Promise<ZoneView[]> {
  const { zones } = await fetchFields("/api/zones");
  if (!Array.isArray(zones) || !zones.every(isZoneView)) throw notAsAgreed("/api/zones");
  return zones;
}

async function fetchFields(path: string, signal?: AbortSignal): Promise<Record<string, unknown>> {
  const fields = fieldsOf(await fetchValue(path, signal));
  if (fields === null) throw notAsAgreed(path);
  return fields;
}

async function fetchValue(path: string, signal?: AbortSignal): Promise<unknown> {
  const response = await fetch(path, { headers: { accept: "application/json" }, signal });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the server answered ${response.status} to ${path}`);
  }
  return await response.json();
}

/** Records as they come within the next second. @throws {Error} if the server does not answer so */
export async function fetchTail(part: string, limit: number): Promise<TailView> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (part !== "") query.set("q", part);
  const path = `/api/tail?${query}`;
  const { from, to, seen, matched, records } = await fetchFields(path);
  if (
    typeof from !== "number" || typeof to !== "number" || typeof seen !== "number" ||
    typeof matched !== "number" || !Array.isArray(records)
  ) throw notAsAgreed(path);
  return { from, to, seen, matched, records: records.filter(isTailRecord) };
}

function isTailRecord(value: unknown): value is TailRecord {
  const fields = fieldsOf(value);
  return fields !== null && typeof fields.key === "string" && typeof fields.text === "string" &&
    ["partition", "offset", "append", "bytes"].every((name) => typeof fields[name] === "number");
}

function isVehicleView(value: unknown): value is VehicleView {
  const fields = fieldsOf(value);
  return fields !== null && typeof fields.id === "string" && typeof fields.at === "number" &&
    typeof fields.append === "number" && fieldsOf(fields.signals) !== null;
}

function isSeriesView(value: unknown): value is SeriesView {
  const fields = fieldsOf(value);
  return fields !== null && typeof fields.signal === "string" && isNumbers(fields.t) &&
    isNumbers(fields.v);
}

function isZoneView(value: unknown): value is ZoneView {
  const fields = fieldsOf(value);
  return fields !== null && typeof fields.name === "string" && Array.isArray(fields.rings) &&
    fields.rings.every(isNumbers);
}

function ruleTextOf(value: unknown): RuleText | null {
  const fields = fieldsOf(value);
  const text = (name: string) => typeof fields?.[name] === "string" ? fields[name] : "";
  return fields === null ? null : { source: text("source"), runbook: text("runbook") };
}

function isRuleView(value: unknown): value is RuleView {
  const fields = fieldsOf(value);
  return fields !== null && typeof fields.id === "string" && typeof fields.source === "string" &&
    typeof fields.fired === "number" && typeof fields.open === "number" &&
    (fields.lastFired === null || typeof fields.lastFired === "number") &&
    typeof fields.lastId === "string" && (fields.cost === null || isRuleCost(fields.cost)) &&
    SEVERITIES.some((severity) => severity === fields.severity);
}

function isRuleCost(value: unknown): value is RuleCost {
  const fields = fieldsOf(value);
  return fields !== null && typeof fields.stateBytes === "number" &&
    typeof fields.stateBytesMax === "number" &&
    (fields.sampleNs === null || typeof fields.sampleNs === "number");
}

function isVersionView(value: unknown): value is VersionView {
  const fields = fieldsOf(value);
  return fields !== null && typeof fields.version === "string" && typeof fields.time === "number" &&
    typeof fields.author === "string" && typeof fields.message === "string" &&
    (fields.change === null || fieldsOf(fields.change) !== null);
}

function isSignalLimit(value: unknown): value is SignalLimit {
  const fields = fieldsOf(value);
  return fields !== null && typeof fields.signal === "string" && typeof fields.text === "string" &&
    typeof fields.value === "number";
}

function fieldsOf(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null ? { ...value } : null;
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}

function notAsAgreed(path: string): Error {
  return new Error(`the answer to ${path} is not as agreed`);
}
