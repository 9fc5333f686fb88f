/**
 * What the Kafka bus needs of its client library, and no more: `kafka_bus.ts` alone knows which
 * library that is.
 */
import type { Buffer } from "node:buffer";

/** A message as the client sends it. */
export interface ClientMessage {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly partition: number;
  readonly headers?: Record<string, string>;
}

/** Messages of one topic. */
export interface ClientMessages {
  readonly topic: string;
  readonly messages: ClientMessage[];
}

/** Sends messages; resolves when all replicas in sync have them. */
export interface ClientSender {
  sendBatch(batch: { acks: number; topicMessages: ClientMessages[] }): Promise<unknown>;
}

/** A transaction that has begun. */
export interface ClientTransaction extends ClientSender {
  commit(): Promise<void>;
  abort(): Promise<void>;
}

/** A producer; transactional if it was made with an id. */
export interface ClientProducer extends ClientSender {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  transaction(): Promise<ClientTransaction>;
}

/** One partition as the cluster's metadata tell of it. */
export interface ClientPartition {
  readonly partitionId: number;
  /** Node that leads it; -1 if none does. */
  readonly leader: number;
  /** Nodes that keep a copy of it. */
  readonly replicas: readonly number[];
}

/** A request for records of several partitions of one node. */
export interface ClientFetch {
  maxWaitTime: number;
  minBytes: number;
  maxBytes: number;
  isolationLevel: number;
  topics: {
    topic: string;
    partitions: { partition: number; fetchOffset: string; maxBytes: number }[];
  }[];
}

/** One node of the cluster. */
export interface ClientBroker {
  fetch(request: ClientFetch): Promise<unknown>;
}

/** Connections to a cluster, one for fetches and one for the rest per node. */
export interface ClientCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  isConnected(): boolean;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findBroker(node: { nodeId: string }): Promise<ClientBroker>;
  findTopicPartitionMetadata(topic: string): readonly ClientPartition[];
  removeBroker(address: { host: string; port: number }): void;
  fetchTopicsOffset(
    topics: (
      | { topic: string; partitions: { partition: number }[]; fromBeginning: boolean }
      | { topic: string; partitions: { partition: number }[]; fromTimestamp: number }
    )[],
  ): Promise<{ partitions: { partition: number; offset: string }[] }[]>;
}

/** What happens to a member of a consumer group. */
export interface MembershipEvents {
  /** The group has settled; called before anything else happens in it. */
  joined(partitions: readonly number[]): void;
  /** The group's coordinator still counts this member in. */
  confirmed(): void;
  /** The membership has ended and is not tried again. */
  failed(error: unknown): void;
}

/** Membership of a consumer group that reads nothing itself. */
export interface Membership {
  /** Shows how far the group is; of no other meaning. */
  showOffset(partition: number, offset: number): Promise<void>;
  leave(): Promise<void>;
}

/** Settings of one topic as the cluster has them. */
export type TopicSettings = ReadonlyMap<string, string>;

/** Administration of topics. */
export interface ClientAdmin {
  /** Names of all topics. */
  listTopics(): Promise<string[]>;
  createTopics(
    topics: { topic: string; numPartitions: number; configEntries: [string, string][] }[],
  ): Promise<void>;
  settings(topics: readonly string[]): Promise<ReadonlyMap<string, TopicSettings>>;
  disconnect(): Promise<void>;
}

/** Makes connections; nothing made is connected yet unless it says so. */
export interface Client {
  /** Tries each broker once, and the addresses that the cluster gives for itself. */
  probe(): Promise<void>;
  /** Producer without transactions: idempotent, for plain publishing. */
  publisher(): ClientProducer;
  /** Producer of one transactional id. */
  transactional(id: string): ClientProducer;
  /** Connections for reading committed records. */
  cluster(): { readonly cluster: ClientCluster; close(): Promise<void> };
  /** Joins a group; resolves once joining has begun. */
  join(group: string, topic: string, events: MembershipEvents): Promise<Membership>;
  /** Connected administration. */
  admin(): Promise<ClientAdmin>;
}
