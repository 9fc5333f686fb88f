/** What decodes telemetry bytes into columns, for whoever needs samples without evaluating rules. */
import type { Refusal, SampleCounts } from "../contract/telemetry.ts";

/** Records to decode: the columns of a bus batch that matter here. */
export interface RecordColumns {
  readonly count: number;
  readonly values: Uint8Array;
  /** End of each value within `values`. */
  readonly valueEnds: Uint32Array;
  /** Append time of each record, epoch milliseconds. */
  readonly appendTimes: Float64Array;
}

/** Rows decoded at a time, at most. */
export const ROWS_MAX = 1024;

/** Accepted samples as columns; views into kernel memory, valid only during the call they come in. */
export interface DecodedRows {
  /** Rows, 1 to `ROWS_MAX`. */
  readonly count: number;
  /** Index of the record within the input. */
  readonly record: Uint32Array;
  /** Index of the object within its record, refused ones counted too. */
  readonly index: Uint32Array;
  /** First byte of the object within `values` of the input. */
  readonly start: Uint32Array;
  /** End (exclusive) of the object within `values` of the input. */
  readonly end: Uint32Array;
  /** Vehicle slot: small numbers from 0, the same for the same vehicle. */
  readonly slot: Uint32Array;
  /** Device time T, whole epoch milliseconds. */
  readonly t: Float64Array;
  /** Values of a signal (by its number in the catalog), NaN where missing. */
  column(signal: number): Float64Array;
}

/** Where decoded rows and refusals go, in the order of the text. */
export interface DecodeHandler {
  rows(rows: DecodedRows): void;
  refused(refusal: Refusal): void;
}

/** Decodes telemetry. Owns one kernel instance. */
export interface Decoder {
  /** Decodes every record; calls the handler synchronously. */
  decode(input: RecordColumns, handler: DecodeHandler): void;
  /** Id of the vehicle in a slot. */
  vehicle(slot: number): string;
  /** Slots in use: 0 to `vehicles() - 1`. */
  vehicles(): number;
  /** Totals since the decoder was made. */
  counts(): SampleCounts;
}

/** How a decoder is made. */
export interface DecoderOptions {
  /** Bound on slots; the sample of a further vehicle is refused as "too-many-vehicles". */
  readonly maxVehicles: number;
  /** T may lie this far ahead of the append time; Infinity to accept any possible time. */
  readonly maxClockAheadMs: number;
}
