/**
 * Another plan takes over the state of an engine, between two records.
 *
 * Where vehicles' state lies as before (another message, limit, label or ladder) the plan is
 * exchanged in place; otherwise a fresh kernel instance takes the state over, and the old one goes
 * with all its memory.
 */
import * as P from "./assembly/portable_layout.ts";
import { E_RECORDS, E_TIMERS_TO } from "./assembly/plan_layout.ts";
import type { PartitionEngine } from "./engine.ts";
import type { AnomalyRecord } from "./engine_port.ts";
import type { Cleared } from "./kernel_engine.ts";
import type { Rule } from "./language/ast.ts";
import type { Plan } from "./plan.ts";
import { sameLayout } from "./plan_layout_of.ts";
import {
  entryBytes,
  goesOn,
  ruleEntries,
  type RuleEntry,
  type RuleShape,
  ruleShapes,
  warmEntries,
} from "./rule_entries.ts";
import {
  byVehicle,
  loadStates,
  loadVehicles,
  onlyWaiting,
  saveState,
  silenceOrder,
} from "./state_transfer.ts";
import { vehicleFilter } from "./vehicle_filter.ts";

/** Makes a fresh engine of a plan, with slots for so many vehicles at least. */
export type MakeEngine = (plan: Plan, vehicles: number) => PartitionEngine;

/** Rules of two plans, held against each other. */
interface Change {
  readonly before: Plan;
  readonly after: Plan;
  readonly shapes: { readonly before: readonly RuleShape[]; readonly after: readonly RuleShape[] };
  readonly entries: readonly RuleEntry[];
  /** Rules that go on, but for other vehicles: whom they were for, and are. */
  readonly limits: readonly Limit[];
}

/** A rule that goes on for other vehicles. */
interface Limit {
  readonly id: string;
  readonly was: (vehicle: string) => boolean;
  readonly is: (vehicle: string) => boolean;
}

/**
 * Takes a plan into force.
 *
 * @param aside engine of the same plan that was warmed aside
 * @param nextA A of the next record, if known
 * @returns the engine that goes on, and what the change causes
 */
export function swapPlan(
  engine: PartitionEngine,
  after: Plan,
  make: MakeEngine,
  aside: PartitionEngine | null,
  nextA = -Infinity,
): { readonly engine: PartitionEngine; readonly anomalies: readonly AnomalyRecord[] } {
  const { plan: before, state } = engine;
  const change = changeOf(before, after);
  const inPlace = sameLayout(before, after);
  // All that can fail is done: from here on the change happens.
  const fresh = inPlace ? null : make(after, engine.vehicles());
  const a = Math.max(engine.clock(), state.memory.f64(E_TIMERS_TO), nextA);
  // One by one: there may be more of them than a call takes arguments.
  const anomalies = nextA > engine.clock() ? engine.fireBefore(nextA) : [];
  state.memory.view.setFloat64(E_TIMERS_TO, a, true);
  if (before.ruleSet.settings.latenessMs !== after.ruleSet.settings.latenessMs) {
    for (const each of engine.releaseWaiting(a)) anomalies.push(each);
  }
  const excess = engine.vehicles() - after.vehicleRoom;
  if (excess > 0) {
    for (const slot of silenceOrder(state).subarray(0, excess)) {
      for (const each of engine.forgetVehicle(slot, a)) anomalies.push(each);
    }
  }
  for (const each of engine.clearChanged(clearedBy(engine, change), a)) anomalies.push(each);
  if (fresh === null) exchange(engine, change);
  else moveTo(fresh, engine, change);
  const next = fresh ?? engine;
  if (aside !== null) warm(next, aside, change, inPlace);
  if (fresh !== null) fresh.succeed(engine);
  return { engine: next, anomalies };
}

/** An engine of the same plan and state in a kernel of its own. */
export function moveEngine(engine: PartitionEngine, make: MakeEngine): PartitionEngine {
  const fresh = make(engine.plan, engine.vehicles());
  moveTo(fresh, engine, changeOf(engine.plan, engine.plan));
  fresh.succeed(engine);
  return fresh;
}

function changeOf(before: Plan, after: Plan): Change {
  const shapes = { before: ruleShapes(before.ruleSet), after: ruleShapes(after.ruleSet) };
  const entries = ruleEntries(shapes.before, shapes.after);
  const limits: Limit[] = [];
  entries.forEach(({ target }, i) => {
    if (target < 0 || !goesOn(shapes.before[i], shapes.after[target])) return;
    const was = before.ruleSet.rules[i];
    const is = after.ruleSet.rules[target];
    if (patterns(was) === patterns(is)) return;
    limits.push({ id: is.id, was: vehicleFilter(was.vehicles), is: vehicleFilter(is.vehicles) });
  });
  return { before, after, shapes, entries, limits };
}

function patterns({ vehicles }: Rule): string {
  return JSON.stringify(vehicles);
}

