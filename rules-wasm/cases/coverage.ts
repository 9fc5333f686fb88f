/**
 * Which rules tests opened and cleared, and which terms of `when` were ever true or false.
 *
 * Each term is run as two rules of its own, one for it and one for its negation, by the engine that
 * runs the tests.
 */
import type { Transition } from "../../contract/anomaly.ts";
import type { Condition, Rule, RuleSet } from "../language/ast.ts";
import type { RuleCase } from "./case_file.ts";
import { caseRecords, evaluate } from "./run_case.ts";

/** What tests did to one term of a rule. */
export interface TermCoverage {
  readonly text: string;
  readonly wasTrue: boolean;
  readonly wasFalse: boolean;
}

/** What tests did to one rule. */
export interface RuleCoverage {
  readonly rule: string;
  readonly opened: boolean;
  /** Null for a point event, which never clears. */
  readonly cleared: boolean | null;
  readonly terms: readonly TermCoverage[];
}

interface Probe {
  readonly rule: Rule;
  readonly term: string;
  readonly number: number;
  readonly is: boolean;
}

/** Gathers coverage of a rule set over tests. */
export class Coverage {
  readonly #opened = new Set<string>();
  readonly #cleared = new Set<string>();
  readonly #probes = new Map<string, Probe>();
  readonly #seen = new Set<string>();
  /** Of each probe, in their order. */
  readonly #conditions: Condition[] = [];
  readonly #probing: RuleSet;

  constructor(readonly rules: RuleSet) {
    for (const rule of rules.rules) {
      for (const [number, { condition, text }] of termsOf(rule).entries()) {
        for (const is of [true, false]) {
          const probe = { rule, term: text, number, is };
          this.#probes.set(`${this.#probes.size}`, probe);
          this.#conditions.push(is ? condition : { kind: "not", of: condition });
        }
      }
    }
    this.#probing = {
      ...rules,
      rules: [...this.#probes].map(([id, probe], i) => this.#asRule(id, probe, i)),
    };
  }

  /** Takes in a test with the transitions that came of it. */
  take(test: RuleCase, transitions: readonly Transition[]): void {
    for (const { rule, kind } of transitions) {
      if (kind === "opened") this.#opened.add(rule);
      if (kind === "cleared") this.#cleared.add(rule);
    }
    if (this.#probes.size === 0) return;
    const records = caseRecords(test, this.#probing);
    for (const { rule } of evaluate(this.#probing, records)) this.#seen.add(rule);
  }

  /** What was covered, in the order of the rules. */
  report(): readonly RuleCoverage[] {
    const probes = [...this.#probes];
    return this.rules.rules.map((rule) => {
      const own = probes.filter(([, probe]) => probe.rule === rule);
      const was = (number: number, is: boolean) =>
        own.some(([id, probe]) => probe.number === number && probe.is === is && this.#seen.has(id));
      return {
        rule: rule.id,
        opened: this.#opened.has(rule.id),
        cleared: rule.once ? null : this.#cleared.has(rule.id),
        terms: own.filter(([, { is }]) => is).map(([, { term, number }]) => ({
          text: term,
          wasTrue: was(number, true),
          wasFalse: was(number, false),
        })),
      };
    });
  }

  /** A rule that opens at the first sample on which the probe holds. */
  #asRule(id: string, { rule }: Probe, i: number): Rule {
    return {
      ...rule,
      id,
      when: this.#conditions[i],
      clear: null,
      forMs: 0,
      clearForMs: 0,
      cooldownMs: 0,
      once: true,
      severity: "info",
      levels: [],
      message: [],
      terms: [],
    };
  }
}

/** The parts of `when` between its `and`, `or` and `not`, constants left out. */
function termsOf(rule: Rule): readonly { readonly condition: Condition; readonly text: string }[] {
  const found: { condition: Condition; text: string }[] = [];
  const walk = (condition: Condition): void => {
    switch (condition.kind) {
      case "and":
      case "or":
        walk(condition.left);
        walk(condition.right);
        return;
      case "not":
        walk(condition.of);
        return;
      case "boolean":
        return;
      case "compare":
        found.push({ condition, text: condition.term.text });
        return;
      default: {
        const own = rule.terms.find((term) => term.kind === "condition" && term.of === condition);
        found.push({ condition, text: own?.kind === "condition" ? own.text : condition.kind });
      }
    }
  };
  walk(rule.when);
  return found;
}
