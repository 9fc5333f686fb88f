/** The client library's own consumer, to be compared with. */
import { type Consumer, Kafka, logLevel } from "kafkajs";

/** A member of a group of its own that counts records. */
export class KafkaConsumer {
  #seen = 0;
  #wanted = Infinity;
  readonly #reached = Promise.withResolvers<void>();

  private constructor(readonly consumer: Consumer) {}

  /** Joins; resolves once the partitions are assigned. */
  static async join(brokers: readonly string[], topic: string): Promise<KafkaConsumer> {
    const kafka = new Kafka({
      brokers: [...brokers],
      clientId: "kilter-bench",
      logLevel: logLevel.NOTHING,
    });
    const consumer = kafka.consumer({ groupId: `bench.${crypto.randomUUID()}` });
    const own = new KafkaConsumer(consumer);
    const joined = Promise.withResolvers<void>();
    consumer.on(consumer.events.GROUP_JOIN, () => {
      // Nothing is read before the time is taken.
      consumer.pause([{ topic }]);
      joined.resolve();
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch }) => {
        own.#seen += batch.messages.length;
        if (own.#seen >= own.#wanted) own.#reached.resolve();
        return Promise.resolve();
      },
    });
    await joined.promise;
    return own;
  }

  /** Reads so many records. */
  async count(records: number): Promise<void> {
    this.#wanted = records;
    this.consumer.resume(this.consumer.paused());
    await this.#reached.promise;
  }

  /** Leaves the group. */
  async leave(): Promise<void> {
    await this.consumer.disconnect();
  }
}
