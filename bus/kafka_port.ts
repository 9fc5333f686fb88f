/** The port, carried out with a Kafka client. */
import type { Client, ClientAdmin, ClientCluster } from "./kafka_client.ts";
import { isDisconnected, toBusError } from "./kafka_errors.ts";
import { type FetchTotals, KafkaFetcher, Signalled } from "./kafka_fetcher.ts";
import { type GroupTotals, KafkaGroup } from "./kafka_group.ts";
import { calmIdleConnections } from "./kafka_idle.ts";
import { KafkaPublisher } from "./kafka_publisher.ts";
import { readRange } from "./kafka_range.ts";
import { KafkaReader } from "./kafka_reader.ts";
import { type KafkaSite, readTopic, type Right } from "./kafka_rights.ts";
import { ensureTopics } from "./kafka_topics.ts";
import {
  type Batch,
  type Bus,
  type BusDependencies,
  BusError,
  type Lease,
  type LeaseOptions,
  OffsetGoneError,
  type Outgoing,
  type TailOptions,
  type TopicSpec,
} from "./port.ts";

/** Bytes that a plain reader reads ahead over all partitions, and of one partition at least. */
const TAIL_BYTES = 8 << 20;
const TAIL_PARTITION_BYTES_MIN = 64 << 10;
/** Age up to which a number of partitions is believed, milliseconds. */
const COUNT_MS_MAX = 60_000;
/** Longest time that closing the bus, and ending one reader, may take, milliseconds. */
const CLOSE_MS_MAX = 1_900;
const STOP_MS_MAX = 1_500;

/** Something that runs until the bus closes. */
interface Running {
  stop(): Promise<void>;
}

/** A bus on Kafka; made by `openKafkaBus`. */
export class KafkaBus implements Bus {
  readonly kind = "kafka";
  readonly #client: Client;
  readonly #site: KafkaSite;
  readonly #dependencies: BusDependencies;
  readonly #cluster: ClientCluster;
  readonly #reader: KafkaReader;
  readonly #publisher: KafkaPublisher;
  readonly #running = new Set<Running>();
  readonly #fetchTotals: FetchTotals = { bytesAhead: 0, polls: 0, reconnects: 0 };
  readonly #groupTotals: GroupTotals = { rebalances: 0, fenced: 0, steps: 0 };
  /** Numbers of partitions as last looked up, for what is on its way out. */
  readonly #counts = new Map<string, { readonly count: number; readonly at: number }>();
  #admin: Promise<ClientAdmin> | null = null;
  #closing: Promise<void> | null = null;

  constructor(client: Client, site: KafkaSite, dependencies: BusDependencies) {
    this.#client = client;
    this.#site = site;
    this.#dependencies = dependencies;
    const connection = client.cluster();
    this.#cluster = connection.cluster;
    this.#reader = new KafkaReader(connection);
    this.#publisher = new KafkaPublisher(client, site, (topic) => this.#count(topic));
  }

