/** State of vehicles: fixed blocks in chunks; and records of what rules have pending or open. */
import { alloc, allocState } from "./memory";
import { E_OPEN, E_RECORDS, E_TOUCHED, VEHICLES_PER_CHUNK } from "./plan_layout";
import { activeAt, activeWords, stride, template } from "./plan";
import { R_FLAGS, R_OPEN, R_RULE, R_SLOT, RT_BYTES, RT_TARGET } from "./portable_layout";

/** Vehicle chunks at most: 2^24 vehicles. */
const CHUNKS_MAX: u32 = 65536;

let chunks: usize = 0;
let vehicleCount: u32 = 0;

@inline
export function vehicleAt(slot: u32): usize {
  return load<u32>(chunks + ((slot >> 8) << 2)) + (slot & 255) * stride;
}

/** Gives every slot below `count` its state. */
export function addVehicles(count: u32): void {
  if (chunks == 0) chunks = alloc(CHUNKS_MAX * 4, 16);
  while (vehicleCount < count) {
    if ((vehicleCount & (VEHICLES_PER_CHUNK - 1)) == 0) {
      const chunk = allocState(stride * VEHICLES_PER_CHUNK, 64);
      store<u32>(chunks + ((vehicleCount >> 8) << 2), <u32>chunk);
    }
    memory.copy(vehicleAt(vehicleCount), template, stride);
    vehicleCount++;
  }
}

/** Address of a bit's word in a vehicle's state. */
@inline
export function wordAt(base: usize, area: u32, bit: u32): usize {
  return base + area + ((bit >> 5) << 2);
}

// ── records ─────────────────────────────────────────────────────────────────────────────────────
// What a rule knows of a vehicle while it is pending, open or in its cooldown. Pairs that are idle
// have none: their cost is a bit.

export {
  R_CLEARING,
  R_CLOSED,
  R_FIRED,
  R_FLAGS,
  R_OPEN,
  R_RULE,
  R_RUN,
  R_SLOT,
  R_STEPPING,
  R_UNKNOWN,
} from "./portable_layout";

export const R_SEVERITY: usize = 12;
export const R_COUNT: usize = 16;
export const R_LEVELS: usize = 20;
export const R_OPEN_INDEX: usize = 24;
export const R_OPEN_OFFSET: usize = 32;
export const R_ONSET: usize = 40;
export const R_AT: usize = 48;
// What is open has no run of `when`, and only what is open clears: these two share a place.
export const R_RUN_T0: usize = 56;
export const R_RUN_LAST: usize = 64;
export const R_CLEAR_T0: usize = 56;
export const R_CLEAR_LAST: usize = 64;
export const R_STEP_T0: usize = 72;
export const R_STEP_LAST: usize = 80;
// As do these: only what is open may be unknown for long, only what is not was closed.
export const R_UNKNOWN_T0: usize = 88;
export const R_CLOSED_AT: usize = 88;
export const R_BYTES: u32 = 96;

const RECORDS_PER_CHUNK: u32 = 1024;

/** Free records, linked by their first word. */
let free: usize = 0;
let freeCount: u32 = 0;
let used: u32 = 0;

/** Open addressing, linear probing, at most half full; entries are addresses of records. */
let table: usize = 0;
let mask: u32 = 0;

@inline
function home(slot: u32, rule: u32): u32 {
  let h = slot * 0x9e3779b1 ^ (rule + 1) * 0x85ebca6b;
  h ^= h >> 15;
  h *= 0x2c1b3c6d;
  return h ^ (h >> 13);
}

/** Makes sure that `more` records can be made without memory growing. */
export function reserveRecords(more: u32): void {
  while (freeCount < more) {
    const chunk = allocState(RECORDS_PER_CHUNK * R_BYTES, 64);
    for (let i: u32 = 0; i < RECORDS_PER_CHUNK; i++) {
      const record = chunk + i * R_BYTES;
      store<u32>(record, <u32>free);
      free = record;
    }
    freeCount += RECORDS_PER_CHUNK;
  }
  let size = mask + 1;
  if (table == 0) size = 1024;
  while ((used + more) * 2 > size) size <<= 1;
  if (table == 0 || size > mask + 1) rehash(size);
}

function rehash(size: u32): void {
  const old = table;
  const oldSize: u32 = old == 0 ? 0 : mask + 1;
  table = allocState(size * 4, 64);
  mask = size - 1;
  for (let i: u32 = 0; i < oldSize; i++) {
    const record = load<u32>(old + (i << 2));
    if (record != 0) insert(record);
  }
}

