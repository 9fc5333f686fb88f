/** The plan over a micro-batch, and the timers between micro-batches. */
import {
  CONTROL_NEXT_A,
  CONTROL_ROW_COUNT,
  ROW_A,
  ROW_INDEX,
  ROW_RECORD,
  ROW_SLOT,
  ROW_T,
  ROWS_MAX,
} from "./layout";
import {
  absentCount,
  code,
  codeCount,
  filterAt,
  filterWords,
  firedCounts,
  forgetAfter,
  lateness,
  stride,
  template,
  valueAt,
} from "./plan";
import {
  E_A,
  E_AT,
  E_CLOCK_RESETS,
  E_FORGOTTEN,
  E_FORGOTTEN_SLOT,
  E_INDEX,
  E_OFFSET,
  E_SLOT,
  E_T,
  I_B,
  I_BYTES,
  I_C,
  I_FLAGS,
  I_OP,
  I_STATE,
  MODE_WARM,
  OP_SLOTS,
  OP_WINDOW,
  REASON_CLOCK_RESET,
  REASON_FORGOTTEN,
  ROW_CLEAR,
  ROW_TIMER,
  V_FIRED,
  V_LAST_A,
  V_LAST_INDEX,
  V_LAST_OFFSET,
  V_LAST_T,
  V_LISTED,
  V_NEXT,
  V_PREV,
  WINDOW_GREATEST,
  WINDOW_LEAST,
} from "./plan_layout";
import { admit, bringMasks, clearMasks, endLate, enterRow, leaveRows } from "./ops_admit";
import { releaseSlots, shapeSlots } from "./ops_slots";
import { shapeExtreme } from "./ops_extreme";
import { shapeWindow } from "./ops_window";
import { evaluate } from "./evaluate";
import { clearAll, forgetActive, lifecycle } from "./lifecycle";
import { ringRelease } from "./ring";
import { releaseTimes, standRow } from "./signals";
import { vehicleAt } from "./state";
import { startTransitions } from "./transitions";
import {
  absentAfter,
  advance,
  DUE_WAITING,
  dueA,
  dueKind,
  dueSlot,
  findDue,
  firesAt,
  shortest,
  silenceA,
  unlist,
} from "./timers";
import { enterWaiting } from "./ops_wait";

/** Starts collecting transitions. */
export function runStart(): void {
  startTransitions();
}

/**
 * Evaluates the rows of the last scan.
 *
 * @param offsets address of the offsets (f64) of the batch's records
 */
export function runRows(offsets: usize, mode: u32): void {
  const rows = load<u32>(CONTROL_ROW_COUNT);
  let from: u32 = 0;
  while (from < rows) {
    clearMasks();
    const to = admit(from, rows, offsets);
    runAdmitted(from, to, mode, true);
    if (to < rows) {
      const slot = load<u32>(ROW_SLOT + (to << 2));
      const t = load<f64>(ROW_T + (to << 3));
      const offset = load<f64>(offsets + (load<u32>(ROW_RECORD + (to << 2)) << 3));
      const index = load<u32>(ROW_INDEX + (to << 2));
      resetClock(to, slot, t, load<f64>(ROW_A + (to << 3)), offset, index);
    }
    from = to;
  }
}

/** Runs the plan over rows that are described; `samples`: whether there are samples among them. */
export function runAdmitted(from: u32, to: u32, mode: u32, samples: bool): void {
  if (from < to) {
    const words = (to + 63) >> 6;
    bringMasks(words, samples);
    evaluate(words);
    lifecycle(words, mode == MODE_WARM);
    leaveRows(from, to);
  }
}

/** Describes a row that stands for no sample of its own: the vehicle as it is at its last T. */
export function standFor(row: u32, kind: u32, timer: u32, slot: u32, t: f64, a: f64): void {
  const base = vehicleAt(slot);
  const lastT = load<f64>(base, V_LAST_T);
  enterRow(row, kind, timer, base, slot);
  store<f64>(E_T + (row << 3), lastT);
  store<f64>(E_AT + (row << 3), t);
  store<f64>(E_A + (row << 3), a);
  store<f64>(E_OFFSET + (row << 3), load<f64>(base, V_LAST_OFFSET));
  store<u32>(E_INDEX + (row << 2), load<u32>(base, V_LAST_INDEX));
  standRow(row, base);
}

/** Clears what the vehicle of a row of clearing has open. */
export function clearRow(row: u32, reason: u32): void {
  const words = (row + 64) >> 6;
  bringMasks(words, false);
  evaluate(words);
  const slot = load<u32>(E_SLOT + (row << 2));
  clearAll(vehicleAt(slot), slot, row, reason);
  forgetActive();
  leaveRows(row, row + 1);
}

