/**
 * Timers. Silence: vehicles in the order in which they were last heard.
 *
 * As A never falls, the list is sorted by V_LAST_A and, within one A, by position in the log. The
 * first vehicle whose timer of a duration has not fired is a cursor: timers cost O(1) a sample.
 * Samples that wait are a queue in the order in which they were heard.
 */
import { absentCount, absents, forgetAfter, lateness } from "./plan";
import { vehicleAt } from "./state";
import {
  E_CURSORS,
  E_NEXT_TIMER,
  E_TIMERS_TO,
  V_FIRED,
  V_LAST_A,
  V_LISTED,
  V_NEXT,
  V_PREV,
} from "./plan_layout";
import { queued, W_A, W_SLOT } from "./waiting";

/** Slots + 1; 0 for none. */
export let oldest: u32 = 0;
let newest: u32 = 0;

@inline
export function absentAfter(d: u32): f64 {
  return load<f64>(absents + (d << 3));
}

/** How long after the last sample heard a timer of `absent` is due, of A. */
@inline
function absentDue(d: u32): f64 {
  return max<f64>(absentAfter(d), lateness);
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

/** How many durations have come true of a vehicle last heard at `lastA`, timers having fired before an A. */
export function absentFired(lastA: f64, timersTo: f64): u32 {
  let fired: u32 = 0;
  while (fired < absentCount && lastA + absentDue(fired) < timersTo) fired++;
  return fired;
}

/** How many durations are at most `ms`. */
export function absentUpTo(ms: f64): u32 {
  let count: u32 = 0;
  while (count < absentCount && absentAfter(count) <= ms) count++;
  return count;
}

/** Puts a vehicle at the end of the order, so many of its durations having come true. */
export function listAgain(base: usize, slot: u32, fired: u32): void {
  store<u8>(base, <u8>fired, V_FIRED);
  store<u8>(base + V_LISTED, 1);
  store<u32>(base + V_NEXT, 0);
  store<u32>(base + V_PREV, newest);
  if (newest == 0) oldest = slot + 1;
  else store<u32>(vehicleAt(newest - 1) + V_NEXT, slot + 1);
  newest = slot + 1;
  for (let d = fired; d < absentCount; d++) {
    if (cursor(d) == 0) store<u32>(E_CURSORS + (d << 2), slot + 1);
  }
}

/** What is due first. */
export let dueA: f64 = Infinity;
/** Slot it is due for. */
export let dueSlot: u32 = 0;
/** Position of its duration; `absentCount` for forgetting; or `DUE_WAITING`. */
export let dueKind: u32 = 0;
/** What is due is the sample at the head of the queue. */
export const DUE_WAITING: u32 = 0xffff;

/** What is due first of those that silence arms: `absent` and forgetting. */
export let silenceA: f64 = Infinity;

/** When the sample that has waited longest is due; Infinity if none waits. */
@inline
export function waitingDue(): f64 {
  return queued == 0 ? Infinity : load<f64>(queued, W_A) + lateness;
}

/** Finds the timer that comes first: by due A, kind, position in the log, duration. */
export function findDue(): void {
  dueA = Infinity;
  let heardA: f64 = -Infinity;
  for (let d: u32 = 0; d < absentCount; d++) {
    const at = cursor(d);
    if (at == 0) continue;
    const lastA = load<f64>(vehicleAt(at - 1) + V_LAST_A);
    const due = lastA + absentDue(d);
    // Of two due together the one with the longer duration counts from an earlier sample: its
    // cursor is never ahead of the other's. Both at one vehicle, the shorter comes first.
    const earlier = lastA < heardA || (lastA == heardA && at - 1 != dueSlot);
    if (due < dueA || (due == dueA && earlier)) {
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
  silenceA = dueA;
  const waited = waitingDue();
  if (queued != 0 && waited <= dueA) {
    dueA = waited;
    dueSlot = load<u32>(queued, W_SLOT);
    dueKind = DUE_WAITING;
  }
  store<f64>(E_NEXT_TIMER, dueA);
}

/** A of what a timer causes: where new settings make it overdue, that of their coming. */
export function firesAt(due: f64): f64 {
  return max<f64>(due, load<f64>(E_TIMERS_TO));
}

/** Least time that a timer of silence armed now is due after. */
export function shortest(): f64 {
  return absentCount > 0 ? min<f64>(absentDue(0), forgetAfter) : forgetAfter;
}
