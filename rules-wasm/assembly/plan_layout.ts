/**
 * How a plan lies in the kernel's memory: what the host writes and the kernel walks.
 *
 * Plain integer constants only: the kernel (AssemblyScript) and the host (TypeScript) read this
 * one file. Offsets are bytes.
 *
 * ```
 * plan ┌──────────────────────┐
 *      │ header   PLAN_*      │ counts, and offsets of the parts from the plan's start
 *      │ signals  PS_*        │ one per signal with a register
 *      │ brings               │ per mask: u32 count, then the signals' positions, u32 each
 *      │ code     48 bytes    │ instructions in order of evaluation
 *      │ rules    RULE_*      │ in order of the file
 *      │ levels   LEVEL_*     │ severity ladders
 *      │ lists                │ i32: captures, durations of `absent` by rule
 *      │ absent   f64         │ distinct durations of `absent`, ascending
 *      │ data     f64         │ what instructions refer to: offsets of time, zones
 *      │ template             │ state of a fresh vehicle, PLAN_STRIDE bytes
 *      └──────────────────────┘
 * ```
 *
 * Value registers are columns of f64 (NaN: unknown), COLUMN_BYTES apart. A condition register is
 * two masks of a bit per row: true, then false; neither is unknown.
 */

/** Bytes of a mask: a bit for each of 1,024 rows. */
export const MASK_BYTES = 128;
/** Bytes of a condition register: rows where it is true, rows where it is false. */
export const CONDITION_BYTES = 256;

export const PLAN_VALUES = 0;
export const PLAN_CONDITIONS = 4;
export const PLAN_BRINGS = 8;
export const PLAN_CODE = 12;
export const PLAN_RULES = 16;
export const PLAN_SIGNALS = 20;
export const PLAN_ABSENT = 24;
export const PLAN_STRIDE = 28;
export const PLAN_BRINGS_AT = 32;
export const PLAN_CODE_AT = 36;
export const PLAN_RULES_AT = 40;
export const PLAN_SIGNALS_AT = 44;
export const PLAN_ABSENT_AT = 48;
export const PLAN_TEMPLATE_AT = 52;
/** Offset of the bits "rule has a record" in a vehicle's state. */
export const PLAN_ACTIVE = 56;
export const PLAN_ACTIVE_WORDS = 60;
/** Offset of the bits "vehicle is among those the rule is limited to" in a vehicle's state. */
export const PLAN_FILTER = 64;
export const PLAN_FILTER_WORDS = 68;
export const PLAN_CAPTURES_MAX = 72;
export const PLAN_DATA_AT = 76;
/** f64 each. */
export const PLAN_CLOCK_AHEAD = 80;
export const PLAN_CLOCK_RESET = 88;
export const PLAN_UNKNOWN_AFTER = 96;
export const PLAN_FORGET_AFTER = 104;
export const PLAN_LATENESS = 112;
export const PLAN_WAITING_MAX = 120;
/** Offset of a vehicle's waiting samples (VW_*) in its state; used where lateness is above 0. */
export const PLAN_WAITING = 124;
/** Offset of the bits "signal came with the last sample" in a vehicle's state. */
export const PLAN_CAME = 128;
/** Partition that the engine is for. */
export const PLAN_PARTITION = 132;
/** f64. */
export const PLAN_MAX_GAP = 136;
export const PLAN_HEADER_BYTES = 144;

/**
 * A signal with a register: u32 number, u32 offset of its value in the state, f64 stale_after, i32
 * register of its last value before the row, -1 for none; the next register holds the T of that.
 */
export const PS_SIGNAL = 0;
export const PS_STATE = 4;
export const PS_STALE = 8;
export const PS_BEFORE = 16;
export const PS_BYTES = 24;

/** Masks of bringing that every plan has: samples evaluated; those and what silence evaluates. */
export const BRINGS_EVALUATED = 0;
export const BRINGS_ALL = 1;
/** First mask of a set of signals. */
export const BRINGS_SETS = 2;

/** An instruction: i32 op, dst, a, b, c, state, brings, flags; f64 k0, k1. */
export const I_OP = 0;
export const I_DST = 4;
export const I_A = 8;
export const I_B = 12;
export const I_C = 16;
export const I_STATE = 20;
export const I_BRINGS = 24;
export const I_FLAGS = 28;
export const I_K0 = 32;
export const I_K1 = 40;
export const I_BYTES = 48;

