/** When what the projections learned goes to disk: little by little, and in steps that fit. */
import type { AnomalyProjection } from "./anomaly_projection.ts";
import type { SeriesBuffer } from "./series_buffer.ts";
import type { ChunkNames, Retention, Store } from "./store.ts";

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
      this.#step(true, false);
      this.#pruned += this.#options.store.prune(this.#options.retention, now());
    } else if (buffer.closed > 0) {
      this.#step(false, false);
    }
  }

  /** Writes so much that the queues stay bounded; call between batches. */
  async keepUp(): Promise<void> {
    const { anomalies, buffer } = this.#options;
    if (anomalies.changes > WAITING_ANOMALIES_MAX) this.#step(true, false);
    while (buffer.closed > WAITING_CHUNKS_MAX) {
      this.#step(false, false);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** Writes the anomalies' changes, so that the table holds all of them. */
  settle(): void {
    if (this.#options.anomalies.changes > 0) this.#step(true, false);
  }

  /** Writes what a person did, and returns once it would survive a loss of power. */
  settleDurably(): void {
    this.#step(true, true);
  }

  /** Writes everything, unfinished minutes too; before the end. */
  finish(): void {
    const { buffer, now } = this.#options;
    buffer.close(now(), true);
    while (buffer.closed > 0) this.#step(false, false);
    this.#step(true, false);
  }

  /** Gauges and counters by metric name. */
  metrics(): Record<string, number> {
    const { buffer, store } = this.#options;
    return {
      store_steps_total: this.#steps,
      store_pruned_total: this.#pruned,
      store_bytes: store.bytes(),
      history_chunks_waiting: buffer.closed,
      history_samples_overfull_total: buffer.overfull,
    };
  }

  #step(withPositions: boolean, flushed: boolean): void {
    const { anomalies, buffer, names, store } = this.#options;
    const count = Math.max(STEP_CHUNKS, Math.ceil(buffer.closed * STEP_PART));
    const chunks = buffer.take(flushed ? 0 : count);
    const positions = new Map<string, Map<number, number>>();
    if (withPositions) {
      const telemetry = new Map(this.telemetryNext);
      buffer.holdBack(telemetry);
      positions.set(this.#options.telemetry, telemetry);
      positions.set(this.#options.transitions, this.transitionsNext);
    }
    const changes = withPositions ? anomalies.takeChanges() : { records: [], fired: new Map() };
    store.write(
      { anomalies: changes.records, fired: changes.fired, chunks, positions, flushed },
      names,
    );
    for (const chunk of chunks) buffer.release(chunk);
    this.#steps++;
  }
}
