/// <reference lib="dom" />
/** Acknowledge and snooze: shown at once, sent at once, and taken back on request. */
import type { AnomalyEvent } from "../contract/stream.ts";
import type { AnomalyState, AnomalyView } from "../contract/views.ts";
import type { AnomalyStore } from "./anomaly_store.ts";
import { ruleTitle } from "./format.ts";
import type { Toaster } from "./toast.ts";
import { isolatedText, visibleText } from "./visible_text.ts";

/** Steps of triage and the state that each leads to. */
const STEPS = { ack: "acknowledged", snooze: "snoozed" } as const;
/** One step. */
export type TriageStep = keyof typeof STEPS;

/** A snooze lasts this long, minutes. */
export const SNOOZE_MINUTES = 60;

/** What is posted to take a step, and to take it back. */
const BODIES = {
  ack: { does: {}, undoes: { acknowledged: false } },
  snooze: { does: { minutes: SNOOZE_MINUTES }, undoes: { until: null } },
} as const;

interface Step {
  readonly id: string;
  readonly step: TriageStep;
  readonly before: AnomalyState;
  /** The posting of the step; its undoing waits for it. */
  readonly sent: Promise<void>;
}

/** Takes steps, and back the last one. */
export class Triage {
  readonly #anomalies: AnomalyStore;
  readonly #toaster: Toaster;
  /** States assumed while the server has not answered, by id. */
  readonly #assumed = new Map<string, AnomalyState>();
  #last: Step | null = null;

  constructor(anomalies: AnomalyStore, toaster: Toaster) {
    this.#anomalies = anomalies;
    this.#toaster = toaster;
  }

  /** Acknowledges or snoozes; an anomaly no longer known is left alone. */
  take(step: TriageStep, anomaly: AnomalyView): void {
    const { id, vehicle, rule } = anomaly;
    const before = this.#anomalies.assume(id, STEPS[step]);
    if (before === null) return;
    const sent = this.#send(id, step, BODIES[step].does, STEPS[step], before);
    const taken = { id, step, before, sent };
    this.#last = taken;
    const done = step === "ack" ? "Acknowledged" : "Snoozed for 1 h";
    this.#toaster.say(
      `${done}: ${isolatedText(ruleTitle(rule))}, ${isolatedText(vehicle)}`,
      () => this.#undo(taken),
    );
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

  #undo(taken: Step): void {
    if (this.#last !== taken) return;
    this.#last = null;
    const { id, step, before } = taken;
    this.#anomalies.assume(id, before);
    this.#toaster.say("Undone");
    taken.sent.then(() => this.#send(id, step, BODIES[step].undoes, before, STEPS[step]));
  }

  /** Posts; a refusal is told, and the state shown goes back. Never rejects. */
  async #send(
    id: string,
    step: TriageStep,
    body: unknown,
    state: AnomalyState,
    before: AnomalyState,
  ): Promise<void> {
    this.#assumed.set(id, state);
    try {
      await postJson(`/api/anomalies/${encodeURIComponent(id)}/${step}`, body);
    } catch (fault) {
      this.#anomalies.assume(id, before);
      this.#toaster.say(`Not ${state}: ${messageOf(fault)}`);
    } finally {
      this.#assumed.delete(id);
    }
  }
}

/**
 * Posts JSON to the server's API.
 *
 * @throws {Error} with the problem's own words if the server refuses
 */
export async function postJson(path: string, body: unknown): Promise<void> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    // Outlives the page, should someone go on to the next at once.
    keepalive: true,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(problemText(text) ?? `the server answered ${response.status}`);
}

/** What a fault says. */
export function messageOf(fault: unknown): string {
  return visibleText(fault instanceof Error ? fault.message : String(fault));
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
