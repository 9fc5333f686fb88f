/** Samples that have waited long enough, as rows. */
import { count, describeRow, enterRow } from "./ops_admit";
import { planSignalCount, rawColumns } from "./plan";
import { E_DUPLICATES, ROW_AGAIN, ROW_SAMPLE, V_LAST_T } from "./plan_layout";
import { bringsNothing, resolveRow, standRow } from "./signals";
import { vehicleAt } from "./state";
import { leave, W_FIRED, W_INDEX, W_OFFSET, W_T, W_VALUES } from "./waiting";

/** Writes what a sample carries into a row of the columns. */
function fillRow(row: u32, entry: usize): void {
  let from = entry + W_VALUES;
  for (let s: u32 = 0; s < planSignalCount; s++) {
    store<u64>(load<u32>(rawColumns + (s << 2)) + (row << 3), load<u64>(from));
    from += 8;
  }
}

/**
 * Enters a vehicle's first waiting sample as a row; what it causes has append time `a`.
 *
 * A duplicate that ended a silence has the vehicle evaluated again, any other one is only counted.
 *
 * @returns rows entered: 1 or 0
 */
export function enterWaiting(row: u32, slot: u32, a: f64): u32 {
  const base = vehicleAt(slot);
  const entry = leave(base);
  const t = load<f64>(entry, W_T);
  const fired = load<u32>(entry, W_FIRED);
  const lastT = load<f64>(base, V_LAST_T);
  fillRow(row, entry);
  let kind: u32 = ROW_SAMPLE;
  if (t == lastT && bringsNothing(row, base)) {
    count(E_DUPLICATES);
    if (fired == 0) return 0;
    kind = ROW_AGAIN;
  }
  enterRow(row, kind, fired, base, slot);
  describeRow(row, t, a, load<f64>(entry, W_OFFSET), load<u32>(entry, W_INDEX));
  if (kind == ROW_AGAIN) {
    standRow(row, base);
    return 1;
  }
  resolveRow(row, base, t);
  return 1;
}
