/** Why an anomaly fired: evaluated anew from the log, with what would have kept it from firing. */
import type { Bus } from "../bus/port.ts";
import type { Transition } from "../contract/anomaly.ts";
import type { ExplainedOpening, ExplainedRule, Proof, Trace } from "../contract/explanation.ts";
import type { Engine } from "../rules-wasm/engine_port.ts";
import type { Rule, RuleSet } from "../rules-wasm/language/ast.ts";
import type { RuleSource } from "../rules-wasm/rule_source.ts";
import { type Cut, cutLog, ReadBudget } from "./explain_cut.ts";
import { nearestDuration, nearestLimit, type Trial } from "./explain_nearest.ts";
import { longestMs, reachesOf } from "./explain_reach.ts";
import { firesWithin, rerun, type RerunOptions, type Stand } from "./explain_rerun.ts";
import { traceRule, type WholeTrace } from "./explain_trace.ts";

/** How much of the log, and of time, an explanation may take. */
export interface ExplainBounds {
  /** Bytes of the log read in all, and of the vehicle's records kept. */
  readonly bytesMax: number;
  readonly keptBytesMax: number;
  /** How far before the opening, and after it, the log is read, milliseconds of A. */
  readonly backMsMax: number;
  readonly aheadMsMax: number;
  /** Time for evaluating, milliseconds. */
  readonly workMsMax: number;
  /** Samples told. */
  readonly samplesMax: number;
}

/** Bounds for a person who waits at a terminal. */
export const EXPLAIN_BOUNDS: ExplainBounds = {
  bytesMax: 4e9,
  keptBytesMax: 256e6,
  backMsMax: 31 * 86_400_000,
  aheadMsMax: 86_400_000,
  workMsMax: 60_000,
  samplesMax: 40,
};

/** Bounds for a request among others. */
export const EXPLAIN_BOUNDS_REQUEST: ExplainBounds = {
  bytesMax: 128e6,
  keptBytesMax: 16e6,
  backMsMax: 86_400_000,
  aheadMsMax: 3_600_000,
  workMsMax: 3_000,
  samplesMax: 40,
};

/** What explaining needs. */
export interface ExplainDependencies {
  readonly bus: Bus;
  readonly topic: string;
  readonly rules: RuleSource;
  readonly createEngine: (ruleSet: RuleSet, options: { readonly partition: number }) => Engine;
  readonly bounds: ExplainBounds;
  /** Milliseconds of any origin. */
  readonly clock: () => number;
  /** Gives way to others; called often. */
  readonly turn: () => Promise<void>;
}

/** The log is read at least this far back from the onset, milliseconds. */
export const BACK_MS_MIN = 600_000;
/** What comes after a clearing, and after the opening of a point event, is told this far, ms. */
const AFTER_MS = 60_000;
/** Each time that what was read is not enough, more of the log is read by this factor. */
export const GROWTH = 8;
/** Openings whose values differ, since means remember more than was read, are read for again. */
const TERM_TRIES_MAX = 2;

/**
 * Explains an anomaly.
 *
 * @param transitions those of its id, oldest first, as far as they are kept; at least one
 */
