/**
 * The embedded bus: topics in one SQLite file, shared by threads and processes of one machine.
 *
 * One row holds the records of one publish and partition. A step is one transaction. Each thread
 * opens the file for itself; nobody serves it.
 */
import { Changes, nextTurn } from "./embedded_changes.ts";
import { Membership } from "./embedded_membership.ts";
import { toRows } from "./embedded_outgoing.ts";
import { type BusParts, ReadCounters, WriteCounters } from "./embedded_parts.ts";
import { Retention, type RetentionResult } from "./embedded_retention.ts";
import { BUS_FILE, openDatabase } from "./embedded_schema.ts";
import { Store, type StoredTopic } from "./embedded_store.ts";
import { Writer } from "./embedded_writer.ts";
import {
  type Batch,
  type Bus,
  type BusDependencies,
  BusError,
  type Lease,
  type LeaseOptions,
  type Outgoing,
  type TailOptions,
  type TopicSpec,
} from "./port.ts";

export type { RetentionResult } from "./embedded_retention.ts";

/** Where the bus lies and how it is kept. */
export interface EmbeddedBusOptions {
  /** Folder of the file `bus.sqlite`; made if it is missing. */
  readonly dir: string;
  /** "always": what is committed survives power loss; "interval": it survives the process only. */
  readonly fsync: "always" | "interval";
  /** Longest pause between two looks for what others wrote, milliseconds; default 20. */
  readonly pollMs?: number;
  /**
   * Silence after which the partitions of a member that hangs go to the others, milliseconds; default
   * 3,000. Those of one whose process or thread has ended go at once.
   */
  readonly expiryMs?: number;
  /**
   * Period of retention, milliseconds; default 10,000. All who share the folder take turns. 0: only
   * when `retain` is called.
   */
  readonly retainEveryMs?: number;
  /** Longest wait for another's transaction to end, milliseconds; default 10,000. */
  readonly lockWaitMs?: number;
}

/** The port, and what only an embedded bus needs. */
export interface EmbeddedBus extends Bus {
  /** Does a bounded piece of retention's work now. */
  retain(): Promise<RetentionResult>;
}

const POLL_MS = 20;
const EXPIRY_MS = 3_000;
const RETAIN_EVERY_MS = 10_000;
/** Period while retention lags behind. */
const RETAIN_MORE_MS = 250;
const BYTES_IN_FLIGHT = 8 << 20;
/** Wait of a tail at the end; a change ends it sooner. */
const TAIL_WAIT_MS = 1_000;

/**
 * Opens the bus in a folder.
 *
 * @throws {BusError} if the folder cannot be used, or the file is damaged or another program's
 */
export async function openEmbeddedBus(
  options: EmbeddedBusOptions,
  dependencies: BusDependencies,
): Promise<EmbeddedBus> {
  const strict = options.fsync === "always";
  const database = await openDatabase(options.dir, strict ? "FULL" : "NORMAL");
  try {
    const store = new Store(database, `${options.dir}/${BUS_FILE}`);
    const changes = new Changes(database, options.pollMs ?? POLL_MS);
    const { lockWaitMs } = options;
    const writer = new Writer(database, store.path, strict, () => changes.notify(), lockWaitMs);
    const closing = new AbortController();
    const parts: BusParts = {
      dir: options.dir,
      store,
      changes,
      writer,
      reads: new ReadCounters(),
      writes: new WriteCounters(),
      closing: closing.signal,
      expiryMs: options.expiryMs ?? EXPIRY_MS,
      ...dependencies,
    };
    return new SqliteBus(parts, closing, options.retainEveryMs ?? RETAIN_EVERY_MS);
  } catch (error) {
    database.close();
    throw error;
  }
}

class SqliteBus implements EmbeddedBus {
  readonly kind = "embedded";
  readonly #parts: BusParts;
  readonly #closing: AbortController;
  readonly #retention: Retention;
  readonly #retainEveryMs: number;
  readonly #members = new Set<Membership>();
  #retainTimer: ReturnType<typeof setTimeout> | null = null;
  #retaining: Promise<void> = Promise.resolve();
  #closed: Promise<void> | null = null;

