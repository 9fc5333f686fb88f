/** Merges recordings by their times, each in its own order. */
import type { SourceRow } from "./source_row.ts";

/** Rows handed on at a time. */
const BATCH_ROWS = 512;

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
      this.#rows = value;
      this.#at = 0;
      this.#look();
    }
  }

  /** A row without a time is due with the one before it. */
  #look(): void {
    if (this.isEmpty) return;
    const { t } = this.#rows[this.#at];
    if (t > this.due || this.due === -Infinity && !Number.isNaN(t)) this.due = t;
  }
}
