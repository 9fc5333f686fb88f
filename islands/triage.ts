/// <reference lib="dom" />
/** Steps of triage: shown at once, sent at once, and taken back on request. */
import type { AnomalyEvent } from "../contract/stream.ts";
import type { AnomalyState, AnomalyView } from "../contract/views.ts";
import type { AnomalyStore } from "./anomaly_store.ts";
import { ruleTitle } from "./format.ts";
import { isAnomalyView } from "./stream_events.ts";
import type { Toaster } from "./toast.ts";
import { isolatedText, visibleText } from "./visible_text.ts";

/** One step of triage. */
export type TriageStep =
  | { readonly kind: "ack"; readonly acknowledged: boolean }
  | { readonly kind: "snooze"; readonly minutes: number }
  | { readonly kind: "wake" }
  /** "" for nobody. */
  | { readonly kind: "assign"; readonly to: string }
  | { readonly kind: "note"; readonly text: string };

/** How long a snooze may last, minutes, with its words. */
export const SNOOZES: readonly (readonly [minutes: number, words: string])[] = [
  [15, "15 min"],
  [60, "1 h"],
  [4 * 60, "4 h"],
  [24 * 60, "24 h"],
  [7 * 24 * 60, "7 days"],
];
/** A snooze unless chosen otherwise, minutes. */
export const SNOOZE_MINUTES = 60;

interface Taken {
  readonly anomaly: AnomalyView;
  readonly step: TriageStep;
  /** State before, where the step changes it. */
  readonly before: AnomalyState | null;
  /** The posting of the step: what the server answered, null if it refused. Undoing waits for it. */
  readonly sent: Promise<{ readonly answer: unknown } | null>;
}

/** Takes steps, and back the last one. */
export class Triage {
  readonly #anomalies: AnomalyStore;
  readonly #toaster: Toaster;
  readonly #person: () => string;
  /** States assumed while the server has not answered, by id. */
  readonly #assumed = new Map<string, AnomalyState>();
  #last: Taken | null = null;

  /** @param person the name that steps are taken in, "" for none */
  constructor(anomalies: AnomalyStore, toaster: Toaster, person: () => string) {
    this.#anomalies = anomalies;
    this.#toaster = toaster;
    this.#person = person;
  }

  /** Takes a step; an anomaly no longer known is left alone. */
  take(anomaly: AnomalyView, step: TriageStep): void {
    const { id, vehicle, rule } = anomaly;
    const state = stateAfter(anomaly, step);
    const before = state === null ? null : this.#anomalies.assume(id, state);
    if (state !== null && before === null) return;
    const sent = this.#send(id, REQUESTS[step.kind], bodyOf(step), state, before);
    const taken = { anomaly, step, before, sent };
    this.#last = taken;
    const what = `${isolatedText(ruleTitle(rule))}, ${isolatedText(vehicle)}`;
    this.#toaster.say(`${wordsOf(step)}: ${what}`, () => this.#undo(taken));
  }

  /** Undoes the last step while its message stands. */
  undoLast(): void {
    this.#toaster.current.value?.undo?.();
  }

  /** The event as the page is to show it: a step still on its way goes before the server's state. */
  seen(event: AnomalyEvent): AnomalyEvent {
    return { ...event, anomaly: this.seenView(event.anomaly) };
  }

  /** The same for a list that the server answered. */
  seenView(anomaly: AnomalyView): AnomalyView {
    const state = this.#assumed.get(anomaly.id);
    return state === undefined || anomaly.state === "cleared" ? anomaly : { ...anomaly, state };
  }

  async #undo(taken: Taken): Promise<void> {
    if (this.#last !== taken) return;
    this.#last = null;
    const { anomaly: { id }, step, before } = taken;
    if (before !== null) this.#anomalies.assume(id, before);
    this.#toaster.say("Undone");
    const sent = await taken.sent;
    if (sent === null) return;
    const body = undoingOf(taken.anomaly, step, sent.answer);
    if (body === null) return;
    await this.#send(id, REQUESTS[step.kind], body, before, stateAfter(taken.anomaly, step));
  }

