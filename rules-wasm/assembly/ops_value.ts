/** Operators that make values of values: two rows at a time, no state. */
import {
  OP_ABS,
  OP_ADD,
  OP_CONVERT,
  OP_DELTA,
  OP_DIV,
  OP_MAX,
  OP_MIN,
  OP_MUL,
  OP_NEGATE,
  OP_RATE,
  OP_SQRT,
  OP_SUB,
} from "./plan_layout";

/** A result that is not finite is unknown; -0 stays. */
@inline
function finite(v: v128): v128 {
  return f64x2.sub(v, f64x2.sub(v, v));
}

@inline
function binary(op: i32, x: v128, y: v128): v128 {
  if (op == OP_ADD) return finite(f64x2.add(x, y));
  if (op == OP_SUB) return finite(f64x2.sub(x, y));
  if (op == OP_MUL) return finite(f64x2.mul(x, y));
  if (op == OP_DIV) return finite(f64x2.div(x, y));
  if (op == OP_MIN) return f64x2.min(x, y);
  return f64x2.max(x, y);
}

@inline
function binaryLoop(op: i32, dst: usize, a: usize, b: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(dst + i, binary(op, v128.load(a + i), v128.load(b + i)));
  }
}

/** Arithmetic of two registers over `bytes` of rows. */
export function opBinary(op: i32, dst: usize, a: usize, b: usize, bytes: usize): void {
  switch (op) {
    case OP_ADD:
      return binaryLoop(OP_ADD, dst, a, b, bytes);
    case OP_SUB:
      return binaryLoop(OP_SUB, dst, a, b, bytes);
    case OP_MUL:
      return binaryLoop(OP_MUL, dst, a, b, bytes);
    case OP_DIV:
      return binaryLoop(OP_DIV, dst, a, b, bytes);
    case OP_MIN:
      return binaryLoop(OP_MIN, dst, a, b, bytes);
    default:
      return binaryLoop(OP_MAX, dst, a, b, bytes);
  }
}

/** Functions of one register. */
export function opUnary(
  op: i32,
  dst: usize,
  a: usize,
  k0: f64,
  k1: f64,
  bytes: usize,
): void {
  if (op == OP_CONVERT) {
    const factor = f64x2.splat(k0);
    const offset = f64x2.splat(k1);
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(dst + i, finite(f64x2.add(f64x2.mul(v128.load(a + i), factor), offset)));
    }
  } else if (op == OP_NEGATE) {
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(dst + i, f64x2.neg(v128.load(a + i)));
    }
  } else if (op == OP_ABS) {
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(dst + i, f64x2.abs(v128.load(a + i)));
    }
  } else if (op == OP_SQRT) {
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(dst + i, f64x2.sqrt(v128.load(a + i)));
    }
  }
}

/**
 * x less the reference, where the reference's T is at least T - reach; `OP_RATE` divides it by the
 * seconds from the reference to T.
 */
export function opSince(
  op: i32,
  dst: usize,
  x: usize,
  reference: usize,
  referenceT: usize,
  t: usize,
  reach: f64,
  bytes: usize,
): void {
  const back = f64x2.splat(reach);
  const thousand = f64x2.splat(1000);
  const unknown = f64x2.splat(NaN);
  for (let i: usize = 0; i < bytes; i += 16) {
    const now = v128.load(t + i);
    const then = v128.load(referenceT + i);
    let result = f64x2.sub(v128.load(x + i), v128.load(reference + i));
    if (op == OP_RATE) result = f64x2.div(result, f64x2.div(f64x2.sub(now, then), thousand));
    const near = f64x2.ge(then, f64x2.sub(now, back));
    v128.store(dst + i, v128.bitselect(finite(result), unknown, near));
  }
}

/** Whether an opcode is arithmetic of two registers. */
@inline
export function isBinary(op: i32): bool {
  return op <= OP_DIV || op == OP_MIN || op == OP_MAX;
}

/** Whether an opcode is `opSince`'s. */
@inline
export function isSince(op: i32): bool {
  return op == OP_DELTA || op == OP_RATE;
}
