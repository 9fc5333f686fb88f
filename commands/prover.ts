/** Explanations for requests: one at a time, bounded, among work that must not wait for them. */
import { explain, EXPLAIN_BOUNDS_REQUEST, type ExplainDependencies } from "../analysis/explain.ts";
import { findAnomaly } from "../analysis/find_anomaly.ts";
import type { EventSink } from "../contract/events.ts";
import type { Proof } from "../contract/explanation.ts";
import { turns } from "./turns.ts";

/** Requests that wait for their turn at most; others get none. */
const WAITING_MAX = 8;
/** Work goes on this long before others get their turn, milliseconds: frames go out meanwhile. */
const TURN_MS = 8;

/** What proving needs beside what explaining needs. */
export interface ProverDependencies
  extends Pick<ExplainDependencies, "bus" | "topic" | "rules" | "createEngine"> {
  /** Topic of the anomalies. */
  readonly anomalies: string;
  readonly events: EventSink;
  /** Ends what is being proven. */
  readonly signal: AbortSignal;
}

/**
 * Makes the function that explains an anomaly by its id.
 *
 * It answers null if its transitions are gone, too many wait, or the bus fails: an anomaly is shown
 * without its proof then.
 */
export function createProver(
  deps: ProverDependencies,
): (id: string, partition: number) => Promise<Proof | null> {
  const { bus, anomalies, events, signal } = deps;
  const breathe = turns(TURN_MS);
  const turn = () => {
    signal.throwIfAborted();
    return breathe();
  };
  const explaining: ExplainDependencies = {
    ...deps,
    ...{ bounds: EXPLAIN_BOUNDS_REQUEST, clock: () => performance.now(), turn },
  };
  const prove = async (id: string, partition: number): Promise<Proof | null> => {
    try {
      const found = await findAnomaly(bus, anomalies, id, turn, partition);
      return found.kind === "found" ? await explain(found.transitions, explaining) : null;
    } catch (error) {
      if (signal.aborted) return null;
      const message = error instanceof Error ? error.message : String(error);
      events({ level: "warn", name: "explain.failed", message: `anomaly ${id}: ${message}` });
      return null;
    }
  };
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  return async (id, partition) => {
    if (waiting >= WAITING_MAX) return null;
    waiting++;
    const mine = last.then(() => prove(id, partition));
    last = mine;
    try {
      return await mine;
    } finally {
      waiting--;
    }
  };
}
