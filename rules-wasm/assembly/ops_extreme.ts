/**
 * `lowest` and `highest`: of the panes of the last d those that may still come to be the extreme.
 *
 * A pane that is no better than a later one leaves before it and can never be the extreme again: it
 * is dropped at once. What is left is the better the older it is; the oldest is the extreme.
 */
import { E_ALL, E_T, WINDOW_LEAST } from "./plan_layout";
import { baseAt } from "./ops_state";
import { PANE_MS_MIN } from "./ops_window";
import {
  ringCount,
  ringDrop,
  ringDropLast,
  ringN,
  ringPush,
  ringValue,
  shapeRings,
} from "./ring";
import { put, take } from "./words";

// State: 0 head of the ring of those panes but the newest, values and low bytes of their numbers
//   8 f64 number of the newest pane, T / width, NaN for none   16 f64 value of the oldest in the
//  ring, NaN for none   24 f64 value of the newest pane   32 u8 how far the oldest lies behind the
//  newest

const X_NEWEST: usize = 8;
const X_OLDEST: usize = 16;
const X_PANE: usize = 24;
const X_BEHIND: usize = 32;

let least: bool = false;
let d: f64 = 0;
let width: f64 = 0;

/** Says what rings look like; the newest of `places` panes is not in them. */
export function shapeExtreme(kind: i32, places: u32): void {
  least = kind == WINDOW_LEAST;
  shapeRings(0, true, false, true, places - 1);
}

/** Says what the next calls are about. */
export function startExtreme(kind: i32, duration: f64, places: u32): void {
  shapeExtreme(kind, places);
  d = duration;
  width = max<f64>(PANE_MS_MIN, duration / 32);
}

/** The better of two; -0 is less than 0. */
@inline
function better(a: f64, b: f64): f64 {
  return least ? min<f64>(a, b) : max<f64>(a, b);
}

/** Notes which is the oldest in the ring. */
function noteOldest(at: usize, newest: f64): void {
  if (ringCount(at) == 0) {
    store<f64>(at, NaN, X_OLDEST);
    return;
  }
  store<f64>(at, ringValue(at, 0), X_OLDEST);
  store<u8>(at, <u8>(<u32><i64>newest - ringN(at, 0)), X_BEHIND);
}

/** Drops the panes whose end is at or before `before`. */
@inline
function leave(at: usize, before: f64): void {
  const newest = load<f64>(at, X_NEWEST);
  while (ringCount(at) > 0 && (newest - <f64>load<u8>(at, X_BEHIND) + 1) * width <= before) {
    ringDrop(at, 1);
    noteOldest(at, newest);
  }
  if ((newest + 1) * width <= before) store<f64>(at, NaN, X_NEWEST);
}

/** Makes a pane the newest, with a value. */
function enter(at: usize, pane: f64, x: f64): void {
  const newest = load<f64>(at, X_NEWEST);
  if (newest == newest) {
    const value = load<f64>(at, X_PANE);
    let count = ringCount(at);
    while (
      count > 0 &&
      reinterpret<u64>(better(ringValue(at, count - 1), value)) == reinterpret<u64>(value)
    ) {
      ringDropLast(at);
      count--;
    }
    ringPush(at, 0, value, 0, <u32><i64>newest & 255);
    if (count == 0) noteOldest(at, pane);
    else store<u8>(at, <u8>(<f64>load<u8>(at, X_BEHIND) + pane - newest), X_BEHIND);
  }
  store<f64>(at, pane, X_NEWEST);
  store<f64>(at, x, X_PANE);
}

/** The least or greatest value that came in the last d, at each row. `startExtreme` comes first. */
export function opExtreme(dst: usize, a: usize, state: usize, brings: usize, words: u32): void {
  for (let w: u32 = 0; w < words; w++) {
    const taken = load<u64>(brings + (w << 3));
    for (let rest = load<u64>(E_ALL + (w << 3)); rest != 0; rest &= rest - 1) {
      const bit = <u64>ctz(rest);
      const row = (w << 6) + <u32>bit;
      const at = baseAt(row) + state;
      const t = load<f64>(E_T + (row << 3));
      leave(at, t - d);
      if ((taken >> bit) & 1) {
        const x = load<f64>(a + (row << 3));
        const pane = Math.floor(t / width);
        if (x != x) {
          // Nothing came.
        } else if (load<f64>(at, X_NEWEST) == pane) {
          store<f64>(at, better(load<f64>(at, X_PANE), x), X_PANE);
        } else enter(at, pane, x);
      }
      const newest = load<f64>(at, X_NEWEST);
      let x = newest == newest ? load<f64>(at, X_PANE) : NaN;
      const oldest = load<f64>(at, X_OLDEST);
      if (oldest == oldest) x = better(oldest, x);
      store<f64>(dst + (row << 3), x - x == 0 ? x : NaN);
    }
  }
}

/** The portable form: number and value of each pane kept, oldest first. */
export function saveExtreme(at: usize): void {
  const newest = load<f64>(at, X_NEWEST);
  if (newest != newest) return;
  const count = ringCount(at);
  for (let i: u32 = 0; i < count; i++) {
    put(newest - <f64>((<u32><i64>newest - ringN(at, i)) & 255));
    put(ringValue(at, i));
  }
  put(newest);
  put(load<f64>(at, X_PANE));
}

/** Reads what `saveExtreme` wrote; `places` is what `startExtreme` was told. */
export function loadExtreme(at: usize, places: u32, words: u32): bool {
  if (words & 1) return false;
  let first = NaN;
  for (let i: u32 = 0; i < words; i += 2) {
    const pane = take();
    const x = take();
    if (i == 0) first = pane;
    const follows = i == 0 || pane > load<f64>(at, X_NEWEST);
    if (!(follows && pane - first < <f64>places && Math.floor(pane) == pane && x == x)) return false;
    enter(at, pane, x);
  }
  return true;
}
