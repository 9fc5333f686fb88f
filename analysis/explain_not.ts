/** Why a rule did not fire for a vehicle at a time: evaluated anew from the log. */
import type { EvaluatedSample, Hindrance, Known, Refutation } from "../contract/explanation.ts";
import type { Transition } from "../contract/anomaly.ts";
import type { Condition, Rule, RuleSet } from "../rules-wasm/language/ast.ts";
import { hasAbsent, signalsOf } from "../rules-wasm/language/brings.ts";
import { vehicleFilter } from "../rules-wasm/vehicle_filter.ts";
import {
  BACK_MS_MIN,
  type ExplainDependencies,
  explainedRule,
  GROWTH,
  shortened,
  unfinished,
  versionOf,
} from "./explain.ts";
import { type Cut, cutLog, ReadBudget } from "./explain_cut.ts";
import { longestMs } from "./explain_reach.ts";
import { type TermPart, traceRule, type WholeTrace } from "./explain_trace.ts";

/** What is asked. */
export interface Question {
  readonly rule: string;
  readonly vehicle: string;
  /** T, epoch milliseconds. */
  readonly time: number;
  /** Partition that the vehicle's id belongs to. */
  readonly partition: number;
}

/** The answer, or that no version at hand has such a rule; then the ids that there are. */
export type Answer = Refutation | { readonly rules: readonly string[] };

/** Samples may come this much later than their T and still be read, milliseconds. */
const AHEAD_MS = 600_000;

/** Tells why a rule did not fire; it may have, after all. */
export async function explainAbsence(
  question: Question,
  deps: ExplainDependencies,
): Promise<Answer> {
  const { bus, topic, rules } = deps;
  const { partition, time } = question;
  const near = await bus.offsetAt(topic, partition, time);
  const activations = rules.history.activations(partition);
  const active = activations.findLast(({ offset }) => offset <= near) ?? activations.at(0);
  const own = active === undefined ? null : versionOf(active.version, rules);
  const ruleSet = own ?? rules.current();
  const rule = ruleSet.rules.find(({ id }) => id === question.rule);
  if (rule === undefined) return { rules: ruleSet.rules.map(({ id }) => id) };
  const live = own === null ? 0 : active?.offset ?? 0;
  const { cut, trace } = await traceBefore(question, rule, ruleSet, live, deps);
  const explained = explainedRule(rule, ruleSet, active !== undefined && own === null);
  const found = judge(question, rule, trace, cut, live);
  const { t: at, append, offset, index } = found.sample ??
    { t: time, append: time, offset: "", index: 0 };
  const place = { onset: found.runFrom ?? at, at, append };
  const source = { partition, offset, index };
  return {
    ...{ rule: explained, vehicle: question.vehicle, time },
    ...found,
    log: trace.whole ? cut.read : { ...cut.read, cut: unfinished(cut.read.cut) },
    trace: shortened(trace, { ...place, source }, deps.bounds.samplesMax),
  };
}

/** Reads further and further back until every signal named has come, or there is no more. */
async function traceBefore(
  { vehicle, partition, time }: Question,
  rule: Rule,
  ruleSet: RuleSet,
  live: number,
  deps: ExplainDependencies,
): Promise<{ readonly cut: Cut; readonly trace: WholeTrace }> {
  const { bus, topic, bounds, turn } = deps;
  const log = (await bus.bounds(topic))[partition] ?? { start: 0, end: 0 };
  const { latenessMs, maxClockAheadMs } = ruleSet.settings;
  const until = time + Math.min(bounds.aheadMsMax, AHEAD_MS + latenessMs);
  const to = Math.min(log.end, await bus.offsetAt(topic, partition, until) + 1);
  const budget = new ReadBudget(bounds.bytesMax, bounds.keptBytesMax);
  const startedAt = deps.clock();
  const late = () => deps.clock() - startedAt > bounds.workMsMax;
  const first = time - maxClockAheadMs;
  let reach = Math.max(BACK_MS_MIN, 2 * longestMs(rule, ruleSet));
  for (;;) {
    reach = Math.min(reach, bounds.backMsMax);
    const from = Math.max(log.start, await bus.offsetAt(topic, partition, first - reach));
    const place = { bus, topic, partition, vehicle, from: Math.min(from, to), to };
    const cut = await cutLog({ ...place, budget, turn });
    const trace = await traceRule(cut, rule, { ruleSet, vehicle, live, late, turn });
    const last = trace.rows.findLast(({ t }) => t <= time);
    const known = last !== undefined && last.came.every((t) => t !== null);
    const most = reach >= bounds.backMsMax || from === log.start || budget.spent || late();
    if (known || most) return { cut, trace };
    reach *= GROWTH;
  }
}

