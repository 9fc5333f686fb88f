/** Telemetry for the rows about buses: NDJSON records of one partition each, in the order of time. */
import { murmur2Partition } from "../bus/murmur2.ts";
import type { Bus, OutgoingRecord } from "../bus/port.ts";
import { makeWorkload } from "./workload.ts";

const VEHICLES = 10_000;
const RECORDS_PER_PUBLISH = 40;
/** Samples that are made once and, with later times, used again. */
const SAMPLES_MADE = 100_000;
/** `{"vehicle":"` is 12 bytes long, ids are 17, `","ts":` is 7 and times have 13 digits. */
const ID_AT = 12;
const ID_END = 29;
const TIME_AT = 36;
const TIME_END = 49;
const NEWLINE = 10;

/** Makes `samples` samples as records of at most `perRecord` of them. */
export function makeRecords(
  samples: number,
  partitions: number,
  perRecord: number,
): OutgoingRecord[] {
  const workload = makeWorkload({
    seed: 7,
    samples,
    vehicles: VEHICLES,
    hostile: false,
    fireRate: 0.001,
    batchRecords: 1_000,
  });
  const records: OutgoingRecord[] = [];
  const waiting: Uint8Array[][] = Array.from({ length: partitions }, () => []);
  const put = (partition: number) => {
    records.push({ key: null, partition, value: joined(waiting[partition]) });
    waiting[partition] = [];
  };
  for (const { count, values, valueEnds } of workload.batches) {
    for (let i = 0; i < count; i++) {
      const line = values.subarray(i === 0 ? 0 : valueEnds[i - 1], valueEnds[i]);
      const partition = murmur2Partition(line.subarray(ID_AT, ID_END), partitions);
      waiting[partition].push(line);
      if (waiting[partition].length === perRecord) put(partition);
    }
  }
  waiting.forEach((lines, partition) => {
    if (lines.length > 0) put(partition);
  });
  return records;
}

/** Publishes records, some at a time, and waits for each of these calls. */
export async function publishAll(
  bus: Bus,
  topic: string,
  records: readonly OutgoingRecord[],
  perCall: number = RECORDS_PER_PUBLISH,
): Promise<void> {
  for (let at = 0; at < records.length; at += perCall) {
    await bus.publish([{ topic, records: records.slice(at, at + perCall) }]);
  }
}

/** Writes a log of any length while only a part of it is in memory. */
export async function fillLog(
  bus: Bus,
  topic: string,
  samples: number,
  perRecord: number,
): Promise<void> {
  const partitions = await bus.partitions(topic);
  const made = Math.min(samples, SAMPLES_MADE);
  const records = makeRecords(made, partitions, perRecord);
  // Samples of a record a call as a gateway sends them, whatever the size of a record.
  const perCall = Math.ceil(RECORDS_PER_PUBLISH * 200 / perRecord);
  const laterMs = made / VEHICLES * 1_000;
  for (let done = 0; done < samples; done += made) {
    if (done > 0) { for (const { value } of records) if (value !== null) delay(value, laterMs); }
    await publishAll(bus, topic, records, perCall);
  }
}

/** Moves the times of all samples of a record, in place. */
function delay(value: Uint8Array, byMs: number): void {
  for (let line = 0; line < value.length; line = value.indexOf(NEWLINE, line) + 1) {
    let time = 0;
    for (let at = line + TIME_AT; at < line + TIME_END; at++) time = time * 10 + value[at] - 48;
    time += byMs;
    for (let at = line + TIME_END - 1; at >= line + TIME_AT; at--) {
      value[at] = 48 + time % 10;
      time = Math.floor(time / 10);
    }
  }
}

function joined(lines: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(lines.reduce((sum, line) => sum + line.length + 1, 0));
  let at = 0;
  for (const line of lines) {
    bytes.set(line, at);
    bytes[at + line.length] = NEWLINE;
    at += line.length + 1;
  }
  return bytes;
}
