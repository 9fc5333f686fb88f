/**
 * Holds what explanations say would not have fired against whole logs: with the limit that is named
 * the anomaly is gone, one step nearer to the rule's own limit it is not, and between the two
 * nothing else has changed.
 */
import { explain, EXPLAIN_BOUNDS } from "../analysis/explain.ts";
import { type Limit, limitsOf, withLimit } from "../analysis/explain_limits.ts";
import { among } from "../analysis/explain_rerun.ts";
import { logBus } from "../analysis/log_bus_fixture.ts";
import { decodeTransition, type Transition } from "../contract/anomaly.ts";
import type { Proof } from "../contract/explanation.ts";
import { RuleHistory } from "../contract/rule_versions.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { Rule, RuleSet } from "../rules-wasm/language/ast.ts";
import { asBatch, type LogRecord } from "../rules-wasm/reference/random_log.ts";
import type { RuleSource } from "../rules-wasm/rule_source.ts";

/** Records given to an engine at a time. */
const RECORDS_MAX = 2_000;
/** Variants of rules that run beside one another. */
const VARIANTS_MAX = 120;

/** What was counted; `faults` tells each claim that did not hold. */
export interface Silencing {
  anomalies: number;
  /** Limits named, and those that held. */
  limits: number;
  limitsAgreed: number;
  durations: number;
  durationsAgreed: number;
  /** Limits of which it is said that none would do, and of which the furthest did not. */
  without: number;
  withoutAgreed: number;
  /** Others that go with it, since the same value decides them. */
  ties: number;
  /** Firings of a point event that its cooldown swallowed, or that it swallows in turn. */
  swallowed: number;
  readonly faults: string[];
}

/** Nothing counted yet. */
export function emptySilencing(): Silencing {
  return {
    ...{ anomalies: 0, limits: 0, limitsAgreed: 0, durations: 0, durationsAgreed: 0 },
    ...{ without: 0, withoutAgreed: 0, ties: 0, swallowed: 0, faults: [] },
  };
}

/** All transitions of rules over a log, and a tick at its end. */
export function transitionsOf(ruleSet: RuleSet, log: readonly LogRecord[]): Transition[] {
  const engine = createEngine(ruleSet, { partition: 0 });
  const found: Transition[] = [];
  const push = (records: readonly LogRecord[], from: number, to: number) => {
    for (const { value } of engine.push(asBatch(records, from, to)).anomalies) {
      found.push(decodeTransition(value));
    }
  };
  for (let at = 0; at < log.length; at += RECORDS_MAX) {
    push(log, at, Math.min(log.length, at + RECORDS_MAX));
  }
  const last = log.at(-1)?.append ?? 0;
  push([{ value: new Uint8Array(0), append: last }], 0, 1);
  return found;
}

/** A claim of a proof as rules to run. */
interface Trial {
  readonly proof: Proof;
  readonly rule: Rule;
  readonly kind: "limit" | "duration" | "without";
  /** Number of the limit in `when`. */
  readonly limit: number;
  /** What has to fire, and what must not; null where every limit fires. */
  readonly fires: Rule;
  readonly silent: Rule | null;
  readonly said: string;
}

/** Explains some anomalies of one vehicle's log and checks every claim. */
export class SilencingCheck {
  readonly #proofs = new Map<string, Promise<Proof>>();
  readonly #all: readonly Transition[];

  /**
   * @param all what the rules give over the whole log
   * @param twist changes proofs before they are checked: wrong ones have to be found
   */
  constructor(
    readonly ruleSet: RuleSet,
    readonly log: readonly LogRecord[],
    all: readonly Transition[],
    readonly countsOf: (rule: string) => Silencing,
    readonly twist: (proof: Proof) => Proof = (proof) => proof,
  ) {
    this.#all = all;
  }

