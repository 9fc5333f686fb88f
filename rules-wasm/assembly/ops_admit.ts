/** Which rows are evaluated, and what brings what on them. */
import { ROW_A, ROW_INDEX, ROW_RECORD, ROW_SLOT, ROW_T } from "./layout";
import {
  activeAny,
  activeAt,
  activeRows,
  activeWords,
  bringsAt,
  bringsCount,
  bringsSets,
  clockAhead,
  clockReset,
  planSignalCount,
  present,
  rawColumns,
  seen,
} from "./plan";
import {
  BRINGS_ALL,
  BRINGS_EVALUATED,
  BRINGS_SETS,
  E_A,
  E_ALL,
  E_AT,
  E_BASE,
  E_DUPLICATES,
  E_EVALUATED,
  E_FOLLOWS,
  E_INDEX,
  E_KIND,
  E_LATE,
  E_OFFSET,
  E_SLOT,
  E_T,
  E_TIMER,
  E_TOUCHED,
  MASK_BYTES,
  ROW_AGAIN,
  ROW_IGNORED,
  ROW_SAMPLE,
  V_FIRED,
  V_LAST_A,
  V_LAST_INDEX,
  V_LAST_OFFSET,
  V_LAST_T,
  V_LATE,
  V_NEXT,
  V_PREV,
  V_ROW,
} from "./plan_layout";
import { giveBlock, takeBlock } from "./pool";
import { bringsNothing, noteSeen, resolveRow, standRow, touchBytes } from "./signals";
import { vehicleAt } from "./state";
import { heard } from "./timers";
import { isLarge } from "./touch";
import { put, take } from "./words";

const NONE: u32 = 0xffff;

@inline
export function count(counter: usize): void {
  store<f64>(counter, load<f64>(counter) + 1);
}

/** Clears the masks of rows. */
export function clearMasks(): void {
  memory.fill(E_EVALUATED, 0, MASK_BYTES);
  memory.fill(E_ALL, 0, MASK_BYTES);
}

/** Describes a row, and enters it into the masks and into the chain of its vehicle's rows. */
export function enterRow(row: u32, kind: u32, timer: u32, base: usize, slot: u32): void {
  store<u8>(E_KIND + row, <u8>kind);
  store<u8>(E_TIMER + row, <u8>timer);
  store<u32>(E_BASE + (row << 2), <u32>base);
  store<u32>(E_SLOT + (row << 2), slot);
  if (kind == ROW_IGNORED) return;
  const word = <usize>(row >> 6) << 3;
  const bit: u64 = (<u64>1) << (row & 63);
  store<u64>(word + E_ALL, load<u64>(word + E_ALL) | bit);
  if (kind == ROW_SAMPLE) store<u64>(word + E_EVALUATED, load<u64>(word + E_EVALUATED) | bit);
  store<u16>(E_FOLLOWS + (row << 1), <u16>NONE);
  const before: u32 = load<u16>(base + V_ROW);
  store<u16>(base + V_ROW, <u16>row);
  if (before != NONE) {
    store<u16>(E_FOLLOWS + (before << 1), <u16>row);
    return;
  }
  // The vehicle's first row: show it to the rules that have a record of the vehicle.
  for (let w: u32 = 0; w < activeWords; w++) {
    let rest = load<u32>(base + activeAt + (w << 2));
    for (; rest != 0; rest &= rest - 1) {
      const rule = (w << 5) + <u32>ctz(rest);
      const mask = activeRows + rule * MASK_BYTES + word;
      store<u64>(mask, load<u64>(mask) | bit);
      store<u8>(activeAny + rule, 1);
    }
  }
}

/** Forgets the chains of rows of [from, to). */
export function leaveRows(from: u32, to: u32): void {
  for (let row = from; row < to; row++) {
    const base: usize = load<u32>(E_BASE + (row << 2));
    store<u16>(base + V_ROW, <u16>NONE);
  }
}

