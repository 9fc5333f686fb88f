/** Evaluates a rule again sample by sample, by the reference, and keeps what every term was. */
import type { EvaluatedSample, Shown, TermCell, TermHead } from "../contract/explanation.ts";
import type { Signal } from "../contract/catalog.ts";
import type { Transition } from "../contract/anomaly.ts";
import { decodeTransition } from "../contract/anomaly.ts";
import type { Condition, Rule, RuleSet } from "../rules-wasm/language/ast.ts";
import { signalsOf } from "../rules-wasm/language/brings.ts";
import { createReferenceEngine, type Observer } from "../rules-wasm/reference/engine.ts";
import type { Cut } from "./explain_cut.ts";
import { type Limit, limitsOf } from "./explain_limits.ts";
import { among } from "./explain_rerun.ts";

/** Records evaluated before others get their turn: the reference is slow. */
const RECORDS_MAX = 100;

/** What a trace is made with. */
export interface TraceOptions {
  readonly ruleSet: RuleSet;
  readonly vehicle: string;
  readonly live: number;
  /** Whether time is up; then the trace ends where it is. */
  readonly late: () => boolean;
  readonly turn: () => Promise<void>;
}

/** A term of `when`: the part of the tree that it is. */
export interface TermPart {
  readonly head: TermHead;
  readonly condition: Condition;
}

/** Everything that was evaluated, in its order. */
export interface WholeTrace {
  readonly signals: readonly Signal[];
  /** Their numbers in the catalog. */
  readonly named: readonly number[];
  readonly parts: readonly TermPart[];
  readonly rows: readonly EvaluatedSample[];
  readonly transitions: readonly Transition[];
  readonly limits: readonly { readonly limit: Limit; readonly observed: ReadonlySet<number> }[];
  /** Whether it came to the end of the cut. */
  readonly whole: boolean;
}

/** Evaluates the rule over the cut. */
export async function traceRule(
  cut: Cut,
  rule: Rule,
  options: TraceOptions,
): Promise<WholeTrace> {
  const { ruleSet, vehicle } = options;
  const named = signalsOf(rule.when);
  const signals = named.map((number) => ruleSet.catalog.signals[number]);
  const parts = partsOf(rule);
  const limits = limitsOf(rule.when).map((limit) => ({ limit, observed: new Set<number>() }));
  const rows: EvaluatedSample[] = [];
  let last = "";
  const observe: Observer = (id, cause, values) => {
    if (id !== vehicle) return;
    const place = `${cause.offset} ${cause.index}`;
    rows.push({
      cause: place === last ? "time" : "sample",
      ...{ t: cause.t, append: cause.append, offset: String(cause.offset), index: cause.index },
      values: named.map((signal, i) => {
        const { type } = signals[i];
        return shownOf(values.value({ kind: "signal", signal, type }), signals[i]);
      }),
      came: named.map((signal) => values.signal(signal)?.t ?? null),
      terms: parts.map(({ condition }) => cellOf(condition, values)),
      when: values.truth(rule.when),
      brought: values.brings(rule.when),
    });
    last = place;
    for (const { limit, observed } of limits) {
      const value = values.value(limit.of);
      if (!Number.isNaN(value)) observed.add(value);
    }
  };
  const { partition } = cut.read;
  const engine = createReferenceEngine(among(ruleSet, [rule]), { partition, observe });
  const transitions: Transition[] = [];
  let whole = true;
  for (const { input, warm } of cut.inputs(options.live, RECORDS_MAX)) {
    if (options.late()) {
      whole = false;
      break;
    }
    for (const { value } of engine.push(input, warm ? "warm" : "live").anomalies) {
      const transition = decodeTransition(value);
      if (transition.vehicle === vehicle) transitions.push(transition);
    }
    await options.turn();
  }
  return { signals, named, parts, rows, transitions, limits, whole };
}

type Values = Parameters<Observer>[2];

function cellOf(condition: Condition, values: Values): TermCell {
  const truth = values.truth(condition);
  if (condition.kind !== "compare") return { value: truth, limit: null, truth };
  const { left, right, term: { names } } = condition;
  const shown = (x: number): Shown => Number.isNaN(x) ? null : names?.[x] ?? x;
  return { value: shown(values.value(left)), limit: shown(values.value(right)), truth };
}

function shownOf(value: number, { type, names }: Signal): Shown {
  if (Number.isNaN(value)) return null;
  if (type === "boolean") return value !== 0;
  return type === "name" ? names[value] ?? value : value;
}

/** The terms of `when` as they are told in transitions, with the part of the tree that each is. */
function partsOf(rule: Rule): readonly TermPart[] {
  const found: TermPart[] = [];
  const look = (node: Condition): void => {
    const term = rule.terms.find((each) => each.kind === "condition" && each.of === node);
    if (term?.kind === "condition") {
      found.push({ head: { text: term.text, unit: "" }, condition: node });
      return;
    }
    switch (node.kind) {
      case "compare":
        found.push({ head: { text: node.term.text, unit: node.term.unit }, condition: node });
        return;
      case "and":
      case "or":
        look(node.left);
        look(node.right);
        return;
      case "not":
        look(node.of);
    }
  };
  look(rule.when);
  return found;
}
