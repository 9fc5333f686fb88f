/**
 * What the server keeps on disk: `server.db` in the data folder, a cache of the topics plus what
 * people did about anomalies. Without the latter it could be deleted at any time: it is rebuilt from
 * the topics as far as they reach back.
 */
import { DatabaseSync } from "node:sqlite";
import type { EventSink } from "../contract/events.ts";
import type { AnomalyRecord } from "./anomaly_record.ts";
import type { Chunk } from "./series_buffer.ts";
import { AnomalyTable } from "./store_anomalies.ts";
import { numberIn, SCHEMA, SCHEMA_VERSION, type Statement } from "./store_schema.ts";
import { SeriesTable } from "./store_series.ts";

/** File name within the data folder. */
export const STORE_FILE = "server.db";

/** How long things are kept. */
export interface Retention {
  /** Series, by the wall clock at which they were stored. */
  readonly seriesMs: number;
  /** Cleared anomalies, by A of their opening. */
  readonly anomaliesMs: number;
  /** Bytes of the file beyond which the oldest series go. */
  readonly bytesMax: number;
}

/** Retention unless set otherwise: a day of series, 30 days of anomalies, 2 GiB. */
export const RETENTION_DEFAULT: Retention = {
  seriesMs: 24 * 3_600_000,
  anomaliesMs: 30 * 86_400_000,
  bytesMax: 2 * 2 ** 30,
};

/** Rows deleted per call of `prune`: a few milliseconds. */
const PRUNE_ROWS = 500;

/** One write: all of it becomes durable together. */
export interface StoreStep {
  readonly anomalies: Iterable<AnomalyRecord>;
  readonly fired: ReadonlyMap<string, number>;
  readonly chunks: readonly Chunk[];
  /** Offset to go on at, by topic and partition. */
  readonly positions: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** Whether it must survive a loss of power, not of the process alone: a person's act. */
  readonly flushed: boolean;
}

/** Who the chunks' vehicle numbers and signal numbers are. */
export interface ChunkNames {
  vehicle(number: number): string;
  signal(index: number): string;
}

/** The store. Calls are synchronous; a step of 50 chunks takes about 10 ms. */
export class Store {
  readonly series: SeriesTable;
  readonly anomalies: AnomalyTable;
  readonly #database: DatabaseSync;
  readonly #setPosition: Statement;
  #pageSize: number;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.series = new SeriesTable(database);
    this.anomalies = new AnomalyTable(database);
    this.#setPosition = database.prepare(
      "INSERT OR REPLACE INTO positions (topic, partition, next) VALUES (?, ?, ?)",
    );
    this.#pageSize = this.#pragma("page_size");
  }

  /** Offset to go on at by partition; empty for a topic not read before. */
  positions(topic: string): Map<number, number> {
    const rows = this.#database.prepare("SELECT partition, next FROM positions WHERE topic = ?")
      .all(topic);
    return new Map(rows.map((row) => [numberIn(row, "partition"), numberIn(row, "next")]));
  }

  /** Carries out a step, or nothing of it. */
  write(step: StoreStep, names: ChunkNames): void {
    if (step.flushed) this.#database.exec("PRAGMA synchronous = FULL");
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      this.anomalies.write(step.anomalies);
      this.anomalies.addFired(step.fired);
      const idOf = (signal: number) => this.series.signalId(names.signal(signal));
      for (const chunk of step.chunks) this.series.write(names.vehicle(chunk.vehicle), chunk, idOf);
      for (const [topic, byPartition] of step.positions) {
        for (const [partition, next] of byPartition) this.#setPosition.run(topic, partition, next);
      }
      this.#database.exec("COMMIT");
    } catch (error) {
      // A full disk takes it back by itself.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    } finally {
      if (step.flushed) this.#database.exec("PRAGMA synchronous = NORMAL");
    }
  }

  /** Deletes a little of what is too old or too much; returns the rows deleted. */
  prune(retention: Retention, now: number): number {
    const oldestKept = Math.floor((now - retention.seriesMs) / 60_000);
    let deleted = this.series.prune(oldestKept, PRUNE_ROWS);
    if (deleted === 0 && this.bytes() > retention.bytesMax) {
      const oldest = this.series.oldest();
      if (oldest !== undefined) deleted = this.series.prune(oldest + 1, PRUNE_ROWS);
    }
    return deleted + this.anomalies.prune(now - retention.anomaliesMs, PRUNE_ROWS);
  }

  /** Bytes in use within the file. */
  bytes(): number {
    return (this.#pragma("page_count") - this.#pragma("freelist_count")) * this.#pageSize;
  }

  /** Closes the file. */
  close(): void {
    this.#database.close();
  }

  #pragma(name: string): number {
    return numberIn(this.#database.prepare(`PRAGMA ${name}`).get() ?? {}, name);
  }
}

/**
 * Opens the store in a data folder, creating it if need be. A file that is damaged, or of another
 * schema, is put aside under another name and a new one begun.
 *
 * @throws {Error} naming the file, if the folder cannot be written
 */
export function openStore(dataDir: string, now: () => number, events: EventSink): Store {
  const path = `${dataDir}/${STORE_FILE}`;
  try {
    Deno.mkdirSync(dataDir, { recursive: true });
    return openFile(path);
  } catch (error) {
    if (!isUnusable(error)) throw cannotOpen(path, error);
    const aside = `${path}.unusable-${now()}`;
    Deno.renameSync(path, aside);
    for (const suffix of ["-wal", "-shm"]) removeIfThere(path + suffix);
    events({
      level: "warn",
      name: "server.store_unusable",
      message:
        `${path} could not be read (${message(error)}); it now lies at ${aside}, and history ` +
        "is rebuilt from the topics. Acknowledgements, snoozes and notes begin anew.",
    });
    try {
      return openFile(path);
    } catch (again) {
      throw cannotOpen(path, again);
    }
  }
}

function openFile(path: string): Store {
  const database = new DatabaseSync(path);
  try {
    database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000; " +
        "PRAGMA cache_size = -8192; PRAGMA journal_size_limit = 16777216",
    );
    const version = numberIn(database.prepare("PRAGMA user_version").get() ?? {}, "user_version");
    const tables = numberIn(
      database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get() ?? {},
      "tables",
    );
    if (tables === 0) database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`);
    else if (version !== SCHEMA_VERSION) {
      throw new OtherSchemaError(`its schema is number ${version}, this is ${SCHEMA_VERSION}`);
    }
    return new Store(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Whether a fault of the store says that the disk, or a quota, has no room. */
export function isNoRoom(error: unknown): boolean {
  return /disk is full|disk I\/O error/.test(message(error));
}

class OtherSchemaError extends Error {}

/** Whether the file itself is at fault, rather than its folder. */
function isUnusable(error: unknown): boolean {
  return error instanceof OtherSchemaError ||
    /malformed|not a database|file is encrypted|disk image/i.test(message(error));
}

function cannotOpen(path: string, cause: unknown): Error {
  return new Error(
    `Cannot open ${path}: ${
      message(cause)
    }; check that the folder can be written, or name another ` +
      "with --data",
    { cause },
  );
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
