/** Intake: bodies of telemetry from anyone, checked, grouped by vehicle, durable when answered. */
import { type Bus, type OutgoingRecord, RECORD_BYTES_MAX } from "../bus/port.ts";
import type { Intake, IntakeResult, RefusalReason } from "../contract/telemetry.ts";
import type { Decoder } from "../rules-wasm/decoder_port.ts";
import { type ArrayElement, skipWhitespace, splitArray, splitLines } from "./json_array.ts";

/** What an intake is made of. */
export interface IntakeOptions {
  readonly bus: Bus;
  readonly topic: string;
  /** Its own: no one else decodes with it. */
  readonly decoder: Decoder;
  /** Wall clock, epoch milliseconds; a sample's time is held against it. */
  readonly now: () => number;
  readonly maxBodyBytes: number;
  /** Accepted bytes that may wait for the bus; default 64 MiB. */
  readonly maxPendingBytes?: number;
}

/** Why an intake does not take a body at all. */
export type IntakeFault = "empty-body" | "body-too-large" | "busy";

/** A body that was not taken; nothing of it is stored. */
export class IntakeError extends Error {
  override name = "IntakeError";
  /** @param fault `busy` may be tried again, the others may not */
  constructor(message: string, readonly fault: IntakeFault) {
    super(message);
  }
}

/** Refusals told to the sender, at most. */
const REFUSALS_MAX = 20;
/** Bytes that one record of several samples is filled up to. */
const RECORD_BYTES = 256 * 1024;
/** Bytes of one publish, about. */
const PUBLISH_BYTES = 4 * 1024 * 1024;
const PENDING_BYTES_MAX = 64 * 1024 * 1024;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const OPEN_ARRAY = 0x5b;

/**
 * Makes an intake.
 *
 * Samples are stored byte for byte as they came, several of a vehicle in one record, in the order
 * of the body and of the bodies. Bodies that arrive while a publish is under way go together into
 * the next.
 *
 * The intake throws `IntakeError` for a body that is empty or too large, or when too much is
 * waiting for the bus, and `BusError` when publishing failed (parts of the body may be stored then).
 */
export function createIntake(options: IntakeOptions): Intake {
  const outlet = new Outlet(options);
  return async (body) => {
    const start = checkBody(body, options.maxBodyBytes);
    outlet.reserve(body.length);
    try {
      const sorting = new Sorting(body);
      const parts = body[start] === OPEN_ARRAY ? splitArray(body, start) : splitLines(body, start);
      if (parts === null) sorting.whole(start, options);
      else sorting.parts(parts, options);
      const records = sorting.records(options.decoder);
      if (records.length > 0) await outlet.publish(records);
      return sorting.result();
    } finally {
      outlet.release(body.length);
    }
  };
}

/** First byte that counts: behind a byte order mark and whitespace. */
function checkBody(body: Uint8Array, maxBytes: number): number {
  if (body.length > maxBytes) {
    throw new IntakeError(
      `Cannot take a body of ${body.length} bytes: the largest is ${maxBytes}; send it in parts`,
      "body-too-large",
    );
  }
  const mark = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  const start = skipWhitespace(body, mark);
  if (start === body.length) {
    throw new IntakeError(
      "Cannot take an empty body: send a JSON object, an array of objects or NDJSON",
      "empty-body",
    );
  }
  return start;
}

/** One body on its way from bytes to records. */
class Sorting {
  /** Spans of accepted objects within the body, by vehicle slot: start, end, start, end, … */
  readonly #spans = new Map<number, number[]>();
  readonly #refusals: { index: number; reason: RefusalReason; position: number }[] = [];
  #accepted = 0;
  #refused = 0;

  constructor(readonly body: Uint8Array) {}

  /** Sorts one object, or several that run over lines. */
  whole(start: number, { decoder, now }: IntakeOptions): void {
    const values = this.body.subarray(start);
    const input = {
      count: 1,
      values,
      valueEnds: Uint32Array.of(values.length),
      appendTimes: Float64Array.of(now()),
    };
    decoder.decode(input, {
      rows: ({ count, slot, index, start: from, end }) => {
        for (let k = 0; k < count; k++) {
          this.#accept(slot[k], index[k], start + from[k], start + end[k]);
        }
      },
      refused: ({ reason, index, position }) => this.#refuse(index, reason, start + position),
    });
  }

