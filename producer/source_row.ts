/** Rows of recordings as they are read, and how they are read. */
import { RECORD_BYTES_MAX } from "../bus/port.ts";
import type { Catalog } from "../contract/catalog.ts";
import type { EventSink } from "../contract/events.ts";
import type { ColumnMapping } from "./mapping.ts";
import type { DraftRow } from "./row_text.ts";

/** A row of a recording with where it stands; `malformed` is no JSON object and goes as it is. */
export interface SourceRow extends DraftRow {
  readonly line: number;
  readonly malformed: boolean;
  /** The row as it stood in the file, where it may go on the bus unchanged. */
  readonly original: Uint8Array | null;
}

/** How recordings are read. */
export interface RecordingOptions {
  readonly mapping: ColumnMapping | null;
  readonly catalog: Catalog;
  readonly events: EventSink;
  readonly onBytes?: (count: number) => void;
  /** Told of each row that cannot be taken at all; an event says why. */
  readonly onSkipped?: () => void;
}

/** Longest line of NDJSON and longest row of CSV: nothing longer fits a record. */
export const LINE_BYTES_MAX = RECORD_BYTES_MAX;

/** Says that a row is left out, and why. */
export function tellSkipped(
  options: Pick<RecordingOptions, "events" | "onSkipped">,
  path: string,
  line: number,
  why: string,
): void {
  options.onSkipped?.();
  options.events({
    level: "warn",
    name: "replay.skipped",
    message: `${path}:${line}: this row is left out: ${why}`,
  });
}
