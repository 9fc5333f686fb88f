/** Dead letters as they lie on their topic: read, held against the catalog of now, and marks. */
import { type Batch, type Bus, BusError } from "../bus/port.ts";
import type { RefusalReason } from "../contract/telemetry.ts";
import { DEAD_LETTER_HEADERS as HEADER, REPLAY_MARK_HEADER } from "../contract/topics.ts";
import type { Decoder } from "../rules-wasm/decoder_port.ts";
import { decodeMark, Marks } from "./replay_mark.ts";

/**
 * What would become of a letter: it is sent only if "accepted". "cut": the topic keeps its first
 * bytes alone; "replayed": that was done.
 */
export type LetterState = "accepted" | "refused" | "cut" | "replayed";

/** One dead letter. */
export interface Letter {
  readonly partition: number;
  readonly offset: number;
  /** When it was refused, epoch milliseconds by the bus's clock. */
  readonly refusedAt: number;
  /** Why it was refused then; "" on a record that is none of Kilter's. */
  readonly reason: string;
  readonly detail: string;
  /** Byte of the fault within the original record, NaN if unknown. */
  readonly position: number;
  readonly source: {
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
    readonly index: number;
  };
  readonly key: Uint8Array | null;
  /** Its vehicle by the catalog of now, else its key as text, else "". */
  readonly vehicle: string;
  /** A view into the batch that it was read with. */
  readonly value: Uint8Array;
  readonly objects: number;
  readonly replays: number;
  readonly state: LetterState;
  /** What decoding it gives now. */
  readonly now: RefusalReason;
}

/** Letters of one piece of a partition, in their order. */
export interface LetterBatch {
  readonly letters: readonly Letter[];
  /** Offset to go on at. */
  readonly nextOffset: number;
}

/** What to read. */
export interface LetterSource {
  readonly bus: Bus;
  /** The dead letter topic. */
  readonly topic: string;
  /** Made with the catalog of now. */
  readonly decoder: Decoder;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
}

/** All marks on a partition of the dead letter topic. */
export async function readMarks(
  { bus, topic }: Pick<LetterSource, "bus" | "topic">,
  partition: number,
): Promise<Marks> {
  const marks = new Marks();
  for await (const batch of bus.range(topic, partition, 0, Infinity)) {
    for (let i = 0; i < batch.count; i++) {
      if (batch.headers(i)[REPLAY_MARK_HEADER] === undefined) continue;
      const mark = decodeMark(valueOf(batch, i));
      if (mark === null) {
        throw new BusError(
          `Cannot tell what of ${topic}/${partition} was replayed: the mark at offset ` +
            `${batch.offsets[i]} is none of this program's; find out who wrote it`,
        );
      }
      marks.add(mark);
    }
  }
  return marks;
}

/** Letters with `from <= offset < to` of a partition. */
export async function* readLetters(
  source: LetterSource,
  partition: number,
  marks: Marks,
  from: number,
  to: number,
): AsyncGenerator<LetterBatch> {
  const { bus, topic, decoder, now } = source;
  for await (const batch of bus.range(topic, partition, from, to)) {
    const verdicts = judge(batch, decoder, now());
    const letters: Letter[] = [];
    for (let i = 0; i < batch.count; i++) {
      const headers = batch.headers(i);
      if (headers[REPLAY_MARK_HEADER] !== undefined || batch.tombstone(i)) continue;
      const key = batch.key(i);
      const { reason, slot } = verdicts[i];
      const offset = batch.offsets[i];
      letters.push({
        partition,
        offset,
        refusedAt: batch.appendTimes[i],
        reason: headers[HEADER.reason] ?? "",
        detail: headers[HEADER.detail] ?? "",
        position: count(headers[HEADER.position], NaN),
        source: {
          topic: headers[HEADER.topic] ?? "",
          partition: count(headers[HEADER.partition], NaN),
          offset: count(headers[HEADER.offset], NaN),
          index: count(headers[HEADER.index], 0),
        },
        key,
        vehicle: slot >= 0 ? decoder.vehicle(slot) : key === null ? "" : textOf(key),
        value: valueOf(batch, i),
        objects: count(headers[HEADER.objects], 1),
        replays: count(headers[HEADER.replays], 0),
        state: marks.has(offset)
          ? "replayed"
          : headers[HEADER.truncated] !== undefined || headers[HEADER.keyTruncated] !== undefined
          ? "cut"
          : reason === "accepted"
          ? "accepted"
          : "refused",
        now: reason,
      });
    }
    yield { letters, nextOffset: batch.nextOffset };
  }
}

/** What decoding says of each record: accepted if one of its objects is, else its first fault. */
function judge(
  batch: Batch,
  decoder: Decoder,
  now: number,
): { reason: RefusalReason; slot: number }[] {
  const { count, values, valueEnds } = batch;
  const verdicts = Array.from({ length: count }, () => ({
    reason: null as RefusalReason | null,
    slot: -1,
  }));
  // It would be appended now: that is what its time is held against.
  const appendTimes = new Float64Array(count).fill(now);
  decoder.decode({ count, values, valueEnds, appendTimes }, {
    rows(rows) {
      for (let row = 0; row < rows.count; row++) {
        const verdict = verdicts[rows.record[row]];
        verdict.reason = "accepted";
        if (verdict.slot < 0) verdict.slot = rows.slot[row];
      }
    },
    refused({ record, reason }) {
      verdicts[record].reason ??= reason;
    },
  });
  return verdicts.map(({ reason, slot }) => ({ reason: reason ?? "not-an-object", slot }));
}

function valueOf({ values, valueEnds }: Batch, i: number): Uint8Array {
  return values.subarray(i === 0 ? 0 : valueEnds[i - 1], valueEnds[i]);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A header's count; anyone may have written it. */
function count(text: string | undefined, otherwise: number): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : otherwise;
}
