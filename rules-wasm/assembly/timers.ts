/**
 * Silence: vehicles in the order in which they were last heard.
 *
 * As A never falls, the list is sorted by V_LAST_A and, within one A, by position in the log. The
 * first vehicle whose timer of a duration has not fired is a cursor: timers cost O(1) a sample.
 */
import { absentCount, absents, forgetAfter } from "./plan";
import { vehicleAt } from "./state";
import { E_CURSORS, E_NEXT_TIMER, V_LAST_A, V_LISTED, V_NEXT, V_PREV } from "./plan_layout";

/** Slots + 1; 0 for none. */
export let oldest: u32 = 0;
let newest: u32 = 0;

@inline
export function absentAfter(d: u32): f64 {
  return load<f64>(absents + (d << 3));
}

@inline
export function cursor(d: u32): u32 {
  return load<u32>(E_CURSORS + (d << 2));
}

/** Moves the cursor of a duration past the vehicle that it stands at. */
export function advance(d: u32): void {
  store<u32>(E_CURSORS + (d << 2), load<u32>(vehicleAt(cursor(d) - 1) + V_NEXT));
}

/** Takes a vehicle out of the order. */
export function unlist(base: usize, slot: u32): void {
  if (load<u8>(base + V_LISTED) == 0) return;
  store<u8>(base + V_LISTED, 0);
  const next = load<u32>(base + V_NEXT);
  const prev = load<u32>(base + V_PREV);
  for (let d: u32 = 0; d < absentCount; d++) {
    if (cursor(d) == slot + 1) store<u32>(E_CURSORS + (d << 2), next);
  }
  if (prev == 0) oldest = next;
  else store<u32>(vehicleAt(prev - 1) + V_NEXT, next);
  if (next == 0) newest = prev;
  else store<u32>(vehicleAt(next - 1) + V_PREV, prev);
}

/** Puts a vehicle that was just heard at the end of the order. */
export function heard(base: usize, slot: u32): void {
  if (newest != slot + 1) {
    unlist(base, slot);
    store<u8>(base + V_LISTED, 1);
    store<u32>(base + V_NEXT, 0);
    store<u32>(base + V_PREV, newest);
    if (newest == 0) oldest = slot + 1;
    else store<u32>(vehicleAt(newest - 1) + V_NEXT, slot + 1);
    newest = slot + 1;
  }
  for (let d: u32 = 0; d < absentCount; d++) {
    if (cursor(d) == 0) store<u32>(E_CURSORS + (d << 2), slot + 1);
  }
}

/** What is due first. */
export let dueA: f64 = Infinity;
/** Slot it is due for. */
export let dueSlot: u32 = 0;
/** Position of its duration; `absentCount` for forgetting. */
export let dueKind: u32 = 0;

/** Finds the timer that comes first: by due A, kind, position in the log, duration. */
export function findDue(): void {
  dueA = Infinity;
  let heardA: f64 = 0;
  for (let d: u32 = 0; d < absentCount; d++) {
    const at = cursor(d);
    if (at == 0) continue;
    const lastA = load<f64>(vehicleAt(at - 1) + V_LAST_A);
    const due = lastA + absentAfter(d);
    // Of two due together the one with the longer duration counts from an earlier sample.
    if (due < dueA || (due == dueA && lastA < heardA)) {
      dueA = due;
      dueSlot = at - 1;
      dueKind = d;
      heardA = lastA;
    }
  }
  if (oldest != 0) {
    const due = load<f64>(vehicleAt(oldest - 1) + V_LAST_A) + forgetAfter;
    if (due < dueA) {
      dueA = due;
      dueSlot = oldest - 1;
      dueKind = absentCount;
    }
  }
  store<f64>(E_NEXT_TIMER, dueA);
}

/** Least time that a timer armed now is due after. */
export function shortest(): f64 {
  return absentCount > 0 ? min<f64>(absentAfter(0), forgetAfter) : forgetAfter;
}