export async function explain(
  transitions: readonly Transition[],
  deps: ExplainDependencies,
): Promise<Proof> {
  const [opening] = transitions;
  if (opening === undefined) throw new RangeError("Cannot explain an anomaly of no transitions");
  const used = ruleOf(opening, deps.rules);
  if (used === null) return unexplained(openingOf(transitions, false), opening);
  const { ruleSet, rule, explained } = used;
  const told = openingOf(transitions, rule.once);
  const bounds = await deps.bus.bounds(deps.topic);
  const { partition } = opening.source;
  const log = bounds[partition];
  if (log === undefined) {
    const why = `the topic has ${bounds.length} partitions by now: partition ${partition} is gone`;
    return { ...unexplained(told, opening), rule: explained, why };
  }
  let ahead = aheadOf(transitions, rule, ruleSet, deps.bounds);
  let found = await reproduce(opening, told, used, log, ahead, deps);
  const startedAt = deps.clock();
  const late = () => deps.clock() - startedAt > deps.bounds.workMsMax;
  const tracing = { ruleSet, vehicle: opening.vehicle, turn: deps.turn, late };
  let trace = await traceRule(found.cut, rule, { ...tracing, live: found.live });
  let run = runOf(trace, rule, told.at);
  while (rule.once && !run.ended && found.more && ahead < deps.bounds.aheadMsMax) {
    ahead = Math.min(deps.bounds.aheadMsMax, ahead * GROWTH);
    found = await reproduce(opening, told, used, log, ahead, deps);
    trace = await traceRule(found.cut, rule, { ...tracing, live: found.live });
    run = runOf(trace, rule, told.at);
  }
  const { cut, live, same, terms } = found;
  const until = rule.once ? run.until : told.clearedAt;
  const proof = {
    ...{ opening: told, rule: explained, reproduced: same, sameTerms: terms },
    why: same ? "" : whyNotSame(opening, used, cut, log, found),
    log: trace.whole ? cut.read : { ...cut.read, cut: unfinished(cut.read.cut) },
    ...{ heldMs: opening.at - opening.onset, until },
    reaches: reachesOf(rule.when, opening.at, trace.rows),
    trace: shortened(trace, opening, deps.bounds.samplesMax),
  };
  if (!same) return { ...proof, thresholds: [], duration: null };
  const again = { ...deps, ruleSet, vehicle: opening.vehicle, live };
  return {
    ...proof,
    ...await nearest(cut, rule, standOf(transitions, until), trace, again, late),
  };
}

function standOf(transitions: readonly Transition[], until: number | null): Stand {
  const [{ onset, append }] = transitions;
  return {
    ...{ onset, until: until ?? Infinity, openedAppend: append },
    clearedAppend: transitions.find(({ kind }) => kind === "cleared")?.append ?? Infinity,
  };
}

/** What was cut, where samples were left out because time was up. */
export function unfinished(cut: string): string {
  const text = "not all samples were evaluated one by one: time was up";
  return cut === "" ? text : `${cut}; ${text}`;
}

/** A rule that was found, and where. */
interface UsedRule {
  readonly ruleSet: RuleSet;
  readonly rule: Rule;
  readonly explained: ExplainedRule;
}

function ruleOf({ rule: id, version }: Transition, rules: RuleSource): UsedRule | null {
  const own = versionOf(version, rules);
  const ruleSet = own ?? rules.current();
  const rule = ruleSet.rules.find((each) => each.id === id);
  if (rule === undefined) return null;
  return { ruleSet, rule, explained: explainedRule(rule, ruleSet, own === null) };
}

