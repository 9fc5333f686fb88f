/**
 * Pulls records of many partitions into bounded buffers, one long poll a node at a time.
 *
 * Polls ask only for partitions whose buffer has room: who reads slowly is fetched slowly.
 */
import { isPassingCode, KafkaCodeError, toBusError } from "./kafka_errors.ts";
import { ColumnBatch } from "./kafka_columns.ts";
import type { FetchPart, KafkaReader } from "./kafka_reader.ts";
import { type KafkaSite, readTopic } from "./kafka_rights.ts";
import { decodeRecords, type FetchedPartition } from "./kafka_records.ts";
import { type Batch, type BusDependencies, BusError, OffsetGoneError } from "./port.ts";

/** Wait of a poll at the end of the log, milliseconds. */
const WAIT_MS = 250;
/** The same while a partition is left out of the poll, so that it comes in soon. */
const WAIT_MS_CROWDED = 20;
/** Bytes asked of one partition a poll, and of all of one node. */
const PART_BYTES = 1 << 20;
const POLL_BYTES = 8 << 20;
/** Small batches are joined up to this size. */
const BATCH_BYTES_MAX = 1 << 20;
/** First and longest pause after a fault, milliseconds. */
const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 1_000;

/** Time without a fault after which reading is said to go on, milliseconds. */
const CALM_MS = 2_000;

const OFFSET_OUT_OF_RANGE = 1;

/** Totals over all fetchers of a bus, for its metrics. */
export interface FetchTotals {
  bytesAhead: number;
  polls: number;
  reconnects: number;
}

/** Reads partitions through one reader. */
export class KafkaFetcher {
  readonly #reader: KafkaReader;
  readonly #site: KafkaSite;
  readonly #dependencies: BusDependencies;
  readonly totals: FetchTotals;
  readonly #streams = new Set<PartitionStream>();
  /** Nodes with a poll under way. */
  readonly #polling = new Map<string, Promise<void>>();
  #closed = false;
  #pauseMs = 0;
  /** When an interruption was told of that is not over yet, and when the last fault was seen. */
  #toldAt: number | null = null;
  #failedAt = -Infinity;
  #pausing: ReturnType<typeof setTimeout> | undefined;
  #refreshing: Promise<void> | null = null;

  constructor(
    reader: KafkaReader,
    site: KafkaSite,
    dependencies: BusDependencies,
    totals: FetchTotals,
  ) {
    this.#reader = reader;
    this.#site = site;
    this.#dependencies = dependencies;
    this.totals = totals;
  }

  /** Starts reading a partition; the topic must have been prepared on the reader. */
  open(
    topic: string,
    partition: number,
    offset: number,
    bytesInFlight: number,
    onReady: () => void,
  ): PartitionStream {
    const stream = new PartitionStream(this, topic, partition, offset, bytesInFlight, onReady);
    this.#streams.add(stream);
    this.pump();
    return stream;
  }

  /** Starts a poll on each node that has none and leads a partition with room. */
  pump(): void {
    if (this.#closed || this.#pausing !== undefined || this.#refreshing !== null) return;
    const wanted = new Map<string, PartitionStream[]>();
    const crowded = new Set<string>();
    for (const stream of this.#streams) {
      const node = this.#reader.leader(stream.topic, stream.partition);
      if (node === null) {
        if (stream.hasRoom()) return this.#recover(null);
        continue;
      }
      if (!stream.hasRoom()) crowded.add(node);
      else wanted.set(node, [...wanted.get(node) ?? [], stream]);
    }
    for (const [node, streams] of wanted) {
      if (this.#polling.has(node)) continue;
      const wait = crowded.has(node) ? WAIT_MS_CROWDED : WAIT_MS;
      const poll = this.#poll(node, streams, wait).finally(() => {
        this.#polling.delete(node);
        this.pump();
      });
      this.#polling.set(node, poll);
    }
  }

  /** Leaves a stream out of further polls. */
  drop(stream: PartitionStream): void {
    this.#streams.delete(stream);
  }

