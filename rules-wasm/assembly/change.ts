/** What a change of rules clears: rows of vehicles, whose rules the host names one by one. */
import { rules } from "./plan";
import {
  E_SLOT,
  REASON_RULE_CHANGED,
  ROW_CLEAR,
  RULE_BYTES,
  V_FIRED,
  V_LAST_T,
} from "./plan_layout";
import { bringMasks, clearMasks, leaveRows } from "./ops_admit";
import { clear, forgetActive } from "./lifecycle";
import { evaluate } from "./evaluate";
import { standFor } from "./run";
import { findRecord, vehicleAt } from "./state";
import { reserveTransitions } from "./transitions";

/** Begins with no rows. */
export function changeBegin(): void {
  clearMasks();
}

/** A row of a vehicle as it stands at its last T; `a` is the A at which the rules change. */
export function changeRow(row: u32, slot: u32, a: f64): void {
  const base = vehicleAt(slot);
  standFor(row, ROW_CLEAR, load<u8>(base, V_FIRED), slot, load<f64>(base, V_LAST_T), a);
}

/** Evaluates the rows; now `changeClear` may be called for them. */
export function changeEvaluate(rows: u32): void {
  const words = (rows + 63) >> 6;
  bringMasks(words, false);
  evaluate(words);
}

/** Clears what a rule has open for the vehicle of a row. */
export function changeClear(row: u32, rule: u32): void {
  const record = findRecord(load<u32>(E_SLOT + (row << 2)), rule);
  reserveTransitions(1);
  clear(rules + rule * RULE_BYTES, record, row, REASON_RULE_CHANGED);
}

/** Ends the rows. */
export function changeEnd(rows: u32): void {
  forgetActive();
  leaveRows(0, rows);
}