  constructor(parts: BusParts, closing: AbortController, retainEveryMs: number) {
    this.#parts = parts;
    this.#closing = closing;
    this.#retention = new Retention(parts);
    this.#retainEveryMs = retainEveryMs;
    if (retainEveryMs > 0) this.#retainIn(retainEveryMs);
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    const { store, writer, events } = this.#parts;
    this.#checkOpen("create topics");
    await writer.run({ action: "create topics" }, () => {
      const faults: string[] = [];
      for (const spec of specs) {
        const found = store.findTopic(spec.name);
        if (found !== null && found.cleanup !== spec.cleanup) {
          faults.push(
            `${spec.name} is kept by "${found.cleanup}", not by "${spec.cleanup}": ` +
              "that would lose records; choose another name or another data folder",
          );
        }
      }
      if (faults.length > 0) {
        throw new BusError(`Cannot use the topics in ${store.path}: ${faults.join("; ")}`);
      }
      for (const spec of specs) {
        const found = store.findTopic(spec.name);
        if (found === null) store.addTopic(spec);
        else store.changeRetention(spec);
        if (found !== null && found.partitions !== spec.partitions) {
          events({
            level: "warn",
            name: "bus.topic_differs",
            message: `Topic ${spec.name} has ${found.partitions} partitions, not ` +
              `${spec.partitions}: it keeps them, for another number would break the order`,
          });
        }
      }
    });
  }

  partitions(topic: string): Promise<number> {
    return this.#attempt("look up a topic", () => this.#parts.store.topic(topic).partitions);
  }

  async publish(outgoing: readonly Outgoing[]): Promise<void> {
    const { store, writer, writes, now } = this.#parts;
    this.#checkOpen("publish");
    const rows = toRows(outgoing, (name) => store.topic(name));
    if (rows.length === 0) return;
    await Promise.all(rows.map((row) => {
      const { topic, blob } = row;
      return writer.run(
        { action: `publish to ${topic}`, bytes: blob.length },
        () => store.append(row, now()),
      );
    }));
    writes.count(rows);
  }

