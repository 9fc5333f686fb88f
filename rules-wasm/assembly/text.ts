/** Bytes of JSON text: white space, strings, UTF-8, escapes. Faults carry an exact position. */
import { INVALID_UTF8, MALFORMED_JSON, TAIL_MASKS } from "./layout";

/** First byte that cannot continue a valid text; meaningful after a reader returned 0. */
export let faultAt: usize = 0;
/** Its reason: MALFORMED_JSON or INVALID_UTF8. */
export let faultReason: i32 = 0;
/** Whether the string read last holds an escape. */
export let stringEscaped: bool = false;

/** Notes a fault; 0 is what every reader returns then. */
export function fault(at: usize, reason: i32): usize {
  faultAt = at;
  faultReason = reason;
  return 0;
}

/** The first byte from `p` that is not JSON white space, or `end`. */
@inline
export function skipSpace(p: usize, end: usize): usize {
  while (p < end) {
    const c = load<u8>(p);
    if (c > 0x20 || (c != 0x20 && c != 0x0a && c != 0x0d && c != 0x09)) break;
    p++;
  }
  return p;
}

/** Which bytes of a string are no plain ASCII: quotes, backslashes, controls, from 0x80 on. */
@inline
export function plainStop(v: v128): i32 {
  return i8x16.bitmask(v128.or(
    v128.or(i8x16.eq(v, i8x16.splat(0x22)), i8x16.eq(v, i8x16.splat(0x5c))),
    // Signed, so that bytes from 0x80 on stop it too.
    i8x16.lt_s(v, i8x16.splat(0x20)),
  ));
}

/**
 * The closing quote of the string whose first byte is at `p`, or 0 with a fault.
 *
 * Sixteen bytes at a time as long as they are plain ASCII.
 */
export function stringEnd(p: usize, end: usize): usize {
  stringEscaped = false;
  while (p < end) {
    const stop = plainStop(v128.load(p));
    if (stop == 0) {
      p += 16;
      continue;
    }
    p += ctz(stop);
    if (p >= end) break;
    const c = load<u8>(p);
    if (c == 0x22) return p;
    if (c < 0x20) return fault(p, MALFORMED_JSON);
    p = c == 0x5c ? escapeEnd(p, end) : characterEnd(p, end);
    if (p == 0) return 0;
  }
  return fault(end, MALFORMED_JSON);
}

/** The byte behind the escape whose backslash is at `p`, or 0 with a fault. */
function escapeEnd(p: usize, end: usize): usize {
  stringEscaped = true;
  p++;
  if (p >= end) return fault(end, MALFORMED_JSON);
  switch (load<u8>(p)) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return p + 1;
    case 0x75: {
      for (let i = 0; i < 4; i++) {
        p++;
        if (p >= end) return fault(end, MALFORMED_JSON);
        if (hexDigit(load<u8>(p)) < 0) return fault(p, MALFORMED_JSON);
      }
      return p + 1;
    }
    default:
      return fault(p, MALFORMED_JSON);
  }
}

/**
 * The byte behind the UTF-8 sequence at `p` (a byte from 0x80 on), or 0 with a fault.
 *
 * The well-formed sequences of The Unicode Standard, table 3-7.
 */
export function characterEnd(p: usize, end: usize): usize {
  const lead = load<u8>(p);
  let low: u32 = 0x80;
  let high: u32 = 0xbf;
  let more = 1;
  if (lead < 0xc2 || lead > 0xf4) return fault(p, INVALID_UTF8);
  if (lead >= 0xf0) {
    more = 3;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  } else if (lead >= 0xe0) {
    more = 2;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  }
  for (; more > 0; more--) {
    p++;
    if (p >= end) return fault(end, INVALID_UTF8);
    const c = <u32>load<u8>(p);
    if (c < low || c > high) return fault(p, INVALID_UTF8);
    low = 0x80;
    high = 0xbf;
  }
  return p + 1;
}

/** Value of a hexadecimal digit, or -1. */
function hexDigit(c: u32): i32 {
  if (c - 0x30 < 10) return <i32>(c - 0x30);
  const letter = (c | 0x20) - 0x61;
  return letter < 6 ? <i32>letter + 10 : -1;
}

