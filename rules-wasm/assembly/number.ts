/**
 * JSON numbers, bit-equal to what JavaScript reads.
 *
 * Up to 15 digits take one path without loops: sixteen bytes are loaded, a shuffle by length and
 * dot (`NUMBER_SHAPES`) right-aligns the digits, three multiply-adds make the mantissa, and one
 * division by an exact power of ten rounds once (Clinger 1990). The rest goes through `readNumber`.
 */
import {
  FIVES,
  FIVES_MAX,
  FIVES_MIN,
  MALFORMED_JSON,
  NUMBER_DECIMALS,
  NUMBER_SHAPES,
  NUMBER_VECTORS,
  POWERS_OF_TEN,
} from "./layout";
import { fault } from "./text";

/** `Number(text)` of the bytes, by the host: for what no fast path rounds exactly. */
@external("host", "number")
declare function hostNumber(p: usize, length: u32): f64;

/** Offsets in NUMBER_VECTORS. Loaded, not written out: 5 % of a scan (scan_bench.ts). */
const ZEROS: usize = 0;
const LOW_BYTES: usize = 16;
const TENS: usize = 32;
const HUNDREDS: usize = 48;
const TEN_THOUSANDS: usize = 64;
const NINES: usize = 80;
const DOTS: usize = 96;

/** What `readNumber` read. */
export let numberValue: f64 = 0;

/** Fills the constant tables. */
export function fillNumberTables(): void {
  v128.store(NUMBER_VECTORS, i8x16.splat(0x30), ZEROS);
  v128.store(NUMBER_VECTORS, i16x8.splat(0xff), LOW_BYTES);
  v128.store(NUMBER_VECTORS, i16x8.splat(10), TENS);
  v128.store(NUMBER_VECTORS, i16x8(100, 1, 100, 1, 100, 1, 100, 1), HUNDREDS);
  v128.store(NUMBER_VECTORS, i16x8(10000, 1, 10000, 1, 10000, 1, 10000, 1), TEN_THOUSANDS);
  v128.store(NUMBER_VECTORS, i8x16.splat(9), NINES);
  v128.store(NUMBER_VECTORS, i8x16.splat(0x2e), DOTS);
  let power: f64 = 1;
  for (let i = 0; i < 23; i++) {
    store<f64>(POWERS_OF_TEN + (i << 3), power);
    power *= 10;
  }
  for (let length = 0; length <= 16; length++) {
    for (let dot = 0; dot <= length; dot++) {
      const digits = dot < length ? length - 1 : length;
      // Plain: 1 to 15 bytes, no dot or one between digits.
      const plain = length > 0 && length < 16 && dot > 0 && dot + 1 != length;
      store<u8>(NUMBER_DECIMALS + length * 17 + dot, plain ? digits - (dot < digits ? dot : digits) : 0xff);
      for (let lane = 0; lane < 16; lane++) {
        const k = lane - (16 - digits);
        store<u8>(
          NUMBER_SHAPES + ((length * 17 + dot) << 4) + lane,
          k < 0 ? 0x80 : k >= dot ? k + 1 : k,
        );
      }
    }
  }
}

/** Which of the bytes in `v` are digits, one bit each. */
@inline
export function digitBits(v: v128): i32 {
  const d = i8x16.sub(v, v128.load(NUMBER_VECTORS, ZEROS));
  return i8x16.bitmask(i8x16.eq(i8x16.min_u(d, v128.load(NUMBER_VECTORS, NINES)), d));
}

/** Which of the bytes in `v` are dots, one bit each. */
@inline
export function dotBits(v: v128): i32 {
  return i8x16.bitmask(i8x16.eq(v, v128.load(NUMBER_VECTORS, DOTS)));
}

/** Where a number of `length` bytes with its dot at `dot` (`length` if none) stands in the tables. */
// A shift and an add, not a multiplication.
@inline
export function shapeOf(length: u32, dot: u32): u32 {
  return (length << 4) + length + dot;
}

/** Decimals of a shape; above 15 where it is no plain number. */
@inline
export function decimalsOf(shape: u32): u32 {
  return load<u8>(NUMBER_DECIMALS + shape);
}

/** The digits in `v`, a number of that shape, as a whole number. */
@inline
export function mantissa(v: v128, shape: u32): i64 {
  const digits = i8x16.swizzle(
    i8x16.sub(v, v128.load(NUMBER_VECTORS, ZEROS)),
    v128.load(NUMBER_SHAPES + (shape << 4)),
  );
  const twos = i16x8.add(
    i16x8.mul(v128.and(digits, v128.load(NUMBER_VECTORS, LOW_BYTES)), v128.load(NUMBER_VECTORS, TENS)),
    i16x8.shr_u(digits, 8),
  );
  const fours = i32x4.dot_i16x8_s(twos, v128.load(NUMBER_VECTORS, HUNDREDS));
  const eights = i32x4.dot_i16x8_s(
    i16x8.narrow_i32x4_u(fours, fours),
    v128.load(NUMBER_VECTORS, TEN_THOUSANDS),
  );
  return <i64>i32x4.extract_lane(eights, 0) * 100000000 + <i64>i32x4.extract_lane(eights, 1);
}

/** A mantissa with so many decimals. */
@inline
export function scaled(mantissa: i64, decimals: u32): f64 {
  return <f64>mantissa / load<f64>(POWERS_OF_TEN + (decimals << 3));
}

@inline
function isDigit(p: usize, end: usize): bool {
  return p < end && <u32>load<u8>(p) - 0x30 < 10;
}

