/**
 * What the host and the kernel tell each other about state that moves between plans or processes.
 *
 * Plain integer constants only: both read this one file. Offsets are bytes.
 *
 * A state is named by a number, its target: 2 (1 + position) for a signal of the plan, 2 index + 1
 * for an instruction of its code, 0 for none.
 */

// What becomes of the records of a rule: one entry for each rule of the former plan.

/** i32: the rule's position in the new plan, -1 for none. */
export const RT_TARGET = 0;
/** u32: flags of a record (R_*) that stay. */
export const RT_FLAGS = 4;
/** u32: 1 if `at` of its last transition stays. */
export const RT_AT = 8;
/** i32: bit among those that a vehicle's id decides in the new plan, -1 for all vehicles. */
export const RT_FILTER = 12;
/** u8[8]: by rung of the former ladder: bits of the rungs of the new one with its condition. */
export const RT_LEVELS = 16;
export const RT_BYTES = 24;
/** Rungs of a ladder, at most. */
export const RT_LEVELS_MAX = 8;

/** Words of a vehicle's clock: T, A, offset and index last heard; then the late run, if any. */
export const CLOCK_WORDS = 4;
export const CLOCK_WORDS_LATE = 7;

/** Words of a record, in this order. */
export const SR_RULE = 0;
export const SR_FLAGS = 1;
export const SR_LEVELS = 2;
export const SR_SEVERITY = 3;
export const SR_COUNT = 4;
export const SR_OPEN_INDEX = 5;
export const SR_OPEN_OFFSET = 6;
export const SR_ONSET = 7;
export const SR_AT = 8;
export const SR_RUN_T0 = 9;
export const SR_RUN_LAST = 10;
export const SR_CLEAR_T0 = 11;
export const SR_CLEAR_LAST = 12;
export const SR_STEP_T0 = 13;
export const SR_STEP_LAST = 14;
export const SR_UNKNOWN_T0 = 15;
export const SR_CLOSED_AT = 16;
export const SR_WORDS = 17;

/** u32 each in a record: its vehicle's slot, its rule's position, its flags. */
export const R_SLOT = 0;
export const R_RULE = 4;
export const R_FLAGS = 8;

/** Flags of a record. They are written as they are: a new meaning takes a new bit. */
export const R_OPEN = 1;
export const R_RUN = 2;
export const R_CLEARING = 4;
export const R_CLOSED = 8;
export const R_FIRED = 16;
export const R_STEPPING = 32;
export const R_UNKNOWN = 64;
/** All of them. */
export const R_ALL = 127;
