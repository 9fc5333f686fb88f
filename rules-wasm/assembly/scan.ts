/**
 * Records into rows: the framing of samples, their checks, refusals, and micro-batches.
 *
 * The host reserves the input (`reserveInput`), writes values, ends and append times there, calls
 * `scanBegin` once and `scan` until it is used up.
 */
import {
  BAD_VEHICLE_ID,
  CLOCK_AHEAD,
  COLUMN_BYTES,
  CONTROL_COLUMN_COUNT,
  CONTROL_COLUMNS,
  CONTROL_EXHAUSTED,
  CONTROL_INSIDE,
  CONTROL_LAST_A,
  CONTROL_NEXT_A,
  CONTROL_OUT_OF_RANGE,
  CONTROL_RECORDS_DONE,
  CONTROL_REFUSAL_COUNT,
  CONTROL_REFUSED,
  CONTROL_ROW_COUNT,
  CONTROL_SAMPLES,
  CONTROL_TICKS,
  CONTROL_UNKNOWN_KEYS,
  CONTROL_WRONG_TYPE,
  IMPOSSIBLE_TIME,
  INVALID_UTF8,
  MALFORMED_JSON,
  NO_TIME,
  NO_VEHICLE,
  NOT_AN_OBJECT,
  REFUSAL_BYTES,
  REFUSALS,
  REFUSALS_MAX,
  ROW_A,
  ROW_END,
  ROW_INDEX,
  ROW_RECORD,
  ROW_SLOT,
  ROW_START,
  ROW_T,
  ROWS_MAX,
  SCRATCH,
  TIME_MAX,
  TOO_MANY_VEHICLES,
  VEHICLE_ID_MAX,
} from "./layout";
import { alloc } from "./memory";
import {
  characterEnd,
  decodeString,
  fault,
  faultAt,
  faultReason,
  skipSpace,
} from "./text";
import { askSlot, canAskLater, ensureVehicles, findSlots, NO_SLOT, slotOf } from "./vehicles";
import { setupNesting, skipValue } from "./scan_value";
import { readObject } from "./scan_object";
import {
  outOfRange,
  TIME_NONE,
  timeAt,
  timeKind,
  timeValue,
  unknownKeys,
  VEHICLE_ESCAPED,
  VEHICLE_NONE,
  vehicleAt,
  vehicleKind,
  vehicleLength,
  vehicleText,
  wrongType,
} from "./scan_sample";

/** Fixed-width loads reach so far behind the input. */
const PADDING: u32 = 128;

let input: usize = 0;
let inputSize: u32 = 0;
let ends: usize = 0;
let times: usize = 0;
let recordsSize: u32 = 0;

let clockAheadMax: f64 = Infinity;

/** Records of the batch, and the one being read. */
let recordCount: u32 = 0;
let record: u32 = 0;
/** Whether `record` has been begun: the next three are of it then. */
let inside: bool = false;
let recordStart: usize = 0;
let recordEnd: usize = 0;
/** Where the object at hand has to end: the record's end, or its line's. */
let limit: usize = 0;
/** Whether an object of this record was malformed: what is left of it is read line by line. */
let lineByLine: bool = false;
let at: usize = 0;
/** Index of the object at `at` within its record. */
let index: u32 = 0;
/** Whether slots are found together, and the first row whose slot is still to be found. */
let together: bool = false;
let slotless: u32 = 0;

/** Sets how far T may lie ahead of A, ms; Infinity for no bound. */
export function setClockAheadMax(ms: f64): void {
  clockAheadMax = ms;
}

/** Makes room for an input; what was written before is lost, and so may be the host's views. */
export function reserveInput(bytes: u32, records: u32): void {
  if (input == 0 || bytes > inputSize) {
    inputSize = inputSize * 2 > bytes ? inputSize * 2 : bytes;
    if (inputSize < 0x10000) inputSize = 0x10000;
    input = alloc(inputSize + PADDING, 64);
    setupNesting(inputSize);
  }
  if (records > recordsSize) {
    recordsSize = recordsSize * 2 > records ? recordsSize * 2 : records;
    if (recordsSize < <u32>ROWS_MAX) recordsSize = ROWS_MAX;
    ends = alloc(recordsSize << 2, 16);
    times = alloc(recordsSize << 3, 16);
  }
}

/** Address of the values (u8). */
export function inputAddress(): usize {
  return input;
}

/** Address of the ends of the values within them (u32). */
export function endsAddress(): usize {
  return ends;
}

/** Address of the append times (f64). */
export function timesAddress(): usize {
  return times;
}

/** Begins with the records now in the input. */
export function scanBegin(records: u32): void {
  recordCount = records;
  record = 0;
  inside = false;
  store<u32>(CONTROL_RECORDS_DONE, 0);
  const bytes: usize = records == 0 ? 0 : load<u32>(ends + ((records - 1) << 2));
  // No JSON text holds a zero byte, so what reads on behind the input stops there.
  memory.fill(input + bytes, 0, PADDING);
  noteNext();
}

