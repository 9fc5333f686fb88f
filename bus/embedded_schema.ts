/** The file of the embedded bus: how it is opened, what tables it has, what its faults mean. */
import { DatabaseSync } from "node:sqlite";
import { BusError } from "./port.ts";

/** Name of the file within the data folder. */
export const BUS_FILE = "bus.sqlite";

/**
 * A row of `batches` is found by `partition id * OFFSETS_PER_PARTITION + base offset`, so that one
 * tree holds all partitions in order; both fit a double together.
 */
export const OFFSETS_PER_PARTITION = 2 ** 42;
/** Partitions of all topics together, at most. */
export const PARTITIONS_MAX = 2 ** 11;

/** `synchronous` of a transaction that must survive power loss, and of one that need not. */
export type Synchronous = "FULL" | "NORMAL";

const VERSION = 1;
/** Marks the file as a bus: "Klbs". */
const APPLICATION_ID = 0x4b6c6273;
/** Twice the default: larger ones suit blobs of many kilobytes, smaller ones steps of few bytes. */
const PAGE_BYTES = 8_192;
/** Log beyond which a commit moves it into the file: 16 MiB. */
const CHECKPOINT_PAGES = 2_048;
/** Size to which the log shrinks once it was longer. */
const LOG_BYTES = 64 << 20;
/** Wait for another's lock within a call; longer waits are made between calls. */
const BUSY_MS = 4;
/** Largest file that is checked whole when it is opened, bytes: about 50 ms. */
const CHECK_BYTES_MAX = 32 << 20;
/** What is checked of a larger one; its records are checked as they are read. */
const CHECK_TABLES = ["meta", "topics", "parts", "members", "owners"];
/** Waits for others that open the same file. */
const OPEN_TRIES = 200;
const OPEN_PAUSE_MS = 20;

