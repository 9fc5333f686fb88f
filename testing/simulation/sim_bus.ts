/** The bus of the simulation, as one process has it. */
import {
  type Batch,
  type Bus,
  BusError,
  type Lease,
  type LeaseOptions,
  type Outgoing,
  type TailOptions,
  type TopicSpec,
} from "../../bus/port.ts";
import type { Broker } from "./broker.ts";
import type { Process } from "./process.ts";
import { fetch, type FetchLimits, type SimBatch } from "./sim_batch.ts";
import { SimMembership } from "./sim_membership.ts";

/** How a bus reads. */
export interface ReadHabits {
  /** Most records of a batch; each batch takes a number up to it by chance. */
  readonly batchRecords: number;
  /** Whether a lease fetches the next batch while its owner works on the one before. */
  readonly ahead: boolean;
  /** Pause between two looks of a member at its group, milliseconds. */
  readonly beatMs: number;
}

const BYTES_IN_FLIGHT = 8 << 20;

/** The port over a broker in memory. */
export class SimBus implements Bus {
  readonly kind = "simulated";
  readonly #closing = new AbortController();
  readonly #members = new Set<SimMembership>();
  #joined = 0;

  constructor(readonly broker: Broker, readonly process: Process, readonly habits: ReadHabits) {}

  /** Aborts when the bus is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    return this.call("make topics", () => this.broker.ensureTopics(specs));
  }

  partitions(topic: string): Promise<number> {
    return this.call("find a topic", () => this.broker.topic(topic).parts.length);
  }

  publish(outgoing: readonly Outgoing[]): Promise<void> {
    const sent = copied(outgoing);
    return this.call("publish", () => this.broker.publish(sent));
  }

  async *lease(options: LeaseOptions): AsyncGenerator<Lease> {
    const { topic, group, progressTopic } = options;
    await this.call("find a group", () => this.broker.group(group, topic, progressTopic));
    const id = `${this.process.name}${this.#joined++ === 0 ? "" : `.${this.#joined}`}`;
    const member = new SimMembership(this, options, id);
    this.#members.add(member);
    try {
      yield* member.leases();
    } finally {
      this.#members.delete(member);
    }
  }

  async *tail({ topic, from, bytesInFlight, signal }: TailOptions): AsyncGenerator<Batch> {
    const stop = AbortSignal.any([signal, this.closing]);
    if (stop.aborted) return;
    let positions: number[];
    try {
      positions = await this.call(
        "find offsets",
        () =>
          this.broker.topic(topic).parts.map(({ start, next }, partition) => {
            if (from === "latest") return next;
            return from === "earliest" ? start : Math.max(start, from.get(partition) ?? start);
          }),
      );
    } catch (error) {
      if (stop.aborted) return;
      throw error;
    }
    const { parts } = this.broker.topic(topic);
    const attempt = () => {
      for (let partition = 0; partition < parts.length; partition++) {
        const part = parts[partition];
        const at = Math.max(positions[partition], part.start);
        const found = fetch(topic, partition, part, at, Infinity, this.limits(bytesInFlight));
        if (found !== null) return { partition, ...found };
      }
      return null;
    };
    while (!stop.aborted) {
      const found = await this.persist(
        stop,
        () => this.process.poll("fetch", parts, Infinity, attempt),
      );
      if (found === null || stop.aborted) continue;
      positions[found.partition] = found.nextOffset;
      if (found.batch !== null) yield* this.#lent(found.batch);
    }
  }

  async *range(
    topic: string,
    partition: number,
    from: number,
    to: number,
  ): AsyncGenerator<Batch> {
    const bounds = await this.call("find a range", () => {
      const { start, next } = this.broker.part(topic, partition);
      return { start, next };
    });
    const end = Math.min(to, bounds.next);
    let at = Math.max(from, bounds.start);
    while (at < end && !this.closing.aborted) {
      const found = await this.call("read a range", () => {
        const part = this.broker.part(topic, partition);
        return fetch(topic, partition, part, Math.max(at, part.start), end, this.limits());
      });
      if (found === null) return;
      at = found.nextOffset;
      if (found.batch !== null) yield* this.#lent(found.batch);
    }
  }

  bounds(topic: string): Promise<readonly { start: number; end: number }[]> {
    return this.call(
      "find bounds",
      () => this.broker.topic(topic).parts.map(({ start, next }) => ({ start, end: next })),
    );
  }

  offsetAt(topic: string, partition: number, timeMs: number): Promise<number> {
    return this.call("find a time", () => {
      const part = this.broker.part(topic, partition);
      return part.records.find(({ time }) => time >= timeMs)?.offset ?? part.next;
    });
  }

  metrics(): Readonly<Record<string, number>> {
    return { bus_read_ahead_bytes: 0 };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#members].map((member) => member.end("the bus is closed")));
  }

  /** Calls the broker unless the bus is closed. */
  call<T>(op: string, effect: () => T): Promise<T> {
    if (this.closing.aborted) {
      return Promise.reject(new BusError(`Cannot ${op}: the bus is closed`));
    }
    return this.process.call(op, effect);
  }

  /**
   * Reads, time and again if no answer comes, as clients do; null once the signal aborts.
   *
   * @throws what is not a fault of the way
   */
  async persist<T>(signal: AbortSignal, read: () => Promise<T>): Promise<T | null> {
    const aborted = Promise.withResolvers<null>();
    const stop = () => aborted.resolve(null);
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        try {
          return await Promise.race([read(), aborted.promise]);
        } catch (error) {
          if (!(error instanceof BusError) || error.name !== "BusError") throw error;
          await this.process.sleep(50, signal);
        }
      }
      return null;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** How much the next fetch takes. */
  limits(bytes = BYTES_IN_FLIGHT): FetchLimits {
    return { records: 1 + this.process.world.random.below(this.habits.batchRecords), bytes };
  }

  *#lent(batch: SimBatch): Generator<Batch> {
    yield batch;
    batch.spoil();
  }
}

/** A copy that its caller cannot change any more: what is sent is sent. */
export function copied(outgoing: readonly Outgoing[]): Outgoing[] {
  return outgoing.map(({ topic, records }) => ({
    topic,
    records: records.map((record) => ({
      ...record,
      key: record.key && record.key.slice(),
      value: record.value && record.value.slice(),
    })),
  }));
}
