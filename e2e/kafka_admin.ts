/** What tests do to a Kafka cluster beside the bus. */
import { Kafka, logLevel } from "kafkajs";

/** A client of its own for tests; `close` it. */
export class KafkaAdmin {
  readonly #kafka: Kafka;

  constructor(brokers: readonly string[]) {
    this.#kafka = new Kafka({
      brokers: [...brokers],
      clientId: "kilter-test",
      logLevel: logLevel.NOTHING,
    });
  }

  /** Creates a topic with settings of its own. */
  async createTopic(
    topic: string,
    partitions: number,
    settings: Readonly<Record<string, string>>,
  ): Promise<void> {
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
      await admin.createTopics({
        waitForLeaders: true,
        topics: [{ topic, numPartitions: partitions, configEntries }],
      });
    } finally {
      await admin.disconnect();
    }
  }

  /** Deletes the records of a partition before an offset. */
  async deleteRecords(topic: string, partition: number, before: number): Promise<void> {
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      // Deleting presumes that the client knows the topic.
      await admin.fetchTopicOffsets(topic);
      const partitions = [{ partition, offset: String(before) }];
      await admin.deleteTopicRecords({ topic, partitions });
    } finally {
      await admin.disconnect();
    }
  }

  /** Writes values in one transaction, then runs `during`, then ends the transaction. */
  async transact(
    topic: string,
    values: readonly string[],
    end: "commit" | "abort",
    during: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const producer = this.#kafka.producer({
      transactionalId: `test-${crypto.randomUUID()}`,
      createPartitioner: () => () => 0,
      retry: { initialRetryTime: 5, retries: 20 },
    });
    await producer.connect();
    try {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: values.map((value) => ({ value })) });
      await during();
      await (end === "commit" ? transaction.commit() : transaction.abort());
    } finally {
      await producer.disconnect();
    }
  }

  /** Takes a transactional id away from whoever has it. */
  async fence(transactionalId: string): Promise<void> {
    const producer = this.#kafka.producer({ transactionalId, createPartitioner: () => () => 0 });
    await producer.connect();
    try {
      await (await producer.transaction()).abort();
    } finally {
      await producer.disconnect();
    }
  }
}