const TABLES = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
-- Partitions of a topic have the ids first_part, first_part + 1, …; retention -1: no limit.
CREATE TABLE topics (
  name TEXT PRIMARY KEY, first_part INTEGER NOT NULL, partitions INTEGER NOT NULL,
  cleanup TEXT NOT NULL, retention_ms INTEGER NOT NULL, retention_bytes INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE parts (
  id INTEGER PRIMARY KEY, start INTEGER NOT NULL, next INTEGER NOT NULL,
  appended INTEGER NOT NULL, bytes INTEGER NOT NULL
);
-- span: offsets that the row took when it was appended; live: records not superseded.
CREATE TABLE batches (
  id INTEGER PRIMARY KEY, span INTEGER NOT NULL, count INTEGER NOT NULL, live INTEGER NOT NULL,
  appended INTEGER NOT NULL, size INTEGER NOT NULL, data BLOB NOT NULL
);
-- Newest record of each key of compacted topics; dead_at: append time of a tombstone.
CREATE TABLE keys (
  part INTEGER NOT NULL, key BLOB NOT NULL, record INTEGER NOT NULL, dead_at INTEGER,
  PRIMARY KEY (part, key)
) WITHOUT ROWID;
CREATE TABLE members (
  id TEXT PRIMARY KEY, grp TEXT NOT NULL, topic TEXT NOT NULL,
  seq INTEGER NOT NULL, expires INTEGER NOT NULL
) WITHOUT ROWID;
-- member NULL: free. Every change of owner raises the epoch; a step checks both.
CREATE TABLE owners (
  grp TEXT NOT NULL, topic TEXT NOT NULL, part INTEGER NOT NULL, member TEXT,
  epoch INTEGER NOT NULL, committed INTEGER NOT NULL, progress BLOB,
  PRIMARY KEY (grp, topic, part)
) WITHOUT ROWID;
INSERT INTO meta VALUES ('retained_at', 0);
`;

/**
 * Opens the bus file in a folder, and makes both if they are missing.
 *
 * @throws {BusError} if the folder cannot be used or the file is damaged or foreign
 */
export async function openDatabase(dir: string, synchronous: Synchronous): Promise<DatabaseSync> {
  const path = `${dir}/${BUS_FILE}`;
  try {
    Deno.mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw cannotOpen(dir, messageOf(error), error);
  }
  refuseLostFile(path);
  for (let tries = 1;; tries++) {
    try {
      return prepareDatabase(path, synchronous);
    } catch (error) {
      if (isBusy(error) && tries < OPEN_TRIES) {
        await new Promise((resolve) => setTimeout(resolve, OPEN_PAUSE_MS));
      } else if (error instanceof BusError) {
        throw error;
      } else if (isDamage(error) || isBusy(error)) {
        throw toBusError(path, "open the bus", error);
      } else {
        throw cannotOpen(dir, messageOf(error), error);
      }
    }
  }
}

/**
 * Refuses a log of changes without the file that it belongs to: SQLite would begin anew and delete
 * it, and with it what was committed last.
 */
function refuseLostFile(path: string): void {
  if (sizeOf(path) > 0 || sizeOf(`${path}-wal`) === 0) return;
  throw new BusError(
    `Cannot open ${path}: it is gone or empty, but its log ${path}-wal is there; put the file ` +
      "back, move the log away to begin anew, or choose another data folder",
  );
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw cannotOpen(path, messageOf(error), error);
  }
}

/** Finds damage before anybody works on it. @throws {Error} that `isDamage` knows */
function check(database: DatabaseSync, path: string): void {
  const whole = sizeOf(path) <= CHECK_BYTES_MAX;
  for (const what of whole ? ["1"] : CHECK_TABLES) {
    const found = database.prepare(`PRAGMA quick_check(${what})`).get()?.quick_check;
    if (found === "ok") continue;
    const detail = String(found).replace(/\s+/g, " ").replace("*** in database main *** ", "");
    throw new Error(`the database is malformed: ${detail}`);
  }
}

function prepareDatabase(path: string, synchronous: Synchronous): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    // Reading the version first: a file that is no database is refused before anything is written.
    const version = pragma(database, "user_version");
    const application = pragma(database, "application_id");
    if (version > VERSION || (version > 0 && application !== APPLICATION_ID)) {
      throw new BusError(
        `Cannot open ${path}: its format ${version} is not this program's (${VERSION}); ` +
          "update the program or choose another data folder",
      );
    }
    if (version > 0) check(database, path);
    else if (database.prepare("SELECT 1 FROM sqlite_master").get() !== undefined) {
      throw new BusError(
        `Cannot open ${path}: it is another program's database; choose another data folder`,
      );
    }
    database.exec(
      `PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL;
       PRAGMA synchronous = ${synchronous}; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
       PRAGMA journal_size_limit = ${LOG_BYTES}; PRAGMA secure_delete = OFF;
       PRAGMA temp_store = MEMORY`,
    );
    // Taking the write lock now tells a folder that only lets us read.
    database.exec("BEGIN IMMEDIATE");
    if (pragma(database, "user_version") === 0) {
      database.exec(TABLES);
      database.exec(
        `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION}`,
      );
    }
    database.prepare("UPDATE meta SET value = value WHERE name = 'retained_at'").run();
    database.exec("COMMIT");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function pragma(database: DatabaseSync, name: string): number {
  return toNumber(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** A number column. @throws {TypeError} if it is none */
export function toNumber(value: unknown): number {
  if (typeof value !== "number") throw new TypeError(`Cannot read a column: ${typeof value}`);
  return value;
}

/** A text column. @throws {TypeError} if it is none */
export function toText(value: unknown): string {
  if (typeof value !== "string") throw new TypeError(`Cannot read a column: ${typeof value}`);
  return value;
}

/** A blob column. @throws {TypeError} if it is none */
export function toBytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`Cannot read a column: ${typeof value}`);
  return value;
}

/** Whether another thread or process holds the lock that was asked for. */
export function isBusy(error: unknown): boolean {
  return /database( schema)? is locked|database table is locked/.test(messageOf(error));
}

/** Whether the disk, or a quota, has no room for what was to be written. */
export function isNoRoom(error: unknown): boolean {
  return /disk is full|disk I\/O error/.test(messageOf(error));
}

function isDamage(error: unknown): boolean {
  return /malformed|not a database|corrupt/.test(messageOf(error)) || error instanceof RangeError ||
    error instanceof TypeError;
}

/**
 * What a fault of the file means and what to do about it.
 *
 * @param action what was tried, as in "Cannot <action> in <path>"
 */
export function toBusError(path: string, action: string, error: unknown): BusError {
  if (error instanceof BusError) return error;
  const message = messageOf(error);
  let advice = "check the disk and the rights on the file";
  if (isDamage(error)) {
    advice = "the file is damaged; move it away and restore a copy, or choose another data folder";
  } else if (/readonly|read-only/.test(message)) {
    advice = "make the file and its folder writable";
  } else if (/full/.test(message)) {
    advice = "free space on the disk";
  } else if (isBusy(error)) {
    advice = "another process holds the file; end it or choose another data folder";
  } else if (/disk I\/O/.test(message)) {
    advice = "check the disk, its free space and its log";
  }
  return new BusError(`Cannot ${action} in ${path}: ${message}; ${advice}`, { cause: error });
}

function cannotOpen(dir: string, message: string, cause: unknown): BusError {
  return new BusError(
    `Cannot open the data folder ${dir}: ${message}; ` +
      "make it a folder that this user may write, or choose another",
    { cause },
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