/** Gives a vehicle's blocks back. */
function releaseBlocks(base: usize): void {
  releaseTimes(base);
  endLate(base);
  let at = code;
  for (let i: u32 = 0; i < codeCount; i++) {
    const op = load<i32>(at, I_OP);
    if (op == OP_SLOTS || op == OP_WINDOW) {
      const state = base + load<u32>(at, I_STATE);
      if (op == OP_SLOTS) {
        shapeSlots(load<u32>(at, I_FLAGS), load<u32>(at, I_C));
        releaseSlots(state);
      } else {
        const kind = load<i32>(at, I_B);
        if (kind == WINDOW_LEAST || kind == WINDOW_GREATEST) shapeExtreme(kind, load<u32>(at, I_C));
        else shapeWindow(kind, load<u32>(at, I_C));
        ringRelease(state);
      }
    }
    at += I_BYTES;
  }
}

/** Makes a vehicle's state that of a fresh one, but for its place in the order of silence. */
export function freshen(base: usize): void {
  releaseBlocks(base);
  const lastA = load<f64>(base, V_LAST_A);
  const next = load<u32>(base, V_NEXT);
  const prev = load<u32>(base, V_PREV);
  const listed = load<u8>(base, V_LISTED);
  const rest = filterAt + filterWords * 4;
  // The rules a vehicle is limited by depend on its id alone: those bits stay.
  memory.copy(base, template, filterAt);
  memory.copy(base + rest, template + rest, stride - rest);
  store<f64>(base, lastA, V_LAST_A);
  store<u32>(base, next, V_NEXT);
  store<u32>(base, prev, V_PREV);
  store<u8>(base, listed, V_LISTED);
}

/** A vehicle has set its clock back to `t`: as `row`, what it has open clears, all is fresh. */
export function resetClock(row: u32, slot: u32, t: f64, a: f64, offset: f64, index: u32): void {
  const base = vehicleAt(slot);
  clearMasks();
  standFor(row, ROW_CLEAR, 0, slot, t, a);
  store<f64>(E_OFFSET + (row << 3), offset);
  store<u32>(E_INDEX + (row << 2), index);
  clearRow(row, REASON_CLOCK_RESET);
  freshen(base);
  store<f64>(E_CLOCK_RESETS, load<f64>(E_CLOCK_RESETS) + 1);
}

/**
 * Fires timers that are due before the next record's A, in their order, until the rows of a
 * micro-batch are full or a vehicle is forgotten.
 *
 * @returns whether more are due
 */
export function runTimers(mode: u32): bool {
  const nextA = load<f64>(CONTROL_NEXT_A);
  store<u32>(E_FORGOTTEN_SLOT, 0);
  // Only a record moves the clock: at the end of the input nothing is due yet.
  if (nextA == Infinity) return false;
  clearMasks();
  let rows: u32 = 0;
  findDue();
  while (dueA < nextA && rows < <u32>ROWS_MAX && dueKind != absentCount) {
    if (dueKind == DUE_WAITING) {
      // Those before it in the order of T come first, by one turn each.
      rows += enterWaiting(rows, dueSlot, firesAt(dueA));
      findDue();
      continue;
    }
    const base = vehicleAt(dueSlot);
    const t = load<f64>(base, V_LAST_T) + absentAfter(dueKind);
    standFor(rows, ROW_TIMER, dueKind, dueSlot, t, firesAt(dueA));
    store<u8>(base, <u8>(dueKind + 1), V_FIRED);
    advance(dueKind);
    rows++;
    findDue();
  }
  runAdmitted(0, rows, mode, lateness > 0);
  if (rows == 0 && dueA < nextA) {
    forget(dueSlot);
    findDue();
  }
  return dueA < nextA;
}

/** A vehicle has been silent for so long that it is forgotten. */
function forget(slot: u32): void {
  const base = vehicleAt(slot);
  const t = load<f64>(base, V_LAST_T) + forgetAfter;
  clearMasks();
  standFor(0, ROW_CLEAR, absentCount, slot, t, firesAt(dueA));
  clearRow(0, REASON_FORGOTTEN);
  unlist(base, slot);
  freshen(base);
  store<u32>(E_FORGOTTEN_SLOT, slot + 1);
  store<f64>(E_FORGOTTEN, load<f64>(E_FORGOTTEN) + 1);
}

/**
 * How far the next scan may go: the first timer of silence due, or that the next record may arm.
 * Samples that wait are released between its rows.
 */
export function runStop(): f64 {
  findDue();
  return min<f64>(silenceA, load<f64>(CONTROL_NEXT_A) + shortest());
}

/** Sets the bits "the rule is for this vehicle" of a new vehicle, 32 rules a word. */
export function setFilter(slot: u32, word: u32, bits: u32): void {
  store<u32>(vehicleAt(slot) + filterAt + (word << 2), bits);
}

/** Address of the counts of openings per rule (f64). */
export function firedAt(): usize {
  return firedCounts;
}

/** Address of value register 0. */
export function valuesAt(): usize {
  return valueAt(0);
}
