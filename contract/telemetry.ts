/**
 * Telemetry on the wire: what a record may hold, and why one is refused.
 *
 * A record's value is a sequence of JSON objects, one sample each, separated by newlines (an object
 * may itself contain newlines as JSON whitespace); zero bytes are a tick: time passed. Once an object
 * is malformed, the record is read line by line from the line on which it begins: what is broken
 * takes in no neighbour, and no record costs more than two readings.
 */

/**
 * Why an object of telemetry was refused; the position in this list is the kernel's code for it.
 * Code 0 means "not refused".
 */
export const REFUSAL_REASONS = [
  "accepted",
  /** Not JSON by RFC 8259, exactly as `JSON.parse` decides. */
  "malformed-json",
  /** Bytes that are not UTF-8. */
  "invalid-utf8",
  /** JSON, but not an object. */
  "not-an-object",
  /** No vehicle key, or its last value is not a non-empty string or a finite number. */
  "no-vehicle",
  /** A vehicle id longer than `VEHICLE_ID_BYTES_MAX`, or one that UTF-8 cannot hold. */
  "bad-vehicle-id",
  /** No time key, or its last value is neither a number nor an ISO 8601 date and time. */
  "no-time",
  /** A time before 1970 or beyond the year 9999. */
  "impossible-time",
  /** The device's time lies more than `max_clock_ahead` ahead of the append time. */
  "clock-ahead",
  /** More vehicles than `max_vehicles`. */
  "too-many-vehicles",
  /** A record larger than the topic takes. */
  "record-too-large",
] as const;

/** One of `REFUSAL_REASONS`. */
export type RefusalReason = typeof REFUSAL_REASONS[number];

/** Longest vehicle id in UTF-8 bytes. */
export const VEHICLE_ID_BYTES_MAX = 128;

/** Latest possible time of a sample, epoch milliseconds: the end of the year 9999. */
export const TIME_MS_MAX = 253402300799999;

/** What the reader counts without refusing anything. */
export interface SampleCounts {
  /** Objects accepted as samples. */
  samples: number;
  /** Objects refused, all reasons. */
  refused: number;
  /** Keys that the catalog does not know. */
  unknownKeys: number;
  /** Values outside the signal's possible range, taken as missing. */
  outOfRange: number;
  /** Values of the wrong type for their signal, taken as missing. */
  wrongType: number;
  /** Records of zero bytes. */
  ticks: number;
}

/** One refused object, with where it lies in its record. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** Index of the record within the batch. */
  readonly record: number;
  /** Index of the object within the record, refused ones counted too. */
  readonly index: number;
  /** First byte of the object within the record's value. */
  readonly start: number;
  /** End (exclusive) of the refused bytes within the record's value. */
  readonly end: number;
  /** Byte within the record's value at which the fault was seen. */
  readonly position: number;
}

/** What an intake did with a body. */
export interface IntakeResult {
  readonly accepted: number;
  readonly refused: number;
  /** The first refusals, at most 20; `index` counts the objects of the body from 0. */
  readonly refusals: readonly {
    readonly index: number;
    readonly reason: RefusalReason;
    readonly position: number;
  }[];
}

/**
 * Takes a body of telemetry: a JSON object, an array of them, or NDJSON. Resolves once what was
 * accepted is durable on the bus; what was refused is not stored, the sender is told instead.
 */
export type Intake = (body: Uint8Array) => Promise<IntakeResult>;
