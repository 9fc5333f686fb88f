/** One partition held by a group member: its fenced producer, its progress, its steps. */
import type { ClientProducer } from "./kafka_client.ts";
import { isFenced, toBusError } from "./kafka_errors.ts";
import { type KafkaFetcher, Signalled } from "./kafka_fetcher.ts";
import { checkSizes, toRequests } from "./kafka_requests.ts";
import { type KafkaSite, type Right, writeTopic } from "./kafka_rights.ts";
import { type Batch, BusError, FencedError, type Lease, type Outgoing, type Step } from "./port.ts";

/** What a lease is made with. */
export interface LeaseParts {
  readonly topic: string;
  readonly partition: number;
  readonly progressTopic: string;
  /** Key of the progress records, as bytes. */
  readonly progressKey: Uint8Array;
  readonly bytesInFlight: number;
  readonly idleMs: number;
  readonly site: KafkaSite;
  /** The right to write under its transactional id. */
  readonly right: Right;
  /** Connected, with the previous owner fenced. */
  readonly producer: ClientProducer;
  readonly fetcher: KafkaFetcher;
  /** Number of partitions of a topic. */
  readonly partitions: (topic: string) => Promise<number>;
  readProgress(): Promise<Uint8Array | null>;
  bounds(): Promise<{ readonly start: number; readonly end: number }>;
  /** Told after each step, with the offset to go on at. */
  committed(nextOffset: number): void;
  /** Told once, when the lease has ended for whatever reason. */
  ended(failure: unknown): void;
}

/** A lease on a partition of a Kafka topic. */
export class KafkaLease implements Lease {
  readonly topic: string;
  readonly partition: number;
  readonly lost: AbortSignal;
  readonly #parts: LeaseParts;
  readonly #end = new AbortController();
  readonly #settled = Promise.withResolvers<void>();
  #running: Promise<void> = Promise.resolve();
  #newestProgress: Uint8Array | null = null;
  #reading = false;

  constructor(parts: LeaseParts) {
    this.#parts = parts;
    this.topic = parts.topic;
    this.partition = parts.partition;
    this.lost = this.#end.signal;
  }

  /** Resolves when the lease has ended, its last step is over and its producer disconnected. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  async progress(): Promise<Uint8Array | null> {
    return this.#newestProgress ?? await this.#parts.readProgress();
  }

  bounds(): Promise<{ readonly start: number; readonly end: number }> {
    return this.#parts.bounds();
  }

  async *read(offset: number): AsyncGenerator<Batch | null> {
    if (this.#reading) throw new BusError(`Cannot read ${this.#name()} twice at a time`);
    if (this.lost.aborted) return;
    this.#reading = true;
    const { fetcher, bytesInFlight, idleMs } = this.#parts;
    const signal = new Signalled();
    const stream = fetcher.open(this.topic, this.partition, offset, bytesInFlight, signal.set);
    this.lost.addEventListener("abort", signal.set, { once: true });
    try {
      while (!this.lost.aborted) {
        const batch = stream.take();
        if (batch !== null) {
          yield batch;
          continue;
        }
        await signal.wait(idleMs);
        if (!this.lost.aborted && !stream.ready()) yield null;
      }
    } finally {
      this.lost.removeEventListener("abort", signal.set);
      stream.close();
      this.#reading = false;
    }
  }

  async commit(step: Step): Promise<void> {
    const previous = this.#running;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running = promise;
    await previous;
    try {
      await this.#commit(step);
    } finally {
      resolve();
    }
  }

  async release(): Promise<void> {
    this.revoke(new BusError(`The lease on ${this.#name()} was given back`), null);
    await this.settled;
  }

  /**
   * Ends the lease; a step under way is still finished.
   *
   * @param reason what readers of `lost` are told
   * @param failure what went wrong, null if nothing did
   */
  revoke(reason: BusError, failure: unknown): void {
    if (this.lost.aborted) return;
    this.#end.abort(reason);
    this.#parts.ended(failure);
    this.#running.then(() => this.#parts.producer.disconnect())
      // Its connection is gone already.
      .catch(() => {})
      .then(this.#settled.resolve);
  }

  async #commit(step: Step): Promise<void> {
    this.#refuseIfLost();
    const { progressTopic, progressKey, producer, site, right } = this.#parts;
    const progress = { key: progressKey, value: step.progress, partition: this.partition };
    const outgoing: Outgoing[] = [...step.outputs, { topic: progressTopic, records: [progress] }];
    checkSizes(outgoing);
    const counts = new Map<string, number>();
    for (const { topic } of outgoing) {
      if (!counts.has(topic)) counts.set(topic, await this.#partitions(topic));
    }
    const requests = toRequests(outgoing, counts).flat();
    // Knowing the topics took time.
    this.#refuseIfLost();
    let needed: readonly Right[] = [right];
    try {
      const transaction = await producer.transaction();
      for (const request of requests) {
        needed = [right, writeTopic(request.topic)];
        await transaction.sendBatch({ acks: -1, topicMessages: [request] });
      }
      await transaction.commit();
    } catch (error) {
      const failure = isFenced(error)
        ? new FencedError(
          `Cannot commit to ${this.#name()}: another member has taken the partition over`,
          { cause: error },
        )
        : toBusError(`commit a step of ${this.#name()}`, site, error, needed);
      // Whether the transaction stands is unknown: whoever holds the partition next reads it anew.
      this.revoke(failure, failure);
      throw failure;
    }
    this.#newestProgress = step.progress.slice();
    this.#parts.committed(step.nextOffset);
  }

  async #partitions(topic: string): Promise<number> {
    try {
      return await this.#parts.partitions(topic);
    } catch (error) {
      const { site } = this.#parts;
      throw toBusError(`commit a step of ${this.#name()}`, site, error, [writeTopic(topic)]);
    }
  }

  #refuseIfLost(): void {
    if (!this.lost.aborted) return;
    throw new FencedError(`Cannot commit to ${this.#name()}: the lease has ended`, {
      cause: this.lost.reason,
    });
  }

  #name(): string {
    return `${this.topic}/${this.partition}`;
  }
}
