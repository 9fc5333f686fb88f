/** The plan's instructions over the rows of a micro-batch, one after the other. */
import { bringsAt, code, codeCount, conditionAt, maxGap, valueAt } from "./plan";
import {
  E_T,
  I_A,
  I_B,
  I_BRINGS,
  I_BYTES,
  I_C,
  I_DST,
  I_FLAGS,
  I_K0,
  I_K1,
  I_OP,
  I_STATE,
  OP_ABSENT,
  OP_AGE,
  OP_AND,
  OP_CLOCK,
  OP_COMPARE,
  OP_COMPARE_CONSTANT,
  OP_CONSTANT,
  OP_EDGE,
  OP_FLAG,
  OP_HELD,
  OP_INSIDE,
  OP_NOT,
  OP_OR,
  OP_PREV,
  OP_PREV_CONDITION,
  OP_RECENT,
  OP_SLOTS,
  OP_WEIGHTED,
  OP_WINDOW,
  WINDOW_GREATEST,
  WINDOW_LEAST,
} from "./plan_layout";
import {
  opAbsent,
  opCompare,
  opCompareConstant,
  opConstant,
  opEdge,
  opFlag,
  opLogic,
  opNot,
} from "./ops_condition";
import { evaluateCustom, isCustom } from "./ops_custom";
import { evaluateGeo, isGeo, opInside } from "./ops_geo";
import { opSlots, shapeSlots } from "./ops_slots";
import { opPrev, opPrevCondition } from "./ops_state";
import { opAge, opClock, opHeld, opRecent } from "./ops_time";
import { opWeighted } from "./ops_weight";
import { opExtreme, startExtreme } from "./ops_extreme";
import { opWindow, startWindow } from "./ops_window";
import { isLarge, touchState } from "./touch";
import { isBinary, isSince, opBinary, opSince, opUnary } from "./ops_value";

/** Runs the instructions over the first `words` × 64 rows. */
export function evaluate(words: u32): void {
  const bytes = <usize>words << 9;
  const large = isLarge();
  let at = code;
  for (let i: u32 = 0; i < codeCount; i++) {
    const op = load<i32>(at, I_OP);
    const dst = load<i32>(at, I_DST);
    const a = load<i32>(at, I_A);
    const b = load<i32>(at, I_B);
    const c = load<i32>(at, I_C);
    const state = load<u32>(at, I_STATE);
    // No state lies at 0: that is where a vehicle's head is.
    if (large && state != 0) touchState(state, op == OP_WINDOW || op == OP_SLOTS, words);
    if (op < OP_COMPARE) {
      const out = valueAt(dst);
      if (isBinary(op)) opBinary(op, out, valueAt(a), valueAt(b), bytes);
      else if (isSince(op)) {
        const reach = load<f64>(at, I_K0);
        opSince(op, out, valueAt(a), valueAt(b), valueAt(c), E_T, reach, bytes);
      } else if (op == OP_AGE) {
        opAge(out, valueAt(a), load<u32>(at, I_STATE), bringsAt(load<i32>(at, I_BRINGS)), words);
      } else if (op == OP_CLOCK) {
        const t = c == 0 ? E_T : valueAt(c - 1);
        opClock(out, t, load<f64>(at, I_K0), a, load<f64>(at, I_K1), b, bytes);
      } else if (isGeo(op)) evaluateGeo(at, op, words);
      else if (isCustom(op)) evaluateCustom(at, op, words);
      else if (op >= OP_PREV) evaluateState(at, op, words);
      else opUnary(op, out, valueAt(a), load<f64>(at, I_K0), load<f64>(at, I_K1), bytes);
    } else evaluateCondition(at, op, dst, a, b, c, words);
    at += I_BYTES;
  }
}

function evaluateState(at: usize, op: i32, words: u32): void {
  const dst = load<i32>(at, I_DST);
  const a = valueAt(load<i32>(at, I_A));
  const state: usize = load<u32>(at, I_STATE);
  const brings = bringsAt(load<i32>(at, I_BRINGS));
  const d = load<f64>(at, I_K0);
  if (op == OP_PREV) {
    opPrev(valueAt(dst), a, state, brings, words);
  } else if (op == OP_WEIGHTED) {
    const scored = load<i32>(at, I_FLAGS) != 0;
    opWeighted(valueAt(dst), a, state, brings, d, load<f64>(at, I_K1), scored, words);
  } else if (op == OP_WINDOW) {
    const kind = load<i32>(at, I_B);
    if (kind == WINDOW_LEAST || kind == WINDOW_GREATEST) {
      startExtreme(kind, d, load<u32>(at, I_C));
      return opExtreme(valueAt(dst), a, state, brings, words);
    }
    startWindow(kind, d, load<u32>(at, I_C), load<f64>(at, I_K1));
    const truth = conditionAt(load<i32>(at, I_A));
    opWindow(valueAt(dst), valueAt(dst + 1), a, truth, state, brings, words);
  } else {
    shapeSlots(load<u32>(at, I_FLAGS), load<u32>(at, I_C));
    const before = load<i32>(at, I_B);
    opSlots(
      valueAt(dst),
      valueAt(dst + 1),
      a,
      valueAt(before),
      valueAt(before + 1),
      state,
      brings,
      d,
      load<f64>(at, I_K1),
      d + maxGap,
      words,
    );
  }
}

function evaluateCondition(
  at: usize,
  op: i32,
  dst: i32,
  a: i32,
  b: i32,
  c: i32,
  words: u32,
): void {
  const out = conditionAt(dst);
  switch (op) {
    case OP_COMPARE:
      return opCompare(c, out, valueAt(a), valueAt(b), words);
    case OP_COMPARE_CONSTANT:
      return opCompareConstant(c, out, valueAt(a), at + I_K0, words);
    case OP_FLAG:
      return opFlag(out, valueAt(a), words);
    case OP_AND:
    case OP_OR:
      return opLogic(op, out, conditionAt(a), conditionAt(b), words);
    case OP_NOT:
      return opNot(out, conditionAt(a));
    case OP_CONSTANT:
      return opConstant(out, c != 0);
    case OP_ABSENT:
      return opAbsent(out, c, words);
    case OP_PREV_CONDITION: {
      const brings = bringsAt(load<i32>(at, I_BRINGS));
      return opPrevCondition(out, conditionAt(a), load<u32>(at, I_STATE), brings, words);
    }
    case OP_HELD:
    case OP_RECENT: {
      const state = load<u32>(at, I_STATE);
      const brings = bringsAt(load<i32>(at, I_BRINGS));
      const d = load<f64>(at, I_K0);
      if (op == OP_RECENT) return opRecent(out, conditionAt(a), state, brings, d, words);
      return opHeld(out, conditionAt(a), state, brings, d, load<f64>(at, I_K1), words);
    }
    case OP_INSIDE:
      return opInside(out, valueAt(a), valueAt(b), c, words);
    case OP_EDGE:
      return opEdge(out, conditionAt(a), conditionAt(b), bringsAt(load<i32>(at, I_BRINGS)));
    default:
      unreachable();
  }
}
