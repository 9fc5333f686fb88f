/** What of a vehicle goes on when other rules come into force, in the reference. */
import type { Rule, RuleSet } from "../language/ast.ts";
import { expressionsOf, signalsOf } from "../language/brings.ts";
import { signalText, structure } from "../language/structure.ts";
import { RuleLife } from "./lifecycle.ts";
import { applies } from "./rule_reach.ts";
import type { Vehicle } from "./timers.ts";
import { type WaitingSample, WaitingSamples } from "./waiting.ts";

/** Rules of two versions, as far as their vehicles' state is concerned. */
export class RuleChange {
  readonly #before: ReadonlyMap<string, Rule>;
  readonly #nameBefore: (signal: number) => string;
  readonly #nameAfter: (signal: number) => string;

  constructor(readonly before: RuleSet, readonly after: RuleSet) {
    this.#before = new Map(before.rules.map((rule) => [rule.id, rule]));
    this.#nameBefore = signalText(before.catalog);
    this.#nameAfter = signalText(after.catalog);
  }

  /** The rule of the former version that a rule goes on from: of its id, `when` and `once`. */
  goesOnFrom(rule: Rule): Rule | null {
    const old = this.#before.get(rule.id);
    if (!old || old.once !== rule.once) return null;
    return this.#same(old.when, rule.when) ? old : null;
  }

  /** Whether a rule goes on for a vehicle. */
  goesOn(old: Rule, vehicle: string): boolean {
    const rule = this.after.rules.find(({ id }) => id === old.id);
    return rule !== undefined && applies(rule, vehicle) && this.goesOnFrom(rule) === old;
  }

  /** The lives of a vehicle's rules from here on; `aside` is the vehicle as it was warmed. */
  lives(vehicle: Vehicle, aside: Vehicle | undefined): Map<Rule, RuleLife> {
    const lives = new Map<Rule, RuleLife>();
    for (const rule of this.after.rules) {
      if (!applies(rule, vehicle.id)) continue;
      const life = new RuleLife(rule, this.after.settings.unknownAfterMs);
      lives.set(rule, life);
      const warm = [...aside?.lives ?? []].find(([{ id }]) => id === rule.id)?.[1] ?? null;
      const old = this.#before.get(rule.id);
      const lived = old && vehicle.lives.get(old);
      if (!old || !lived) {
        life.begin(warm, -Infinity);
      } else if (this.goesOnFrom(rule) === null) {
        life.begin(warm, lived.lastAt);
      } else {
        life.goOn(lived, warm, {
          clear: old.clear === null || rule.clear === null
            ? old.clear === rule.clear
            : this.#same(old.clear, rule.clear),
          ladder: this.#sameLadder(old, rule),
          rungs: rule.levels.map(({ when }) =>
            old.levels.findIndex((level) => this.#same(level.when, when))
          ),
          lastT: vehicle.lastT,
        });
      }
    }
    return lives;
  }

  /** The samples that wait, as the new rules name signals. */
  waiting(vehicle: Vehicle, aside: Vehicle | undefined, absentMs: readonly number[]) {
    const named = namedSignals(this.after);
    const before = new Map(
      [...namedSignals(this.before)].map((signal) => [this.#nameBefore(signal), signal]),
    );
    const result = new WaitingSamples();
    for (const waiting of vehicle.waiting) {
      const { offset, index } = waiting.heard;
      const twin = [...aside?.waiting ?? []].find(({ heard }) =>
        heard.offset === offset && heard.index === index
      );
      const values = new Map<number, number>();
      for (const signal of named) {
        const old = before.get(this.#nameAfter(signal));
        const value = old === undefined
          ? twin?.sample.values.get(signal)
          : waiting.sample.values.get(old);
        if (value !== undefined) values.set(signal, value);
      }
      const longest = Math.max(...waiting.ended);
      const moved: WaitingSample = {
        ...waiting,
        sample: { ...waiting.sample, values },
        ended: new Set(absentMs.filter((d) => d <= longest)),
      };
      result.add(moved);
    }
    return result;
  }

  #same(old: Rule["when"], now: Rule["when"]): boolean {
    return structure(old, this.#nameBefore) === structure(now, this.#nameAfter);
  }

  #sameLadder(old: Rule, now: Rule): boolean {
    return old.severity === now.severity && old.levels.length === now.levels.length &&
      old.levels.every((level, i) =>
        level.severity === now.levels[i].severity && this.#same(level.when, now.levels[i].when)
      );
  }
}

function namedSignals({ rules }: RuleSet): Set<number> {
  return new Set(rules.flatMap(expressionsOf).flatMap((root) => [...signalsOf(root)]));
}
