/** Which rules were in force over a stretch of the log, as the activations say. */
import { BusError } from "../bus/port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import type { RuleSource } from "../rules-wasm/rule_source.ts";

/** Offsets over which one version was in force. */
export interface Stretch {
  readonly ruleSet: RuleSet;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** Offset from which on its new state was warmed; `from` if nothing was. */
  readonly warmedFrom: number;
}

/**
 * The stretches of a partition from `from` to `to`, in order, without gaps; the first begins with
 * empty state.
 *
 * @param otherwise rules of a partition that no activation is known of
 * @throws {BusError} naming a version whose rules are not known, or mean something else by now
 */
export function stretchesOf(
  rules: RuleSource,
  partition: number,
  from: number,
  to: number,
  otherwise: RuleSet,
): Stretch[] {
  const activations = rules.history.activations(partition).filter(({ offset }) => offset < to);
  const first = activations.findLastIndex(({ offset }) => offset <= from);
  const later = activations.slice(first + 1);
  const found: Stretch[] = [];
  const ends = [...later.map(({ offset }) => offset), to];
  const before = first < 0 ? later.at(0) : activations[first];
  const begin = before === undefined ? otherwise : known(rules, before.version);
  if (from < ends[0]) found.push({ ruleSet: begin, from, to: ends[0], warmedFrom: from });
  later.forEach(({ version, offset, warmedFrom }, i) => {
    // Of two changes before one record only the last was ever used.
    if (offset >= ends[i + 1]) return;
    const ruleSet = known(rules, version);
    found.push({ ruleSet, from: offset, to: ends[i + 1], warmedFrom: Math.max(warmedFrom, 0) });
  });
  return found;
}

function known(rules: RuleSource, version: string): RuleSet {
  const ruleSet = rules.version(version);
  if (ruleSet !== null) return ruleSet;
  throw new BusError(
    `Cannot run as it ran live: the rules of version ${version} are not known, or mean something ` +
      "else to this program; name rules with --rules",
  );
}