  /** Posts; a refusal is told, and the state shown goes back. Never rejects. */
  async #send(
    id: string,
    request: string,
    body: object,
    state: AnomalyState | null,
    before: AnomalyState | null,
  ): Promise<{ readonly answer: unknown } | null> {
    if (state !== null) this.#assumed.set(id, state);
    const by = this.#person();
    try {
      const path = `/api/anomalies/${encodeURIComponent(id)}/${request}`;
      return { answer: await postJson(path, by === "" ? body : { ...body, by }) };
    } catch (fault) {
      if (before !== null) this.#anomalies.assume(id, before);
      this.#toaster.say(`Not ${state ?? "done"}: ${messageOf(fault)}`);
      return null;
    } finally {
      this.#assumed.delete(id);
    }
  }
}

/** What each step is posted to. */
const REQUESTS: Readonly<Record<TriageStep["kind"], string>> = {
  ack: "ack",
  snooze: "snooze",
  wake: "snooze",
  assign: "assign",
  note: "note",
};

/** The state that a step leads to; null where it changes none. */
function stateAfter(anomaly: AnomalyView, step: TriageStep): AnomalyState | null {
  if (anomaly.state === "cleared") return null;
  switch (step.kind) {
    case "ack":
      if (anomaly.state === "snoozed") return "snoozed";
      return step.acknowledged ? "acknowledged" : "open";
    case "snooze":
      return "snoozed";
    case "wake":
      return anomaly.acknowledgedAt === null ? "open" : "acknowledged";
    case "assign":
    case "note":
      return null;
  }
}

function bodyOf(step: TriageStep): object {
  switch (step.kind) {
    case "ack":
      return { acknowledged: step.acknowledged };
    case "snooze":
      return { minutes: step.minutes };
    case "wake":
      return { until: null };
    case "assign":
      return { to: step.to };
    case "note":
      return { text: step.text };
  }
}

/** What takes a step back; null if nothing can. @param answer the server's to the step */
function undoingOf(before: AnomalyView, step: TriageStep, answer: unknown): object | null {
  switch (step.kind) {
    case "ack":
      return { acknowledged: before.acknowledgedAt !== null };
    case "snooze":
    case "wake":
      return { until: before.snoozedUntil };
    case "assign":
      return { to: before.assignee };
    case "note": {
      const note = isAnomalyView(answer)
        ? answer.notes.findLast(({ text }) => text === step.text.trim())
        : undefined;
      return note === undefined ? null : { remove: note.at };
    }
  }
}

function wordsOf(step: TriageStep): string {
  switch (step.kind) {
    case "ack":
      return step.acknowledged ? "Acknowledged" : "Open again";
    case "snooze":
      return `Snoozed for ${
        SNOOZES.find(([minutes]) => minutes === step.minutes)?.[1] ?? "a while"
      }`;
    case "wake":
      return "Awake";
    case "assign":
      return step.to === "" ? "Assigned to nobody" : `Assigned to ${isolatedText(step.to)}`;
    case "note":
      return "Noted";
  }
}

/**
 * Posts JSON to the server's API.
 *
 * @returns what it answered, null if that is not JSON
 * @throws {Error} with the problem's own words if the server refuses
 */
export async function postJson(path: string, body: unknown): Promise<unknown> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    // Outlives the page, should someone go on to the next at once.
    keepalive: true,
  });
  const text = await response.text();
  const value = parsed(text);
  if (!response.ok) throw new Error(problemText(value) ?? `the server answered ${response.status}`);
  return value;
}

/** What a fault says. */
export function messageOf(fault: unknown): string {
  return visibleText(fault instanceof Error ? fault.message : String(fault));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (fault) {
    if (fault instanceof SyntaxError) return null;
    throw fault;
  }
}

/** The detail of a problem in the form of RFC 9457; null if the value is none. */
function problemText(value: unknown): string | null {
  if (typeof value !== "object" || value === null) return null;
  const { detail, title }: Record<string, unknown> = { ...value };
  return typeof detail === "string" ? detail : typeof title === "string" ? title : null;
}
