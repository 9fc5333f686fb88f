/** Dead letters: the refused bytes as they came, with why and from where in their headers. */
import type { Batch, OutgoingRecord } from "../bus/port.ts";
import type { Refusal, RefusalReason } from "../contract/telemetry.ts";
import { DEAD_LETTER_HEADERS as HEADER } from "../contract/topics.ts";

const DETAIL: Readonly<Record<RefusalReason, string>> = {
  "accepted": "",
  "malformed-json": "not JSON (RFC 8259) at this byte; mend the producer",
  "invalid-utf8": "bytes that are not UTF-8; mend the producer",
  "not-an-object": "JSON, but not an object; send one object per sample",
  "no-vehicle": "no vehicle id; send a non-empty text under a vehicle key of the catalog",
  "bad-vehicle-id": "a vehicle id longer than 128 bytes or not valid Unicode; shorten it",
  "no-time": "no device time; send epoch milliseconds or ISO 8601 under a time key of the catalog",
  "impossible-time": "a time before 1970 or after the year 9999; mend the device's clock",
  "clock-ahead": "a time too far ahead of its arrival; mend the device's clock or max_clock_ahead",
  "too-many-vehicles": "more vehicles than max_vehicles; raise it in the settings of the rules",
  "record-too-large": "a record larger than the topic takes; send smaller ones",
};

/** Longest dead letter that is kept whole, bytes; room is left for headers under the bus's limit. */
const VALUE_BYTES_MAX = 900_000;

/**
 * The dead letter of one refused object of a batch.
 *
 * Its value is a copy, so that it outlives the batch; bytes beyond `VALUE_BYTES_MAX` are cut, the
 * header `kilter-truncated` then tells the length it had.
 */
export function deadLetter(batch: Batch, refusal: Refusal): OutgoingRecord {
  const { record } = refusal;
  const base = record === 0 ? 0 : batch.valueEnds[record - 1];
  const length = refusal.end - refusal.start;
  const kept = Math.min(length, VALUE_BYTES_MAX);
  const start = base + refusal.start;
  const headers: Record<string, string> = {
    [HEADER.reason]: refusal.reason,
    [HEADER.detail]: DETAIL[refusal.reason],
    [HEADER.position]: String(refusal.position),
    [HEADER.topic]: batch.topic,
    [HEADER.partition]: String(batch.partition),
    [HEADER.offset]: String(batch.offsets[record]),
    [HEADER.index]: String(refusal.index),
  };
  if (kept < length) headers["kilter-truncated"] = String(length);
  const key = batch.key(record);
  return {
    key: key === null ? null : key.slice(),
    value: batch.values.slice(start, start + kept),
    headers,
    partition: batch.partition,
  };
}
