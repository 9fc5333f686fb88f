/** Replay: recorded drives onto the bus, at their own pace, faster, or as fast as it goes. */
import { type Bus, type OutgoingRecord, RECORD_BYTES_MAX } from "../bus/port.ts";
import type { Catalog } from "../contract/catalog.ts";
import type { EventSink } from "../contract/events.ts";
import type { Sleep } from "./agent.ts";
import type { ColumnMapping } from "./mapping.ts";
import { readRows } from "./recording.ts";
import { dueTimes, mergeRows } from "./row_merge.ts";
import type { RecordingOptions, SourceRow } from "./source_row.ts";

/** How recordings are replayed. */
export interface ReplayOptions {
  readonly bus: Bus;
  readonly topic: string;
  readonly catalog: Catalog;
  /** Which column is what; null takes columns as keys that the catalog knows. */
  readonly mapping: ColumnMapping | null;
  /** Times real time, above 0; "max" (or Infinity) for as fast as it goes. */
  readonly speed: number | "max";
  /**
   * "now" shifts all times so that the replay ends at the present as its clock then shows it: at
   * speed 1 the first row is now, at "max" the last. null keeps the recorded times.
   */
  readonly rebase: "now" | null;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
  readonly sleep: Sleep;
  /** Ends the replay early; what was read is published still. */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ReplayProgress) => void;
  readonly events: EventSink;
}

/** How far a replay is; told after every publish. */
export interface ReplayProgress {
  readonly rows: number;
  /** Bytes read from the files, as they are. */
  readonly bytesRead: number;
  /** Recorded time reached, epoch milliseconds; NaN before the first. */
  readonly atMs: number;
}

/** What a replay did. */
export interface ReplayResult {
  /** Rows put on the bus; all below but `skipped` are among them. */
  readonly rows: number;
  readonly vehicles: number;
  readonly records: number;
  /** Rows whose time, vehicle or JSON cannot be read: the analysis refuses them by name. */
  readonly withoutTime: number;
  readonly withoutVehicle: number;
  readonly malformed: number;
  /** Rows longer than a record may be, left out. */
  readonly skipped: number;
  /** Recorded times of the earliest and latest row, epoch milliseconds; NaN if there is none. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** False if it was ended early. */
  readonly complete: boolean;
}

/** Bytes gathered before they are published. */
const FLUSH_BYTES = 4 * 1024 * 1024;
/** Most bytes of one record of several samples. */
const RECORD_BYTES = 512 * 1024;
/** Least time between two publishes of a paced replay. */
const TICK_MS = 50;
/** Longest sleep at a time. */
const SLEEP_MS_MAX = 60_000;
const NEWLINE = 0x0a;

/**
 * Replays files in the order of their recorded times, several at once.
 *
 * Rows of a vehicle keep their order. Rows whose time or vehicle cannot be read go on the bus with
 * their neighbours, so that the analysis refuses them with their reason; nothing is left out in
 * silence. Memory is bounded by about a publish's worth of rows for each file.
 *
 * @throws {MappingFaults} if the mapping does not fit a file
 * @throws {RecordingError} if a file cannot be read
 * @throws {BusError} if publishing fails
 */
export async function replay(
  files: readonly string[],
  options: ReplayOptions,
): Promise<ReplayResult> {
  const speed = options.speed === "max" ? Infinity : options.speed;
  if (!(speed > 0)) throw new RangeError(`Cannot replay at ${speed} times real time: not above 0`);
  const { now, signal } = options;
  const shiftMs = options.rebase === "now" ? await shiftToNow(files, speed, options) : 0;
  const run = new Run(options, shiftMs);
  const startedAt = now();
  let firstMs = NaN;
  let lastMs = NaN;
  let flushedAt = -Infinity;
  for await (const rows of mergeRows(files.map((path) => readRows(path, run.reading)))) {
    const dues = dueTimes(rows, lastMs);
    lastMs = dues.at(-1) ?? lastMs;
    for (const [k, row] of rows.entries()) {
      if (Number.isNaN(firstMs)) firstMs = dues[k];
      const due = startedAt + (dues[k] - firstMs) / speed;
      while (due > now() && !signal.aborted) {
        await run.flush();
        const wait = Math.max(due, flushedAt + TICK_MS) - now();
        await options.sleep(Math.min(wait, SLEEP_MS_MAX), signal);
        flushedAt = now();
      }
      if (signal.aborted) break;
      run.add(row);
      if (run.bytes >= FLUSH_BYTES) await run.flush();
    }
    if (signal.aborted) break;
  }
  await run.flush();
  return run.result(!signal.aborted);
}

/** Milliseconds to add to every time; see `ReplayOptions.rebase`. */
async function shiftToNow(
  files: readonly string[],
  speed: number,
  options: ReplayOptions,
): Promise<number> {
  const { mapping, catalog } = options;
  // Read twice: what is wrong with a file is told at the second time.
  const quiet: RecordingOptions = { mapping, catalog, events: () => {} };
  let first = Infinity;
  let last = -Infinity;
  for (const path of files) {
    for await (const rows of readRows(path, quiet)) {
      for (const { t } of rows) {
        if (t < first) first = t;
        if (t > last) last = t;
      }
      if (options.signal.aborted) return 0;
    }
  }
  if (first === Infinity) return 0;
  return Math.round(options.now() + (last - first) / speed - last);
}

