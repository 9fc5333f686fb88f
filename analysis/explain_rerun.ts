/** Evaluates rules again over a cut of the log: on the kernel, and sample by sample. */
import { decodeTransition, type Transition } from "../contract/anomaly.ts";
import type { Engine } from "../rules-wasm/engine_port.ts";
import type { Condition, Rule, RuleSet } from "../rules-wasm/language/ast.ts";
import { expressionsOf, signalsOf } from "../rules-wasm/language/brings.ts";
import type { Cut } from "./explain_cut.ts";

/** What evaluating again needs. */
export interface RerunOptions {
  readonly ruleSet: RuleSet;
  readonly vehicle: string;
  /** Offset of the first record that may open anything; earlier ones warm. */
  readonly live: number;
  readonly createEngine: (ruleSet: RuleSet, options: { readonly partition: number }) => Engine;
  readonly turn: () => Promise<void>;
}

/** The vehicle's transitions under some rules of a set, in their order. */
export async function rerun(
  cut: Cut,
  rules: readonly Rule[],
  options: RerunOptions,
): Promise<Transition[]> {
  const engine = options.createEngine(among(options.ruleSet, rules), {
    partition: cut.read.partition,
  });
  const found: Transition[] = [];
  for (const { input, warm } of cut.inputs(options.live)) {
    for (const { value } of engine.push(input, warm ? "warm" : "live").anomalies) {
      const transition = decodeTransition(value);
      if (transition.vehicle === options.vehicle) found.push(transition);
    }
    await options.turn();
  }
  return found;
}

/**
 * The set with these rules alone. Which samples are duplicates depends on all signals that any rule
 * names: a rule that never fires names them still.
 */
export function among(ruleSet: RuleSet, rules: readonly Rule[]): RuleSet {
  const all = new Set(ruleSet.rules.flatMap(expressionsOf).flatMap(signalsOf));
  for (const signal of rules.flatMap(expressionsOf).flatMap(signalsOf)) all.delete(signal);
  const [first] = rules;
  if (all.size === 0 || first === undefined) return { ...ruleSet, rules };
  let when: Condition = { kind: "boolean", value: false };
  for (const signal of all) {
    const value = { kind: "signal", signal, type: ruleSet.catalog.signals[signal].type } as const;
    const same: Condition = {
      ...{ kind: "compare", op: "==", left: value, right: value },
      term: { text: "", unit: "" },
    };
    when = { kind: "and", left: when, right: same };
  }
  const silent: Rule = {
    ...first,
    ...{ id: "", when, clear: null, forMs: 0, once: false, levels: [], message: [], terms: [] },
  };
  return { ...ruleSet, rules: [...rules, silent] };
}

/** Where an anomaly stands: in T, and in A, since T comes again after a clock was reset. */
export interface Stand {
  /** T, both included; Infinity: not ended yet. */
  readonly onset: number;
  readonly until: number;
  /** A of its opening, and of its clearing; Infinity: not cleared yet. */
  readonly openedAppend: number;
  readonly clearedAppend: number;
}

/** Whether a rule opens within an anomaly's time, or stood open before and still does then. */
export function firesWithin(transitions: readonly Transition[], rule: Rule, stand: Stand): boolean {
  let openedAt = NaN;
  for (const { kind, at, append, rule: id } of transitions) {
    if (id !== rule.id || append > stand.clearedAppend) continue;
    if (kind === "opened" || kind === "reopened") {
      if (at >= stand.onset && at <= stand.until) return true;
      // What opens later on at an earlier T does so on a clock that was reset.
      if (!rule.once && append <= stand.openedAppend) openedAt = at;
    } else if (kind === "cleared") {
      if (openedAt < stand.onset && at > stand.onset) return true;
      openedAt = NaN;
    }
  }
  return openedAt < stand.onset;
}
