/**
 * The samples of a recording in the order of A, ties by line, as it is read a second time.
 *
 * A sample goes out once nothing that comes later has an earlier A: that the survey knows. So a
 * recording in the order of time takes the memory of a block, whatever its length; one that is not
 * takes as much as has to wait.
 */
import type { Decoder } from "../rules-wasm/decoder_port.ts";
import type { EngineInput } from "../rules-wasm/engine_port.ts";
import { linesAsRecords } from "./recording_lines.ts";
import type { StepBits, Survey } from "./recording_survey.ts";
import { WaitingSamples } from "./recording_waiting.ts";

/** Samples in order: each a record, its line the offset. */
export interface OrderedBatch extends EngineInput {
  /** Vehicle of each, by its slot in the decoder. */
  readonly slots: Uint32Array;
}

/** How a recording is given. */
export interface StreamOptions {
  /** The same blocks of whole lines that were surveyed. */
  readonly blocks: AsyncIterable<Uint8Array>;
  /** A fresh decoder, made like the survey's. */
  readonly decoder: Decoder;
  readonly survey: Survey;
  readonly maxClockAheadMs: number;
  readonly wanted: (append: number) => boolean;
  /** Samples of a batch, at most. */
  readonly batchRecords: number;
}

/** Gives batches; their memory belongs to the receiver. */
export async function* orderedSamples(options: StreamOptions): AsyncGenerator<OrderedBatch> {
  const { blocks, decoder, survey, maxClockAheadMs, wanted, batchRecords } = options;
  const clocks = new MadeClocks(survey.steps, maxClockAheadMs);
  const waiting = new WaitingSamples();
  let batch = new Gathering(batchRecords);
  let line = 0;
  let block = 0;
  for await (const bytes of blocks) {
    const columns = linesAsRecords(bytes);
    const from = line;
    waiting.enter(bytes);
    decoder.decode(columns, {
      rows(rows) {
        for (let i = 0; i < rows.count; i++) {
          const append = clocks.append(rows.slot[i], rows.t[i]);
          if (!wanted(append)) continue;
          const [start, end] = [rows.start[i], rows.end[i]];
          waiting.add(append, from + rows.record[i], rows.slot[i], start, end);
        }
      },
      refused() {
        // The survey has told them.
      },
    });
    waiting.leave();
    line += columns.count;
    block++;
    for (const limit = survey.leastFrom(block); waiting.least <= limit;) {
      batch.take(waiting);
      if (batch.count < batchRecords) continue;
      yield batch.columns();
      batch = new Gathering(batchRecords);
    }
  }
  if (batch.count > 0) yield batch.columns();
}

/** A of samples in the order of the text, the great steps having been decided. */
class MadeClocks {
  readonly #clocks: { append: number; t: number }[] = [];
  #step = 0;

  constructor(readonly steps: StepBits, readonly maxClockAheadMs: number) {}

  append(slot: number, t: number): number {
    const clock = this.#clocks[slot] ??= { append: t, t };
    const ahead = t - clock.t;
    // A stamp that nothing confirms is no place to count the next step from.
    if (ahead > this.maxClockAheadMs && !this.steps.has(this.#step++)) return clock.append;
    clock.append += Math.max(0, ahead);
    clock.t = t;
    return clock.append;
  }
}

/** A batch that is being filled. */
class Gathering {
  count = 0;
  #values = new Uint8Array(64 << 10);
  #bytes = 0;
  readonly #ends: Uint32Array;
  readonly #appends: Float64Array;
  readonly #lines: Float64Array;
  readonly #slots: Uint32Array;

  constructor(records: number) {
    this.#ends = new Uint32Array(records);
    this.#appends = new Float64Array(records);
    this.#lines = new Float64Array(records);
    this.#slots = new Uint32Array(records);
  }

  /** Takes the sample that comes first of those that wait. */
  take(waiting: WaitingSamples): void {
    const { append, line, slot, bytes } = waiting.first();
    while (this.#bytes + bytes.length > this.#values.length) {
      const more = new Uint8Array(this.#values.length * 2);
      more.set(this.#values.subarray(0, this.#bytes));
      this.#values = more;
    }
    this.#values.set(bytes, this.#bytes);
    this.#bytes += bytes.length;
    this.#ends[this.count] = this.#bytes;
    this.#appends[this.count] = append;
    this.#lines[this.count] = line;
    this.#slots[this.count++] = slot;
    waiting.drop();
  }

  columns(): OrderedBatch {
    const { count } = this;
    return {
      count,
      values: this.#values.subarray(0, this.#bytes),
      valueEnds: this.#ends.subarray(0, count),
      appendTimes: this.#appends.subarray(0, count),
      offsets: this.#lines.subarray(0, count),
      slots: this.#slots.subarray(0, count),
    };
  }
}
