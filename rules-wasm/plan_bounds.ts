/** How many vehicles a kernel's memory has room for, whatever they send. */

/** Bytes of memory that a kernel may have: all that 32 bits address. */
export const KERNEL_BYTES_MAX = 2 ** 32;
/** Share of the memory that state may take; the rest is for batches, transitions and moving state. */
const STATE_SHARE = 3 / 4;
/** Share from which on state is moved to a fresh kernel, to close the gaps that it left behind. */
export const MOVE_SHARE = 7 / 8;

/** Chunks of 8 KB hold blocks of up to 1 KB: an eighth may be left over. */
const POOL_FACTOR = 8 / 7;
/** Bytes of a record of a rule that is pending, open or cooling down. */
const RECORD_BYTES = 96;
/** Bytes of an id, its length, and its place among the free slots. */
const ID_BYTES = 136;
/** Bytes of an entry of the table of ids; it has twins while it grows. */
const ID_ENTRY_BYTES = 3 * 64;
const ROWS = 1024;

/** What of a plan takes memory. */
export interface PlanBytes {
  /** Of a vehicle: the fixed part, and rings at most. */
  readonly strideBytes: number;
  readonly ringBytesMax: number;
  readonly rules: number;
  /** Of a transition. */
  readonly transitionBytes: number;
  /** Registers of a micro-batch. */
  readonly registerBytes: number;
  /** Samples that wait, at most. */
  readonly waitingBytes: number;
}

/**
 * Vehicles whose state fits, each as large as it may become: the same for every log, so that who is
 * refused does not hang on how memory was used before.
 *
 * @returns 0 if there is no room for one
 */
export function vehicleRoom(memoryBytes: number, plan: PlanBytes): number {
  // Regions that grow leave smaller ones behind, of as much again.
  const buffers = 2 * plan.registerBytes + 4 * ROWS * plan.rules * plan.transitionBytes;
  const room = memoryBytes * STATE_SHARE - plan.waitingBytes - buffers;
  let least = 0;
  let most = 2 ** 24;
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (stateBytes(middle, plan) <= room) least = middle;
    else most = middle - 1;
  }
  return least;
}

/** Bytes that so many vehicles take at most. */
function stateBytes(vehicles: number, { strideBytes, ringBytesMax, rules }: PlanBytes): number {
  const records = vehicles * rules + ROWS;
  return 256 * Math.ceil(vehicles / 256) * strideBytes +
    vehicles * (ringBytesMax * POOL_FACTOR + ID_BYTES) +
    ID_ENTRY_BYTES * powerOfTwo(4 * (vehicles + ROWS)) +
    records * RECORD_BYTES + 2 * 4 * powerOfTwo(2 * records);
}

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(atLeast));
}
