/** Records on their way into the embedded bus: checked, given their partitions, cut into rows. */
import { encodeRow } from "./embedded_batch_codec.ts";
import { murmur2Partition } from "./murmur2.ts";
import {
  BusError,
  type Outgoing,
  type OutgoingRecord,
  RECORD_BYTES_MAX,
  RecordTooLargeError,
  type TopicSpec,
} from "./port.ts";

/** Values of one row beyond which the next begins; a single record may exceed it. */
const ROW_BYTES_MAX = 256 << 10;
/** Records of one row, at most. */
const ROW_RECORDS_MAX = 8_192;
/** Room for key and headers of a record beside its value, as on Kafka. */
const EXTRAS_BYTES_MAX = 40_000;

/** A row ready to be appended. */
export interface OutgoingRow {
  readonly topic: string;
  readonly partition: number;
  readonly count: number;
  readonly blob: Uint8Array;
  /** Keys and whether each is a tombstone; null unless the topic is compacted. */
  readonly keys: readonly { readonly key: Uint8Array; readonly tombstone: boolean }[] | null;
}

/** What of a topic decides about its records. */
export type TopicShape = Pick<TopicSpec, "name" | "partitions" | "cleanup">;

/**
 * Checks every record, then encodes them all; the caller's memory is free afterwards.
 *
 * @param topicOf throws a BusError for a topic that does not exist
 * @throws {RecordTooLargeError} naming the record
 * @throws {BusError} if a record cannot be placed
 */
export function toRows(
  outgoing: readonly Outgoing[],
  topicOf: (name: string) => TopicShape,
): OutgoingRow[] {
  const rows: OutgoingRow[] = [];
  const placed = outgoing.map(({ topic, records }) => {
    const shape = topicOf(topic);
    return { shape, partitions: place(shape, records) };
  });
  for (const { shape, partitions } of placed) {
    for (const [partition, records] of partitions) cutRows(shape, partition, records, rows);
  }
  return rows;
}

function place(
  topic: TopicShape,
  records: readonly OutgoingRecord[],
): Map<number, OutgoingRecord[]> {
  const placed = new Map<number, OutgoingRecord[]>();
  for (let i = 0; i < records.length; i++) {
    const record = records[i];
    checkSize(topic.name, record, i);
    const partition = partitionOf(topic, record, i);
    const already = placed.get(partition);
    if (already === undefined) placed.set(partition, [record]);
    else already.push(record);
  }
  return placed;
}

function checkSize(topic: string, record: OutgoingRecord, i: number): void {
  const bytes = record.value?.length ?? 0;
  if (bytes > RECORD_BYTES_MAX) {
    throw new RecordTooLargeError(
      `Cannot publish ${describe(topic, record, i)}: its value has ${bytes} bytes, ` +
        `more than ${RECORD_BYTES_MAX}; split it`,
    );
  }
  let extras = record.key?.length ?? 0;
  for (const [name, value] of Object.entries(record.headers ?? {})) {
    extras += name.length + value.length;
  }
  if (extras > EXTRAS_BYTES_MAX) {
    throw new RecordTooLargeError(
      `Cannot publish ${describe(topic, record, i)}: its key and headers have ${extras} bytes, ` +
        `more than ${EXTRAS_BYTES_MAX}; shorten them`,
    );
  }
}

function partitionOf(topic: TopicShape, record: OutgoingRecord, i: number): number {
  const { key, partition } = record;
  if (topic.cleanup === "compact" && key === null) {
    throw new BusError(
      `Cannot publish ${describe(topic.name, record, i)}: a compacted topic needs keys`,
    );
  }
  if (topic.cleanup === "delete" && record.value === null) {
    throw new BusError(
      `Cannot publish ${describe(topic.name, record, i)}: it is a tombstone, ` +
        "which only compacted topics take",
    );
  }
  if (partition === undefined) {
    if (key !== null) return murmur2Partition(key, topic.partitions);
    throw new BusError(
      `Cannot publish ${describe(topic.name, record, i)}: it has neither key nor partition`,
    );
  }
  if (!Number.isInteger(partition) || partition < 0 || partition >= topic.partitions) {
    throw new BusError(
      `Cannot publish ${describe(topic.name, record, i)} to partition ${partition}: ` +
        `there are ${topic.partitions}`,
    );
  }
  return partition;
}

function cutRows(
  topic: TopicShape,
  partition: number,
  records: readonly OutgoingRecord[],
  rows: OutgoingRow[],
): void {
  let start = 0;
  let bytes = 0;
  for (let i = 0; i <= records.length; i++) {
    const next = i < records.length ? records[i].value?.length ?? 0 : Infinity;
    const full = bytes + next > ROW_BYTES_MAX || i - start >= ROW_RECORDS_MAX;
    if (full && i > start) {
      const part = start === 0 && i === records.length ? records : records.slice(start, i);
      rows.push({
        topic: topic.name,
        partition,
        count: part.length,
        blob: encodeRow(part),
        keys: topic.cleanup === "compact" ? part.map(toKey) : null,
      });
      start = i;
      bytes = 0;
    }
    bytes += next;
  }
}

function toKey({ key, value }: OutgoingRecord): { key: Uint8Array; tombstone: boolean } {
  // Records of compacted topics have keys: `partitionOf` refuses the others.
  return { key: key === null ? new Uint8Array(0) : key.slice(), tombstone: value === null };
}

function describe(topic: string, { key }: OutgoingRecord, i: number): string {
  const shown = key === null ? "no key" : `key ${JSON.stringify(showKey(key))}`;
  return `record ${i} (${shown}) to ${topic}`;
}

function showKey(key: Uint8Array): string {
  const text = new TextDecoder().decode(key.subarray(0, 64));
  return key.length > 64 ? `${text}…` : text;
}
