/**
 * Append times for recordings that have none, and the order in which their samples are evaluated,
 * plainly: over all of a recording in memory, for what streams it to be held against.
 *
 * A is made per vehicle: it starts at T and grows by each forward step of T. A step of more than
 * `max_clock_ahead` counts only if the vehicle's next sample confirms it, its T being no earlier:
 * one corrupt stamp does not carry the clock away. A clock that was set back goes on being counted
 * from where it then stands, so that the engine can see the reset. Vehicles are merged by A, ties by line.
 */
import type { Decoder } from "../rules-wasm/decoder_port.ts";
import { isBlank, linesAsRecords } from "./recording_lines.ts";

/** Samples of a recording as columns, in the order of the text. */
export interface RecordingSamples {
  readonly count: number;
  readonly slot: Uint32Array;
  /** Device time T, epoch milliseconds. */
  readonly t: Float64Array;
  /** Line of the recording, from 0 over all its files. */
  readonly line: Float64Array;
  /** Block that holds the line, and where in it. */
  readonly block: Uint32Array;
  readonly start: Uint32Array;
  readonly end: Uint32Array;
  readonly blocks: readonly Uint8Array[];
  /** Lines that are no samples, by reason. */
  readonly refused: ReadonlyMap<string, number>;
}

/** Reads blocks of whole lines of NDJSON into columns. Takes about 40 bytes a sample beside the text. */
export async function readSamples(
  lines: AsyncIterable<Uint8Array>,
  decoder: Decoder,
  progress: (samples: number) => void,
): Promise<RecordingSamples> {
  let capacity = 1 << 16;
  let count = 0;
  let slot = new Uint32Array(capacity);
  let t = new Float64Array(capacity);
  let line = new Float64Array(capacity);
  let block = new Uint32Array(capacity);
  let start = new Uint32Array(capacity);
  let end = new Uint32Array(capacity);
  const grow = <A extends Uint32Array | Float64Array>(from: A, to: A): A => {
    to.set(from);
    return to;
  };
  const blocks: Uint8Array[] = [];
  const refused = new Map<string, number>();
  let lineBase = 0;
  for await (const bytes of lines) {
    const columns = linesAsRecords(bytes);
    decoder.decode(columns, {
      rows(rows) {
        if (count + rows.count > capacity) {
          capacity *= 2;
          slot = grow(slot, new Uint32Array(capacity));
          t = grow(t, new Float64Array(capacity));
          line = grow(line, new Float64Array(capacity));
          block = grow(block, new Uint32Array(capacity));
          start = grow(start, new Uint32Array(capacity));
          end = grow(end, new Uint32Array(capacity));
        }
        for (let i = 0; i < rows.count; i++, count++) {
          slot[count] = rows.slot[i];
          t[count] = rows.t[i];
          line[count] = lineBase + rows.record[i];
          block[count] = blocks.length;
          start[count] = rows.start[i];
          end[count] = rows.end[i];
        }
      },
      refused({ reason, record }) {
        if (reason === "malformed-json" && isBlank(columns, record)) return;
        refused.set(reason, (refused.get(reason) ?? 0) + 1);
      },
    });
    lineBase += columns.count;
    blocks.push(bytes);
    progress(count);
  }
  return { count, slot, t, line, block, start, end, blocks, refused };
}

/**
 * The made append time of each sample.
 *
 * @param maxClockAheadMs largest step of T that counts unconfirmed
 */
export function makeAppendTimes(
  slot: Uint32Array,
  t: Float64Array,
  count: number,
  maxClockAheadMs: number,
): Float64Array {
  const append = new Float64Array(count);
  const next = new Int32Array(count).fill(-1);
  const latest = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    const before = latest.get(slot[i]);
    if (before !== undefined) next[before] = i;
    latest.set(slot[i], i);
  }
  const clock = new Map<number, { append: number; t: number }>();
  for (let i = 0; i < count; i++) {
    const last = clock.get(slot[i]) ?? { append: t[i], t: t[i] };
    const step = t[i] - last.t;
    const counts = step <= maxClockAheadMs || (next[i] >= 0 && t[next[i]] >= t[i]);
    // A stamp that nothing confirms is no place to count the next step from.
    append[i] = last.append + (counts ? Math.max(0, step) : 0);
    clock.set(slot[i], { append: append[i], t: counts ? t[i] : last.t });
  }
  return append;
}

/** Indices in the order of A, ties by line (their place in the columns). */
export function orderByAppend(append: Float64Array): Uint32Array {
  const order = Uint32Array.from(append, (_, i) => i);
  let sorted = true;
  for (let i = 1; i < append.length && sorted; i++) sorted = append[i] >= append[i - 1];
  if (!sorted) order.sort((a, b) => append[a] - append[b] || a - b);
  return order;
}
