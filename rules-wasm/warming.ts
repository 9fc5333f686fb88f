/** How far back rules have to look before they come into force beside others. */
import type { Rule, RuleSet } from "./language/ast.ts";
import { expressionsOf, walk } from "./language/brings.ts";
import { signalText, structure } from "./language/structure.ts";
import { compilePlan } from "./plan.ts";

/** Least and most that is looked back. */
const LEAST_MS = 10 * 60_000;
const MOST_MS = 24 * 3_600_000;

/**
 * Milliseconds of telemetry that a change of rules takes in aside; 0 where all state goes on.
 *
 * State is new if an operator or the `when` of a rule is not among what was in force. What is looked
 * back is twice the longest duration that the new rules name, at least ten minutes, at most a day.
 */
export function warmingMs(before: RuleSet, after: RuleSet): number {
  if (!bringsNewState(before, after)) return 0;
  const longest = Math.max(0, ...after.rules.map(longestOf));
  return Math.min(MOST_MS, Math.max(LEAST_MS, 2 * longest));
}

function bringsNewState(before: RuleSet, after: RuleSet): boolean {
  const runs = new Set(before.rules.map((rule) => runOf(rule, before)));
  if (after.rules.some((rule) => !runs.has(runOf(rule, after)))) return true;
  const kept = new Set(compilePlan(before).kept.map(({ key }) => key));
  return compilePlan(after).kept.some(({ key }) => !kept.has(key));
}

function runOf({ id, when }: Rule, { catalog }: RuleSet): string {
  return `${id} ${structure(when, signalText(catalog))}`;
}

function longestOf(rule: Rule): number {
  let longest = Math.max(rule.forMs, rule.clearForMs, rule.cooldownMs);
  for (const root of expressionsOf(rule)) {
    walk(root, (node) => {
      if ("durationMs" in node) longest = Math.max(longest, node.durationMs);
    });
  }
  return longest;
}
