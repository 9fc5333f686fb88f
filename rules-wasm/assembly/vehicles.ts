/**
 * Vehicle ids and their slots.
 *
 * ```
 * hash table entry, 64 bytes, one cache line
 *   0 u8[48] id, zero-padded   48 u32 length, 0 empty, ~0 left by a freed slot   52 u32 slot   56 u32 hash
 * chunk of ids: u8[128] for each of 1,024 slots, then their lengths u32[1024]
 * ```
 *
 * New slots are consecutive, after those that were freed are used up. Tables grow between
 * micro-batches only: `ensureVehicles` makes room for a micro-batch of nothing but new vehicles.
 */
import {
  CONTROL_VEHICLES,
  ROW_SLOT,
  ROWS_MAX,
  SCRATCH,
  SLOTS_PER_CHUNK,
  VEHICLE_ID_MAX,
} from "./layout";
import { alloc } from "./memory";
import { equalBytes, hashBytes, loadTail } from "./text";

const ENTRY_TEXT: u32 = 48;
const ENTRY_LENGTH: usize = 48;
const ENTRY_SLOT: usize = 52;
const ENTRY_HASH: usize = 56;
const FREED: u32 = 0xffffffff;
const CHUNK_BYTES: u32 = SLOTS_PER_CHUNK * (VEHICLE_ID_MAX + 4);
/** What `slotOf` returns when there is no room. */
export const NO_SLOT: u32 = 0xffffffff;

let table: usize = 0;
let tableSize: u32 = 0;
/** The table before the last rebuilding. */
let spare: usize = 0;
let spareSize: u32 = 0;
/** Entries not empty: slots in use and those left by freed ones. */
let taken: u32 = 0;
let inUse: u32 = 0;
let vehiclesMax: u32 = 0;
/** u32 addresses of the chunks. */
let chunks: usize = 0;
let chunkCount: u32 = 0;
/** Stack of freed slots, as long as there may be slots. */
let freeSlots: usize = 0;
let freeCount: u32 = 0;

/** Sets the bound on vehicles in use; called once. */
export function setupVehicles(max: u32): void {
  vehiclesMax = max;
  chunks = alloc((max / SLOTS_PER_CHUNK + 2) * 4, 4);
  freeSlots = alloc(max * 4, 4);
  ensureVehicles();
}

/** Makes room for `ROWS_MAX` new vehicles. */
export function ensureVehicles(): void {
  const count = load<u32>(CONTROL_VEHICLES);
  let need = count + ROWS_MAX;
  if (need > vehiclesMax) need = vehiclesMax;
  while (chunkCount * SLOTS_PER_CHUNK < need) {
    store<u32>(chunks + (chunkCount << 2), <u32>alloc(CHUNK_BYTES, 16));
    chunkCount++;
  }
  if ((taken + ROWS_MAX) * 2 > tableSize) rebuild();
}

/** Makes a table at most a quarter full and puts every slot in use into it. */
function rebuild(): void {
  const old = table;
  const oldSize = tableSize;
  let size: u32 = 4 * ROWS_MAX;
  while (size < (inUse + ROWS_MAX) * 4) size <<= 1;
  // Where freed entries only have to go, two tables of one size take turns.
  if (spareSize == size) {
    table = spare;
    memory.fill(table, 0, size << 6);
  } else table = alloc(size << 6, 64);
  spare = old;
  spareSize = oldSize;
  tableSize = size;
  taken = inUse;
  for (let i: u32 = 0; i < oldSize; i++) {
    const from = old + (<usize>i << 6);
    const length = load<u32>(from, ENTRY_LENGTH);
    if (length == 0 || length == FREED) continue;
    let j = load<u32>(from, ENTRY_HASH) & (size - 1);
    while (load<u32>(table + (<usize>j << 6), ENTRY_LENGTH) != 0) j = (j + 1) & (size - 1);
    memory.copy(table + (<usize>j << 6), from, 64);
  }
}

/** Address of a slot's id. */
export function vehicleId(slot: u32): usize {
  return load<u32>(chunks + ((slot / SLOTS_PER_CHUNK) << 2)) +
    (slot % SLOTS_PER_CHUNK) * VEHICLE_ID_MAX;
}

/** Address of the length of a slot's id; 0 there while the slot is free. */
function lengthOf(slot: u32): usize {
  return load<u32>(chunks + ((slot / SLOTS_PER_CHUNK) << 2)) + SLOTS_PER_CHUNK * VEHICLE_ID_MAX +
    ((slot % SLOTS_PER_CHUNK) << 2);
}

/** Length of a slot's id in bytes; 0 while the slot is free. */
export function vehicleIdLength(slot: u32): u32 {
  return load<u32>(lengthOf(slot));
}

/** Whether the entry holds the id. */
@inline
function holds(entry: usize, p: usize, length: u32, hash: u32): bool {
  if (load<u32>(entry, ENTRY_HASH) != hash || load<u32>(entry, ENTRY_LENGTH) != length) {
    return false;
  }
  if (length <= ENTRY_TEXT) return equalBytes(p, entry, length);
  return equalBytes(p, vehicleId(load<u32>(entry, ENTRY_SLOT)), length);
}

