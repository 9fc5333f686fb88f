/**
 * Checkpoints: a partition's engine state on the topic of checkpoints, compressed and cut into
 * records.
 *
 * A checkpoint goes out in one step with a progress record that says where it lies; so what a
 * progress record names is whole, or the disk is damaged. The records' keys are their numbers:
 * compaction keeps the newest checkpoint of a partition and nothing else.
 */
import { type Bus, type OutgoingRecord, RECORD_BYTES_MAX } from "../bus/port.ts";
import type { CheckpointPlace } from "../contract/progress.ts";
import { type CheckpointCodec, ZSTD_CODEC } from "./platform.ts";

/** Bytes of one record, at most. */
export const CHUNK_BYTES = RECORD_BYTES_MAX - 50_000;
/** Bytes of state that a checkpoint may come to once it is decompressed. */
const STATE_BYTES_MAX = 2 ** 31 - 1;

/** Headers of a checkpoint's record. */
const HEADER_ID = "kilter-checkpoint";

/** A checkpoint that cannot be had: parts are missing, or they are not what was written. */
export class CheckpointError extends Error {
  override name = "CheckpointError";
}

/** A checkpoint on its way to the topic. */
export interface CheckpointRecords {
  readonly records: readonly OutgoingRecord[];
  readonly place: CheckpointPlace;
}

/** What of a checkpoint the state does not say. */
export interface CheckpointOf {
  readonly partition: number;
  /** Key that the records share, of group and topic. */
  readonly key: string;
  /** Input offset to go on at. */
  readonly next: number;
  /** End of the partition of checkpoints before this step: its records lie from there on. */
  readonly from: number;
  /** Records of the checkpoint before; what is beyond this one's gets tombstones. */
  readonly chunksBefore: number;
}

/** Cuts a snapshot into records. */
export async function checkpointRecords(
  snapshot: Uint8Array,
  of: CheckpointOf,
  codec: CheckpointCodec = ZSTD_CODEC,
): Promise<CheckpointRecords> {
  const bytes = await codec.compress(snapshot);
  const id = `${of.next}-${(await codec.digest(bytes)).slice(0, 16)}`;
  const text = new TextEncoder();
  const { partition } = of;
  const chunks = Math.ceil(bytes.length / CHUNK_BYTES);
  const records = Array.from({ length: Math.max(chunks, of.chunksBefore) }, (_, i) => ({
    key: text.encode(chunkKey(of.key, i)),
    value: i < chunks ? bytes.slice(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES) : null,
    headers: { [HEADER_ID]: id },
    partition,
  }));
  return { records, place: { id, from: of.from, chunks, next: of.next, bytes: bytes.length } };
}

/**
 * Reads the checkpoint that a progress record names.
 *
 * @returns the snapshot
 * @throws {CheckpointError} if it is not there whole and as it was written
 */
export async function readCheckpoint(
  bus: Bus,
  topic: string,
  partition: number,
  key: string,
  place: CheckpointPlace,
  codec: CheckpointCodec = ZSTD_CODEC,
): Promise<Uint8Array> {
  const wanted = new Map(
    Array.from({ length: place.chunks }, (_, i): [string, number] => [chunkKey(key, i), i]),
  );
  const found = new Map<number, Uint8Array>();
  const text = new TextDecoder();
  for await (const batch of bus.range(topic, partition, place.from, Infinity)) {
    for (let i = 0; i < batch.count && found.size < place.chunks; i++) {
      const name = batch.key(i);
      const chunk = name === null ? undefined : wanted.get(text.decode(name));
      if (chunk === undefined || batch.headers(i)[HEADER_ID] !== place.id) continue;
      found.set(
        chunk,
        batch.values.slice(i === 0 ? 0 : batch.valueEnds[i - 1], batch.valueEnds[i]),
      );
    }
    if (found.size === place.chunks) break;
  }
  const where = `${place.id} on ${topic}/${partition}`;
  if (found.size < place.chunks) {
    throw new CheckpointError(
      `Cannot read checkpoint ${where}: of ${place.chunks} records ${found.size} are there`,
    );
  }
  const bytes = new Uint8Array(place.bytes);
  let at = 0;
  for (let i = 0; i < place.chunks; i++) {
    const chunk = found.get(i);
    if (chunk === undefined || at + chunk.length > bytes.length) {
      throw new CheckpointError(`Cannot read checkpoint ${where}: its records do not fit together`);
    }
    bytes.set(chunk, at);
    at += chunk.length;
  }
  const sum = (await codec.digest(bytes)).slice(0, 16);
  if (!place.id.endsWith(`-${sum}`)) {
    throw new CheckpointError(`Cannot read checkpoint ${where}: its bytes are damaged`);
  }
  return await codec.decompress(bytes, STATE_BYTES_MAX);
}

function chunkKey(key: string, i: number): string {
  return `checkpoint/${key}/${i}`;
}
