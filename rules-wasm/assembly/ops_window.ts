/**
 * Operators over the last d: panes of time, row by row, in the order of the log.
 *
 * A window is the left fold of its panes, oldest first. What is kept beside the panes is the fold
 * of all but the newest: a pane that comes goes into it, and when one leaves it is made anew.
 */
import {
  E_ALL,
  E_T,
  WINDOW_COUNT,
  WINDOW_SPREAD,
  WINDOW_TOTAL,
} from "./plan_layout";
import { baseAt } from "./ops_state";
import { packedBytes, readPacked } from "./packed";
import {
  countIn,
  ringCap,
  ringCount,
  ringCounts,
  ringCountShift,
  ringDrop,
  ringFirst,
  ringFormat,
  ringN,
  ringPush,
  ringPushEmpty,
  ringSquares,
  ringValue,
  ringValues,
  shapeRings,
} from "./ring";
import { put, take } from "./words";

// Head of a window's state; behind PANE_N, what a kind does not need is not there.
//
//   0 head of the ring of the panes before the newest, empty ones too
//   8 f64 number of the newest pane, T / width, NaN for none
//  16 u32 count of the fold of the panes in the ring   20 u32 count of the newest pane
//  24 f64 that fold   32 f64 sum or mean of the newest pane
//  40 f64 T from which x has come without a gap   48 f64 T at which it last came
//  56 f64 sum of squares of the fold   64 f64 that of the newest pane
//
// In the ring: counts; values of all kinds but WINDOW_COUNT; sums of squares of WINDOW_SPREAD.

const W_NEWEST: usize = 8;
const W_FOLD_N: usize = 16;
const W_PANE_N: usize = 20;
const W_FOLD: usize = 24;
const W_PANE: usize = 32;
const W_SINCE: usize = 40;
const W_LAST: usize = 48;
const W_FOLD_M2: usize = 56;
const W_PANE_M2: usize = 64;

/** Milliseconds of a pane, at least. */
export const PANE_MS_MIN: f64 = 1000;

let kind: i32 = 0;
let d: f64 = 0;
let width: f64 = 0;
let maxGap: f64 = 0;

/** The fold so far: sum or mean; sum of squares; count. */
let foldValue: f64 = 0;
let foldM2: f64 = 0;
let foldN: u32 = 0;

/** Says what rings of panes look like; the newest of `places` panes is not in them. */
export function shapeWindow(windowKind: i32, places: u32): void {
  kind = windowKind;
  shapeRings(0, kind != WINDOW_COUNT, kind == WINDOW_SPREAD, true, places - 1);
}

/** Says what the next pass of `opWindow` is about. */
export function startWindow(windowKind: i32, duration: f64, places: u32, gap: f64): void {
  shapeWindow(windowKind, places);
  d = duration;
  width = max<f64>(PANE_MS_MIN, duration / 32);
  maxGap = gap;
}

@inline
function startFold(): void {
  foldValue = 0;
  foldM2 = 0;
  foldN = 0;
}

function loadFold(at: usize): void {
  foldN = load<u32>(at, W_FOLD_N);
  if (kind != WINDOW_COUNT) foldValue = load<f64>(at, W_FOLD);
  if (kind == WINDOW_SPREAD) foldM2 = load<f64>(at, W_FOLD_M2);
}

function storeFold(at: usize): void {
  store<u32>(at, foldN, W_FOLD_N);
  if (kind != WINDOW_COUNT) store<f64>(at, foldValue, W_FOLD);
  if (kind == WINDOW_SPREAD) store<f64>(at, foldM2, W_FOLD_M2);
}

/** Takes a pane into the fold (Chan 1979 for its spread); an empty one changes nothing. */
function foldPane(x: f64, squares: f64, n: u32): void {
  if (n == 0) return;
  const before = <f64>foldN;
  foldN += n;
  if (before == 0) {
    foldValue = x;
    foldM2 = squares;
  } else if (kind == WINDOW_TOTAL) {
    foldValue += x;
  } else if (kind == WINDOW_SPREAD) {
    const count = <f64>n;
    const all = <f64>foldN;
    const distance = x - foldValue;
    foldM2 = foldM2 + squares + distance * distance * (before * count / all);
    foldValue = foldValue + distance * (count / all);
  }
}

function foldNewest(at: usize): void {
  const n = load<u32>(at, W_PANE_N);
  const x = kind == WINDOW_COUNT ? 0 : load<f64>(at, W_PANE);
  foldPane(x, kind == WINDOW_SPREAD ? load<f64>(at, W_PANE_M2) : 0, n);
}

