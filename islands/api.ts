/// <reference lib="dom" />
/** What pages fetch from the API beside the stream. */
import { SEVERITIES } from "../contract/anomaly.ts";
import type {
  AnomalyPage,
  AnomalyView,
  RuleView,
  SeriesView,
  VehicleView,
  ZoneView,
} from "../contract/views.ts";
import { isAnomalyView } from "./stream_events.ts";

/** Pages of anomalies that are fetched at most after a reconnect. */
const PAGES_MAX = 5;

/** All anomalies that are not cleared, as far as a few pages bring them. */
export async function fetchOpenAnomalies(): Promise<AnomalyPage> {
  const anomalies: AnomalyView[] = [];
  let open = { info: 0, warning: 0, critical: 0 };
  for (const state of ["open", "acknowledged", "snoozed"]) {
    let cursor: string | null = null;
    for (let k = 0; k < PAGES_MAX; k++) {
      const query = new URLSearchParams({ state, limit: "200" });
      if (cursor !== null) query.set("cursor", cursor);
      const page = await fetchAnomalyPage(`/api/anomalies?${query}`);
      anomalies.push(...page.anomalies);
      open = { ...page.open };
      cursor = page.cursor;
      if (cursor === null) break;
    }
  }
  return { anomalies, cursor: null, open };
}

/** One page of anomalies. @throws {Error} if the server does not answer with one */
export async function fetchAnomalyPage(path: string): Promise<AnomalyPage> {
  const fields = await fetchFields(path);
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

/** What the server adds to an anomaly: its rule, and the signals around it. */
export interface Explanation {
  /** The rule's text as it is in force; null if there is none of that id any more. */
  readonly rule: Pick<RuleView, "source" | "runbook"> | null;
  /** Whether the version in force is the one that raised it. */
  readonly current: boolean;
  readonly series: readonly SeriesView[];
}

/** Why an anomaly fired. @throws {Error} if the server does not answer with an explanation */
export async function fetchExplanation(id: string): Promise<Explanation> {
  const path = `/api/anomalies/${encodeURIComponent(id)}`;
  const { rule, current, series } = await fetchFields(path);
  if (!Array.isArray(series)) throw notAsAgreed(path);
  const fields = fieldsOf(rule);
  const text = (name: string) => typeof fields?.[name] === "string" ? fields[name] : "";
  return {
    rule: fields === null ? null : { source: text("source"), runbook: text("runbook") },
    current: current === true,
    series: series.filter(isSeriesView),
  };
}

/** Ids of the rules in force. @throws {Error} if the server does not answer with rules */
export async function fetchRuleIds(): Promise<string[]> {
  const { rules } = await fetchFields("/api/rules");
  if (!Array.isArray(rules)) throw notAsAgreed("/api/rules");
  return rules.map((rule: unknown) => fieldsOf(rule)?.id).filter((id) => typeof id === "string");
}

/** Zones of the rules in force. @throws {Error} if the server does not answer with zones */
export async function fetchZones(): Promise<ZoneView[]> {
  const { zones } = await fetchFields("/api/zones");
  if (!Array.isArray(zones) || !zones.every(isZoneView)) throw notAsAgreed("/api/zones");
  return zones;
}

async function fetchFields(path: string): Promise<Record<string, unknown>> {
  const fields = fieldsOf(await fetchValue(path));
  if (fields === null) throw notAsAgreed(path);
  return fields;
}

async function fetchValue(path: string): Promise<unknown> {
  const response = await fetch(path, { headers: { accept: "application/json" } });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the server answered ${response.status} to ${path}`);
  }
  return await response.json();
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

function fieldsOf(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null ? { ...value } : null;
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}

function notAsAgreed(path: string): Error {
  return new Error(`the answer to ${path} is not as agreed`);
}
