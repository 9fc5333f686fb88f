/** Anomalies that are not cleared, as signals for the queue and the counts. */
import { type Signal, signal } from "@preact/signals";
import { SEVERITIES, type Severity } from "../contract/anomaly.ts";
import type { AnomalyEvent } from "../contract/stream.ts";
import type { AnomalyPage, AnomalyState, AnomalyView } from "../contract/views.ts";
import { severityLevel } from "./severity.ts";
import { isBefore, positionOf, type StreamPosition } from "./stream_position.ts";

/** Anomalies held at most; beyond it the counts go on, from what the server says. */
export const HELD_MAX = 2000;

/** Open anomalies by severity. */
export type SeverityCounts = Readonly<Record<Severity, number>>;

/** What the server holds, and where in the stream that was true; "" if it does not say. */
export interface AnomalySnapshot extends AnomalyPage {
  readonly position: string;
}

/** Holds what is not cleared, each once, however often the stream repeats itself. */
export class AnomalyStore {
  /** Not cleared ones: worst first, then newest first. Moves with `publish` only. */
  readonly list: Signal<readonly AnomalyView[]>;
  /** Open ones (neither cleared nor snoozed) over the fleet. Moves with `publish` only. */
  readonly open: Signal<SeverityCounts>;
  /** Where in the stream `list` and `open` are true, as `epoch-number`; "" before the first word. */
  readonly position: Signal<string> = signal("");
  readonly #held = new Map<string, AnomalyView>();
  /** Open ones that the server knows of and this store does not hold. */
  #beyond: Record<Severity, number> = { info: 0, warning: 0, critical: 0 };
  #changed = false;
  #at: StreamPosition | null = null;
  /** Events heard since a snapshot was asked for; null while none is on its way. */
  #heard: { readonly event: AnomalyEvent; readonly id: string }[] | null = null;

  constructor(page: AnomalyPage) {
    this.list = signal<readonly AnomalyView[]>([]);
    this.open = signal<SeverityCounts>(page.open);
    this.replace({ ...page, position: "" });
    this.publish();
  }

  /** The anomaly of that id, as last heard; undefined if it is cleared or not known. */
  get(id: string): AnomalyView | undefined {
    return this.#held.get(id);
  }

  /** A snapshot has been asked for: what is heard until it comes may be newer than it is. */
  expect(): void {
    this.#heard = [];
  }

  /** No snapshot will come. */
  expectNone(): void {
    this.#heard = null;
  }

  /** Takes what the server held in place of what was known, and what was heard since on top. */
  replace(page: AnomalySnapshot): void {
    const heard = this.#heard ?? [];
    this.#heard = null;
    this.#held.clear();
    for (const anomaly of page.anomalies) this.#hold(anomaly);
    const held = this.#count();
    for (const severity of SEVERITIES) {
      this.#beyond[severity] = Math.max(0, page.open[severity] - held[severity]);
    }
    this.#at = positionOf(page.position);
    this.#changed = true;
    for (const { event, id } of heard) this.apply(event, id);
  }

  /**
   * Takes one event; returns whether it opened an anomaly that was not known as open.
   *
   * @param id its place in the stream; "" for one that is to be taken whatever is known
   */
  apply(event: AnomalyEvent, id = ""): boolean {
    this.#heard?.push({ event, id });
    const at = positionOf(id);
    if (at !== null && this.#at !== null && !isBefore(this.#at, at)) return false;
    this.#at = at ?? this.#at;
    this.#changed = true;
    const { anomaly } = event;
    const before = this.#held.get(anomaly.id);
    if (before !== undefined && before.at > anomaly.at) return false;
    // It was counted without being held: one that only now opens was not.
    const opens = event.kind === "opened" || event.kind === "reopened";
    if (before === undefined && !opens && this.#beyond[anomaly.severity] > 0) {
      this.#beyond[anomaly.severity]--;
    }
    this.#held.delete(anomaly.id);
    this.#hold(anomaly);
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
    this.position.value = this.#at === null ? "" : `${this.#at.epoch}-${this.#at.number}`;
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
