/**
 * Asks for the state that an instruction is about to read, of all rows of a micro-batch, before it
 * goes over them row by row: so the waits for memory overlap, where one row's results would
 * otherwise be waited for before the next row's state is asked for.
 *
 * Measured by `deno task bench --only scaling`; see docs/decisions/0015.
 */
import { E_ALL, E_STATE_BYTES, E_TOUCHED } from "./plan_layout";
import { baseAt } from "./ops_state";

/** State of fewer bytes is in a core's own cache. */
const CACHED_BYTES: f64 = 1048576;

/** How far a head of state may reach into another line than its first byte's. */
const HEAD_REST: usize = 20;
/** The same of a ring's block. */
const BLOCK_REST: usize = 32;

/** Whether there is more state than caches hold. */
@inline
export function isLarge(): bool {
  return load<f64>(E_STATE_BYTES) > CACHED_BYTES;
}

/**
 * Touches an operator's state of every row that counts.
 *
 * @param ring whether it begins with the head of a ring, whose block is wanted too
 */
export function touchState(state: usize, ring: bool, words: u32): void {
  // What is short may be the last in memory.
  const last = (<usize>memory.size() << 16) - 4;
  let sum: u32 = 0;
  for (let w: u32 = 0; w < words; w++) {
    const rows = load<u64>(E_ALL + (<usize>w << 3));
    for (let rest = rows; rest != 0; rest &= rest - 1) {
      const at = baseAt((w << 6) + <u32>ctz(rest)) + state;
      sum += load<u8>(at) + load<u32>(min<usize>(at + HEAD_REST, last));
    }
    if (!ring) continue;
    for (let rest = rows; rest != 0; rest &= rest - 1) {
      const block: usize = load<u32>(baseAt((w << 6) + <u32>ctz(rest)) + state);
      sum += load<u8>(block) + load<u32>(min<usize>(block + BLOCK_REST, last));
    }
  }
  store<u32>(E_TOUCHED, sum);
}
