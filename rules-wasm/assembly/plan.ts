/** The plan in force: what the host wrote, read once into globals. */
import { alloc } from "./memory";
import { COLUMN_BYTES } from "./layout";
import {
  CONDITION_BYTES,
  MASK_BYTES,
  PLAN_ABSENT,
  PLAN_ABSENT_AT,
  PLAN_ACTIVE,
  PLAN_ACTIVE_WORDS,
  PLAN_BRINGS,
  PLAN_BRINGS_AT,
  PLAN_CAME,
  PLAN_CAPTURES_MAX,
  PLAN_CLOCK_AHEAD,
  PLAN_CLOCK_RESET,
  PLAN_CODE,
  PLAN_CODE_AT,
  PLAN_CONDITIONS,
  PLAN_DATA_AT,
  PLAN_FILTER,
  PLAN_FILTER_WORDS,
  PLAN_FORGET_AFTER,
  PLAN_LATENESS,
  PLAN_MAX_GAP,
  PLAN_RULES,
  PLAN_RULES_AT,
  PLAN_SIGNALS,
  PLAN_SIGNALS_AT,
  PLAN_STRIDE,
  PLAN_TEMPLATE_AT,
  PLAN_UNKNOWN_AFTER,
  PLAN_VALUES,
  PLAN_WAITING,
  PLAN_WAITING_MAX,
  PS_BEFORE,
  PS_BYTES,
} from "./plan_layout";

export let plan: usize = 0;
export let stride: u32 = 0;
export let ruleCount: u32 = 0;
export let rules: usize = 0;
export let code: usize = 0;
export let codeCount: u32 = 0;
export let planSignals: usize = 0;
export let planSignalCount: u32 = 0;
export let bringsSets: usize = 0;
export let bringsCount: u32 = 0;
export let absents: usize = 0;
export let absentCount: u32 = 0;
export let template: usize = 0;
/** Numbers that instructions refer to by their place, f64 each. */
export let planData: usize = 0;
export let activeAt: u32 = 0;
export let activeWords: u32 = 0;
export let filterAt: u32 = 0;
export let filterWords: u32 = 0;
export let cameAt: u32 = 0;
export let capturesMax: u32 = 0;
export let clockAhead: f64 = 0;
export let clockReset: f64 = 0;
export let unknownAfter: f64 = 0;
export let forgetAfter: f64 = 0;
/** How long samples wait for older ones, ms; 0: they do not. */
export let maxGap: f64 = 0;
export let lateness: f64 = 0;
export let waitingAt: u32 = 0;
export let waitingMax: u32 = 0;

/** Value registers; the first `planSignalCount` hold the signals. */
export let values: usize = 0;
export let conditions: usize = 0;
/** Masks of bringing: of the rows evaluated, of all rows that count, then of each set of signals. */
export let bringsMasks: usize = 0;
/** A mask per rule of rows whose vehicle has a record of it. */
export let activeRows: usize = 0;
/** u8 per rule: whether its mask above has a bit. */
export let activeAny: usize = 0;
/** Per signal of the plan: address of its raw column (u32). */
export let rawColumns: usize = 0;
/** The same of the columns that the scan fills: where samples wait they are others. */
export let scannedColumns: usize = 0;
/** u8 per signal of the plan: whether any row has carried it yet. */
export let seen: usize = 0;
/** Positions of those signals, ascending (u32 each), and how many they are. */
export let seenList: usize = 0;
export let seenCount: u32 = 0;
/** A mask per signal of the rows evaluated that carry it. */
export let present: usize = 0;
/** f64 per rule: how often it opened. */
export let firedCounts: usize = 0;

@inline
export function valueAt(register: i32): usize {
  return values + <usize>register * COLUMN_BYTES;
}

@inline
export function conditionAt(register: i32): usize {
  return conditions + <usize>register * CONDITION_BYTES;
}

@inline
export function bringsAt(mask: i32): usize {
  return bringsMasks + <usize>mask * MASK_BYTES;
}

/** Room for a plan and for its registers; a later plan takes the same as far as it fits. */
let room: usize = 0;
let roomBytes: u32 = 0;
let registers: usize = 0;
let registerBytes: u32 = 0;
/** Bytes of a column among the registers. */
const COLUMN_ROOM: u32 = (COLUMN_BYTES + 63) & ~63;
/** Where the next part of the registers begins. */
let carved: usize = 0;

/** Reserves room for a plan, to be filled by the host before `planLoad`; the plan before is lost. */
export function planRoom(bytes: u32): usize {
  if (bytes > roomBytes) {
    roomBytes = max<u32>(bytes, roomBytes * 2);
    room = alloc(roomBytes, 16);
  }
  return room;
}

@inline
function rounded(bytes: u32): u32 {
  return (bytes + 63) & ~63;
}

function carve(bytes: u32): usize {
  const at = carved;
  carved += rounded(bytes);
  return at;
}