/** Values: dst is a value register. */
export const OP_ADD = 1;
export const OP_SUB = 2;
export const OP_MUL = 3;
export const OP_DIV = 4;
export const OP_NEGATE = 5;
/** a * k0 + k1 */
export const OP_CONVERT = 6;
export const OP_ABS = 7;
export const OP_SQRT = 8;
export const OP_MIN = 9;
export const OP_MAX = 10;
/** The value of a before the row; state: f64 of that, f64 of the last result. */
export const OP_PREV = 11;
/**
 * Reference of a: dst its value, the next register its T; k0 is d, k1 the slots' width, c places
 * of the ring at most, b the register of a signal's last value before the row, the flags SLOTS_*.
 */
export const OP_SLOTS = 12;
/** Low four bits: bytes of a T in the ring. */
export const SLOTS_TIME_BYTES = 15;
/** T in the head have 8 bytes, not 4. */
export const SLOTS_WIDE = 16;
/** a is a signal. */
export const SLOTS_SIGNAL = 32;
/** a less b, where c (T of b) is at least T - k0. */
export const OP_DELTA = 13;
/** The same, per second from c to T. */
export const OP_RATE = 14;
/** Seconds since a last came; state: f64 T of that. */
export const OP_AGE = 28;
/**
 * a (lat) and b (lon) where both are known and last came at one T, else unknown: dst, and the next
 * register. brings is what brings lat, c what brings lon; state: f64 T of each.
 */
export const OP_POSITION = 24;
/**
 * Metres to latitude a and longitude b from those in registers c and k1, where register c + 1 (T of
 * both) is at least T - k0.
 */
export const OP_MOVED = 25;
/** T by local clocks: plus the offset in force at T, of b pairs (from, offset) at a of the data. */
export const OP_LOCAL = 26;
/** (floor(T / k0) + a) mod k1 + b: a part of the date; T is register c - 1 if c is not 0. */
export const OP_CLOCK = 29;
/** 1 where condition a is true, 0 where it is false. */
export const OP_TRUTH = 27;
/** Argument c of the next OP_CUSTOM is a; dst is nothing. */
export const OP_CUSTOM_ARGUMENT = 30;
/**
 * Custom operator a of b arguments, k0 slots; c is 1 where its result is an event. State: f64 of
 * the last result, then the slots.
 */
export const OP_CUSTOM = 31;

/**
 * Of what came in the last k0 (d); b is WINDOW_*, c places of the ring at most, k1 max_gap.
 * WINDOW_TOTAL: dst the sum, the next register the average.
 */
export const OP_WINDOW = 15;
/** dst the mean of a weighted by time, its score if the flags are 1; k0 tau, k1 max_gap. */
export const OP_WEIGHTED = 16;

/** Conditions: dst is a condition register; c is the comparison. */
export const OP_COMPARE = 32;
/** a against k0. */
export const OP_COMPARE_CONSTANT = 33;
export const OP_FLAG = 34;
export const OP_AND = 35;
export const OP_OR = 36;
export const OP_NOT = 37;
/** c is 1 for true. */
export const OP_CONSTANT = 38;
/** c is the position of the duration. */
export const OP_ABSENT = 39;
/** The last known result of condition a before the row; state: u8. */
export const OP_PREV_CONDITION = 40;
/** On rows that bring it: true where a is, unknown where b is; false on others. */
export const OP_EDGE = 41;
/**
 * Whether a run of condition a spans k0 with no gap above k1; state: f64 T of its first and of its
 * last true, f64 of the last result.
 */
export const OP_HELD = 56;
/**
 * Whether condition a was true at an earlier T, at most k0 before; state: f64 T of the latest, f64
 * of the latest before that T.
 */
export const OP_RECENT = 57;

/** Whether latitude a and longitude b lie in the zone at c of the data. */
export const OP_INSIDE = 58;

