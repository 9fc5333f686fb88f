/** Results of conditions on rows, and runs of them in records. */
import { bringsAt, conditionAt } from "./plan";
import { E_KIND, MASK_BYTES, ROW_SAMPLE } from "./plan_layout";
import { R_FLAGS } from "./state";

export const UNKNOWN: u32 = 0;
export const YES: u32 = 1;
export const NO: u32 = 2;

/** The result of a condition on a row: YES, NO or UNKNOWN. */
@inline
export function result(condition: i32, row: u32): u32 {
  const word = conditionAt(condition) + (<usize>(row >> 6) << 3);
  const shift = <u64>(row & 63);
  if ((load<u64>(word) >> shift) & 1) return YES;
  return (load<u64>(word, MASK_BYTES) >> shift) & 1 ? NO : UNKNOWN;
}

/** Whether a row brings an expression; what silence evaluates, it brings. */
@inline
export function brought(mask: i32, row: u32): bool {
  if (load<u8>(E_KIND + row) != ROW_SAMPLE) return true;
  const word = bringsAt(mask) + (<usize>(row >> 6) << 3);
  return ((load<u64>(word) >> <u64>(row & 63)) & 1) != 0;
}

/** Takes a true into a run whose first and last T lie at `first` and `last` of a record. */
@inline
export function extend(record: usize, flag: u32, first: usize, last: usize, t: f64, gap: f64): bool {
  const flags = load<u32>(record, R_FLAGS);
  const goesOn = (flags & flag) != 0 && t - load<f64>(record + last) <= gap;
  if (!goesOn) {
    store<u32>(record, flags | flag, R_FLAGS);
    store<f64>(record + first, t);
  }
  store<f64>(record + last, t);
  return goesOn;
}

@inline
export function drop(record: usize, flags: u32): void {
  const have = load<u32>(record, R_FLAGS);
  if (have & flags) store<u32>(record, have & ~flags, R_FLAGS);
}
