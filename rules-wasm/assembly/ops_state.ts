/** Operators with state per vehicle: row by row, in the order of the log. */
import { E_ALL, E_BASE, E_EVALUATED, E_T, MASK_BYTES } from "./plan_layout";

/** Address of the state of a row's vehicle. */
@inline
export function baseAt(row: u32): usize {
  return load<u32>(E_BASE + (row << 2));
}

/**
 * The last known value before the row, however old. State: that value, and what the result was at
 * the last sample evaluated, for rows of silence.
 */
export function opPrev(
  dst: usize,
  a: usize,
  state: usize,
  brings: usize,
  words: u32,
): void {
  for (let w: u32 = 0; w < words; w++) {
    const taken = load<u64>(brings + (w << 3));
    const evaluated = load<u64>(E_EVALUATED + (w << 3));
    for (let rest = load<u64>(E_ALL + (w << 3)); rest != 0; rest &= rest - 1) {
      const bit = <u64>ctz(rest);
      const row = (w << 6) + <u32>bit;
      const at = baseAt(row) + state;
      if (((evaluated >> bit) & 1) == 0) {
        store<f64>(dst + (row << 3), load<f64>(at, 8));
        continue;
      }
      const before = load<f64>(at);
      store<f64>(dst + (row << 3), before);
      store<f64>(at, before, 8);
      if ((taken >> bit) & 1) {
        const x = load<f64>(a + (row << 3));
        if (x == x) store<f64>(at, x);
      }
    }
  }
}

/** The last known result of a condition before the row. State: 0 none, 1 false, 2 true. */
export function opPrevCondition(
  dst: usize,
  a: usize,
  state: usize,
  brings: usize,
  words: u32,
): void {
  for (let w: u32 = 0; w < words; w++) {
    const taken = load<u64>(brings + (w << 3));
    const yes = load<u64>(a + (w << 3));
    const no = load<u64>(a + (w << 3), MASK_BYTES);
    let wasTrue: u64 = 0;
    let wasFalse: u64 = 0;
    for (let rest = taken; rest != 0; rest &= rest - 1) {
      const bit = <u64>ctz(rest);
      const at = baseAt((w << 6) + <u32>bit) + state;
      const before: u32 = load<u8>(at);
      const flag: u64 = (<u64>1) << bit;
      if (before == 2) wasTrue |= flag;
      else if (before == 1) wasFalse |= flag;
      if (yes & flag) store<u8>(at, 2);
      else if (no & flag) store<u8>(at, 1);
    }
    store<u64>(dst + (w << 3), wasTrue);
    store<u64>(dst + (w << 3), wasFalse, MASK_BYTES);
  }
}

/** Whether `t` lies in a later slot than `before`; most often their distance alone tells. */
@inline
function leaves(before: f64, t: f64, width: f64): bool {
  return t - before >= width || Math.floor(before / width) != Math.floor(t / width);
}

// Kept samples, oldest first: the reference, those in the ring, the newest. What most rows need is
// in 48 bytes; the ring is touched when a slot is left or the reference moves on.
//
//   0 u32 head   4 u32 count of the ring   8 f64 T of the reference, NaN for none   16 its value
//  24 f64 T of the one after the reference, NaN for none   32 f64 T of the newest, NaN for none
//  40 its value

const S_COUNT: usize = 4;
const S_T: usize = 8;
const S_VALUE: usize = 16;
const S_NEXT: usize = 24;
const S_NEW_T: usize = 32;
const S_NEW_VALUE: usize = 40;

/** Makes the sample after the reference the reference. */
function advance(at: usize, ring: usize, places: u32): void {
  const count = load<u32>(at, S_COUNT);
  store<f64>(at, load<f64>(at, S_NEXT), S_T);
  if (count == 0) {
    store<f64>(at, load<f64>(at, S_NEW_VALUE), S_VALUE);
    store<f64>(at, NaN, S_NEXT);
    store<f64>(at, NaN, S_NEW_T);
    return;
  }
  let head = load<u32>(at);
  store<f64>(at, load<f64>(ring + (head << 4), 8), S_VALUE);
  head = head + 1 == places ? 0 : head + 1;
  store<u32>(at, head);
  store<u32>(at, count - 1, S_COUNT);
  store<f64>(at, count == 1 ? load<f64>(at, S_NEW_T) : load<f64>(ring + (head << 4)), S_NEXT);
}

/** Keeps a sample: in place of the newest if that is of the same slot, else behind it. */
function keep(at: usize, ring: usize, places: u32, width: f64, t: f64, x: f64): void {
  const newT = load<f64>(at, S_NEW_T);
  const count = load<u32>(at, S_COUNT);
  if (newT == newT && leaves(newT, t, width)) {
    let place = load<u32>(at) + count;
    if (place >= places) place -= places;
    store<f64>(ring + (place << 4), newT);
    store<f64>(ring + (place << 4), load<f64>(at, S_NEW_VALUE), 8);
    store<u32>(at, count + 1, S_COUNT);
  } else if (count == 0) {
    store<f64>(at, t, S_NEXT);
  }
  store<f64>(at, t, S_NEW_T);
  store<f64>(at, x, S_NEW_VALUE);
}

/**
 * The newest kept sample at or before T - d: its value, and its T into the next register; NaN if
 * there is none. The last sample of each slot of `width` is kept.
 *
 * What lies before that reference is dropped: as T never falls, nothing can ask for it again. The
 * last d overlap at most d / width + 1 slots, rounded up, of which the newest is not in the ring.
 */
export function opSlots(
  dst: usize,
  dstT: usize,
  a: usize,
  state: usize,
  rings: usize,
  brings: usize,
  d: f64,
  width: f64,
  places: u32,
  words: u32,
): void {
  for (let w: u32 = 0; w < words; w++) {
    const taken = load<u64>(brings + (w << 3));
    for (let rest = load<u64>(E_ALL + (w << 3)); rest != 0; rest &= rest - 1) {
      const bit = <u64>ctz(rest);
      const row = (w << 6) + <u32>bit;
      const base = baseAt(row);
      const at = base + state;
      const t = load<f64>(E_T + (row << 3));
      const before = t - d;
      while (load<f64>(at, S_NEXT) <= before) advance(at, base + rings, places);
      store<f64>(dst + (row << 3), load<f64>(at, S_VALUE));
      store<f64>(dstT + (row << 3), load<f64>(at, S_T));
      if ((taken >> bit) & 1) {
        const x = load<f64>(a + (row << 3));
        if (x == x) keep(at, base + rings, places, width, t, x);
      }
    }
  }
}