type Judgement = Pick<
  Refutation,
  "why" | "text" | "sample" | "hindrances" | "runFrom" | "heldMs" | "anomaly"
>;

function judge(
  { vehicle, time }: Question,
  rule: Rule,
  trace: WholeTrace,
  { read }: Cut,
  live: number,
): Judgement {
  const nothing = { sample: null, hindrances: [], runFrom: null, heldMs: null, anomaly: null };
  if (!vehicleFilter(rule.vehicles)(vehicle)) {
    const text = `the rule is limited to ${rule.vehicles.join(", ")}`;
    return { ...nothing, why: "other vehicles", text };
  }
  const until = trace.rows.findLastIndex(({ t }) => t <= time);
  if (trace.rows.length === 0) {
    const text = `partition ${read.partition}, where its id belongs, holds no sample of it from ` +
      `offset ${read.from} to ${read.to}`;
    return { ...nothing, why: "vehicle unknown", text };
  }
  const at = trace.rows.slice(0, until + 1).findLastIndex(({ brought }) => brought);
  const sample = trace.rows[at];
  const next = trace.rows.find(({ t, brought }) => t > time && brought);
  if (sample === undefined || !hasAbsent(rule.when) && time - sample.t > rule.maxGapMs) {
    const parts = [
      sample === undefined ? "" : `the last before came at ${iso(sample.t)}`,
      next === undefined ? "" : `the next at ${iso(next.t)}`,
    ].filter((part) => part !== "");
    const text = "no sample near that time carries a signal that the rule names" +
      (parts.length === 0 ? "" : `; ${parts.join(", ")}`);
    return { ...nothing, why: "no sample", text, sample: sample ?? null };
  }
  const before = trace.transitions.filter((each) => isUpTo(each, trace.rows, at));
  const run = runAt(trace.rows, at, rule, before);
  const runFrom = run === null ? null : run.from;
  const heldMs = run === null ? null : sample.t - run.from;
  const found = { ...nothing, sample, runFrom, heldMs };
  const last = before.findLast(({ kind }) => kind === "opened" || kind === "reopened");
  const ended = before.findLast(({ kind }) => kind === "cleared");
  if (last !== undefined && isCausedBy(last, sample)) {
    const text = `it did fire: anomaly ${last.id} ${last.kind} at ${iso(last.at)}`;
    return { ...found, why: "fired", text, anomaly: last.id };
  }
  const open = last !== undefined && !rule.once &&
    (ended === undefined || before.indexOf(ended) < before.indexOf(last));
  if (last !== undefined && open) {
    const text = `anomaly ${last.id} stood open already, since ${iso(last.at)}`;
    return { ...found, why: "open", text, anomaly: last.id };
  }
  if (sample.when !== true) {
    const hindrances = hindrancesOf(rule.when, trace, sample);
    const text = `its condition was ${sample.when === null ? "unknown" : "false"} at the sample ` +
      `of ${iso(sample.t)}`;
    return { ...found, why: "condition", text, hindrances };
  }
  if (heldMs !== null && heldMs < rule.forMs) {
    const text = `its condition had held for ${heldMs} ms of ${rule.forMs} ms, since ${
      iso(sample.t - heldMs)
    }`;
    return { ...found, why: "duration", text };
  }
  if (rule.once && last !== undefined && runFrom !== null && last.at >= runFrom) {
    const text = `it had fired already while its condition held, at ${iso(last.at)}`;
    return { ...found, why: "fired before", text, anomaly: last.id };
  }
  if (rule.once && last !== undefined && sample.t <= last.at + rule.cooldownMs) {
    const text = `it had fired at ${iso(last.at)}, and its cooldown lasts until ${
      iso(last.at + rule.cooldownMs)
    }`;
    return { ...found, why: "cooldown", text, anomaly: last.id };
  }
  const text = `these rules came into force at offset ${live}, behind that sample`;
  return { ...found, why: "not in force", text };
}

