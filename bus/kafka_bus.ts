/**
 * The bus on Apache Kafka, 2.4 or newer. The only file that imports the client library.
 *
 * 1. `kafka_port.ts` carries the port out; `kafka_topics.ts` creates and checks topics.
 * 2. `kafka_publisher.ts` sends what `kafka_requests.ts` has cut up, one partition a request.
 * 3. `kafka_fetcher.ts` polls through `kafka_reader.ts`, which takes fetch answers undecoded;
 *    `kafka_records.ts` and `kafka_columns.ts` make batches of them without an object a record.
 * 4. `kafka_group.ts` keeps the membership and fences; `kafka_lease.ts` commits steps.
 * 5. `kafka_range.ts` streams history; `kafka_progress.ts` finds the newest progress record.
 */
import {
  type Admin,
  type Cluster,
  ConfigResourceTypes,
  Kafka,
  type KafkaConfig,
  type logCreator,
  logLevel,
  type PartitionAssigner,
  PartitionAssigners,
  Partitioners,
  type SASLOptions,
} from "kafkajs";
import type {
  Client,
  ClientAdmin,
  ClientCluster,
  ClientProducer,
  Membership,
  MembershipEvents,
} from "./kafka_client.ts";
import { toOpenError } from "./kafka_errors.ts";
import { type LogLine, logToEvents } from "./kafka_log.ts";
import { KafkaBus } from "./kafka_port.ts";
import { type Bus, type BusDependencies, BusError } from "./port.ts";

/** How to reach Kafka. */
export interface KafkaBusOptions {
  /** `HOST:PORT` of some brokers; the rest are learnt from them. */
  readonly brokers: readonly string[];
  /** Name of this client in the brokers' logs. */
  readonly clientId: string;
  /**
   * Time after which a silent member's partitions go to others, milliseconds; default 10,000.
   * The broker allows no less than its `group.min.session.timeout.ms` (6,000 unless set).
   */
  readonly sessionTimeoutMs?: number;
  /** Longest wait for the first connection, milliseconds; default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Encrypts the connection; `ca` is the text of a certificate to trust instead of the system's. */
  readonly tls?: boolean | { readonly ca: string };
  /** Name and password, if the cluster asks for them. */
  readonly login?: {
    readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
    readonly username: string;
    readonly password: string;
  };
}

const SESSION_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** Wait for one TCP connection, and for one answer. */
const SOCKET_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** Time after which Kafka aborts a transaction that nobody ends. */
const TRANSACTION_TIMEOUT_MS = 30_000;
/** Time between heartbeats; a member learns of a rebalance with one. */
const HEARTBEAT_MS = 1_000;
/** Pause of the paused consumer between two looks at its heartbeat. */
const BEAT_LOOK_MS = 100;
/**
 * Looks at one broker without a heartbeat after which the consumer is no member any more: where a
 * join fails after the group has dropped it, the client looks on for ever and neither joins nor
 * beats. While no broker is reached it looks once a retry, so that this is more than it has retries.
 */
const LOST_LOOKS = 100;
/** Time without a heartbeat that has to have passed as well, milliseconds, and in sessions. */
const LOST_MS = 10_000;
const LOST_SESSIONS = 2;

/** Retries of a connection that was there before: some 45 s, a broker's slow restart. */
const CONNECT_RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 48 };
/** Retries of plain publishing: some 45 s, likewise. */
const PUBLISH_RETRY = { initialRetryTime: 50, maxRetryTime: 1_500, retries: 34 };
/**
 * Retries of a step. The first request of a transaction is refused until the markers of the one
 * before are written, so that the first pause is what bounds the throughput.
 */
const STEP_RETRY = { initialRetryTime: 5, maxRetryTime: 1_000, retries: 18 };

/**
 * Connects to Kafka.
 *
 * @throws {BusError} if no broker can be reached in `connectTimeoutMs`
 */
