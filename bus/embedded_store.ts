/** The tables of the embedded bus as functions: topics, appending, reading. One per thread. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { toBatch } from "./embedded_batch.ts";
import { RowColumns } from "./embedded_batch_codec.ts";
import type { OutgoingRow } from "./embedded_outgoing.ts";
import {
  OFFSETS_PER_PARTITION,
  PARTITIONS_MAX,
  toBusError,
  toBytes,
  toNumber,
  toText,
} from "./embedded_schema.ts";
import { type Batch, BusError, type TopicSpec } from "./port.ts";

/** A topic with where its partitions lie. */
export interface StoredTopic extends TopicSpec {
  /** Id of partition 0; the others follow. */
  readonly firstPart: number;
}

/** State of a partition. */
export interface PartState {
  /** Oldest offset kept. */
  readonly start: number;
  /** Offset behind the newest record. */
  readonly next: number;
  /** Append time of the newest record, epoch milliseconds. */
  readonly appended: number;
  /** Size of its rows. */
  readonly bytes: number;
}

/** What a read brought. */
export interface ReadResult {
  /** Null if there is nothing at or behind `from`. */
  readonly batch: Batch | null;
  /** Offset to go on at. */
  readonly nextOffset: number;
  /** Oldest offset kept; if `from` lies before it, records are missing. */
  readonly start: number;
}

/** Rows looked at for one batch, at most. */
const ROWS_PER_BATCH = 512;

/** Prepared statements over one connection. */
export class Store {
  #topics = new Map<string, StoredTopic>();
  readonly #selectTopic: StatementSync;
  readonly #insertTopic: StatementSync;
  readonly #updateTopic: StatementSync;
  readonly #selectPart: StatementSync;
  readonly #insertPart: StatementSync;
  readonly #advance: StatementSync;
  readonly #insertRow: StatementSync;
  readonly #upsertKey: StatementSync;
  readonly #selectKey: StatementSync;
  readonly #locate: StatementSync;
  readonly #sizes: StatementSync;
  readonly #rows: StatementSync;
  readonly #supersede: StatementSync;
  readonly #deleteRow: StatementSync;
  readonly #shrink: StatementSync;