  /** Sorts the elements of an array, or lines. */
  parts(elements: readonly ArrayElement[], { decoder, now }: IntakeOptions): void {
    // Each element is a record of its own, so that a broken one spoils no other. Within it, line
    // ends become carriage returns: whitespace as well, but no place where a reader starts anew.
    const values = new Uint8Array(elements.reduce((sum, e) => sum + e.end - e.start, 0));
    const sound: number[] = [];
    const ends: number[] = [];
    let length = 0;
    elements.forEach((element, i) => {
      if (element.brokenAt >= 0) return;
      for (let at = element.start; at < element.end; at++) {
        const byte = this.body[at];
        values[length++] = byte === NEWLINE ? CARRIAGE_RETURN : byte;
      }
      sound.push(i);
      ends.push(length);
    });
    // Refusals are told in the order of the body, so the broken ones are merged in as they come.
    let seen = 0;
    const upTo = (index: number) => {
      for (; seen < index; seen++) {
        const { brokenAt } = elements[seen];
        if (brokenAt >= 0) this.#refuse(seen, "malformed-json", brokenAt);
      }
    };
    const input = {
      count: ends.length,
      values: values.subarray(0, length),
      valueEnds: Uint32Array.from(ends),
      appendTimes: new Float64Array(ends.length).fill(now()),
    };
    if (ends.length > 0) {
      decoder.decode(input, {
        rows: ({ count, slot, record }) => {
          for (let k = 0; k < count; k++) {
            const i = sound[record[k]];
            this.#accept(slot[k], i, elements[i].start, elements[i].end);
          }
        },
        refused: ({ reason, record, position }) => {
          const i = sound[record];
          upTo(i);
          this.#refuse(i, reason, elements[i].start + position);
        },
      });
    }
    upTo(elements.length);
  }

  /** Records of the accepted objects, those of a vehicle in the order of the body. */
  records(decoder: Decoder): OutgoingRecord[] {
    const encoder = new TextEncoder();
    const records: OutgoingRecord[] = [];
    for (const [slot, spans] of this.#spans) {
      const key = encoder.encode(decoder.vehicle(slot));
      for (let from = 0; from < spans.length;) {
        let bytes = 0;
        let to = from;
        do {
          bytes += spans[to + 1] - spans[to] + 1;
          to += 2;
        } while (to < spans.length && bytes + spans[to + 1] - spans[to] < RECORD_BYTES);
        records.push({ key, value: this.#join(spans, from, to, bytes - 1) });
        from = to;
      }
    }
    return records;
  }

  result(): IntakeResult {
    return { accepted: this.#accepted, refused: this.#refused, refusals: this.#refusals };
  }

  #join(spans: readonly number[], from: number, to: number, bytes: number): Uint8Array {
    const value = new Uint8Array(bytes);
    let at = 0;
    for (let k = from; k < to; k += 2) {
      if (k > from) value[at++] = NEWLINE;
      value.set(this.body.subarray(spans[k], spans[k + 1]), at);
      at += spans[k + 1] - spans[k];
    }
    return value;
  }

  #accept(slot: number, index: number, start: number, end: number): void {
    if (end - start > RECORD_BYTES_MAX) {
      this.#refuse(index, "record-too-large", start);
      return;
    }
    this.#accepted++;
    const spans = this.#spans.get(slot);
    if (spans === undefined) this.#spans.set(slot, [start, end]);
    else spans.push(start, end);
  }

  #refuse(index: number, reason: RefusalReason, position: number): void {
    this.#refused++;
    if (this.#refusals.length < REFUSALS_MAX) this.#refusals.push({ index, reason, position });
  }
}

interface Waiting {
  readonly records: readonly OutgoingRecord[];
  readonly done: () => void;
  readonly failed: (reason: unknown) => void;
}

/** Publishes one batch at a time, so that a vehicle's samples keep the order of their bodies. */
class Outlet {
  readonly #options: IntakeOptions;
  #waiting: Waiting[] = [];
  #pendingBytes = 0;
  #running = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** @throws {IntakeError} if too much is waiting already */
  reserve(bytes: number): void {
    const most = this.#options.maxPendingBytes ?? PENDING_BYTES_MAX;
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > most) {
      throw new IntakeError(
        `Cannot take more now: ${this.#pendingBytes} bytes are waiting for the bus; try again`,
        "busy",
      );
    }
    this.#pendingBytes += bytes;
  }

  release(bytes: number): void {
    this.#pendingBytes -= bytes;
  }

  /** Resolves once the records are durable. */
  publish(records: readonly OutgoingRecord[]): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ records, done, failed });
      if (!this.#running) this.#run();
    });
  }

  /** Never rejects: who waits is told. */
  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      const records = batch.flatMap((each) => each.records);
      try {
        await this.#options.bus.publish([{ topic: this.#options.topic, records }]);
        for (const each of batch) each.done();
      } catch (error) {
        for (const each of batch) each.failed(error);
      }
    }
    this.#running = false;
  }

  #take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { records } of this.#waiting) {
      if (count > 0 && bytes >= PUBLISH_BYTES) break;
      bytes += records.reduce((sum, record) => sum + (record.value?.length ?? 0), 0);
      count++;
    }
    return this.#waiting.splice(0, count);
  }
}
