/**
 * Membership of a consumer group: which partitions are assigned, and one fenced lease for each.
 *
 * The client's own consumer only joins and beats; it is paused for good and reads nothing. So its
 * heartbeats do not wait for work, and no offset that it might reset is ever relied on.
 */
import { assignedEvent } from "./assigned_event.ts";
import type { Client, ClientProducer, Membership } from "./kafka_client.ts";
import { describeFault, isWithoutCoordinator, toBusError } from "./kafka_errors.ts";
import { KafkaFetcher, Signalled } from "./kafka_fetcher.ts";
import type { FetchTotals } from "./kafka_fetcher.ts";
import { KafkaLease } from "./kafka_lease.ts";
import { readNewest } from "./kafka_progress.ts";
import { KafkaReader } from "./kafka_reader.ts";
import {
  isDenial,
  type KafkaSite,
  readGroup,
  readTopic,
  type Right,
  writeTransactions,
} from "./kafka_rights.ts";
import {
  type BusDependencies,
  BusError,
  FencedError,
  type LeaseOptions,
  progressKey,
} from "./port.ts";

const BYTES_IN_FLIGHT = 8 << 20;
const IDLE_MS = 100;
/** First and longest pause after an acquisition that failed, milliseconds. */
const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 1_000;
/** Longest pause after steps that failed one after another, milliseconds. */
const STEP_PAUSE_MS_MAX = 5_000;
/** Acquisitions that fail in a row for one event. */
const TRIES_PER_EVENT = 20;
/** Time between two showings of the group's offsets, milliseconds. */
const SHOW_MS = 1_000;

/** What a group is made with. */
export interface GroupParts {
  readonly client: Client;
  readonly site: KafkaSite;
  readonly dependencies: BusDependencies;
  /** For progress and bounds, shared with others. */
  readonly reader: KafkaReader;
  /** Number of partitions of a topic that is written to. */
  readonly partitions: (topic: string) => Promise<number>;
  readonly fetchTotals: FetchTotals;
  readonly totals: GroupTotals;
}

/** Totals over all groups of a bus, for its metrics. */
export interface GroupTotals {
  rebalances: number;
  fenced: number;
  steps: number;
}

/** One member of a consumer group. */
export class KafkaGroup {
  readonly #parts: GroupParts;
  readonly #options: LeaseOptions;
  readonly #fetcher: KafkaFetcher;
  readonly #ownReader: KafkaReader;
  readonly #assigned = new Set<number>();
  readonly #held = new Map<number, KafkaLease>();
  readonly #acquiring = new Map<number, Promise<void>>();
  /** Leases not yet handed out. */
  readonly #queue: KafkaLease[] = [];
  readonly #changed = new Signalled();
  /** Resolves at the next word that this member still belongs to the group. */
  #confirmation = Promise.withResolvers<void>();
  /** Steps of a partition that failed since the last that succeeded. */
  readonly #failures = new Map<number, number>();
  readonly #ending = Promise.withResolvers<void>();
  readonly #toShow = new Map<number, number>();
  #showing: ReturnType<typeof setTimeout> | undefined;
  #joining: Promise<Membership> | null = null;
  #membership: Membership | null = null;
  #failure: BusError | null = null;
  #stopping: Promise<void> | null = null;

  constructor(parts: GroupParts, options: LeaseOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#ownReader = new KafkaReader(parts.client.cluster());
    const { site, dependencies, fetchTotals } = parts;
    this.#fetcher = new KafkaFetcher(this.#ownReader, site, dependencies, fetchTotals);
  }

