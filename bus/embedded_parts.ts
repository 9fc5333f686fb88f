/** What the parts of one embedded bus share. */
import type { EventSink } from "../contract/events.ts";
import type { Changes } from "./embedded_changes.ts";
import type { OutgoingRow } from "./embedded_outgoing.ts";
import type { Store } from "./embedded_store.ts";
import type { Writer } from "./embedded_writer.ts";
import type { Batch } from "./port.ts";

/** The parts. */
export interface BusParts {
  /** Folder of the file. */
  readonly dir: string;
  readonly store: Store;
  readonly writer: Writer;
  readonly changes: Changes;
  readonly reads: ReadCounters;
  readonly writes: WriteCounters;
  /** Aborts when the bus closes. */
  readonly closing: AbortSignal;
  /** Silence after which a member is removed from its groups. */
  readonly expiryMs: number;
  readonly now: () => number;
  readonly events: EventSink;
}

/** Values of one batch, at most; larger ones gain nothing. */
const BATCH_BYTES_MAX = 1 << 20;

/** Totals of reading. */
export class ReadCounters {
  records = 0;
  bytes = 0;
  /** Offsets that retention dropped before a tail or a range came to them. */
  gaps = 0;

  /** Bytes of one batch for a reader that allows so many in flight; nothing is read before that. */
  bytesMax(bytesInFlight: number): number {
    return Math.min(bytesInFlight, BATCH_BYTES_MAX);
  }

  /** Counts a batch that goes to a reader. */
  count(batch: Batch): void {
    this.records += batch.count;
    this.bytes += batch.values.length;
  }
}

/** Totals of writing. */
export class WriteCounters {
  records = 0;
  bytes = 0;
  steps = 0;
  fenced = 0;
  /** Steps that the file refused: a full disk, a damaged file. */
  failed = 0;
  /** Rows that retention dropped. */
  dropped = 0;

  /** Counts rows that were committed. */
  count(rows: readonly OutgoingRow[]): void {
    for (const { count, blob } of rows) {
      this.records += count;
      this.bytes += blob.length;
    }
  }
}
