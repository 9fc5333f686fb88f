/** What a change of rules does to anomalies that the version before had open. */
import type { Bus, OutgoingRecord } from "../bus/port.ts";
import { decodeTransition, type Transition } from "../contract/anomaly.ts";

/**
 * Reads which anomalies of a partition stand open on the anomalies topic.
 *
 * Point events (rules with `once`) never clear and are named by `once`, so that they do not count.
 *
 * @param once ids of rules that are point events
 * @returns the last transition of each, in the order in which they opened
 */
export async function openOnTopic(
  bus: Bus,
  topic: string,
  partition: number,
  once: ReadonlySet<string>,
): Promise<Transition[]> {
  const open = new Map<string, Transition>();
  const bounds = (await bus.bounds(topic))[partition];
  if (!bounds) return [];
  for await (const batch of bus.range(topic, partition, bounds.start, bounds.end)) {
    for (let i = 0; i < batch.count; i++) {
      const from = i === 0 ? 0 : batch.valueEnds[i - 1];
      const transition = decodeTransition(batch.values.subarray(from, batch.valueEnds[i]));
      if (transition.kind === "cleared") open.delete(transition.id);
      else if (!once.has(transition.rule)) open.set(transition.id, transition);
    }
  }
  return [...open.values()];
}

/**
 * The transition that clears an open anomaly because the rules changed.
 *
 * @param append partition clock at the change, epoch milliseconds
 */
export function clearedByChange(last: Transition, version: string, append: number): Transition {
  return {
    id: last.id,
    kind: "cleared",
    reason: "rule changed",
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

/** A transition as a record, on the partition that it was computed from. */
export function transitionRecord(transition: Transition, partition: number): OutgoingRecord {
  const text = new TextEncoder();
  return {
    key: text.encode(transition.vehicle),
    value: text.encode(JSON.stringify(transition)),
    partition,
  };
}