/** Rows whose state is asked for together, so that the waits for memory overlap. */
const AHEAD: u32 = 16;

/** Touches what the next rows' vehicles are known by, and their neighbours in the order of silence. */
function touch(from: u32, to: u32): void {
  let sum: u32 = 0;
  for (let row = from; row < to; row++) {
    const base = vehicleAt(load<u32>(ROW_SLOT + (row << 2)));
    for (let at: u32 = 0; at < touchBytes; at += 64) sum += load<u32>(base + at);
  }
  for (let row = isLarge() ? from : to; row < to; row++) {
    const base = vehicleAt(load<u32>(ROW_SLOT + (row << 2)));
    const next = load<u32>(base, V_NEXT);
    const prev = load<u32>(base, V_PREV);
    if (next != 0) sum += load<u32>(vehicleAt(next - 1), V_PREV);
    if (prev != 0) sum += load<u32>(vehicleAt(prev - 1), V_NEXT);
  }
  store<u32>(E_TOUCHED, sum);
}

// A series of late samples, in a block (V_LATE): f64 A of the first, least and greatest A - T.
const LATE_MIN: usize = 8;
const LATE_MAX: usize = 16;
const LATE_BYTES: u32 = 24;

/**
 * Whether a late sample completes a clock reset: only late ones since the first of them, long
 * enough ago, whose A - T stayed together.
 */
export function lateResets(base: usize, t: f64, a: f64): bool {
  let series: usize = load<u32>(base, V_LATE);
  const lag = a - t;
  const low = series == 0 ? lag : min(lag, load<f64>(series, LATE_MIN));
  const high = series == 0 ? lag : max(lag, load<f64>(series, LATE_MAX));
  // No series yet, or this one does not belong to it: a series begins here.
  if (series == 0 || high - low > clockAhead) {
    if (series == 0) series = takeBlock(LATE_BYTES);
    store<u32>(base, <u32>series, V_LATE);
    store<f64>(series, a);
    store<f64>(series, lag, LATE_MIN);
    store<f64>(series, lag, LATE_MAX);
    return clockReset <= 0;
  }
  store<f64>(series, low, LATE_MIN);
  store<f64>(series, high, LATE_MAX);
  return a - load<f64>(series) >= clockReset;
}

/** Writes a vehicle's series of late samples, if there is one. */
export function saveLate(base: usize): void {
  const series: usize = load<u32>(base, V_LATE);
  if (series == 0) return;
  for (let i: u32 = 0; i < LATE_BYTES; i += 8) put(load<f64>(series + i));
}

/** Reads what `saveLate` wrote. */
export function loadLate(base: usize): void {
  const series = takeBlock(LATE_BYTES);
  store<u32>(base, <u32>series, V_LATE);
  for (let i: u32 = 0; i < LATE_BYTES; i += 8) store<f64>(series + i, take());
}

/** Ends a vehicle's series of late samples. */
@inline
export function endLate(base: usize): void {
  const series: usize = load<u32>(base, V_LATE);
  if (series == 0) return;
  giveBlock(series, LATE_BYTES);
  store<u32>(base, 0, V_LATE);
}

/** Notes a sample heard, however it is taken: silence counts from it. */
@inline
export function hear(base: usize, slot: u32, a: f64, offset: f64, index: u32): void {
  store<f64>(base, a, V_LAST_A);
  store<f64>(base, offset, V_LAST_OFFSET);
  store<u32>(base, index, V_LAST_INDEX);
  store<u8>(base, 0, V_FIRED);
  heard(base, slot);
}

/** Says what a row is evaluated as at (`t`), and what its transitions come from. */
@inline
export function describeRow(row: u32, t: f64, a: f64, offset: f64, index: u32): void {
  store<f64>(E_T + (row << 3), t);
  store<f64>(E_AT + (row << 3), t);
  store<f64>(E_A + (row << 3), a);
  store<f64>(E_OFFSET + (row << 3), offset);
  store<u32>(E_INDEX + (row << 2), index);
}