/** A version's rules; null where they are not known, or not understood any more. */
export function versionOf(version: string, rules: RuleSource): RuleSet | null {
  try {
    return rules.version(version);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** A rule as explanations tell it. */
export function explainedRule(rule: Rule, { version }: RuleSet, instead: boolean): ExplainedRule {
  const { id, source, forMs, maxGapMs, cooldownMs, once } = rule;
  const of = instead ? "current" : "its own";
  return { id, source, version, of, forMs, maxGapMs, cooldownMs, once };
}

function openingOf(transitions: readonly Transition[], once: boolean): ExplainedOpening {
  const [{ id, kind, vehicle, onset, at, append, message, source }] = transitions;
  const cleared = transitions.find((each) => each.kind === "cleared");
  const ended = once || cleared === undefined ? null : cleared;
  return {
    ...{ id, kind, vehicle, onset, at, append, message, source },
    clearedAt: ended?.at ?? null,
    reason: ended?.reason ?? null,
  };
}

/** What comes of evaluating again. */
interface Reproduced {
  readonly cut: Cut;
  /** Offset from which on it could open. */
  readonly live: number;
  readonly same: boolean;
  readonly terms: boolean;
  readonly transitions: readonly Transition[];
  /** Whether the log goes on behind what was read. */
  readonly more: boolean;
}

/** How far behind the opening the log is read at first, milliseconds of A. */
function aheadOf(
  transitions: readonly Transition[],
  rule: Rule,
  { settings }: RuleSet,
  { aheadMsMax }: ExplainBounds,
): number {
  const [opening] = transitions;
  const cleared = transitions.find((each) => each.kind === "cleared");
  if (rule.once) return Math.min(aheadMsMax, AFTER_MS);
  if (cleared === undefined) return aheadMsMax;
  const after = cleared.append - opening.append + settings.latenessMs + AFTER_MS;
  return Math.min(aheadMsMax, after);
}

/** The run of trues that opened an anomaly: its last T, and whether what was read shows its end. */
function runOf(
  { rows }: WholeTrace,
  { maxGapMs }: Rule,
  at: number,
): { readonly until: number; readonly ended: boolean } {
  let until = at;
  for (const { t, when, brought } of rows) {
    if (t <= at) continue;
    if (t - until > maxGapMs || brought && when === false) return { until, ended: true };
    if (brought && when === true) until = t;
  }
  return { until, ended: false };
}

/** Reads further and further back until the opening comes out again. */
async function reproduce(
  opening: Transition,
  told: ExplainedOpening,
  { ruleSet, rule, explained }: UsedRule,
  log: { readonly start: number; readonly end: number },
  aheadMs: number,
  deps: ExplainDependencies,
): Promise<Reproduced> {
  const { bus, topic, rules, bounds } = deps;
  const { source: { partition, offset }, vehicle } = opening;
  const opener = Number(offset);
  const budget = new ReadBudget(bounds.bytesMax, bounds.keptBytesMax);
  const after = opening.append + aheadMs;
  const to = Math.min(log.end, await bus.offsetAt(topic, partition, after + 1) + 1);
  const more = to < log.end;
  const active = rules.history.activations(partition).findLast((each) =>
    each.version === explained.version && each.offset <= opener
  );
  let best: Reproduced | null = null;
  let [before, tries] = [Infinity, 0];
  for (const fromMs of beginnings(opening, rule, ruleSet, bounds.backMsMax)) {
    const kept = Math.max(
      log.start,
      Math.min(opener, await bus.offsetAt(topic, partition, fromMs)),
    );
    if (kept >= before) continue;
    before = kept;
    const cut = await cutLog({
      ...{ bus, topic, partition, vehicle, from: Math.min(kept, to), to, budget },
      turn: deps.turn,
    });
    // A version that kept the rule as it was goes on with what stood; one that changed it does not.
    const lives = active === undefined || active.offset <= kept ? [0] : [active.offset, 0];
    for (const live of lives) {
      const transitions = await rerun(cut, [rule], { ...deps, ruleSet, vehicle, live });
      const same = transitions.find((each) => isSame(each, opening, told));
      const terms = same !== undefined &&
        JSON.stringify(same.terms) === JSON.stringify(opening.terms);
      const found = { cut, live, same: same !== undefined, terms, transitions, more };
      if (terms) return found;
      if (found.same || best?.same !== true) best = found;
    }
    if (budget.spent || kept === log.start || best?.same && tries++ >= TERM_TRIES_MAX) break;
  }
  if (best === null) throw new Error("Cannot explain: no part of the log was chosen");
  return best;
}

/** A reopening whose opening is not kept any more is known by its id alone. */
function isSame(again: Transition, opening: Transition, told: ExplainedOpening): boolean {
  return again.id === opening.id && again.onset === opening.onset && again.kind === told.kind &&
    again.at === opening.at;
}

/** Times of A to begin at, each earlier than the one before. */
function* beginnings(
  { onset, at, append }: Transition,
  rule: Rule,
  ruleSet: RuleSet,
  backMsMax: number,
): Generator<number> {
  const ahead = ruleSet.settings.maxClockAheadMs;
  const back = Math.max(BACK_MS_MIN, 2 * longestMs(rule, ruleSet));
  const first = append - (at - onset) - ahead;
  const least = append - backMsMax;
  for (let reach = back; first - reach > least; reach *= GROWTH) {
    yield first - reach;
    // A backlog's run may have begun long before the log shows it.
    if (onset - ahead < first) yield Math.max(least, onset - ahead - reach);
  }
  yield least;
}

function unexplained(opening: ExplainedOpening, { rule, version }: Transition): Proof {
  return {
    ...{ opening, rule: null, reproduced: false, sameTerms: false, log: null, trace: null },
    why: `neither version ${version} nor the current one is known to have a rule "${rule}"`,
    ...{ heldMs: opening.at - opening.onset, until: opening.clearedAt },
    ...{ reaches: [], thresholds: [], duration: null },
  };
}

function whyNotSame(
  opening: Transition,
  { explained }: UsedRule,
  { read }: Cut,
  log: { readonly start: number },
  { transitions }: Reproduced,
): string {
  const { source: { offset } } = opening;
  const reasons: string[] = [];
  if (explained.of === "current") {
    reasons.push(
      `version ${opening.version} is not known, so that version ${explained.version} was ` +
        "evaluated instead",
    );
  }
  const since = read.fromMs === null ? "" : `, of ${new Date(read.fromMs).toISOString()}`;
  if (Number(offset) < log.start) {
    reasons.push(
      `the sample that opened it, offset ${offset}, is gone by the retention: the log is kept ` +
        `from offset ${log.start}${since} on`,
    );
  } else if (read.cut !== "") reasons.push(read.cut);
  else if (read.from === log.start && log.start > 0) {
    reasons.push(
      `the log is kept from offset ${log.start}${since} on, and what came before bears on it`,
    );
  }
  const near = transitions.findLast((each) => each.at <= opening.at && each.kind !== "cleared");
  if (reasons.length === 0) {
    reasons.push(
      `evaluating from offset ${read.from}${since} on, ` +
        (near === undefined ? "nothing opens" : (
          `anomaly ${near.id} is ${near.kind} at ${new Date(near.at).toISOString()} instead`
        )) + ": what came before, or other vehicles by the limits of the settings, bears on it",
    );
  }
  return reasons.join("; ");
}

async function nearest(
  cut: Cut,
  rule: Rule,
  stand: Stand,
  trace: WholeTrace,
  options: RerunOptions,
  late: () => boolean,
): Promise<Pick<Proof, "thresholds" | "duration">> {
  const trial: Trial = async (variants) => {
    // Of a trace that was cut short not all values are known that decide.
    if (late() || !trace.whole) return null;
    if (variants.length === 0) return [];
    const named = variants.map((each, i) => ({ ...each, id: String(i) }));
    const transitions = await rerun(cut, named, options);
    return named.map((each) => firesWithin(transitions, each, stand));
  };
  const thresholds: Proof["thresholds"][number][] = [];
  for (const { limit, observed } of trace.limits) {
    thresholds.push(await nearestLimit(rule, limit, observed, trial));
  }
  const times = trace.rows.map(({ t }) => t);
  const first = times.reduce((a, b) => Math.min(a, b), Infinity);
  const span = times.reduce((a, b) => Math.max(a, b), -Infinity) - first;
  return { thresholds, duration: await nearestDuration(rule, Math.max(0, span), trial) };
}

/** The samples from shortly before the onset to shortly after the opening. */
export function shortened(
  { rows, signals, parts }: WholeTrace,
  { onset, source, at, append }: Pick<Transition, "onset" | "source" | "at" | "append">,
  samplesMax: number,
): Trace {
  const heads = parts.map(({ head }) => head);
  const named = signals.map(({ name, unit }) => ({ name, unit }));
  const opener = rows.findLastIndex((row) =>
    row.offset === source.offset && row.index === source.index && row.append === append &&
    row.when === true
  );
  const middle = opener < 0 ? rows.findLastIndex((row) => row.t <= at) : opener;
  const begin = rows.findIndex((row) => row.t >= onset);
  const beside = Math.min(4, samplesMax >> 2);
  const from = Math.max(0, (begin < 0 ? middle : Math.min(begin, middle)) - beside);
  const chosen = rows.slice(from, middle + 1 + beside);
  const omitted = Math.max(0, chosen.length - samplesMax);
  const head = samplesMax - (samplesMax >> 1);
  const samples = omitted === 0
    ? chosen
    : [...chosen.slice(0, head), ...chosen.slice(head + omitted)];
  return { signals: named, terms: heads, samples, omitted, omittedAfter: omitted === 0 ? 0 : head };
}
