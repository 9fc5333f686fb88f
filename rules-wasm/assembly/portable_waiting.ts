/**
 * Samples that wait, in their portable form, in the order in which they were heard.
 *
 * ```
 * u32 bytes that follow
 * u8 length, id of the vehicle
 * vector: T, A, offset, index, longest duration of absent that was true until it came (0: none)
 * vector: its values, one for each signal that is written of vehicles; NaN where it carries none
 * ```
 */
import { VEHICLE_ID_MAX } from "./layout";
import { lateness, planSignalCount, seen } from "./plan";
import { markSeen } from "./signals";
import { vehicleAt } from "./state";
import { absentAfter, absentUpTo } from "./timers";
import { findVehicle, NO_SLOT, vehicleId, vehicleIdLength } from "./vehicles";
import {
  findWaiting,
  join,
  laterWaiting,
  newWaiting,
  queued,
  W_A,
  W_FIRED,
  W_INDEX,
  W_OFFSET,
  W_SLOT,
  W_T,
  W_VALUES,
} from "./waiting";
import {
  closeVector,
  leaveVector,
  openVector,
  put,
  readVector,
  skipBytes,
  startReading,
  startWords,
  take,
  wordsAt,
} from "./words";

const WORDS: i32 = 5;

/** The sample that is written next, 0 for none. */
let next: usize = 0;

/** Begins with the sample heard first. */
export function saveWaitingBegin(): void {
  next = queued;
}

/** Writes samples as long as there is room. @returns the end of what was written */
export function saveWaiting(out: usize, room: u32): usize {
  const most: usize = 256 + 8 * planSignalCount;
  startWords(out);
  while (next != 0 && wordsAt() + most <= out + room) {
    const from = wordsAt();
    const slot = load<u32>(next, W_SLOT);
    const length = vehicleIdLength(slot);
    store<u8>(from + 4, <u8>length);
    memory.copy(from + 5, vehicleId(slot), length);
    skipBytes(5 + length);
    const fired = load<u32>(next, W_FIRED);
    openVector();
    put(load<f64>(next, W_T));
    put(load<f64>(next, W_A));
    put(load<f64>(next, W_OFFSET));
    put(<f64>load<u32>(next, W_INDEX));
    put(fired == 0 ? 0 : absentAfter(fired - 1));
    closeVector();
    openVector();
    for (let s: u32 = 0; s < planSignalCount; s++) put(load<f64>(next + W_VALUES + (s << 3)));
    closeVector();
    store<u32>(from, <u32>(wordsAt() - from) - 4);
    next = laterWaiting(next);
  }
  return wordsAt();
}

/**
 * Makes the samples that were written to [from, end) wait, or with `known` gives those that wait
 * already the values that they lack.
 *
 * @param targets where the states go that are written of vehicles, signals first
 * @returns 0, or -1 if the bytes are not what was written
 */
export function loadWaiting(
  targets: usize,
  count: u32,
  from: usize,
  end: usize,
  known: bool,
): i32 {
  for (let at = from; at < end;) {
    if (end - at < 5) return -1;
    const bytes: usize = load<u32>(at);
    const length: usize = load<u8>(at, 4);
    if (length > <usize>VEHICLE_ID_MAX || bytes < 1 + length || bytes > end - at - 4) return -1;
    const slot = findVehicle(at + 5, <u32>length);
    startReading(at + 5 + length, at + 4 + bytes);
    if (readVector() != WORDS) return -1;
    const t = take();
    const a = take();
    const offset = take();
    const index = <u32>take();
    const longest = take();
    leaveVector();
    const values = readVector();
    if (values < 0 || <u32>values > count) return -1;
    let entry: usize = 0;
    if (known) {
      if (slot != NO_SLOT && lateness > 0) entry = findWaiting(vehicleAt(slot), offset, index);
    } else {
      if (slot == NO_SLOT) return -1;
      // Without lateness there is nothing to wait for.
      if (lateness > 0) entry = wait(slot, t, a, offset, index, longest);
    }
    if (entry != 0) fill(entry, targets, values);
    at += 4 + bytes;
  }
  return 0;
}

function wait(slot: u32, t: f64, a: f64, offset: f64, index: u32, longest: f64): usize {
  const entry = newWaiting();
  store<u32>(entry, slot, W_SLOT);
  store<u32>(entry, index, W_INDEX);
  store<u32>(entry, absentUpTo(longest), W_FIRED);
  store<f64>(entry, t, W_T);
  store<f64>(entry, a, W_A);
  store<f64>(entry, offset, W_OFFSET);
  for (let s: u32 = 0; s < planSignalCount; s++) store<f64>(entry + W_VALUES + (s << 3), NaN);
  join(vehicleAt(slot), entry);
  return entry;
}

/** Reads values into a sample that waits. */
function fill(entry: usize, targets: usize, values: i32): void {
  for (let i: i32 = 0; i < values; i++) {
    const x = take();
    const target = load<u32>(targets + (i << 2));
    if (x != x || target == 0 || (target & 1) != 0) continue;
    const signal = (target >> 1) - 1;
    store<f64>(entry + W_VALUES + (signal << 3), x);
    if (load<u8>(seen + signal) == 0) markSeen(signal);
  }
}
