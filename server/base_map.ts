/** A base map of the operator's own, a PMTiles file: checked at the start, handed out in ranges. */
import { HttpFault } from "./problem.ts";

/** Where pages ask for it. */
export const BASE_MAP_PATH = "/map.pmtiles";

/** Longest range handed out at a time, bytes: tiles and directories are far smaller. */
const RANGE_BYTES_MAX = 8 * 2 ** 20;
/** Bytes of the header, by the specification of version 3. */
const HEADER_BYTES = 127;
const MAGIC = "PMTiles";
/** Compressions that every browser undoes: none and gzip; 0 is "not said". */
const COMPRESSIONS = [0, 1, 2];
/** Vector tiles, PNG, JPEG, WebP, AVIF. */
const TILE_TYPES = [1, 2, 3, 4, 5];

/** The file is no base map; the message is one line that names it. */
export class BaseMapError extends Error {
  override name = "BaseMapError";
}

/** A file that has been looked at. */
export class BaseMap {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Looks at a file.
   *
   * @throws {BaseMapError} if it cannot be read, or is not what it should be
   */
  static open(path: string): BaseMap {
    const fault = faultOf(path);
    if (fault !== null) throw new BaseMapError(`${path}: ${fault}`);
    return new BaseMap(path);
  }

  /**
   * Answers with the range asked for.
   *
   * @throws {HttpFault} 416 without a range, or for one beyond the file; 404 if the file has gone
   */
  async serve(request: Request): Promise<Response> {
    let file: Deno.FsFile;
    try {
      file = await Deno.open(this.#path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new HttpFault(404, "The file of the base map is not there any more");
    }
    using opened = file;
    const { size, mtime } = await opened.stat();
    const [from, to] = rangeOf(request.headers.get("range") ?? "", size);
    await opened.seek(from, Deno.SeekMode.Start);
    const bytes = new Uint8Array(to - from);
    for (let at = 0; at < bytes.length;) {
      const count = await opened.read(bytes.subarray(at));
      if (count === null) throw new HttpFault(404, "The file of the base map became shorter");
      at += count;
    }
    return new Response(bytes, {
      status: 206,
      headers: {
        "content-type": "application/octet-stream",
        "content-range": `bytes ${from}-${to - 1}/${size}`,
        "content-length": String(bytes.length),
        "accept-ranges": "bytes",
        etag: `"${size.toString(36)}-${(mtime?.getTime() ?? 0).toString(36)}"`,
        "cache-control": "no-cache",
      },
    });
  }
}

/** First byte and the one behind the last. */
function rangeOf(header: string, size: number): [number, number] {
  const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header);
  const from = Number(match?.[1]);
  const to = Math.min(size, Number(match?.[2]) + 1);
  if (match !== null && from < to && to - from <= RANGE_BYTES_MAX) return [from, to];
  throw new HttpFault(
    416,
    `The base map comes in ranges of at most ${RANGE_BYTES_MAX} bytes within its ${size}`,
    { "content-range": `bytes */${size}` },
  );
}

/** What is wrong with a file; null if nothing is. */
function faultOf(path: string): string | null {
  let header: Uint8Array;
  let size: number;
  try {
    using file = Deno.openSync(path);
    const { isFile, size: bytes } = file.statSync();
    if (!isFile) return "it is a folder; a base map is a PMTiles file";
    size = bytes;
    header = new Uint8Array(HEADER_BYTES);
    const count = file.readSync(header) ?? 0;
    if (count < HEADER_BYTES) return "it is too short for a PMTiles file";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "there is no such file";
    if (error instanceof Deno.errors.IsADirectory) {
      return "it is a folder; a base map is a PMTiles file";
    }
    return `it cannot be read: ${error instanceof Error ? error.message : error}`;
  }
  if (new TextDecoder("latin1").decode(header.subarray(0, MAGIC.length)) !== MAGIC) {
    return "it is not a PMTiles file";
  }
  if (header[7] !== 3) {
    return `it is PMTiles version ${
      header[7]
    }, and only version 3 is read; pmtiles convert makes it`;
  }
  const view = new DataView(header.buffer);
  const number = (at: number) => Number(view.getBigUint64(at, true));
  for (const [what, at] of [["directory", 8], ["metadata", 24], ["tiles", 56]] as const) {
    if (number(at) + number(at + 8) > size) {
      return `it is cut short: its ${what} should reach byte ${number(at) + number(at + 8)}, ` +
        `and it has ${size}`;
    }
  }
  const [inner = 0, outer = 0, type = 0] = header.subarray(97, 100);
  if (!COMPRESSIONS.includes(inner) || !COMPRESSIONS.includes(outer)) {
    return "it is compressed with brotli or zstandard, which browsers do not undo; use gzip";
  }
  if (!TILE_TYPES.includes(type)) return "it holds no kind of tile that is known";
  return null;
}