  /** Connects; the first thing to be called. @throws what the client says if it cannot */
  async connect(): Promise<void> {
    if (!await calmIdleConnections(this.#cluster)) {
      this.#dependencies.events({
        level: "debug",
        name: "bus.idle_cost",
        message: "The Kafka client is not of the version expected: idle connections cost more",
      });
    }
    await this.#client.probe();
    await this.#cluster.connect();
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    const names = specs.map(({ name }) => name).join(", ");
    await this.#try(`set up the topics ${names}`, async () => {
      const shape = (topic: string) => this.#reader.shape(topic);
      const run = async () => {
        this.#admin ??= this.#client.admin();
        const { events } = this.#dependencies;
        await ensureTopics(await this.#admin, specs, shape, this.#site, events);
      };
      try {
        await run();
      } catch (error) {
        if (!isDisconnected(error)) throw error;
        // The connection has broken since the last time: once more with a new one.
        this.#admin = null;
        await run();
      }
    });
  }

  async partitions(topic: string): Promise<number> {
    return await this.#try(
      `find the topic ${topic}`,
      () => this.#reader.partitions(topic),
      [readTopic(topic)],
    );
  }

  async publish(outgoing: readonly Outgoing[]): Promise<void> {
    await this.#publisher.publish(outgoing);
  }

  async *lease(options: LeaseOptions): AsyncGenerator<Lease> {
    this.#refuseIfClosed(`join the group ${options.group}`);
    if (options.signal.aborted) return;
    const group = new KafkaGroup({
      client: this.#client,
      site: this.#site,
      dependencies: this.#dependencies,
      reader: this.#reader,
      partitions: (topic) => this.#count(topic),
      fetchTotals: this.#fetchTotals,
      totals: this.#groupTotals,
    }, options);
    yield* this.#until(options.signal, group, group.leases());
  }

  async *tail(options: TailOptions): AsyncGenerator<Batch> {
    this.#refuseIfClosed(`read ${options.topic}`);
    if (options.signal.aborted) return;
    const reader = new KafkaReader(this.#client.cluster());
    const dependencies = this.#dependencies;
    const fetcher = new KafkaFetcher(reader, this.#site, dependencies, this.#fetchTotals);
    const changed = new Signalled();
    const ended = new AbortController();
    let closing: Promise<void> | null = null;
    const stop = (): Promise<void> => {
      ended.abort();
      changed.set();
      closing ??= fetcher.close().then(() => reader.close());
      return closing;
    };
    const batches = this.#tail(options, reader, fetcher, changed, ended.signal);
    yield* this.#until(options.signal, { stop }, batches);
  }

  async *range(
    topic: string,
    partition: number,
    from: number,
    to: number,
  ): AsyncGenerator<Batch> {
    this.#refuseIfClosed(`read ${topic}`);
    try {
      await this.#reader.partitions(topic);
      yield* readRange(this.#reader, this.#site, topic, partition, from, to);
    } catch (error) {
      throw toBusError(`read ${topic}/${partition}`, this.#site, error, [readTopic(topic)]);
    }
  }

  async bounds(topic: string): Promise<{ readonly start: number; readonly end: number }[]> {
    return await this.#try(`find the offsets of ${topic}`, async () => {
      const starts = await this.#reader.offsets(topic, "start");
      const ends = await this.#reader.offsets(topic, "end");
      return starts.map((start, partition) => ({ start, end: ends[partition] }));
    }, [readTopic(topic)]);
  }

  async offsetAt(topic: string, partition: number, timeMs: number): Promise<number> {
    return await this.#try(`find an offset of ${topic}`, async () => {
      const found = (await this.#reader.offsets(topic, { timeMs }))[partition];
      if (found === undefined) {
        throw new BusError(`Cannot find an offset of ${topic}/${partition}: no such partition`);
      }
      return found >= 0 ? found : (await this.#reader.offsets(topic, "end"))[partition];
    }, [readTopic(topic)]);
  }

  metrics(): Readonly<Record<string, number>> {
    return {
      bus_read_ahead_bytes: this.#fetchTotals.bytesAhead,
      bus_polls_total: this.#fetchTotals.polls,
      bus_reconnects_total: this.#fetchTotals.reconnects,
      bus_published_total: this.#publisher.published,
      bus_waiting_writes: this.#publisher.waiting,
      bus_steps_total: this.#groupTotals.steps,
      bus_rebalances_total: this.#groupTotals.rebalances,
      bus_fenced_total: this.#groupTotals.fenced,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const ending = (async () => {
      await Promise.allSettled([...this.#running].map((running) => running.stop()));
      await Promise.allSettled([
        this.#publisher.close(),
        this.#reader.close(),
        this.#admin?.then((admin) => admin.disconnect()),
      ]);
    })();
    await bounded(ending, CLOSE_MS_MAX);
  }

  /** Passes items on until a signal or the bus itself ends their source. */
  async *#until<T>(
    signal: AbortSignal,
    source: Running,
    items: AsyncIterable<T>,
  ): AsyncGenerator<T> {
    const stop = () => {
      // Whoever iterates is told of a failure by the source itself.
      source.stop().catch(() => {});
    };
    this.#running.add(source);
    signal.addEventListener("abort", stop, { once: true });
    try {
      yield* items;
    } finally {
      signal.removeEventListener("abort", stop);
      try {
        await bounded(source.stop(), STOP_MS_MAX);
      } finally {
        this.#running.delete(source);
      }
    }
  }

  async *#tail(
    options: TailOptions,
    reader: KafkaReader,
    fetcher: KafkaFetcher,
    changed: Signalled,
    ended: AbortSignal,
  ): AsyncGenerator<Batch> {
    const { topic, from } = options;
    let starts: number[];
    let ends: number[];
    try {
      starts = await reader.offsets(topic, "start");
      ends = await reader.offsets(topic, "end");
    } catch (error) {
      if (ended.aborted) return;
      throw toBusError(`read ${topic}`, this.#site, error, [readTopic(topic)]);
    }
    const bytes = Math.floor((options.bytesInFlight ?? TAIL_BYTES) / starts.length);
    const share = Math.max(TAIL_PARTITION_BYTES_MIN, bytes);
    const streams = starts.map((start, partition) => {
      const asked = from === "earliest"
        ? start
        : from === "latest"
        ? ends[partition]
        : from.get(partition) ?? start;
      return fetcher.open(topic, partition, Math.max(start, asked), share, changed.set);
    });
    while (!ended.aborted) {
      for (const stream of streams) {
        if (ended.aborted) break;
        try {
          const batch = stream.take();
          if (batch !== null) yield batch;
        } catch (error) {
          if (!(error instanceof OffsetGoneError)) throw error;
          this.#dependencies.events({
            level: "warn",
            name: "bus.offset_gone",
            message: `${error.message}; reading goes on there`,
          });
          stream.seek(error.start);
        }
      }
      if (!ended.aborted && !streams.some((stream) => stream.ready())) await changed.wait(null);
    }
  }

  /** Number of partitions; one that is known already does while Kafka cannot be reached. */
  async #count(topic: string): Promise<number> {
    const known = this.#counts.get(topic);
    const at = this.#dependencies.now();
    if (known !== undefined && at - known.at < COUNT_MS_MAX) return known.count;
    try {
      const count = await this.#reader.partitions(topic);
      this.#counts.set(topic, { count, at });
      return count;
    } catch (error) {
      if (known !== undefined && isDisconnected(error)) return known.count;
      throw error;
    }
  }

  async #try<T>(
    action: string,
    run: () => Promise<T>,
    needed: readonly Right[] = [],
  ): Promise<T> {
    this.#refuseIfClosed(action);
    try {
      return await run();
    } catch (error) {
      throw toBusError(action, this.#site, error, needed);
    }
  }

  #refuseIfClosed(action: string): void {
    if (this.#closing !== null) throw new BusError(`Cannot ${action}: the bus is closed`);
  }
}

/** Waits for something, but not for ever: a broker that is silent must not hold up an end. */
async function bounded(ending: Promise<void>, milliseconds: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((resolve) => timer = setTimeout(resolve, milliseconds));
  try {
    await Promise.race([ending, limit]);
  } finally {
    clearTimeout(timer);
  }
}
