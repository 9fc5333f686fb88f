/**
 * Samples that wait for older ones of their vehicle, where lateness is above 0.
 *
 * ```
 * entry   0 u32 next    4 u32 previous of the vehicle, by T, then as heard; 0 for none
 *         8 u32 next   12 u32 previous in the queue, as heard; 0 for none
 *        16 u32 slot   20 u32 index   24 u32 timers of absent that had fired before it
 *        32 f64 T      40 f64 A       48 f64 offset
 *        56 f64 values, one per signal of the plan, NaN where it carries none
 * ```
 *
 * Entries come from a pool that grows by chunks up to the most that may wait. Samples leave from
 * the front of their vehicle's list only, whatever released them.
 */
import { allocState } from "./memory";
import { planSignalCount, scannedColumns, waitingAt } from "./plan";
import { E_WAITING, VW_COUNT, VW_FIRST, VW_LAST, WAITING_BYTES } from "./plan_layout";

const W_NEXT: usize = 0;
const W_PREV: usize = 4;
const W_LATER: usize = 8;
const W_EARLIER: usize = 12;
export const W_SLOT: usize = 16;
export const W_INDEX: usize = 20;
export const W_FIRED: usize = 24;
export const W_T: usize = 32;
export const W_A: usize = 40;
export const W_OFFSET: usize = 48;
export const W_VALUES: usize = WAITING_BYTES;

const ENTRIES_PER_CHUNK: u32 = 256;

/** Entry heard first of those that wait, 0 for none. As A never falls, it is due first. */
export let queued: usize = 0;
let queuedLast: usize = 0;
/** Free entries, linked by their first word. */
let free: usize = 0;

/** Samples that wait. */
@inline
export function waitingCount(): u32 {
  return load<u32>(E_WAITING);
}

/** A vehicle's first waiting sample by T, 0 for none. */
@inline
export function firstWaiting(base: usize): usize {
  return load<u32>(base + waitingAt, VW_FIRST);
}

/** A vehicle's last waiting sample by T, 0 for none. */
@inline
export function lastWaiting(base: usize): usize {
  return load<u32>(base + waitingAt, VW_LAST);
}

/** How many samples of a vehicle wait. */
@inline
export function waitingOf(base: usize): u32 {
  return load<u32>(base + waitingAt, VW_COUNT);
}

function addChunk(): void {
  const bytes = WAITING_BYTES + planSignalCount * 8;
  const chunk = allocState(ENTRIES_PER_CHUNK * bytes, 64);
  for (let i: u32 = 0; i < ENTRIES_PER_CHUNK; i++) {
    const entry = chunk + i * bytes;
    store<u32>(entry, <u32>free);
    free = entry;
  }
}

/** Makes room for a sample, to be described by W_* and handed to `join`. */
export function newWaiting(): usize {
  if (free == 0) addChunk();
  const entry = free;
  free = load<u32>(entry);
  return entry;
}

/** Copies what a scanned row carries. */
export function copyRow(entry: usize, row: u32): void {
  let to = entry + W_VALUES;
  for (let s: u32 = 0; s < planSignalCount; s++) {
    store<u64>(to, load<u64>(load<u32>(scannedColumns + (s << 2)) + (row << 3)));
    to += 8;
  }
}

/** Puts a described sample behind those of its vehicle with the same T or less, and last in queue. */
export function join(base: usize, entry: usize): void {
  const list = base + waitingAt;
  const t = load<f64>(entry, W_T);
  let before: usize = load<u32>(list, VW_LAST);
  while (before != 0 && load<f64>(before, W_T) > t) before = load<u32>(before, W_PREV);
  const after = before == 0 ? load<u32>(list, VW_FIRST) : load<u32>(before, W_NEXT);
  store<u32>(entry, after, W_NEXT);
  store<u32>(entry, <u32>before, W_PREV);
  if (before == 0) store<u32>(list, <u32>entry, VW_FIRST);
  else store<u32>(before, <u32>entry, W_NEXT);
  if (after == 0) store<u32>(list, <u32>entry, VW_LAST);
  else store<u32>(after, <u32>entry, W_PREV);
  store<u32>(list, load<u32>(list, VW_COUNT) + 1, VW_COUNT);

  store<u32>(entry, 0, W_LATER);
  store<u32>(entry, <u32>queuedLast, W_EARLIER);
  if (queuedLast == 0) queued = entry;
  else store<u32>(queuedLast, <u32>entry, W_LATER);
  queuedLast = entry;
  store<u32>(E_WAITING, load<u32>(E_WAITING) + 1);
}

/** The one heard after, 0 for none. */
export function laterWaiting(entry: usize): usize {
  return load<u32>(entry, W_LATER);
}

/** The waiting sample of a vehicle that came at a place of the log, 0 for none. */
export function findWaiting(base: usize, offset: f64, index: u32): usize {
  let entry = firstWaiting(base);
  while (
    entry != 0 && (load<f64>(entry, W_OFFSET) != offset || load<u32>(entry, W_INDEX) != index)
  ) entry = load<u32>(entry, W_NEXT);
  return entry;
}

/** Takes out a vehicle's first waiting sample; what it says stands until the next is made. */
export function leave(base: usize): usize {
  const list = base + waitingAt;
  const entry: usize = load<u32>(list, VW_FIRST);
  const next: usize = load<u32>(entry, W_NEXT);
  store<u32>(list, <u32>next, VW_FIRST);
  if (next == 0) store<u32>(list, 0, VW_LAST);
  else store<u32>(next, 0, W_PREV);
  store<u32>(list, load<u32>(list, VW_COUNT) - 1, VW_COUNT);

  const later: usize = load<u32>(entry, W_LATER);
  const earlier: usize = load<u32>(entry, W_EARLIER);
  if (earlier == 0) queued = later;
  else store<u32>(earlier, <u32>later, W_LATER);
  if (later == 0) queuedLast = earlier;
  else store<u32>(later, <u32>earlier, W_EARLIER);
  store<u32>(E_WAITING, load<u32>(E_WAITING) - 1);

  store<u32>(entry, <u32>free);
  free = entry;
  return entry;
}