/** The code unit of the four hexadecimal digits at `p`. */
function codeUnit(p: usize): u32 {
  return <u32>(
    (hexDigit(load<u8>(p)) << 12) | (hexDigit(load<u8>(p, 1)) << 8) |
    (hexDigit(load<u8>(p, 2)) << 4) | hexDigit(load<u8>(p, 3))
  );
}

/**
 * Decodes the valid string contents [p, q) to UTF-8 at `out`.
 *
 * @returns its length, or -1 when it is longer than `max` bytes or holds a lone surrogate
 */
export function decodeString(p: usize, q: usize, out: usize, max: i32): i32 {
  let n = 0;
  while (p < q) {
    let c: u32 = load<u8>(p++);
    if (c != 0x5c) {
      if (n >= max) return -1;
      store<u8>(out + n++, c);
      continue;
    }
    c = load<u8>(p++);
    if (c == 0x75) {
      c = codeUnit(p);
      p += 4;
      if ((c & 0xfc00) == 0xdc00) return -1;
      if ((c & 0xfc00) == 0xd800) {
        if (q - p < 6 || load<u16>(p) != 0x755c) return -1;
        const low = codeUnit(p + 2);
        if ((low & 0xfc00) != 0xdc00) return -1;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        p += 6;
      }
    } else if (c == 0x62) c = 8;
    else if (c == 0x66) c = 12;
    else if (c == 0x6e) c = 10;
    else if (c == 0x72) c = 13;
    else if (c == 0x74) c = 9;
    if (n + 4 > max && n + encodedBytes(c) > max) return -1;
    n += encode(c, out + n);
  }
  return n;
}

/** Bytes of a code point in UTF-8. */
function encodedBytes(c: u32): i32 {
  return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

/** Writes a code point as UTF-8 and returns its length. */
function encode(c: u32, out: usize): i32 {
  if (c < 0x80) {
    store<u8>(out, c);
    return 1;
  }
  if (c < 0x800) {
    store<u8>(out, 0xc0 | (c >> 6));
    store<u8>(out, 0x80 | (c & 63), 1);
    return 2;
  }
  if (c < 0x10000) {
    store<u8>(out, 0xe0 | (c >> 12));
    store<u8>(out, 0x80 | ((c >> 6) & 63), 1);
    store<u8>(out, 0x80 | (c & 63), 2);
    return 3;
  }
  store<u8>(out, 0xf0 | (c >> 18));
  store<u8>(out, 0x80 | ((c >> 12) & 63), 1);
  store<u8>(out, 0x80 | ((c >> 6) & 63), 2);
  store<u8>(out, 0x80 | (c & 63), 3);
  return 4;
}

/** Fills the table of tail masks. */
export function fillTailMasks(): void {
  memory.fill(TAIL_MASKS, 0xff, 16);
  memory.fill(TAIL_MASKS + 16, 0, 16);
}

/** The first `n` (0 to 16) bytes at `p`, the rest zero. */
@inline
export function loadTail(p: usize, n: u32): v128 {
  return v128.and(v128.load(p), v128.load(TAIL_MASKS + 16 - n));
}

/** A hash of `n` bytes at `p`; reads up to 15 bytes behind them. */
export function hashBytes(p: usize, n: u32, seed: u32): u32 {
  let h: u64 = (<u64>seed << 32) ^ n ^ 0x9e3779b97f4a7c15;
  let v: v128;
  while (n > 16) {
    v = v128.load(p);
    h = mix(h, v);
    p += 16;
    n -= 16;
  }
  return <u32>(mix(h, loadTail(p, n)) >> 16);
}

@inline
function mix(h: u64, v: v128): u64 {
  let a = (h ^ i64x2.extract_lane(v, 0)) * 0xbf58476d1ce4e5b9;
  a ^= a >> 29;
  a = (a ^ i64x2.extract_lane(v, 1)) * 0x94d049bb133111eb;
  return a ^ (a >> 32);
}

/** Whether `n` bytes at `a` and `b` are equal; reads up to 15 bytes behind them. */
export function equalBytes(a: usize, b: usize, n: u32): bool {
  while (n > 16) {
    if (i8x16.bitmask(i8x16.eq(v128.load(a), v128.load(b))) != 0xffff) return false;
    a += 16;
    b += 16;
    n -= 16;
  }
  const keep: u32 = (1 << n) - 1;
  return (i8x16.bitmask(i8x16.eq(v128.load(a), v128.load(b))) & keep) == keep;
}
