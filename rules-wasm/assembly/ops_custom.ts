/** Custom operators: what they are given, their state, and their calls, row by row. */
import { callCustom } from "./custom_dispatch";
import { bringsAt, conditionAt, valueAt } from "./plan";
import {
  E_ALL,
  E_T,
  I_A,
  I_B,
  I_BRINGS,
  I_C,
  I_DST,
  I_K0,
  I_STATE,
  MASK_BYTES,
  OP_CUSTOM,
  OP_CUSTOM_ARGUMENT,
  OP_TRUTH,
} from "./plan_layout";
import { baseAt } from "./ops_state";
import { ARGUMENTS, setSlotCount, Slots } from "./slots_kernel";

/** u32 each: the columns of the arguments of the next OP_CUSTOM. */
const COLUMNS: usize = memory.data(32);

/** Bytes of the last result, which lies before the slots. */
const RESULT_BYTES: usize = 8;

/** Whether an opcode is one of `evaluateCustom`'s. */
@inline
export function isCustom(op: i32): bool {
  return op >= OP_CUSTOM_ARGUMENT || op == OP_TRUTH;
}

/** Runs an instruction of custom operators. */
export function evaluateCustom(at: usize, op: i32, words: u32): void {
  const a = load<i32>(at, I_A);
  if (op == OP_TRUTH) {
    opTruth(valueAt(load<i32>(at, I_DST)), conditionAt(a), words);
  } else if (op == OP_CUSTOM) {
    setSlotCount(load<f64>(at, I_K0));
    const dst = valueAt(load<i32>(at, I_DST));
    const brings = bringsAt(load<i32>(at, I_BRINGS));
    const event = load<i32>(at, I_C) != 0;
    opCustom(a, dst, load<u32>(at, I_STATE), brings, load<u32>(at, I_B), event, words);
  } else {
    store<u32>(COLUMNS + (<usize>load<u32>(at, I_C) << 2), <u32>valueAt(a));
  }
}

/** 1 where a condition is true, 0 where it is false, NaN where it is unknown. */
function opTruth(dst: usize, a: usize, words: u32): void {
  for (let w: u32 = 0; w < words; w++) {
    const yes = load<u64>(a + (w << 3));
    const no = load<u64>(a + (w << 3), MASK_BYTES);
    for (let bit: u32 = 0; bit < 64; bit++) {
      const value = (yes >> bit) & 1 ? 1.0 : (no >> bit) & 1 ? 0.0 : NaN;
      store<f64>(dst + (((w << 6) + bit) << 3), value);
    }
  }
}

/** Calls the operator on the rows that bring it; on others its last result stands, or is no event. */
function opCustom(
  operator: i32,
  dst: usize,
  state: usize,
  brings: usize,
  count: u32,
  event: bool,
  words: u32,
): void {
  for (let w: u32 = 0; w < words; w++) {
    const taken = load<u64>(brings + (w << 3));
    for (let rest = load<u64>(E_ALL + (w << 3)); rest != 0; rest &= rest - 1) {
      const bit = <u64>ctz(rest);
      const row = (w << 6) + <u32>bit;
      const at = baseAt(row) + state;
      if ((taken >> bit) & 1) {
        for (let i: u32 = 0; i < count; i++) {
          const column: usize = load<u32>(COLUMNS + (i << 2));
          store<f64>(ARGUMENTS + (i << 3), load<f64>(column + (row << 3)));
        }
        const slots = changetype<Slots>(at + RESULT_BYTES);
        store<f64>(at, known(callCustom(operator, slots, load<f64>(E_T + (row << 3)))));
      } else if (event) {
        store<f64>(dst + (row << 3), 0);
        continue;
      }
      store<f64>(dst + (row << 3), load<f64>(at));
    }
  }
}

/** What is not finite is unknown. */
@inline
function known(value: f64): f64 {
  return value - value == 0 ? value : NaN;
}

/** Address of the arguments of `customStep`, f64 each. */
export function customArguments(): usize {
  return ARGUMENTS;
}

/** Calls an operator once, so that the build can hold it against its TypeScript. */
export function customStep(operator: i32, state: usize, slots: f64, t: f64): f64 {
  setSlotCount(slots);
  return callCustom(operator, changetype<Slots>(state), t);
}