  /** Joins, and hands out leases until `stop`. @throws {BusError} if the group cannot be joined */
  async *leases(): AsyncGenerator<KafkaLease> {
    const { topic, group, progressTopic } = this.#options;
    try {
      const { site, client, reader } = this.#parts;
      try {
        await this.#ownReader.prepare(topic);
        const count = await reader.partitions(topic);
        const progressCount = await this.#partitionsOf(progressTopic);
        if (progressCount < count) {
          throw new BusError(
            `Cannot keep progress of ${topic} in ${progressTopic}: it has ${progressCount} ` +
              `partitions and needs ${count}; add some`,
          );
        }
        if (this.#stopping !== null) return;
        this.#joining = client.join(group, topic, {
          joined: (partitions) => this.#join(partitions),
          confirmed: () => this.#confirm(),
          failed: (error) => void this.#fail(error),
        });
        this.#membership = await this.#joining;
      } catch (error) {
        if (this.#stopping !== null) return;
        throw toBusError(`join the group ${group} on ${topic}`, site, error, this.#rights());
      }
      while (this.#stopping === null) {
        const lease = this.#queue.shift();
        if (lease === undefined) await this.#changed.wait(null);
        else if (!lease.lost.aborted) yield lease;
        if (this.#failure !== null) throw this.#failure;
      }
    } finally {
      await this.stop();
    }
  }

  async #partitionsOf(topic: string): Promise<number> {
    const { reader, site } = this.#parts;
    try {
      return await reader.partitions(topic);
    } catch (error) {
      throw toBusError(`find the topic ${topic}`, site, error, [readTopic(topic)]);
    }
  }

  /** Ends all leases and leaves the group; idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { topic, group } = this.#options;
    this.#assigned.clear();
    this.#ending.resolve();
    this.#confirm();
    this.#changed.set();
    const held = [...this.#held.values()];
    const reason = new BusError(`The membership of ${group} on ${topic} has ended`);
    for (const lease of held) lease.revoke(reason, null);
    await Promise.all(held.map((lease) => lease.settled));
    await Promise.all(this.#acquiring.values());
    clearTimeout(this.#showing);
    await this.#show();
    // Who iterates is told why if joining fails.
    const membership = await this.#joining?.catch(() => null);
    await membership?.leave();
    await this.#fetcher.close();
    await this.#ownReader.close();
  }

  #join(partitions: readonly number[]): void {
    if (this.#stopping !== null) return;
    const { topic, group } = this.#options;
    this.#parts.totals.rebalances++;
    this.#parts.dependencies.events(assignedEvent(group, topic, partitions));
    this.#assigned.clear();
    for (const partition of partitions) this.#assigned.add(partition);
    for (const [partition, lease] of [...this.#held]) {
      if (this.#assigned.has(partition)) continue;
      lease.revoke(
        new FencedError(`${topic}/${partition} went to another member of ${group}`),
        null,
      );
    }
    for (const partition of partitions) if (!this.#held.has(partition)) this.#acquire(partition);
    this.#confirm();
  }

  #confirm(): void {
    this.#confirmation.resolve();
    this.#confirmation = Promise.withResolvers<void>();
  }

  async #fail(error: unknown): Promise<void> {
    const { topic, group } = this.#options;
    const reason = await this.#reasonOf(error, group, "group");
    const action = `stay in the group ${group} on ${topic}`;
    this.#failure = toBusError(action, this.#parts.site, reason, this.#rights());
    this.#changed.set();
  }

  /** The client does not tell why it was given no coordinator: asks Kafka itself. */
  async #reasonOf(error: unknown, id: string, kind: "group" | "transactional-id") {
    if (!isWithoutCoordinator(error) || this.#stopping !== null) return error;
    return await this.#parts.reader.coordinatorFault(this.#options.topic, id, kind) ?? error;
  }

  /** What a member needs beside writing. */
  #rights(): readonly Right[] {
    const { topic, group } = this.#options;
    return [readGroup(group), readTopic(topic)];
  }

  #acquire(partition: number, before: Promise<void> = Promise.resolve()): void {
    if (this.#acquiring.has(partition)) return;
    const acquiring = before.then(() => this.#acquireWhileAssigned(partition))
      .finally(() => this.#acquiring.delete(partition));
    this.#acquiring.set(partition, acquiring);
  }

  async #acquireWhileAssigned(partition: number): Promise<void> {
    let pauseMs = PAUSE_MS_MIN;
    for (let tries = 0; this.#assigned.has(partition); tries++) {
      let producer: ClientProducer;
      try {
        producer = await this.#fence(partition);
      } catch (error) {
        if (tries % TRIES_PER_EVENT === 0) await this.#tellOfFailure(partition, error);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        pauseMs = Math.min(PAUSE_MS_MAX, pauseMs * 2);
        continue;
      }
      if (this.#assigned.has(partition)) this.#hold(partition, producer);
      else await disconnect(producer);
      return;
    }
  }

  /** Makes the partition's producer; beginning a transaction is what fences its old owner. */
  async #fence(partition: number): Promise<ClientProducer> {
    const producer = this.#parts.client.transactional(this.#transactionalId(partition));
    try {
      await producer.connect();
      await (await producer.transaction()).abort();
      return producer;
    } catch (error) {
      await disconnect(producer);
      throw error;
    }
  }

  #transactionalId(partition: number): string {
    const { topic, group } = this.#options;
    return `${group}-${topic}-${partition}`;
  }

