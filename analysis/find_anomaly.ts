/** Finds an anomaly's transitions on the anomalies topic by its id, newest first. */
import type { Batch, Bus } from "../bus/port.ts";
import { decodeTransition, type Transition } from "../contract/anomaly.ts";
import { includesBytes } from "./explain_cut.ts";

/** Records read at a time, going back. */
const STEP_RECORDS = 5_000;

/** What an id, or the beginning of one, leads to. */
export type FoundAnomaly =
  /** Its transitions, oldest first, as far as they are kept. */
  | { readonly kind: "found"; readonly transitions: readonly Transition[] }
  | { readonly kind: "none"; readonly searched: number }
  /** The beginning fits several. */
  | { readonly kind: "ambiguous"; readonly ids: readonly string[] };

/**
 * Looks for an anomaly.
 *
 * @param begin the id, or its first digits; with all 16 the search ends at the opening
 * @param only the partition to look in; all of them by default
 */
export async function findAnomaly(
  bus: Bus,
  topic: string,
  begin: string,
  turn: () => Promise<void>,
  only?: number,
): Promise<FoundAnomaly> {
  const needle = new TextEncoder().encode(`"id":"${begin}`);
  const found = new Map<string, Transition[]>();
  let searched = 0;
  for (const [partition, { start, end }] of (await bus.bounds(topic)).entries()) {
    if (only !== undefined && partition !== only) continue;
    for (let to = end; to > start;) {
      const from = Math.max(start, to - STEP_RECORDS);
      const step: Transition[] = [];
      for await (const batch of bus.range(topic, partition, from, to)) {
        searched += batch.count;
        for (const transition of matching(batch, needle, begin)) step.push(transition);
        await turn();
      }
      for (const transition of step.reverse()) {
        const known = found.get(transition.id);
        if (known) known.push(transition);
        else found.set(transition.id, [transition]);
      }
      const whole = begin.length === 16 ? found.get(begin) : undefined;
      if (whole?.at(-1)?.kind === "opened") return { kind: "found", transitions: whole.reverse() };
      to = from;
    }
  }
  const ids = [...found.keys()];
  const [first] = found.values();
  if (first === undefined) return { kind: "none", searched };
  if (ids.length > 1) return { kind: "ambiguous", ids };
  return { kind: "found", transitions: [...first].reverse() };
}

function* matching(batch: Batch, needle: Uint8Array, begin: string): Generator<Transition> {
  for (let i = 0; i < batch.count; i++) {
    const value = batch.values.subarray(i === 0 ? 0 : batch.valueEnds[i - 1], batch.valueEnds[i]);
    if (!includesBytes(value, needle)) continue;
    let transition: Transition;
    try {
      transition = decodeTransition(value);
    } catch (error) {
      // Somebody else wrote it: it is no anomaly of ours.
      if (error instanceof SyntaxError || error instanceof TypeError) continue;
      throw error;
    }
    if (transition.id.startsWith(begin)) yield transition;
  }
}
