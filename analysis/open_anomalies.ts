/** Anomalies that stand open by a series of transitions, and what ends or begins them otherwise. */
import type { Bus, OutgoingRecord } from "../bus/port.ts";
import { type ClearReason, decodeTransition, type Transition } from "../contract/anomaly.ts";

/** Folds transitions; holds the last one of each anomaly that is not cleared. */
export class OpenAnomalies {
  readonly #last = new Map<string, Transition>();
  /** Records that were no transitions. */
  foreign = 0;

  /** @param isEvent whether it is a point event: those never clear, so they do not count */
  constructor(readonly isEvent: (transition: Transition) => boolean) {}

  /** Takes the value of a record of the anomalies topic. */
  take(value: Uint8Array): void {
    let transition: Transition;
    try {
      transition = decodeTransition(value);
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
      // Not JSON, not UTF-8, or not a transition: somebody else wrote it.
      this.foreign++;
      return;
    }
    if (transition.kind === "cleared") this.#last.delete(transition.id);
    else if (!this.isEvent(transition)) this.#last.set(transition.id, transition);
  }

  /** Whether an anomaly stands open. */
  has(id: string): boolean {
    return this.#last.has(id);
  }

  /** The last transition of each, in the order in which they opened. */
  values(): Iterable<Transition> {
    return this.#last.values();
  }
}

/** Takes all that a partition of the anomalies topic holds; `turn` is called after each batch. */
export async function openOnTopic(
  bus: Bus,
  topic: string,
  partition: number,
  into: OpenAnomalies,
  turn: () => Promise<void>,
): Promise<void> {
  const bounds = (await bus.bounds(topic))[partition];
  if (!bounds) return;
  for await (const batch of bus.range(topic, partition, bounds.start, bounds.end)) {
    for (let i = 0; i < batch.count; i++) {
      into.take(batch.values.subarray(i === 0 ? 0 : batch.valueEnds[i - 1], batch.valueEnds[i]));
    }
    await turn();
  }
}

/**
 * The transition that clears an open anomaly for a reason outside of its rule.
 *
 * @param append partition clock at that moment, epoch milliseconds
 */
export function clearedBy(
  reason: ClearReason,
  last: Transition,
  version: string,
  append: number,
): Transition {
  return {
    id: last.id,
    kind: "cleared",
    reason,
    rule: last.rule,
    version,
    vehicle: last.vehicle,
    severity: last.severity,
    onset: last.onset,
    at: last.at,
    append: Math.max(append, last.append),
    count: last.count,
    message: last.message,
    terms: last.terms,
    source: last.source,
  };
}

/** The transition by which an anomaly opens as it stands after `last`. */
export function openedAnew(last: Transition): Transition {
  return { ...last, kind: "opened" };
}

/** A transition as a record, on the partition that it was computed from. */
export function transitionRecord(transition: Transition, partition: number): OutgoingRecord {
  const text = new TextEncoder();
  return {
    key: text.encode(transition.vehicle),
    value: text.encode(JSON.stringify(transition)),
    partition,
  };
}
