/** Tables of the server's store, and the little of SQL's interface that they need. */

/** What a column can hold. */
export type SqlValue = null | number | string | Uint8Array;

/** A prepared statement. */
export interface Statement {
  run(...values: SqlValue[]): { readonly changes: number | bigint };
  get(...values: SqlValue[]): Readonly<Record<string, unknown>> | undefined;
  all(...values: SqlValue[]): Readonly<Record<string, unknown>>[];
}

/** A database, as the tables use it. */
export interface Sql {
  exec(sql: string): void;
  prepare(sql: string): Statement;
}

/** Number of the schema, kept in `user_version`. */
export const SCHEMA_VERSION = 1;

/**
 * The schema. `series.key` is vehicle * 2^32 + minute of T, so that a vehicle's minutes lie side by
 * side; `written` is the minute of A at which it was stored, by which it ages.
 */
export const SCHEMA = `
CREATE TABLE positions (
  topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
  PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
CREATE TABLE vehicles (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, newest INTEGER NOT NULL, append INTEGER NOT NULL
);
CREATE TABLE signals (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE series (key INTEGER PRIMARY KEY, written INTEGER NOT NULL, blob BLOB NOT NULL);
CREATE INDEX series_written ON series (written);
CREATE TABLE anomalies (
  id TEXT PRIMARY KEY, vehicle TEXT NOT NULL, rule TEXT NOT NULL, severity INTEGER NOT NULL,
  append INTEGER NOT NULL, at INTEGER NOT NULL, cleared_at INTEGER, acknowledged_at INTEGER,
  snoozed_until INTEGER, body TEXT NOT NULL, notes TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX anomalies_append ON anomalies (append, id);
CREATE INDEX anomalies_vehicle ON anomalies (vehicle, append, id);
CREATE INDEX anomalies_rule ON anomalies (rule, append, id);
CREATE INDEX anomalies_live ON anomalies (append, id) WHERE cleared_at IS NULL;
CREATE TABLE fired (rule TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** A number out of a row. @throws {TypeError} if the column holds something else */
export function numberIn(row: Readonly<Record<string, unknown>>, column: string): number {
  const value = row[column];
  if (typeof value !== "number") {
    throw new TypeError(`Cannot read column ${column}: it holds a ${typeof value}, not a number`);
  }
  return value;
}

/** A text out of a row. @throws {TypeError} if the column holds something else */
export function textIn(row: Readonly<Record<string, unknown>>, column: string): string {
  const value = row[column];
  if (typeof value !== "string") {
    throw new TypeError(`Cannot read column ${column}: it holds a ${typeof value}, not a text`);
  }
  return value;
}

/** Bytes out of a row. @throws {TypeError} if the column holds something else */
export function bytesIn(row: Readonly<Record<string, unknown>>, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) {
    throw new TypeError(`Cannot read column ${column}: it holds a ${typeof value}, not bytes`);
  }
  return value;
}
