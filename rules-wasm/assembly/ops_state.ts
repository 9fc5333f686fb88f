/** Operators with state per vehicle: row by row, in the order of the log. */
import { E_ALL, E_BASE, E_EVALUATED, MASK_BYTES } from "./plan_layout";
import { put, take } from "./words";

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

/** The portable form of a last known result: 1 or 0. */
export function saveTruth(at: usize): void {
  if (load<u8>(at) != 0) put(<f64>(load<u8>(at) - 1));
}

export function loadTruth(at: usize, words: u32): bool {
  if (words != 1) return false;
  store<u8>(at, take() == 1 ? 2 : 1);
  return true;
}
