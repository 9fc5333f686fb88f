/// <reference lib="dom" />
/** Triage by keyboard: one set of keys wherever anomalies are listed. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { AnomalyView } from "../contract/views.ts";
import { isPlainKey } from "./plain_key.ts";
import type { AppStore } from "./store.ts";

/** Dialogs of triage. */
export type TriageQuestion = "why" | "note" | "snooze" | "assign";
/** Opens a dialog about an anomaly. */
export type Ask = (question: TriageQuestion, anomaly: AnomalyView) => void;

/** What is asked now. */
export interface Asked {
  readonly question: TriageQuestion;
  readonly anomaly: AnomalyView;
}

/** What the keys work on. */
export interface TriageList {
  readonly store: AppStore;
  /** In the order shown. */
  readonly anomalies: readonly AnomalyView[];
  /** Selects one and brings it into sight. */
  readonly select: (anomaly: AnomalyView) => void;
}

/** The keys of triage with their words, as the help shows them. */
export const TRIAGE_KEYS: readonly (readonly [key: string, words: string])[] = [
  ["J", "Next anomaly"],
  ["K", "Anomaly before"],
  ["A", "Acknowledge"],
  ["S", "Snooze"],
  ["N", "Write a note"],
  ["I", "Assign"],
  ["E", "Why did it fire?"],
  ["U", "Undo the last step"],
];

/** Binds the keys while the component is there. */
export function useTriage(list: TriageList): {
  readonly asked: Asked | null;
  readonly ask: Ask;
  readonly close: () => void;
} {
  const [asked, setAsked] = useState<Asked | null>(null);
  const ask: Ask = (question, anomaly) => setAsked({ question, anomaly });
  /** Where the selection stood: once its card has gone, the keys go on from there. */
  const stood = useRef(-1);
  const keys = useRef<(key: string) => boolean>(() => false);
  keys.current = (key) => {
    const { store, anomalies, select } = list;
    const at = anomalies.findIndex(({ id }) => id === store.anomaly.value);
    const listed = anomalies[at];
    const chosen = listed === undefined ? undefined : store.anomalies.get(listed.id) ?? listed;
    if (at >= 0) stood.current = at;
    const go = (to: number) => {
      const place = Math.min(anomalies.length - 1, Math.max(0, to));
      const next = anomalies[place];
      if (next === undefined) return;
      stood.current = place;
      select(next);
    };
    switch (key) {
      case "j":
        go(at < 0 ? stood.current : at + 1);
        return true;
      case "k":
        go((at < 0 ? stood.current : at) - 1);
        return true;
      case "u":
      case "z":
        store.triage.undoLast();
        return true;
    }
    if (chosen === undefined) return false;
    switch (key) {
      case "a":
        if (chosen.state !== "open") return true;
        go(at + 1 < anomalies.length ? at + 1 : at - 1);
        store.triage.take(chosen, { kind: "ack", acknowledged: true });
        return true;
      case "s":
        if (chosen.state !== "cleared") ask("snooze", chosen);
        return true;
      case "i":
        if (chosen.state !== "cleared") ask("assign", chosen);
        return true;
      case "n":
        ask("note", chosen);
        return true;
      case "e":
        ask("why", chosen);
        return true;
    }
    return false;
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // The letter would otherwise be the first that is typed into the dialog's field.
      if (isPlainKey(event) && keys.current(event.key.toLowerCase())) event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return { asked, ask, close: () => setAsked(null) };
}

/** Brings the card of an anomaly into sight. */
export function revealCard(id: string): void {
  document.getElementById(`a-${id}`)?.scrollIntoView({ block: "nearest" });
}
