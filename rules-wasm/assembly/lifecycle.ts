/** What rules make of their conditions: pending, open, escalated, cleared, opened again. */
import { activeAny, activeRows, bringsAt, conditionAt, firedCounts, plan, ruleCount } from "./plan";
import { filterAt, rules, unknownAfter } from "./plan";
import {
  CLEARED,
  DEESCALATED,
  E_ALL,
  E_AT,
  E_BASE,
  E_EVALUATED,
  E_FOLLOWS,
  E_KIND,
  E_OPEN,
  E_SLOT,
  E_T,
  E_TIMER,
  E_VISIT,
  E_INDEX,
  E_OFFSET,
  ESCALATED,
  LEVEL_BRINGS,
  LEVEL_BYTES,
  LEVEL_CONDITION,
  LEVEL_SEVERITY,
  MASK_BYTES,
  OPENED,
  REASON_CONDITION,
  REASON_UNKNOWN,
  REOPENED,
  ROW_AGAIN,
  ROW_SAMPLE,
  ROW_TIMER,
  RULE_ABSENT,
  RULE_ABSENT_AT,
  RULE_BRINGS_CLEAR,
  RULE_BRINGS_WHEN,
  RULE_BYTES,
  RULE_CLEAR,
  RULE_CLEAR_FOR,
  RULE_COOLDOWN,
  RULE_FILTER,
  RULE_FOR,
  RULE_LEVELS,
  RULE_LEVELS_AT,
  RULE_MAX_GAP,
  RULE_ONCE,
  RULE_SEVERITY,
  RULE_WHEN,
} from "./plan_layout";
import {
  findRecord,
  freeRecord,
  makeRecord,
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
  R_RUN,
  R_RUN_LAST,
  R_RUN_T0,
  R_SEVERITY,
  R_STEP_LAST,
  R_STEP_T0,
  R_STEPPING,
  R_UNKNOWN,
  R_UNKNOWN_T0,
  reserveRecords,
  touchRecords,
  wordAt,
} from "./state";
import { brought, drop, extend, NO, result, UNKNOWN, YES } from "./runs";
import { emit, reserveTransitions } from "./transitions";

let warm: bool = false;

/** Whether a row that stands for silence, or for its end, concerns a rule. */
function concerns(rule: usize, row: u32, kind: u32): bool {
  const list = plan + load<u32>(rule, RULE_ABSENT_AT);
  const timer: u32 = load<u8>(E_TIMER + row);
  for (let i: u32 = 0; i < load<u32>(rule, RULE_ABSENT); i++) {
    const d = load<u32>(list + (i << 2));
    if (kind == ROW_TIMER ? d == timer : kind == ROW_AGAIN && d < timer) return true;
  }
  return false;
}

/** Runs every rule over the rows of the masks. In `warming` nothing opens. */
export function lifecycle(words: u32, warming: bool): void {
  warm = warming;
  let rule = rules;
  for (let r: u32 = 0; r < ruleCount; r++) {
    const when = conditionAt(load<i32>(rule, RULE_WHEN));
    const brings = bringsAt(load<i32>(rule, RULE_BRINGS_WHEN));
    let any: u64 = 0;
    for (let w: usize = 0; w < <usize>words << 3; w += 8) {
      // What silence evaluates brings every expression of the rules that it concerns.
      const silent = load<u64>(w + E_ALL) & ~load<u64>(w + E_EVALUATED);
      const fires = load<u64>(when + w) & (load<u64>(brings + w) | silent);
      store<u64>(w + E_VISIT, fires);
      any |= fires;
    }
    if (load<u32>(rule, RULE_LEVELS) != 0) any |= visitLevels(rule, words);
    if (load<u8>(activeAny + r)) {
      const active = activeRows + r * MASK_BYTES;
      for (let w: usize = 0; w < <usize>words << 3; w += 8) {
        store<u64>(w + E_VISIT, load<u64>(w + E_VISIT) | load<u64>(active + w));
      }
      memory.fill(active, 0, MASK_BYTES);
      store<u8>(activeAny + r, 0);
      any = 1;
    }
    if (any != 0) {
      reserveRecords(1024);
      reserveTransitions(1024);
      visitRows(rule, r, words);
    }
    rule += RULE_BYTES;
  }
}

