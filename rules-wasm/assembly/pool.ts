/**
 * Blocks of state that come and go with what vehicles do: the rings of slots and panes.
 *
 * Sizes are classes, each with its own free blocks, linked by their first word. A block given back
 * is the next one taken of its class: memory is bounded by the most that was in use at once.
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

/** Bytes asked for together, at least. */
const CHUNK_BYTES: u32 = 8192;
const FINE_MAX: u32 = BLOCK_FINE_MAX;
const STEP: u32 = BLOCK_STEP;
const COARSE_MAX: u32 = BLOCK_COARSE_MAX;
const COARSE: u32 = BLOCK_STEP_COARSE;
/** Classes of the finer step, of both, of all. */
const FINE: u32 = FINE_MAX / STEP;
const STEPPED: u32 = FINE + (COARSE_MAX - FINE_MAX) / COARSE;
const CLASSES: u32 = STEPPED + 1 + 20;

/** u32 per class: its first free block, 0 for none. */
const frees = memory.data(CLASSES * 4, 4);

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

/** Takes a block of at least `bytes`, at most BLOCK_BYTES_MAX; what is in it is left over. */
export function takeBlock(bytes: u32): usize {
  const c = classOf(bytes);
  const size = classBytes(c);
  const head = frees + (c << 2);
  let block: usize = load<u32>(head);
  if (block == 0) {
    const blocks = max<u32>(CHUNK_BYTES / size, 1);
    const chunk = allocState(blocks * size, 16);
    for (let i = blocks; i > 0; i--) {
      const each = chunk + (i - 1) * size;
      store<u32>(each, <u32>block);
      block = each;
    }
  }
  store<u32>(head, load<u32>(block));
  count(<f64>size);
  return block;
}

/** Gives back a block that was taken with the same `bytes`. */
export function giveBlock(block: usize, bytes: u32): void {
  const c = classOf(bytes);
  const head = frees + (c << 2);
  store<u32>(block, load<u32>(head));
  store<u32>(head, <u32>block);
  count(-<f64>classBytes(c));
}