  /** Checks these openings. */
  async check(openings: readonly Transition[]): Promise<void> {
    const trials: Trial[] = [];
    for (const opening of openings) {
      const proof = await this.#proofOf(opening);
      const rule = this.ruleSet.rules.find(({ id }) => id === opening.rule);
      if (rule === undefined || !proof.reproduced) {
        const fault = `${nameOf(opening)} does not come out again: ${proof.why}`;
        this.countsOf(opening.rule).faults.push(fault);
        continue;
      }
      this.countsOf(rule.id).anomalies++;
      trials.push(...trialsOf(proof, rule));
    }
    for (let at = 0; at < trials.length; at += VARIANTS_MAX / 2) {
      await this.#run(trials.slice(at, at + VARIANTS_MAX / 2));
    }
  }

  #proofOf(opening: Transition): Promise<Proof> {
    const known = this.#proofs.get(opening.id);
    if (known !== undefined) return known;
    const own = this.#all.filter(({ id }) => id === opening.id);
    const explained = explain(own, {
      bus: logBus(this.log),
      topic: "vehicle.telemetry",
      rules: sourceOf(this.ruleSet),
      createEngine,
      bounds: EXPLAIN_BOUNDS,
      clock: () => 0,
      turn: () => Promise.resolve(),
    });
    const proof = explained.then(this.twist);
    this.#proofs.set(opening.id, proof);
    return proof;
  }

  async #run(trials: readonly Trial[]): Promise<void> {
    const variants = trials.flatMap(({ fires, silent }, i) => [
      { ...fires, id: `fires.${i}` },
      ...(silent === null ? [] : [{ ...silent, id: `silent.${i}` }]),
    ]);
    const byRule = Map.groupBy(
      transitionsOf(among(this.ruleSet, variants), this.log),
      ({ rule, vehicle }) => `${rule} ${vehicle}`,
    );
    for (const [i, trial] of trials.entries()) {
      const { vehicle } = trial.proof.opening;
      const fires = byRule.get(`fires.${i} ${vehicle}`) ?? [];
      await this.#judge(trial, fires, byRule.get(`silent.${i} ${vehicle}`) ?? []);
    }
  }

  async #judge(
    trial: Trial,
    fires: readonly Transition[],
    silent: readonly Transition[],
  ): Promise<void> {
    const counted = this.countsOf(trial.rule.id);
    const faults: string[] = [];
    const { opening } = trial.proof;
    const until = trial.proof.until ?? Infinity;
    const stands = (all: readonly Transition[]) => standsWithin(all, trial.rule, opening, until);
    if (!stands(fires)) faults.push("a step nearer to the rule's own it does not fire either");
    if (trial.silent !== null && stands(silent)) faults.push("it fires there too");
    if (trial.kind === "limit" && faults.length === 0) {
      faults.push(...await this.#others(trial, fires, silent, until));
    }
    const agreed = faults.length === 0 ? 1 : 0;
    if (trial.kind === "limit") {
      counted.limits++;
      counted.limitsAgreed += agreed;
    } else if (trial.kind === "duration") {
      counted.durations++;
      counted.durationsAgreed += agreed;
    } else {
      counted.without++;
      counted.withoutAgreed += agreed;
    }
    const head = `${trial.rule.id} of ${nameOf(opening)}, ${trial.said}`;
    counted.faults.push(...faults.map((fault) => `${head}: ${fault}`));
  }

  /** What else differs between a step before the limit and the limit itself. */
  async #others(
    trial: Trial,
    fires: readonly Transition[],
    silent: readonly Transition[],
    until: number,
  ): Promise<string[]> {
    const { rule, proof } = trial;
    const { opening } = proof;
    const known = this.#all.filter((each) =>
      each.kind === "opened" && each.rule === rule.id && each.vehicle === opening.vehicle
    );
    const own = openingsOf(fires).map(({ at }) => at)
      .filter((at) => at >= opening.onset && at <= until);
    const isSwallowed = (at: number) =>
      rule.once && own.some((before) => at > before && at - before <= rule.cooldownMs);
    const faults: string[] = [];
    for (const [i, other] of known.entries()) {
      if (other.id === opening.id) continue;
      // Few differ at all: only those are explained.
      const next = known.at(i + 1)?.onset ?? Infinity;
      const [before, after] = [fires, silent].map((all) =>
        openingsOf(all).map(({ at }) => at).filter((at) => at >= other.onset && at < next).join()
      );
      if (before === after) continue;
      const its = await this.#proofOf(other);
      const ends = its.until ?? Infinity;
      const [stood, stands] = [fires, silent].map((all) => standsWithin(all, rule, other, ends));
      if (stood === stands) continue;
      const nearest = its.thresholds[trial.limit]?.nearest?.silentAt;
      if (nearest === proof.thresholds[trial.limit]?.nearest?.silentAt) {
        this.countsOf(rule.id).ties++;
      } else if (isSwallowed(other.at)) {
        // The cooldown of a point event counts from its last opening: one that is gone lets the
        // next one through, which swallows another.
        own.push(other.at);
        this.countsOf(rule.id).swallowed++;
      } else faults.push(`the anomaly at ${iso(other.at)} ${stands ? "comes" : "goes"} too`);
    }
    return faults;
  }
}

