/** The rows of a scan where samples wait for older ones: those released are evaluated. */
import {
  CONTROL_LAST_A,
  CONTROL_ROW_COUNT,
  ROW_A,
  ROW_INDEX,
  ROW_RECORD,
  ROW_SLOT,
  ROW_T,
  ROWS_MAX,
} from "./layout";
import {
  clearMasks,
  count,
  describeRow,
  endLate,
  enterRow,
  hear,
  lateResets,
} from "./ops_admit";
import { enterWaiting } from "./ops_wait";
import { lateness, waitingMax } from "./plan";
import {
  E_CROWDED,
  E_LATE,
  ROW_AGAIN,
  V_FIRED,
  V_LAST_T,
  WAITING_PER_VEHICLE,
} from "./plan_layout";
import { resetClock, runAdmitted } from "./run";
import { noteSeen, standRow } from "./signals";
import { vehicleAt } from "./state";
import { firesAt, waitingDue } from "./timers";
import { enoughTransitions, passRows } from "./transitions";
import {
  copyRow,
  firstWaiting,
  join,
  lastWaiting,
  newWaiting,
  queued,
  W_A,
  W_FIRED,
  W_INDEX,
  W_OFFSET,
  W_SLOT,
  W_T,
  waitingCount,
  waitingOf,
} from "./waiting";

/** Rows of the micro-batch that is being filled. */
let filled: u32 = 0;
let runMode: u32 = 0;

/** Runs the rows filled so far; the next go into a micro-batch of their own. */
export function flushRows(): void {
  runAdmitted(0, filled, runMode, true);
  passRows(filled);
  filled = 0;
  clearMasks();
}

/** Begins with no rows. */
export function startRelease(mode: u32): void {
  runMode = mode;
  filled = 0;
  clearMasks();
}

/** Evaluates a vehicle's first waiting sample, at append time `a`. */
export function release(slot: u32, a: f64): void {
  if (filled == <u32>ROWS_MAX) flushRows();
  filled += enterWaiting(filled, slot, a);
}

/**
 * Releases what is due before the clock comes to `a`.
 *
 * @returns whether that is all; if not, the host has to read the transitions first
 */
function releaseDue(a: f64): bool {
  for (let due = waitingDue(); due < a && !enoughTransitions(); due = waitingDue()) {
    release(load<u32>(queued, W_SLOT), firesAt(due));
  }
  if (!enoughTransitions()) return true;
  flushRows();
  return false;
}

/** Releases what the vehicle has been heard `lateness` after. */
function releaseHeard(base: usize, slot: u32, a: f64): void {
  // No evaluated sample has a later T than one that waits.
  const heardT = load<f64>(lastWaiting(base), W_T);
  for (;;) {
    const first = firstWaiting(base);
    if (first == 0 || load<f64>(first, W_T) + lateness > heardT) return;
    release(slot, a);
  }
}

/** Releases samples of which too many wait: the vehicle's oldest, or the one due first. */
function releaseCrowded(base: usize, slot: u32, a: f64): void {
  if (waitingOf(base) > <u32>WAITING_PER_VEHICLE) {
    count(E_CROWDED);
    release(slot, a);
  }
  if (waitingCount() <= waitingMax) return;
  count(E_CROWDED);
  const due = queued;
  while (queued == due) release(load<u32>(due, W_SLOT), a);
}

/** A late sample is not evaluated; if it ends a silence, the vehicle is evaluated again. */
function passLate(base: usize, slot: u32, a: f64, offset: f64, index: u32): void {
  const fired: u32 = load<u8>(base, V_FIRED);
  hear(base, slot, a, offset, index);
  if (fired == 0) return;
  if (filled == <u32>ROWS_MAX) flushRows();
  const lastT = load<f64>(base, V_LAST_T);
  enterRow(filled, ROW_AGAIN, fired, base, slot);
  describeRow(filled, lastT, a, offset, index);
  standRow(filled, base);
  filled++;
}

/** What still waits is evaluated; then the vehicle is as a fresh one. */
function reset(base: usize, slot: u32, t: f64, a: f64, offset: f64, index: u32): void {
  while (firstWaiting(base) != 0) release(slot, a);
  flushRows();
  resetClock(0, slot, t, a, offset, index);
  passRows(1);
  clearMasks();
}

/** Row that is heard next: where one call has given enough transitions, the next goes on. */
let nextRow: u32 = 0;

/**
 * Hears the rows of the last scan and evaluates what they release.
 *
 * @param offsets address of the offsets (f64) of the batch's records
 * @returns whether there is more: the host reads the transitions and calls again
 */
export function runLateRows(offsets: usize, mode: u32): bool {
  startRelease(mode);
  const rows = load<u32>(CONTROL_ROW_COUNT);
  if (nextRow == 0) noteSeen(rows);
  for (; nextRow < rows; nextRow++) {
    if (!releaseDue(load<f64>(ROW_A + (nextRow << 3)))) return true;
    hearRow(nextRow, offsets);
  }
  // Records without a sample move the clock too.
  if (!releaseDue(load<f64>(CONTROL_LAST_A))) return true;
  flushRows();
  nextRow = 0;
  return false;
}

function hearRow(row: u32, offsets: usize): void {
  const slot = load<u32>(ROW_SLOT + (row << 2));
  const base = vehicleAt(slot);
  const t = load<f64>(ROW_T + (row << 3));
  const a = load<f64>(ROW_A + (row << 3));
  const offset = load<f64>(offsets + (load<u32>(ROW_RECORD + (row << 2)) << 3));
  const index = load<u32>(ROW_INDEX + (row << 2));
  if (t < load<f64>(base, V_LAST_T)) {
    count(E_LATE);
    if (!lateResets(base, t, a)) {
      passLate(base, slot, a, offset, index);
      return;
    }
    reset(base, slot, t, a, offset, index);
  }
  endLate(base);
  const entry = newWaiting();
  store<u32>(entry, slot, W_SLOT);
  store<u32>(entry, index, W_INDEX);
  store<u32>(entry, load<u8>(base, V_FIRED), W_FIRED);
  store<f64>(entry, t, W_T);
  store<f64>(entry, a, W_A);
  store<f64>(entry, offset, W_OFFSET);
  copyRow(entry, row);
  hear(base, slot, a, offset, index);
  join(base, entry);
  releaseHeard(base, slot, a);
  releaseCrowded(base, slot, a);
}

/**
 * Evaluates all samples that wait, at append time `a`.
 *
 * @returns whether there are more: the host reads the transitions and calls again
 */
export function releaseWaiting(a: f64, mode: u32): bool {
  startRelease(mode);
  while (queued != 0 && !enoughTransitions()) release(load<u32>(queued, W_SLOT), a);
  flushRows();
  return queued != 0;
}

/** Evaluates all samples of a vehicle that wait, at append time `a`. */
export function releaseVehicle(slot: u32, a: f64, mode: u32): void {
  startRelease(mode);
  while (firstWaiting(vehicleAt(slot)) != 0) release(slot, a);
  flushRows();
}