/** Makes the fold of all panes but the newest anew. */
function refold(at: usize): void {
  startFold();
  const count = ringCount(at);
  if (kind == WINDOW_TOTAL) foldTotals(at, count);
  for (let i: u32 = 0; kind != WINDOW_TOTAL && i < count; i++) {
    foldPane(ringValue(at, i), ringSquares(at, i), ringN(at, i));
  }
  storeFold(at);
}

/** The fold of the sums in the ring. */
function foldTotals(at: usize, count: u32): void {
  const format = ringFormat(at);
  const values = ringValues(at);
  const bytes = packedBytes(format);
  const counts = ringCounts(at);
  const shift = ringCountShift(at);
  const cap = ringCap(at);
  let place = ringFirst(at);
  let sum: f64 = 0;
  let all: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const n = countIn(counts, shift, place);
    if (n != 0) {
      const x = readPacked(values + place * bytes, format);
      sum = all == 0 ? x : sum + x;
      all += n;
    }
    place = place + 1 == cap ? 0 : place + 1;
  }
  foldValue = sum;
  foldN = all;
}

/** Whether the fold is another without the oldest `left` panes; of counts it is made so. */
function changes(at: usize, left: u32): bool {
  if (kind == WINDOW_COUNT) {
    let n = load<u32>(at, W_FOLD_N);
    for (let i: u32 = 0; i < left; i++) n -= ringN(at, i);
    store<u32>(at, n, W_FOLD_N);
    return false;
  }
  for (let i: u32 = 0; i < left; i++) {
    if (ringN(at, i) != 0) return true;
  }
  return false;
}

/** Drops the panes whose end is at or before `before`. */
@inline
function leave(at: usize, before: f64): void {
  const newest = load<f64>(at, W_NEWEST);
  const count = ringCount(at);
  let left: u32 = 0;
  while (left < count && (newest - <f64>(count - left) + 1) * width <= before) left++;
  const none = (newest + 1) * width <= before;
  if (left > 0) {
    const other = !none && changes(at, left);
    ringDrop(at, left);
    if (other) refold(at);
  }
  if (none) store<f64>(at, NaN, W_NEWEST);
}

function startPane(at: usize, pane: f64): void {
  store<f64>(at, pane, W_NEWEST);
  store<u32>(at, 0, W_PANE_N);
  if (kind != WINDOW_COUNT) store<f64>(at, 0, W_PANE);
  if (kind == WINDOW_SPREAD) store<f64>(at, 0, W_PANE_M2);
}

/** Makes a pane the newest, empty ones before it. */
@inline
function enter(at: usize, pane: f64): void {
  const newest = load<f64>(at, W_NEWEST);
  if (newest == pane) return;
  if (newest != newest) {
    startFold();
    storeFold(at);
  } else {
    loadFold(at);
    foldNewest(at);
    storeFold(at);
    const n = load<u32>(at, W_PANE_N);
    const x = kind == WINDOW_COUNT ? 0 : load<f64>(at, W_PANE);
    ringPush(at, 0, x, kind == WINDOW_SPREAD ? load<f64>(at, W_PANE_M2) : 0, n);
    ringPushEmpty(at, <u32>(pane - newest - 1));
  }
  startPane(at, pane);
}

/** Takes a value into the newest pane (Welford 1962 for its spread). */
@inline
function add(at: usize, x: f64): void {
  const n = load<u32>(at, W_PANE_N) + 1;
  store<u32>(at, n, W_PANE_N);
  if (kind == WINDOW_TOTAL) store<f64>(at, load<f64>(at, W_PANE) + x, W_PANE);
  if (kind != WINDOW_SPREAD) return;
  const mean = load<f64>(at, W_PANE);
  const distance = x - mean;
  const moved = mean + distance / <f64>n;
  store<f64>(at, moved, W_PANE);
  store<f64>(at, load<f64>(at, W_PANE_M2) + distance * (x - moved), W_PANE_M2);
}

/** Notes that x came at T. */
@inline
function noteComing(at: usize, t: f64): void {
  if (!(t - load<f64>(at, W_LAST) <= maxGap)) store<f64>(at, t, W_SINCE);
  store<f64>(at, t, W_LAST);
}

/** Whether x had come for d without a gap when it last came, and there is none since. */
@inline
function isFull(at: usize, t: f64): bool {
  const last = load<f64>(at, W_LAST);
  return last - load<f64>(at, W_SINCE) >= d && t - last <= maxGap;
}

@inline
function finite(x: f64): f64 {
  return x - x == 0 ? x : NaN;
}