/**
 * Reads on: at most `ROWS_MAX` rows, up to the first record whose A (running maximum) is above
 * `stopA`, to the end, or until the refusals are full.
 *
 * @param whole whether to stop at the end of the record at hand, too
 * @returns rows read
 */
export function scan(stopA: f64, whole: bool): u32 {
  ensureVehicles();
  clearRows(load<u32>(CONTROL_ROW_COUNT));
  // Near the bound each slot is found at once: where there is none, its sample is refused.
  together = canAskLater();
  slotless = 0;
  let rows: u32 = 0;
  while (rows < <u32>ROWS_MAX && load<u32>(CONTROL_REFUSAL_COUNT) < <u32>REFUSALS_MAX) {
    if (!inside && !enterRecord(stopA)) break;
    at = skipSpace(at, recordEnd);
    if (at >= recordEnd) {
      // Only a record of nothing but white space comes here.
      refuse(MALFORMED_JSON, recordStart, recordEnd, recordEnd);
      leaveRecord();
      continue;
    }
    if (readSample(rows)) rows++;
    at = skipSpace(at, recordEnd);
    if (at < recordEnd) continue;
    leaveRecord();
    if (whole) break;
  }
  findSlots(slotless, rows);
  store<u32>(CONTROL_ROW_COUNT, rows);
  add(CONTROL_SAMPLES, rows);
  noteNext();
  return rows;
}

/** Makes the first `rows` rows of every column missing. */
function clearRows(rows: u32): void {
  const count = load<u32>(CONTROL_COLUMN_COUNT);
  let column: usize = load<u32>(CONTROL_COLUMNS);
  for (let i: u32 = 0; i < count; i++) {
    memory.fill(column, 0xff, rows << 3);
    column += COLUMN_BYTES;
  }
}

@inline
function add(counter: usize, n: u32): void {
  store<f64>(counter, load<f64>(counter) + <f64>n);
}

/** A of the record, the running maximum applied. */
@inline
function appendTime(i: u32): f64 {
  const a = load<f64>(times + (<usize>i << 3));
  const last = load<f64>(CONTROL_LAST_A);
  return a > last ? a : last;
}

/** Goes on to the next record of more than zero bytes; false at the end or beyond `stopA`. */
function enterRecord(stopA: f64): bool {
  while (record < recordCount) {
    const a = appendTime(record);
    if (a > stopA) return false;
    store<f64>(CONTROL_LAST_A, a);
    recordStart = input + (record == 0 ? 0 : load<u32>(ends + ((record - 1) << 2)));
    recordEnd = input + load<u32>(ends + (record << 2));
    if (recordStart < recordEnd) {
      at = recordStart;
      index = 0;
      inside = true;
      lineByLine = false;
      return true;
    }
    add(CONTROL_TICKS, 1);
    leaveRecord();
  }
  return false;
}

function leaveRecord(): void {
  inside = false;
  record++;
  store<u32>(CONTROL_RECORDS_DONE, record);
}

/** Notes what comes next for whoever asks between scans. */
function noteNext(): void {
  const done = !inside && record >= recordCount;
  store<u32>(CONTROL_EXHAUSTED, done ? 1 : 0);
  store<u32>(CONTROL_INSIDE, inside ? 1 : 0);
  const next = inside ? load<f64>(CONTROL_LAST_A) : done ? Infinity : appendTime(record);
  store<f64>(CONTROL_NEXT_A, next);
}

/** Reads what stands at `at` and moves behind it; false when it was refused. */
function readSample(row: u32): bool {
  const start = at;
  const isObject = load<u8>(start) == 0x7b;
  const offset = <usize>row << 3;
  limit = lineByLine ? newline(start) : recordEnd;
  let end = readValue(start, isObject, offset);
  let next = end == 0 ? 0 : lineEnd(end);
  if (next == 0 && !lineByLine) {
    // What is broken may have taken in the lines behind it: from here on every line stands alone.
    lineByLine = true;
    limit = newline(start);
    if (faultAt > limit) {
      if (isObject) clearRow(offset);
      end = readValue(start, isObject, offset);
      next = end == 0 ? 0 : lineEnd(end);
    }
  }
  if (next == 0) {
    refuseFault(start);
    if (isObject) clearRow(offset);
    return false;
  }
  at = next;
  if (!isObject) {
    refuse(NOT_AN_OBJECT, start, end, start);
    return false;
  }
  if (!accept(start, end, row)) {
    clearRow(offset);
    return false;
  }
  index++;
  return true;
}

@inline
function readValue(start: usize, isObject: bool, offset: usize): usize {
  return isObject ? readObject(start, limit, offset) : skipValue(start, limit);
}

