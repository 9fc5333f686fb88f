/// <reference lib="dom" />
/** What pages fetch from the API beside the stream. */
import { SEVERITIES } from "../contract/anomaly.ts";
import type { AnomalyPage, AnomalyView, SeriesView } from "../contract/views.ts";
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

/** One signal of a vehicle over time. @throws {Error} if the server does not answer with one */
export async function fetchSeries(
  vehicle: string,
  signal: string,
  from: number,
  to: number,
): Promise<SeriesView> {
  const query = new URLSearchParams({ signal, from: String(from), to: String(to) });
  const path = `/api/vehicles/${encodeURIComponent(vehicle)}/series?${query}`;
  const { t, v, unit } = await fetchFields(path);
  if (!isNumbers(t) || !isNumbers(v)) throw notAsAgreed(path);
  return { vehicle, signal, unit: typeof unit === "string" ? unit : "", t, v };
}

/** Ids of the rules in force. @throws {Error} if the server does not answer with rules */
export async function fetchRuleIds(): Promise<string[]> {
  const { rules } = await fetchFields("/api/rules");
  if (!Array.isArray(rules)) throw notAsAgreed("/api/rules");
  return rules.map((rule: unknown) => fieldsOf(rule)?.id).filter((id) => typeof id === "string");
}

async function fetchFields(path: string): Promise<Record<string, unknown>> {
  const response = await fetch(path, { headers: { accept: "application/json" } });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the server answered ${response.status} to ${path}`);
  }
  const fields = fieldsOf(await response.json());
  if (fields === null) throw notAsAgreed(path);
  return fields;
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
