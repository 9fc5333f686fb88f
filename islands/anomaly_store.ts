/** Anomalies that are not cleared, as signals for the queue and the counts. */
import { type Signal, signal } from "@preact/signals";
import { SEVERITIES, type Severity } from "../contract/anomaly.ts";
import type { AnomalyEvent } from "../contract/stream.ts";
import type { AnomalyPage, AnomalyState, AnomalyView } from "../contract/views.ts";
import { severityLevel } from "./severity.ts";

/** Anomalies held at most; beyond it the counts go on, from what the server says. */
export const HELD_MAX = 2000;

/** Open anomalies by severity. */
export type SeverityCounts = Readonly<Record<Severity, number>>;

/** Holds what is not cleared, each once, however often the stream repeats itself. */
export class AnomalyStore {
  /** Not cleared ones: worst first, then newest first. Moves with `publish` only. */
  readonly list: Signal<readonly AnomalyView[]>;
  /** Open ones (neither cleared nor snoozed) over the fleet. Moves with `publish` only. */
  readonly open: Signal<SeverityCounts>;
  readonly #held = new Map<string, AnomalyView>();
  /** Open ones that the server knows of and this store does not hold. */
  #beyond: Record<Severity, number> = { info: 0, warning: 0, critical: 0 };
  #changed = false;

  constructor(page: AnomalyPage) {
    this.list = signal<readonly AnomalyView[]>([]);
    this.open = signal<SeverityCounts>(page.open);
    this.replace(page);
    this.publish();
  }

  /** The anomaly of that id, as last heard; undefined if it is cleared or not known. */
  get(id: string): AnomalyView | undefined {
    return this.#held.get(id);
  }

  /** Takes what the server holds in place of what was known. */
  replace(page: AnomalyPage): void {
    this.#held.clear();
    for (const anomaly of page.anomalies) this.#hold(anomaly);
    const held = this.#count();
    for (const severity of SEVERITIES) {
      this.#beyond[severity] = Math.max(0, page.open[severity] - held[severity]);
    }
    this.#changed = true;
  }

  /** Takes one event; returns whether it opened an anomaly that was not known as open. */
  apply(event: AnomalyEvent): boolean {
    const { anomaly } = event;
    const before = this.#held.get(anomaly.id);
    if (before !== undefined && before.at > anomaly.at) return false;
    if (before === undefined && event.kind === "cleared" && this.#beyond[anomaly.severity] > 0) {
      this.#beyond[anomaly.severity]--;
    }
    this.#held.delete(anomaly.id);
    this.#hold(anomaly);
    this.#changed = true;
    return before === undefined && anomaly.state === "open";
  }

  /** Shows a state at once, before the server has confirmed it; returns what it was. */
  assume(id: string, state: AnomalyState): AnomalyState | null {
    const held = this.#held.get(id);
    if (held === undefined) return null;
    this.#held.set(id, { ...held, state });
    this.#changed = true;
    this.publish();
    return held.state;
  }

  /** Moves the signals to what is known. */
  publish(): void {
    if (!this.#changed) return;
    this.#changed = false;
    this.list.value = [...this.#held.values()].sort(worstFirst);
    const held = this.#count();
    this.open.value = {
      info: held.info + this.#beyond.info,
      warning: held.warning + this.#beyond.warning,
      critical: held.critical + this.#beyond.critical,
    };
  }

  #hold(anomaly: AnomalyView): void {
    if (anomaly.state === "cleared") return;
    if (this.#held.size >= HELD_MAX) {
      this.#beyond[anomaly.severity]++;
      return;
    }
    this.#held.set(anomaly.id, anomaly);
  }

  #count(): Record<Severity, number> {
    const counts = { info: 0, warning: 0, critical: 0 };
    for (const { severity, state } of this.#held.values()) {
      if (state !== "snoozed") counts[severity]++;
    }
    return counts;
  }
}

/** Order of the queue: worst first, then newest first, then by id. */
export function worstFirst(a: AnomalyView, b: AnomalyView): number {
  return severityLevel(b.severity) - severityLevel(a.severity) || b.openedAt - a.openedAt ||
    (a.id < b.id ? -1 : 1);
}
