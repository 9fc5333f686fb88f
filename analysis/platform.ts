/**
 * What the analysis needs of its surroundings beside the bus and the clock: timers, turns of the
 * event loop, and work that other threads do. A simulation brings its own, to order it by a seed.
 */
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";

/** Compresses and sums the bytes of checkpoints. */
export interface CheckpointCodec {
  compress(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
  /** @throws if it would come to more than `bytesMax` */
  decompress(bytes: Uint8Array, bytesMax: number): Promise<Uint8Array<ArrayBuffer>>;
  /** SHA-256 as 64 hexadecimal digits. */
  digest(bytes: Uint8Array<ArrayBuffer>): Promise<string>;
}

/** The surroundings. */
export interface Platform {
  readonly codec: CheckpointCodec;
  /** Calls `run` every `ms` until the returned function is called. */
  every(ms: number, run: () => void): () => void;
  /** Gives way to whatever else is to be done. */
  turn(): Promise<void>;
}

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
/** Fast is what counts: the state of 10,000 vehicles takes some tens of milliseconds. */
const PARAMS = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 };

/** Zstandard and SHA-256 as this process has them, on threads of its own. */
export const ZSTD_CODEC: CheckpointCodec = {
  compress: async (bytes) => new Uint8Array(await compress(bytes, { params: PARAMS })),
  decompress: async (bytes, bytesMax) =>
    new Uint8Array(await decompress(bytes, { maxOutputLength: bytesMax })),
  digest: async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex(),
};

/** The surroundings of a real process. */
export const REAL_PLATFORM: Platform = {
  codec: ZSTD_CODEC,
  every(ms, run) {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
  turn: () => new Promise((resolve) => setTimeout(resolve, 0)),
};