  /** @param path of the file, for messages */
  constructor(readonly database: DatabaseSync, readonly path: string) {
    const sql = (text: string) => database.prepare(text);
    this.#selectTopic = sql("SELECT * FROM topics WHERE name = ?");
    this.#insertTopic = sql("INSERT INTO topics VALUES (?, ?, ?, ?, ?, ?)");
    this.#updateTopic = sql(
      "UPDATE topics SET retention_ms = ?, retention_bytes = ? WHERE name = ?",
    );
    this.#selectPart = sql("SELECT start, next, appended, bytes FROM parts WHERE id = ?");
    this.#insertPart = sql("INSERT INTO parts VALUES (?, 0, 0, 0, 0)");
    this.#advance = sql(
      `UPDATE parts SET next = next + ?, appended = max(appended, ?), bytes = bytes + ?
       WHERE id = ? RETURNING next, appended`,
    );
    this.#insertRow = sql("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#selectKey = sql("SELECT record FROM keys WHERE part = ? AND key = ?");
    this.#upsertKey = sql("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)");
    this.#locate = sql(
      `SELECT id, span, live, appended, size FROM batches WHERE id <= ? AND id >= ?
       ORDER BY id DESC LIMIT 1`,
    );
    this.#sizes = sql(
      "SELECT id, span, size FROM batches WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
    );
    this.#rows = sql(
      "SELECT id, appended, data FROM batches WHERE id >= ? AND id <= ? ORDER BY id",
    );
    this.#supersede = sql("UPDATE batches SET live = live - 1 WHERE id = ?");
    this.#deleteRow = sql("DELETE FROM batches WHERE id = ?");
    this.#shrink = sql("UPDATE parts SET bytes = bytes - ? WHERE id = ?");
  }

  /** A topic by its name. @throws {BusError} if it does not exist */
  topic(name: string): StoredTopic {
    const found = this.findTopic(name);
    if (found === null) {
      throw new BusError(`Cannot find the topic ${name} in ${this.path}: it was never created`);
    }
    return found;
  }

  /** A topic by its name, or null. */
  findTopic(name: string): StoredTopic | null {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const row = this.attempt("look up a topic", () => this.#selectTopic.get(name));
    if (row === undefined) return null;
    const topic: StoredTopic = {
      name: toText(row.name),
      firstPart: toNumber(row.first_part),
      partitions: toNumber(row.partitions),
      cleanup: row.cleanup === "compact" ? "compact" : "delete",
      retentionMs: toLimit(row.retention_ms),
      retentionBytes: toLimit(row.retention_bytes),
    };
    this.#topics.set(name, topic);
    return topic;
  }

  /** Adds a topic; within a transaction. @throws {BusError} if there are too many partitions */
  addTopic(spec: TopicSpec): void {
    const row = this.database.prepare("SELECT count(*) AS count FROM parts").get();
    const firstPart = toNumber(row?.count);
    if (firstPart + spec.partitions > PARTITIONS_MAX) {
      throw new BusError(
        `Cannot create the topic ${spec.name} with ${spec.partitions} partitions: ` +
          `one data folder holds ${PARTITIONS_MAX}; ask for fewer`,
      );
    }
    this.#insertTopic.run(
      spec.name,
      firstPart,
      spec.partitions,
      spec.cleanup,
      fromLimit(spec.retentionMs),
      fromLimit(spec.retentionBytes),
    );
    for (let i = 0; i < spec.partitions; i++) this.#insertPart.run(firstPart + i);
  }

  /** Takes over the retention of a topic that exists; within a transaction. */
  changeRetention({ name, retentionMs, retentionBytes }: TopicSpec): void {
    this.#updateTopic.run(fromLimit(retentionMs), fromLimit(retentionBytes), name);
    this.#topics.delete(name);
  }

  /** State of a partition by its id. */
  part(id: number): PartState {
    return this.attempt("look up a partition", () => {
      const row = this.#selectPart.get(id);
      return {
        start: toNumber(row?.start),
        next: toNumber(row?.next),
        appended: toNumber(row?.appended),
        bytes: toNumber(row?.bytes),
      };
    });
  }

  /** Appends a row; within a transaction. */
  append(row: OutgoingRow, now: number): void {
    const { count, blob } = row;
    const part = this.topic(row.topic).firstPart + row.partition;
    const state = this.#advance.get(count, Math.floor(now), blob.length, part);
    const base = toNumber(state?.next) - count;
    const appended = toNumber(state?.appended);
    const id = part * OFFSETS_PER_PARTITION + base;
    this.#insertRow.run(id, count, count, count, appended, blob.length, blob);
    if (row.keys === null) return;
    row.keys.forEach(({ key, tombstone }, i) => {
      const older = this.#selectKey.get(part, key);
      this.#upsertKey.run(part, key, base + i, tombstone ? appended : null);
      if (older !== undefined) this.dropRecord(part, toNumber(older.record));
    });
  }

  /** Counts a superseded record out and deletes its row with the last; within a transaction. */
  dropRecord(part: number, offset: number): void {
    const first = part * OFFSETS_PER_PARTITION;
    const row = this.#locate.get(first + offset, first);
    if (row === undefined) return;
    const id = toNumber(row.id);
    if (toNumber(row.live) > 1) this.#supersede.run(id);
    else {
      this.#deleteRow.run(id);
      this.#shrink.run(toNumber(row.size), part);
    }
  }

  /**
   * Reads records with `from <= offset < to`, small rows together.
   *
   * @param bytesMax of values; one record may exceed it
   */
  read(
    topic: StoredTopic,
    partition: number,
    from: number,
    to: number,
    bytesMax: number,
  ): ReadResult {
    return this.attempt(`read ${topic.name}/${partition} at offset ${from}`, () => {
      const part = topic.firstPart + partition;
      const first = part * OFFSETS_PER_PARTITION;
      // Before the rows: what is appended in between is then read the next time, not passed over.
      const { start, next } = this.part(part);
      if (from < start || from >= Math.min(next, to)) {
        return { batch: null, nextOffset: from, start };
      }
      const end = Math.min(to, next);
      const located = this.#locate.get(first + from, first);
      const lowest = located === undefined ? first + from : toNumber(located.id);
      let bytes = 0;
      let begin = -1;
      let last = -1;
      let nextOffset = end;
      // As many as fill a batch if all are as large as the first, which may lie before `from`.
      const likely = Math.ceil(bytesMax / Math.max(1, toNumber(located?.size ?? 1))) + 1;
      const looks = Math.min(ROWS_PER_BATCH, Math.max(2, likely));
      for (const row of this.#sizes.all(lowest, first + end, looks)) {
        const id = toNumber(row.id);
        const after = id - first + toNumber(row.span);
        if (after <= from) continue;
        const size = toNumber(row.size);
        if (last >= 0 && bytes + size > bytesMax) break;
        if (begin < 0) begin = id;
        bytes += size;
        last = id;
        nextOffset = Math.min(after, end);
      }
      if (last < 0) return { batch: null, nextOffset: end, start: this.part(part).start };
      const rows = this.#rows.all(begin, last).map((row) =>
        RowColumns.read(toNumber(row.id) - first, toNumber(row.appended), toBytes(row.data))
      );
      const batch = toBatch({
        topic: topic.name,
        partition,
        rows,
        from,
        to: end,
        bytesMax,
        nextOffset,
        highWatermark: next,
      });
      // After the rows: another process may have dropped some of them between the two looks.
      const after = this.part(part).start;
      return { batch, nextOffset: batch?.nextOffset ?? nextOffset, start: after };
    });
  }

  /** First offset appended at or after a time, or the end. */
  offsetAt(topic: StoredTopic, partition: number, timeMs: number): number {
    return this.attempt(`search ${topic.name}/${partition}`, () => {
      const part = topic.firstPart + partition;
      const first = part * OFFSETS_PER_PARTITION;
      const { start, next } = this.part(part);
      let low = start;
      let high = next;
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        const row = this.#locate.get(first + middle, first + low);
        if (row === undefined) low = middle + 1;
        else if (toNumber(row.appended) >= timeMs) high = toNumber(row.id) - first;
        else low = Math.max(middle + 1, toNumber(row.id) - first + toNumber(row.span));
      }
      return Math.min(low, next);
    });
  }

  /** Runs what touches the file. @throws {BusError} saying what the file's fault means */
  attempt<T>(action: string, run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw toBusError(this.path, action, error);
    }
  }
}

function toLimit(value: unknown): number {
  const limit = toNumber(value);
  return limit < 0 ? Infinity : limit;
}

function fromLimit(limit: number): number {
  return Number.isFinite(limit) ? Math.floor(limit) : -1;
}
