/**
 * The bus: ordered, durable, partitioned topics of bytes. It knows nothing of vehicles.
 *
 * Two implementations share one conformance suite: the embedded bus (a SQLite file) and Kafka.
 * Records are read in batches laid out as columns, so that no object is made per record.
 */
import type { EventSink } from "../contract/events.ts";

/** Headers of a record: UTF-8 text by name. */
export type Headers = Readonly<Record<string, string>>;

/** A record to be published. */
export interface OutgoingRecord {
  /** Decides the partition (Kafka's murmur2 default) unless `partition` is given; null: no key. */
  readonly key: Uint8Array | null;
  /** May be empty (a tick) or null (a tombstone; compacted topics only). */
  readonly value: Uint8Array | null;
  readonly headers?: Headers;
  /** Fixes the partition; needed where `key` is null. */
  readonly partition?: number;
}

/** Records of one topic, for one publish or step. */
export interface Outgoing {
  readonly topic: string;
  readonly records: readonly OutgoingRecord[];
}

/**
 * Consecutive records of one partition as columns.
 *
 * Value i is `values.subarray(i === 0 ? 0 : valueEnds[i - 1], valueEnds[i])`. The memory belongs to
 * the reader until it asks for the next batch; who keeps bytes longer copies them.
 */
export interface Batch {
  readonly topic: string;
  readonly partition: number;
  /** Records in the batch, at least 1. */
  readonly count: number;
  /** Offset of each record, ascending; gaps are possible (Kafka's transaction markers). */
  readonly offsets: Float64Array;
  /** Append time of each record, epoch milliseconds, as the bus stamped it. */
  readonly appendTimes: Float64Array;
  /** The values, back to back. */
  readonly values: Uint8Array;
  /** End of each value within `values`. */
  readonly valueEnds: Uint32Array;
  /** Key of record i, null if it has none. */
  key(i: number): Uint8Array | null;
  /** Headers of record i. */
  headers(i: number): Headers;
  /** Whether record i is a tombstone (its value column is empty then). */
  tombstone(i: number): boolean;
  /** Offset to go on at after this batch. */
  readonly nextOffset: number;
  /** Offset behind the partition's newest record when the batch was read; lag = this - nextOffset. */
  readonly highWatermark: number;
}

/** How a topic is kept. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** "delete" drops old records by age and size, "compact" keeps the newest of each key. */
  readonly cleanup: "delete" | "compact";
  /** Age beyond which records may be dropped; Infinity keeps them for ever. */
  readonly retentionMs: number;
  /** Bytes per partition beyond which the oldest records may be dropped; Infinity: no limit. */
  readonly retentionBytes: number;
}

/** One atomic step of a consumer: everything in it becomes visible, or nothing. */
export interface Step {
  /** Input offset to go on at. */
  readonly nextOffset: number;
  /** Records to append, in order. */
  readonly outputs: readonly Outgoing[];
  /**
   * The progress record: appended to the progress topic of the lease, on the lease's own partition
   * under the key `progressKey(group, topic)`.
   */
  readonly progress: Uint8Array;
}

/** What a group member holds of one partition: the right to read it and to commit steps. */
export interface Lease {
  readonly topic: string;
  readonly partition: number;
  /** Aborts when the partition is taken away; its reason says why. A commit after that is refused. */
  readonly lost: AbortSignal;
  /** The newest committed progress record, or null before the first step. */
  progress(): Promise<Uint8Array | null>;
  /** Offsets that the partition holds: oldest, and the one behind the newest. */
  bounds(): Promise<{ readonly start: number; readonly end: number }>;
  /**
   * Batches from `offset` on, waiting for new records at the end; ends when `lost` aborts. One call
   * at a time. At most `LeaseOptions.bytesInFlight` are read ahead of the consumer.
   *
   * `idle` of a batch-less wake-up: yields null at least every `LeaseOptions.idleMs` while there is
   * nothing to read, so that the owner can see to its timers.
   *
   * @throws {OffsetGoneError} if `offset` lies before the oldest record kept
   */
  read(offset: number): AsyncIterable<Batch | null>;
  /**
   * Carries out a step, durably.
   *
   * @throws {FencedError} if the lease is no longer this member's; nothing was written then
   */
  commit(step: Step): Promise<void>;
  /** Gives the partition back; idempotent. */
  release(): Promise<void>;
}

