/**
 * Kafka's answer to a fetch, read into columns: no object is made per record.
 *
 * Formats: Fetch response version 11 and record batches of magic 2 (Kafka's protocol guide).
 */
import { CODEC_NAMES, decompress } from "./kafka_compression.ts";
import { type ColumnBatch, Columns, Cursor } from "./kafka_columns.ts";
import { BusError } from "./port.ts";

/** Version of the fetch answer that `decodeFetch` reads; brokers from 2.3 on give it. */
export const FETCH_VERSION = 11;

/** What a fetch brought of one partition. */
export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  /** Kafka's error code, 0 for none. */
  readonly errorCode: number;
  /** Offset behind the newest record, committed or not. */
  readonly highWatermark: number;
  /** Offset behind the newest record that readers of committed records may see. */
  readonly stableOffset: number;
  /** Transactions within the records that were aborted, by first offset. */
  readonly aborted: readonly { readonly producer: number; readonly first: number }[];
  /** Record batches back to back; the last may be cut. */
  readonly records: Uint8Array;
}

/** Size of a record batch's header, bytes. */
const HEADER_BYTES = 61;
/** Part of it before the bytes that its length counts. */
const LENGTH_END = 12;
const TIMESTAMP_APPEND = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

const decoder = new TextDecoder();

/** Reads the body of a fetch answer; the partitions' bytes are views of it. */
export function decodeFetch(body: Uint8Array): FetchedPartition[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  // throttle time, error code, session id
  let at = 4 + 2 + 4;
  const partitions: FetchedPartition[] = [];
  const topics = view.getInt32(at);
  at += 4;
  for (let t = 0; t < topics; t++) {
    const nameLength = view.getInt16(at);
    at += 2;
    const topic = decoder.decode(body.subarray(at, at + nameLength));
    at += nameLength;
    const count = view.getInt32(at);
    at += 4;
    for (let p = 0; p < count; p++) {
      const partition = view.getInt32(at);
      const errorCode = view.getInt16(at + 4);
      const highWatermark = getInt64(view, at + 6);
      const stableOffset = getInt64(view, at + 14);
      // log start offset: 8 bytes
      const abortedCount = view.getInt32(at + 30);
      at += 34;
      const aborted: { producer: number; first: number }[] = [];
      for (let a = 0; a < abortedCount; a++) {
        aborted.push({ producer: getInt64(view, at), first: getInt64(view, at + 8) });
        at += 16;
      }
      // preferred read replica: 4 bytes
      const size = Math.max(0, view.getInt32(at + 4));
      at += 8;
      const records = body.subarray(at, at + size);
      at += size;
      partitions.push({
        topic,
        partition,
        errorCode,
        highWatermark,
        stableOffset,
        aborted,
        records,
      });
    }
  }
  return partitions;
}

/** Records of one fetch that may be shown, and where to go on. */
export interface Decoded {
  /** Null if there was nothing to show: markers, aborted records, holes that compaction left. */
  readonly batch: ColumnBatch | null;
  /** Offset to fetch next; equals `from` if not even one whole record batch came. */
  readonly nextOffset: number;
}

/** One record batch within the fetched bytes. */
interface BatchHeader {
  readonly start: number;
  readonly end: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly attributes: number;
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
  readonly producer: number;
  readonly count: number;
}

/**
 * Reads fetched records with `from <= offset < to` into a batch of its own memory.
 *
 * @param bytesMax values that the batch may hold, in bytes; one record may exceed it
 * @throws {BusError} if the bytes are damaged or of a format before Kafka 0.11
 */
