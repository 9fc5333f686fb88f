/** References of `delta` and `rate`: the last sample of each slot of the last d, row by row. */
import { E_ALL, E_T, SLOTS_SIGNAL, SLOTS_WIDE } from "./plan_layout";
import { baseAt } from "./ops_state";
import { giveBlock, takeBlock } from "./pool";
import {
  ringCount,
  ringDrop,
  ringMark,
  ringMarked,
  ringPush,
  ringRelease,
  ringTime,
  ringValue,
  shapeRings,
} from "./ring";
import { signalTime, signalValue } from "./signals";
import { put, take } from "./words";

// Kept samples, oldest first: the reference, those in the ring, the newest. What most rows need is
// in the head; the ring is touched when a slot is left or the reference moves on.
//
//   0 head of the ring, marked where there is a sample after the reference   8 u32 block, 0 none
//  12 f64 value of the reference, NaN for none   20 T of the reference   T of the one after it
//
// Both T have 8 bytes (SLOTS_WIDE) or the low 4 that tell them from the newest. The newest of a
// signal is what the signal's own state has; of all else, and where the signal's state has another
// (one that came before this state began), it is in the block: 0 f64 T   8 f64 value.

const S_OWN: usize = 8;
const S_VALUE: usize = 12;
const S_T: usize = 20;
const OWN_VALUE: usize = 8;
const OWN_BYTES: u32 = 16;

let wide: bool = false;
let signal: bool = false;
/** Where T of the sample after the reference lies. */
let nextAt: usize = 24;

/** Says what the state of the next calls looks like; flags are those of OP_SLOTS. */
export function shapeSlots(flags: u32, places: u32): void {
  shapeRings(flags & 15, true, false, false, places);
  wide = (flags & SLOTS_WIDE) != 0;
  signal = (flags & SLOTS_SIGNAL) != 0;
  nextAt = wide ? S_T + 8 : S_T + 4;
}

/** The low four bytes of a T; at 2^52 the bits of a double are those of the whole number. */
@inline
function lowOf(t: f64): u32 {
  return <u32>reinterpret<u64>(t + 4503599627370496);
}

/** A T of the head; `near` is that of the newest. */
@inline
function timeAt(at: usize, near: f64): f64 {
  if (wide) return load<f64>(at);
  return near - <f64>(lowOf(near) - load<u32>(at));
}

@inline
function setTime(at: usize, t: f64): void {
  if (wide) store<f64>(at, t);
  else store<u32>(at, lowOf(t));
}

/**
 * Whether `t` lies in a later slot than `before`; often their distance alone tells. Slots are of
 * whole sixteenths of a millisecond: where one begins is exact.
 */
@inline
function leaves(before: f64, t: f64, width: f64): bool {
  return t - before >= width || before < Math.floor(t / width) * width;
}

/** Makes the sample after the reference the reference; the newest is (`newT`, `newX`). */
function advance(at: usize, newT: f64, newX: f64): void {
  setTime(at + S_T, timeAt(at + nextAt, newT));
  const count = ringCount(at);
  if (count == 0) {
    store<f64>(at, newX, S_VALUE);
    ringMark(at, false);
    return;
  }
  store<f64>(at, ringValue(at, 0), S_VALUE);
  setTime(at + nextAt, count == 1 ? newT : ringTime(at, 1, newT));
  ringDrop(at, 1);
}

/** Keeps a sample: in place of the newest, (`newT`, `newX`), if that is of the same slot, else behind it. */
@inline
function keep(at: usize, width: f64, newT: f64, newX: f64, t: f64, x: f64): void {
  if (!ringMarked(at)) {
    setTime(at + nextAt, t);
    ringMark(at, true);
  } else if (leaves(newT, t, width)) {
    ringPush(at, newT, newX, 0, 0);
  } else if (ringCount(at) == 0) {
    setTime(at + nextAt, t);
  }
  if (!signal) own(at, t, x);
  else if (load<u32>(at, S_OWN) != 0) disown(at);
}

/** Notes the newest in the state's own block. */
function own(at: usize, t: f64, x: f64): void {
  let block: usize = load<u32>(at, S_OWN);
  if (block == 0) {
    block = takeBlock(OWN_BYTES);
    store<u32>(at, <u32>block, S_OWN);
  }
  store<f64>(block, t);
  store<f64>(block, x, OWN_VALUE);
}

function disown(at: usize): void {
  const block: usize = load<u32>(at, S_OWN);
  if (block == 0) return;
  giveBlock(block, OWN_BYTES);
  store<u32>(at, 0, S_OWN);
}

