/**
 * Blocks of state that come and go with what vehicles do: the rings of slots and panes.
 *
 * Sizes are classes. A chunk holds blocks of one class; one whose blocks are all free may become a
 * chunk of another class. So memory follows what is in use, as rings grow and vehicles come and go.
 *
 * ```
 * chunk, 8 KB, at a multiple of that
 *   0 u32 next, 4 u32 previous chunk of its class with a free block, 0 for none
 *   8 u32 its first block given back, each linked to the next by its first word
 *  12 u16 blocks in use   14 u16 offset of the blocks never taken yet   16 blocks
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
const CHUNKS_AT_ONCE: u32 = 2;
const C_PREV: usize = 4;
const C_FREE: usize = 8;
const C_USED: usize = 12;
const C_FRESH: usize = 14;
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

/** A chunk of a class, none of its blocks taken, the only one in its list. */
function makeChunk(head: usize): usize {
  if (spare == 0) {
    const made = allocState(CHUNKS_AT_ONCE * CHUNK_BYTES, CHUNK_BYTES);
    for (let i: u32 = 0; i < CHUNKS_AT_ONCE; i++) {
      const each = made + i * CHUNK_BYTES;
      store<u32>(each, <u32>spare);
      spare = each;
    }
  }
  const chunk = spare;
  spare = load<u32>(chunk);
  store<u32>(chunk, 0);
  store<u32>(chunk, 0, C_PREV);
  store<u32>(chunk, 0, C_FREE);
  store<u16>(chunk, 0, C_USED);
  store<u16>(chunk, <u16>C_BLOCKS, C_FRESH);
  store<u32>(head, <u32>chunk);
  return chunk;
}

/** Whether a chunk has no block left. */
@inline
function isFull(chunk: usize, size: u32): bool {
  return load<u32>(chunk, C_FREE) == 0 && <u32>load<u16>(chunk, C_FRESH) + size > CHUNK_BYTES;
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
  if (chunk == 0) chunk = makeChunk(head);
  let block: usize = load<u32>(chunk, C_FREE);
  if (block != 0) {
    store<u32>(chunk, load<u32>(block), C_FREE);
  } else {
    const fresh: u32 = load<u16>(chunk, C_FRESH);
    block = chunk + fresh;
    store<u16>(chunk, <u16>(fresh + size), C_FRESH);
  }
  store<u16>(chunk, load<u16>(chunk, C_USED) + 1, C_USED);
  if (isFull(chunk, size)) unlink(chunk, head);
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
  const full = isFull(chunk, size);
  const used: u32 = load<u16>(chunk, C_USED) - 1;
  store<u32>(block, load<u32>(chunk, C_FREE));
  store<u32>(chunk, <u32>block, C_FREE);
  store<u16>(chunk, <u16>used, C_USED);
  if (full) {
    const next: usize = load<u32>(head);
    store<u32>(chunk, <u32>next);
    store<u32>(chunk, 0, C_PREV);
    if (next != 0) store<u32>(next, <u32>chunk, C_PREV);
    store<u32>(head, <u32>chunk);
  }
  if (used == 0) {
    unlink(chunk, head);
    store<u32>(chunk, <u32>spare);
    spare = chunk;
  }
}