/** The first newline from `p` on, or the end of the record. */
function newline(p: usize): usize {
  while (p < recordEnd && load<u8>(p) != 0x0a) p++;
  return p;
}

/** The newline or limit that `p` stands before, or 0 with a fault. */
@inline
function lineEnd(p: usize): usize {
  while (p < limit) {
    const c = load<u8>(p);
    if (c == 0x0a) break;
    if (c != 0x20 && c != 0x0d && c != 0x09) return fault(p, MALFORMED_JSON);
    p++;
  }
  return p;
}

/** Makes a row missing in every column. */
function clearRow(offset: usize): void {
  const count = load<u32>(CONTROL_COLUMN_COUNT);
  let column: usize = load<u32>(CONTROL_COLUMNS);
  for (let i: u32 = 0; i < count; i++) {
    store<i64>(column + offset, -1);
    column += COLUMN_BYTES;
  }
}

/** Checks the object just read and writes its row; false when it was refused. */
function accept(start: usize, end: usize, row: u32): bool {
  if (vehicleKind == VEHICLE_NONE) {
    return refuse(NO_VEHICLE, start, end, vehicleAt != 0 ? vehicleAt : start);
  }
  let id = vehicleText;
  let length = vehicleLength;
  if (vehicleKind == VEHICLE_ESCAPED) {
    length = decodeString(id, id + length, SCRATCH, VEHICLE_ID_MAX);
    id = SCRATCH;
  }
  if (length > <u32>VEHICLE_ID_MAX) return refuse(BAD_VEHICLE_ID, start, end, vehicleAt);
  if (timeKind == TIME_NONE) return refuse(NO_TIME, start, end, timeAt != 0 ? timeAt : start);
  // Adding 0 makes -0 the 0 that it is.
  const t = trunc(timeValue) + 0;
  if (!(timeValue >= 0 && t <= <f64>TIME_MAX)) return refuse(IMPOSSIBLE_TIME, start, end, timeAt);
  const a = load<f64>(CONTROL_LAST_A);
  if (t > a + clockAheadMax) return refuse(CLOCK_AHEAD, start, end, start);
  if (together && vehicleKind != VEHICLE_ESCAPED) askSlot(row, id, length);
  else if (!giveSlot(row, id, length)) return refuse(TOO_MANY_VEHICLES, start, end, start);

  const at4 = row << 2;
  const at8 = row << 3;
  store<u32>(ROW_RECORD + at4, record);
  store<u32>(ROW_INDEX + at4, index);
  store<u32>(ROW_START + at4, <u32>(start - input));
  store<u32>(ROW_END + at4, <u32>(end - input));
  store<f64>(ROW_T + at8, t);
  store<f64>(ROW_A + at8, a);
  if (unknownKeys != 0) add(CONTROL_UNKNOWN_KEYS, unknownKeys);
  if (outOfRange != 0) add(CONTROL_OUT_OF_RANGE, outOfRange);
  if (wrongType != 0) add(CONTROL_WRONG_TYPE, wrongType);
  return true;
}

/** Finds the slot of a row at once, after those asked for before it; false where there is no room. */
function giveSlot(row: u32, id: usize, length: u32): bool {
  findSlots(slotless, row);
  const slot = slotOf(id, length);
  slotless = row;
  if (slot == NO_SLOT) return false;
  store<u32>(ROW_SLOT + (row << 2), slot);
  slotless = row + 1;
  return true;
}

/** Refuses the object [start, end) of the record; false, for the caller to return. */
function refuse(reason: u32, start: usize, end: usize, position: usize): bool {
  const count = load<u32>(CONTROL_REFUSAL_COUNT);
  const to = REFUSALS + count * REFUSAL_BYTES;
  store<u32>(to, record);
  store<u32>(to, index, 4);
  store<u32>(to, <u32>(start - recordStart), 8);
  store<u32>(to, <u32>(end - recordStart), 12);
  store<u32>(to, <u32>(position - recordStart), 16);
  store<u32>(to, reason, 20);
  store<u32>(CONTROL_REFUSAL_COUNT, count + 1);
  add(CONTROL_REFUSED, 1);
  index++;
  return false;
}

/** Refuses the line that begins at `start` for the fault noted; goes on behind it. */
function refuseFault(start: usize): void {
  // Fixed-width loads may have seen the fault behind the line: what is missing is at its end.
  const position = faultAt < limit ? faultAt : limit;
  let reason = faultReason;
  if (reason == MALFORMED_JSON && position < limit && load<u8>(position) >= 0x80) {
    // A byte that no JSON text has here may be no UTF-8 either.
    if (characterEnd(position, limit) == 0) reason = INVALID_UTF8;
  }
  at = newline(start);
  refuse(reason, start, at, position);
}
