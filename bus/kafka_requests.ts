/** Records on their way out: checked, given their partitions, cut into produce requests. */
import { Buffer } from "node:buffer";
import type { ClientMessage, ClientMessages } from "./kafka_client.ts";
import { murmur2Partition } from "./murmur2.ts";
import {
  BusError,
  type Outgoing,
  type OutgoingRecord,
  RECORD_BYTES_MAX,
  RecordTooLargeError,
} from "./port.ts";

/** Most bytes of one record batch; a topic takes 1,048,588 with its framing. */
const BATCH_BYTES_MAX = 1_000_000;
/** Room for key and headers of a record beside its value. */
const EXTRAS_BYTES_MAX = 40_000;
/** Most records of one record batch; the client's cost grows with its square. */
const BATCH_RECORDS_MAX = 1_000;
/** What Kafka adds to a record at most. */
const FRAMING_BYTES = 40;

/**
 * Records of one partition that go out in one request, as one record batch.
 *
 * Requests never mix partitions: when a leader moves while the client tries again, it takes a
 * broker's answer to the first try for an answer to the second, and loses or doubles the records
 * of the partitions that changed brokers.
 */
export type ProduceRequest = ClientMessages;

/**
 * Refuses records that no topic takes.
 *
 * @throws {RecordTooLargeError} naming the first of them
 */
export function checkSizes(outgoing: readonly Outgoing[]): void {
  for (const { topic, records } of outgoing) {
    for (const [i, record] of records.entries()) {
      const bytes = record.value?.length ?? 0;
      const extras = extraBytes(record);
      if (bytes <= RECORD_BYTES_MAX && extras <= EXTRAS_BYTES_MAX) continue;
      const part = bytes > RECORD_BYTES_MAX ? "value" : "key and headers";
      const limit = bytes > RECORD_BYTES_MAX ? RECORD_BYTES_MAX : EXTRAS_BYTES_MAX;
      throw new RecordTooLargeError(
        `Cannot publish record ${i} (key ${showKey(record.key)}) to ${topic}: its ${part} of ` +
          `${limit === RECORD_BYTES_MAX ? bytes : extras} bytes exceeds ${limit}`,
      );
    }
  }
}

/**
 * Cuts records into requests; those of one partition are to be sent one after another.
 *
 * @param partitions number of partitions by topic
 * @returns the requests of each partition, in the order of their first records
 * @throws {BusError} if a record names a partition that does not exist, or none and has no key
 */
export function toRequests(
  outgoing: readonly Outgoing[],
  partitions: ReadonlyMap<string, number>,
): ProduceRequest[][] {
  const queues = new Map<string, RequestQueue>();
  for (const { topic, records } of outgoing) {
    const count = partitions.get(topic) ?? 0;
    for (const record of records) {
      const message = toMessage(topic, record, count);
      const key = `${message.partition}/${topic}`;
      let queue = queues.get(key);
      if (queue === undefined) queues.set(key, queue = new RequestQueue(topic));
      queue.add(message, recordBytes(record));
    }
  }
  return [...queues.values()].map(({ requests }) => requests);
}

/** Bytes that a record takes on the wire, at most. */
export function recordBytes(record: OutgoingRecord): number {
  return (record.value?.length ?? 0) + extraBytes(record) + FRAMING_BYTES;
}

/** The requests of one partition; the last still takes records. */
class RequestQueue {
  readonly requests: ProduceRequest[] = [];
  #bytes = 0;

  constructor(readonly topic: string) {}

  add(message: ClientMessage, bytes: number): void {
    const last = this.requests.at(-1);
    const fits = last !== undefined && last.messages.length < BATCH_RECORDS_MAX &&
      this.#bytes + bytes <= BATCH_BYTES_MAX;
    if (fits) last.messages.push(message);
    else this.requests.push({ topic: this.topic, messages: [message] });
    this.#bytes = fits ? this.#bytes + bytes : bytes;
  }
}

function toMessage(topic: string, record: OutgoingRecord, count: number): ClientMessage {
  const key = record.key === null ? null : toBuffer(record.key);
  const value = record.value === null ? null : toBuffer(record.value);
  const partition = choosePartition(topic, record, count);
  return record.headers === undefined
    ? { key, value, partition }
    : { key, value, partition, headers: { ...record.headers } };
}

function choosePartition(topic: string, record: OutgoingRecord, count: number): number {
  const { key, partition } = record;
  if (partition === undefined) {
    if (key !== null) return murmur2Partition(key, count);
    throw new BusError(`Cannot publish to ${topic}: a record has neither a key nor a partition`);
  }
  if (Number.isInteger(partition) && partition >= 0 && partition < count) return partition;
  throw new BusError(
    `Cannot publish to ${topic}: partition ${partition} does not exist, it has ${count}`,
  );
}

function extraBytes(record: OutgoingRecord): number {
  let bytes = record.key?.length ?? 0;
  for (const [name, value] of Object.entries(record.headers ?? {})) {
    // UTF-8 takes at most three bytes for each unit of a JavaScript string.
    bytes += 3 * (name.length + value.length) + 10;
  }
  return bytes;
}

/** The same memory as a `Buffer`, which is what the client sends without converting. */
function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function showKey(key: Uint8Array | null): string {
  if (key === null) return "none";
  const text = new TextDecoder().decode(key.subarray(0, 64));
  return key.length > 64 ? `${text}…` : text;
}