/** Steps of a degree, of which zones are made. */
export const STEPS_PER_DEGREE = 10000000.0;
/** A zone among the data, f64 each: its box in steps, its number of polygons (0: a circle). */
export const ZONE_MIN_X = 0;
export const ZONE_MAX_X = 8;
export const ZONE_MIN_Y = 16;
export const ZONE_MAX_Y = 24;
export const ZONE_POLYGONS = 32;
/** Degrees and metres. */
export const ZONE_CIRCLE_LAT = 40;
export const ZONE_CIRCLE_LON = 48;
export const ZONE_CIRCLE_RADIUS = 56;
/** Where its polygons begin: a box each, laid out as that of a zone, bytes to the next, rings. */
export const ZONE_POLYGONS_AT = 40;
export const POLYGON_NEXT = 32;
export const POLYGON_RINGS = 40;
/** Where its rings begin: a number of corners each, then longitude and latitude of each corner. */
export const POLYGON_BYTES = 48;

/** What a window keeps of a pane: sum and count of a. */
export const WINDOW_TOTAL = 0;
/** Its least value. */
export const WINDOW_LEAST = 1;
/** Its greatest value. */
export const WINDOW_GREATEST = 2;
/** Mean, sum of squares of distances from it, count. */
export const WINDOW_SPREAD = 3;
/** How often condition a was true. */
export const WINDOW_COUNT = 4;

export const CMP_LT = 0;
export const CMP_LE = 1;
export const CMP_GT = 2;
export const CMP_GE = 3;
export const CMP_EQ = 4;
export const CMP_NE = 5;

/** A rule. Conditions and brings are numbers; RULE_CLEAR is -1 for "not when". */
export const RULE_WHEN = 0;
export const RULE_CLEAR = 4;
export const RULE_BRINGS_WHEN = 8;
export const RULE_BRINGS_CLEAR = 12;
export const RULE_ONCE = 16;
export const RULE_SEVERITY = 20;
export const RULE_LEVELS = 24;
export const RULE_LEVELS_AT = 28;
/** Bit among those a vehicle's id decides, -1 for all vehicles. */
export const RULE_FILTER = 32;
export const RULE_CAPTURES = 36;
export const RULE_CAPTURES_AT = 40;
/** Positions of the durations of `absent` in when, clear or severity. */
export const RULE_ABSENT = 44;
export const RULE_ABSENT_AT = 48;
/** Its id: u32 length, then the bytes. */
export const RULE_ID_AT = 52;
export const RULE_FOR = 56;
export const RULE_CLEAR_FOR = 64;
export const RULE_COOLDOWN = 72;
export const RULE_MAX_GAP = 80;
export const RULE_BYTES = 88;

/** A rung of a ladder: i32 severity, condition, brings. */
export const LEVEL_SEVERITY = 0;
export const LEVEL_CONDITION = 4;
export const LEVEL_BRINGS = 8;
export const LEVEL_BYTES = 12;

/** State of a vehicle, before that of the operators. */
export const V_LAST_T = 0;
export const V_LAST_A = 8;
export const V_LAST_OFFSET = 16;
export const V_LAST_INDEX = 24;
/** Neighbours in the order of V_LAST_A: slot + 1, 0 for none. */
export const V_NEXT = 28;
export const V_PREV = 32;
/** Block of its series of late samples, 0 for none. */
export const V_LATE = 36;
/** Block of its signals' times, 0 for none. */
export const V_TIMES = 40;
/** u16: row of the micro-batch that linked it last, 0xffff for none. */
export const V_ROW = 44;
/** u8: 1 while it is in the order of silence. */
export const V_LISTED = 46;
/** u8: timers of `absent` that have fired since it was heard. */
export const V_FIRED = 47;
export const V_BYTES = 48;

/** A vehicle's waiting samples: addresses of the first and the last by T, and how many. */
export const VW_FIRST = 0;
export const VW_LAST = 4;
export const VW_COUNT = 8;
export const VW_BYTES = 16;
/** Most samples of one vehicle that wait. */
export const WAITING_PER_VEHICLE = 256;
/** A waiting sample in the kernel's memory, before its values (f64 per signal of the plan). */
export const WAITING_BYTES = 56;

/** A transition: fixed part, then its captures (f64). */
export const TR_ROW = 0;
export const TR_RULE = 4;
export const TR_KIND = 8;
export const TR_REASON = 12;
export const TR_SEVERITY = 16;
export const TR_SLOT = 20;
export const TR_COUNT = 24;
export const TR_SOURCE_INDEX = 28;
export const TR_ONSET = 32;
export const TR_AT = 40;
export const TR_APPEND = 48;
export const TR_SOURCE_OFFSET = 56;
/** u64: the anomaly's id. */
export const TR_ID = 64;
export const TR_CAPTURES = 72;

