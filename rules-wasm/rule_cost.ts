/** What each rule costs: measured, one rule at a time, over samples that were really sent. */
import type { RuleCost } from "../contract/views.ts";
import { createEngine } from "./engine.ts";
import type { EngineInput } from "./engine_port.ts";
import type { Rule, RuleSet } from "./language/ast.ts";
import { stateSize } from "./plan.ts";

/** Runs of each rule; the fastest counts, since whatever else the machine does only adds time. */
const RUNS = 7;

/** What measuring needs of its surroundings. */
export interface CostSurroundings {
  /** A clock that only goes forward, milliseconds, as fine as there is. */
  readonly clock: () => number;
  /** Gives others their turn; called after each run, so at most a few milliseconds apart. */
  readonly pause: () => Promise<void>;
}

/**
 * Measures every rule of a set alone, against the same samples read with no rule at all.
 *
 * What rules share (reading a signal, an operator that both name) counts for each of them: the sum
 * over all rules is more than all rules take together.
 *
 * @returns costs by the rule's id; the time is null if the records hold no sample
 * @throws {RangeError} if the rules ask for what the kernel does not do
 */
export async function measureRuleCosts(
  ruleSet: RuleSet,
  input: EngineInput,
  surroundings: CostSurroundings,
): Promise<Map<string, RuleCost>> {
  const { clock, pause } = surroundings;
  let samples = 0;
  const run = (rules: readonly Rule[]): number => {
    const engine = createEngine({ ...ruleSet, rules }, { partition: 0 });
    const from = clock();
    engine.push(input);
    const took = clock() - from;
    samples = engine.counts().samples;
    return took;
  };
  // The first runs compile what they run through.
  for (let k = 0; k < RUNS; k++) {
    run(ruleSet.rules);
    await pause();
  }
  const bare = stateSize({ ...ruleSet, rules: [] });
  const costs = new Map<string, RuleCost>();
  for (const rule of ruleSet.rules) {
    let without = Infinity;
    let withRule = Infinity;
    for (let k = 0; k < RUNS; k++) {
      // By turns, so that a busy stretch of the machine slows both.
      without = Math.min(without, run([]));
      withRule = Math.min(withRule, run([rule]));
      await pause();
    }
    const { leastBytes, mostBytes } = stateSize({ ...ruleSet, rules: [rule] });
    costs.set(rule.id, {
      sampleNs: samples === 0 ? null : Math.max(0, withRule - without) / samples * 1e6,
      stateBytes: leastBytes - bare.leastBytes,
      stateBytesMax: mostBytes - bare.mostBytes,
    });
  }
  return costs;
}
