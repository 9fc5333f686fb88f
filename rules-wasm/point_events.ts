/** Which transitions are of point events: of rules with `once`, which open and never clear. */
import type { Transition } from "../contract/anomaly.ts";
import type { RuleSet } from "./language/ast.ts";
import type { RuleSource } from "./rule_source.ts";

/**
 * Tells point events by the rules that raised them: a rule that is gone by now, or is another, says
 * nothing of what it was. Versions that cannot be had are taken for the one in force.
 */
export function pointEvents(
  rules: Pick<RuleSource, "version">,
  inForce: RuleSet,
): (transition: Transition) => boolean {
  const known = new Map([[inForce.version, eventsOf(inForce)]]);
  const eventsBy = (version: string): ReadonlySet<string> => {
    try {
      return eventsOf(rules.version(version) ?? inForce);
    } catch (error) {
      // Its texts cannot be used any more.
      if (!(error instanceof SyntaxError)) throw error;
      return eventsOf(inForce);
    }
  };
  return ({ rule, version }) => {
    const events = known.get(version) ?? eventsBy(version);
    known.set(version, events);
    return events.has(rule);
  };
}

/** Ids of the rules with `once`. */
function eventsOf({ rules }: RuleSet): ReadonlySet<string> {
  return new Set(rules.filter((rule) => rule.once).map((rule) => rule.id));
}