/** Writes what a window comes to at T; of WINDOW_TOTAL both registers. */
@inline
function result(at: usize, t: f64, out: usize, outAverage: usize): void {
  const newest = load<f64>(at, W_NEWEST);
  if (newest != newest) {
    store<f64>(out, kind == WINDOW_SPREAD ? NaN : 0);
    if (kind == WINDOW_TOTAL) store<f64>(outAverage, NaN);
    return;
  }
  loadFold(at);
  foldNewest(at);
  if (kind == WINDOW_SPREAD) {
    store<f64>(out, isFull(at, t) ? finite(Math.sqrt(foldM2 / <f64>foldN)) : NaN);
    return;
  }
  store<f64>(out, kind == WINDOW_COUNT ? <f64>foldN : finite(foldValue));
  if (kind == WINDOW_TOTAL) {
    store<f64>(outAverage, isFull(at, t) ? finite(foldValue / <f64>foldN) : NaN);
  }
}

/**
 * What came in the last d, at each row. `startWindow` comes first.
 *
 * @param a register of x
 * @param truth the condition counted, by WINDOW_COUNT only
 */
export function opWindow(
  dst: usize,
  dstAverage: usize,
  a: usize,
  truth: usize,
  state: usize,
  brings: usize,
  words: u32,
): void {
  for (let w: u32 = 0; w < words; w++) {
    let taken = load<u64>(brings + (w << 3));
    if (kind == WINDOW_COUNT) taken &= load<u64>(truth + (w << 3));
    for (let rest = load<u64>(E_ALL + (w << 3)); rest != 0; rest &= rest - 1) {
      const bit = <u64>ctz(rest);
      const row = (w << 6) + <u32>bit;
      const at = baseAt(row) + state;
      const t = load<f64>(E_T + (row << 3));
      leave(at, t - d);
      if ((taken >> bit) & 1) {
        const x: f64 = kind == WINDOW_COUNT ? 1 : load<f64>(a + (row << 3));
        if (x == x) {
          enter(at, Math.floor(t / width));
          add(at, x);
          if (kind == WINDOW_TOTAL || kind == WINDOW_SPREAD) noteComing(at, t);
        }
      }
      result(at, t, dst + (row << 3), dstAverage + (row << 3));
    }
  }
}

/**
 * The portable form of a window: T from which x has come and T at which it last came, of those
 * kinds that need them; then of each pane with samples, oldest first, its number, its value, its
 * sum of squares and its count, those that the kind has. `startWindow` says which it is.
 */
export function saveWindow(at: usize): void {
  if (kind == WINDOW_TOTAL || kind == WINDOW_SPREAD) {
    const last = load<f64>(at, W_LAST);
    if (last != last) return;
    put(load<f64>(at, W_SINCE));
    put(last);
  }
  const newest = load<f64>(at, W_NEWEST);
  if (newest != newest) return;
  const count = ringCount(at);
  for (let i: u32 = 0; i < count; i++) {
    const x = kind == WINDOW_COUNT ? 0 : ringValue(at, i);
    const squares = kind == WINDOW_SPREAD ? ringSquares(at, i) : 0;
    putPane(newest - <f64>(count - i), x, squares, ringN(at, i));
  }
  const x = kind == WINDOW_COUNT ? 0 : load<f64>(at, W_PANE);
  const squares = kind == WINDOW_SPREAD ? load<f64>(at, W_PANE_M2) : 0;
  putPane(newest, x, squares, load<u32>(at, W_PANE_N));
}

function putPane(pane: f64, x: f64, squares: f64, n: u32): void {
  if (n == 0) return;
  put(pane);
  if (kind != WINDOW_COUNT) put(x);
  if (kind == WINDOW_SPREAD) put(squares);
  put(<f64>n);
}

/** Reads what `saveWindow` wrote; `places` is what `startWindow` was told. */
export function loadWindow(at: usize, places: u32, words: u32): bool {
  const covers = kind == WINDOW_TOTAL || kind == WINDOW_SPREAD;
  const each: u32 = kind == WINDOW_SPREAD ? 4 : kind == WINDOW_TOTAL ? 3 : 2;
  const head: u32 = covers ? 2 : 0;
  if (words < head || (words - head) % each != 0) return false;
  if (covers) {
    store<f64>(at, take(), W_SINCE);
    store<f64>(at, take(), W_LAST);
  }
  for (let i = head; i < words; i += each) {
    const pane = take();
    const newest = load<f64>(at, W_NEWEST);
    const steps = newest == newest ? pane - newest : 1;
    const fitting = <f64>ringCount(at) + steps < <f64>places || i == head;
    if (!(steps >= 1 && fitting && Math.floor(pane) == pane)) return false;
    enter(at, pane);
    if (kind != WINDOW_COUNT) store<f64>(at, take(), W_PANE);
    if (kind == WINDOW_SPREAD) store<f64>(at, take(), W_PANE_M2);
    store<u32>(at, <u32>take(), W_PANE_N);
  }
  return true;
}