/** The entry of an id, or 0. */
function find(p: usize, length: u32, hash: u32): usize {
  let i = hash & (tableSize - 1);
  while (true) {
    const entry = table + (<usize>i << 6);
    if (holds(entry, p, length, hash)) return entry;
    if (load<u32>(entry, ENTRY_LENGTH) == 0) return 0;
    i = (i + 1) & (tableSize - 1);
  }
}

/** The slot of an id of 1 to 128 bytes, made if need be; `NO_SLOT` beyond the bound. */
export function slotOf(p: usize, length: u32): u32 {
  return slotOfHash(p, length, hashBytes(p, length, 1));
}

// Entries lie all over memory. Asked for one by one, each is waited for at the end of its object;
// asked for 16 at a time, they are waited for together.

/** Ids asked for together. */
const TOGETHER: u32 = 16;
/** By row: address of its id, length, hash. */
const askedAt = memory.data(ROWS_MAX * 4, 16);
const askedLength = memory.data(ROWS_MAX * 4, 16);
const askedHash = memory.data(ROWS_MAX * 4, 16);
/** What nobody reads: it keeps the loads. */
const touched = memory.data(4, 4);

/** Whether a micro-batch of nothing but new vehicles stays within the bound. */
export function canAskLater(): bool {
  return inUse + ROWS_MAX <= vehiclesMax;
}

/** Notes the id of a row, whose slot `findSlots` finds; its bytes have to stay. */
@inline
export function askSlot(row: u32, p: usize, length: u32): void {
  store<u32>(askedAt + (<usize>row << 2), <u32>p);
  store<u32>(askedLength + (<usize>row << 2), length);
  store<u32>(askedHash + (<usize>row << 2), hashBytes(p, length, 1));
}

/** Finds or makes the slots of the rows of [from, to), each of which was asked for. */
export function findSlots(from: u32, to: u32): void {
  for (let first = from; first < to; first += TOGETHER) {
    const end = min<u32>(first + TOGETHER, to);
    let sum: u32 = 0;
    for (let row = first; row < end; row++) {
      const place = load<u32>(askedHash + (<usize>row << 2)) & (tableSize - 1);
      sum += load<u32>(table + (<usize>place << 6), ENTRY_LENGTH);
    }
    store<u32>(touched, sum);
    for (let row = first; row < end; row++) {
      const at = <usize>row << 2;
      const slot = slotOfHash(
        load<u32>(askedAt + at),
        load<u32>(askedLength + at),
        load<u32>(askedHash + at),
      );
      store<u32>(ROW_SLOT + at, slot);
    }
  }
}

function slotOfHash(p: usize, length: u32, hash: u32): u32 {
  const entry = find(p, length, hash);
  return entry != 0 ? load<u32>(entry, ENTRY_SLOT) : insert(p, length, hash);
}

function insert(p: usize, length: u32, hash: u32): u32 {
  if (inUse >= vehiclesMax) return NO_SLOT;
  let slot: u32;
  if (freeCount > 0) {
    slot = load<u32>(freeSlots + (--freeCount << 2));
  } else {
    slot = load<u32>(CONTROL_VEHICLES);
    store<u32>(CONTROL_VEHICLES, slot + 1);
  }
  inUse++;
  taken++;
  memory.copy(vehicleId(slot), p, length);
  store<u32>(lengthOf(slot), length);
  let i = hash & (tableSize - 1);
  while (load<u32>(table + (<usize>i << 6), ENTRY_LENGTH) != 0) i = (i + 1) & (tableSize - 1);
  const entry = table + (<usize>i << 6);
  for (let at: u32 = 0; at < ENTRY_TEXT; at += 16) {
    const left = length > at ? length - at : 0;
    v128.store(entry + at, left == 0 ? i64x2.splat(0) : loadTail(p + at, left < 16 ? left : 16));
  }
  store<u32>(entry, length, ENTRY_LENGTH);
  store<u32>(entry, slot, ENTRY_SLOT);
  store<u32>(entry, hash, ENTRY_HASH);
  return slot;
}

/** The slot of an id, `NO_SLOT` if it is not known. */
export function findVehicle(p: usize, length: u32): u32 {
  const entry = find(p, length, hashBytes(p, length, 1));
  return entry == 0 ? NO_SLOT : load<u32>(entry, ENTRY_SLOT);
}

/** Sets another bound on vehicles in use, at most that of `setupVehicles`; those in use stay. */
export function limitVehicles(max: u32): void {
  vehiclesMax = max;
}

/** The slot of the id of `length` bytes in the scratch region; for restoring state. */
export function internVehicle(length: u32): u32 {
  ensureVehicles();
  return slotOf(SCRATCH, length);
}

/** Frees a slot; its id is forgotten and the slot is given to a later vehicle. */
export function freeVehicle(slot: u32): void {
  const length = vehicleIdLength(slot);
  if (length == 0) return;
  const p = vehicleId(slot);
  const entry = find(p, length, hashBytes(p, length, 1));
  store<u32>(entry, FREED, ENTRY_LENGTH);
  store<u32>(lengthOf(slot), 0);
  store<u32>(freeSlots + (freeCount++ << 2), slot);
  inUse--;
}
