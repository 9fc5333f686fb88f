/** What becomes of a rule's records when they are written, read, or carried over to other rules. */
import { E_OPEN, RULE_COOLDOWN } from "./plan_layout";
import {
  RT_FLAGS,
  RT_LEVELS,
  RT_LEVELS_MAX,
  SR_CLEAR_LAST,
  SR_CLEAR_T0,
  SR_CLOSED_AT,
  SR_COUNT,
  SR_ONSET,
  SR_OPEN_INDEX,
  SR_OPEN_OFFSET,
  SR_RUN_LAST,
  SR_RUN_T0,
  SR_SEVERITY,
  SR_STEP_LAST,
  SR_STEP_T0,
  SR_UNKNOWN_T0,
} from "./portable_layout";
import {
  R_AT,
  R_CLEAR_LAST,
  R_CLEAR_T0,
  R_CLEARING,
  R_CLOSED,
  R_CLOSED_AT,
  R_COUNT,
  R_FIRED,
  R_FLAGS,
  R_LEVELS,
  R_ONSET,
  R_OPEN,
  R_OPEN_INDEX,
  R_OPEN_OFFSET,
  R_RULE,
  R_RUN,
  R_RUN_LAST,
  R_RUN_T0,
  R_SEVERITY,
  R_STEP_LAST,
  R_STEP_T0,
  R_STEPPING,
  R_UNKNOWN,
  R_UNKNOWN_T0,
} from "./state";
import { closeVector, openVector, put } from "./words";

/**
 * Drops what can bear on nothing any more, the vehicle standing at T: a cooldown that has run out
 * stays so, whatever the cooldown becomes.
 */
export function settleRecord(record: usize, rule: usize, t: f64): void {
  const flags = load<u32>(record, R_FLAGS);
  if (flags & R_CLOSED && t > load<f64>(record, R_CLOSED_AT) + load<f64>(rule, RULE_COOLDOWN)) {
    store<u32>(record, flags & ~R_CLOSED, R_FLAGS);
  }
  // What is open may still clear at an earlier T, by a clock that is set back.
  if (!(flags & R_OPEN) && t >= load<f64>(record, R_AT)) store<f64>(record, -Infinity, R_AT);
}

/** The results of a ladder's rungs as those of the ladder that an entry leads to. */
export function levelsAfter(levels: u32, entry: usize): u32 {
  let after: u32 = 0;
  for (let i: u32 = 0; i < <u32>RT_LEVELS_MAX; i++) {
    if ((levels >> i) & 1) after |= load<u8>(entry + i, RT_LEVELS);
  }
  return after;
}

/** Leaves of a record what its entry says. @returns whether anything is left */
export function reduceRecord(record: usize, entry: usize, t: f64): bool {
  const flags = load<u32>(record, R_FLAGS) & load<u32>(entry, RT_FLAGS);
  const levels = levelsAfter(load<u32>(record, R_LEVELS), entry);
  store<u32>(record, flags, R_FLAGS);
  store<u32>(record, levels, R_LEVELS);
  return (flags | levels) != 0 || load<f64>(record, R_AT) > t;
}

@inline
function putIf(flags: u32, flag: u32, x: f64): void {
  put(flags & flag ? x : NaN);
}

/** Writes a record as a vector SR_*, if it says anything at T. @returns whether it does */
export function saveRecord(record: usize, rule: usize, t: f64): bool {
  settleRecord(record, rule, t);
  const flags = load<u32>(record, R_FLAGS);
  const levels = load<u32>(record, R_LEVELS);
  const at = load<f64>(record, R_AT);
  if ((flags | levels) == 0 && at == -Infinity) return false;
  const known = R_OPEN | R_CLOSED;
  openVector();
  put(<f64>load<u32>(record, R_RULE));
  put(<f64>flags);
  put(<f64>levels);
  putIf(flags, known, <f64>load<u32>(record, R_SEVERITY));
  putIf(flags, known, <f64>load<u32>(record, R_COUNT));
  putIf(flags, known, <f64>load<u32>(record, R_OPEN_INDEX));
  putIf(flags, known, load<f64>(record, R_OPEN_OFFSET));
  putIf(flags, known, load<f64>(record, R_ONSET));
  put(at);
  putIf(flags, R_RUN, load<f64>(record, R_RUN_T0));
  putIf(flags, R_RUN, load<f64>(record, R_RUN_LAST));
  putIf(flags, R_CLEARING, load<f64>(record, R_CLEAR_T0));
  putIf(flags, R_CLEARING, load<f64>(record, R_CLEAR_LAST));
  putIf(flags, R_STEPPING, load<f64>(record, R_STEP_T0));
  putIf(flags, R_STEPPING, load<f64>(record, R_STEP_LAST));
  putIf(flags, R_UNKNOWN, load<f64>(record, R_UNKNOWN_T0));
  putIf(flags, R_CLOSED, load<f64>(record, R_CLOSED_AT));
  closeVector();
  return true;
}

@inline
function word(saved: usize, i: u32): f64 {
  return load<f64>(saved + (<usize>i << 3));
}

/** Adds what was written of a record to one, as far as `flags`, `levels` and `at` say. */
export function fillRecord(record: usize, saved: usize, flags: u32, levels: u32, at: f64): void {
  let all = load<u32>(record, R_FLAGS) | flags;
  // What is open has neither a run of `when` nor a cooldown, whatever stood aside has.
  if (all & R_OPEN) all &= ~(R_RUN | R_FIRED | R_CLOSED);
  store<u32>(record, all, R_FLAGS);
  store<u32>(record, load<u32>(record, R_LEVELS) | levels, R_LEVELS);
  if (at > load<f64>(record, R_AT)) store<f64>(record, at, R_AT);
  if (flags & R_OPEN) store<u32>(E_OPEN, load<u32>(E_OPEN) + 1);
  if (flags & all & (R_OPEN | R_CLOSED)) {
    store<u32>(record, <u32>word(saved, SR_SEVERITY), R_SEVERITY);
    store<u32>(record, <u32>word(saved, SR_COUNT), R_COUNT);
    store<u32>(record, <u32>word(saved, SR_OPEN_INDEX), R_OPEN_INDEX);
    store<f64>(record, word(saved, SR_OPEN_OFFSET), R_OPEN_OFFSET);
    store<f64>(record, word(saved, SR_ONSET), R_ONSET);
  }
  if (flags & all & R_RUN) {
    store<f64>(record, word(saved, SR_RUN_T0), R_RUN_T0);
    store<f64>(record, word(saved, SR_RUN_LAST), R_RUN_LAST);
  }
  if (flags & R_CLEARING) {
    store<f64>(record, word(saved, SR_CLEAR_T0), R_CLEAR_T0);
    store<f64>(record, word(saved, SR_CLEAR_LAST), R_CLEAR_LAST);
  }
  if (flags & R_STEPPING) {
    store<f64>(record, word(saved, SR_STEP_T0), R_STEP_T0);
    store<f64>(record, word(saved, SR_STEP_LAST), R_STEP_LAST);
  }
  if (flags & R_UNKNOWN) store<f64>(record, word(saved, SR_UNKNOWN_T0), R_UNKNOWN_T0);
  if (flags & all & R_CLOSED) store<f64>(record, word(saved, SR_CLOSED_AT), R_CLOSED_AT);
}