/** Adds the rows on which a level is true: its result is kept, whether the rule is open or not. */
function visitLevels(rule: usize, words: u32): u64 {
  let any: u64 = 0;
  let level = plan + load<u32>(rule, RULE_LEVELS_AT);
  for (let i: u32 = 0; i < load<u32>(rule, RULE_LEVELS); i++) {
    const condition = conditionAt(load<i32>(level, LEVEL_CONDITION));
    const brings = bringsAt(load<i32>(level, LEVEL_BRINGS));
    for (let w: usize = 0; w < <usize>words << 3; w += 8) {
      const silent = load<u64>(w + E_ALL) & ~load<u64>(w + E_EVALUATED);
      const holds = load<u64>(condition + w) & (load<u64>(brings + w) | silent);
      store<u64>(w + E_VISIT, load<u64>(w + E_VISIT) | holds);
      any |= holds;
    }
    level += LEVEL_BYTES;
  }
  return any;
}

function visitRows(rule: usize, r: u32, words: u32): void {
  for (let w: u32 = 0; w < words; w++) {
    let later: u64 = ~0;
    touchRecords(r, (<usize>w << 8) + E_SLOT, load<u64>(E_VISIT + (w << 3)));
    for (;;) {
      // Read again each time: a visit may ask for the vehicle's next row.
      const rest = load<u64>(E_VISIT + (w << 3)) & later;
      if (rest == 0) break;
      later = ~(rest ^ (rest - 1));
      const row = (w << 6) + <u32>ctz(rest);
      if (!visit(rule, r, row)) continue;
      const next: u32 = load<u16>(E_FOLLOWS + (row << 1));
      if (next == 0xffff) continue;
      const at = (<usize>(next >> 6) << 3) + E_VISIT;
      store<u64>(at, load<u64>(at) | ((<u64>1) << (next & 63)));
    }
  }
}

/** @returns whether the vehicle has a record afterwards */
function visit(rule: usize, r: u32, row: u32): bool {
  const base: usize = load<u32>(E_BASE + (row << 2));
  const slot = load<u32>(E_SLOT + (row << 2));
  let record = findRecord(slot, r);
  const kind: u32 = load<u8>(E_KIND + row);
  if (kind != ROW_SAMPLE && !concerns(rule, row, kind)) return record != 0;
  if (record == 0) {
    const filter = load<i32>(rule, RULE_FILTER);
    if (filter >= 0 && !((load<u32>(wordAt(base, filterAt, filter)) >> (filter & 31)) & 1)) {
      return false;
    }
  }
  const levels = takeLevels(rule, r, base, slot, record, row);
  if (record == 0 && levels) record = findRecord(slot, r);
  if (record != 0 && load<u32>(record, R_FLAGS) & R_OPEN) {
    stepOpen(rule, record, row, levels);
    return keep(rule, base, record, row);
  }
  return stepIdle(rule, r, base, slot, record, row);
}

/** Frees a record that says nothing any more. @returns whether it stays */
function keep(rule: usize, base: usize, record: usize, row: u32): bool {
  const flags = load<u32>(record, R_FLAGS);
  if (flags & (R_OPEN | R_RUN) || load<u32>(record, R_LEVELS) != 0) return true;
  const t = load<f64>(E_T + (row << 3));
  // No later T lies before t: neither a cooldown nor the order of `at` can need it again.
  if (flags & R_CLOSED && t <= load<f64>(record, R_CLOSED_AT) + load<f64>(rule, RULE_COOLDOWN)) {
    return true;
  }
  if (t < load<f64>(record, R_AT)) return true;
  freeRecord(base, record);
  return false;
}