  /** Ends all streams; resolves when no poll is under way any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#pausing);
    for (const stream of [...this.#streams]) stream.close();
    await Promise.all(this.#polling.values());
  }

  async #poll(node: string, streams: readonly PartitionStream[], waitMs: number): Promise<void> {
    const asked = new Map(streams.map((stream) => [`${stream.topic}/${stream.partition}`, stream]));
    const parts: FetchPart[] = [...asked.values()].map((stream) => ({
      topic: stream.topic,
      partition: stream.partition,
      offset: stream.position,
      bytesMax: Math.min(PART_BYTES, stream.room()),
    }));
    const positions = new Map(
      parts.map((part) => [`${part.topic}/${part.partition}`, part.offset]),
    );
    this.totals.polls++;
    let fetched: FetchedPartition[];
    try {
      fetched = await this.#reader.fetch(node, parts, waitMs, POLL_BYTES);
    } catch (error) {
      return this.#recover(error);
    }
    this.#settle();
    for (const part of fetched) {
      const key = `${part.topic}/${part.partition}`;
      const stream = asked.get(key);
      // A stream may have been closed or moved meanwhile.
      if (stream === undefined || stream.position !== positions.get(key)) continue;
      await this.#take(stream, part);
    }
  }

  async #take(stream: PartitionStream, part: FetchedPartition): Promise<void> {
    const { topic, partition, errorCode } = part;
    if (errorCode === 0) {
      try {
        stream.accept(part);
      } catch (error) {
        stream.fail(toBusError(`read ${topic}/${partition}`, this.#site, error));
      }
    } else if (errorCode === OFFSET_OUT_OF_RANGE) {
      try {
        const start = (await this.#reader.offsets(topic, "start"))[partition];
        stream.fail(outOfRange(stream, start));
      } catch (error) {
        this.#recover(error);
      }
    } else if (isPassingCode(errorCode)) {
      this.#recover(new KafkaCodeError(errorCode));
    } else {
      const error = new KafkaCodeError(errorCode);
      const needed = [readTopic(topic)];
      stream.fail(toBusError(`read ${topic}/${partition}`, this.#site, error, needed));
    }
  }

  /** Looks up leaders and connections again, after a pause that grows with each fault in a row. */
  #recover(error: unknown): void {
    if (error !== null) this.#failedAt = this.#dependencies.now();
    if (this.#closed || this.#pausing !== undefined || this.#refreshing !== null) return;
    if (this.#toldAt === null && error !== null) {
      this.#toldAt = this.#dependencies.now();
      this.#dependencies.events({
        level: "warn",
        name: "bus.interrupted",
        message: `Reading from Kafka is interrupted and tried again: ${
          toBusError("read", this.#site, error).message
        }`,
      });
    }
    this.#pauseMs = Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, this.#pauseMs * 2));
    this.#pausing = setTimeout(() => {
      this.#pausing = undefined;
      this.#refreshing = this.#reader.refresh()
        .then(() => null, (failure: unknown) => failure)
        .then((failure) => {
          this.#refreshing = null;
          if (failure === null) this.pump();
          else this.#recover(failure);
        });
    }, this.#pauseMs);
  }

  /** Notes that a poll has succeeded. */
  #settle(): void {
    this.#pauseMs = 0;
    // While one of several brokers is gone, the others' answers prove nothing.
    if (this.#toldAt === null || this.#dependencies.now() - this.#failedAt < CALM_MS) return;
    this.#toldAt = null;
    this.totals.reconnects++;
    this.#dependencies.events({
      level: "info",
      name: "bus.reconnected",
      message: "Reading from Kafka goes on",
    });
  }
}

function outOfRange(stream: PartitionStream, start: number): BusError {
  const { topic, partition, position } = stream;
  return position < start
    ? new OffsetGoneError(
      `Cannot read ${topic}/${partition} from offset ${position}: the oldest kept is ${start}`,
      start,
    )
    : new BusError(
      `Cannot read ${topic}/${partition} from offset ${position}: the log ends before it; ` +
        "the topic was made anew or has lost records",
    );
}

