/** Anomalies in the store, with what people did about them. */
import { SEVERITIES } from "../contract/anomaly.ts";
import type { AnomalyNote, AnomalyState } from "../contract/views.ts";
import type { AnomalyRecord } from "./anomaly_record.ts";
import { numberIn, type Sql, type SqlValue, type Statement, textIn } from "./store_schema.ts";

/** Which anomalies are asked for; an absent field lets all through. */
export interface AnomalyQuery {
  readonly state?: AnomalyState;
  /** Every state but cleared, whatever `state` says. */
  readonly live?: boolean;
  readonly severity?: typeof SEVERITIES[number];
  readonly vehicle?: string;
  readonly rule?: string;
  /** Only those opened (by A) at or after this, epoch milliseconds. */
  readonly since?: number;
  readonly limit: number;
  /** As `AnomalyPage.cursor` gave it. */
  readonly cursor?: string;
}

/** The newest anomaly of a rule. */
export interface LatestOpening {
  /** A of its opening, epoch milliseconds. */
  readonly append: number;
  readonly id: string;
}

/** What lies in `body`: the record without the columns that queries need. */
type Body = Omit<
  AnomalyRecord,
  "id" | "vehicle" | "rule" | "clearedAt" | "acknowledgedAt" | "snoozedUntil" | "notes"
>;

/** The tables of anomalies and of how often each rule fired. */
export class AnomalyTable {
  readonly #sql: Sql;
  readonly #get: Statement;
  readonly #put: Statement;
  readonly #fired: Statement;
  readonly #lastFired: Statement;
  readonly #density: Statement;

