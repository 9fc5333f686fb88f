/** Plain reading from one set of connections: raw fetches, offsets and metadata. */
import type { ClientCluster } from "./kafka_client.ts";
import { isDisconnected, isPassing, KafkaCodeError } from "./kafka_errors.ts";
import { decodeFetch, FETCH_VERSION, type FetchedPartition } from "./kafka_records.ts";
import type { TopicShape } from "./kafka_topics.ts";
import { BusError } from "./port.ts";

/** Isolation level under which records of open and aborted transactions stay unseen. */
const READ_COMMITTED = 1;
/** Key of the fetch among Kafka's requests. */
const FETCH_KEY = 1;
const LEADER_NOT_AVAILABLE = 5;

/** Tries while leaders move: some 5 s; and the time between them, milliseconds. */
const TRIES_MAX = 50;
const TRY_MS = 100;
/** Broken connections that are tried again; each try waits for a broker by itself. */
const DISCONNECTIONS_MAX = 2;

/** What to fetch of one partition. */
export interface FetchPart {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Bytes wanted at most; a single larger record batch comes nevertheless. */
  readonly bytesMax: number;
}

/** Where in a partition: its oldest record, behind its newest, or the first since a time. */
export type OffsetAt = "start" | "end" | { readonly timeMs: number };

/** Reads through one set of connections. One fetch at a time is in flight per node. */
export class KafkaReader {
  readonly #cluster: ClientCluster;
  readonly #close: () => Promise<void>;
  #connecting: Promise<void> | null = null;
  /** Requests under way: connections cannot be ended while something may open one. */
  readonly #underWay = new Set<Promise<unknown>>();
  #closed = false;

  constructor(connection: { readonly cluster: ClientCluster; close(): Promise<void> }) {
    this.#cluster = connection.cluster;
    this.#close = () => connection.close();
  }

  /** Connects if need be and learns of a topic. */
  prepare(topic: string): Promise<void> {
    return this.#track(async () => {
      await this.#connect();
      await this.#cluster.addTargetTopic(topic);
      await this.#cluster.refreshMetadataIfNecessary();
    });
  }

  /** Number of partitions of a topic. @throws {BusError} if it does not exist */
  async partitions(topic: string): Promise<number> {
    await this.prepare(topic);
    const count = this.#cluster.findTopicPartitionMetadata(topic).length;
    if (count === 0) throw new BusError(`Cannot find the topic ${topic} on Kafka: create it`);
    return count;
  }

  /** What the cluster tells of a topic. @throws {BusError} if it does not exist */
  async shape(topic: string): Promise<TopicShape> {
    const partitions = await this.partitions(topic);
    const copies = this.#cluster.findTopicPartitionMetadata(topic).map(({ replicas }) =>
      replicas.length
    );
    return { partitions, replicas: Math.min(...copies) };
  }

  /**
   * Why no coordinator is named for a group or a transactional id, which the client itself keeps to
   * itself; null if one is named now.
   *
   * @param topic one that was prepared: its first partition's leader is asked
   */
  async coordinatorFault(
    topic: string,
    id: string,
    kind: "group" | "transactional-id",
  ): Promise<unknown> {
    try {
      await this.prepare(topic);
      const node = this.leader(topic, 0);
      if (node === null) throw new KafkaCodeError(LEADER_NOT_AVAILABLE);
      await this.#track(async () => {
        const broker = await this.#cluster.findBroker({ nodeId: node });
        // Not among the client's declared types.
        const find: unknown = Reflect.get(broker, "findGroupCoordinator");
        if (typeof find !== "function") throw new TypeError("Kafka's client cannot ask for one");
        const coordinatorType = kind === "group" ? 0 : 1;
        await Reflect.apply(find, broker, [{ groupId: id, coordinatorType }]);
      });
      return null;
    } catch (error) {
      return error;
    }
  }

  /** Node that leads a partition, from what is known; null if none is known. */
  leader(topic: string, partition: number): string | null {
    // Without connections nothing is known, and the client says so by throwing.
    if (!this.#cluster.isConnected()) return null;
    const found = this.#cluster.findTopicPartitionMetadata(topic)
      .find((candidate) => candidate.partitionId === partition);
    return found === undefined || found.leader < 0 ? null : String(found.leader);
  }

  /** Learns anew where the brokers and partitions are, connecting again if need be. */
  refresh(): Promise<void> {
    return this.#track(async () => {
      await this.#connect();
      await this.#cluster.refreshMetadata();
    });
  }

  /** Fetches from one node, waiting up to `waitMs` for the first record. */
  fetch(
    node: string,
    parts: readonly FetchPart[],
    waitMs: number,
    bytesMax: number,
  ): Promise<FetchedPartition[]> {
    return this.#track(() => this.#fetch(node, parts, waitMs, bytesMax));
  }

  async #fetch(
    node: string,
    parts: readonly FetchPart[],
    waitMs: number,
    bytesMax: number,
  ): Promise<FetchedPartition[]> {
    try {
      const broker = await this.#cluster.findBroker({ nodeId: node });
      fetchRaw(broker);
      const body = await broker.fetch({
        maxWaitTime: waitMs,
        minBytes: 1,
        maxBytes: bytesMax,
        isolationLevel: READ_COMMITTED,
        topics: byTopic(parts),
      });
      if (!(body instanceof Uint8Array)) throw new TypeError("Kafka's client decoded a fetch");
      return decodeFetch(body);
    } catch (error) {
      this.#forget(error);
      throw error;
    }
  }

  /** Offsets of all partitions of a topic, by partition. */
  offsets(topic: string, at: OffsetAt): Promise<number[]> {
    return this.retry(() => this.#offsets(topic, at));
  }

  /** Does something again while partitions move, and once more after a broken connection. */
  async retry<T>(run: () => Promise<T>): Promise<T> {
    let disconnections = 0;
    for (let tries = 1;; tries++) {
      try {
        return await run();
      } catch (error) {
        if (isDisconnected(error)) disconnections++;
        else if (!isPassing(error)) throw error;
        if (tries === TRIES_MAX || disconnections > DISCONNECTIONS_MAX || this.#closed) throw error;
        await new Promise((resolve) => setTimeout(resolve, TRY_MS));
        await this.refresh();
      }
    }
  }

  async #offsets(topic: string, at: OffsetAt): Promise<number[]> {
    const count = await this.partitions(topic);
    const partitions = Array.from({ length: count }, (_, partition) => ({ partition }));
    const request = typeof at === "object"
      ? { topic, partitions, fromTimestamp: Math.ceil(at.timeMs) }
      : { topic, partitions, fromBeginning: at === "start" };
    const [found] = await this.#track(() => this.#cluster.fetchTopicsOffset([request]));
    const offsets = new Array<number>(count).fill(-1);
    for (const { partition, offset } of found.partitions) offsets[partition] = Number(offset);
    return offsets;
  }

  /** Ends the connections once what is under way is over. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    await this.#close();
  }

  async #track<T>(run: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new BusError("Cannot ask Kafka: the connection is closed");
    const request = run();
    this.#underWay.add(request);
    try {
      return await request;
    } finally {
      this.#underWay.delete(request);
    }
  }

  async #connect(): Promise<void> {
    if (this.#cluster.isConnected()) return;
    this.#connecting ??= this.#cluster.connect().finally(() => this.#connecting = null);
    await this.#connecting;
  }

  /** Drops a node whose connection broke, so that it is looked up again. */
  #forget(error: unknown): void {
    if (!isDisconnected(error) || !(error instanceof Error)) return;
    const host: unknown = Reflect.get(error, "host");
    const port: unknown = Reflect.get(error, "port");
    if (typeof host === "string" && typeof port === "number") {
      this.#cluster.removeBroker({ host, port });
    }
  }
}

