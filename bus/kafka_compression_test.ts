import { assert, assertEquals, assertThrows } from "@std/assert";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { snappyCompress } from "hysnappy";
import { Seeded } from "../testing/seeded.ts";
import { CODEC_NAMES, decompress } from "./kafka_compression.ts";

/** Text that compresses: few letters, and repeats. */
function sample(chance: Seeded): Uint8Array {
  const bytes: number[] = [];
  const length = chance.below(600);
  while (bytes.length < length) {
    const back = chance.below(bytes.length + 1);
    if (back > 0 && chance.chance(0.3)) {
      for (let i = chance.below(80); i > 0; i--) bytes.push(bytes[bytes.length - back]);
    } else bytes.push(chance.chance(0.8) ? 97 + chance.below(4) : chance.below(256));
  }
  return Uint8Array.from(bytes);
}

/** Java's framing of Snappy: blocks behind their lengths. */
function xerial(bytes: Uint8Array, block: number): Uint8Array {
  const parts: number[] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1];
  for (let at = 0; at < bytes.length; at += block) {
    const packed = snappyCompress(bytes.slice(at, at + block));
    parts.push(0, 0, packed.length >> 8, packed.length & 255, ...packed);
  }
  return Uint8Array.from(parts);
}

/** An LZ4 frame of one block, packed by looking for the last occurrence of four bytes. */
function lz4(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  const long = (rest: number) => {
    for (; rest >= 255; rest -= 255) out.push(255);
    out.push(rest);
  };
  const seen = new Map<string, number>();
  let from = 0;
  const put = (to: number, match: number) => {
    const literals = to - from;
    const extra = match - 4;
    out.push((Math.min(literals, 15) << 4) | (match > 0 ? Math.min(extra, 15) : 0));
    if (literals >= 15) long(literals - 15);
    out.push(...bytes.subarray(from, to));
  };
  for (let at = 0; at + 12 < bytes.length;) {
    const key = bytes.subarray(at, at + 4).join();
    const before = seen.get(key);
    seen.set(key, at);
    if (before === undefined) {
      at++;
      continue;
    }
    let match = 4;
    while (at + match < bytes.length - 5 && bytes[before + match] === bytes[at + match]) match++;
    put(at, match);
    out.push((at - before) & 255, (at - before) >> 8);
    if (match - 4 >= 15) long(match - 19);
    from = at += match;
  }
  put(bytes.length, 0);
  const size = new Uint8Array(new Uint32Array([out.length]).buffer);
  return Uint8Array.from([4, 0x22, 0x4d, 0x18, 0x60, 0x40, 0, ...size, ...out, 0, 0, 0, 0]);
}

const PACKED: readonly { name: string; codec: number; pack: (bytes: Uint8Array) => Uint8Array }[] =
  [
    { name: "gzip", codec: 1, pack: (bytes) => new Uint8Array(gzipSync(bytes)) },
    { name: "snappy", codec: 2, pack: (bytes) => snappyCompress(bytes) },
    { name: "snappy in Java's frames", codec: 2, pack: (bytes) => xerial(bytes, 100) },
    { name: "lz4", codec: 3, pack: lz4 },
    { name: "zstd", codec: 4, pack: (bytes) => new Uint8Array(zstdCompressSync(bytes)) },
  ];

for (const { name, codec, pack } of PACKED) {
  Deno.test(`kafka compression: ${name} is read as it was written`, () => {
    for (let seed = 1; seed <= 300; seed++) {
      const bytes = sample(new Seeded(seed));
      assertEquals(new Uint8Array(decompress(codec, pack(bytes))), bytes, `seed ${seed}`);
    }
  });

  Deno.test(`kafka compression: damaged ${name} ends in an error or in bytes, soon`, () => {
    let refused = 0;
    for (let seed = 1; seed <= 3_000; seed++) {
      const chance = new Seeded(seed);
      const packed = pack(sample(chance));
      const damaged = packed.slice(0, chance.chance(0.2) ? chance.below(packed.length) : undefined);
      for (let i = 1 + chance.below(4); i > 0 && damaged.length > 0; i--) {
        damaged[chance.below(damaged.length)] = chance.below(256);
      }
      try {
        // Nothing of 600 bytes or less becomes this much; it would have been made up.
        assert(decompress(codec, damaged).length < 1 << 20, `seed ${seed}`);
      } catch (error) {
        assert(error instanceof Error && error.name !== "AssertionError", `seed ${seed}: ${error}`);
        refused++;
      }
    }
    assert(refused > 300, `${refused} refused`);
  });
}

Deno.test("kafka compression: what hangs or misleads other decoders is refused", () => {
  const cases: Readonly<Record<string, readonly [number, readonly number[]]>> = {
    "snappy: a literal of negative length": [2, [10, 0xfc, 0xfa, 0xff, 0xff, 0xff]],
    "snappy: shorter than it says": [2, [10, 4, 65, 66]],
    "snappy: longer than it says": [2, [2, 12, 65, 66, 67, 68]],
    "snappy: a copy that is cut": [2, [10, 4, 65, 66, 1]],
    "snappy: a size of 4 GB": [2, [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 65]],
    "lz4: a copy from before the start": [
      3,
      [4, 0x22, 0x4d, 0x18, 0x60, 0x40, 0, 5, 0, 0, 0, 0x10, 65, 9, 0, 0, 0, 0, 0, 0],
    ],
    "lz4: a frame that is cut": [3, [4, 0x22, 0x4d, 0x18, 0x60, 0x40, 0, 5, 0, 0, 0, 0x10, 65]],
    "an unknown codec": [CODEC_NAMES.length, [1, 2, 3]],
  };
  for (const [what, [codec, bytes]] of Object.entries(cases)) {
    assertThrows(() => decompress(codec, Uint8Array.from(bytes)), RangeError, undefined, what);
  }
});