export async function openKafkaBus(
  options: KafkaBusOptions,
  dependencies: BusDependencies,
): Promise<Bus> {
  const { brokers } = options;
  if (brokers.length === 0) throw new BusError("Cannot reach Kafka: no brokers are set");
  for (const broker of brokers) {
    if (/^[^:\s,]+:\d{1,5}$/.test(broker)) continue;
    throw new BusError(`Cannot reach Kafka at "${broker}": a broker is written HOST:PORT`);
  }
  const config: KafkaConfig = {
    brokers: [...brokers],
    clientId: options.clientId,
    connectionTimeout: SOCKET_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: CONNECT_RETRY,
    logLevel: logLevel.WARN,
    logCreator: toLogCreator(logToEvents(dependencies.events, dependencies.now)),
    ssl: typeof options.tls === "object" ? { ca: [options.tls.ca] } : options.tls ?? false,
    ...(options.login === undefined ? {} : { sasl: toSasl(options.login) }),
  };
  if (options.login?.mechanism === "plain" && !options.tls) {
    dependencies.events({
      level: "warn",
      name: "bus.password_in_clear",
      message: "The password goes to Kafka unencrypted; use TLS, or a SCRAM mechanism",
    });
  }
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => deadline.reject(new BusError(`Cannot reach Kafka at ${brokers.join(", ")}: no answer`)),
    options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
  );
  const client = new KafkaJsClient(config, options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS);
  // Kafka's own name for who does not log in.
  const site = { brokers, principal: `User:${options.login?.username ?? "ANONYMOUS"}` };
  const bus = new KafkaBus(client, site, dependencies);
  const connecting = bus.connect();
  // After the time limit nobody waits for it any more.
  connecting.catch(() => {});
  try {
    await Promise.race([connecting, deadline.promise]);
    return bus;
  } catch (error) {
    // What could not connect may fail to disconnect.
    await bus.close().catch(() => {});
    throw toOpenError(site, error);
  } finally {
    clearTimeout(timer);
  }
}

/** The client library behind the bus's own view of it. */
class KafkaJsClient implements Client {
  readonly #config: KafkaConfig;
  readonly #kafka: Kafka;
  readonly #sessionTimeoutMs: number;

  constructor(config: KafkaConfig, sessionTimeoutMs: number) {
    this.#config = config;
    this.#kafka = new Kafka(config);
    this.#sessionTimeoutMs = sessionTimeoutMs;
  }

  async probe(): Promise<void> {
    const { brokers } = this.#config;
    const retries = Array.isArray(brokers) ? brokers.length - 1 : 0;
    const retry = { initialRetryTime: 50, maxRetryTime: 100, retries };
    const admin = new Kafka({ ...this.#config, retry, logLevel: logLevel.NOTHING }).admin();
    try {
      await admin.connect();
      await admin.describeCluster();
    } finally {
      await admin.disconnect();
    }
  }

  publisher(): ClientProducer {
    return this.#kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: PUBLISH_RETRY,
    });
  }