/** One replay under way: rows gathered by vehicle, and what was counted. */
class Run {
  /** Bytes gathered since the last publish. */
  bytes = 0;
  readonly reading: RecordingOptions;
  readonly #options: ReplayOptions;
  readonly #shiftMs: number;
  readonly #encoder = new TextEncoder();
  /** Lines by vehicle; those of no vehicle under null. */
  #lines = new Map<string | null, Uint8Array[]>();
  /** UTF-8 of the ids seen. */
  readonly #vehicles = new Map<string, Uint8Array>();
  #rows = 0;
  #records = 0;
  #withoutTime = 0;
  #withoutVehicle = 0;
  #malformed = 0;
  #skipped = 0;
  #bytesRead = 0;
  #firstMs = NaN;
  #lastMs = NaN;
  #atMs = NaN;

  constructor(options: ReplayOptions, shiftMs: number) {
    this.#options = options;
    this.#shiftMs = shiftMs;
    this.reading = {
      mapping: options.mapping,
      catalog: options.catalog,
      events: options.events,
      onBytes: (count) => this.#bytesRead += count,
      onSkipped: () => this.#skipped++,
    };
  }

  add(row: SourceRow): void {
    const keep = row.original !== null && (this.#shiftMs === 0 || Number.isNaN(row.t));
    const line = keep && row.original !== null
      ? row.original
      : this.#encoder.encode(row.text(this.#shiftMs));
    if (line.length > RECORD_BYTES_MAX) {
      this.#skipped++;
      this.#options.events({
        level: "warn",
        name: "replay.skipped",
        message: `Line ${row.line} is left out: it makes ${line.length} bytes, and a record ` +
          `holds ${RECORD_BYTES_MAX}`,
      });
      return;
    }
    const known = this.#lines.get(row.vehicle);
    if (known === undefined) this.#lines.set(row.vehicle, [line]);
    else known.push(line);
    this.bytes += line.length + 1;
    this.#count(row);
  }

  /** Publishes what was gathered: a record of several lines for each vehicle. */
  async flush(): Promise<void> {
    if (this.#lines.size === 0) return;
    const records: OutgoingRecord[] = [];
    for (const [vehicle, lines] of this.#lines) {
      if (vehicle === null) {
        // Each by itself: what is broken could swallow its neighbour.
        for (const value of lines) records.push({ key: null, value, partition: 0 });
        continue;
      }
      const key = this.#key(vehicle);
      for (const value of packLines(lines)) records.push({ key, value });
    }
    this.#lines = new Map();
    this.bytes = 0;
    await this.#options.bus.publish([{ topic: this.#options.topic, records }]);
    this.#records += records.length;
    this.#options.onProgress?.({
      rows: this.#rows,
      bytesRead: this.#bytesRead,
      atMs: this.#atMs,
    });
  }

  result(complete: boolean): ReplayResult {
    return {
      rows: this.#rows,
      vehicles: this.#vehicles.size,
      records: this.#records,
      withoutTime: this.#withoutTime,
      withoutVehicle: this.#withoutVehicle,
      malformed: this.#malformed,
      skipped: this.#skipped,
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
      complete,
    };
  }

  #key(vehicle: string): Uint8Array {
    const known = this.#vehicles.get(vehicle);
    if (known !== undefined) return known;
    const key = this.#encoder.encode(vehicle);
    this.#vehicles.set(vehicle, key);
    return key;
  }

  #count(row: SourceRow): void {
    this.#rows++;
    if (row.malformed) {
      this.#malformed++;
      return;
    }
    if (row.vehicle === null) this.#withoutVehicle++;
    if (Number.isNaN(row.t)) {
      this.#withoutTime++;
      return;
    }
    this.#atMs = row.t;
    if (!(row.t >= this.#firstMs)) this.#firstMs = row.t;
    if (!(row.t <= this.#lastMs)) this.#lastMs = row.t;
  }
}

/** Lines joined into values of at most `RECORD_BYTES` (or one line), in order. */
function packLines(lines: readonly Uint8Array[]): Uint8Array[] {
  const values: Uint8Array[] = [];
  for (let from = 0; from < lines.length;) {
    let bytes = lines[from].length;
    let to = from + 1;
    while (to < lines.length && bytes + 1 + lines[to].length <= RECORD_BYTES) {
      bytes += 1 + lines[to++].length;
    }
    const value = new Uint8Array(bytes);
    let at = 0;
    for (let k = from; k < to; k++) {
      if (k > from) value[at++] = NEWLINE;
      value.set(lines[k], at);
      at += lines[k].length;
    }
    values.push(value);
    from = to;
  }
  return values;
}