/** Takes a plan into force; `planRoom` gave its address. */
export function planLoad(address: usize): void {
  plan = address;
  stride = load<u32>(plan + PLAN_STRIDE);
  ruleCount = load<u32>(plan + PLAN_RULES);
  rules = plan + load<u32>(plan + PLAN_RULES_AT);
  codeCount = load<u32>(plan + PLAN_CODE);
  code = plan + load<u32>(plan + PLAN_CODE_AT);
  planSignalCount = load<u32>(plan + PLAN_SIGNALS);
  planSignals = plan + load<u32>(plan + PLAN_SIGNALS_AT);
  bringsCount = load<u32>(plan + PLAN_BRINGS);
  bringsSets = plan + load<u32>(plan + PLAN_BRINGS_AT);
  absentCount = load<u32>(plan + PLAN_ABSENT);
  absents = plan + load<u32>(plan + PLAN_ABSENT_AT);
  template = plan + load<u32>(plan + PLAN_TEMPLATE_AT);
  planData = plan + load<u32>(plan + PLAN_DATA_AT);
  activeAt = load<u32>(plan + PLAN_ACTIVE);
  activeWords = load<u32>(plan + PLAN_ACTIVE_WORDS);
  filterAt = load<u32>(plan + PLAN_FILTER);
  filterWords = load<u32>(plan + PLAN_FILTER_WORDS);
  cameAt = load<u32>(plan + PLAN_CAME);
  capturesMax = load<u32>(plan + PLAN_CAPTURES_MAX);
  clockAhead = load<f64>(plan + PLAN_CLOCK_AHEAD);
  clockReset = load<f64>(plan + PLAN_CLOCK_RESET);
  unknownAfter = load<f64>(plan + PLAN_UNKNOWN_AFTER);
  forgetAfter = load<f64>(plan + PLAN_FORGET_AFTER);
  maxGap = load<f64>(plan + PLAN_MAX_GAP);
  lateness = load<f64>(plan + PLAN_LATENESS);
  waitingAt = load<u32>(plan + PLAN_WAITING);
  waitingMax = load<u32>(plan + PLAN_WAITING_MAX);
  const valueBytes = load<u32>(plan + PLAN_VALUES) * COLUMN_BYTES;
  const conditionBytes = load<u32>(plan + PLAN_CONDITIONS) * CONDITION_BYTES;
  const bringBytes = (bringsCount + 2) * MASK_BYTES;
  const signalBytes = planSignalCount * MASK_BYTES + 2 * rounded(planSignalCount * 4) +
    rounded(planSignalCount);
  const waitBytes = lateness > 0 ? rounded(planSignalCount * 4) + planSignalCount * COLUMN_ROOM : 0;
  const ruleBytes = ruleCount * MASK_BYTES + rounded(ruleCount) + rounded(ruleCount * 8);
  const bytes = rounded(valueBytes) + conditionBytes + bringBytes + signalBytes + waitBytes + ruleBytes;
  if (bytes > registerBytes) {
    registerBytes = max<u32>(bytes, registerBytes * 2);
    registers = alloc(registerBytes, 64);
  } else memory.fill(registers, 0, bytes);
  carved = registers;
  values = carve(valueBytes);
  conditions = carve(conditionBytes);
  bringsMasks = carve(bringBytes);
  activeRows = carve(ruleCount * MASK_BYTES);
  activeAny = carve(ruleCount);
  firedCounts = carve(ruleCount * 8);
  rawColumns = carve(planSignalCount * 4);
  scannedColumns = rawColumns;
  if (lateness > 0) separateColumns();
  seen = carve(planSignalCount);
  seenList = carve(planSignalCount * 4);
  seenCount = 0;
  present = carve(planSignalCount * MASK_BYTES);
  // A signal that no row has carried is unknown on every row.
  for (let s: u32 = 0; s < planSignalCount; s++) {
    fillUnknown(s);
    const before = load<i32>(planSignals + s * PS_BYTES, PS_BEFORE);
    if (before < 0) continue;
    fillUnknown(before);
    fillUnknown(before + 1);
  }
}

function fillUnknown(register: i32): void {
  for (let row: usize = 0; row < 1024; row++) store<f64>(valueAt(register) + (row << 3), NaN);
}

/** Notes that a row has carried a signal of the plan, which none had. */
export function addSeen(s: u32): void {
  store<u8>(seen + s, 1);
  let i = seenCount++;
  for (; i > 0 && load<u32>(seenList + ((i - 1) << 2)) > s; i--) {
    store<u32>(seenList + (i << 2), load<u32>(seenList + ((i - 1) << 2)));
  }
  store<u32>(seenList + (i << 2), s);
}

/** Samples that waited are evaluated in rows other than those they were scanned into. */
function separateColumns(): void {
  scannedColumns = carve(planSignalCount * 4);
  for (let s: u32 = 0; s < planSignalCount; s++) {
    store<u32>(rawColumns + s * 4, <u32>carve(COLUMN_BYTES));
  }
}

/** Tells where the column lies that the scan fills for a signal of the plan. */
export function planColumn(position: u32, column: usize): void {
  store<u32>(scannedColumns + position * 4, <u32>column);
}
