/**
 * Rings in blocks: what an operator keeps of the past, oldest first, as long as it needs to be.
 *
 * ```
 * head, in the vehicle's state        block, columns of `cap` places
 *   0 u32 block, 0 none                 times    0, 2, 3, 4 or 6 bytes: the low bytes of T
 *   4 u8 first place                    values   0 bytes, or packed (packed.ts)
 *   5 u8 count                          squares  0 or 8 bytes: f64
 *   6 u8 cap                            counts   0 bytes, or 1, 2, 4
 *   7 u8 format: of values in the low four bits, of counts (log2 of bytes) in the others; where
 *        there are no counts, a mark of whose ring it is
 * ```
 *
 * A block begins with four places and doubles. Values begin in the shortest format; one that does
 * not fit takes all of the ring to the next format that holds them.
 */
import { fits, FORMAT_WHOLE, packedBytes, readPacked, writePacked, writeZero } from "./packed";
import { giveBlock, takeBlock } from "./pool";

const FIRST: usize = 4;
const COUNT: usize = 5;
const CAP: usize = 6;
const FORMAT: usize = 7;

/** The mark in a format. */
const MARK: u32 = 16;

/** Places of a ring's first block. */
const CAP_MIN: u32 = 4;

let timeBytes: u32 = 0;
let hasValues: bool = false;
let squareBytes: u32 = 0;
let hasCounts: bool = false;
let placesMax: u32 = 0;

/** Says of which shape the rings of the next calls are, and how many places they need at most. */
export function shapeRings(
  times: u32,
  values: bool,
  squares: bool,
  counts: bool,
  places: u32,
): void {
  timeBytes = times;
  hasValues = values;
  squareBytes = squares ? 8 : 0;
  hasCounts = counts;
  placesMax = places;
}

@inline
function valueBytes(format: u32): u32 {
  return hasValues ? packedBytes(format & 15) : 0;
}

function bytesOf(cap: u32, format: u32): u32 {
  const counts: u32 = hasCounts ? 1 << (format >> 4) : 0;
  return cap * (timeBytes + valueBytes(format) + squareBytes + counts);
}

/** Things in the ring. */
@inline
export function ringCount(at: usize): u32 {
  return load<u8>(at, COUNT);
}

@inline
function blockOf(at: usize): usize {
  return load<u32>(at);
}

/** The place of the `i`-th thing, from the oldest. */
@inline
function placeOf(at: usize, i: u32): u32 {
  const place = <u32>load<u8>(at, FIRST) + i;
  const cap: u32 = load<u8>(at, CAP);
  return place >= cap ? place - cap : place;
}

@inline
function timeAt(block: usize, place: u32): usize {
  return block + place * timeBytes;
}

@inline
function valueAt(block: usize, cap: u32, format: u32, place: u32): usize {
  return block + cap * timeBytes + place * valueBytes(format);
}

@inline
function squaresAt(block: usize, cap: u32, format: u32, place: u32): usize {
  return block + cap * (timeBytes + valueBytes(format)) + place * squareBytes;
}

@inline
function countAt(block: usize, cap: u32, format: u32, place: u32): usize {
  const column = block + cap * (timeBytes + valueBytes(format) + squareBytes);
  return column + (place << (format >> 4));
}

/** The low bytes of the T of the `i`-th. Times come first in a block: reading 8 bytes is safe. */
@inline
function lowTime(block: usize, place: u32): u64 {
  return load<u64>(timeAt(block, place)) & (((<u64>1) << (timeBytes << 3)) - 1);
}

function storeTime(block: usize, place: u32, low: u64): void {
  const to = timeAt(block, place);
  if (timeBytes == 4) return store<u32>(to, <u32>low);
  store<u16>(to, <u16>low);
  if (timeBytes == 3) store<u8>(to, <u8>(low >> 16), 2);
  else if (timeBytes == 6) store<u32>(to, <u32>(low >> 16), 2);
}