export function decodeRecords(
  fetched: FetchedPartition,
  from: number,
  to: number,
  bytesMax: number,
): Decoded {
  const { topic, partition, records } = fetched;
  const headers = readHeaders(fetched, to);
  if (headers.length === 0) return { batch: null, nextOffset: from };
  const last = headers[headers.length - 1];
  const fetchedTo = Math.min(to, Math.max(from, last.lastOffset + 1));
  const shown = visible(headers, fetched).filter((header) => header.lastOffset >= from);
  const columns = new Columns(bytesMax);
  try {
    const bodies = shown.map((header) =>
      decompress(header.attributes & 7, records.subarray(header.start + HEADER_BYTES, header.end))
    );
    columns.reserve(
      shown.reduce((sum, header) => sum + header.count, 0),
      bodies.reduce((sum, body) => sum + body.length, 0),
    );
    for (const [i, header] of shown.entries()) {
      if (columns.cutAt === null) readRecords(header, bodies[i], from, to, columns);
    }
  } catch (error) {
    if (error instanceof BusError) throw error;
    const codec = CODEC_NAMES[shown[0].attributes & 7] ?? "unknown";
    throw new BusError(
      `Cannot read ${topic}/${partition} at offset ${shown[0].baseOffset} (compression ${codec}): ${
        error instanceof Error ? error.message : String(error)
      }`,
      { cause: error },
    );
  }
  const nextOffset = columns.cutAt ?? fetchedTo;
  if (columns.count === 0) return { batch: null, nextOffset };
  const highWatermark = Math.max(fetched.stableOffset, nextOffset);
  return { batch: columns.finish({ topic, partition, nextOffset, highWatermark }), nextOffset };
}

/** The whole record batches that begin before `to`. */
function readHeaders(fetched: FetchedPartition, to: number): BatchHeader[] {
  const { records } = fetched;
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  const headers: BatchHeader[] = [];
  for (let at = 0; at + HEADER_BYTES <= records.length;) {
    const end = at + LENGTH_END + view.getInt32(at + 8);
    if (end > records.length) break;
    const baseOffset = getInt64(view, at);
    if (baseOffset >= to && headers.length > 0) break;
    const magic = view.getInt8(at + 16);
    if (magic !== 2) {
      throw new BusError(
        `Cannot read ${fetched.topic}/${fetched.partition} at offset ${baseOffset}: ` +
          `message format ${magic} was replaced in Kafka 0.11; rewrite the topic`,
      );
    }
    headers.push({
      start: at,
      end,
      baseOffset,
      lastOffset: baseOffset + view.getInt32(at + 23),
      attributes: view.getInt16(at + 21),
      firstTimestamp: getInt64(view, at + 27),
      maxTimestamp: getInt64(view, at + 35),
      producer: getInt64(view, at + 43),
      count: view.getInt32(at + 57),
    });
    at = end;
  }
  return headers;
}

/** Leaves out markers and what was written in transactions that were aborted. */
function visible(headers: readonly BatchHeader[], fetched: FetchedPartition): BatchHeader[] {
  const pending = [...fetched.aborted].sort((a, b) => a.first - b.first);
  const aborting = new Set<number>();
  let next = 0;
  return headers.filter((header) => {
    while (next < pending.length && pending[next].first <= header.lastOffset) {
      aborting.add(pending[next++].producer);
    }
    if ((header.attributes & CONTROL) !== 0) {
      // Any marker ends the producer's transaction; of an aborting one it is the abort.
      aborting.delete(header.producer);
      return false;
    }
    return (header.attributes & TRANSACTIONAL) === 0 || !aborting.has(header.producer);
  });
}

function readRecords(
  header: BatchHeader,
  body: Uint8Array,
  from: number,
  to: number,
  columns: Columns,
): void {
  const appended = (header.attributes & TIMESTAMP_APPEND) !== 0;
  const cursor = new Cursor(body);
  for (let r = 0; r < header.count; r++) {
    const end = cursor.varint() + cursor.at;
    cursor.at += 1;
    const timestamp = cursor.varint() + header.firstTimestamp;
    const offset = cursor.varint() + header.baseOffset;
    const keyLength = cursor.varint();
    const keyStart = cursor.at;
    cursor.at += Math.max(0, keyLength);
    const valueLength = cursor.varint();
    const valueStart = cursor.at;
    cursor.at += Math.max(0, valueLength);
    if (cursor.at > end || end > body.length) throw new RangeError("a record ends too early");
    if (offset >= from && offset < to) {
      if (columns.isFull(valueLength)) {
        columns.cutAt = offset;
        return;
      }
      columns.add(
        offset,
        appended ? header.maxTimestamp : timestamp,
        keyLength < 0 ? null : body.subarray(keyStart, keyStart + keyLength),
        valueLength < 0 ? null : body.subarray(valueStart, valueStart + valueLength),
        body.subarray(cursor.at, end),
      );
    }
    cursor.at = end;
  }
}

function getInt64(view: DataView, at: number): number {
  return view.getInt32(at) * 2 ** 32 + view.getUint32(at + 4);
}
