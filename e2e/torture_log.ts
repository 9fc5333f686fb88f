/** The log that tortures are over: seeded telemetry, written at once or in portions. */
import { makeWorkload } from "../bench/workload.ts";
import { murmur2Partition } from "../bus/murmur2.ts";
import type { OutgoingRecord } from "../bus/port.ts";
import { Seeded } from "../testing/seeded.ts";
import type { TortureSite } from "./torture_bus.ts";

/** How a log is made. */
export interface LogOptions {
  readonly samples: number;
  readonly seed: number;
  /** Default 400. */
  readonly vehicles?: number;
}

/** Samples of one record. */
export const SAMPLES_PER_RECORD = 50;
/** Records of one publish of a portion. */
const PIECE_RECORDS = 40;

/** Seeded telemetry, and how much of it has been written. */
export class TortureLog {
  readonly #site: TortureSite;
  readonly #records: readonly OutgoingRecord[];
  #begun = 0;
  #written = 0;

  constructor(site: TortureSite, options: LogOptions) {
    this.#site = site;
    this.#records = makeRecords(options, site.partitions);
  }

  /** Records that it will have. */
  get size(): number {
    return this.#records.length;
  }

  /** Records that are on the topic. */
  get written(): number {
    return this.#written;
  }

  /** Whether writing has begun that is not over. */
  get writing(): boolean {
    return this.#begun > this.#written;
  }

  /** Writes the next records, as many as there are up to `count`; one call after another. */
  async write(count: number): Promise<void> {
    const { bus, topics } = this.#site;
    const end = Math.min(this.#records.length, this.#written + count);
    this.#begun = end;
    while (this.#written < end) {
      const records = this.#records.slice(
        this.#written,
        Math.min(end, this.#written + PIECE_RECORDS),
      );
      await bus.publish([{ topic: topics.telemetry, records }]);
      this.#written += records.length;
    }
  }

  /** Writes all that is left. */
  async finish(): Promise<void> {
    await this.write(this.#records.length);
  }
}

/** Records of NDJSON, each of one partition, in the order of time. */
function makeRecords(options: LogOptions, partitions: number): OutgoingRecord[] {
  const { seed, samples, vehicles = 400 } = options;
  const workload = makeWorkload({
    ...{ seed, samples, vehicles, hostile: false, fireRate: 0.02, batchRecords: 1_000 },
    episodeSamples: 20,
  });
  const waiting: Uint8Array[][] = Array.from({ length: partitions }, () => []);
  const records: OutgoingRecord[] = [];
  const flush = (partition: number) => {
    if (waiting[partition].length === 0) return;
    records.push({ key: null, partition, value: lines(waiting[partition]) });
    waiting[partition] = [];
  };
  for (const { count, values, valueEnds } of workload.batches) {
    for (let i = 0; i < count; i++) {
      const line = values.subarray(i === 0 ? 0 : valueEnds[i - 1], valueEnds[i]);
      // `{"vehicle":"` is 12 bytes long, ids are 17.
      const partition = murmur2Partition(line.subarray(12, 29), partitions);
      waiting[partition].push(line);
      if (waiting[partition].length === SAMPLES_PER_RECORD) flush(partition);
    }
  }
  for (let partition = 0; partition < partitions; partition++) flush(partition);
  return records;
}

function lines(samples: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(samples.reduce((sum, line) => sum + line.length + 1, 0));
  let at = 0;
  for (const line of samples) {
    bytes.set(line, at);
    at += line.length;
    bytes[at++] = 10;
  }
  return bytes;
}

/** The chance of a torture, apart from that of its log. */
export function chanceOf(seed: number): Seeded {
  return new Seeded(seed ^ 0x5bd1e995);
}
