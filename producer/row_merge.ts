/** Merges recordings by their times, each in its own order. */
import type { SourceRow } from "./source_row.ts";

/** Rows handed on at a time. */
const BATCH_ROWS = 512;

/** A time this far ahead of what follows it is taken for a device's error, milliseconds. */
const STRAY_MS = 3_600_000;

/**
 * When each row is due: at its time, or with the row before it if it has none that makes sense. A
 * time that leaps an hour ahead while a later row of the batch lies an hour before it makes none: a
 * replay would wait for years.
 *
 * @param before when the row before the batch was due, NaN for none
 * @returns recorded times, epoch milliseconds; NaN before the first that makes sense
 */
export function dueTimes(rows: readonly SourceRow[], before: number): Float64Array {
  const due = new Float64Array(rows.length);
  let earliest = Infinity;
  // First, from behind: the earliest time after each row.
  for (let k = rows.length - 1; k >= 0; k--) {
    due[k] = earliest;
    if (rows[k].t < earliest) earliest = rows[k].t;
  }
  let at = before;
  for (let k = 0; k < rows.length; k++) {
    const { t } = rows[k];
    const leaps = !(t - at <= STRAY_MS) && t - due[k] > STRAY_MS;
    if (!Number.isNaN(t) && !leaps) at = t;
    due[k] = at;
  }
  return due;
}

/**
 * Rows of several sources in the order of their times; a source's own order is never changed, so a
 * row is due no earlier than those before it. Ties go to the earlier source.
 */
export async function* mergeRows(
  sources: readonly AsyncGenerator<SourceRow[]>[],
): AsyncGenerator<SourceRow[]> {
  if (sources.length === 1) {
    yield* sources[0];
    return;
  }
  let heads: Head[] = [];
  try {
    heads = sources.map((source) => new Head(source));
    for (const head of heads) await head.fill();
    let batch: SourceRow[] = [];
    for (;;) {
      const earliest = heads.reduce((best, head) => head.due < best.due ? head : best);
      if (earliest.due === Infinity) break;
      batch.push(earliest.take());
      if (earliest.isEmpty) await earliest.fill();
      if (batch.length < BATCH_ROWS) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  } finally {
    for (const source of sources) await source.return(undefined);
  }
}

/** Where one source stands. */
class Head {
  #rows: SourceRow[] = [];
  #dueTimes: Float64Array = new Float64Array();
  #at = 0;
  /** Time at which its next row is due; Infinity at its end. */
  due = -Infinity;

  constructor(readonly source: AsyncGenerator<SourceRow[]>) {}

  get isEmpty(): boolean {
    return this.#at === this.#rows.length;
  }

  /** The next row; only if it is not empty. */
  take(): SourceRow {
    const row = this.#rows[this.#at++];
    this.#look();
    return row;
  }

  /** Gets the next batch that has rows. */
  async fill(): Promise<void> {
    while (this.isEmpty) {
      const { value, done } = await this.source.next();
      if (done === true) {
        this.due = Infinity;
        return;
      }
      this.#dueTimes = dueTimes(value, this.#dueTimes.at(-1) ?? NaN);
      this.#rows = value;
      this.#at = 0;
      this.#look();
    }
  }

  #look(): void {
    if (!this.isEmpty && this.#dueTimes[this.#at] > this.due) this.due = this.#dueTimes[this.#at];
  }
}
