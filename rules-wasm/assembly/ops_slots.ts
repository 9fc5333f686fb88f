/** References of `delta` and `rate`: the last sample of each slot of the last d, row by row. */
import { E_ALL, E_T } from "./plan_layout";
import { baseAt } from "./ops_state";
import { ringCount, ringDrop, ringPush, ringTime, ringValue, shapeRings } from "./ring";
import { put, take } from "./words";

// Kept samples, oldest first: the reference, those in the ring, the newest. What most rows need is
// in 48 bytes; the ring is touched when a slot is left or the reference moves on.
//
//   0 head of the ring   8 f64 T of the reference, NaN for none   16 its value
//  24 f64 T of the one after the reference, NaN for none   32 f64 T of the newest, NaN for none
//  40 its value

const S_T: usize = 8;
const S_VALUE: usize = 16;
const S_NEXT: usize = 24;
const S_NEW_T: usize = 32;
const S_NEW_VALUE: usize = 40;

/** Says what rings of slots look like: all but the reference lie within d of the newest. */
export function shapeSlots(timeBytes: u32, places: u32): void {
  shapeRings(timeBytes, true, false, false, places);
}

/** Whether `t` lies in a later slot than `before`; most often their distance alone tells. */
@inline
function leaves(before: f64, t: f64, width: f64): bool {
  return t - before >= width || Math.floor(before / width) != Math.floor(t / width);
}

/** Makes the sample after the reference the reference. */
function advance(at: usize): void {
  store<f64>(at, load<f64>(at, S_NEXT), S_T);
  const count = ringCount(at);
  if (count == 0) {
    store<f64>(at, load<f64>(at, S_NEW_VALUE), S_VALUE);
    store<f64>(at, NaN, S_NEXT);
    store<f64>(at, NaN, S_NEW_T);
    return;
  }
  store<f64>(at, ringValue(at, 0), S_VALUE);
  const newest = load<f64>(at, S_NEW_T);
  store<f64>(at, count == 1 ? newest : ringTime(at, 1, newest), S_NEXT);
  ringDrop(at, 1);
}

/** Keeps a sample: in place of the newest if that is of the same slot, else behind it. */
@inline
function keep(at: usize, width: f64, t: f64, x: f64): void {
  const newest = load<f64>(at, S_NEW_T);
  if (newest == newest && leaves(newest, t, width)) {
    ringPush(at, newest, load<f64>(at, S_NEW_VALUE), 0, 0);
  } else if (ringCount(at) == 0) {
    store<f64>(at, t, S_NEXT);
  }
  store<f64>(at, t, S_NEW_T);
  store<f64>(at, x, S_NEW_VALUE);
}

/**
 * The newest kept sample at or before T - d: its value, and its T into the next register; NaN if
 * there is none. The last sample of each slot of `width` is kept. `shapeSlots` comes first.
 *
 * What lies before that reference is dropped: as T never falls, nothing can ask for it again. The
 * last d overlap at most d / width + 1 slots, rounded up, of which the newest is not in the ring.
 */
export function opSlots(
  dst: usize,
  dstT: usize,
  a: usize,
  state: usize,
  brings: usize,
  d: f64,
  width: f64,
  words: u32,
): void {
  for (let w: u32 = 0; w < words; w++) {
    const taken = load<u64>(brings + (w << 3));
    for (let rest = load<u64>(E_ALL + (w << 3)); rest != 0; rest &= rest - 1) {
      const bit = <u64>ctz(rest);
      const row = (w << 6) + <u32>bit;
      const at = baseAt(row) + state;
      const t = load<f64>(E_T + (row << 3));
      const before = t - d;
      while (load<f64>(at, S_NEXT) <= before) advance(at);
      store<f64>(dst + (row << 3), load<f64>(at, S_VALUE));
      store<f64>(dstT + (row << 3), load<f64>(at, S_T));
      if ((taken >> bit) & 1) {
        const x = load<f64>(a + (row << 3));
        if (x == x) keep(at, width, t, x);
      }
    }
  }
}

/** The portable form of kept samples: T and value of each, oldest first, from the reference on. */
export function saveSlots(at: usize): void {
  const reference = load<f64>(at, S_T);
  if (reference == reference) {
    put(reference);
    put(load<f64>(at, S_VALUE));
  }
  const newest = load<f64>(at, S_NEW_T);
  const count = ringCount(at);
  for (let i: u32 = 0; i < count; i++) {
    put(ringTime(at, i, newest));
    put(ringValue(at, i));
  }
  if (newest == newest) {
    put(newest);
    put(load<f64>(at, S_NEW_VALUE));
  }
}

/** Reads what `saveSlots` wrote, at most `places` behind the reference, which lies up to `before`. */
export function loadSlots(at: usize, places: u32, width: f64, before: f64, words: u32): bool {
  if (words & 1) return false;
  let last = -Infinity;
  for (let i: u32 = 0; i < words; i += 2) {
    const t = take();
    const x = take();
    // Of each slot one; and no more than the last d may touch.
    if (!(t > last) || (i > 0 && !leaves(last, t, width)) || ringCount(at) >= places) return false;
    last = t;
    keep(at, width, t, x);
    while (load<f64>(at, S_NEXT) <= before) advance(at);
  }
  return true;
}
