/** When what the projections learned goes to disk: little by little, and in steps that fit. */
import type { AnomalyProjection } from "./anomaly_projection.ts";
import type { SeriesBuffer } from "./series_buffer.ts";
import type { EventSink } from "../contract/events.ts";
import { HttpFault } from "./problem.ts";
import type { Chunk } from "./series_buffer.ts";
import { type ChunkNames, isNoRoom, type Retention, type Store, type StoreStep } from "./store.ts";

/** Chunks stored per step at least: about 10 ms. */
const STEP_CHUNKS = 50;
/** Of more that wait, this part is stored: all within some 10 s, and no step holds pages up. */
const STEP_PART = 1 / 40;
/** Chunks waiting beyond which the feed waits for the store. */
const WAITING_CHUNKS_MAX = 12_000;
/** Anomalies and positions are stored this often, milliseconds. */
const STEP_MS = 1_000;
/** Anomalies waiting beyond which they are stored at once. */
const WAITING_ANOMALIES_MAX = 2_000;

/** Pause of the feed between two tries of a step for which the disk has no room. */
const NO_ROOM_MS = 250;
/** Time between two events about that. */
const NO_ROOM_EVENT_MS = 10_000;

/** A step, and the chunks to be given back once it is carried out. */
interface Waiting {
  readonly step: StoreStep;
  readonly chunks: readonly Chunk[];
}

/** How it is made. */
export interface PersistenceOptions {
  readonly store: Store;
  readonly buffer: SeriesBuffer;
  readonly anomalies: AnomalyProjection;
  readonly names: ChunkNames;
  readonly retention: Retention;
  readonly telemetry: string;
  readonly transitions: string;
  readonly now: () => number;
  readonly events: EventSink;
}

/** Writes the projections' changes to the store. */
export class Persistence {
  /** Offset behind the last record applied, by partition. */
  readonly telemetryNext = new Map<number, number>();
  readonly transitionsNext = new Map<number, number>();
  readonly #options: PersistenceOptions;
  #steps = 0;
  #pruned = 0;
  #steppedAt = 0;
  /** The step for which there was no room; nothing is stored before it. */
  #waiting: Waiting | null = null;
  #failed = 0;
  #toldAt = -Infinity;

  constructor(options: PersistenceOptions) {
    this.#options = options;
  }

  /** Writes what is due; call four times a second. */
  tick(): void {
    const { buffer, now } = this.#options;
    const due = now() - this.#steppedAt >= STEP_MS || now() < this.#steppedAt;
    if (due) {
      this.#steppedAt = now();
      buffer.close(now());
      if (this.#step(true, false)) this.#prune();
    } else if (buffer.closed > 0) {
      this.#step(false, false);
    }
  }

  /**
   * Writes so much that the queues stay bounded; call between batches. Waits for room on the disk
   * once they are full, so that the feed waits too.
   */
  async keepUp(signal: AbortSignal): Promise<void> {
    const { anomalies, buffer } = this.#options;
    const crowded = () => anomalies.changes > WAITING_ANOMALIES_MAX;
    while ((crowded() || buffer.closed > WAITING_CHUNKS_MAX) && !signal.aborted) {
      const stored = this.#step(crowded(), false);
      await new Promise((resolve) => setTimeout(resolve, stored ? 0 : NO_ROOM_MS));
    }
  }

  /** Writes the anomalies' changes, so that the table holds all of them. */
  settle(): void {
    if (this.#options.anomalies.changes > 0) this.#step(true, false);
  }

  /** Writes what a person did, and returns once it would survive a loss of power. @throws {HttpFault} 503 */
  settleDurably(): void {
    if (this.#step(true, true)) return;
    throw new HttpFault(503, "It is not stored yet: the disk has no room", { "retry-after": "10" });
  }

  /** Writes everything, unfinished minutes too; before the end. */
  finish(): void {
    const { buffer, now } = this.#options;
    buffer.close(now(), true);
    // What finds no room is read from the topics again at the next start.
    while (buffer.closed > 0 && this.#step(false, false));
    this.#step(true, false);
  }

  /** Gauges and counters by metric name. */
  metrics(): Record<string, number> {
    const { buffer, store } = this.#options;
    return {
      store_steps_total: this.#steps,
      store_failed_steps_total: this.#failed,
      store_pruned_total: this.#pruned,
      store_bytes: store.bytes(),
      history_chunks_waiting: buffer.closed,
      history_samples_overfull_total: buffer.overfull,
    };
  }

  /** @returns whether all that was taken is stored */
  #step(withPositions: boolean, flushed: boolean): boolean {
    if (this.#waiting !== null && !this.#write(this.#waiting)) return false;
    const { anomalies, buffer } = this.#options;
    const count = Math.max(STEP_CHUNKS, Math.ceil(buffer.closed * STEP_PART));
    const chunks = buffer.take(flushed ? 0 : count);
    const positions = new Map<string, Map<number, number>>();
    if (withPositions) {
      const telemetry = new Map(this.telemetryNext);
      buffer.holdBack(telemetry);
      positions.set(this.#options.telemetry, telemetry);
      // A copy: the step may have to wait.
      positions.set(this.#options.transitions, new Map(this.transitionsNext));
    }
    const changes = withPositions ? anomalies.takeChanges() : { records: [], fired: new Map() };
    const { records, fired } = changes;
    return this.#write({ step: { anomalies: records, fired, chunks, positions, flushed }, chunks });
  }

  #write(waiting: Waiting): boolean {
    const { buffer, names, store } = this.#options;
    try {
      store.write(waiting.step, names);
    } catch (error) {
      if (!isNoRoom(error)) throw error;
      this.#waiting = waiting;
      this.#failed++;
      this.#tell(error);
      return false;
    }
    this.#waiting = null;
    for (const chunk of waiting.chunks) buffer.release(chunk);
    this.#steps++;
    return true;
  }

  #prune(): void {
    const { store, retention, now } = this.#options;
    try {
      this.#pruned += store.prune(retention, now());
    } catch (error) {
      // Deleting takes room too, for a while.
      if (!isNoRoom(error)) throw error;
      this.#tell(error);
    }
  }

  #tell(error: unknown): void {
    const { now, events } = this.#options;
    if (Math.abs(now() - this.#toldAt) < NO_ROOM_EVENT_MS) return;
    this.#toldAt = now();
    events({
      level: "error",
      name: "server.no_room",
      message: `Cannot store history: ${error instanceof Error ? error.message : String(error)}; ` +
        "make room on the disk, it is tried again",
    });
  }
}