/**
 * Admits the scanned rows of [from, to).
 *
 * @returns `to`, or the row before which its vehicle's clock is reset: state is made fresh and the
 * row admitted again
 */
export function admit(from: u32, to: u32, offsets: usize): u32 {
  noteSeen(to);
  for (let row = from; row < to; row++) {
    if (((row - from) & (AHEAD - 1)) == 0) touch(row, min(row + AHEAD, to));
    const slot = load<u32>(ROW_SLOT + (row << 2));
    const base = vehicleAt(slot);
    const t = load<f64>(ROW_T + (row << 3));
    const a = load<f64>(ROW_A + (row << 3));
    const lastT = load<f64>(base, V_LAST_T);
    let kind: u32 = ROW_SAMPLE;
    let evaluatedT = t;
    if (t <= lastT) {
      if (t < lastT) {
        count(E_LATE);
        if (lateResets(base, t, a)) return row;
        kind = ROW_IGNORED;
      } else if (bringsNothing(row, base)) {
        count(E_DUPLICATES);
        kind = ROW_IGNORED;
      }
    }
    const fired: u32 = load<u8>(base, V_FIRED);
    if (kind == ROW_IGNORED && fired > 0) {
      kind = ROW_AGAIN;
      evaluatedT = lastT;
    }
    if (!(t < lastT)) endLate(base);
    const offset = load<f64>(offsets + (load<u32>(ROW_RECORD + (row << 2)) << 3));
    const index = load<u32>(ROW_INDEX + (row << 2));
    hear(base, slot, a, offset, index);
    enterRow(row, kind, fired, base, slot);
    describeRow(row, evaluatedT, a, offset, index);
    if (kind == ROW_SAMPLE) resolveRow(row, base, t);
    else if (kind == ROW_AGAIN) standRow(row, base);
  }
  return to;
}

/** Makes the masks of what brings what, of the rows in the masks of rows. */
export function bringMasks(words: u32, samples: bool): void {
  memory.copy(bringsAt(BRINGS_EVALUATED), E_EVALUATED, MASK_BYTES);
  memory.copy(bringsAt(BRINGS_ALL), E_ALL, MASK_BYTES);
  if (samples) notePresent(words);
  let set = bringsSets;
  for (let b: u32 = 0; b < bringsCount; b++) {
    const size = load<u32>(set);
    const mask = bringsAt(BRINGS_SETS + b);
    memory.fill(mask, 0, MASK_BYTES);
    for (let s: u32 = 0; samples && s < size; s++) {
      const from = present + load<u32>(set + 4 + (s << 2)) * MASK_BYTES;
      for (let w: u32 = 0; w < words; w++) {
        const at = mask + (w << 3);
        store<u64>(at, load<u64>(at) | load<u64>(from + (w << 3)));
      }
    }
    set += 4 + (size << 2);
  }
}

/** Makes a mask per signal of the rows evaluated that carry it. */
function notePresent(words: u32): void {
  for (let s: u32 = 0; s < planSignalCount; s++) {
    if (load<u8>(seen + s) == 0) continue;
    const column: usize = load<u32>(rawColumns + (s << 2));
    const mask = present + s * MASK_BYTES;
    for (let w: u32 = 0; w < words; w++) {
      let bits: u64 = 0;
      for (let i: u32 = 0; i < 16; i++) {
        const at = column + (<usize>w << 9) + (<usize>i << 5);
        const x = v128.load(at);
        const y = v128.load(at, 16);
        const known = v128.shuffle<i32>(f64x2.eq(x, x), f64x2.eq(y, y), 0, 2, 4, 6);
        bits |= <u64>i32x4.bitmask(known) << (<u64>i << 2);
      }
      store<u64>(mask + (w << 3), bits & load<u64>(E_EVALUATED + (w << 3)));
    }
  }
}
