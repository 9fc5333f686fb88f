/** Cuts from a partition's log the records that may hold one vehicle. */
import type { Batch, Bus } from "../bus/port.ts";
import type { LogRead } from "../contract/explanation.ts";
import type { EngineInput } from "../rules-wasm/engine_port.ts";

/** Records handed to an engine at a time. */
const RECORDS_MAX = 1_000;

/** A record of the cut; `append` is the partition's clock when it was read. */
interface CutRecord {
  readonly value: Uint8Array;
  readonly offset: number;
  readonly append: number;
}

/** What a cut is made of. */
export interface CutOptions {
  readonly bus: Bus;
  readonly topic: string;
  readonly partition: number;
  readonly vehicle: string;
  /** Offsets: the first, and the one behind the last. */
  readonly from: number;
  readonly to: number;
  /** What may still be read; told what was. */
  readonly budget: ReadBudget;
  readonly turn: () => Promise<void>;
}

/** Bytes of log that one explanation may read, and keep. */
export class ReadBudget {
  #read = 0;

  constructor(readonly bytesMax: number, readonly keptBytesMax: number) {}

  /** Whether nothing is left. */
  get spent(): boolean {
    return this.#read >= this.bytesMax;
  }

  take(bytes: number): void {
    this.#read += bytes;
  }
}

/** A vehicle's part of a log, offsets and append times as they were. */
export class Cut {
  constructor(
    readonly records: readonly CutRecord[],
    readonly read: LogRead,
    /** The partition's clock at its end; timers due before it have fired. */
    readonly clock: number,
  ) {}

  /**
   * Its records as an engine takes them, and a tick of no offset at the end.
   *
   * @param live offset of the first record that may open anything; earlier ones warm
   * @param recordsMax of one input
   */
  *inputs(
    live: number,
    recordsMax = RECORDS_MAX,
  ): Generator<{ readonly input: EngineInput; readonly warm: boolean }> {
    const { records } = this;
    for (let at = 0; at < records.length;) {
      const warm = records[at].offset < live;
      let end = at + 1;
      while (
        end < records.length && end - at < recordsMax && records[end].offset < live === warm
      ) end++;
      yield { input: inputOf(records.slice(at, end)), warm };
      at = end;
    }
    if (Number.isFinite(this.clock)) {
      const tick = { value: new Uint8Array(0), offset: -1, append: this.clock };
      yield { input: inputOf([tick]), warm: false };
    }
  }
}

function inputOf(records: readonly CutRecord[]): EngineInput {
  const valueEnds = new Uint32Array(records.length);
  let end = 0;
  records.forEach(({ value }, i) => valueEnds[i] = end += value.length);
  const values = new Uint8Array(end);
  records.forEach(({ value }, i) => values.set(value, valueEnds[i] - value.length));
  return {
    count: records.length,
    values,
    valueEnds,
    appendTimes: Float64Array.from(records, ({ append }) => append),
    offsets: Float64Array.from(records, ({ offset }) => offset),
  };
}

/** Reads a range and keeps the records whose key or text may be the vehicle's. */
export async function cutLog(options: CutOptions): Promise<Cut> {
  const { bus, topic, partition, from, to, budget, turn } = options;
  const holds = holder(options.vehicle);
  const records: CutRecord[] = [];
  let [count, keptBytes, clock, fromMs, next] = [0, 0, -Infinity, Infinity, from];
  let cut = "";
  if (from < to) {
    for await (const batch of bus.range(topic, partition, from, to)) {
      if (budget.spent || keptBytes > budget.keptBytesMax) {
        cut = budget.spent
          ? `of the log, ${megabytes(budget.bytesMax)} were read and no more`
          : `of the vehicle's records, ${megabytes(budget.keptBytesMax)} were kept and no more`;
        break;
      }
      budget.take(batch.values.length);
      for (let i = 0; i < batch.count; i++) {
        const append = Math.max(clock, batch.appendTimes[i]);
        clock = append;
        fromMs = Math.min(fromMs, append);
        const value = batch.values.subarray(
          i === 0 ? 0 : batch.valueEnds[i - 1],
          batch.valueEnds[i],
        );
        if (value.length === 0 || !holds(batch, i, value)) continue;
        keptBytes += value.length;
        records.push({ value: value.slice(), offset: batch.offsets[i], append });
      }
      count += batch.count;
      next = batch.nextOffset;
      await turn();
    }
  }
  const read: LogRead = {
    ...{ partition, from, to: cut === "" ? Math.max(next, from) : next },
    fromMs: count === 0 ? null : fromMs,
    toMs: count === 0 ? null : clock,
    ...{ records: count, kept: records.length, cut },
  };
  return new Cut(records, read, clock);
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

/** Tells by bytes alone; a text with a backslash may spell an id in any way. */
function holder(vehicle: string): (batch: Batch, i: number, value: Uint8Array) => boolean {
  const id = new TextEncoder().encode(vehicle);
  return (batch, i, value) => {
    const key = batch.key(i);
    return key !== null && sameBytes(key, id) || includesBytes(value, id) ||
      value.indexOf(0x5c) >= 0;
  };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Whether bytes hold others, of which there is at least one. */
export function includesBytes(text: Uint8Array, part: Uint8Array): boolean {
  const last = text.length - part.length;
  for (let at = text.indexOf(part[0]); at >= 0 && at <= last; at = text.indexOf(part[0], at + 1)) {
    let k = 1;
    while (k < part.length && text[at + k] === part[k]) k++;
    if (k === part.length) return true;
  }
  return false;
}
