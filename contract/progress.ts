/** Progress records: how far an analysis agent has come on a partition, on `kilter.checkpoints`. */

/** Where a checkpoint lies, on the same partition of the same topic. */
export interface CheckpointPlace {
  /** Its records carry it. */
  readonly id: string;
  /** Offset that none of its records lies before. */
  readonly from: number;
  /** Number of its records. */
  readonly chunks: number;
  /** Bytes of them together. */
  readonly bytes: number;
  /** Input offset at which its state goes on. */
  readonly next: number;
}

/** What a progress record says. */
export interface Progress {
  /** Input offset to go on at. */
  readonly next: number;
  /** Version of the rules in force for what lies before `next`. */
  readonly version: string;
  /** First input offset at which that version was in force. */
  readonly since: number;
  /** Newest checkpoint; null before the first. Its state is of `version`. */
  readonly checkpoint: CheckpointPlace | null;
  /** Partitions that the topic had then; 0 in records from before this was kept. */
  readonly partitions: number;
}

/** The encoding written; 1 had no checkpoints and is read too. */
const FORMAT = 2;

/** The record's bytes: one JSON object. */
export function encodeProgress(progress: Progress): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ format: FORMAT, ...progress }));
}

/**
 * Reads a progress record.
 *
 * @throws {SyntaxError} if the bytes are none, or of a later format
 */
export function decodeProgress(bytes: Uint8Array): Progress {
  const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  if (typeof value === "object" && value !== null) {
    const { format, next, version, since, checkpoint, partitions }: Record<string, unknown> = {
      ...value,
    };
    if (typeof format === "number" && format > FORMAT) {
      throw new SyntaxError(
        `Cannot read a progress record of format ${format}: this version knows formats up to ` +
          `${FORMAT}; run the version that wrote it, or a later one`,
      );
    }
    const place = format === 1 ? null : placeOf(checkpoint);
    if (
      typeof next === "number" && typeof version === "string" && typeof since === "number" &&
      place !== undefined
    ) {
      const count = typeof partitions === "number" ? partitions : 0;
      return { next, version, since, checkpoint: place, partitions: count };
    }
  }
  throw new SyntaxError("Cannot read the progress record: it is not of a known form");
}

/** undefined if it is none. */
function placeOf(value: unknown): CheckpointPlace | null | undefined {
  if (value === null) return null;
  if (typeof value !== "object") return undefined;
  const { id, from, chunks, bytes, next }: Record<string, unknown> = { ...value };
  return typeof id === "string" && typeof from === "number" && typeof chunks === "number" &&
      typeof bytes === "number" && typeof next === "number"
    ? { id, from, chunks, bytes, next }
    : undefined;
}
