/// <reference lib="dom" />
/** Acknowledge and snooze: shown at once, sent when the time to undo is over. */
import type { AnomalyEvent } from "../contract/stream.ts";
import type { AnomalyState, AnomalyView } from "../contract/views.ts";
import type { AnomalyStore } from "./anomaly_store.ts";
import { ruleTitle } from "./format.ts";
import { TOAST_MS, type Toaster } from "./toast.ts";

/** Steps of triage and the state that each leads to. */
const STEPS = { ack: "acknowledged", snooze: "snoozed" } as const;
/** One step. */
export type TriageStep = keyof typeof STEPS;

/** A snooze lasts this long, minutes. */
export const SNOOZE_MINUTES = 60;

interface PendingStep {
  readonly step: TriageStep;
  readonly before: AnomalyState;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Keeps the steps that can still be undone. */
export class Triage {
  readonly #anomalies: AnomalyStore;
  readonly #toaster: Toaster;
  readonly #pending = new Map<string, PendingStep>();

  constructor(anomalies: AnomalyStore, toaster: Toaster) {
    this.#anomalies = anomalies;
    this.#toaster = toaster;
  }

  /** Acknowledges or snoozes; an anomaly no longer known is left alone. */
  take(step: TriageStep, anomaly: AnomalyView): void {
    const { id, vehicle, rule } = anomaly;
    if (this.#pending.has(id)) this.#send(id, false);
    const before = this.#anomalies.assume(id, STEPS[step]);
    if (before === null) return;
    const timer = setTimeout(() => this.#send(id, false), TOAST_MS);
    this.#pending.set(id, { step, before, timer });
    const done = step === "ack" ? "Acknowledged" : "Snoozed for 1 h";
    this.#toaster.say(`${done}: ${ruleTitle(rule)}, ${vehicle}`, () => this.#undo(id));
  }

  /** Undoes the last step that still can be; returns whether there was one. */
  undoLast(): boolean {
    const id = [...this.#pending.keys()].pop();
    if (id === undefined) return false;
    this.#undo(id);
    return true;
  }

  /** Sends what is pending at once, as the page goes away. */
  flush(): void {
    for (const id of [...this.#pending.keys()]) this.#send(id, true);
  }

  /** The event as the page is to show it: a step not yet sent goes before the server's state. */
  seen(event: AnomalyEvent): AnomalyEvent {
    const pending = this.#pending.get(event.anomaly.id);
    if (pending === undefined || event.anomaly.state === "cleared") return event;
    return { ...event, anomaly: { ...event.anomaly, state: STEPS[pending.step] } };
  }

  /** The same for a list that the server answered. */
  seenView(anomaly: AnomalyView): AnomalyView {
    return this.seen({ kind: "opened", anomaly }).anomaly;
  }

  #undo(id: string): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    clearTimeout(pending.timer);
    this.#pending.delete(id);
    this.#anomalies.assume(id, pending.before);
    this.#toaster.say("Undone");
  }

  #send(id: string, leaving: boolean): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    clearTimeout(pending.timer);
    this.#pending.delete(id);
    const body = pending.step === "snooze" ? { minutes: SNOOZE_MINUTES } : {};
    postJson(`/api/anomalies/${encodeURIComponent(id)}/${pending.step}`, body, leaving)
      .catch((fault: unknown) => {
        this.#anomalies.assume(id, pending.before);
        this.#toaster.say(`Not ${STEPS[pending.step]}: ${messageOf(fault)}`);
      });
  }
}

/**
 * Posts JSON to the server's API.
 *
 * @param leaving whether the page is going away: the request then outlives it
 * @throws {Error} with the problem's own words if the server refuses
 */
export async function postJson(path: string, body: unknown, leaving = false): Promise<void> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    keepalive: leaving,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(problemText(text) ?? `the server answered ${response.status}`);
}

/** What a fault says. */
export function messageOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}

/** The detail of a problem in the form of RFC 9457; null if the text is none. */
function problemText(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return null;
    const { detail, title }: Record<string, unknown> = { ...value };
    return typeof detail === "string" ? detail : typeof title === "string" ? title : null;
  } catch (fault) {
    if (fault instanceof SyntaxError) return null;
    throw fault;
  }
}