/** Whether all of eight bytes are digits. */
@inline
function isEightDigits(v: u64): bool {
  const high: u64 = 0xf0f0f0f0f0f0f0f0;
  return (v & high) == 0x3030303030303030 &&
    ((v + 0x0606060606060606) & high) == 0x3030303030303030;
}

/** The number of eight digits, the first in the lowest byte: pairs, fours, eights. */
@inline
function eightDigits(v: u64): u64 {
  v = (v & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8;
  v = (v & 0x00ff00ff00ff00ff) * 6553601 >> 16;
  return (v & 0x0000ffff0000ffff) * 42949672960001 >> 32;
}

/**
 * Reads the number at `p` (a minus or a digit) into `numberValue`.
 *
 * @returns the byte behind it, or 0 with a fault
 */
export function readNumber(p: usize, end: usize): usize {
  const negative = load<u8>(p) == 0x2d;
  if (negative) p++;
  const start = p;
  let m: u64 = 0;
  let exponent = 0;
  let significant = 0;
  if (!isDigit(p, end)) return fault(p < end ? p : end, MALFORMED_JSON);
  if (load<u8>(p) == 0x30) p++;
  else {
    while (significant <= 11 && p + 8 <= end && isEightDigits(load<u64>(p))) {
      m = m * 100000000 + eightDigits(load<u64>(p));
      significant += 8;
      p += 8;
    }
    while (isDigit(p, end)) {
      const d: u32 = load<u8>(p) - 0x30;
      if (significant < 19) {
        m = m * 10 + d;
        significant++;
      } else {
        exponent++;
        significant = 20;
      }
      p++;
    }
  }
  if (p < end && load<u8>(p) == 0x2e) {
    p++;
    if (!isDigit(p, end)) return fault(p < end ? p : end, MALFORMED_JSON);
    while (m != 0 && significant <= 11 && p + 8 <= end && isEightDigits(load<u64>(p))) {
      m = m * 100000000 + eightDigits(load<u64>(p));
      significant += 8;
      exponent -= 8;
      p += 8;
    }
    while (isDigit(p, end)) {
      const d: u32 = load<u8>(p) - 0x30;
      if (significant < 19) {
        m = m * 10 + d;
        if (m != 0) significant++;
        exponent--;
      } else significant = 20;
      p++;
    }
  }
  if (p < end && (load<u8>(p) | 0x20) == 0x65) {
    p++;
    let down = false;
    if (p < end && (load<u8>(p) == 0x2b || load<u8>(p) == 0x2d)) {
      down = load<u8>(p) == 0x2d;
      p++;
    }
    if (!isDigit(p, end)) return fault(p < end ? p : end, MALFORMED_JSON);
    let e = 0;
    do {
      if (e < 100000) e = e * 10 + (load<u8>(p) - 0x30);
      p++;
    } while (isDigit(p, end));
    exponent += down ? -e : e;
  }
  const value = rounded(start, p, m, exponent, significant);
  numberValue = negative ? -value : value;
  return p;
}

/** m * 10^exponent, correctly rounded; the unsigned text is [start, end). */
function rounded(start: usize, end: usize, m: u64, exponent: i32, significant: i32): f64 {
  const whole = significant < 20;
  if (m == 0) return 0;
  if (whole && m <= 0x20000000000000 && exponent >= -22 && exponent <= 22) {
    return exponent < 0
      ? <f64>m / load<f64>(POWERS_OF_TEN + (-exponent << 3))
      : <f64>m * load<f64>(POWERS_OF_TEN + (exponent << 3));
  }
  if (exponent >= FIVES_MIN && exponent <= FIVES_MAX) {
    const value = nearest(m, exponent);
    // With digits left out the number lies between m and m + 1.
    if (value == value && (whole || value == nearest(m + 1, exponent))) return value;
  }
  return hostNumber(start, <u32>(end - start));
}

/** High word of the product of the last `multiply`; it returns the low word. */
let high: u64 = 0;

function multiply(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const low = a0 * b0;
  const cross = a1 * b0 + (low >> 32);
  const carry = (cross & 0xffffffff) + a0 * b1;
  high = a1 * b1 + (cross >> 32) + (carry >> 32);
  return (carry << 32) | (low & 0xffffffff);
}

/**
 * The double nearest to w * 10^q, w not 0 and q within the table, or NaN where 128 bits do not tell.
 *
 * Eisel and Lemire; D. Lemire, "Number parsing at a gigabyte per second", 2021. With these q the
 * result is neither subnormal nor infinite.
 */
function nearest(w: u64, q: i32): f64 {
  const five = FIVES + ((q - FIVES_MIN) << 4);
  const zeros = clz(w);
  w <<= zeros;
  let low = multiply(w, load<u64>(five));
  let top = high;
  if ((top & 0x1ff) == 0x1ff) {
    multiply(w, load<u64>(five, 8));
    low += high;
    if (high > low) top++;
    if (low == 0xffffffffffffffff && (q < -27 || q > 55)) return NaN;
  }
  const upper = top >> 63;
  let m = top >> (upper + 9);
  // floor(q * log2(10)) + 63, as in the paper.
  let power = <i64>((217706 * q) >> 16) + 63 + <i64>upper - <i64>zeros + 1023;
  // Exactly between two doubles: to the even one.
  if (low <= 1 && q >= -4 && q <= 23 && (m & 3) == 1 && m << (upper + 9) == top) m &= ~1;
  m = (m + (m & 1)) >> 1;
  if (m >= 0x20000000000000) {
    m = 0x10000000000000;
    power++;
  }
  return reinterpret<f64>((m & 0xfffffffffffff) | (<u64>power << 52));
}