function stepIdle(rule: usize, r: u32, base: usize, slot: u32, old: usize, row: u32): bool {
  let record = old;
  const when = result(load<i32>(rule, RULE_WHEN), row);
  if (brought(load<i32>(rule, RULE_BRINGS_WHEN), row)) {
    if (when == YES) {
      if (record == 0) record = makeRecord(base, slot, r);
      const t = load<f64>(E_AT + (row << 3));
      const gap = load<f64>(rule, RULE_MAX_GAP);
      if (!extend(record, R_RUN, R_RUN_T0, R_RUN_LAST, t, gap)) drop(record, R_FIRED);
      if (
        !warm && !(load<u32>(record, R_FLAGS) & R_FIRED) &&
        t - load<f64>(record, R_RUN_T0) >= load<f64>(rule, RULE_FOR)
      ) fire(rule, r, record, row, t);
    } else if (when == NO && record != 0) {
      drop(record, R_RUN | R_FIRED);
    }
  }
  return record != 0 && keep(rule, base, record, row);
}

/** The rule has held long enough. */
function fire(rule: usize, r: u32, record: usize, row: u32, t: f64): void {
  const flags = load<u32>(record, R_FLAGS);
  const again = (flags & R_CLOSED) != 0 &&
    t <= load<f64>(record, R_CLOSED_AT) + load<f64>(rule, RULE_COOLDOWN);
  const once = load<u32>(rule, RULE_ONCE) != 0;
  if (once && again) {
    store<u32>(record, flags | R_FIRED, R_FLAGS);
    return;
  }
  if (again) {
    store<u32>(record, load<u32>(record, R_COUNT) + 1, R_COUNT);
  } else {
    store<u32>(record, 1, R_COUNT);
    store<f64>(record, load<f64>(record, R_RUN_T0), R_ONSET);
    store<f64>(record, load<f64>(E_OFFSET + (row << 3)), R_OPEN_OFFSET);
    store<u32>(record, load<u32>(E_INDEX + (row << 2)), R_OPEN_INDEX);
  }
  store<u32>(record, target(rule, record), R_SEVERITY);
  emit(rule, record, row, again ? REOPENED : OPENED, 0);
  store<f64>(firedCounts + (r << 3), load<f64>(firedCounts + (r << 3)) + 1);
  if (once) {
    store<u32>(record, R_RUN | R_FIRED | R_CLOSED, R_FLAGS);
    store<f64>(record, t, R_CLOSED_AT);
  } else {
    store<u32>(record, R_OPEN, R_FLAGS);
    store<u32>(E_OPEN, load<u32>(E_OPEN) + 1);
  }
}

/** Clears an open anomaly; the record remembers when. */
export function clear(rule: usize, record: usize, row: u32, reason: u32): void {
  emit(rule, record, row, CLEARED, reason);
  store<u32>(record, R_CLOSED, R_FLAGS);
  store<f64>(record, load<f64>(E_AT + (row << 3)), R_CLOSED_AT);
  store<u32>(E_OPEN, load<u32>(E_OPEN) - 1);
}

function stepOpen(rule: usize, record: usize, row: u32, levels: bool): void {
  const t = load<f64>(E_AT + (row << 3));
  const gap = load<f64>(rule, RULE_MAX_GAP);
  const when = result(load<i32>(rule, RULE_WHEN), row);
  const condition = load<i32>(rule, RULE_CLEAR);
  let clears: u32 = UNKNOWN;
  if (condition >= 0) clears = result(condition, row);
  else if (when != UNKNOWN) clears = when == YES ? NO : YES;
  if (when == YES && brought(load<i32>(rule, RULE_BRINGS_WHEN), row)) {
    drop(record, R_CLEARING);
  } else if (brought(load<i32>(rule, RULE_BRINGS_CLEAR), row)) {
    if (clears == YES) {
      extend(record, R_CLEARING, R_CLEAR_T0, R_CLEAR_LAST, t, gap);
      if (t - load<f64>(record, R_CLEAR_T0) >= load<f64>(rule, RULE_CLEAR_FOR)) {
        return clear(rule, record, row, REASON_CONDITION);
      }
    } else if (clears == NO) {
      drop(record, R_CLEARING);
    }
  }
  if (when != UNKNOWN || clears != UNKNOWN) {
    drop(record, R_UNKNOWN);
  } else {
    const flags = load<u32>(record, R_FLAGS);
    if (!(flags & R_UNKNOWN)) {
      store<u32>(record, flags | R_UNKNOWN, R_FLAGS);
      store<f64>(record, t, R_UNKNOWN_T0);
    }
    if (t - load<f64>(record, R_UNKNOWN_T0) >= unknownAfter) {
      return clear(rule, record, row, REASON_UNKNOWN);
    }
  }
  if (levels) stepSeverity(rule, record, row, t, gap);
}

