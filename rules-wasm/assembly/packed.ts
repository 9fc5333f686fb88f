/**
 * Numbers in few bytes where that loses nothing: what sensors send has few digits, and a sum of
 * such numbers lies a few units in the last place from one.
 *
 * | format | bytes | holds |
 * | --- | --- | --- |
 * | 0, 1, 2 | 2 | k / 10, k, k / 100 of a k of 16 bits |
 * | 3 | 4 | k / 10^s of a k of 24 bits, s one of 1, 2, 3, 5, and up to 31 doubles beside it |
 * | 4 | 8 | every double |
 *
 * NaN fits every format.
 */
import { POWERS_OF_TEN } from "./layout";

/** The format that holds every double. */
export const FORMAT_WHOLE: u32 = 4;

const MIDDLE: u32 = 3;
const SHORT_NONE: i32 = -0x8000;
const MIDDLE_NONE: u32 = 0x80000000;
const MIDDLE_MAX: f64 = 0x7fffff;

/** What `encode` made. */
let made: u32 = 0;

@inline
function shortScale(format: u32): f64 {
  return format == 0 ? 10 : format == 1 ? 1 : 100;
}

@inline
function middleScale(s: u32): f64 {
  return load<f64>(POWERS_OF_TEN + ((s == 3 ? 5 : s + 1) << 3));
}

/** Makes the code of a number in a format below FORMAT_WHOLE; @returns whether there is one */
function encode(format: u32, x: f64): bool {
  if (format != MIDDLE) {
    const scale = shortScale(format);
    const k = nearest<f64>(x * scale);
    made = x == x ? <u32><i32>k : <u32>SHORT_NONE;
    if (x != x) return true;
    // Bits, as 0 and -0 are equal.
    return Math.abs(k) < 0x8000 && reinterpret<u64>(<f64><i32>k / scale) == reinterpret<u64>(x);
  }
  made = MIDDLE_NONE;
  if (x != x) return true;
  for (let s: u32 = 0; s < 4; s++) {
    const scale = middleScale(s);
    const k = nearest<f64>(x * scale);
    if (!(Math.abs(k) <= MIDDLE_MAX)) continue;
    const off = reinterpret<i64>(x) - reinterpret<i64>(<f64><i32>k / scale);
    if (off < -31 || off > 31) continue;
    made = (<u32><i32>k << 8) | (s << 6) | <u32>(off + 32);
    return true;
  }
  return false;
}

/** Bytes of a number in a format. */
@inline
export function packedBytes(format: u32): u32 {
  return format < MIDDLE ? 2 : format == MIDDLE ? 4 : 8;
}

/** Whether a format holds a number. */
export function fits(format: u32, x: f64): bool {
  return format == FORMAT_WHOLE || encode(format, x);
}

/** Writes a number if the format holds it; @returns whether it does */
export function writePacked(at: usize, format: u32, x: f64): bool {
  if (format == FORMAT_WHOLE) {
    store<f64>(at, x);
    return true;
  }
  if (!encode(format, x)) return false;
  if (format < MIDDLE) store<u16>(at, <u16>made);
  else store<u32>(at, made);
  return true;
}

/** Writes 0, which every format holds. */
@inline
export function writeZero(at: usize, format: u32): void {
  if (format < MIDDLE) store<u16>(at, 0);
  else if (format == MIDDLE) store<u32>(at, 32);
  else store<f64>(at, 0);
}

/** Reads a number. */
@inline
export function readPacked(at: usize, format: u32): f64 {
  if (format == FORMAT_WHOLE) return load<f64>(at);
  if (format < MIDDLE) {
    const k = <i32>load<i16>(at);
    return k == SHORT_NONE ? NaN : <f64>k / shortScale(format);
  }
  const code = load<u32>(at);
  if (code == MIDDLE_NONE) return NaN;
  const near = <f64>(<i32>code >> 8) / middleScale((code >> 6) & 3);
  return reinterpret<f64>(reinterpret<i64>(near) + <i64>(code & 63) - 32);
}
