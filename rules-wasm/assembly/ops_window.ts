/**
 * Operators over the last d: panes of time, row by row, in the order of the log.
 *
 * A window is the left fold of its panes, oldest first. What is kept beside the panes is the fold
 * of all but the newest: only when a pane comes or leaves is it made anew.
 */
import {
  E_ALL,
  E_T,
  WINDOW_COUNT,
  WINDOW_GREATEST,
  WINDOW_LEAST,
  WINDOW_SPREAD,
  WINDOW_TOTAL,
} from "./plan_layout";
import { baseAt } from "./ops_state";

// Head of a window's state; behind COVERED, what a kind does not need is not there.
//
//   0 u32 place of the newest pane   4 u32 panes from the oldest to the newest, empty ones too
//   8 f64 number of the newest pane, T / width   16 f64 fold of all panes but the newest
//  24 f64 count of that   32 f64 T from which x has come without a gap   40 f64 T at which it last
//  came   48 f64 sum of squares of the fold
//
// Its ring, by kind: f64[places] sums, least, greatest or means; f64[places] sums of squares of
// WINDOW_SPREAD; u32[places] counts of WINDOW_TOTAL, WINDOW_SPREAD and WINDOW_COUNT.

const W_COVERED: usize = 4;
const W_NEWEST: usize = 8;
const W_FOLD: usize = 16;
const W_N: usize = 24;
const W_SINCE: usize = 32;
const W_LAST: usize = 40;
const W_M2: usize = 48;

/** Milliseconds of a pane, at least. */
const PANE_MS_MIN: f64 = 1000;

let kind: i32 = 0;
let d: f64 = 0;
let width: f64 = 0;
let places: u32 = 0;
let maxGap: f64 = 0;
/** Offset of the counts in the ring. */
let countsAt: usize = 0;

/** The fold so far: sum, least, greatest or mean; sum of squares; count. */
let foldValue: f64 = 0;
let foldM2: f64 = 0;
let foldN: f64 = 0;

/** Says what the next pass of `opWindow` is about. */
export function startWindow(windowKind: i32, duration: f64, count: u32, gap: f64): void {
  kind = windowKind;
  d = duration;
  width = max<f64>(PANE_MS_MIN, duration / 32);
  places = count;
  maxGap = gap;
  countsAt = kind == WINDOW_COUNT ? 0 : <usize>places << (kind == WINDOW_SPREAD ? 4 : 3);
}

@inline
function isExtreme(): bool {
  return kind == WINDOW_LEAST || kind == WINDOW_GREATEST;
}

@inline
function extreme(a: f64, b: f64): f64 {
  return kind == WINDOW_LEAST ? min<f64>(a, b) : max<f64>(a, b);
}

/** Drops the panes whose end is at or before `before`; @returns whether there were any */
function leave(at: usize, before: f64): bool {
  const had = load<u32>(at, W_COVERED);
  if (had == 0) return false;
  const newest = load<f64>(at, W_NEWEST);
  let covered = had;
  while (covered > 0 && (newest - <f64>covered + 2) * width <= before) covered--;
  store<u32>(at, covered, W_COVERED);
  return covered != had;
}

function clearPane(ring: usize, place: u32): void {
  if (kind != WINDOW_COUNT) store<f64>(ring + (place << 3), isExtreme() ? NaN : 0);
  if (kind == WINDOW_SPREAD) store<f64>(ring + ((places + place) << 3), 0);
  if (!isExtreme()) store<u32>(ring + countsAt + (place << 2), 0);
}

/** Makes a pane the newest, empty ones before it; @returns whether it was not */
function enter(at: usize, ring: usize, pane: f64): bool {
  const covered = load<u32>(at, W_COVERED);
  if (covered == 0) {
    store<u32>(at, 0);
    store<u32>(at, 1, W_COVERED);
    clearPane(ring, 0);
  } else {
    const steps = <u32>(pane - load<f64>(at, W_NEWEST));
    if (steps == 0) return false;
    let place = load<u32>(at);
    for (let i: u32 = 0; i < steps; i++) {
      place = place + 1 == places ? 0 : place + 1;
      clearPane(ring, place);
    }
    store<u32>(at, place);
    store<u32>(at, covered + steps, W_COVERED);
  }
  store<f64>(at, pane, W_NEWEST);
  return true;
}