/** One partition being read, with what has been fetched ahead of its reader. */
export class PartitionStream {
  readonly #fetcher: KafkaFetcher;
  readonly #bytesInFlight: number;
  readonly #onReady: () => void;
  readonly #buffer: ColumnBatch[] = [];
  #bytes = 0;
  #failure: BusError | null = null;
  #closed = false;
  /** Offset that is fetched next. */
  position: number;

  constructor(
    fetcher: KafkaFetcher,
    readonly topic: string,
    readonly partition: number,
    offset: number,
    bytesInFlight: number,
    onReady: () => void,
  ) {
    this.#fetcher = fetcher;
    this.#bytesInFlight = bytesInFlight;
    this.#onReady = onReady;
    this.position = offset;
  }

  /** Bytes that may still be fetched ahead, at least 1. */
  room(): number {
    return Math.max(1, this.#bytesInFlight - this.#bytes);
  }

  /** Whether more is to be fetched: half of what may be ahead is used up. */
  hasRoom(): boolean {
    return !this.#closed && this.#failure === null && this.#bytes <= this.#bytesInFlight / 2;
  }

  /** Whether `take` has something to give. */
  ready(): boolean {
    return this.#buffer.length > 0 || this.#failure !== null;
  }

  /**
   * The next batch, or null if none is there yet.
   *
   * @throws {BusError} what ended the reading; {OffsetGoneError} if records are gone
   */
  take(): Batch | null {
    const first = this.#buffer.shift();
    if (first === undefined) {
      if (this.#failure !== null) throw this.#failure;
      return null;
    }
    // Who is slower than the fetches gets larger batches, and so fewer steps to commit.
    const batches: [ColumnBatch, ...ColumnBatch[]] = [first];
    let bytes = weight(first);
    for (let next = this.#buffer[0]; next !== undefined; next = this.#buffer[0]) {
      if (bytes + weight(next) > BATCH_BYTES_MAX) break;
      bytes += weight(next);
      batches.push(next);
      this.#buffer.shift();
    }
    this.#count(-bytes);
    this.#fetcher.pump();
    return ColumnBatch.join(batches);
  }

  /** Goes on at another offset, after a failure too. */
  seek(offset: number): void {
    this.#clear();
    this.#failure = null;
    this.position = offset;
    this.#fetcher.pump();
  }

  /** Takes in what was fetched at `position`. */
  accept(part: FetchedPartition): void {
    const { batch, nextOffset } = decodeRecords(part, this.position, Infinity, this.room());
    this.position = nextOffset;
    if (batch === null || this.#closed) return;
    this.#buffer.push(batch);
    this.#count(weight(batch));
    this.#onReady();
  }

  /** Ends the reading with a failure once what was fetched is used up. */
  fail(failure: BusError): void {
    this.#failure = failure;
    this.#onReady();
  }

  /** Ends the reading; idempotent. */
  close(): void {
    this.#closed = true;
    this.#clear();
    this.#fetcher.drop(this);
  }

  #clear(): void {
    this.#buffer.length = 0;
    this.#count(-this.#bytes);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#fetcher.totals.bytesAhead += bytes;
  }
}

/** Bytes that a batch counts for: its values, and what its columns take. */
function weight(batch: Batch): number {
  return batch.values.length + batch.count * 24;
}

/** Waits for the first of several sources, a timer or an end; used by one waiter at a time. */
export class Signalled {
  #wake: (() => void) | null = null;
  #set = false;

  /** Ends the wait under way, or else the next one at once. */
  readonly set = (): void => {
    this.#set = true;
    this.#wake?.();
  };

  /** Waits until `set`, or `milliseconds` at most. */
  async wait(milliseconds: number | null): Promise<void> {
    if (!this.#set) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = milliseconds === null ? undefined : setTimeout(resolve, milliseconds);
      await promise;
      clearTimeout(timer);
      this.#wake = null;
    }
    this.#set = false;
  }
}
