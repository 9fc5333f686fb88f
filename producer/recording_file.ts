/** Opens recordings: plain or gzip, found out by their first bytes, as a stream of chunks. */

/** A recording that cannot be read; the message names it and says why. */
export class RecordingError extends Error {
  override name = "RecordingError";
}

/** What a recording holds, found out by its first byte. */
export type RecordingFormat = "csv" | "ndjson";

/** An open recording. */
export interface OpenRecording {
  readonly format: RecordingFormat;
  /** Its text, unpacked. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Opens a file. The chunks must be read to their end, or their iterator returned, to close it.
 *
 * @param onBytes told of the bytes read from the file, as they are
 * @throws {RecordingError} if it cannot be opened or unpacked
 */
export async function openRecording(
  path: string,
  onBytes: (count: number) => void = () => {},
): Promise<OpenRecording> {
  const raw = fileChunks(path, onBytes);
  const head = await peek(raw);
  const packed = head.first[0] === 0x1f && head.first[1] === 0x8b;
  const text = packed ? await peek(unpack(path, head.chunks)) : head;
  const start = text.first.find((byte) => byte > 0x20 && ![0xef, 0xbb, 0xbf].includes(byte));
  return { format: start === 0x7b ? "ndjson" : "csv", chunks: text.chunks };
}

async function* fileChunks(
  path: string,
  onBytes: (count: number) => void,
): AsyncGenerator<Uint8Array> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new RecordingError(`Cannot open ${path}: ${why}`, { cause: error });
  }
  try {
    for (;;) {
      const buffer = new Uint8Array(64 * 1024);
      let count: number | null;
      try {
        count = await file.read(buffer);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new RecordingError(`Cannot read ${path}: ${why}`, { cause: error });
      }
      if (count === null) return;
      onBytes(count);
      yield buffer.subarray(0, count);
    }
  } finally {
    file.close();
  }
}

/** The first chunk, and all chunks with it. */
async function peek(
  chunks: AsyncGenerator<Uint8Array>,
): Promise<{ readonly first: Uint8Array; readonly chunks: AsyncGenerator<Uint8Array> }> {
  const { value, done } = await chunks.next();
  const first = done === true ? new Uint8Array() : value;
  const all = async function* () {
    try {
      if (first.length > 0) yield first;
      yield* chunks;
    } finally {
      await chunks.return(undefined);
    }
  };
  return { first, chunks: all() };
}

async function* unpack(
  path: string,
  chunks: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const { value, done } = await chunks.next();
        if (done === true) controller.close();
        else controller.enqueue(new Uint8Array(value));
      } catch (error) {
        controller.error(error);
      }
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
  const reader = source.pipeThrough(new DecompressionStream("gzip")).getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    if (error instanceof RecordingError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new RecordingError(`Cannot unpack ${path}: ${why}; the file is damaged or cut off`, {
      cause: error,
    });
  } finally {
    await reader.cancel().catch(() => {
      // The stream has failed already, and that was told above.
    });
  }
}
