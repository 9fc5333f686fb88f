/** How far back a rule looks. */
import type { EvaluatedSample, Reach } from "../contract/explanation.ts";
import type { Condition, Rule, RuleSet } from "../rules-wasm/language/ast.ts";
import { expressionsOf, signalsOf, walk } from "../rules-wasm/language/brings.ts";

/** The longest duration that bears on a rule, milliseconds; what is `never` stale is not counted. */
export function longestMs(rule: Rule, { catalog, settings }: RuleSet): number {
  const all = [
    ...[rule.forMs, rule.clearForMs, rule.cooldownMs, rule.maxGapMs],
    ...[settings.maxGapMs, settings.latenessMs],
  ];
  for (const root of expressionsOf(rule)) {
    walk(root, (node) => {
      if (node.kind === "call" && "durationMs" in node) all.push(node.durationMs);
    });
    for (const signal of signalsOf(root)) all.push(catalog.signals[signal].staleAfterMs);
  }
  return Math.max(...all.filter(Number.isFinite));
}

/** The windows and references of a condition, as they lay at a time. */
export function reachesOf(
  when: Condition,
  at: number,
  rows: readonly EvaluatedSample[],
): readonly Reach[] {
  const found = new Map<string, Reach>();
  walk(when, (node) => {
    if (node.kind !== "call" || !("durationMs" in node)) return;
    const { fn, durationMs } = node;
    const from = at - durationMs;
    const samples = rows.filter(({ cause, t }) => cause === "sample" && t > from && t <= at).length;
    found.set(`${fn} ${durationMs}`, { fn, durationMs, from, to: at, samples });
  });
  return [...found.values()];
}