/** Open anomalies of rules that do not go on, by vehicle as last heard, then by rule. */
function clearedBy(engine: PartitionEngine, change: Change): Cleared[] {
  const { state } = engine;
  const { before, entries } = change;
  const limits = new Map(change.limits.map((limit) => [limit.id, limit]));
  const goes = (slot: number, rule: number): boolean => {
    if ((entries[rule].flags & P.R_OPEN) === 0) return false;
    const limit = limits.get(before.ruleSet.rules[rule].id);
    return limit === undefined || limit.is(engine.vehicleId(slot));
  };
  if (entries.every(({ flags }) => (flags & P.R_OPEN) !== 0) && limits.size === 0) return [];
  const rulesOf = new Map<number, number[]>();
  const list = recordList(engine, new Uint8Array(0));
  const { view } = state.memory;
  for (let i = 0; i < list.count; i++) {
    const record = view.getUint32(list.at + 4 * i, true);
    if ((view.getUint32(record + P.R_FLAGS, true) & P.R_OPEN) === 0) continue;
    const slot = view.getUint32(record + P.R_SLOT, true);
    const rule = view.getUint32(record + P.R_RULE, true);
    if (goes(slot, rule)) continue;
    const rules = rulesOf.get(slot);
    if (rules === undefined) rulesOf.set(slot, [rule]);
    else rules.push(rule);
  }
  if (rulesOf.size === 0) return [];
  const cleared: Cleared[] = [];
  for (const slot of silenceOrder(state)) {
    const rules = rulesOf.get(slot);
    if (rules !== undefined) cleared.push({ slot, rules: rules.sort((a, b) => a - b) });
  }
  return cleared;
}

/** Addresses of all records, behind a head in the input buffer. */
function recordList(
  { state: { calls, memory, scan } }: PartitionEngine,
  head: Uint8Array,
): { readonly headAt: number; readonly at: number; readonly count: number } {
  scan.reserveInput(head.length + 4 * memory.u32(E_RECORDS), 0);
  const headAt = scan.inputAddress();
  memory.put(head, headAt);
  const at = headAt + head.length;
  return { headAt, at, count: calls.listRecords(at) };
}

/** Puts the new plan in the place of the old one. */
function exchange(engine: PartitionEngine, { before, after, entries }: Change): void {
  const { state: { calls } } = engine;
  const all = (plan: Plan) => plan.ruleSet.rules.map(patterns).join();
  if (all(before) !== all(after)) engine.filterBy(after.ruleSet);
  const cooldowns = (plan: Plan) => plan.ruleSet.rules.map(({ cooldownMs }) => cooldownMs).join();
  const alike = entries.length === after.rules.length && all(before) === all(after) &&
    cooldowns(before) === cooldowns(after) && entries.every(isUntouched);
  if (!alike) {
    const { headAt, at } = recordList(engine, entryBytes(entries, after));
    calls.changeRecords(headAt, at);
  }
  engine.replan(after);
}

/** Whether a rule's records stay as they are. */
function isUntouched({ target, flags, levels }: RuleEntry, i: number): boolean {
  return target === i && flags === P.R_ALL && levels.every((bits, level) => bits === 1 << level);
}

/** Moves the state to a fresh kernel. */
function moveTo(fresh: PartitionEngine, engine: PartitionEngine, change: Change): void {
  const { before, after, entries } = change;
  const saved = saveState(engine.state, before.kept);
  const targets = new Map(after.kept.map(({ key, target }) => [key, target]));
  loadVehicles(fresh.state, saved);
  fresh.welcomeLoaded();
  loadStates(fresh.state, saved, {
    targets: before.kept.map(({ key }) => targets.get(key) ?? 0),
    entries: entryBytes(entries, after),
    rules: entries.length,
  });
}

/** Takes from the engine aside what the one before did not have. */
function warm(
  engine: PartitionEngine,
  aside: PartitionEngine,
  { before, after, shapes, limits }: Change,
  inPlace: boolean,
): void {
  const known = new Set(before.kept.map(({ key }) => key));
  const targets = new Map(after.kept.map(({ key, target }) => [key, target]));
  const { kept } = aside.plan;
  const to = (isNew: (rule: RuleShape) => boolean) => {
    const entries = warmEntries(shapes.before, shapes.after, isNew);
    return {
      targets: kept.map(({ key }) => inPlace || known.has(key) ? 0 : targets.get(key) ?? 0),
      entries: entryBytes(entries, after),
      rules: entries.length,
    };
  };
  const saved = saveState(aside.state, kept);
  loadStates(engine.state, onlyWaiting(saved), to(() => false), true);
  const groups = byVehicle(saved, (id) => limits.map(({ was }) => was(id) ? 1 : 0).join(""));
  for (const [group, vehicles] of groups) {
    const fresh = new Set(limits.filter((_, i) => group[i] === "0").map(({ id }) => id));
    loadStates(engine.state, vehicles, to(({ id }) => fresh.has(id)), true);
  }
}
