/** What of a rule's state outlives a change of rules: rules of two versions held side by side. */
import * as P from "./assembly/portable_layout.ts";
import type { RuleSet } from "./language/ast.ts";
import { signalText, structure } from "./language/structure.ts";
import type { Plan } from "./plan.ts";
import { hashVersion } from "./version.ts";

/** All of a rule that decides what of its state goes on; conditions as hashes of their structure. */
export interface RuleShape {
  readonly id: string;
  readonly once: boolean;
  readonly when: string;
  /** null: not `when`. */
  readonly clear: string | null;
  /** Severity while no rung is true. */
  readonly severity: string;
  readonly levels: readonly { readonly severity: string; readonly when: string }[];
}

/** The rules of a set as they are known beyond it. */
export function ruleShapes({ rules, catalog }: RuleSet): RuleShape[] {
  const name = signalText(catalog);
  return rules.map(({ id, once, when, clear, severity, levels }) => ({
    id,
    once,
    when: hashVersion(structure(when, name)),
    clear: clear === null ? null : hashVersion(structure(clear, name)),
    severity,
    levels: levels.map((level) => ({
      severity: level.severity,
      when: hashVersion(structure(level.when, name)),
    })),
  }));
}

/** What becomes of the records of a rule. */
export interface RuleEntry {
  /** Position of the rule that takes them, -1: none. */
  readonly target: number;
  /** Flags that stay, `R_*`. */
  readonly flags: number;
  /** Whether `at` of the last transition stays. */
  readonly at: boolean;
  /** By rung: bits of the new rungs with its condition. */
  readonly levels: readonly number[];
}

/** A rule that is gone. */
const GONE: RuleEntry = { target: -1, flags: 0, at: false, levels: [] };

/**
 * What becomes of each rule's records when other rules come into force.
 *
 * A rule goes on if its id, its `when` and whether it is a point event stay; it goes on with a run
 * of clearing if `clear` stays too, with a run of stepping down if the ladder does.
 */
export function ruleEntries(
  before: readonly RuleShape[],
  after: readonly RuleShape[],
): RuleEntry[] {
  const places = new Map(after.map(({ id }, i) => [id, i]));
  return before.map((old) => {
    const target = places.get(old.id);
    if (target === undefined) return GONE;
    const now = after[target];
    if (!goesOn(old, now)) return { target, flags: 0, at: true, levels: [] };
    let flags = P.R_ALL;
    if (old.clear !== now.clear) flags &= ~(P.R_CLEARING | P.R_UNKNOWN);
    if (!sameLadder(old, now)) flags &= ~P.R_STEPPING;
    const levels = old.levels.map(({ when }) =>
      bits(now.levels.map((level) => level.when === when))
    );
    return { target, flags, at: true, levels };
  });
}

/**
 * What is taken of each rule of a warmed engine: the runs and rungs of rules that are new, and of
 * those that go on the rungs that are new.
 *
 * @param isNew whether a rule is new for the vehicle, though one of its id and `when` was there
 */
export function warmEntries(
  before: readonly RuleShape[],
  after: readonly RuleShape[],
  isNew: (rule: RuleShape) => boolean = () => false,
): RuleEntry[] {
  const known = new Map(before.map((rule) => [rule.id, rule]));
  return after.map((now, target) => {
    const old = known.get(now.id);
    const fresh = old === undefined || !goesOn(old, now) || isNew(now);
    const levels = now.levels.map(({ when }, i) =>
      fresh || !old.levels.some((level) => level.when === when) ? 1 << i : 0
    );
    return { target, flags: fresh ? P.R_RUN : 0, at: false, levels };
  });
}

/** Whether a rule is still the one that it was. */
export function goesOn(old: RuleShape, now: RuleShape): boolean {
  return old.when === now.when && old.once === now.once;
}

function sameLadder(old: RuleShape, now: RuleShape): boolean {
  return old.severity === now.severity && old.levels.length === now.levels.length &&
    old.levels.every(({ severity, when }, i) =>
      severity === now.levels[i].severity && when === now.levels[i].when
    );
}

function bits(flags: readonly boolean[]): number {
  return flags.reduce((sum, flag, i) => flag ? sum | 1 << i : sum, 0);
}

/** Entries as the kernel reads them; `plan` is the one that they lead to. */
export function entryBytes(entries: readonly RuleEntry[], plan: Plan): Uint8Array {
  const bytes = new Uint8Array(entries.length * P.RT_BYTES);
  const view = new DataView(bytes.buffer);
  entries.forEach(({ target, flags, at, levels }, i) => {
    const from = i * P.RT_BYTES;
    view.setInt32(from + P.RT_TARGET, target, true);
    view.setUint32(from + P.RT_FLAGS, flags, true);
    view.setUint32(from + P.RT_AT, at ? 1 : 0, true);
    view.setInt32(from + P.RT_FILTER, target < 0 ? -1 : plan.rules[target].filter, true);
    bytes.set(levels, from + P.RT_LEVELS);
  });
  return bytes;
}
