/**
 * Retention of the embedded bus: drops what is too old or too much, and thins compacted topics.
 *
 * The work of one call is bounded. Only whole rows go: a row goes by its age, or while the partition
 * without it still holds `retentionBytes`. The newest record of a key stays, but for a tombstone
 * that everyone has had a day to see. Freed pages are used again; the file does not shrink.
 */
import type { StatementSync } from "node:sqlite";
import { encodeRow, RowColumns } from "./embedded_batch_codec.ts";
import type { BusParts } from "./embedded_parts.ts";
import { OFFSETS_PER_PARTITION, toBytes, toNumber, toText } from "./embedded_schema.ts";
import type { StoredTopic } from "./embedded_store.ts";

/** What a call did. */
export interface RetentionResult {
  /** Rows dropped or rewritten. */
  readonly rows: number;
  /** Whether the bound was reached, so that another call finds more. */
  readonly more: boolean;
}

/** Rows of one transaction, at most. */
const ROWS_PER_TRANSACTION = 64;
/** Transactions of one call, at most. */
const TRANSACTIONS_PER_CALL = 32;
/** Time for which a tombstone is kept: a day, as on Kafka. */
const TOMBSTONE_MS = 86_400_000;

/** Lead of another's clock, beyond which its turn is taken to be of a clock that was set back. */
const CLOCK_STEP_MS = 1_000;

/** Retention over one bus. */
export class Retention {
  readonly #parts: BusParts;
  readonly #names: StatementSync;
  readonly #oldest: StatementSync;
  readonly #delete: StatementSync;
  readonly #advance: StatementSync;
  readonly #tombstones: StatementSync;
  readonly #forgetKey: StatementSync;
  readonly #thin: StatementSync;
  readonly #newest: StatementSync;
  readonly #rewrite: StatementSync;
  readonly #turn: StatementSync;

