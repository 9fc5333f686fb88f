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
/** Most bytes of one round. */
const ROUND_BYTES_MAX = 8 << 20;
/** What Kafka adds to a record at most. */
const FRAMING_BYTES = 40;

/** What one request sends: at most one record batch a partition. */
export type Round = ClientMessages[];

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
 * Cuts records into rounds that are to be sent one after another.
 *
 * @param partitions number of partitions by topic
 * @throws {BusError} if a record names a partition that does not exist, or none and has no key
 */
export function toRounds(
  outgoing: readonly Outgoing[],
  partitions: ReadonlyMap<string, number>,
): Round[] {
  const builder = new RoundBuilder();
  for (const { topic, records } of outgoing) {
    const count = partitions.get(topic) ?? 0;
    for (const record of records) {
      builder.add(topic, toMessage(topic, record, count), recordBytes(record));
    }
  }
  return builder.rounds.map((round) =>
    [...round.topics].map(([topic, messages]) => ({ topic, messages }))
  );
}

/** Bytes that a record takes on the wire, at most. */
export function recordBytes(record: OutgoingRecord): number {
  return (record.value?.length ?? 0) + extraBytes(record) + FRAMING_BYTES;
}

interface OpenRound {
  readonly topics: Map<string, ClientMessage[]>;
  readonly fills: Map<string, { records: number; bytes: number }>;
  bytes: number;
}

/** Puts each record into the first round that has room and holds nothing later of its partition. */
class RoundBuilder {
  readonly rounds: OpenRound[] = [];
  /** Round that a partition's last record went to. */
  readonly #last = new Map<string, number>();

  add(topic: string, message: ClientMessage, bytes: number): void {
    const key = `${message.partition}/${topic}`;
    let at = this.#last.get(key) ?? 0;
    while (at < this.rounds.length && !hasRoom(this.rounds[at], key, bytes)) at++;
    if (at === this.rounds.length) {
      this.rounds.push({ topics: new Map(), fills: new Map(), bytes: 0 });
    }
    this.#last.set(key, at);
    const round = this.rounds[at];
    const fill = round.fills.get(key) ?? { records: 0, bytes: 0 };
    fill.records++;
    fill.bytes += bytes;
    round.fills.set(key, fill);
    round.bytes += bytes;
    const messages = round.topics.get(topic);
    if (messages === undefined) round.topics.set(topic, [message]);
    else messages.push(message);
  }
}

function hasRoom(round: OpenRound, key: string, bytes: number): boolean {
  const fill = round.fills.get(key);
  if (round.bytes > 0 && round.bytes + bytes > ROUND_BYTES_MAX) return false;
  return fill === undefined ||
    (fill.records < BATCH_RECORDS_MAX && fill.bytes + bytes <= BATCH_BYTES_MAX);
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
