/**
 * What vehicles last sent of each signal, and since when.
 *
 * A vehicle keeps the value of each signal of the plan, and a bit: it came with the last sample
 * evaluated, at V_LAST_T. Most samples carry what the one before carried; only where one does not,
 * a block takes the T of each signal (V_TIMES), until a sample needs none of them.
 */
import { COLUMN_BYTES } from "./layout";
import {
  addSeen,
  cameAt,
  planSignalCount,
  planSignals,
  rawColumns,
  scannedColumns,
  seen,
  seenCount,
  seenList,
  stride,
  valueAt,
  values,
} from "./plan";
import { PS_BEFORE, PS_BYTES, PS_STALE, PS_STATE, V_LAST_T, V_TIMES } from "./plan_layout";
import { giveBlock, takeBlock } from "./pool";
import { put, take } from "./words";

/** Bytes of a vehicle's state up to the last signal that has been seen. */
export let touchBytes: u32 = 64;

/** Notes that some vehicle has a value of a signal of the plan. */
export function markSeen(s: u32): void {
  if (load<u8>(seen + s) == 0) addSeen(s);
  touchBytes = min(stride, max(touchBytes, load<u32>(planSignals + s * PS_BYTES, PS_STATE) + 8));
}

/** Address of the flags "some vehicle has a value of it" per signal of the plan (u8). */
export function seenAt(): usize {
  return seen;
}

/** Marks the signals that a scanned row has carried: the others are unknown for every vehicle. */
export function noteSeen(rows: u32): void {
  for (let s: u32 = 0; s < planSignalCount; s++) {
    if (load<u8>(seen + s) != 0) continue;
    const column: usize = load<u32>(scannedColumns + (s << 2));
    for (let row: u32 = 0; row < rows; row++) {
      const x = load<f64>(column + (row << 3));
      if (x != x) continue;
      markSeen(s);
      break;
    }
  }
}

@inline
function carried(s: u32, row: u32): f64 {
  return load<f64>(load<u32>(rawColumns + (s << 2)) + (row << 3));
}

@inline
function cameWord(base: usize, s: u32): usize {
  return base + cameAt + ((s >> 5) << 2);
}

@inline
function came(base: usize, s: u32): bool {
  return ((load<u32>(cameWord(base, s)) >> (s & 31)) & 1) != 0;
}

/** The block of a vehicle's times. */
function timesOf(base: usize): usize {
  let times: usize = load<u32>(base, V_TIMES);
  if (times == 0) {
    times = takeBlock(planSignalCount << 3);
    store<u32>(base, <u32>times, V_TIMES);
  }
  return times;
}

/** Gives the block of a vehicle's times back. */
export function releaseTimes(base: usize): void {
  const times: usize = load<u32>(base, V_TIMES);
  if (times == 0) return;
  giveBlock(times, planSignalCount << 3);
  store<u32>(base, 0, V_TIMES);
}

/** T at which a vehicle last sent a signal, which it has sent. */
@inline
function timeOf(base: usize, s: u32, lastT: f64): f64 {
  return came(base, s) ? lastT : load<f64>(<usize>load<u32>(base, V_TIMES) + (s << 3));
}

/** Whether the row carries nothing that its vehicle, last evaluated at its T, has not at that T. */
export function bringsNothing(row: u32, base: usize): bool {
  for (let s: u32 = 0; s < planSignalCount; s++) {
    const x = carried(s, row);
    if (x != x) continue;
    const at = base + load<u32>(planSignals + s * PS_BYTES, PS_STATE);
    if (load<f64>(at) != x || !came(base, s)) return false;
  }
  return true;
}

/**
 * Takes in what the row carries, as the vehicle's last sample evaluated, and writes what its
 * signals are at its T.
 */
export function resolveRow(row: u32, base: usize, t: f64): void {
  const lastT = load<f64>(base, V_LAST_T);
  store<f64>(base, t, V_LAST_T);
  let needed = false;
  for (let i: u32 = 0; i < seenCount; i++) {
    const s = load<u32>(seenList + (i << 2));
    const signal = planSignals + s * PS_BYTES;
    const word = cameWord(base, s);
    const bits = load<u32>(word);
    const bit: u32 = 1 << (s & 31);
    const at = base + load<u32>(signal, PS_STATE);
    const last = load<f64>(at);
    const before = load<i32>(signal, PS_BEFORE);
    if (before >= 0) {
      const to = valueAt(before) + (<usize>row << 3);
      store<f64>(to, last);
      store<f64>(to, last == last ? timeOf(base, s, lastT) : NaN, COLUMN_BYTES);
    }
    let x = carried(s, row);
    if (x == x) {
      store<f64>(at, x);
      if ((bits & bit) == 0) store<u32>(word, bits | bit);
    } else {
      x = last;
      if (x == x && (t != lastT || (bits & bit) == 0)) {
        needed = true;
        let since = lastT;
        if (bits & bit) {
          store<f64>(timesOf(base) + (s << 3), lastT);
          store<u32>(word, bits & ~bit);
        } else since = load<f64>(<usize>load<u32>(base, V_TIMES) + (s << 3));
        if (t - since > load<f64>(signal, PS_STALE)) x = NaN;
      }
    }
    store<f64>(values + s * COLUMN_BYTES + (<usize>row << 3), x);
  }
  if (!needed) releaseTimes(base);
}

/** Writes what the vehicle's signals are at T of its last sample, taking nothing in. */
export function standRow(row: u32, base: usize): void {
  const t = load<f64>(base, V_LAST_T);
  for (let s: u32 = 0; s < planSignalCount; s++) {
    const signal = planSignals + s * PS_BYTES;
    let x = load<f64>(base + load<u32>(signal, PS_STATE));
    const since = x == x ? timeOf(base, s, t) : NaN;
    const before = load<i32>(signal, PS_BEFORE);
    if (before >= 0) {
      const to = valueAt(before) + (<usize>row << 3);
      store<f64>(to, x);
      store<f64>(to, since, COLUMN_BYTES);
    }
    if (t - since > load<f64>(signal, PS_STALE)) x = NaN;
    store<f64>(values + s * COLUMN_BYTES + (<usize>row << 3), x);
  }
}

/** A signal's last value, NaN if the vehicle has not sent it. */
export function signalValue(base: usize, s: u32): f64 {
  return load<f64>(base + load<u32>(planSignals + s * PS_BYTES, PS_STATE));
}

/** T at which a signal last came, NaN if it has not. */
export function signalTime(base: usize, s: u32): f64 {
  const x = signalValue(base, s);
  return x == x ? timeOf(base, s, load<f64>(base, V_LAST_T)) : NaN;
}

/** The portable form of a signal: its last value, and T at which it came. */
export function saveSignal(base: usize, s: u32): void {
  const x = signalValue(base, s);
  if (x != x) return;
  put(x);
  put(signalTime(base, s));
}

/** Reads what `saveSignal` wrote. */
export function loadSignal(base: usize, s: u32, words: u32): bool {
  if (words != 2) return false;
  if (load<u8>(seen + s) == 0) markSeen(s);
  store<f64>(base + load<u32>(planSignals + s * PS_BYTES, PS_STATE), take());
  const t = take();
  const word = cameWord(base, s);
  if (t == load<f64>(base, V_LAST_T)) store<u32>(word, load<u32>(word) | (1 << (s & 31)));
  else store<f64>(timesOf(base) + (s << 3), t);
  return true;
}
