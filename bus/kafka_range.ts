/** History of one partition, streamed: the next piece is fetched while one is used. */
import { KafkaCodeError, toBusError } from "./kafka_errors.ts";
import type { KafkaReader } from "./kafka_reader.ts";
import { type KafkaSite, readTopic } from "./kafka_rights.ts";
import { type Decoded, decodeRecords, type FetchedPartition } from "./kafka_records.ts";
import { type Batch, BusError } from "./port.ts";

/** Bytes asked for at a time. */
const PIECE_BYTES = 1 << 20;
/** Wait for records that must be there, milliseconds. */
const WAIT_MS = 100;
/** Fetches in a row that may bring nothing. */
const EMPTY_MAX = 10;
/** Longest wait for transactions that are just ending, and the time between looks, milliseconds. */
const SETTLE_MS_MAX = 250;
const SETTLE_LOOK_MS = 10;
const LEADER_NOT_AVAILABLE = 5;

/**
 * Records with `from <= offset < to`, ending at the newest committed one.
 *
 * @throws {BusError} if the partition does not exist or cannot be read to that end
 */
export async function* readRange(
  reader: KafkaReader,
  site: KafkaSite,
  topic: string,
  partition: number,
  from: number,
  to: number,
): AsyncGenerator<Batch> {
  const starts = await reader.offsets(topic, "start");
  if (starts[partition] === undefined) {
    throw new BusError(`Cannot read ${topic}/${partition}: it has ${starts.length} partitions`);
  }
  let newest = (await reader.offsets(topic, "end"))[partition];
  if (to > newest) {
    // A transaction that hangs open holds up the end for its own time; it is not waited for.
    await settle(reader, topic, partition, SETTLE_MS_MAX);
    newest = (await reader.offsets(topic, "end"))[partition];
  }
  const end = Math.min(to, newest);
  let position = Math.max(from, starts[partition]);
  if (position >= end) return;
  const fetchNext = (offset: number) => {
    const piece = fetchPiece(reader, site, topic, partition, offset, end);
    // It is awaited later, or not at all if the reader stops here.
    piece.catch(() => {});
    return piece;
  };
  let next: Promise<Decoded> | null = fetchNext(position);
  while (next !== null) {
    const { batch, nextOffset } = await next;
    if (nextOffset <= position) {
      // Who rebuilds state from history must not take a part of it for the whole.
      throw new BusError(
        `Cannot read ${topic}/${partition} at offset ${position}: Kafka gave nothing of it for ` +
          `${EMPTY_MAX * WAIT_MS} ms, though it holds records up to ${end}; try again`,
      );
    }
    position = nextOffset;
    next = position < end ? fetchNext(position) : null;
    if (batch !== null) yield batch;
  }
}

async function fetchPiece(
  reader: KafkaReader,
  site: KafkaSite,
  topic: string,
  partition: number,
  offset: number,
  end: number,
): Promise<Decoded> {
  for (let empty = 0; empty < EMPTY_MAX; empty++) {
    try {
      const part = await fetchOne(reader, topic, partition, offset, WAIT_MS);
      const decoded = decodeRecords(part, offset, end, PIECE_BYTES);
      if (decoded.nextOffset > offset) return decoded;
    } catch (error) {
      const action = `read ${topic}/${partition} at offset ${offset}`;
      throw toBusError(action, site, error, [readTopic(topic)]);
    }
  }
  return { batch: null, nextOffset: offset };
}

/**
 * Waits until all that was written before now is committed or aborted, and says whether it is.
 *
 * Kafka tells a transaction's writer that it is committed a little before readers see it.
 */
export async function settle(
  reader: KafkaReader,
  topic: string,
  partition: number,
  waitMs: number,
): Promise<boolean> {
  let target = -1;
  for (let waited = 0;; waited += SETTLE_LOOK_MS) {
    const end = (await reader.offsets(topic, "end"))[partition];
    const part = await fetchOne(reader, topic, partition, end, 0);
    if (target < 0) target = part.highWatermark;
    if (part.stableOffset >= target) return true;
    if (waited >= waitMs) return false;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_LOOK_MS));
  }
}

/** Fetches one partition from whoever leads it, while that may move. */
function fetchOne(
  reader: KafkaReader,
  topic: string,
  partition: number,
  offset: number,
  waitMs: number,
): Promise<FetchedPartition> {
  return reader.retry(async () => {
    const node = reader.leader(topic, partition);
    if (node === null) throw new KafkaCodeError(LEADER_NOT_AVAILABLE);
    const part = { topic, partition, offset, bytesMax: PIECE_BYTES };
    const [fetched] = await reader.fetch(node, [part], waitMs, PIECE_BYTES);
    if (fetched === undefined) throw new Error("Kafka answered without the partition asked for");
    if (fetched.errorCode !== 0) throw new KafkaCodeError(fetched.errorCode);
    return fetched;
  });
}
