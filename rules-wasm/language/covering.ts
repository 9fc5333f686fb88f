/** Rules that add nothing, because another one fires wherever they do. */
import type { Rule } from "./ast.ts";
import { signalsOf } from "./brings.ts";
import type { Possibility } from "./possible.ts";
import type { PlacedRule } from "./rule_places.ts";
import { structure } from "./structure.ts";
import type { Warn } from "./warnings.ts";

/** Rules over the same signals of which each two are looked at, at most. */
const GROUP_MAX = 100;

/**
 * Warns of rules that another one covers: of the same signals, severity and vehicles, true wherever
 * they are, and waiting no longer.
 */
export function coveredRules(
  placed: readonly PlacedRule[],
  possible: Possibility,
  warn: Warn,
): void {
  const groups = new Map<string, PlacedRule[]>();
  for (const rule of placed) {
    const key = kindOf(rule.rule);
    groups.set(key, [...groups.get(key)?.slice(0, GROUP_MAX - 1) ?? [], rule]);
  }
  for (const group of groups.values()) {
    for (const [i, one] of group.entries()) {
      const other = group.find((each, j) =>
        each !== one && covers(each.rule, one.rule, possible) &&
        // Of two that cover each other, the later one is one too many.
        (j < i || !covers(one.rule, each.rule, possible))
      );
      if (other === undefined) continue;
      const { line } = other.when.span;
      warn(
        one.rule.id,
        "covered",
        one.when.span,
        `This rule fires only where ${JSON.stringify(other.rule.id)} (line ${line}) does`,
        "give it another severity, or remove one of them",
      );
    }
  }
}

/** What two rules have to share for one to cover the other. */
function kindOf({ when, severity, levels, once, vehicles, maxGapMs }: Rule): string {
  const ladder = levels.map((level) => [level.severity, structure(level.when)]);
  return JSON.stringify([signalsOf(when), severity, ladder, once, vehicles, maxGapMs]);
}

function covers(wide: Rule, narrow: Rule, possible: Possibility): boolean {
  if (signalsOf(wide.when).length === 0 || wide.forMs > narrow.forMs) return false;
  const goals = [{ condition: narrow.when, is: true }, { condition: wide.when, is: false }];
  return possible.together(goals) === null;
}