/** Codes: positions in the contract's TRANSITION_KINDS and CLEAR_REASONS. */
export const OPENED = 0;
export const ESCALATED = 1;
export const DEESCALATED = 2;
export const REOPENED = 3;
export const CLEARED = 4;
export const REASON_CONDITION = 0;
export const REASON_UNKNOWN = 1;
export const REASON_CLOCK_RESET = 2;
export const REASON_FORGOTTEN = 3;
export const REASON_RULE_CHANGED = 4;

/** What an engine does with a batch. */
export const MODE_LIVE = 0;
export const MODE_WARM = 1;

/** Most distinct durations of `absent` in a rule set. */
export const ABSENT_MAX = 250;
/** Vehicles whose state is allocated together. */
export const VEHICLES_PER_CHUNK = 256;

/** Blocks of rings: sizes are multiples of a step, of a coarser one from BLOCK_FINE_MAX on. */
export const BLOCK_STEP = 16;
export const BLOCK_FINE_MAX = 256;
export const BLOCK_STEP_COARSE = 64;
/** From here on they are powers of two. */
export const BLOCK_COARSE_MAX = 1024;
export const BLOCK_BYTES_MAX = 1048576;

/** Fixed addresses in the engine's part of memory (layout.ts: ENGINE, 96 KB). */
export const E_CONTROL = 0x28000;
/** f64: due A of the earliest timer, Infinity if none. */
export const E_NEXT_TIMER = 0x28000;
/** f64 counters. */
export const E_LATE = 0x28008;
export const E_DUPLICATES = 0x28010;
export const E_CLOCK_RESETS = 0x28018;
export const E_FORGOTTEN = 0x28020;
export const E_TRANSITIONS = 0x28028;
export const E_TRANSITIONS_AT = 0x2802c;
export const E_TRANSITION_BYTES = 0x28030;
export const E_OPEN = 0x28034;
export const E_STATE_BYTES = 0x28038;
/** u32: slot + 1 of the vehicle that the last call forgot, 0 for none; the host frees it. */
export const E_FORGOTTEN_SLOT = 0x28040;
export const E_RECORDS = 0x28044;
export const E_TOUCHED = 0x28048;
/** f64: bytes of the blocks in use. */
export const E_BLOCK_BYTES = 0x28050;
/** u32: samples waiting for older ones. */
export const E_WAITING = 0x2804c;
/** f64: samples evaluated before their time because too many waited. */
export const E_CROWDED = 0x28058;

/** f64: A before which timers fired under former rules; what they cause later is not before it. */
export const E_TIMERS_TO = 0x280e0;

/** Masks of kinds of rows. */
export const E_EVALUATED = 0x28100;
export const E_ALL = 0x28180;
export const E_VISIT = 0x28200;
export const E_PRESENT = 0x28280;
/** u8 per row: ROW_*. */
export const E_KIND = 0x28400;
/** u8 per row: a timer's duration, or how many had fired. */
export const E_TIMER = 0x28800;
/** u16 per row: next row of the same vehicle, 0xffff for none. */
export const E_FOLLOWS = 0x28c00;
/** u32 per row: address of the vehicle's state. */
export const E_BASE = 0x29400;
/** f64 per row: T of what it causes. */
export const E_AT = 0x2a400;
/** f64 per row: offset of the record that caused it. */
export const E_OFFSET = 0x2c400;
/** u32 per row: index of the object within its record. */
export const E_INDEX = 0x2e400;
/** f64 per row: T as at which it is evaluated. */
export const E_T = 0x2f400;
/** u32 per row: vehicle slot. */
export const E_SLOT = 0x31400;
/** f64 per row: A of what it causes. */
export const E_A = 0x32400;
/** f64[1024]: slots' cursors by duration (u32 each), behind them. */
export const E_CURSORS = 0x34400;

/** Kinds of rows. */
export const ROW_IGNORED = 0;
export const ROW_SAMPLE = 1;
export const ROW_TIMER = 2;
/** A sample heard but not evaluated, that ends a silence: evaluated again as at the last T. */
export const ROW_AGAIN = 3;
/** What a vehicle has open clears, whatever its conditions are. */
export const ROW_CLEAR = 4;
