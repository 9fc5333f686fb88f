/**
 * State in its portable form: what a snapshot holds, and what moves from plan to plan.
 *
 * ```
 * vehicle  u32 bytes that follow
 *          u8 length, id
 *          vector: clock (CLOCK_WORDS)
 *          vector for each state: signals, then operators, as the host names them
 *          u32 count, vector for each record (SR_*)
 * ```
 *
 * A vector of a state holds its logical form (portable_states.ts); one without words is the state
 * of a fresh vehicle.
 */
import { CONTROL_VEHICLES, SCRATCH, VEHICLE_ID_MAX } from "./layout";
import {
  activeAt,
  activeWords,
  filterAt,
  rules,
} from "./plan";
import {
  RULE_BYTES,
  V_LAST_A,
  V_LAST_INDEX,
  V_LAST_OFFSET,
  V_LAST_T,
  V_NEXT,
} from "./plan_layout";
import {
  CLOCK_WORDS,
  CLOCK_WORDS_LATE,
  RT_AT,
  RT_BYTES,
  RT_FILTER,
  RT_FLAGS,
  RT_TARGET,
  SR_AT,
  SR_FLAGS,
  SR_LEVELS,
  SR_RULE,
  SR_WORDS,
} from "./portable_layout";
import { loadLate, saveLate } from "./ops_admit";
import { loadState, saveState, settleStates, wordsMax } from "./portable_states";
import { fillRecord, levelsAfter, reduceRecord, saveRecord, settleRecord } from "./records";
import {
  addVehicles,
  findRecord,
  freeRecord,
  listRecords,
  makeRecord,
  R_RULE,
  R_SLOT,
  rekeyRecords,
  reserveRecords,
  vehicleAt,
  wordAt,
} from "./state";
import { absentFired, listAgain, oldest } from "./timers";
import { findVehicle, internVehicle, NO_SLOT, vehicleId, vehicleIdLength } from "./vehicles";
import {
  bytesLeft,
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

/** Writes the slots in use, longest silent first (u32 each). @returns how many */
export function silenceOrder(out: usize): u32 {
  let count: u32 = 0;
  for (let at = oldest; at != 0; at = load<u32>(vehicleAt(at - 1) + V_NEXT)) {
    store<u32>(out + (count << 2), at - 1);
    count++;
  }
  return count;
}

// ── writing ─────────────────────────────────────────────────────────────────────────────────────

/** Most bytes that a vehicle with states `targets` takes. */
export function saveRoom(targets: usize, count: u32): f64 {
  let bytes: f64 = 256 + <f64>(activeWords * 32) * (2 + 8 * <f64>SR_WORDS);
  for (let i: u32 = 0; i < count; i++) {
    bytes += 2 + 8 * <f64>wordsMax(load<u32>(targets + (i << 2)));
  }
  return bytes;
}

/**
 * Writes the vehicles of `slots` (u32 each).
 *
 * @param targets names of the states (u32 each), in the order in which they are written
 * @returns the end of what was written
 */
export function saveVehicles(
  targets: usize,
  count: u32,
  slots: usize,
  vehicles: u32,
  out: usize,
): usize {
  startWords(out);
  for (let v: u32 = 0; v < vehicles; v++) {
    const slot = load<u32>(slots + (v << 2));
    const base = vehicleAt(slot);
    const from = wordsAt();
    const length = vehicleIdLength(slot);
    store<u8>(from + 4, <u8>length);
    memory.copy(from + 5, vehicleId(slot), length);
    skipBytes(5 + length);
    saveClock(base);
    for (let i: u32 = 0; i < count; i++) {
      openVector();
      saveState(load<u32>(targets + (i << 2)), base);
      closeVector();
    }
    saveRecords(base, slot);
    store<u32>(from, <u32>(wordsAt() - from) - 4);
  }
  return wordsAt();
}

function saveClock(base: usize): void {
  openVector();
  put(load<f64>(base, V_LAST_T));
  put(load<f64>(base, V_LAST_A));
  put(load<f64>(base, V_LAST_OFFSET));
  put(<f64>load<u32>(base, V_LAST_INDEX));
  saveLate(base);
  closeVector();
}

function saveRecords(base: usize, slot: u32): void {
  const at = wordsAt();
  skipBytes(4);
  let count: u32 = 0;
  for (let w: u32 = 0; w < activeWords; w++) {
    for (let rest = load<u32>(base + activeAt + (w << 2)); rest != 0; rest &= rest - 1) {
      const r = (w << 5) + <u32>ctz(rest);
      const record = findRecord(slot, r);
      if (saveRecord(record, rules + r * RULE_BYTES, load<f64>(base, V_LAST_T))) count++;
    }
  }
  store<u32>(at, count);
}

// ── reading ─────────────────────────────────────────────────────────────────────────────────────

/**
 * Makes the vehicles that were written to [from, end), in the order of silence, and their clocks.
 *
 * @param timersTo A before which timers have fired
 * @returns how many, -1 if the bytes are not what was written
 */
export function loadVehicles(from: usize, end: usize, timersTo: f64): i32 {
  let count = 0;
  for (let at = from; at < end; count++) {
    const next = beginVehicle(at, end);
    if (next == 0) return -1;
    const length: u32 = load<u8>(at, 4);
    const known = load<u32>(CONTROL_VEHICLES);
    memory.copy(SCRATCH, at + 5, length);
    const slot = internVehicle(length);
    // An id that comes twice, or does not fit.
    if (slot == NO_SLOT || slot != known) return -1;
    addVehicles(slot + 1);
    const base = vehicleAt(slot);
    const words = readVector();
    if (words != CLOCK_WORDS && words != CLOCK_WORDS_LATE) return -1;
    store<f64>(base, take(), V_LAST_T);
    store<f64>(base, take(), V_LAST_A);
    store<f64>(base, take(), V_LAST_OFFSET);
    store<u32>(base, <u32>take(), V_LAST_INDEX);
    if (words == CLOCK_WORDS_LATE) loadLate(base);
    listAgain(base, slot, absentFired(load<f64>(base, V_LAST_A), timersTo));
    at = next;
  }
  return count;
}

/** Begins to read the vehicle at `at`: what follows is its clock. @returns its end, 0 if it has none */
function beginVehicle(at: usize, end: usize): usize {
  if (end - at < 5) return 0;
  const bytes: usize = load<u32>(at);
  const length: usize = load<u8>(at, 4);
  if (length == 0 || length > <usize>VEHICLE_ID_MAX || bytes < 1 + length || bytes > end - at - 4) return 0;
  startReading(at + 5 + length, at + 4 + bytes);
  return at + 4 + bytes;
}

/**
 * Gives vehicles the states and records that were written to [from, end). Vehicles that are not
 * known, or that stand at another T, are passed over.
 *
 * @param targets where the states written go, by position; 0 for nowhere
 * @param entries what becomes of the records written, RT_* by rule
 * @returns 0, or -1 if the bytes are not what was written
 */
export function loadStates(
  targets: usize,
  count: u32,
  entries: usize,
  ruleCount: u32,
  from: usize,
  end: usize,
): i32 {
  for (let at = from; at < end;) {
    const next = beginVehicle(at, end);
    if (next == 0) return -1;
    const slot = findVehicle(at + 5, load<u8>(at, 4));
    const words = readVector();
    if (words < CLOCK_WORDS) return -1;
    const t = take();
    leaveVector();
    if (slot != NO_SLOT && same(load<f64>(vehicleAt(slot), V_LAST_T), t)) {
      if (!loadVehicleStates(vehicleAt(slot), targets, count)) return -1;
      if (!loadRecords(vehicleAt(slot), slot, entries, ruleCount)) return -1;
    }
    at = next;
  }
  return 0;
}

@inline
function same(a: f64, b: f64): bool {
  return a == b || (a != a && b != b);
}

function loadVehicleStates(base: usize, targets: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const words = readVector();
    if (words < 0) return false;
    const target = load<u32>(targets + (i << 2));
    if (target != 0 && words > 0 && !loadState(target, base, words)) return false;
    leaveVector();
  }
  settleStates(base);
  return true;
}

