/** Operators with state per vehicle: row by row, in the order of the log. */
import { E_ALL, E_BASE, E_EVALUATED, E_T, E_TOUCHED, MASK_BYTES } from "./plan_layout";

@inline
function baseAt(row: u32): usize {
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

// A ring of kept samples, oldest first: u32 head, u32 count, then T and value (f64 each) by place.

/** Touches what the rings of 64 rows will be asked for, so that the waits for memory overlap. */
function touchRings(w: u32, state: usize, places: u32): void {
  let sum: u64 = 0;
  for (let rest = load<u64>(E_ALL + (w << 3)); rest != 0; rest &= rest - 1) {
    const at = baseAt((w << 6) + <u32>ctz(rest)) + state;
    const head = load<u32>(at);
    let last = head + load<u32>(at, 4);
    if (last >= places) last -= places;
    sum += load<u64>(at + 8 + (head << 4)) + load<u64>(at + 8 + (last << 4));
  }
  store<u64>(E_TOUCHED, sum);
}

/**
 * The newest kept sample at or before T - d: its value, and its T into the next register; NaN if
 * there is none. The last sample of each slot of `width` is kept.
 *
 * What lies before that reference is dropped: as T never falls, nothing can ask for it again. So at
 * most `d / width + 1` samples within the last d and one reference are held, and the current one.
 */
export function opSlots(
  dst: usize,
  dstT: usize,
  a: usize,
  state: usize,
  brings: usize,
  d: f64,
  width: f64,
  places: u32,
  words: u32,
): void {
  for (let w: u32 = 0; w < words; w++) {
    const taken = load<u64>(brings + (w << 3));
    touchRings(w, state, places);
    for (let rest = load<u64>(E_ALL + (w << 3)); rest != 0; rest &= rest - 1) {
      const bit = <u64>ctz(rest);
      const row = (w << 6) + <u32>bit;
      const at = baseAt(row) + state;
      const t = load<f64>(E_T + (row << 3));
      const before = t - d;
      let head = load<u32>(at);
      let count = load<u32>(at, 4);
      const ring = at + 8;
      while (count > 1) {
        const next = head + 1 == places ? 0 : head + 1;
        if (load<f64>(ring + (next << 4)) > before) break;
        head = next;
        count--;
      }
      let value = NaN;
      let valueT = NaN;
      if (count > 0) {
        const first = ring + (head << 4);
        const firstT = load<f64>(first);
        if (firstT <= before) {
          valueT = firstT;
          value = load<f64>(first, 8);
        }
      }
      store<f64>(dst + (row << 3), value);
      store<f64>(dstT + (row << 3), valueT);
      if ((taken >> bit) & 1) {
        const x = load<f64>(a + (row << 3));
        if (x == x) {
          let last = head + count - 1;
          if (last >= places) last -= places;
          let entry = ring + (last << 4);
          if (count == 0 || leaves(load<f64>(entry), t, width)) {
            last = last + 1 == places ? 0 : last + 1;
            if (count == 0) last = head;
            entry = ring + (last << 4);
            count++;
          }
          store<f64>(entry, t);
          store<f64>(entry, x, 8);
        }
      }
      store<u32>(at, head);
      store<u32>(at, count, 4);
    }
  }
}