/** How a member reads. */
export interface LeaseOptions {
  readonly topic: string;
  readonly group: string;
  /** Topic that holds the progress records; it has at least as many partitions as `topic`. */
  readonly progressTopic: string;
  /** Bytes read ahead per partition, at most (one record may exceed it); default 8 MiB. */
  readonly bytesInFlight?: number;
  /** Longest wait of `Lease.read` without yielding; default 100. */
  readonly idleMs?: number;
  /** Ends the membership: leases are lost, their partitions go to the other members. */
  readonly signal: AbortSignal;
}

/** Where a plain reader starts, per partition: an offset, or one of the ends. */
export type ReadFrom = "earliest" | "latest" | ReadonlyMap<number, number>;

/** How a plain reader reads: all partitions, no group, nothing committed. */
export interface TailOptions {
  readonly topic: string;
  /** Partitions that a map does not name start at "earliest"; an offset that is gone likewise. */
  readonly from: ReadFrom;
  readonly bytesInFlight?: number;
  readonly signal: AbortSignal;
}

/** The port. */
export interface Bus {
  /** "embedded" or "kafka", for people. */
  readonly kind: string;
  /**
   * Creates the topics that do not exist and checks those that do.
   *
   * @throws {BusError} naming each difference that would lose data or break order
   */
  ensureTopics(specs: readonly TopicSpec[]): Promise<void>;
  /** Number of partitions of a topic. @throws {BusError} if it does not exist */
  partitions(topic: string): Promise<number>;
  /**
   * Appends records; resolves when they are durable. Records of one call that share a partition
   * keep their order. Not atomic over partitions.
   *
   * @throws {RecordTooLargeError} naming the record; nothing of the call was written then
   */
  publish(outgoing: readonly Outgoing[]): Promise<void>;
  /** Joins the group and yields a lease for each partition assigned, as they are assigned. */
  lease(options: LeaseOptions): AsyncIterable<Lease>;
  /** Reads all partitions, waiting at the end; ends when `signal` aborts. */
  tail(options: TailOptions): AsyncIterable<Batch>;
  /** Records with `from <= offset < to` of one partition; ends at the newest. */
  range(topic: string, partition: number, from: number, to: number): AsyncIterable<Batch>;
  /** Oldest offset and the one behind the newest, per partition. */
  bounds(topic: string): Promise<readonly { readonly start: number; readonly end: number }[]>;
  /** First offset whose append time is at least `timeMs`, or the end. */
  offsetAt(topic: string, partition: number, timeMs: number): Promise<number>;
  /** Counters and gauges by metric name (bytes read ahead, reconnects, …). */
  metrics(): Readonly<Record<string, number>>;
  /** Ends all reading and frees what is held; idempotent. */
  close(): Promise<void>;
}

/** What every bus is made with. */
export interface BusDependencies {
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
  readonly events: EventSink;
}

/** Largest value of one record in bytes, on both buses (Kafka's default less its framing). */
export const RECORD_BYTES_MAX = 1_000_000;

/** Key of the progress records of a group on a topic. */
export function progressKey(group: string, topic: string): string {
  return `progress/${group}/${topic}`;
}

/** Something the bus cannot do; the message says what, where and what to do. */
export class BusError extends Error {
  override name = "BusError";
}

/** The lease is another's by now. */
export class FencedError extends BusError {
  override name = "FencedError";
}

/** The offset asked for is older than what is kept. */
export class OffsetGoneError extends BusError {
  override name = "OffsetGoneError";
  /** @param start oldest offset that is still there */
  constructor(message: string, readonly start: number) {
    super(message);
  }
}

/** A record beyond `RECORD_BYTES_MAX`. */
export class RecordTooLargeError extends BusError {
  override name = "RecordTooLargeError";
}
