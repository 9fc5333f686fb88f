/** Operators that make conditions: a bit per row, 64 rows a word. */
import {
  CMP_EQ,
  CMP_GE,
  CMP_GT,
  CMP_LE,
  CMP_LT,
  CMP_NE,
  E_ALL,
  E_EVALUATED,
  E_KIND,
  E_TIMER,
  MASK_BYTES,
  OP_AND,
  ROW_CLEAR,
  ROW_TIMER,
} from "./plan_layout";

@inline
function compare(op: i32, x: v128, y: v128): v128 {
  if (op == CMP_LT) return f64x2.lt(x, y);
  if (op == CMP_LE) return f64x2.le(x, y);
  if (op == CMP_GT) return f64x2.gt(x, y);
  if (op == CMP_GE) return f64x2.ge(x, y);
  if (op == CMP_EQ) return f64x2.eq(x, y);
  // Differs, and both are known.
  return v128.or(f64x2.lt(x, y), f64x2.gt(x, y));
}

/** Four comparisons of two rows as eight bits. */
@inline
function bits8(a: v128, b: v128, c: v128, d: v128): u64 {
  const low = v128.shuffle<i32>(a, b, 0, 2, 4, 6);
  const high = v128.shuffle<i32>(c, d, 0, 2, 4, 6);
  return <u64>i16x8.bitmask(i16x8.narrow_i32x4_s(low, high));
}

@inline
function loop(op: i32, not: i32, dst: usize, a: usize, b: usize, constant: bool, words: u32): void {
  const splat = constant ? v128.load64_splat(b) : f64x2.splat(0);
  for (let w: u32 = 0; w < words; w++) {
    let yes: u64 = 0;
    let no: u64 = 0;
    const from = <usize>w << 9;
    for (let i: u32 = 0; i < 8; i++) {
      const at = from + (<usize>i << 6);
      const x0 = v128.load(a + at);
      const x1 = v128.load(a + at, 16);
      const x2 = v128.load(a + at, 32);
      const x3 = v128.load(a + at, 48);
      const y0 = constant ? splat : v128.load(b + at);
      const y1 = constant ? splat : v128.load(b + at, 16);
      const y2 = constant ? splat : v128.load(b + at, 32);
      const y3 = constant ? splat : v128.load(b + at, 48);
      const shift: u64 = i << 3;
      yes |= bits8(
        compare(op, x0, y0),
        compare(op, x1, y1),
        compare(op, x2, y2),
        compare(op, x3, y3),
      ) << shift;
      no |= bits8(
        compare(not, x0, y0),
        compare(not, x1, y1),
        compare(not, x2, y2),
        compare(not, x3, y3),
      ) << shift;
    }
    store<u64>(dst + (w << 3), yes);
    store<u64>(dst + (w << 3), no, MASK_BYTES);
  }
}

/** Compares two registers, or a register with the constant at `b`. */
@inline
function opCompareAny(op: i32, dst: usize, a: usize, b: usize, constant: bool, words: u32): void {
  switch (op) {
    case CMP_LT:
      return loop(CMP_LT, CMP_GE, dst, a, b, constant, words);
    case CMP_LE:
      return loop(CMP_LE, CMP_GT, dst, a, b, constant, words);
    case CMP_GT:
      return loop(CMP_GT, CMP_LE, dst, a, b, constant, words);
    case CMP_GE:
      return loop(CMP_GE, CMP_LT, dst, a, b, constant, words);
    case CMP_EQ:
      return loop(CMP_EQ, CMP_NE, dst, a, b, constant, words);
    default:
      return loop(CMP_NE, CMP_EQ, dst, a, b, constant, words);
  }
}

export function opCompare(op: i32, dst: usize, a: usize, b: usize, words: u32): void {
  opCompareAny(op, dst, a, b, false, words);
}

export function opCompareConstant(op: i32, dst: usize, a: usize, constant: usize, words: u32): void {
  opCompareAny(op, dst, a, constant, true, words);
}

/** Kleene's and, or. */
export function opLogic(op: i32, dst: usize, a: usize, b: usize, words: u32): void {
  const bytes = <usize>words << 3;
  for (let i: usize = 0; i < bytes; i += 8) {
    const at = load<u64>(a + i);
    const af = load<u64>(a + i, MASK_BYTES);
    const bt = load<u64>(b + i);
    const bf = load<u64>(b + i, MASK_BYTES);
    store<u64>(dst + i, op == OP_AND ? at & bt : at | bt);
    store<u64>(dst + i, op == OP_AND ? af | bf : af & bf, MASK_BYTES);
  }
}

/** Kleene's not. */
export function opNot(dst: usize, a: usize): void {
  memory.copy(dst, a + MASK_BYTES, MASK_BYTES);
  memory.copy(dst + MASK_BYTES, a, MASK_BYTES);
}

/** True or false on every row. */
export function opConstant(dst: usize, yes: bool): void {
  memory.fill(dst, yes ? 0xff : 0, MASK_BYTES);
  memory.fill(dst + MASK_BYTES, yes ? 0 : 0xff, MASK_BYTES);
}

/**
 * An edge: on rows of a mask, true where a is true, unknown where b is unknown; false on others.
 */
export function opEdge(dst: usize, a: usize, b: usize, brings: usize): void {
  for (let i: usize = 0; i < <usize>MASK_BYTES; i += 8) {
    const on = load<u64>(brings + i);
    const known = load<u64>(b + i) | load<u64>(b + i, MASK_BYTES);
    const yes = load<u64>(a + i) & known & on;
    store<u64>(dst + i, yes);
    store<u64>(dst + i, ~yes & ~(on & ~known), MASK_BYTES);
  }
}

/** True on rows that stand for a silence of duration `d` or longer. */
export function opAbsent(dst: usize, d: u32, words: u32): void {
  opConstant(dst, false);
  for (let w: u32 = 0; w < words; w++) {
    const word = <usize>w << 3;
    let rest = load<u64>(word + E_ALL) & ~load<u64>(word + E_EVALUATED);
    for (; rest != 0; rest &= rest - 1) {
      const bit = <u32>ctz(rest);
      const row = (w << 6) + bit;
      const kind: u32 = load<u8>(E_KIND + row);
      const fired: u32 = load<u8>(E_TIMER + row);
      // Rows of a timer name its duration; rows of clearing how many had fired.
      const silent = kind == ROW_TIMER ? fired >= d : kind == ROW_CLEAR && fired > d;
      if (!silent) continue;
      const flag: u64 = (<u64>1) << bit;
      store<u64>(dst + (w << 3), load<u64>(dst + (w << 3)) | flag);
      store<u64>(dst + (w << 3), load<u64>(dst + (w << 3), MASK_BYTES) & ~flag, MASK_BYTES);
    }
  }
}

/** A boolean signal: 1 is true, 0 false. */
export function opFlag(dst: usize, a: usize, words: u32): void {
  for (let w: u32 = 0; w < words; w++) {
    let yes: u64 = 0;
    let no: u64 = 0;
    for (let i: u64 = 0; i < 64; i++) {
      const x = load<f64>(a + (<usize>w << 9) + (<usize>i << 3));
      yes |= <u64>(x == 1) << i;
      no |= <u64>(x == 0) << i;
    }
    store<u64>(dst + (w << 3), yes);
    store<u64>(dst + (w << 3), no, MASK_BYTES);
  }
}
