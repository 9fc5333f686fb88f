/** What one version of the rules changes of another. */
import type { RuleChangeView } from "../contract/views.ts";
import type { Rule, RuleSet } from "./language/ast.ts";
import { meaningOf } from "./language/meaning.ts";

/** Ids of the rules that a version adds, removes and changes, and whether it changes the rest. */
export function ruleChange(before: RuleSet, after: RuleSet): RuleChangeView {
  const old = new Map(before.rules.map((rule) => [rule.id, rule]));
  const added: string[] = [];
  const changed: string[] = [];
  for (const rule of after.rules) {
    const known = old.get(rule.id);
    old.delete(rule.id);
    if (known === undefined) added.push(rule.id);
    else if (alone(before, known) !== alone(after, rule)) changed.push(rule.id);
  }
  const bare = (set: RuleSet) => meaningOf({ ...set, rules: [] });
  return { added, removed: [...old.keys()], changed, settings: bare(before) !== bare(after) };
}

/** A rule's meaning, whatever stands beside it; the zones that it asks about are in its structure. */
function alone(set: RuleSet, rule: Rule): string {
  return meaningOf({ ...set, catalog: { ...set.catalog, signals: [] }, zones: [], rules: [rule] });
}