/** Whether a ring without counts is marked. */
@inline
export function ringMarked(at: usize): bool {
  return (load<u8>(at, FORMAT) & MARK) != 0;
}

/** Marks a ring without counts, or not. */
@inline
export function ringMark(at: usize, on: bool): void {
  const rest = load<u8>(at, FORMAT) & 15;
  store<u8>(at, <u8>(on ? rest | MARK : rest), FORMAT);
}

/** T of the `i`-th thing; `near` is a T at or after it by less than its low bytes can tell. */
@inline
export function ringTime(at: usize, i: u32, near: f64): f64 {
  const mask = ((<u64>1) << (timeBytes << 3)) - 1;
  const back = (<u64><i64>near - lowTime(blockOf(at), placeOf(at, i))) & mask;
  return near - <f64><i64>back;
}

/** Value of the `i`-th thing. */
@inline
export function ringValue(at: usize, i: u32): f64 {
  const format: u32 = load<u8>(at, FORMAT);
  return readPacked(
    valueAt(blockOf(at), load<u8>(at, CAP), format, placeOf(at, i)),
    format & 15,
  );
}

// For passes over all of a ring: its columns, and how they are walked.

/** Place of the oldest. */
@inline
export function ringFirst(at: usize): u32 {
  return load<u8>(at, FIRST);
}

/** Places; behind the last comes the first. */
@inline
export function ringCap(at: usize): u32 {
  return load<u8>(at, CAP);
}

/** Format of the values. */
@inline
export function ringFormat(at: usize): u32 {
  return load<u8>(at, FORMAT) & 15;
}

/** Address of the values. */
@inline
export function ringValues(at: usize): usize {
  return valueAt(blockOf(at), load<u8>(at, CAP), load<u8>(at, FORMAT), 0);
}

/** Sum of squares of the `i`-th thing. */
@inline
export function ringSquares(at: usize, i: u32): f64 {
  return load<f64>(squaresAt(blockOf(at), load<u8>(at, CAP), load<u8>(at, FORMAT), placeOf(at, i)));
}

@inline
function loadCount(from: usize, format: u32): u32 {
  if (format < 16) return load<u8>(from);
  return format < 32 ? <u32>load<u16>(from) : load<u32>(from);
}

@inline
function storeCount(to: usize, format: u32, n: u32): void {
  if (format < 16) store<u8>(to, <u8>n);
  else if (format < 32) store<u16>(to, <u16>n);
  else store<u32>(to, n);
}

/** Count of the `i`-th thing. */
@inline
export function ringN(at: usize, i: u32): u32 {
  return countIn(ringCounts(at), ringCountShift(at), placeOf(at, i));
}

/** Address of the counts. */
@inline
export function ringCounts(at: usize): usize {
  return countAt(blockOf(at), load<u8>(at, CAP), load<u8>(at, FORMAT), 0);
}

/** Log2 of the bytes of a count. */
@inline
export function ringCountShift(at: usize): u32 {
  return <u32>load<u8>(at, FORMAT) >> 4;
}

/** The count at a place of a column of counts. */
@inline
export function countIn(counts: usize, shift: u32, place: u32): u32 {
  return loadCount(counts + (place << shift), shift << 4);
}

/** The format in which the ring holds its things and one more. */
function formatWith(at: usize, x: f64, n: u32): u32 {
  const format: u32 = load<u8>(at, FORMAT);
  let values = format & 15;
  let counts = format >> 4;
  if (hasCounts) {
    while (counts < 2 && n >> (8 << counts) != 0) counts++;
  }
  while (hasValues && values < FORMAT_WHOLE) {
    let all = fits(values, x);
    if (all && values != (format & 15)) {
      for (let i: u32 = 0; all && i < ringCount(at); i++) all = fits(values, ringValue(at, i));
    }
    if (all) break;
    values++;
  }
  return (counts << 4) | values;
}

