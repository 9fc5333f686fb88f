/**
 * What signals and operators keep, in its logical form: the table of their saves and loads.
 *
 * A state is a vector of numbers, nothing of where it lies; one without words is the state of a
 * fresh vehicle. Operators write and read theirs beside their own code; to add one:
 *
 * 1. a save and a load beside the operator (`savePlain` and `loadPlain` do for plain numbers);
 * 2. a case in `saveState`, in `loadState` and, if it takes more than 8 words, in `wordsMax`;
 * 3. in the plan compiler, a key whose first word names its form (`PlanCode.operator`, `stateful`).
 *    A form never changes under its name: another form takes another name.
 */
import { code, codeCount, maxGap } from "./plan";
import {
  I_A,
  I_B,
  I_BYTES,
  I_C,
  I_FLAGS,
  I_K0,
  I_K1,
  I_OP,
  I_STATE,
  OP_AGE,
  OP_CUSTOM,
  OP_HELD,
  OP_POSITION,
  OP_PREV,
  OP_PREV_CONDITION,
  OP_RECENT,
  OP_SLOTS,
  OP_WEIGHTED,
  OP_WINDOW,
  V_LAST_T,
  WINDOW_GREATEST,
  WINDOW_LEAST,
} from "./plan_layout";
import { loadSlots, saveSlots, shapeSlots } from "./ops_slots";
import { loadTruth, saveTruth } from "./ops_state";
import { saveHeld } from "./ops_time";
import { loadExtreme, saveExtreme, startExtreme } from "./ops_extreme";
import { loadWindow, saveWindow, startWindow } from "./ops_window";
import { loadSignal, saveSignal, signalTime } from "./signals";
import { loadPlain, savePlain } from "./words";

/** Words that most states take, at most. */
const WORDS_FEW: u32 = 8;

/** Whether the window is one of `lowest` and `highest`. */
@inline
function isExtreme(at: usize): bool {
  const kind = load<i32>(at, I_B);
  return kind == WINDOW_LEAST || kind == WINDOW_GREATEST;
}

@inline
function extremeOf(at: usize): void {
  startExtreme(load<i32>(at, I_B), load<f64>(at, I_K0), load<u32>(at, I_C));
}

@inline
function windowOf(at: usize): void {
  startWindow(load<i32>(at, I_B), load<f64>(at, I_K0), load<u32>(at, I_C), load<f64>(at, I_K1));
}

@inline
function slotsOf(at: usize): void {
  shapeSlots(load<u32>(at, I_FLAGS), load<u32>(at, I_C));
}

/** Of a custom operator: the last result, then its slots. */
@inline
function customWords(at: usize): u32 {
  return 1 + <u32>load<f64>(at, I_K0);
}

/** Writes a state into the vector that is open. */
export function saveState(target: u32, base: usize): void {
  if ((target & 1) == 0) return saveSignal(base, (target >> 1) - 1);
  const at = code + (target >> 1) * I_BYTES;
  const state = base + load<u32>(at, I_STATE);
  switch (load<i32>(at, I_OP)) {
    case OP_POSITION:
    case OP_PREV:
    case OP_RECENT:
      return savePlain(state, 2);
    case OP_AGE:
      return savePlain(state, 1);
    case OP_WEIGHTED:
      return savePlain(state, load<i32>(at, I_FLAGS) ? 5 : 3);
    case OP_HELD:
      return saveHeld(state);
    case OP_PREV_CONDITION:
      return saveTruth(state);
    case OP_SLOTS:
      slotsOf(at);
      return saveSlots(base, state, load<u32>(at, I_A));
    case OP_WINDOW:
      if (isExtreme(at)) {
        extremeOf(at);
        return saveExtreme(state);
      }
      windowOf(at);
      return saveWindow(state);
    case OP_CUSTOM:
      return savePlain(state, customWords(at));
    default:
      unreachable();
  }
}

/** Reads a state of `words` words. @returns whether it is one of this operator */
export function loadState(target: u32, base: usize, words: u32): bool {
  if ((target & 1) == 0) return loadSignal(base, (target >> 1) - 1, words);
  const at = code + (target >> 1) * I_BYTES;
  const state = base + load<u32>(at, I_STATE);
  switch (load<i32>(at, I_OP)) {
    case OP_POSITION:
    case OP_PREV:
    case OP_RECENT:
      return loadPlain(state, 2, words);
    case OP_AGE:
      return loadPlain(state, 1, words);
    case OP_WEIGHTED:
      return loadPlain(state, load<i32>(at, I_FLAGS) ? 5 : 3, words);
    case OP_HELD:
      return loadPlain(state, 3, words);
    case OP_PREV_CONDITION:
      return loadTruth(state, words);
    case OP_SLOTS: {
      const d = load<f64>(at, I_K0);
      const width = load<f64>(at, I_K1);
      const t = load<f64>(base, V_LAST_T);
      const places = load<u32>(at, I_C);
      slotsOf(at);
      return loadSlots(base, state, load<u32>(at, I_A), places, width, d, d + maxGap, t, words);
    }
    case OP_WINDOW:
      if (isExtreme(at)) {
        extremeOf(at);
        return loadExtreme(state, load<u32>(at, I_C), words);
      }
      windowOf(at);
      return loadWindow(state, load<u32>(at, I_C), words);
    case OP_CUSTOM:
      return loadPlain(state, customWords(at), words);
    default:
      return false;
  }
}

/** Makes of a vehicle's state, once it is read, what follows from other state: when positions came. */
export function settleStates(base: usize): void {
  for (let i: u32 = 0; i < codeCount; i++) {
    const at = code + i * I_BYTES;
    if (load<i32>(at, I_OP) != OP_POSITION) continue;
    const state = base + load<u32>(at, I_STATE);
    store<f64>(state, signalTime(base, load<u32>(at, I_A)));
    store<f64>(state, signalTime(base, load<u32>(at, I_B)), 8);
  }
}

/** Most words of a state. */
export function wordsMax(target: u32): u32 {
  const at = code + (target >> 1) * I_BYTES;
  if ((target & 1) == 0) return WORDS_FEW;
  const op = load<i32>(at, I_OP);
  const places = load<u32>(at, I_C);
  if (op == OP_SLOTS) return 2 * places + 4;
  if (op == OP_CUSTOM) return customWords(at);
  return op == OP_WINDOW ? 4 * places + 2 : WORDS_FEW;
}
