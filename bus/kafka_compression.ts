/** What other producers compressed: gzip, Snappy (plain and xerial-framed), LZ4 frames and Zstandard. */
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { snappyUncompressor } from "hysnappy";

/** Names of Kafka's codecs by the low three bits of a record batch's attributes. */
export const CODEC_NAMES = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

/** Largest size that one compressed batch may take up once decompressed, bytes. */
const DECOMPRESSED_BYTES_MAX = 256 * 1024 * 1024;

/** Most that Snappy makes of a byte is 64 / 3; what says more is damaged. */
const SNAPPY_RATIO_MAX = 22;
/** Memory of the Snappy decoder beyond which it is given back, bytes. */
const SNAPPY_KEPT_BYTES = 16 << 20;

const XERIAL_MAGIC = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0];
const LZ4_MAGIC = 0x184d2204;

/**
 * Decompresses the records of one batch.
 *
 * @param codec low three bits of the batch's attributes
 * @throws {Error} if the codec is unknown or the bytes are damaged
 */
export function decompress(codec: number, bytes: Uint8Array): Uint8Array {
  switch (codec) {
    case 0:
      return bytes;
    case 1:
      return new Uint8Array(gunzipSync(bytes, { maxOutputLength: DECOMPRESSED_BYTES_MAX }));
    case 2:
      return isXerial(bytes) ? decompressXerial(bytes) : decompressSnappy(bytes);
    case 3:
      return decompressLz4(bytes);
    case 4:
      return new Uint8Array(zstdDecompressSync(bytes, { maxOutputLength: DECOMPRESSED_BYTES_MAX }));
    default:
      throw new RangeError(`Cannot decompress codec ${codec}: known are 0 to 4`);
  }
}

/** Output that grows; LZ4 copies from what it has already written. */
class Output {
  #bytes: Uint8Array;
  length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  append(source: Uint8Array, start: number, end: number): void {
    if (start < 0 || end > source.length || end < start) throw damaged();
    this.#reserve(end - start);
    this.#bytes.set(source.subarray(start, end), this.length);
    this.length += end - start;
  }

  /** Repeats `count` bytes from `distance` back; the two may overlap. */
  repeat(distance: number, count: number): void {
    if (distance < 1 || distance > this.length) throw damaged();
    this.#reserve(count);
    const from = this.length - distance;
    if (distance >= count) {
      this.#bytes.copyWithin(this.length, from, from + count);
    } else {
      for (let i = 0; i < count; i++) this.#bytes[this.length + i] = this.#bytes[from + i];
    }
    this.length += count;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  #reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.#bytes.length) return;
    if (needed > DECOMPRESSED_BYTES_MAX) {
      throw new RangeError(`Cannot decompress more than ${DECOMPRESSED_BYTES_MAX} bytes a batch`);
    }
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.length));
    this.#bytes = grown;
  }
}

function damaged(cause?: unknown): RangeError {
  return new RangeError("Cannot decompress a record batch: its bytes are damaged", { cause });
}

function isXerial(bytes: Uint8Array): boolean {
  return bytes.length >= 16 && XERIAL_MAGIC.every((byte, i) => bytes[i] === byte);
}

/** Snappy blocks, each behind its length, as the Java library writes them. */
function decompressXerial(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const output = new Output(bytes.length * 3);
  let at = 16;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw damaged();
    const size = view.getUint32(at);
    at += 4;
    if (at + size > bytes.length) throw damaged();
    const block = decompressSnappy(bytes.subarray(at, at + size));
    output.append(block, 0, block.length);
    at += size;
  }
  return output.finish();
}

let snappy: ReturnType<typeof snappyUncompressor> | null = null;

/** One raw Snappy block (format_description.txt of google/snappy). */
function decompressSnappy(bytes: Uint8Array): Uint8Array {
  let size = 0;
  for (let at = 0, shift = 0;; shift += 7) {
    if (at >= bytes.length || shift > 28) throw damaged();
    const byte = bytes[at++];
    size += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (size > DECOMPRESSED_BYTES_MAX || size > bytes.length * SNAPPY_RATIO_MAX) throw damaged();
  const decoder = snappy ??= snappyUncompressor();
  // Its memory grows and never shrinks.
  if (bytes.length + size > SNAPPY_KEPT_BYTES) snappy = null;
  try {
    return decoder(bytes, size);
  } catch (error) {
    throw damaged(error);
  }
}

/** LZ4 frames (lz4_Frame_format.md); checksums are passed over. */
function decompressLz4(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const output = new Output(bytes.length * 3);
  let at = 0;
  while (at < bytes.length) {
    if (at + 7 > bytes.length || view.getUint32(at, true) !== LZ4_MAGIC) throw damaged();
    const flags = bytes[at + 4];
    const blockChecksum = (flags & 0x10) !== 0 ? 4 : 0;
    const contentChecksum = (flags & 0x04) !== 0 ? 4 : 0;
    at += 7 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0);
    for (;;) {
      if (at + 4 > bytes.length) throw damaged();
      const header = view.getUint32(at, true);
      at += 4;
      if (header === 0) break;
      const size = header & 0x7fffffff;
      if (at + size > bytes.length) throw damaged();
      if (header >>> 31 === 1) output.append(bytes, at, at + size);
      else decompressLz4Block(bytes, at, at + size, output);
      at += size + blockChecksum;
    }
    at += contentChecksum;
  }
  return output.finish();
}

/** One LZ4 block (lz4_Block_format.md) at `start` to `end` of `bytes`. */
function decompressLz4Block(bytes: Uint8Array, start: number, end: number, output: Output): void {
  let at = start;
  const readLength = (nibble: number): number => {
    let length = nibble;
    if (nibble === 15) {
      for (let byte = 255; byte === 255;) {
        if (at >= end) throw damaged();
        byte = bytes[at++];
        length += byte;
      }
    }
    return length;
  };
  while (at < end) {
    const token = bytes[at++];
    const literals = readLength(token >> 4);
    if (at + literals > end) throw damaged();
    output.append(bytes, at, at + literals);
    at += literals;
    if (at >= end) return;
    if (at + 2 > end) throw damaged();
    const distance = bytes[at] | (bytes[at + 1] << 8);
    at += 2;
    output.repeat(distance, readLength(token & 15) + 4);
  }
}
