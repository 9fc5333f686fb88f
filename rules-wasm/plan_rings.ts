/** Instructions of the functions over windows, and the rings of slots and panes that are kept. */
import * as K from "./assembly/plan_layout.ts";
import type { Value, ValueCall, WindowFunction } from "./language/ast.ts";
import { type Instruction, numbersAt, type PlanCode } from "./plan_code.ts";

/** A call of a function over a window. */
type WindowCall = Extract<
  ValueCall,
  { readonly fn: WindowFunction | "count" }
>;

/** What each function keeps of a pane, and the bytes of a vehicle's state beside the ring of panes. */
const WINDOWS: Readonly<
  Record<WindowCall["fn"], { readonly kind: number; readonly headBytes: number }>
> = {
  avg: { kind: K.WINDOW_TOTAL, headBytes: 56 },
  sum: { kind: K.WINDOW_TOTAL, headBytes: 56 },
  lowest: { kind: K.WINDOW_LEAST, headBytes: 33 },
  highest: { kind: K.WINDOW_GREATEST, headBytes: 33 },
  stddev: { kind: K.WINDOW_SPREAD, headBytes: 72 },
  count: { kind: K.WINDOW_COUNT, headBytes: 24 },
};

/** Bytes of a pane at most, by what is kept of it. */
const PANE_BYTES: Readonly<Record<number, number>> = {
  [K.WINDOW_TOTAL]: 12,
  [K.WINDOW_LEAST]: 9,
  [K.WINDOW_GREATEST]: 9,
  [K.WINDOW_SPREAD]: 20,
  [K.WINDOW_COUNT]: 4,
};

/** Names of what is kept in keys of state. */
const FORMS: Readonly<Record<number, string>> = {
  [K.WINDOW_TOTAL]: "total",
  [K.WINDOW_LEAST]: "least",
  [K.WINDOW_GREATEST]: "greatest",
  [K.WINDOW_SPREAD]: "spread",
  [K.WINDOW_COUNT]: "count",
};

/** Width in milliseconds of the slots that `delta` and `rate` over a duration keep. */
export function slotWidthMs(durationMs: number): number {
  return Math.max(10, durationMs / 16);
}

/** Panes of max(1 s, d/32) that the last d may touch. */
function panePlaces(durationMs: number): number {
  return Math.ceil(durationMs / Math.max(1000, durationMs / 32)) + 1;
}

/** Bytes that tell the times of a ring's slots apart, all of them less than d before the newest. */
function timeBytes(durationMs: number): number {
  return [2, 3, 4].find((bytes) => durationMs < 2 ** (8 * bytes)) ?? 6;
}

/** Bytes of the block that an instruction's ring takes at most, 0 for none. */
export function ringBytesMax({ op, b, c, flags }: Instruction): number {
  if (op === K.OP_SLOTS) return blockBytes(c * ((flags & K.SLOTS_TIME_BYTES) + 8)) + blockBytes(16);
  return op === K.OP_WINDOW ? blockBytes(PANE_BYTES[b] * (c - 1)) : 0;
}

/** Bytes of the blocks of signals' times and of a series of late samples. */
export function timesBytes(signals: number): number {
  return blockBytes(8 * signals) + blockBytes(24);
}

/** Bytes of the block given for so many. */
function blockBytes(bytes: number): number {
  const { BLOCK_FINE_MAX: fine, BLOCK_STEP: step, BLOCK_STEP_COARSE: coarse } = K;
  if (bytes <= fine) return Math.ceil(bytes / step) * step;
  if (bytes <= K.BLOCK_COARSE_MAX) return fine + Math.ceil((bytes - fine) / coarse) * coarse;
  return 2 ** Math.ceil(Math.log2(bytes));
}

/** The registers of the reference of `delta` and `rate`: its value, then its T. */
export function slotsCode(code: PlanCode, x: Value, durationMs: number): number {
  const width = slotWidthMs(durationMs);
  const places = Math.ceil(durationMs / width) + 1;
  const key = `slots ${durationMs} ${code.structure(x)}`;
  const wide = durationMs + code.maxGapMs >= 2 ** 32;
  const signal = x.kind === "signal";
  return code.stateful(key, wide ? 36 : 28, 2, [12], (dst, state) => ({
    op: K.OP_SLOTS,
    dst,
    a: code.value(x),
    b: signal ? code.before(x.signal) : 0,
    c: places,
    state,
    brings: code.bringing(x),
    flags: timeBytes(durationMs) | (wide ? K.SLOTS_WIDE : 0) | (signal ? K.SLOTS_SIGNAL : 0),
    k0: durationMs,
    k1: width,
  }));
}

/** The register of a function over a window. */
export function windowCode(code: PlanCode, expr: WindowCall): number {
  const { kind, headBytes } = WINDOWS[expr.fn];
  const [x] = expr.args;
  const key = `${FORMS[kind]} ${expr.durationMs} ${code.structure(x)}`;
  const registers = kind === K.WINDOW_TOTAL ? 2 : 1;
  return code.stateful(key, headBytes, registers, numbersAt(8, headBytes), (dst, state) => ({
    op: K.OP_WINDOW,
    dst,
    a: expr.fn === "count" ? code.condition(expr.args[0]) : code.value(expr.args[0]),
    b: kind,
    c: panePlaces(expr.durationMs),
    state,
    brings: code.bringing(x),
    k0: expr.durationMs,
    k1: code.maxGapMs,
  }));
}

/** The register of the mean weighted by time, or of the score against it. */
export function weightedCode(
  code: PlanCode,
  fn: "ewma" | "zscore",
  x: Value,
  tauMs: number,
): number {
  const bytes = fn === "ewma" ? 24 : 40;
  const key = `${fn} ${tauMs} ${code.structure(x)}`;
  return code.stateful(key, bytes, 1, numbersAt(0, bytes), (dst, state) => ({
    op: K.OP_WEIGHTED,
    dst,
    a: code.value(x),
    state,
    brings: code.bringing(x),
    flags: fn === "ewma" ? 0 : 1,
    k0: tauMs,
    k1: code.maxGapMs,
  }));
}
