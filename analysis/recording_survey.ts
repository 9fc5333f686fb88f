/**
 * Append times for recordings that have none, and what has to be known of a recording before its
 * samples can be given in their order as they are read.
 *
 * A is made per vehicle: it starts at T and grows by each forward step of T. A step of more than
 * `max_clock_ahead` counts only if the vehicle's next sample confirms it, its T being no earlier:
 * one corrupt stamp does not carry the clock away. A clock that was set back goes on being counted
 * from where it then stands, so that the engine can see the reset. Vehicles are merged by A, ties
 * by line.
 *
 * A first reading finds which of the great steps count, a bit each, and the least A of each piece of
 * the recording; nothing else is kept, whatever its length.
 */
import type { Decoder } from "../rules-wasm/decoder_port.ts";
import { isBlank, linesAsRecords } from "./recording_lines.ts";

/** Pieces that are told apart, at most; of a longer recording each is several blocks. */
const PIECES_MAX = 1 << 16;

/** What a survey found. */
export interface Survey {
  /** Samples in all, and those with an A in the range asked for. */
  readonly samples: number;
  readonly wanted: number;
  /** Which of the great steps count, in the order of the text. */
  readonly steps: StepBits;
  /** Least A in a block or in any after it; Infinity behind the last. */
  readonly leastFrom: (block: number) => number;
  /** Whether no line holds more than one sample. */
  readonly singly: boolean;
  /** Lines that are no samples, by reason. */
  readonly refused: ReadonlyMap<string, number>;
}

/** Decisions about great steps, a bit each. */
export class StepBits {
  count = 0;
  #words = new Uint32Array(64);

  /** Adds one that does not count, and gives its number. */
  add(): number {
    if (this.count >= this.#words.length * 32) {
      const more = new Uint32Array(this.#words.length * 2);
      more.set(this.#words);
      this.#words = more;
    }
    return this.count++;
  }

  /** Says that one counts. */
  set(bit: number): void {
    this.#words[bit >>> 5] |= 1 << (bit & 31);
  }

  /** Whether it counts. */
  has(bit: number): boolean {
    return (this.#words[bit >>> 5] & (1 << (bit & 31))) !== 0;
  }
}

/** A of each vehicle, as it is made. */
interface Clock {
  append: number;
  t: number;
  /** A great step that the next sample may confirm: its number, T and block; -1 for none. */
  step: number;
  stepT: number;
  stepBlock: number;
}

/**
 * Reads a recording and keeps next to nothing of it.
 *
 * @param wanted which A are asked for
 */
export async function surveyRecording(
  blocks: AsyncIterable<Uint8Array>,
  decoder: Decoder,
  maxClockAheadMs: number,
  wanted: (append: number) => boolean,
  progress: (samples: number) => void,
): Promise<Survey> {
  const clocks: Clock[] = [];
  const steps = new StepBits();
  const least = new LeastByPiece();
  const refused = new Map<string, number>();
  let [samples, inRange, block] = [0, 0, 0];
  let singly = true;
  const note = (append: number, where: number) => {
    least.note(where, append);
    if (wanted(append)) inRange++;
  };
  const settle = (clock: Clock, confirmed: boolean) => {
    if (confirmed) {
      steps.set(clock.step);
      clock.append += clock.stepT - clock.t;
      clock.t = clock.stepT;
    }
    note(clock.append, clock.stepBlock);
    clock.step = -1;
  };
  const take = (slot: number, t: number) => {
    const clock = clocks[slot];
    if (clock === undefined) {
      clocks[slot] = { append: t, t, step: -1, stepT: 0, stepBlock: 0 };
      return note(t, block);
    }
    if (clock.step >= 0) settle(clock, t >= clock.stepT);
    const ahead = t - clock.t;
    if (ahead > maxClockAheadMs) {
      clock.step = steps.add();
      clock.stepT = t;
      clock.stepBlock = block;
      return;
    }
    clock.append += Math.max(0, ahead);
    clock.t = t;
    note(clock.append, block);
  };
  for await (const bytes of blocks) {
    const columns = linesAsRecords(bytes);
    let record = -1;
    decoder.decode(columns, {
      rows(rows) {
        for (let i = 0; i < rows.count; i++) {
          if (rows.record[i] === record) singly = false;
          record = rows.record[i];
          take(rows.slot[i], rows.t[i]);
        }
        samples += rows.count;
      },
      refused({ reason, record }) {
        if (reason === "malformed-json" && isBlank(columns, record)) return;
        refused.set(reason, (refused.get(reason) ?? 0) + 1);
      },
    });
    block++;
    progress(samples);
  }
  for (const clock of clocks) if (clock.step >= 0) settle(clock, false);
  const leastFrom = least.suffixes();
  return { samples, wanted: inRange, steps, leastFrom, singly, refused };
}

/** The least A of each piece of a recording; pieces are as many blocks as it takes to be few. */
class LeastByPiece {
  #pieces: number[] = [];
  #shift = 0;

  note(block: number, append: number): void {
    while (block >>> this.#shift >= PIECES_MAX) this.#halve();
    const piece = block >>> this.#shift;
    while (this.#pieces.length <= piece) this.#pieces.push(Infinity);
    if (append < this.#pieces[piece]) this.#pieces[piece] = append;
  }

  #halve(): void {
    const half: number[] = [];
    for (let i = 0; i < this.#pieces.length; i += 2) {
      half.push(Math.min(this.#pieces[i], this.#pieces[i + 1] ?? Infinity));
    }
    this.#pieces = half;
    this.#shift++;
  }

  suffixes(): (block: number) => number {
    const shift = this.#shift;
    const least = Float64Array.from(this.#pieces);
    for (let i = least.length - 2; i >= 0; i--) least[i] = Math.min(least[i], least[i + 1]);
    return (block) => least[block >>> shift] ?? Infinity;
  }
}