/** Takes a value into a pane (Welford 1962 for its spread). */
function add(ring: usize, place: u32, x: f64): void {
  const value = ring + (place << 3);
  if (isExtreme()) {
    const before = load<f64>(value);
    store<f64>(value, before == before ? extreme(before, x) : x);
    return;
  }
  const counts = ring + countsAt + (place << 2);
  const n = load<u32>(counts) + 1;
  store<u32>(counts, n);
  if (kind == WINDOW_TOTAL) store<f64>(value, load<f64>(value) + x);
  if (kind != WINDOW_SPREAD) return;
  const mean = load<f64>(value);
  const distance = x - mean;
  const moved = mean + distance / <f64>n;
  const squares = ring + ((places + place) << 3);
  store<f64>(value, moved);
  store<f64>(squares, load<f64>(squares) + distance * (x - moved));
}

/** Takes a pane into the fold (Chan 1979 for its spread); an empty one changes nothing. */
function foldPane(ring: usize, place: u32): void {
  if (isExtreme()) {
    const x = load<f64>(ring + (place << 3));
    if (x == x) foldValue = foldValue == foldValue ? extreme(foldValue, x) : x;
    return;
  }
  const n = <f64>load<u32>(ring + countsAt + (place << 2));
  if (kind == WINDOW_COUNT) {
    foldValue += n;
    return;
  }
  if (n == 0) return;
  const x = load<f64>(ring + (place << 3));
  const squares = kind == WINDOW_SPREAD ? load<f64>(ring + ((places + place) << 3)) : 0;
  const before = foldN;
  foldN = before + n;
  if (before == 0) {
    foldValue = x;
    foldM2 = squares;
  } else if (kind == WINDOW_TOTAL) {
    foldValue += x;
  } else {
    const distance = x - foldValue;
    foldM2 = foldM2 + squares + distance * distance * (before * n / foldN);
    foldValue = foldValue + distance * (n / foldN);
  }
}

/** Makes the fold of all panes but the newest anew. */
function refold(at: usize, ring: usize): void {
  const covered = load<u32>(at, W_COVERED);
  foldValue = isExtreme() ? NaN : 0;
  foldM2 = 0;
  foldN = 0;
  if (covered > 1) {
    let place = load<u32>(at) + places - (covered - 1);
    if (place >= places) place -= places;
    for (let i: u32 = 1; i < covered; i++) {
      foldPane(ring, place);
      place = place + 1 == places ? 0 : place + 1;
    }
  }
  store<f64>(at, foldValue, W_FOLD);
  if (kind == WINDOW_TOTAL || kind == WINDOW_SPREAD) store<f64>(at, foldN, W_N);
  if (kind == WINDOW_SPREAD) store<f64>(at, foldM2, W_M2);
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
function result(at: usize, ring: usize, t: f64, out: usize, outAverage: usize): void {
  if (load<u32>(at, W_COVERED) == 0) {
    store<f64>(out, kind == WINDOW_TOTAL || kind == WINDOW_COUNT ? 0 : NaN);
    if (kind == WINDOW_TOTAL) store<f64>(outAverage, NaN);
    return;
  }
  foldValue = load<f64>(at, W_FOLD);
  if (kind == WINDOW_TOTAL || kind == WINDOW_SPREAD) foldN = load<f64>(at, W_N);
  if (kind == WINDOW_SPREAD) foldM2 = load<f64>(at, W_M2);
  foldPane(ring, load<u32>(at));
  if (kind == WINDOW_SPREAD) {
    store<f64>(out, isFull(at, t) ? finite(Math.sqrt(foldM2 / foldN)) : NaN);
    return;
  }
  store<f64>(out, finite(foldValue));
  if (kind == WINDOW_TOTAL) {
    store<f64>(outAverage, isFull(at, t) ? finite(foldValue / foldN) : NaN);
  }
}

/**
 * What came in the last d, at each row.
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
  rings: usize,
  brings: usize,
  words: u32,
): void {
  for (let w: u32 = 0; w < words; w++) {
    let taken = load<u64>(brings + (w << 3));
    if (kind == WINDOW_COUNT) taken &= load<u64>(truth + (w << 3));
    for (let rest = load<u64>(E_ALL + (w << 3)); rest != 0; rest &= rest - 1) {
      const bit = <u64>ctz(rest);
      const row = (w << 6) + <u32>bit;
      const base = baseAt(row);
      const at = base + state;
      const ring = base + rings;
      const t = load<f64>(E_T + (row << 3));
      let changed = leave(at, t - d);
      if ((taken >> bit) & 1) {
        const x: f64 = kind == WINDOW_COUNT ? 1 : load<f64>(a + (row << 3));
        if (x == x) {
          if (enter(at, ring, Math.floor(t / width))) changed = true;
          add(ring, load<u32>(at), x);
          if (kind == WINDOW_TOTAL || kind == WINDOW_SPREAD) noteComing(at, t);
        }
      }
      if (changed) refold(at, ring);
      result(at, ring, t, dst + (row << 3), dstAverage + (row << 3));
    }
  }
}
