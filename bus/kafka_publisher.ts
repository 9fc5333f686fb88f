/** Plain publishing: calls made while a request is under way go out together in the next one. */
import type { Client, ClientProducer } from "./kafka_client.ts";
import { toBusError } from "./kafka_errors.ts";
import { checkSizes, type ProduceRequest, toRequests } from "./kafka_requests.ts";
import { idempotentWrite, type KafkaSite, writeTopic } from "./kafka_rights.ts";
import { BusError, type Outgoing } from "./port.ts";

/** Most calls that go out together. */
const CALLS_MAX = 1_000;

interface Call {
  readonly outgoing: readonly Outgoing[];
  readonly done: PromiseWithResolvers<void>;
}

/** Publishes through one idempotent producer, which is made anew after a failure. */
export class KafkaPublisher {
  readonly #client: Client;
  readonly #site: KafkaSite;
  readonly #partitions: (topic: string) => Promise<number>;
  #producer: Promise<ClientProducer> | null = null;
  readonly #waiting: Call[] = [];
  #sending: Promise<void> | null = null;
  #closed = false;
  /** Records published, for the metrics. */
  published = 0;

  /** @param partitions number of partitions of a topic */
  constructor(
    client: Client,
    site: KafkaSite,
    partitions: (topic: string) => Promise<number>,
  ) {
    this.#client = client;
    this.#site = site;
    this.#partitions = partitions;
  }

  /** Calls that wait for the request under way; whoever called waits with them. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Publishes; see `Bus.publish`. */
  async publish(outgoing: readonly Outgoing[]): Promise<void> {
    checkSizes(outgoing);
    if (this.#closed) throw new BusError("Cannot publish: the bus is closed");
    if (outgoing.every(({ records }) => records.length === 0)) return;
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ outgoing, done });
    this.#sending ??= this.#drain().finally(() => this.#sending = null);
    await done.promise;
  }

  /** Waits for what is under way and disconnects. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#sending;
    await this.#dropProducer();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const calls = this.#waiting.splice(0, CALLS_MAX);
      const good: Call[] = [];
      const outgoing: Outgoing[] = [];
      const counts = new Map<string, number>();
      for (const call of calls) {
        try {
          for (const { topic } of call.outgoing) {
            if (!counts.has(topic)) counts.set(topic, await this.#count(topic));
          }
          // Refuses this call alone if it names no possible partition.
          toRequests(call.outgoing, counts);
          good.push(call);
          outgoing.push(...call.outgoing);
        } catch (error) {
          call.done.reject(this.#describe(call.outgoing, error));
        }
      }
      try {
        await this.#send(toRequests(outgoing, counts));
        for (const call of good) call.done.resolve();
        for (const { records } of outgoing) this.published += records.length;
      } catch (error) {
        for (const call of good) call.done.reject(this.#describe(call.outgoing, error));
        // Its sequence numbers are in doubt: a new producer cannot mistake new records for old.
        await this.#dropProducer();
      }
    }
  }

  /** Sends partitions side by side, and each one's requests in order. */
  async #send(partitions: readonly ProduceRequest[][]): Promise<void> {
    if (partitions.length === 0) return;
    this.#producer ??= this.#connect();
    const producer = await this.#producer;
    const sent = await Promise.allSettled(partitions.map(async (requests) => {
      for (const request of requests) {
        try {
          await producer.sendBatch({ acks: -1, topicMessages: [request] });
        } catch (error) {
          const { topic } = request;
          throw toBusError(`publish to ${topic}`, this.#site, error, [writeTopic(topic)]);
        }
      }
    }));
    for (const one of sent) if (one.status === "rejected") throw one.reason;
  }

  async #count(topic: string): Promise<number> {
    try {
      return await this.#partitions(topic);
    } catch (error) {
      throw toBusError(`publish to ${topic}`, this.#site, error, [writeTopic(topic)]);
    }
  }

  async #connect(): Promise<ClientProducer> {
    const producer = this.#client.publisher();
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      // It may be connected and refused its number.
      await producer.disconnect().catch(() => {});
      throw error;
    }
  }

  async #dropProducer(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    try {
      await (await producer)?.disconnect();
    } catch {
      // It never connected, or its connection is gone already; the failed call has told why.
    }
  }

  #describe(outgoing: readonly Outgoing[], error: unknown): BusError {
    const topics = [...new Set(outgoing.map(({ topic }) => topic))];
    const needed = [idempotentWrite(topics[0]), ...topics.map(writeTopic)];
    return toBusError(`publish to ${topics.join(", ")}`, this.#site, error, needed);
  }
}
