/**
 * Where everything lies in the kernel's memory.
 *
 * Plain integer constants only: the kernel (AssemblyScript) and the host (TypeScript) read this
 * one file. Addresses are bytes from 0, little endian. ABI_VERSION changes with any of it.
 *
 * ```
 * 0x00000 ┌─────────────────────────────┐ nothing: address 0 is "none"
 * 0x00400 │ control block               │ counters and cursors, CONTROL_*
 * 0x01000 │ rowRecord   u32[1024]       │ record of the batch
 * 0x02000 │ rowIndex    u32[1024]       │ object within the record, refused ones counted too
 * 0x03000 │ rowStart    u32[1024]       │ first byte of the object, from the input's start
 * 0x04000 │ rowEnd      u32[1024]       │ end (exclusive) of the object, from the input's start
 * 0x05000 │ rowSlot     u32[1024]       │ vehicle slot
 * 0x06000 │ rowT        f64[1024]       │ device time T, whole ms
 * 0x08000 │ rowA        f64[1024]       │ append time A, running maximum, ms
 * 0x0a000 │ scratch     u8[16384]       │ host → kernel text (keys, names); escapes decoded
 * 0x0e000 │ number shapes, powers, masks│ constant tables, filled by start()
 * 0x10000 │ refusals    6 × u32 [4096]  │ record, index, start, end, position, reason
 * 0x28000 │ free for the engine         │ 96 KB at fixed addresses
 * 0x40000 ├─────────────────────────────┤ --memoryBase: the compiler's static data
 *  heap   │ regions from alloc()        │ grown between micro-batches only, never freed
 *         │   signals, key nodes        │
 *         │   columns   f64[1024] each  │ COLUMN_BYTES apart
 *         │   vehicle slots             │ hash table and chunks of 1,024 ids
 *         │   input buffer, record ends, append times, nesting bits
 *         └─────────────────────────────┘
 * ```
 *
 * A column's value is NaN (all bits set) where the row does not carry the signal. Columns lie 64
 * bytes further apart than their size, so that one row's values do not fall into one cache set.
 */
export const ABI_VERSION = 2;

/** Rows of a micro-batch, at most. */
export const ROWS_MAX = 1024;
/** Refusals kept until the host drains them. */
export const REFUSALS_MAX = 4096;
/** Vehicle slots that come into being together. */
export const SLOTS_PER_CHUNK = 1024;
/** Longest vehicle id in bytes, as in the contract. */
export const VEHICLE_ID_MAX = 128;
/** Latest possible T, as in the contract. */
export const TIME_MAX = 253402300799999;

export const CONTROL = 0x400;
/** f64: objects accepted. */
export const CONTROL_SAMPLES = 0x400;
/** f64: objects refused. */
export const CONTROL_REFUSED = 0x408;
/** f64: keys that the catalog does not know, of accepted objects. */
export const CONTROL_UNKNOWN_KEYS = 0x410;
/** f64: values out of range, of accepted objects. */
export const CONTROL_OUT_OF_RANGE = 0x418;
/** f64: values of a wrong type, of accepted objects. */
export const CONTROL_WRONG_TYPE = 0x420;
/** f64: records of zero bytes. */
export const CONTROL_TICKS = 0x428;
/** f64: the partition clock C, the running maximum of A over all records begun, ticks included. */
export const CONTROL_LAST_A = 0x430;
/** f64: A of the next record (running maximum applied), Infinity when the input is used up. */
export const CONTROL_NEXT_A = 0x438;
/** u32: refusals in the table; the host sets it to 0 after draining. */
export const CONTROL_REFUSAL_COUNT = 0x440;
/** u32: rows of the last scan. */
export const CONTROL_ROW_COUNT = 0x444;
/** u32: vehicle slots ever made; slots are 0 to this less one. */
export const CONTROL_VEHICLES = 0x448;
/** u32: 1 when the input is used up. */
export const CONTROL_EXHAUSTED = 0x44c;
/** u32: records wholly consumed. */
export const CONTROL_RECORDS_DONE = 0x450;
/** u32: address of column 0. */
export const CONTROL_COLUMNS = 0x454;
/** u32: columns. */
export const CONTROL_COLUMN_COUNT = 0x458;
/** u32: address of the signal table. */
export const CONTROL_SIGNALS = 0x45c;

/** u32: 1 while a record has been begun and not wholly consumed. */
export const CONTROL_INSIDE = 0x460;

export const ROW_RECORD = 0x1000;
export const ROW_INDEX = 0x2000;
export const ROW_START = 0x3000;
export const ROW_END = 0x4000;
export const ROW_SLOT = 0x5000;
export const ROW_T = 0x6000;
export const ROW_A = 0x8000;

/** Host → kernel text, and the kernel's own decoded strings. */
export const SCRATCH = 0xa000;
export const SCRATCH_BYTES = 0x4000;

/** u8[17][17][16]: where the digits of a number of so many bytes lie, by its length and its dot. */
export const NUMBER_SHAPES = 0xe000;
/** f64[23]: powers of ten that a double holds exactly. */
export const POWERS_OF_TEN = 0xf280;
/** u8[17][17]: decimals of a number by its length and its dot, 255 where it is no plain number. */
export const NUMBER_DECIMALS = 0xf400;
/** u8[32]: 16 times 0xff, 16 times 0; a load at +16-n keeps the first n bytes. */
export const TAIL_MASKS = 0xf380;

/** v128[8]: constants of number.ts; a load is cheaper than making them anew. */
export const NUMBER_VECTORS = 0xf600;

/** u64[2][121]: 128 bits of 5^q, high word first, from FIVES_MIN to FIVES_MAX; the host writes it. */
export const FIVES = 0xf700;
export const FIVES_MIN = -60;
export const FIVES_MAX = 60;

export const REFUSALS = 0x10000;
/** Bytes of a refusal: u32 record, index, start, end, position (within the record), reason code. */
export const REFUSAL_BYTES = 24;

/** First address free for the engine at fixed places. */
export const ENGINE = 0x28000;
/** First address of the compiler's static data; build_kernel.ts passes it on. */
export const MEMORY_BASE = 0x40000;

/** Distance of columns in bytes. */
export const COLUMN_BYTES = 8256;

/** Bytes of an entry of the signal table. */
export const SIGNAL_BYTES = 32;
/** u32 in a signal's entry: its type, TYPE_*. */
export const SIGNAL_TYPE = 0;
/** i32 in a signal's entry: its column, -1 for none. */
export const SIGNAL_COLUMN = 4;
/** f64 in a signal's entry: least value. */
export const SIGNAL_MIN = 8;
/** f64 in a signal's entry: greatest value. */
export const SIGNAL_MAX = 16;
/** u32 in a signal's entry: address of its names, each u32 length and the bytes, 4-aligned. */
export const SIGNAL_NAMES = 24;
/** u32 in a signal's entry: number of names. */
export const SIGNAL_NAME_COUNT = 28;

export const TYPE_NUMBER = 1;
export const TYPE_BOOLEAN = 2;
export const TYPE_NAME = 3;

/** Codes of refusal: positions in the contract's REFUSAL_REASONS. */
export const ACCEPTED = 0;
export const MALFORMED_JSON = 1;
export const INVALID_UTF8 = 2;
export const NOT_AN_OBJECT = 3;
export const NO_VEHICLE = 4;
export const BAD_VEHICLE_ID = 5;
export const NO_TIME = 6;
export const IMPOSSIBLE_TIME = 7;
export const CLOCK_AHEAD = 8;
export const TOO_MANY_VEHICLES = 9;