  transactional(id: string): ClientProducer {
    return this.#kafka.producer({
      transactionalId: id,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: STEP_RETRY,
    });
  }

  cluster(): { readonly cluster: ClientCluster; close(): Promise<void> } {
    // Assigners are given the connections of their consumer; this consumer is never run.
    const captured: Cluster[] = [];
    const capture: PartitionAssigner = (config) => {
      captured.push(config.cluster);
      return PartitionAssigners.roundRobin(config);
    };
    const consumer = this.#kafka.consumer({
      groupId: "none",
      partitionAssigners: [capture],
      allowAutoTopicCreation: false,
    });
    const [cluster] = captured;
    if (cluster === undefined) throw new TypeError("Kafka's client made no connections");
    return { cluster, close: () => consumer.disconnect() };
  }

  async join(group: string, topic: string, events: MembershipEvents): Promise<Membership> {
    let left = false;
    // It looks at each broker of the cluster, at all of them as often as at one.
    const looks = new Map<number, number>();
    let heardAt = performance.now();
    const lostMs = Math.max(LOST_MS, LOST_SESSIONS * this.#sessionTimeoutMs);
    const heard = () => {
      looks.clear();
      heardAt = performance.now();
    };
    let running: Promise<void> = Promise.resolve();
    const consumer = this.#kafka.consumer({
      groupId: group,
      sessionTimeout: this.#sessionTimeoutMs,
      rebalanceTimeout: this.#sessionTimeoutMs,
      heartbeatInterval: Math.min(HEARTBEAT_MS, Math.floor(this.#sessionTimeoutMs / 4)),
      maxWaitTimeInMs: BEAT_LOOK_MS,
      allowAutoTopicCreation: false,
      // It comes back by itself after each crash, unless it was told to leave meanwhile.
      retry: { ...CONNECT_RETRY, restartOnFailure: () => Promise.resolve(!left) },
    });
    const leave = () => consumer.disconnect();
    const run = () =>
      consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: () => Promise.resolve(),
      });
    consumer.on(consumer.events.FETCH, ({ payload }) => {
      const times = (looks.get(payload.nodeId) ?? 0) + 1;
      looks.set(payload.nodeId, times);
      if (times < LOST_LOOKS || performance.now() - heardAt < lostMs || left) return;
      heard();
      running = consumer.stop().then(() => left ? undefined : run())
        .catch((error: unknown) => events.failed(error));
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      heard();
      // Listeners run before the first fetch: paused for good, this consumer never fetches.
      consumer.pause([{ topic }]);
      if (left) return void leave();
      events.joined(payload.memberAssignment[topic] ?? []);
    });
    consumer.on(consumer.events.HEARTBEAT, () => {
      heard();
      events.confirmed();
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart && !left) events.failed(payload.error);
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic] });
    } catch (error) {
      await leave();
      throw error;
    }
    running = run().catch((error: unknown) => events.failed(error));
    return {
      showOffset: (partition, offset) =>
        consumer.commitOffsets([{ topic, partition, offset: String(offset) }]),
      leave: async () => {
        left = true;
        // While it is joining it cannot leave; the wait for others to join is the broker's.
        let timer: ReturnType<typeof setTimeout> | undefined;
        await Promise.race([running, new Promise((resolve) => timer = setTimeout(resolve, 1_000))]);
        clearTimeout(timer);
        await leave();
      },
    };
  }

  async admin(): Promise<ClientAdmin> {
    const admin = this.#kafka.admin();
    await admin.connect();
    return {
      listTopics: () => admin.listTopics(),
      createTopics: async (topics) => {
        await admin.createTopics({
          // Its wait gives up at the first broker that has not heard of the topic yet; who asks next
          // waits for that.
          waitForLeaders: false,
          topics: topics.map(({ configEntries, ...topic }) => ({
            ...topic,
            configEntries: configEntries.map(([name, value]) => ({ name, value })),
          })),
        });
      },
      settings: (topics) => readSettings(admin, topics),
      disconnect: () => admin.disconnect(),
    };
  }
}

async function readSettings(
  admin: Admin,
  topics: readonly string[],
): Promise<Map<string, Map<string, string>>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name })),
  });
  return new Map(resources.map(({ resourceName, configEntries }) => [
    resourceName,
    new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
  ]));
}

function toSasl(login: NonNullable<KafkaBusOptions["login"]>): SASLOptions {
  const { mechanism, username, password } = login;
  switch (mechanism) {
    case "plain":
      return { mechanism, username, password };
    case "scram-sha-256":
      return { mechanism, username, password };
    case "scram-sha-512":
      return { mechanism, username, password };
  }
}

function toLogCreator(tell: (line: LogLine) => void): logCreator {
  return () => ({ namespace, level, log }) => {
    const error: unknown = log.error;
    tell({
      level: level === logLevel.ERROR ? "error" : "warn",
      source: namespace === "" ? "client" : namespace,
      message: log.message,
      error: error instanceof Error ? error.message : typeof error === "string" ? error : "",
    });
  };
}