function isCausedBy({ source, append }: Transition, row: EvaluatedSample): boolean {
  return source.offset === row.offset && source.index === row.index && append === row.append;
}

/** Whether a transition came with an evaluation up to one. */
function isUpTo(each: Transition, rows: readonly EvaluatedSample[], at: number): boolean {
  const cause = rows.findIndex((row) => isCausedBy(each, row));
  return cause >= 0 ? cause <= at : each.append <= rows[at].append;
}

/** Trues without a false between them; T. */
interface Run {
  readonly from: number;
  readonly to: number;
}

/** The run of trues that stands at an evaluation. */
function runAt(
  rows: readonly EvaluatedSample[],
  at: number,
  rule: Rule,
  before: readonly Transition[],
): Run | null {
  const cleared = before.findLast(({ kind }) => kind === "cleared");
  const first = cleared === undefined
    ? 0
    : rows.findLastIndex((row) => isCausedBy(cleared, row)) + 1;
  let run: Run | null = null;
  for (const { t, when, brought } of rows.slice(first, at + 1)) {
    if (!brought || when === null) continue;
    const from: number = when && run !== null && t - run.to <= rule.maxGapMs ? run.from : t;
    run = when ? { from, to: t } : null;
  }
  return run;
}

/** The terms that would have had to be otherwise. */
function hindrancesOf(
  when: Condition,
  trace: WholeTrace,
  sample: EvaluatedSample,
): readonly Hindrance[] {
  const { parts } = trace;
  const found: Hindrance[] = [];
  const look = (node: Condition, wanted: boolean): void => {
    if (truthAt(node, parts, sample) === wanted) return;
    const at = parts.findIndex(({ condition }) => condition === node);
    if (at >= 0) {
      const { value, limit, truth } = sample.terms[at];
      const numbers = typeof value === "number" && typeof limit === "number";
      const { text: term, unit } = parts[at].head;
      const difference = numbers ? value - limit : null;
      const unknown = truth === null ? unknownText(parts[at], trace, sample) : "";
      found.push({ term, unit, truth, wanted, value, limit, difference, unknown });
    } else if (node.kind === "and" || node.kind === "or") {
      look(node.left, wanted);
      look(node.right, wanted);
    } else if (node.kind === "not") look(node.of, !wanted);
  };
  look(when, true);
  return found;
}

function truthAt(node: Condition, parts: readonly TermPart[], sample: EvaluatedSample): Known {
  const at = parts.findIndex(({ condition }) => condition === node);
  if (at >= 0) return sample.terms[at].truth;
  switch (node.kind) {
    case "boolean":
      return node.value;
    case "not": {
      const of = truthAt(node.of, parts, sample);
      return of === null ? null : !of;
    }
    case "and":
    case "or": {
      const both = [truthAt(node.left, parts, sample), truthAt(node.right, parts, sample)];
      const decides = node.kind === "or";
      if (both.includes(decides)) return decides;
      return both.includes(null) ? null : !decides;
    }
    default:
      return null;
  }
}

function unknownText(
  { condition }: TermPart,
  { signals, named }: WholeTrace,
  sample: EvaluatedSample,
): string {
  const reasons = signalsOf(condition).flatMap((signal) => {
    const i = named.indexOf(signal);
    const came = sample.came[i];
    const { name, staleAfterMs } = signals[i];
    if (came === null) return [`${name} never came`];
    if (sample.values[i] !== null) return [];
    return [`${name} is stale: it last came at ${iso(came)}, and counts for ${staleAfterMs} ms`];
  });
  return reasons.length > 0 ? reasons.join("; ") : "what it looks back on is not known yet";
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
