/**
 * Values of a sample that leave the beaten track, and whole values passed over.
 *
 * Each reader takes the first byte of a value and gives the byte behind it, or 0 with a fault.
 */
import { MALFORMED_JSON } from "./layout";
import { alloc } from "./memory";
import { fault, skipSpace, stringEnd } from "./text";
import { readNumber } from "./number";

/** One bit a level of nesting: set for an object. As many bits as the input has bytes. */
let nesting: usize = 0;
/** Keys met by the last `skipValue` whose values are no objects and lie in no array. */
export let skippedKeys: u32 = 0;

/** Makes room for nesting as deep as an input of so many bytes can be. */
export function setupNesting(inputBytes: u32): void {
  nesting = alloc((inputBytes >> 3) + 8, 8);
}

/** Passes over `true`, `false` or `null`, whichever the first byte promises. */
export function readLiteral(p: usize, end: usize): usize {
  const c = load<u8>(p);
  let rest: u32;
  let length: usize = 4;
  if (c == 0x74) rest = 0x657572;
  else if (c == 0x6e) rest = 0x6c6c75;
  else if (c == 0x66) {
    rest = 0x65736c61;
    length = 5;
  } else return fault(p, MALFORMED_JSON);
  for (let i: usize = 1; i < length; i++) {
    if (p + i >= end) return fault(end, MALFORMED_JSON);
    if (<u32>load<u8>(p + i) != (rest & 0xff)) return fault(p + i, MALFORMED_JSON);
    rest >>= 8;
  }
  return p + length;
}

/** Passes over a string, number or literal. */
export function readScalar(p: usize, end: usize): usize {
  const c = load<u8>(p);
  if (c == 0x22) {
    const q = stringEnd(p + 1, end);
    return q == 0 ? 0 : q + 1;
  }
  if (c == 0x2d || <u32>c - 0x30 < 10) return readNumber(p, end);
  return readLiteral(p, end);
}

@inline
function setLevel(depth: u32, isObject: bool): void {
  const at = nesting + (depth >> 3);
  const bit: u32 = 1 << (depth & 7);
  const byte: u32 = load<u8>(at);
  store<u8>(at, isObject ? byte | bit : byte & ~bit);
}

@inline
function isObjectLevel(depth: u32): bool {
  return ((load<u8>(nesting + (depth >> 3)) >> (depth & 7)) & 1) != 0;
}

/** Passes over `"key" :` and the white space around it, and counts the key. */
function skipKey(p: usize, end: usize, arrays: u32): usize {
  if (p >= end) return fault(end, MALFORMED_JSON);
  if (load<u8>(p) != 0x22) return fault(p, MALFORMED_JSON);
  p = stringEnd(p + 1, end);
  if (p == 0) return 0;
  p = skipSpace(p + 1, end);
  if (p >= end) return fault(end, MALFORMED_JSON);
  if (load<u8>(p) != 0x3a) return fault(p, MALFORMED_JSON);
  p = skipSpace(p + 1, end);
  if (p >= end) return fault(end, MALFORMED_JSON);
  if (arrays == 0 && load<u8>(p) != 0x7b) skippedKeys++;
  return p;
}

/** Passes over any value, however deep; its leaves' keys are in `skippedKeys` then. */
export function skipValue(p: usize, end: usize): usize {
  let depth: u32 = 0;
  let arrays: u32 = 0;
  skippedKeys = 0;
  while (true) {
    // At the first byte of a value, p < end.
    const c = load<u8>(p);
    if (c == 0x7b || c == 0x5b) {
      const isObject = c == 0x7b;
      setLevel(depth++, isObject);
      if (!isObject) arrays++;
      p = skipSpace(p + 1, end);
      if (p >= end) return fault(end, MALFORMED_JSON);
      if (load<u8>(p) != (isObject ? 0x7d : 0x5d)) {
        if (isObject) {
          p = skipKey(p, end, arrays);
          if (p == 0) return 0;
        }
        continue;
      }
    } else {
      p = readScalar(p, end);
      if (p == 0) return 0;
      if (depth == 0) return p;
      p = skipSpace(p, end);
      if (p >= end) return fault(end, MALFORMED_JSON);
    }
    // Behind a value, at a comma or the end of what holds it.
    while (true) {
      const isObject = isObjectLevel(depth - 1);
      const next = load<u8>(p);
      if (next == 0x2c) {
        p = skipSpace(p + 1, end);
        if (p >= end) return fault(end, MALFORMED_JSON);
        if (isObject) {
          p = skipKey(p, end, arrays);
          if (p == 0) return 0;
        }
        break;
      }
      if (next != (isObject ? 0x7d : 0x5d)) return fault(p, MALFORMED_JSON);
      depth--;
      if (!isObject) arrays--;
      p++;
      if (depth == 0) return p;
      p = skipSpace(p, end);
      if (p >= end) return fault(end, MALFORMED_JSON);
    }
  }
}