  async *lease(options: LeaseOptions): AsyncGenerator<Lease> {
    this.#checkOpen("lease partitions");
    const { store } = this.#parts;
    const needed = store.topic(options.topic).partitions;
    const progress = store.topic(options.progressTopic).partitions;
    if (progress < needed) {
      throw new BusError(
        `Cannot lease ${options.topic}: its progress topic ${options.progressTopic} has ` +
          `${progress} partitions, fewer than ${needed}; give it as many`,
      );
    }
    const membership = new Membership(this.#parts, options);
    this.#members.add(membership);
    try {
      yield* membership.leases();
    } finally {
      this.#members.delete(membership);
    }
  }

  async *tail({ topic: name, from, bytesInFlight, signal }: TailOptions): AsyncGenerator<Batch> {
    this.#checkOpen("read");
    const { store, reads, changes, closing } = this.#parts;
    const topic = store.topic(name);
    const bytesMax = reads.bytesMax(bytesInFlight ?? BYTES_IN_FLIGHT);
    const positions = Array.from({ length: topic.partitions }, (_, partition) => {
      const { start, next } = store.part(topic.firstPart + partition);
      if (from === "latest") return next;
      return from === "earliest" ? start : Math.max(start, from.get(partition) ?? start);
    });
    while (!signal.aborted && !closing.aborted) {
      let found = false;
      for (let partition = 0; partition < topic.partitions; partition++) {
        const { batch, nextOffset, start } = store.read(
          topic,
          partition,
          positions[partition],
          Infinity,
          bytesMax,
        );
        // A tail goes on at the oldest when retention has overtaken it.
        positions[partition] = Math.max(nextOffset, start);
        if (positions[partition] > nextOffset) {
          reads.gaps += start - nextOffset;
          found = true;
        }
        if (batch === null) continue;
        found = true;
        reads.count(batch);
        await nextTurn();
        if (signal.aborted || closing.aborted) return;
        yield batch;
        if (signal.aborted || closing.aborted) return;
      }
      if (!found) await changes.wait(TAIL_WAIT_MS, signal);
    }
  }

  async *range(
    name: string,
    partition: number,
    from: number,
    to: number,
  ): AsyncGenerator<Batch> {
    this.#checkOpen("read");
    const { store, reads, closing } = this.#parts;
    const topic = store.topic(name);
    this.#checkPartition(topic, partition);
    const bounds = store.part(topic.firstPart + partition);
    const end = Math.min(to, bounds.next);
    let at = Math.max(from, bounds.start);
    while (at < end && !closing.aborted) {
      const { batch, nextOffset, start } = store.read(
        topic,
        partition,
        at,
        end,
        reads.bytesMax(BYTES_IN_FLIGHT),
      );
      at = Math.max(nextOffset, start);
      if (at > nextOffset) reads.gaps += Math.min(start, end) - nextOffset;
      if (batch === null) continue;
      reads.count(batch);
      await nextTurn();
      yield batch;
    }
  }

  bounds(name: string): Promise<readonly { start: number; end: number }[]> {
    return this.#attempt("look up bounds", () => {
      const { store } = this.#parts;
      const topic = store.topic(name);
      return Array.from({ length: topic.partitions }, (_, partition) => {
        const { start, next } = store.part(topic.firstPart + partition);
        return { start, end: next };
      });
    });
  }

  offsetAt(name: string, partition: number, timeMs: number): Promise<number> {
    return this.#attempt("search", () => {
      const topic = this.#parts.store.topic(name);
      this.#checkPartition(topic, partition);
      return this.#parts.store.offsetAt(topic, partition, timeMs);
    });
  }

  metrics(): Readonly<Record<string, number>> {
    const { reads, writes, writer } = this.#parts;
    return {
      bus_published_records: writes.records,
      bus_published_bytes: writes.bytes,
      bus_steps: writes.steps,
      bus_fenced_steps: writes.fenced,
      bus_transactions: writer.transactions,
      bus_lock_waits: writer.lockWaits,
      bus_waiting_writes: writer.waiting,
      bus_read_records: reads.records,
      bus_read_bytes: reads.bytes,
      // A batch is read when it is asked for, never before.
      bus_read_ahead_bytes: 0,
      bus_dropped_rows: writes.dropped,
      bus_gap_offsets: reads.gaps,
      bus_failed_steps: writes.failed,
    };
  }

  retain(): Promise<RetentionResult> {
    return this.#retention.run();
  }

  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    const { changes, writer, store } = this.#parts;
    this.#closing.abort();
    if (this.#retainTimer !== null) clearTimeout(this.#retainTimer);
    changes.close();
    await this.#retaining;
    await Promise.all([...this.#members].map((member) => member.end("the bus is closed")));
    await writer.close();
    store.database.close();
  }

  #retainIn(ms: number): void {
    this.#retainTimer = setTimeout(() => {
      this.#retaining = this.#retainOnce(ms);
    }, ms);
  }

  async #retainOnce(periodMs: number): Promise<void> {
    let more = false;
    try {
      if (await this.#retention.takeTurn(periodMs / 2)) {
        more = (await this.#retention.run()).more;
      }
    } catch (error) {
      this.#parts.events({
        level: "error",
        name: "bus.retention_failed",
        message: error instanceof Error ? error.message : String(error),
      });
    }
    if (!this.#closing.signal.aborted) {
      this.#retainIn(more ? RETAIN_MORE_MS : this.#retainEveryMs);
    }
  }

  #checkPartition({ name, partitions }: StoredTopic, partition: number): void {
    if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return;
    throw new BusError(`Cannot read ${name}/${partition}: the topic has ${partitions} partitions`);
  }

  #attempt<T>(action: string, run: () => T): Promise<T> {
    return new Promise((resolve) => {
      this.#checkOpen(action);
      resolve(run());
    });
  }

  #checkOpen(action: string): void {
    if (!this.#closing.signal.aborted) return;
    throw new BusError(`Cannot ${action} in ${this.#parts.store.path}: the bus is closed`);
  }
}