function trialsOf(proof: Proof, rule: Rule): Trial[] {
  const limits = limitsOf(rule.when);
  const found: Trial[] = [];
  for (const [i, { term, nearest, why }] of proof.thresholds.entries()) {
    const limit = limits[i];
    if (nearest === null) {
      for (const value of furthest(limit)) {
        const fires = withLimit(rule, limit, value);
        const said = `${term}: ${why}`;
        found.push({ proof, rule, kind: "without", limit: i, fires, silent: null, said });
      }
      continue;
    }
    found.push({
      ...{ proof, rule, kind: "limit", limit: i },
      fires: withLimit(rule, limit, nearest.firesAt),
      silent: withLimit(rule, limit, nearest.silentAt),
      said: `${term}: silent at ${nearest.silentAt}, fires at ${nearest.firesAt}`,
    });
  }
  const nearestMs = proof.duration?.nearestMs ?? null;
  if (nearestMs !== null) {
    found.push({
      ...{ proof, rule, kind: "duration", limit: -1 },
      fires: { ...rule, forMs: nearestMs - 1 },
      silent: { ...rule, forMs: nearestMs },
      said: `for ${nearestMs} ms`,
    });
  }
  return found;
}

/** The limits that are the strictest. */
function furthest({ stricter }: Limit): readonly number[] {
  switch (stricter) {
    case "above":
      return [Number.MAX_VALUE];
    case "below":
      return [-Number.MAX_VALUE];
    case "either":
      return [Number.MAX_VALUE, -Number.MAX_VALUE];
  }
}

/** Whether something opens between onset and clearing, or stands open then. */
function standsWithin(
  all: readonly Transition[],
  rule: Rule,
  { onset }: { readonly onset: number },
  until: number,
): boolean {
  return openingsOf(all).some((each) => {
    if (each.at >= onset) return each.at <= until;
    if (rule.once) return false;
    const cleared = all.slice(all.indexOf(each)).find(({ kind }) => kind === "cleared");
    return (cleared?.at ?? Infinity) > onset;
  });
}

function openingsOf(all: readonly Transition[]): Transition[] {
  return all.filter(({ kind }) => kind === "opened" || kind === "reopened");
}

function nameOf({ id, vehicle, at }: Pick<Transition, "id" | "vehicle" | "at">): string {
  return `${vehicle} at ${iso(at)} (${id})`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function sourceOf(ruleSet: RuleSet): RuleSource {
  return {
    current: () => ruleSet,
    version: () => ruleSet,
    history: new RuleHistory(),
    catchUp: () => Promise.resolve(),
    onChange: () => () => {},
  };
}