  constructor(sql: Sql) {
    this.#sql = sql;
    this.#get = sql.prepare("SELECT * FROM anomalies WHERE id = ?");
    this.#put = sql.prepare(
      "INSERT OR REPLACE INTO anomalies (id, vehicle, rule, severity, append, at, cleared_at, " +
        "acknowledged_at, snoozed_until, body, notes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#fired = sql.prepare(
      "INSERT INTO fired (rule, count) VALUES (?, ?) " +
        "ON CONFLICT (rule) DO UPDATE SET count = count + excluded.count",
    );
    this.#lastFired = sql.prepare(
      "SELECT append, id FROM anomalies WHERE rule = ? ORDER BY append DESC LIMIT 1",
    );
    this.#density = sql.prepare(
      "SELECT CAST((append - ?) / ? AS INTEGER) AS bucket, count(*) AS count FROM anomalies " +
        "WHERE rule = ? AND append >= ? GROUP BY bucket",
    );
  }

  /** The record of that id, if there is one. */
  get(id: string): AnomalyRecord | undefined {
    const row = this.#get.get(id);
    return row === undefined ? undefined : recordIn(row);
  }

  /** Writes records; call within a transaction. */
  write(records: Iterable<AnomalyRecord>): void {
    for (const record of records) {
      const { id, vehicle, rule, clearedAt, acknowledgedAt, snoozedUntil, notes, ...body } = record;
      this.#put.run(
        id,
        vehicle,
        rule,
        SEVERITIES.indexOf(record.severity),
        record.append,
        record.at,
        clearedAt,
        acknowledgedAt,
        snoozedUntil,
        JSON.stringify(body),
        JSON.stringify(notes),
      );
    }
  }

  /** Adds to how often rules fired; call within a transaction. */
  addFired(counts: ReadonlyMap<string, number>): void {
    for (const [rule, count] of counts) this.#fired.run(rule, count);
  }

  /** How often each rule fired since the store began. */
  fired(): Map<string, number> {
    const rows = this.#sql.prepare("SELECT rule, count FROM fired").all();
    return new Map(rows.map((row) => [textIn(row, "rule"), numberIn(row, "count")]));
  }

  /** A rule's latest opening; null if the table has none. */
  lastFired(rule: string): LatestOpening | null {
    const row = this.#lastFired.get(rule);
    return row === undefined ? null : { append: numberIn(row, "append"), id: textIn(row, "id") };
  }

  /**
   * Openings of a rule per bucket, oldest first; what is later than the last one counts into it.
   *
   * @param from start of the first bucket, epoch milliseconds of A
   */
  density(rule: string, from: number, stepMs: number, buckets: number): number[] {
    const counts = new Array<number>(buckets).fill(0);
    for (const row of this.#density.all(from, stepMs, rule, from)) {
      const bucket = Math.min(numberIn(row, "bucket"), buckets - 1);
      counts[bucket] = (counts[bucket] ?? 0) + numberIn(row, "count");
    }
    return counts;
  }

  /**
   * Records that match, newest opening (by A) first.
   *
   * @param now decides which snoozes have ended, epoch milliseconds
   * @throws {SyntaxError} if the cursor is not one that this gave out
   */
  list(
    query: AnomalyQuery,
    now: number,
  ): { readonly records: AnomalyRecord[]; readonly cursor: string | null } {
    const where: string[] = [];
    const values: SqlValue[] = [];
    const and = (condition: string, ...given: SqlValue[]) => {
      where.push(condition);
      values.push(...given);
    };
    if (query.live === true) and("cleared_at IS NULL");
    if (query.state === "cleared") and("cleared_at IS NOT NULL");
    if (query.state !== undefined && query.state !== "cleared") {
      and("cleared_at IS NULL");
      if (query.state === "snoozed") and("snoozed_until > ?", now);
      else and("(snoozed_until IS NULL OR snoozed_until <= ?)", now);
      if (query.state === "open") and("acknowledged_at IS NULL");
      if (query.state === "acknowledged") and("acknowledged_at IS NOT NULL");
    }
    if (query.severity !== undefined) and("severity = ?", SEVERITIES.indexOf(query.severity));
    if (query.vehicle !== undefined) and("vehicle = ?", query.vehicle);
    if (query.rule !== undefined) and("rule = ?", query.rule);
    if (query.since !== undefined) and("append >= ?", query.since);
    if (query.cursor !== undefined) {
      const { append, id } = parseCursor(query.cursor);
      and("(append, id) < (?, ?)", append, id);
    }
    const rows = this.#sql.prepare(
      `SELECT * FROM anomalies ${where.length === 0 ? "" : `WHERE ${where.join(" AND ")}`} ` +
        "ORDER BY append DESC, id DESC LIMIT ?",
    ).all(...values, query.limit + 1);
    const records = rows.slice(0, query.limit).map(recordIn);
    const last = records[records.length - 1];
    const more = rows.length > query.limit && last !== undefined;
    return { records, cursor: more ? `${last.append}.${last.id}` : null };
  }

  /** Every record not cleared, newest last, at most `max` of them. */
  live(max: number): AnomalyRecord[] {
    const rows = this.#sql.prepare(
      "SELECT * FROM anomalies WHERE cleared_at IS NULL ORDER BY append DESC, id DESC LIMIT ?",
    ).all(max);
    return rows.map(recordIn).reverse();
  }

  /** Deletes cleared ones whose last transition (T) and opening (A) lie before a time. */
  prune(before: number, max: number): number {
    const result = this.#sql.prepare(
      "DELETE FROM anomalies WHERE id IN (SELECT id FROM anomalies " +
        "WHERE append < ? AND cleared_at IS NOT NULL ORDER BY append LIMIT ?)",
    ).run(before, max);
    return Number(result.changes);
  }
}

function parseCursor(cursor: string): { append: number; id: string } {
  const match = /^(\d{1,16})\.([0-9a-zA-Z_-]{1,64})$/.exec(cursor);
  if (match === null) {
    throw new SyntaxError(
      `Cannot go on from the cursor ${JSON.stringify(cursor.slice(0, 80))}: ` +
        "hand back the cursor of the page before, as it is",
    );
  }
  return { append: Number(match[1]), id: match[2] ?? "" };
}

function recordIn(row: Readonly<Record<string, unknown>>): AnomalyRecord {
  const body: Body = JSON.parse(textIn(row, "body"));
  const notes: Partial<AnomalyNote>[] = JSON.parse(textIn(row, "notes"));
  return {
    // Records of before people had names lack these.
    ...{ assignee: "", acts: [] },
    ...body,
    id: textIn(row, "id"),
    vehicle: textIn(row, "vehicle"),
    rule: textIn(row, "rule"),
    clearedAt: timeIn(row, "cleared_at"),
    acknowledgedAt: timeIn(row, "acknowledged_at"),
    snoozedUntil: timeIn(row, "snoozed_until"),
    notes: notes.map(({ at = 0, by = "", text = "" }) => ({ at, by, text })),
  };
}

function timeIn(row: Readonly<Record<string, unknown>>, column: string): number | null {
  return row[column] === null ? null : numberIn(row, column);
}
