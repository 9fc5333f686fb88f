/** Random changes of rule files for the differential test: what people edit, and what they undo. */
import type { Seeded } from "../../testing/seeded.ts";
import { randomRule, randomRuleFile, type RuleFile } from "./random_rules.ts";

/** A file somewhat unlike the one before; `earlier` are those of before. */
export function changedRules(
  random: Seeded,
  file: RuleFile,
  earlier: readonly RuleFile[],
): RuleFile {
  if (earlier.length > 0 && random.chance(0.15)) return random.pick(earlier);
  let changed = file;
  for (let i = 1 + random.below(3); i > 0; i--) changed = changedOnce(random, changed);
  return changed;
}

function changedOnce(random: Seeded, file: RuleFile): RuleFile {
  const { settings, rules } = file;
  const at = random.below(rules.length);
  const replaced = (rule: string) => ({ settings, rules: rules.with(at, rule) });
  return random.pick([
    // Another message, limit of time, clear, ladder or set of vehicles: `when` stays.
    () => replaced(randomRule(random, numberOf(rules[at]), whenOf(rules[at]))),
    () => replaced(randomRule(random, numberOf(rules[at]), whenOf(rules[at]))),
    // One of these alone.
    () => replaced(withoutRow(random, rules[at])),
    () => replaced(rules[at].replace(/("\{vehicle\}: )/, `$1${random.below(10)} `)),
    // Another `when`, by chance with parts of the old one.
    () => replaced(randomRule(random, numberOf(rules[at]))),
    () => replaced(randomRule(random, numberOf(rules[at]), around(random, whenOf(rules[at])))),
    () => replaced(swappedFunction(random, rules[at])),
    () => ({ settings, rules: [...rules, added(random, rules)] }),
    () => rules.length > 1 ? { settings, rules: rules.toSpliced(at, 1) } : file,
    () => ({ settings, rules: random.shuffled(rules) }),
    () => ({ settings: randomRuleFile(random).settings, rules }),
    () => ({ settings: settings.filter((row) => random.chance(0.5) || /late/.test(row)), rules }),
  ])();
}

function numberOf(rule: string): number {
  return Number(/id: rule-(\d+)/.exec(rule)?.[1]);
}

function whenOf(rule: string): string {
  return JSON.parse(/when: (".*")/.exec(rule)?.[1] ?? '"true"');
}

/** A rule with an id of its own, that may share what another keeps. */
function added(random: Seeded, rules: readonly string[]): string {
  const free = 1 + Math.max(...rules.map(numberOf));
  return random.chance(0.5)
    ? randomRule(random, free)
    : randomRule(random, free, around(random, whenOf(random.pick(rules))));
}

function around(random: Seeded, when: string): string {
  return random.pick([`(${when}) and speed > 20`, `not (${when})`, `(${when}) or rpm > 2500`]);
}

/** Leaves out one row that a rule can do without. */
function withoutRow(random: Seeded, rule: string): string {
  const rows = rule.split("\n");
  const spare = rows.flatMap((row, i) =>
    /^ {4}(message|cooldown|for|max_gap)/.test(row) ? [i] : []
  );
  return spare.length === 0 ? rule : rows.toSpliced(random.pick(spare), 1).join("\n");
}

/** Functions that keep the same, or nearly so, in each other's place. */
function swappedFunction(random: Seeded, rule: string): string {
  const pairs = [["avg", "lowest"], ["delta", "rate"], ["rose", "fell"], ["ewma", "avg"]];
  const [a, b] = random.shuffled(random.pick(pairs));
  return rule.replaceAll(`${a}(`, `${b}(`);
}
