/**
 * Blocks of state that come and go with what vehicles do: the rings of slots and panes.
 *
 * Sizes are classes. A chunk holds blocks of one class; one whose blocks are all free may become a
 * chunk of another class. So memory follows what is in use, as rings grow and vehicles come and go.
 *
 * ```
 * chunk, 8 KB, at a multiple of that
 *   0 u32 next, 4 u32 previous chunk of its class with a free block, 0 for none
 *   8 u32 its first free block, each linked to the next by its first word
 *  12 u32 blocks in use      16 blocks
 * ```
 *
 * Blocks that no chunk holds have free lists of their own.
 */
import { allocState } from "./memory";
import {
  BLOCK_BYTES_MAX,
  BLOCK_COARSE_MAX,
  BLOCK_FINE_MAX,
  BLOCK_STEP,
  BLOCK_STEP_COARSE,
  E_BLOCK_BYTES,
} from "./plan_layout";

const CHUNK_BYTES: u32 = 8192;
/** Chunks asked for together. */
const CHUNKS_AT_ONCE: u32 = 8;
const C_PREV: usize = 4;
const C_FREE: usize = 8;
const C_USED: usize = 12;
const C_BLOCKS: u32 = 16;
/** Largest block that a chunk holds. */
const CHUNKED_MAX: u32 = 1024;

const FINE_MAX: u32 = BLOCK_FINE_MAX;
const STEP: u32 = BLOCK_STEP;
const COARSE_MAX: u32 = BLOCK_COARSE_MAX;
const COARSE: u32 = BLOCK_STEP_COARSE;
/** Classes of the finer step, of both, of all. */
const FINE: u32 = FINE_MAX / STEP;
const STEPPED: u32 = FINE + (COARSE_MAX - FINE_MAX) / COARSE;
const CLASSES: u32 = STEPPED + 1 + 20;

/** u32 per class: its first chunk with a free block, or its first free block; 0 for none. */
const heads = memory.data(CLASSES * 4, 4);
/** Chunks of no class, linked by their first word. */
let spare: usize = 0;

@inline
function classOf(bytes: u32): u32 {
  if (bytes <= FINE_MAX) return (bytes + STEP - 1) / STEP;
  if (bytes <= COARSE_MAX) return FINE + (bytes - FINE_MAX + COARSE - 1) / COARSE;
  if (bytes > <u32>BLOCK_BYTES_MAX) unreachable();
  return STEPPED + clz(COARSE_MAX) - clz(bytes - 1) + 1;
}

@inline
function classBytes(c: u32): u32 {
  if (c <= FINE) return c * STEP;
  return c <= STEPPED ? FINE_MAX + (c - FINE) * COARSE : COARSE_MAX << (c - STEPPED);
}

@inline
function count(bytes: f64): void {
  store<f64>(E_BLOCK_BYTES, load<f64>(E_BLOCK_BYTES) + bytes);
}

/** A chunk of free blocks of a class, the only one in its list. */
function makeChunk(head: usize, size: u32): usize {
  if (spare == 0) {
    const made = allocState(CHUNKS_AT_ONCE * CHUNK_BYTES, CHUNK_BYTES);
    for (let i = CHUNKS_AT_ONCE; i > 0; i--) {
      const each = made + (i - 1) * CHUNK_BYTES;
      store<u32>(each, <u32>spare);
      spare = each;
    }
  }
  const chunk = spare;
  spare = load<u32>(chunk);
  let block: usize = 0;
  for (let i = (CHUNK_BYTES - C_BLOCKS) / size; i > 0; i--) {
    const each = chunk + C_BLOCKS + (i - 1) * size;
    store<u32>(each, <u32>block);
    block = each;
  }
  store<u32>(chunk, 0);
  store<u32>(chunk, 0, C_PREV);
  store<u32>(chunk, <u32>block, C_FREE);
  store<u32>(chunk, 0, C_USED);
  store<u32>(head, <u32>chunk);
  return chunk;
}

/** Takes a chunk out of the list of its class. */
function unlink(chunk: usize, head: usize): void {
  const next: usize = load<u32>(chunk);
  const prev: usize = load<u32>(chunk, C_PREV);
  if (prev == 0) store<u32>(head, <u32>next);
  else store<u32>(prev, <u32>next);
  if (next != 0) store<u32>(next, <u32>prev, C_PREV);
}

/** Takes a block of at least `bytes`, at most BLOCK_BYTES_MAX; what is in it is left over. */
export function takeBlock(bytes: u32): usize {
  const c = classOf(bytes);
  const size = classBytes(c);
  const head = heads + (c << 2);
  count(<f64>size);
  if (size > CHUNKED_MAX) {
    const block: usize = load<u32>(head);
    if (block == 0) return allocState(size, 16);
    store<u32>(head, load<u32>(block));
    return block;
  }
  let chunk: usize = load<u32>(head);
  if (chunk == 0) chunk = makeChunk(head, size);
  const block: usize = load<u32>(chunk, C_FREE);
  const next = load<u32>(block);
  store<u32>(chunk, next, C_FREE);
  store<u32>(chunk, load<u32>(chunk, C_USED) + 1, C_USED);
  if (next == 0) unlink(chunk, head);
  return block;
}

/** Gives back a block that was taken with the same `bytes`. */
export function giveBlock(block: usize, bytes: u32): void {
  const c = classOf(bytes);
  const size = classBytes(c);
  const head = heads + (c << 2);
  count(-<f64>size);
  if (size > CHUNKED_MAX) {
    store<u32>(block, load<u32>(head));
    store<u32>(head, <u32>block);
    return;
  }
  const chunk = block & ~(<usize>CHUNK_BYTES - 1);
  const free = load<u32>(chunk, C_FREE);
  const used = load<u32>(chunk, C_USED) - 1;
  store<u32>(block, free);
  store<u32>(chunk, <u32>block, C_FREE);
  store<u32>(chunk, used, C_USED);
  if (free == 0) {
    const next: usize = load<u32>(head);
    store<u32>(chunk, <u32>next);
    store<u32>(chunk, 0, C_PREV);
    if (next != 0) store<u32>(next, <u32>chunk, C_PREV);
    store<u32>(head, <u32>chunk);
  }
  // The last of its class stays, so that one block that comes and goes makes no chunk each time.
  if (used == 0 && (load<u32>(chunk) | load<u32>(chunk, C_PREV)) != 0) {
    unlink(chunk, head);
    store<u32>(chunk, <u32>spare);
    spare = chunk;
  }
}
