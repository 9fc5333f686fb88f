/** Instructions of the functions over windows, and the rings of slots and panes that are kept. */
import * as K from "./assembly/plan_layout.ts";
import type { Value, ValueCall, WindowFunction } from "./language/ast.ts";
import { structure } from "./language/structure.ts";
import type { Instruction, PlanCode } from "./plan_code.ts";

/** A call of a function over a window. */
type WindowCall = Extract<
  ValueCall,
  { readonly fn: WindowFunction | "count" }
>;

/** What each function keeps of a pane, and the bytes of a vehicle's state beside the panes. */
const WINDOWS: Readonly<
  Record<WindowCall["fn"], { readonly kind: number; readonly headBytes: number }>
> = {
  avg: { kind: K.WINDOW_TOTAL, headBytes: 48 },
  sum: { kind: K.WINDOW_TOTAL, headBytes: 48 },
  lowest: { kind: K.WINDOW_LEAST, headBytes: 24 },
  highest: { kind: K.WINDOW_GREATEST, headBytes: 24 },
  stddev: { kind: K.WINDOW_SPREAD, headBytes: 56 },
  count: { kind: K.WINDOW_COUNT, headBytes: 24 },
};

/** Bytes of a pane by what is kept of it. */
const PANE_BYTES: Readonly<Record<number, number>> = {
  [K.WINDOW_TOTAL]: 12,
  [K.WINDOW_LEAST]: 8,
  [K.WINDOW_GREATEST]: 8,
  [K.WINDOW_SPREAD]: 20,
  [K.WINDOW_COUNT]: 4,
};

/** Width in milliseconds of the slots that `delta` and `rate` over a duration keep. */
export function slotWidthMs(durationMs: number): number {
  return Math.max(10, durationMs / 16);
}

/** Panes of max(1 s, d/32) that the last d may touch. */
function panePlaces(durationMs: number): number {
  return Math.ceil(durationMs / Math.max(1000, durationMs / 32)) + 1;
}

/** Bytes of the ring that an instruction keeps per vehicle, 0 for none. */
export function ringBytes({ op, b, c }: Instruction): number {
  if (op === K.OP_SLOTS) return 16 * c;
  return op === K.OP_WINDOW ? Math.ceil(PANE_BYTES[b] * c / 8) * 8 : 0;
}

/** The register of a function over a window. */
export function windowCode(code: PlanCode, expr: WindowCall): number {
  const { kind, headBytes } = WINDOWS[expr.fn];
  const [x] = expr.args;
  const key = `window ${kind} ${expr.durationMs} ${structure(x)}`;
  const registers = kind === K.WINDOW_TOTAL ? 2 : 1;
  return code.stateful(key, headBytes, registers, true, (dst, state) => ({
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

/** The register of the mean weighted by time; the next one is the score. */
export function weightedCode(code: PlanCode, x: Value, tauMs: number): number {
  return code.stateful(`weighted ${tauMs} ${structure(x)}`, 40, 2, false, (dst, state) => ({
    op: K.OP_WEIGHTED,
    dst,
    a: code.value(x),
    state,
    brings: code.bringing(x),
    k0: tauMs,
    k1: code.maxGapMs,
  }));
}