  async #tellOfFailure(partition: number, error: unknown): Promise<void> {
    const { topic } = this.#options;
    const id = this.#transactionalId(partition);
    const action = `take over ${topic}/${partition} under the transactional id ${id}`;
    const reason = await this.#reasonOf(error, id, "transactional-id");
    const { message } = toBusError(action, this.#parts.site, reason, [this.#right(partition)]);
    const level = isDenial(describeFault(reason).type) ? "error" : "warn";
    this.#parts.dependencies.events({ level, name: "bus.acquire_failed", message });
  }

  #right(partition: number): Right {
    const id = this.#transactionalId(partition);
    return writeTransactions(id, id.slice(0, -String(partition).length));
  }

  #hold(partition: number, producer: ClientProducer): void {
    const { topic, group, progressTopic } = this.#options;
    const { site, reader, totals } = this.#parts;
    const key = new TextEncoder().encode(progressKey(group, topic));
    const lease: KafkaLease = new KafkaLease({
      topic,
      partition,
      progressTopic,
      progressKey: key,
      bytesInFlight: this.#options.bytesInFlight ?? BYTES_IN_FLIGHT,
      idleMs: this.#options.idleMs ?? IDLE_MS,
      site,
      right: this.#right(partition),
      producer,
      fetcher: this.#fetcher,
      partitions: this.#parts.partitions,
      readProgress: async () => {
        try {
          return await readNewest(reader, site, progressTopic, partition, key);
        } catch (error) {
          const needed = [readTopic(progressTopic)];
          throw toBusError(`read progress of ${topic}/${partition}`, site, error, needed);
        }
      },
      bounds: async () => ({
        start: (await reader.offsets(topic, "start"))[partition],
        end: (await reader.offsets(topic, "end"))[partition],
      }),
      committed: (offset) => {
        totals.steps++;
        this.#failures.delete(partition);
        this.#toShow.set(partition, offset);
        this.#showing ??= setTimeout(() => this.#show(), SHOW_MS);
      },
      ended: (failure) => this.#ended(lease, failure),
    });
    this.#held.set(partition, lease);
    this.#queue.push(lease);
    this.#changed.set();
  }

  /** Takes the partition again if it is still this member's: given back, or a step failed. */
  #ended(lease: KafkaLease, failure: unknown): void {
    const { partition } = lease;
    this.#held.delete(partition);
    if (failure instanceof FencedError) this.#parts.totals.fenced++;
    if (!this.#assigned.has(partition)) return;
    let pauseMs = 0;
    if (failure !== null && !(failure instanceof FencedError)) {
      const failures = this.#failures.get(partition) ?? 0;
      this.#failures.set(partition, failures + 1);
      // The first is tried again at once: a broker's restart has had its retries already.
      if (failures > 0) pauseMs = Math.min(STEP_PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** failures);
    }
    // Who was fenced may be a zombie that fences the rightful owner in turn: ask the group first.
    const before = failure instanceof FencedError ? this.#confirmation.promise : undefined;
    this.#acquire(
      partition,
      Promise.all([before, lease.settled, this.#pause(pauseMs)]).then(() => {}),
    );
  }

  /** Waits so long, or until this member stops. */
  async #pause(ms: number): Promise<void> {
    if (ms === 0) return;
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, ms);
    await Promise.race([over.promise, this.#ending.promise]);
    clearTimeout(timer);
  }

  async #show(): Promise<void> {
    this.#showing = undefined;
    const offsets = [...this.#toShow];
    this.#toShow.clear();
    for (const [partition, offset] of offsets) {
      try {
        await this.#membership?.showOffset(partition, offset);
      } catch (error) {
        const message = `Cannot show the group's offset: ${
          error instanceof Error ? error.message : String(error)
        }`;
        this.#parts.dependencies.events({ level: "debug", name: "bus.offset_not_shown", message });
      }
    }
  }
}

async function disconnect(producer: ClientProducer): Promise<void> {
  try {
    await producer.disconnect();
  } catch {
    // Its connection is gone already.
  }
}
