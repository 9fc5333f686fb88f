/** Batches of the simulated bus: columns of their own, spoiled when their time is over. */
import type { Batch, Headers } from "../../bus/port.ts";
import type { Part, StoredRecord } from "./broker.ts";

/** What a fetch finds. */
export interface Fetched {
  /** Null where offsets were used up and no record is left. */
  readonly batch: SimBatch | null;
  readonly nextOffset: number;
}

/** How much a fetch takes at most. */
export interface FetchLimits {
  readonly records: number;
  readonly bytes: number;
}

/** Records of a part from `from` on; null if there is nothing before `to`. */
export function fetch(
  topic: string,
  partition: number,
  part: Part,
  from: number,
  to: number,
  limits: FetchLimits,
): Fetched | null {
  const end = Math.min(to, part.next);
  if (from >= end) return null;
  const records: StoredRecord[] = [];
  let bytes = 0;
  let nextOffset = end;
  for (const record of part.from(from, end)) {
    const length = record.value?.length ?? 0;
    if (
      records.length === limits.records || (records.length > 0 && bytes + length > limits.bytes)
    ) {
      nextOffset = record.offset;
      break;
    }
    records.push(record);
    bytes += length;
  }
  const batch = records.length === 0
    ? null
    : new SimBatch(topic, partition, records, nextOffset, part.next);
  return { batch, nextOffset };
}

/** A batch whose memory is its reader's until the next one is asked for. */
export class SimBatch implements Batch {
  readonly count: number;
  readonly offsets: Float64Array;
  readonly appendTimes: Float64Array;
  readonly values: Uint8Array;
  readonly valueEnds: Uint32Array;
  #over = false;

  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly records: readonly StoredRecord[],
    readonly nextOffset: number,
    readonly highWatermark: number,
  ) {
    this.count = records.length;
    this.offsets = Float64Array.from(records, ({ offset }) => offset);
    this.appendTimes = Float64Array.from(records, ({ time }) => time);
    this.valueEnds = new Uint32Array(records.length);
    this.values = new Uint8Array(
      records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0),
    );
    let end = 0;
    records.forEach(({ value }, i) => {
      if (value !== null) this.values.set(value, end);
      this.valueEnds[i] = end += value?.length ?? 0;
    });
  }

  key(i: number): Uint8Array | null {
    return this.#record(i).key;
  }

  headers(i: number): Headers {
    return this.#record(i).headers;
  }

  tombstone(i: number): boolean {
    return this.#record(i).value === null;
  }

  /** The reader has asked for the next one: who still looks at this one sees rubbish. */
  spoil(): void {
    this.#over = true;
    this.values.fill(0xee);
    this.valueEnds.fill(0);
    this.offsets.fill(NaN);
    this.appendTimes.fill(NaN);
  }

  #record(i: number): StoredRecord {
    if (this.#over) throw new TypeError("Cannot look at a batch whose reader has gone on");
    return this.records[i];
  }
}