/** Gives the blocks of a vehicle's slots back. */
export function releaseSlots(at: usize): void {
  ringRelease(at);
  disown(at);
}

/**
 * The newest kept sample at or before T - d, and no older than T - reach: its value, and its T into
 * the next register; NaN if there is none. The last sample of each slot of `width` is kept.
 * `shapeSlots` comes first.
 *
 * What lies before that reference is dropped: as T never falls, nothing can ask for it again. The
 * last d overlap at most d / width + 1 slots, rounded up, of which the newest is not in the ring.
 *
 * @param before of a signal: register of its last value before the row; the next holds the T of it
 */
export function opSlots(
  dst: usize,
  dstT: usize,
  a: usize,
  before: usize,
  beforeT: usize,
  state: usize,
  brings: usize,
  d: f64,
  width: f64,
  reach: f64,
  words: u32,
): void {
  for (let w: u32 = 0; w < words; w++) {
    const taken = load<u64>(brings + (w << 3));
    for (let rest = load<u64>(E_ALL + (w << 3)); rest != 0; rest &= rest - 1) {
      const bit = <u64>ctz(rest);
      const row = (w << 6) + <u32>bit;
      const at = baseAt(row) + state;
      const t = load<f64>(E_T + (row << 3));
      const block: usize = load<u32>(at, S_OWN);
      let newT = NaN;
      let newX = NaN;
      if (block != 0) {
        newT = load<f64>(block);
        newX = load<f64>(block, OWN_VALUE);
      } else if (signal) {
        newT = load<f64>(beforeT + (row << 3));
        newX = load<f64>(before + (row << 3));
      }
      while (ringMarked(at) && timeAt(at + nextAt, newT) <= t - d) advance(at, newT, newX);
      let x = load<f64>(at, S_VALUE);
      let since = NaN;
      if (x == x) {
        since = timeAt(at + S_T, newT);
        // Too old now, it is too old for ever; its low bytes would not tell for so long.
        if (since < t - reach) {
          x = since = NaN;
          store<f64>(at, NaN, S_VALUE);
        }
      }
      store<f64>(dst + (row << 3), x);
      store<f64>(dstT + (row << 3), since);
      if ((taken >> bit) & 1) {
        const now = load<f64>(a + (row << 3));
        if (now == now) keep(at, width, newT, newX, t, now);
      }
    }
  }
}

/**
 * The portable form of kept samples: T and value of each, oldest first, from the reference on.
 *
 * @param position of the signal whose samples they are, if SLOTS_SIGNAL
 */
export function saveSlots(base: usize, at: usize, position: u32): void {
  const block: usize = load<u32>(at, S_OWN);
  const ofSignal = block == 0 && signal;
  const newT = block != 0 ? load<f64>(block) : ofSignal ? signalTime(base, position) : NaN;
  const reference = load<f64>(at, S_VALUE);
  if (reference == reference) {
    put(timeAt(at + S_T, newT));
    put(reference);
  }
  if (!ringMarked(at)) return;
  const count = ringCount(at);
  for (let i: u32 = 0; i < count; i++) {
    put(ringTime(at, i, newT));
    put(ringValue(at, i));
  }
  put(newT);
  put(block != 0 ? load<f64>(block, OWN_VALUE) : signalValue(base, position));
}

/**
 * Reads what `saveSlots` wrote, at most `places` behind the reference; the signal has been read.
 *
 * @param t of the vehicle's last sample
 */
export function loadSlots(
  base: usize,
  at: usize,
  position: u32,
  places: u32,
  width: f64,
  d: f64,
  reach: f64,
  t: f64,
  words: u32,
): bool {
  if (words & 1) return false;
  let newT = NaN;
  let newX = NaN;
  for (let i: u32 = 0; i < words; i += 2) {
    const each = take();
    const x = take();
    // Of each slot one; and no more than the last d may touch.
    if (!(each <= t) || (i > 0 && !(each > newT && leaves(newT, each, width)))) return false;
    if (ringCount(at) >= places) return false;
    if (!ringMarked(at)) setTime(at + nextAt, each);
    else ringPush(at, newT, newX, 0, 0);
    ringMark(at, true);
    newT = each;
    newX = x;
    while (ringMarked(at) && timeAt(at + nextAt, newT) <= t - d) advance(at, newT, newX);
  }
  const reference = load<f64>(at, S_VALUE);
  if (reference == reference && timeAt(at + S_T, newT) < t - reach) store<f64>(at, NaN, S_VALUE);
  const same = signal && signalTime(base, position) == newT &&
    reinterpret<u64>(signalValue(base, position)) == reinterpret<u64>(newX);
  if (!same) own(at, newT, newX);
  return true;
}
