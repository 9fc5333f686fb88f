/** Transitions, as they come: a growing buffer that the host reads after each call. */
import { alloc } from "./memory";
import {
  CLEARED,
  E_A,
  E_AT,
  E_INDEX,
  E_OFFSET,
  E_TRANSITION_BYTES,
  E_TRANSITIONS,
  E_TRANSITIONS_AT,
  MASK_BYTES,
  PLAN_PARTITION,
  RULE_CAPTURES,
  RULE_CAPTURES_AT,
  RULE_ID_AT,
  TR_APPEND,
  TR_AT,
  TR_CAPTURES,
  TR_COUNT,
  TR_ID,
  TR_KIND,
  TR_ONSET,
  TR_REASON,
  TR_ROW,
  TR_RULE,
  TR_SEVERITY,
  TR_SLOT,
  TR_SOURCE_INDEX,
  TR_SOURCE_OFFSET,
} from "./plan_layout";
import { capturesMax, conditionAt, plan, valueAt } from "./plan";
import {
  R_AT,
  R_COUNT,
  R_ONSET,
  R_OPEN_INDEX,
  R_OPEN_OFFSET,
  R_RULE,
  R_SEVERITY,
  R_SLOT,
} from "./state";
import { hashText, putLine, putNumber, startText } from "./sha256";
import { vehicleId, vehicleIdLength } from "./vehicles";

let buffer: usize = 0;
/** Bytes of the buffer, and transitions that fit. */
let room: u32 = 0;
let capacity: u32 = 0;
let size: u32 = 0;
let used: u32 = 0;
/** Rows of the micro-batches run since the buffer was emptied. */
let rowsBefore: u32 = 0;

/** Empties the buffer. */
export function startTransitions(): void {
  const before = size;
  size = TR_CAPTURES + capturesMax * 8;
  // Another plan may take along more values, or fewer.
  if (size != before) capacity = room / size;
  used = 0;
  rowsBefore = 0;
  store<u32>(E_TRANSITION_BYTES, size);
  store<u32>(E_TRANSITIONS, 0);
}

/** Counts the rows of a micro-batch after which another one fills the same buffer. */
export function passRows(rows: u32): void {
  rowsBefore += rows;
}

/** Bytes of transitions from which on no more are asked for before the host has read them. */
const ENOUGH_BYTES: u32 = 4194304;

/** Whether the host should read what there is before more rows are run. */
@inline
export function enoughTransitions(): bool {
  return used * size >= ENOUGH_BYTES;
}

/** Makes sure that `more` transitions fit. */
export function reserveTransitions(more: u32): void {
  if (used + more <= capacity) return;
  const wanted = max<u32>(capacity * 2, used + more);
  room = wanted * size;
  const fresh = alloc(room, 64);
  if (used > 0) memory.copy(fresh, buffer, used * size);
  buffer = fresh;
  capacity = wanted;
  store<u32>(E_TRANSITIONS_AT, <u32>buffer);
}

/** Writes a transition that a row causes; the record holds the state after it. */
export function emit(rule: usize, record: usize, row: u32, kind: u32, reason: u32): void {
  const at = max(load<f64>(E_AT + (row << 3)), load<f64>(record, R_AT));
  store<f64>(record, at, R_AT);
  const out = buffer + used * size;
  used++;
  store<u32>(E_TRANSITIONS, used);
  store<u32>(out, rowsBefore + row, TR_ROW);
  store<u32>(out, load<u32>(record, R_RULE), TR_RULE);
  store<u32>(out, kind, TR_KIND);
  store<u32>(out, kind == CLEARED ? reason : 0, TR_REASON);
  store<u32>(out, load<u32>(record, R_SEVERITY), TR_SEVERITY);
  store<u32>(out, load<u32>(record, R_SLOT), TR_SLOT);
  store<u32>(out, load<u32>(record, R_COUNT), TR_COUNT);
  store<u32>(out, load<u32>(E_INDEX + (row << 2)), TR_SOURCE_INDEX);
  store<f64>(out, load<f64>(record, R_ONSET), TR_ONSET);
  store<f64>(out, at, TR_AT);
  store<f64>(out, load<f64>(E_A + (row << 3)), TR_APPEND);
  store<u64>(out, anomalyId(rule, record), TR_ID);
  store<f64>(out, load<f64>(E_OFFSET + (row << 3)), TR_SOURCE_OFFSET);
  const captures = load<u32>(rule, RULE_CAPTURES);
  let list = plan + load<u32>(rule, RULE_CAPTURES_AT);
  let to = out + TR_CAPTURES;
  for (let i: u32 = 0; i < captures; i++) {
    const register = load<i32>(list);
    store<f64>(to, register >= 0 ? valueOf(register, row) : resultOf(~register, row));
    list += 4;
    to += 8;
  }
}

/**
 * The id of a record's anomaly: the first 64 bits of SHA-256 over six lines of UTF-8 text, each
 * ended by a line feed, numbers in decimal: rule, vehicle, onset, partition, offset and index of
 * the sample that opened it.
 */
function anomalyId(rule: usize, record: usize): u64 {
  const name = plan + load<u32>(rule, RULE_ID_AT);
  const slot = load<u32>(record, R_SLOT);
  startText();
  putLine(name + 4, load<u32>(name));
  putLine(vehicleId(slot), vehicleIdLength(slot));
  putNumber(load<f64>(record, R_ONSET));
  putNumber(<f64>load<u32>(plan, PLAN_PARTITION));
  putNumber(load<f64>(record, R_OPEN_OFFSET));
  putNumber(<f64>load<u32>(record, R_OPEN_INDEX));
  return hashText();
}

function valueOf(register: i32, row: u32): f64 {
  return load<f64>(valueAt(register) + (row << 3));
}

/** A condition's result: 1, 0, or NaN for unknown. */
function resultOf(condition: i32, row: u32): f64 {
  const word = conditionAt(condition) + (<usize>(row >> 6) << 3);
  const bit: u64 = (<u64>1) << (row & 63);
  if (load<u64>(word) & bit) return 1;
  return load<u64>(word, MASK_BYTES) & bit ? 0 : NaN;
}