  constructor(parts: BusParts) {
    this.#parts = parts;
    const sql = (text: string) => parts.store.database.prepare(text);
    this.#names = sql("SELECT name FROM topics ORDER BY first_part");
    this.#oldest = sql(
      "SELECT id, span, appended, size FROM batches WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
    );
    this.#delete = sql("DELETE FROM batches WHERE id = ?");
    this.#advance = sql("UPDATE parts SET start = max(start, ?), bytes = bytes - ? WHERE id = ?");
    this.#tombstones = sql(
      "SELECT key, record FROM keys WHERE part = ? AND dead_at < ? LIMIT ?",
    );
    this.#forgetKey = sql("DELETE FROM keys WHERE part = ? AND key = ?");
    this.#thin = sql(
      `SELECT id, appended, size, data FROM batches
       WHERE id >= ? AND id < ? AND (live * 2 <= count OR (live < count AND appended < ?))
       LIMIT ?`,
    );
    this.#newest = sql("SELECT record FROM keys WHERE part = ? AND key = ?");
    this.#rewrite = sql(
      "UPDATE batches SET count = ?, live = ?, size = ?, data = ? WHERE id = ?",
    );
    this.#turn = sql(
      // A clock that was set back must not silence retention until it has caught up.
      "UPDATE meta SET value = ? WHERE name = 'retained_at' AND (value <= ? OR value > ?)",
    );
  }

  /** Whether it is this thread's turn: one of all that share the folder, once in a period. */
  async takeTurn(periodMs: number): Promise<boolean> {
    let mine = false;
    await this.#parts.writer.run({ action: "take turns", durable: false }, () => {
      const now = Math.floor(this.#parts.now());
      mine = Number(this.#turn.run(now, now - periodMs, now + CLOCK_STEP_MS).changes) === 1;
    });
    return mine;
  }

  /** Does a bounded piece of the work. */
  async run(): Promise<RetentionResult> {
    const { store } = this.#parts;
    const names = store.attempt("list topics", () => this.#names.all())
      .map((row) => toText(row.name));
    let rows = 0;
    let left = TRANSACTIONS_PER_CALL;
    for (const name of names) {
      const topic = store.topic(name);
      for (let part = topic.firstPart; part < topic.firstPart + topic.partitions; part++) {
        while (left > 0) {
          const done = topic.cleanup === "compact"
            ? await this.#compact(part)
            : await this.#drop(topic, part);
          if (done > 0) left--;
          rows += done;
          if (done < ROWS_PER_TRANSACTION) break;
        }
      }
    }
    return { rows, more: left === 0 };
  }

  async #drop(topic: StoredTopic, part: number): Promise<number> {
    const { store, writer, writes, now } = this.#parts;
    const cutoff = now() - topic.retentionMs;
    const first = part * OFFSETS_PER_PARTITION;
    const end = first + OFFSETS_PER_PARTITION;
    const [oldest] = store.attempt("look for old rows", () => this.#oldest.all(first, end, 1));
    if (oldest === undefined) return 0;
    const goes = (appended: number, bytesWithout: number) =>
      appended < cutoff || bytesWithout >= topic.retentionBytes;
    const bytes = store.part(part).bytes - toNumber(oldest.size);
    if (!goes(toNumber(oldest.appended), bytes)) return 0;
    let dropped = 0;
    await writer.run({ action: `drop old rows of ${topic.name}`, durable: false }, () => {
      const before = store.part(part);
      let freed = 0;
      let start = before.start;
      for (const row of this.#oldest.all(first, end, ROWS_PER_TRANSACTION)) {
        const size = toNumber(row.size);
        if (!goes(toNumber(row.appended), before.bytes - freed - size)) break;
        this.#delete.run(toNumber(row.id));
        start = toNumber(row.id) - first + toNumber(row.span);
        freed += size;
        dropped++;
      }
      this.#advance.run(start, freed, part);
    });
    writes.dropped += dropped;
    return dropped;
  }

  async #compact(part: number): Promise<number> {
    const { store, writer } = this.#parts;
    const dead = this.#parts.now() - TOMBSTONE_MS;
    const first = part * OFFSETS_PER_PARTITION;
    const end = first + OFFSETS_PER_PARTITION;
    const due = () => this.#tombstones.get(part, dead, 1) !== undefined;
    // What a tombstone deleted has to be gone before the tombstone goes: older rows are then thinned
    // even if little in them is superseded.
    const thinBefore = (tombstones: boolean) => tombstones ? dead : -Infinity;
    const idle = store.attempt(
      "look for superseded records",
      () => !due() && this.#thin.get(first, end, thinBefore(false), 1) === undefined,
    );
    if (idle) return 0;
    let done = 0;
    await writer.run({ action: "compact a partition", durable: false }, () => {
      for (const row of this.#thin.all(first, end, thinBefore(due()), ROWS_PER_TRANSACTION)) {
        const id = toNumber(row.id);
        const appended = toNumber(row.appended);
        const size = this.#rewriteRow(
          id,
          part,
          RowColumns.read(id - first, appended, toBytes(row.data)),
        );
        this.#advance.run(0, toNumber(row.size) - size, part);
        done++;
      }
      if (done === ROWS_PER_TRANSACTION) return;
      for (const row of this.#tombstones.all(part, dead, ROWS_PER_TRANSACTION)) {
        this.#forgetKey.run(part, toBytes(row.key));
        store.dropRecord(part, toNumber(row.record));
        done++;
      }
    });
    return done;
  }

  /** Leaves of a row what is the newest of its key. @returns its new size */
  #rewriteRow(id: number, part: number, row: RowColumns): number {
    const kept: number[] = [];
    for (let i = 0; i < row.count; i++) {
      const key = row.key(i);
      const newest = key === null ? undefined : this.#newest.get(part, key);
      if (newest !== undefined && toNumber(newest.record) === row.offset(i)) kept.push(i);
    }
    if (kept.length === 0) {
      this.#delete.run(id);
      return 0;
    }
    const blob = encodeRow(
      kept.map((i) => row.record(i)),
      kept.map((i) => row.offset(i) - row.base),
    );
    this.#rewrite.run(kept.length, kept.length, blob.length, blob, id);
    return blob.length;
  }
}