function insert(record: usize): void {
  let at = home(load<u32>(record, R_SLOT), load<u32>(record, R_RULE)) & mask;
  while (load<u32>(table + (at << 2)) != 0) at = (at + 1) & mask;
  store<u32>(table + (at << 2), <u32>record);
}

/** The record of a rule for a vehicle, 0 if it has none. */
export function findRecord(slot: u32, rule: u32): usize {
  if (table == 0) return 0;
  let at = home(slot, rule) & mask;
  let record: usize = load<u32>(table + (at << 2));
  while (
    record != 0 && (load<u32>(record, R_SLOT) != slot || load<u32>(record, R_RULE) != rule)
  ) {
    at = (at + 1) & mask;
    record = load<u32>(table + (at << 2));
  }
  return record;
}

/**
 * Touches the records of a rule for the vehicles of 64 rows, so that the waits for memory overlap.
 *
 * @param slots address of the rows' slots
 * @param rows bits of the rows
 */
export function touchRecords(rule: u32, slots: usize, rows: u64): void {
  if (table == 0) return;
  let sum: u32 = 0;
  for (let rest = rows; rest != 0; rest &= rest - 1) {
    const slot = load<u32>(slots + (<usize>ctz(rest) << 2));
    const record: usize = load<u32>(table + ((home(slot, rule) & mask) << 2));
    sum += load<u32>(record) + load<u32>(record, 64);
  }
  store<u32>(E_TOUCHED, sum);
}

/** Makes a record; `reserveRecords` has made room. */
export function makeRecord(base: usize, slot: u32, rule: u32): usize {
  const record = free;
  free = load<u32>(record);
  freeCount--;
  used++;
  memory.fill(record, 0, R_BYTES);
  store<u32>(record, slot, R_SLOT);
  store<u32>(record, rule, R_RULE);
  store<f64>(record, -Infinity, R_AT);
  insert(record);
  const word = wordAt(base, activeAt, rule);
  store<u32>(word, load<u32>(word) | (1 << (rule & 31)));
  store<u32>(E_RECORDS, used);
  return record;
}

/** Frees a record. */
export function freeRecord(base: usize, record: usize): void {
  const slot = load<u32>(record, R_SLOT);
  const rule = load<u32>(record, R_RULE);
  if (load<u32>(record, R_FLAGS) & R_OPEN) store<u32>(E_OPEN, load<u32>(E_OPEN) - 1);
  let at = home(slot, rule) & mask;
  while (load<u32>(table + (at << 2)) != <u32>record) at = (at + 1) & mask;
  // Close the gap: move back what would not be found across it.
  let gap = at;
  for (;;) {
    at = (at + 1) & mask;
    const other: usize = load<u32>(table + (at << 2));
    if (other == 0) break;
    const wanted = home(load<u32>(other, R_SLOT), load<u32>(other, R_RULE)) & mask;
    if (((at - wanted) & mask) >= ((at - gap) & mask)) {
      store<u32>(table + (gap << 2), <u32>other);
      gap = at;
    }
  }
  store<u32>(table + (gap << 2), 0);
  const word = wordAt(base, activeAt, rule);
  store<u32>(word, load<u32>(word) & ~(1 << (rule & 31)));
  store<u32>(record, <u32>free);
  free = record;
  freeCount++;
  used--;
  store<u32>(E_RECORDS, used);
}

/** Writes the addresses of all records (u32 each). @returns how many */
export function listRecords(list: usize): u32 {
  let count: u32 = 0;
  for (let i: u32 = 0; table != 0 && i <= mask; i++) {
    const record = load<u32>(table + (i << 2));
    if (record != 0) store<u32>(list + (count++ << 2), record);
  }
  return count;
}

/** Makes the table anew of the records listed, each now of the rule that its entry leads to. */
export function rekeyRecords(list: usize, count: u32, entries: usize): void {
  if (table == 0) return;
  memory.fill(table, 0, (mask + 1) * 4);
  for (let i: u32 = 0; i < count; i++) {
    const slot = load<u32>(load<u32>(list + (i << 2)), R_SLOT);
    memory.fill(vehicleAt(slot) + activeAt, 0, activeWords * 4);
  }
  for (let i: u32 = 0; i < count; i++) {
    const record: usize = load<u32>(list + (i << 2));
    const rule = load<u32>(entries + load<u32>(record, R_RULE) * RT_BYTES, RT_TARGET);
    store<u32>(record, rule, R_RULE);
    insert(record);
    const word = wordAt(vehicleAt(load<u32>(record, R_SLOT)), activeAt, rule);
    store<u32>(word, load<u32>(word) | (1 << (rule & 31)));
  }
}
