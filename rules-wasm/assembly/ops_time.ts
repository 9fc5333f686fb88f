/** Operators of time: parts of the date, ages, runs that last, what came shortly before. */
import { E_ALL, E_EVALUATED, E_T, MASK_BYTES } from "./plan_layout";
import { baseAt } from "./ops_state";
import { put } from "./words";

/**
 * T by local clocks: T plus the offset in force then.
 *
 * @param table pairs of f64: from when on, offset; the first holds for all before it, too
 */
export function opLocal(dst: usize, table: usize, count: u32, words: u32): void {
  const end = <usize>words << 9;
  let from: f64 = NaN;
  let to: f64 = NaN;
  let offset: f64 = 0;
  for (let i: usize = 0; i < end; i += 8) {
    const t = load<f64>(E_T + i);
    // Neighbouring rows lie between the same two changes, but for the hour of a change.
    if (!(t >= from && t < to)) {
      let low: u32 = 0;
      let high = count;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (load<f64>(table + (middle << 4)) <= t) low = middle;
        else high = middle;
      }
      from = low == 0 ? -Infinity : load<f64>(table + (low << 4));
      to = high == count ? Infinity : load<f64>(table + (high << 4));
      offset = load<f64>(table + (low << 4), 8);
    }
    store<f64>(dst + i, t + offset);
  }
}

/** (floor(T / k0) + shift) mod k1 + first, two rows at a time; `t` is T or what clocks show then. */
export function opClock(
  dst: usize,
  t: usize,
  k0: f64,
  shift: i32,
  k1: f64,
  first: i32,
  bytes: usize,
): void {
  const length = f64x2.splat(k0);
  const count = f64x2.splat(k1);
  const add = f64x2.splat(<f64>shift);
  const base = f64x2.splat(<f64>first);
  for (let i: usize = 0; i < bytes; i += 16) {
    const n = f64x2.add(f64x2.floor(f64x2.div(v128.load(t + i), length)), add);
    const turns = f64x2.floor(f64x2.div(n, count));
    v128.store(dst + i, f64x2.add(f64x2.sub(n, f64x2.mul(turns, count)), base));
  }
}

/** Seconds since a known value last came. State: T of that. */
export function opAge(dst: usize, a: usize, state: usize, brings: usize, words: u32): void {
  for (let w: u32 = 0; w < words; w++) {
    const taken = load<u64>(brings + (w << 3));
    for (let rest = load<u64>(E_ALL + (w << 3)); rest != 0; rest &= rest - 1) {
      const bit = <u64>ctz(rest);
      const row = (w << 6) + <u32>bit;
      const at = baseAt(row) + state;
      const t = load<f64>(E_T + (row << 3));
      if ((taken >> bit) & 1) {
        const x = load<f64>(a + (row << 3));
        if (x == x) store<f64>(at, t);
      }
      store<f64>(dst + (row << 3), (t - load<f64>(at)) / 1000);
    }
  }
}

const H_LAST: usize = 8;
const H_RESULT: usize = 16;

/**
 * Whether the run of a condition's trues spans `d` and reaches up to the row, no two neighbours
 * being further apart than `gap`; unknown where the condition is. Silence finds the last result.
 */
export function opHeld(
  dst: usize,
  a: usize,
  state: usize,
  brings: usize,
  d: f64,
  gap: f64,
  words: u32,
): void {
  for (let w: u32 = 0; w < words; w++) {
    const word = <usize>w << 3;
    const taken = load<u64>(brings + word);
    const evaluated = load<u64>(E_EVALUATED + word);
    const isTrue = load<u64>(a + word);
    const isFalse = load<u64>(a + word, MASK_BYTES);
    let yes: u64 = 0;
    let no: u64 = 0;
    for (let rest = load<u64>(E_ALL + word); rest != 0; rest &= rest - 1) {
      const bit = <u64>ctz(rest);
      const flag: u64 = (<u64>1) << bit;
      const row = (w << 6) + <u32>bit;
      const at = baseAt(row) + state;
      let result = NaN;
      if ((evaluated & flag) == 0) {
        result = load<f64>(at, H_RESULT);
      } else {
        const t = load<f64>(E_T + (row << 3));
        if (isTrue & flag) {
          let last = load<f64>(at, H_LAST);
          if (taken & flag) {
            if (!(t - last <= gap)) store<f64>(at, t);
            store<f64>(at, t, H_LAST);
            last = t;
          }
          result = t - last <= gap && last - load<f64>(at) >= d ? 1 : 0;
        } else if (isFalse & flag) {
          if (taken & flag) store<f64>(at, NaN, H_LAST);
          result = 0;
        }
        store<f64>(at, result, H_RESULT);
      }
      if (result == 1) yes |= flag;
      else if (result == 0) no |= flag;
    }
    store<u64>(dst + word, yes);
    store<u64>(dst + word, no, MASK_BYTES);
  }
}

/** The portable form of `held`: first and last true of the run, last result; no run has no first. */
export function saveHeld(at: usize): void {
  const last = load<f64>(at, H_LAST);
  const result = load<f64>(at, H_RESULT);
  if (last != last && result != result) return;
  put(last == last ? load<f64>(at) : NaN);
  put(last);
  put(result);
}

const R_BEFORE: usize = 8;

/**
 * Whether a condition was true at an earlier T, at most `d` before. State: the latest T at which it
 * was, and the latest before that one.
 */
export function opRecent(
  dst: usize,
  a: usize,
  state: usize,
  brings: usize,
  d: f64,
  words: u32,
): void {
  for (let w: u32 = 0; w < words; w++) {
    const word = <usize>w << 3;
    const taken = load<u64>(brings + word) & load<u64>(a + word);
    let yes: u64 = 0;
    for (let rest = load<u64>(E_EVALUATED + word); rest != 0; rest &= rest - 1) {
      const bit = <u64>ctz(rest);
      const flag: u64 = (<u64>1) << bit;
      const row = (w << 6) + <u32>bit;
      const at = baseAt(row) + state;
      const t = load<f64>(E_T + (row << 3));
      const latest = load<f64>(at);
      const earlier = latest < t ? latest : load<f64>(at, R_BEFORE);
      if (t - earlier <= d) yes |= flag;
      if (taken & flag && latest != t) {
        store<f64>(at, latest, R_BEFORE);
        store<f64>(at, t);
      }
    }
    store<u64>(dst + word, yes);
    store<u64>(dst + word, ~yes, MASK_BYTES);
  }
}