function stepSeverity(rule: usize, record: usize, row: u32, t: f64, gap: f64): void {
  const wanted = target(rule, record);
  const have = load<u32>(record, R_SEVERITY);
  if (wanted >= have) drop(record, R_STEPPING);
  if (wanted == have) return;
  if (wanted < have) {
    extend(record, R_STEPPING, R_STEP_T0, R_STEP_LAST, t, gap);
    if (t - load<f64>(record, R_STEP_T0) < load<f64>(rule, RULE_CLEAR_FOR)) return;
    drop(record, R_STEPPING);
  }
  store<u32>(record, wanted, R_SEVERITY);
  emit(rule, record, row, wanted > have ? ESCALATED : DEESCALATED, 0);
}

/**
 * Takes in the results of the levels that the row brings; what is unknown stays as it was. While a
 * level is true the rule has a record of the vehicle.
 *
 * @returns whether the row brought one
 */
function takeLevels(
  rule: usize,
  r: u32,
  base: usize,
  slot: u32,
  record: usize,
  row: u32,
): bool {
  const levels = load<u32>(rule, RULE_LEVELS);
  if (levels == 0) return false;
  let level = plan + load<u32>(rule, RULE_LEVELS_AT);
  let bits: u32 = record == 0 ? 0 : load<u32>(record, R_LEVELS);
  let any = false;
  for (let i: u32 = 0; i < levels; i++) {
    if (brought(load<i32>(level, LEVEL_BRINGS), row)) {
      any = true;
      const now = result(load<i32>(level, LEVEL_CONDITION), row);
      if (now == YES) bits |= 1 << i;
      else if (now == NO) bits &= ~(1 << i);
    }
    level += LEVEL_BYTES;
  }
  if (record != 0) store<u32>(record, bits, R_LEVELS);
  else if (bits != 0) store<u32>(makeRecord(base, slot, r), bits, R_LEVELS);
  return any;
}

/** The severity that the levels' results ask for. */
function target(rule: usize, record: usize): u32 {
  const bits = load<u32>(record, R_LEVELS);
  if (bits == 0) return load<u32>(rule, RULE_SEVERITY);
  const highest = 31 - clz(bits);
  return load<u32>(plan + load<u32>(rule, RULE_LEVELS_AT) + highest * LEVEL_BYTES, LEVEL_SEVERITY);
}

/** Clears whatever a vehicle has open, as a row of clearing, and frees its records. */
export function clearAll(base: usize, slot: u32, row: u32, reason: u32): void {
  reserveTransitions(ruleCount);
  for (let r: u32 = 0; r < ruleCount; r++) {
    const record = findRecord(slot, r);
    if (record == 0) continue;
    if (load<u32>(record, R_FLAGS) & R_OPEN) clear(rules + r * RULE_BYTES, record, row, reason);
    freeRecord(base, record);
  }
}

/** Drops the marks of rows that no rule will be run over. */
export function forgetActive(): void {
  memory.fill(activeRows, 0, ruleCount * MASK_BYTES);
  memory.fill(activeAny, 0, ruleCount);
}
