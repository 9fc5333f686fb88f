/**
 * Marks: which dead letters were replayed, as records of the dead letter topic itself.
 *
 * A step of `dlq replay` sends letters and appends their mark in one transaction. A mark comes after
 * the letters that it names, so that retention drops them first and never the mark alone.
 */

/** One mark. */
export interface Mark {
  /** Number of the mark on its partition, from 1. */
  readonly sequence: number;
  /** First and last offset of runs of letters, ascending; what lies between is replayed too. */
  readonly runs: readonly (readonly [number, number])[];
}

/** What a member of the replaying group leaves as progress: how to know that marks are all read. */
export interface ReplayProgress {
  /** Number of the newest mark. */
  readonly sequence: number;
  /** Offset behind the last letter that any mark names. */
  readonly end: number;
}

/** The bytes of a mark. */
export function encodeMark({ sequence, runs }: Mark): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ sequence, replayed: runs }));
}

/** A mark from its bytes; null if they are none. */
export function decodeMark(bytes: Uint8Array): Mark | null {
  const { sequence, replayed } = fields(bytes);
  if (!isOffset(sequence) || !Array.isArray(replayed)) return null;
  const runs: [number, number][] = [];
  for (const run of replayed) {
    if (!Array.isArray(run) || run.length !== 2) return null;
    const [first, last]: unknown[] = run;
    if (!isOffset(first) || !isOffset(last) || last < first) return null;
    runs.push([first, last]);
  }
  return { sequence, runs };
}

/** The bytes of progress. */
export function encodeReplayProgress(progress: ReplayProgress): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(progress));
}

/** Progress from its bytes; null if they are none. */
export function decodeReplayProgress(bytes: Uint8Array): ReplayProgress | null {
  const { sequence, end } = fields(bytes);
  return isOffset(sequence) && isOffset(end) ? { sequence, end } : null;
}

/** The letters of one partition that were replayed. */
export class Marks {
  /** Number of the newest mark; 0 if there is none. */
  sequence = 0;
  /** Offset behind the last letter that is marked. */
  end = 0;
  #runs: (readonly [number, number])[] = [];
  #sorted = true;

  /** Adds a mark. */
  add({ sequence, runs }: Mark): void {
    this.sequence = Math.max(this.sequence, sequence);
    for (const run of runs) {
      this.#runs.push(run);
      this.end = Math.max(this.end, run[1] + 1);
      this.#sorted = false;
    }
  }

  /** Whether a letter is marked. */
  has(offset: number): boolean {
    if (!this.#sorted) this.#sort();
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#runs[middle][1] < offset) low = middle + 1;
      else high = middle;
    }
    return low < this.#runs.length && this.#runs[low][0] <= offset;
  }

  /** Puts runs in order and joins those that touch. */
  #sort(): void {
    const joined: [number, number][] = [];
    for (const [first, last] of this.#runs.sort((a, b) => a[0] - b[0])) {
      const before = joined.at(-1);
      if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
      else joined.push([first, last]);
    }
    this.#runs = joined;
    this.#sorted = true;
  }
}

/** Runs of offsets that follow one another among those asked about. */
export function toRuns(
  offsets: readonly number[],
  among: readonly number[],
): readonly (readonly [number, number])[] {
  const runs: [number, number][] = [];
  let next = 0;
  let open = false;
  for (const offset of among) {
    const wanted = next < offsets.length && offsets[next] === offset;
    if (wanted) {
      next++;
      const last = runs.at(-1);
      if (open && last !== undefined) last[1] = offset;
      else runs.push([offset, offset]);
    }
    open = wanted;
  }
  return runs;
}

function fields(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // Not JSON: nothing that a mark or progress would have is there.
    return {};
  }
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function isOffset(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
