/** The powers of five by which the kernel rounds long decimals. */
import { FIVES, FIVES_MAX, FIVES_MIN } from "./assembly/layout.ts";

let powers: Uint8Array | undefined;

/** Writes the powers into the kernel; they are worked out once in this isolate. */
export function writePowersOfFive(memory: WebAssembly.Memory): void {
  new Uint8Array(memory.buffer).set(powers ??= powersOfFive(), FIVES);
}

/**
 * 128 bits of 5^q for q from `FIVES_MIN` to `FIVES_MAX`: high word, low word, normalised so that the
 * top bit is set; truncated from 5^0 on, below it rounded up.
 *
 * Lemire, "Number parsing at a gigabyte per second", 2021, section 5.
 */
function powersOfFive(): Uint8Array {
  const bytes = new Uint8Array(16 * (FIVES_MAX - FIVES_MIN + 1));
  const view = new DataView(bytes.buffer);
  for (let q = FIVES_MIN; q <= FIVES_MAX; q++) {
    const bits = q < 0 ? reciprocal(5n ** BigInt(-q)) : normalised(5n ** BigInt(q));
    const at = (q - FIVES_MIN) * 16;
    view.setBigUint64(at, bits >> 64n, true);
    view.setBigUint64(at + 8, bits & 0xffff_ffff_ffff_ffffn, true);
  }
  return bytes;
}

function bitLength(n: bigint): bigint {
  return BigInt(n.toString(2).length);
}

/** The top 128 bits of n. */
function normalised(n: bigint): bigint {
  const excess = bitLength(n) - 128n;
  return excess > 0n ? n >> excess : n << -excess;
}

/** The top 128 bits of 1/n, rounded up; n is no power of two. */
function reciprocal(n: bigint): bigint {
  const length = bitLength(n);
  return (1n << (length + 127n)) / n + 1n;
}
