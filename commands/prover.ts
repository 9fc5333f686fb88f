/** Explanations for requests: one at a time, bounded, among work that must not wait for them. */
import { explain, EXPLAIN_BOUNDS_REQUEST, type ExplainDependencies } from "../analysis/explain.ts";
import { findAnomaly } from "../analysis/find_anomaly.ts";
import type { EventSink } from "../contract/events.ts";
import type { Proof } from "../contract/explanation.ts";
import { turns } from "./turns.ts";

/** Requests that wait for their turn at most; others get none. */
const WAITING_MAX = 8;
/** Proofs kept for who asks again, and how long, milliseconds: retention takes the log away. */
const KEPT_MAX = 64;
const KEPT_MS = 600_000;
/** Longer than what is read of the log behind an anomaly's end, milliseconds. */
const SETTLED_MS = 120_000;
/** Work goes on this long before others get their turn, milliseconds: frames go out meanwhile. */
const TURN_MS = 8;

/** What proving needs beside what explaining needs. */
export interface ProverDependencies
  extends Pick<ExplainDependencies, "bus" | "topic" | "rules" | "createEngine"> {
  /** Topic of the anomalies. */
  readonly anomalies: string;
  readonly events: EventSink;
  /** Epoch milliseconds, as the log's append times are. */
  readonly now: () => number;
  /** Ends what is being proven. */
  readonly signal: AbortSignal;
}

/** What explains anomalies to callers. */
export interface Prover {
  /**
   * Explains an anomaly by its id; null if its transitions are gone, too many wait, or the bus
   * fails: it is shown without its proof then.
   */
  prove(id: string, partition: number): Promise<Proof | null>;
  /** Gauges and counters by metric name. */
  metrics(): Readonly<Record<string, number>>;
}

/** Proofs that will not change any more, the one asked for longest ago first. */
class KeptProofs {
  readonly #kept = new Map<string, { readonly proof: Proof; readonly until: number }>();
  hits = 0;

  get size(): number {
    return this.#kept.size;
  }

  get(id: string, now: number): Proof | null {
    const found = this.#kept.get(id);
    this.#kept.delete(id);
    if (found === undefined || found.until < now) return null;
    this.#kept.set(id, found);
    this.hits++;
    return found.proof;
  }

  /** Keeps a proof if what it was made of is over. */
  offer(id: string, proof: Proof, now: number): void {
    const { reproduced, rule, until, opening, log } = proof;
    if (!reproduced || rule?.of !== "its own" || until === null || log?.cut !== "") return;
    const over = opening.clearedAt !== null || rule.once;
    // Nothing that comes from now on lies within what was read.
    if (!over || now - (log.toMs ?? now) < SETTLED_MS) return;
    this.#kept.set(id, { proof, until: now + KEPT_MS });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_MAX) break;
      this.#kept.delete(oldest);
    }
  }
}

/** Makes a prover. */
export function createProver(deps: ProverDependencies): Prover {
  const { bus, anomalies, events, signal, now } = deps;
  const kept = new KeptProofs();
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
      const known = kept.get(id, now());
      if (known !== null) return known;
      const found = await findAnomaly(bus, anomalies, id, turn, partition);
      if (found.kind !== "found") return null;
      const proof = await explain(found.transitions, explaining);
      kept.offer(id, proof, now());
      return proof;
    } catch (error) {
      if (signal.aborted) return null;
      const message = error instanceof Error ? error.message : String(error);
      events({ level: "warn", name: "explain.failed", message: `anomaly ${id}: ${message}` });
      return null;
    }
  };
  let [waiting, refused, asked] = [0, 0, 0];
  let last: Promise<unknown> = Promise.resolve();
  return {
    async prove(id, partition) {
      asked++;
      if (waiting >= WAITING_MAX) {
        refused++;
        return null;
      }
      waiting++;
      const mine = last.then(() => prove(id, partition));
      last = mine;
      try {
        return await mine;
      } finally {
        waiting--;
      }
    },
    metrics: () => ({
      proofs_total: asked,
      proofs_waiting: waiting,
      proofs_refused_total: refused,
      proofs_kept: kept.size,
      proofs_kept_hits_total: kept.hits,
    }),
  };
}
