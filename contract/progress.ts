/** Progress records: how far an analysis agent has come on a partition, on `kilter.checkpoints`. */

/** What a progress record says. */
export interface Progress {
  /** Version of this encoding. */
  readonly format: 1;
  /** Input offset to go on at. */
  readonly next: number;
  /** Version of the rules in force for what lies before `next`. */
  readonly version: string;
  /** First input offset at which that version was in force. */
  readonly since: number;
}

/** The record's bytes: one JSON object. */
export function encodeProgress(progress: Progress): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(progress));
}

/**
 * Reads a progress record.
 *
 * @throws {SyntaxError} if the bytes are none, or of a later format
 */
export function decodeProgress(bytes: Uint8Array): Progress {
  const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  if (typeof value === "object" && value !== null) {
    const { format, next, version, since }: Record<string, unknown> = { ...value };
    if (
      format === 1 && typeof next === "number" && typeof version === "string" &&
      typeof since === "number"
    ) {
      return { format, next, version, since };
    }
    if (typeof format === "number" && format > 1) {
      throw new SyntaxError(
        `Cannot read a progress record of format ${format}: this version knows format 1; ` +
          "run the version that wrote it, or a later one",
      );
    }
  }
  throw new SyntaxError("Cannot read the progress record: it is not of a known form");
}
