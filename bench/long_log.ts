/**
 * A long log on an embedded bus, quickly: some minutes of a fleet are made once and repeated,
 * shifted in time, as rows of the file. Each second of a partition is a row, as if published so.
 */
import { encodeRow } from "../bus/embedded_batch_codec.ts";
import { openDatabase } from "../bus/embedded_schema.ts";
import { Store } from "../bus/embedded_store.ts";
import { murmur2Partition } from "../bus/murmur2.ts";
import type { OutgoingRecord } from "../bus/port.ts";
import { TOPICS } from "../contract/topics.ts";
import { makeWorkload } from "./workload.ts";

/** How a log is made. */
export interface LongLogOptions {
  /** Folder of the bus; its topics are there. */
  readonly dir: string;
  readonly vehicles: number;
  /** Every vehicle sends once a second. */
  readonly seconds: number;
  readonly partitions: number;
  /** Share of samples outside the limits of some rule; default 0.001. */
  readonly fireRate?: number;
}

/** What was made. */
export interface LongLog {
  readonly samples: number;
  /** Of the values. */
  readonly bytes: number;
  /** Append time of its first row, epoch milliseconds. */
  readonly startMs: number;
}

/** Time that is made once: a multiple of 100 s, so that the last five digits of all times stay. */
const PERIOD_S = 600;
/** Digits of a time in front of those. */
const HIGH_DIGITS = 8;
const LOW = 100_000;
/** Bytes of one transaction. */
const TRANSACTION_BYTES = 16 << 20;

/** A second of one partition. */
interface Row {
  readonly partition: number;
  readonly second: number;
  readonly count: number;
  readonly blob: Uint8Array;
  /** Where each sample's time stands in the blob, and its upper digits as a number. */
  readonly places: Uint32Array;
  readonly highs: Uint32Array;
  readonly valueBytes: number;
}

/** Writes a log. */
export async function writeLongLog(options: LongLogOptions): Promise<LongLog> {
  const { dir, vehicles, seconds } = options;
  const { rows, startMs } = makeRows(options);
  const database = await openDatabase(dir, "NORMAL");
  try {
    const store = new Store(database, dir);
    let bytes = 0;
    let pending = 0;
    database.exec("BEGIN IMMEDIATE");
    for (let period = 0; period * PERIOD_S < seconds; period++) {
      for (const row of rows) {
        const second = period * PERIOD_S + row.second;
        if (second >= seconds) break;
        shift(row, period);
        const { partition, count, blob } = row;
        const out = { topic: TOPICS.telemetry, partition, count, blob, keys: null };
        // What was sent within a second has come by its end.
        store.append(out, startMs + (second + 1) * 1_000);
        bytes += row.valueBytes;
        pending += blob.length;
        if (pending < TRANSACTION_BYTES) continue;
        database.exec("COMMIT");
        database.exec("BEGIN IMMEDIATE");
        pending = 0;
      }
    }
    database.exec("COMMIT");
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return { samples: vehicles * seconds, bytes, startMs: startMs + 1_000 };
  } finally {
    database.close();
  }
}

function makeRows({ vehicles, seconds, partitions, fireRate = 0.001 }: LongLogOptions) {
  const made = Math.min(PERIOD_S, seconds);
  const { batches } = makeWorkload({
    ...{ seed: 11, samples: vehicles * made, vehicles, hostile: false, fireRate },
    // Trouble lasts a while, so that rules that wait for it are not all silent.
    ...{ episodeSamples: 20, batchRecords: vehicles },
  });
  const startMs = Math.floor((batches[0].appendTimes[0]) / 1_000) * 1_000;
  const text = new TextDecoder();
  const rows: Row[] = [];
  batches.forEach(({ count, values, valueEnds }, second) => {
    const records: OutgoingRecord[][] = Array.from({ length: partitions }, () => []);
    for (let i = 0; i < count; i++) {
      const value = values.subarray(i === 0 ? 0 : valueEnds[i - 1], valueEnds[i]);
      // `{"vehicle":"` is 12 bytes long, ids are 17.
      const key = value.subarray(12, 29);
      records[murmur2Partition(key, partitions)].push({ key, value });
    }
    records.forEach((own, partition) => {
      if (own.length === 0) return;
      const blob = encodeRow(own);
      const valueBytes = own.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
      const places = new Uint32Array(own.length);
      const highs = new Uint32Array(own.length);
      let at = blob.length - valueBytes;
      own.forEach(({ value }, i) => {
        // `{"vehicle":"…","ts":` in front of it.
        places[i] = at + 12 + 17 + 7;
        highs[i] = Number(text.decode(blob.subarray(places[i], places[i] + HIGH_DIGITS)));
        at += value?.length ?? 0;
      });
      rows.push({ partition, second, count: own.length, blob, places, highs, valueBytes });
    });
  });
  return { rows, startMs };
}

/** Writes the times of a row as they are some periods later. */
function shift({ blob, places, highs }: Row, periods: number): void {
  const more = periods * PERIOD_S * 1_000 / LOW;
  for (let i = 0; i < places.length; i++) {
    let rest = highs[i] + more;
    for (let at = places[i] + HIGH_DIGITS - 1; at >= places[i]; at--) {
      const next = Math.floor(rest / 10);
      blob[at] = 48 + rest - next * 10;
      rest = next;
    }
  }
}