/** Moves the ring to a block of so many places in a format. */
function rebuild(at: usize, cap: u32, format: u32): void {
  const block = takeBlock(bytesOf(cap, format));
  const count = ringCount(at);
  for (let i: u32 = 0; i < count; i++) {
    if (timeBytes != 0) storeTime(block, i, lowTime(blockOf(at), placeOf(at, i)));
    if (hasValues) writePacked(valueAt(block, cap, format, i), format & 15, ringValue(at, i));
    if (squareBytes != 0) store<f64>(squaresAt(block, cap, format, i), ringSquares(at, i));
    if (hasCounts) storeCount(countAt(block, cap, format, i), format, ringN(at, i));
  }
  ringRelease(at);
  store<u32>(at, <u32>block);
  store<u8>(at, <u8>count, COUNT);
  store<u8>(at, <u8>cap, CAP);
  store<u8>(at, <u8>format, FORMAT);
}

/** Puts something behind the newest; what its shape has no column for is left out. */
export function ringPush(at: usize, t: f64, x: f64, squares: f64, n: u32): void {
  if (ringCount(at) == load<u8>(at, CAP) || !write(at, t, x, squares, n)) {
    const cap: u32 = load<u8>(at, CAP);
    const full = ringCount(at) == cap;
    const more = full ? min<u32>(placesMax, cap == 0 ? CAP_MIN : cap << 1) : cap;
    rebuild(at, more, formatWith(at, x, n));
    write(at, t, x, squares, n);
  }
  store<u8>(at, <u8>(ringCount(at) + 1), COUNT);
}

/** Puts `n` things behind the newest whose value, squares and count are 0; their shape has counts. */
export function ringPushEmpty(at: usize, n: u32): void {
  for (let i: u32 = 0; i < n; i++) {
    const cap: u32 = load<u8>(at, CAP);
    const count = ringCount(at);
    if (count == cap) {
      ringPush(at, 0, 0, 0, 0);
      continue;
    }
    const block = blockOf(at);
    const format: u32 = load<u8>(at, FORMAT);
    const place = placeOf(at, count);
    storeCount(countAt(block, cap, format, place), format, 0);
    if (hasValues) writeZero(valueAt(block, cap, format, place), format & 15);
    if (squareBytes != 0) store<f64>(squaresAt(block, cap, format, place), 0);
    store<u8>(at, <u8>(count + 1), COUNT);
  }
}

/** Writes something behind the newest. @returns whether the ring's format holds it */
@inline
function write(at: usize, t: f64, x: f64, squares: f64, n: u32): bool {
  const block = blockOf(at);
  const cap: u32 = load<u8>(at, CAP);
  const format: u32 = load<u8>(at, FORMAT);
  const place = placeOf(at, ringCount(at));
  if (hasCounts) {
    if (format < 32 && n >> (format < 16 ? 8 : 16) != 0) return false;
    storeCount(countAt(block, cap, format, place), format, n);
  }
  if (hasValues && !writePacked(valueAt(block, cap, format, place), format & 15, x)) return false;
  if (timeBytes != 0) storeTime(block, place, <u64><i64>t);
  if (squareBytes != 0) store<f64>(squaresAt(block, cap, format, place), squares);
  return true;
}

/** Drops the oldest `n`; a ring left empty keeps no more than its first block. */
export function ringDrop(at: usize, n: u32): void {
  store<u8>(at, <u8>placeOf(at, n), FIRST);
  const count = ringCount(at) - n;
  store<u8>(at, <u8>count, COUNT);
  if (count == 0 && load<u8>(at, CAP) > CAP_MIN) ringRelease(at);
}

/** Drops the newest. */
@inline
export function ringDropLast(at: usize): void {
  store<u8>(at, <u8>(ringCount(at) - 1), COUNT);
}

/** Empties the ring and gives its block back; a mark stays. */
export function ringRelease(at: usize): void {
  const block = blockOf(at);
  const format: u32 = load<u8>(at, FORMAT);
  if (block != 0) giveBlock(block, bytesOf(load<u8>(at, CAP), format));
  store<u64>(at, 0);
  if (!hasCounts) store<u8>(at, <u8>(format & MARK), FORMAT);
}