function loadRecords(base: usize, slot: u32, entries: usize, ruleCount: u32): bool {
  if (bytesLeft() < 4) return false;
  const count = load<u32>(wordsAt());
  skipBytes(4);
  for (let i: u32 = 0; i < count; i++) {
    if (readVector() != SR_WORDS) return false;
    const saved = wordsAt();
    const rule = <u32>load<f64>(saved + SR_RULE * 8);
    if (rule >= ruleCount) return false;
    const entry = entries + rule * RT_BYTES;
    const flags = <u32>load<f64>(saved + SR_FLAGS * 8) & load<u32>(entry, RT_FLAGS);
    const levels = levelsAfter(<u32>load<f64>(saved + SR_LEVELS * 8), entry);
    const at = load<u32>(entry, RT_AT) ? load<f64>(saved + SR_AT * 8) : -Infinity;
    leaveVector();
    if (load<i32>(entry, RT_TARGET) < 0 || !admits(base, entry)) continue;
    if ((flags | levels) == 0 && !(at > load<f64>(base, V_LAST_T))) continue;
    const target = load<u32>(entry, RT_TARGET);
    let record = findRecord(slot, target);
    if (record == 0) {
      reserveRecords(1);
      record = makeRecord(base, slot, target);
    }
    fillRecord(record, saved, flags, levels, at);
  }
  return true;
}

/** Whether the rule that an entry leads to is for a vehicle. */
@inline
function admits(base: usize, entry: usize): bool {
  const filter = load<i32>(entry, RT_FILTER);
  return filter < 0 || ((load<u32>(wordAt(base, filterAt, filter)) >> (filter & 31)) & 1) != 0;
}

// ── in place ────────────────────────────────────────────────────────────────────────────────────

/**
 * Carries records over to other rules, before their plan is loaded; the vehicles' filter bits are
 * those of that plan already.
 *
 * @param list room for the address of each record (u32)
 */
export function changeRecords(entries: usize, list: usize): void {
  const count = listRecords(list);
  let kept: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const record: usize = load<u32>(list + (i << 2));
    const base = vehicleAt(load<u32>(record, R_SLOT));
    const rule = load<u32>(record, R_RULE);
    const entry = entries + rule * RT_BYTES;
    const t = load<f64>(base, V_LAST_T);
    settleRecord(record, rules + rule * RULE_BYTES, t);
    const stays = load<i32>(entry, RT_TARGET) >= 0 && admits(base, entry) &&
      reduceRecord(record, entry, t);
    if (stays) store<u32>(list + (kept++ << 2), <u32>record);
    else freeRecord(base, record);
  }
  rekeyRecords(list, kept, entries);
}
