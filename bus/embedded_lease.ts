/** A lease of the embedded bus: reads one partition and commits steps under its claim. */
import type { BusParts } from "./embedded_parts.ts";
import { nextTurn } from "./embedded_changes.ts";
import type { Claim, GroupTable } from "./embedded_group.ts";
import { toRows } from "./embedded_outgoing.ts";
import type { StoredTopic } from "./embedded_store.ts";
import {
  type Batch,
  FencedError,
  type Lease,
  type LeaseOptions,
  OffsetGoneError,
  type Outgoing,
  progressKey,
  type Step,
} from "./port.ts";

const BYTES_IN_FLIGHT = 8 << 20;
const IDLE_MS = 100;
const encoder = new TextEncoder();

/** The right of one member to one partition, as long as its claim stands in the table. */
export class EmbeddedLease implements Lease {
  readonly topic: string;
  readonly partition: number;
  readonly lost: AbortSignal;
  /** Steps carried out. */
  steps = 0;
  /** Whether it ended with a step that the file refused. */
  failed = false;
  readonly #lost = new AbortController();
  readonly #stored: StoredTopic;
  readonly #progressKey: Uint8Array;

  constructor(
    readonly parts: BusParts,
    readonly options: LeaseOptions,
    readonly table: GroupTable,
    readonly claim: Claim,
  ) {
    this.topic = options.topic;
    this.partition = claim.partition;
    this.lost = this.#lost.signal;
    this.#stored = parts.store.topic(options.topic);
    this.#progressKey = encoder.encode(progressKey(options.group, options.topic));
  }

  /** Ends the lease here; what the table says is another matter. */
  lose(why: string): void {
    this.#lost.abort(new FencedError(`The lease of ${this.#name()} has ended: ${why}`));
  }

  progress(): Promise<Uint8Array | null> {
    return this.#attempt("read progress", () => this.table.progress(this.partition));
  }

  bounds(): Promise<{ start: number; end: number }> {
    return this.#attempt("read bounds", () => {
      const { start, next } = this.parts.store.part(this.#stored.firstPart + this.partition);
      return { start, end: next };
    });
  }

  async *read(offset: number): AsyncGenerator<Batch | null> {
    const { store, changes, closing, reads } = this.parts;
    const bytesMax = reads.bytesMax(this.options.bytesInFlight ?? BYTES_IN_FLIGHT);
    const idleMs = this.options.idleMs ?? IDLE_MS;
    let at = offset;
    let yieldedAt = performance.now();
    while (!this.lost.aborted && !closing.aborted) {
      const { batch, nextOffset, start } = store.read(
        this.#stored,
        this.partition,
        at,
        Infinity,
        bytesMax,
      );
      // A batch that was read whole counts, though retention may have dropped it by now.
      if (at < start && batch?.offsets[0] !== at) throw this.#gone(at, start);
      at = nextOffset;
      if (batch === null) {
        const left = idleMs - (performance.now() - yieldedAt);
        if (left > 0) await changes.wait(left, this.lost);
        else {
          yield null;
          yieldedAt = performance.now();
        }
        continue;
      }
      reads.count(batch);
      await nextTurn();
      if (this.lost.aborted || closing.aborted) return;
      yield batch;
      yieldedAt = performance.now();
    }
  }

  async commit(step: Step): Promise<void> {
    if (this.lost.aborted) throw this.#fenced();
    const { store, writer } = this.parts;
    const progress = step.progress.slice();
    const record: Outgoing = {
      topic: this.options.progressTopic,
      records: [{ key: this.#progressKey, value: progress, partition: this.partition }],
    };
    const rows = toRows([...step.outputs, record], (name) => store.topic(name));
    const bytes = rows.reduce((sum, { blob }) => sum + blob.length, 0);
    try {
      await writer.run({ action: `commit a step of ${this.#name()}`, bytes }, () => {
        if (!this.table.step(this.claim, step.nextOffset, progress)) throw this.#fenced();
        const now = this.parts.now();
        for (const row of rows) store.append(row, now);
      });
    } catch (error) {
      if (error instanceof FencedError) {
        this.parts.writes.fenced++;
        this.lose("the partition is another member's");
      } else {
        // As on Kafka: who has the partition next, this member too, goes on from the last step.
        this.parts.writes.failed++;
        this.failed = true;
        this.lose(error instanceof Error ? error.message : String(error));
      }
      throw error;
    }
    this.parts.writes.count(rows);
    this.parts.writes.steps++;
    this.steps++;
  }

  async release(): Promise<void> {
    if (this.lost.aborted) return;
    this.lose("it was given back");
    await this.parts.writer.run(
      { action: `give back ${this.#name()}`, durable: false },
      () => this.table.release(this.claim),
    );
  }

  #attempt<T>(action: string, run: () => T): Promise<T> {
    return new Promise((resolve) => resolve(this.parts.store.attempt(action, run)));
  }

  #name(): string {
    return `${this.topic}/${this.partition} for ${this.options.group}`;
  }

  #fenced(): FencedError {
    return new FencedError(
      `Cannot commit a step of ${this.#name()}: the partition is another member's by now`,
    );
  }

  #gone(offset: number, start: number): OffsetGoneError {
    return new OffsetGoneError(
      `Cannot read ${this.#name()} from offset ${offset}: the oldest kept is ${start}`,
      start,
    );
  }
}