function byTopic(
  parts: readonly FetchPart[],
): {
  topic: string;
  partitions: { partition: number; fetchOffset: string; maxBytes: number }[];
}[] {
  const topics = new Map<
    string,
    { partition: number; fetchOffset: string; maxBytes: number }[]
  >();
  for (const { topic, partition, offset, bytesMax } of parts) {
    const list = topics.get(topic) ?? [];
    list.push({ partition, fetchOffset: String(offset), maxBytes: bytesMax });
    topics.set(topic, list);
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}

/** Connection pools whose fetch answers are already handed out undecoded. */
const raw = new WeakSet<object>();

/**
 * Makes a node hand out the bytes of its fetch answers.
 *
 * The client library would make several objects per record; its decoder is a property of each
 * request that passes through the node's connection pool, where it is replaced.
 */
function fetchRaw(broker: object): void {
  const pool: unknown = Reflect.get(broker, "connectionPool");
  const send: unknown = isObject(pool) ? Reflect.get(pool, "send") : null;
  if (!isObject(pool) || typeof send !== "function") {
    throw new TypeError("Kafka's client is not of the version that this was written for");
  }
  if (raw.has(pool)) return;
  raw.add(pool);
  Reflect.set(pool, "send", (sent: unknown) => {
    const request: unknown = isObject(sent) ? Reflect.get(sent, "request") : null;
    const isFetch = isObject(request) && Reflect.get(request, "apiKey") === FETCH_KEY;
    if (!isObject(sent) || !isFetch) return Reflect.apply(send, pool, [sent]);
    if (Reflect.get(request, "apiVersion") !== FETCH_VERSION) {
      throw new BusError("Cannot read from this Kafka: it is older than 2.3; upgrade it");
    }
    return Reflect.apply(send, pool, [{ ...sent, response: RAW_RESPONSE }]);
  });
}

/** Stands in for the client's decoder of fetch answers. */
const RAW_RESPONSE = {
  decode: (body: Uint8Array): Promise<{ body: Uint8Array; clientSideThrottleTime: number }> =>
    Promise.resolve({
      body,
      clientSideThrottleTime: new DataView(body.buffer, body.byteOffset).getInt32(0),
    }),
  parse: (decoded: { body: Uint8Array }): Promise<Uint8Array> => Promise.resolve(decoded.body),
};

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
