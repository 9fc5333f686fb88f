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
  "too-many-vehicles":
    "more vehicles than max_vehicles, or than memory holds with these rules (rules check tells); " +
    "raise it in the settings of the rules, or use more partitions",
  "record-too-large": "a record larger than the topic takes; send smaller ones",
};

/** Longest dead letter that is kept whole, bytes; room is left for headers under the bus's limit. */
const VALUE_BYTES_MAX = 900_000;
/** Longest key that is kept whole, bytes: key and headers have a limit of their own. */
const KEY_BYTES_MAX = 30_000;
/** Digits kept of the count of replays: anyone may have written it. */
const REPLAYS_CHARS_MAX = 9;
/** Refused objects of one record that get a dead letter each; neighbours among the rest share one. */
const LETTERS_PER_RECORD = 100;

/** Refused objects that share a dead letter: neighbours within one record. */
interface Group {
  readonly first: Refusal;
  end: number;
  objects: number;
}

/**
 * The dead letters of the refused objects of a batch, in their order.
 *
 * A record of a million bytes may hold half a million refused objects. Beyond the first hundred of
 * a record those that follow one another without an accepted one between share a letter: its
 * reason, position and index are those of the first, `kilter-objects` tells how many they are.
 */
export function deadLetters(batch: Batch, refusals: readonly Refusal[]): OutgoingRecord[] {
  const groups: Group[] = [];
  let own = 0;
  for (const refusal of refusals) {
    const last = groups.at(-1);
    own = last?.first.record === refusal.record ? own : 0;
    if (last !== undefined && own > LETTERS_PER_RECORD && joins(last, refusal)) {
      last.end = refusal.end;
      last.objects++;
    } else {
      groups.push({ first: refusal, end: refusal.end, objects: 1 });
      own++;
    }
  }
  return groups.map((group) => letter(batch, group));
}

function joins({ first, end, objects }: Group, refusal: Refusal): boolean {
  return refusal.record === first.record && refusal.index === first.index + objects &&
    refusal.start >= end && refusal.end - first.start <= VALUE_BYTES_MAX;
}

/**
 * One dead letter. Its value is a copy, so that it outlives the batch; bytes beyond
 * `VALUE_BYTES_MAX` are cut, the header `kilter-truncated` then tells the length it had.
 */
function letter(batch: Batch, { first, end, objects }: Group): OutgoingRecord {
  const { record } = first;
  const base = record === 0 ? 0 : batch.valueEnds[record - 1];
  const length = end - first.start;
  const kept = Math.min(length, VALUE_BYTES_MAX);
  const start = base + first.start;
  const headers: Record<string, string> = {
    [HEADER.reason]: first.reason,
    [HEADER.detail]: DETAIL[first.reason],
    [HEADER.position]: String(first.position),
    [HEADER.topic]: batch.topic,
    [HEADER.partition]: String(batch.partition),
    [HEADER.offset]: String(batch.offsets[record]),
    [HEADER.index]: String(first.index),
  };
  if (kept < length) headers[HEADER.truncated] = String(length);
  if (objects > 1) headers[HEADER.objects] = String(objects);
  const key = batch.key(record);
  if (key !== null && key.length > KEY_BYTES_MAX) {
    headers[HEADER.keyTruncated] = String(key.length);
  }
  const replays = batch.headers(record)[HEADER.replays];
  if (replays !== undefined) headers[HEADER.replays] = replays.slice(0, REPLAYS_CHARS_MAX);
  return {
    key: key === null ? null : key.slice(0, KEY_BYTES_MAX),
    value: batch.values.slice(start, start + kept),
    headers,
    partition: batch.partition,
  };
}
