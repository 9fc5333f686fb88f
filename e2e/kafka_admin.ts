/** What tests do to a Kafka cluster beside the bus. */
import {
  type AclEntry,
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ConfigResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from "kafkajs";

/** A right as `kafka-acls --add` takes it. */
export interface Grant {
  readonly principal: string;
  readonly operation: string;
  readonly resource: string;
  readonly name: string;
  readonly prefixed: boolean;
}

const OPERATIONS: Readonly<Record<string, AclOperationTypes>> = {
  Create: AclOperationTypes.CREATE,
  Describe: AclOperationTypes.DESCRIBE,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
  IdempotentWrite: AclOperationTypes.IDEMPOTENT_WRITE,
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
};
const RESOURCES: Readonly<Record<string, AclResourceTypes>> = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  "transactional-id": AclResourceTypes.TRANSACTIONAL_ID,
  cluster: AclResourceTypes.CLUSTER,
};

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

  /** The settings of a topic as the cluster has them. */
  async settings(topic: string): Promise<ReadonlyMap<string, string>> {
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      const { resources: [found] } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
      });
      return new Map(found.configEntries.map(({ configName, configValue }) => [
        configName,
        configValue,
      ]));
    } finally {
      await admin.disconnect();
    }
  }

  /** Grants a right in the words of `kafka-acls`. */
  async grant({ principal, operation, resource, name, prefixed }: Grant): Promise<void> {
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      const entry: AclEntry = {
        principal,
        host: "*",
        operation: OPERATIONS[operation],
        permissionType: AclPermissionTypes.ALLOW,
        resourceType: RESOURCES[resource],
        resourceName: resource === "cluster" ? "kafka-cluster" : name,
        resourcePatternType: prefixed
          ? ResourcePatternTypes.PREFIXED
          : ResourcePatternTypes.LITERAL,
      };
      await admin.createAcls({ acl: [entry] });
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
