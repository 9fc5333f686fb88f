/** What each rule costs: measured, one rule at a time, over samples that were really sent. */
import type { RuleCost } from "../contract/views.ts";
import { createEngine } from "./engine.ts";
import type { EngineInput } from "./engine_port.ts";
import type { Rule, RuleSet } from "./language/ast.ts";
import { stateSize } from "./plan.ts";

/** Engines that each rule is run in, and those that run all rules before, until the code is hot. */
const ENGINES = 4;
const WARMING_ENGINES = 6;
/** Pieces that the records are cut into: of each the fastest run counts, and of all the middle one. */
const PIECES = 16;

/** What measuring needs of its surroundings. */
export interface CostSurroundings {
  /** A clock that only goes forward, milliseconds, as fine as there is. */
  readonly clock: () => number;
  /** Gives others their turn; called often enough that nobody waits for long. */
  readonly pause: () => Promise<void>;
}

/**
 * Measures every rule of a set alone, against the same samples read with no rule at all.
 *
 * What rules share (reading a signal, an operator that both name) counts for each of them: the sum
 * over all rules is more than all rules take together. Whatever else the machine does only adds
 * time, so of each piece of the records the fastest of a few runs counts, and of all pieces the median.
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
  const pieces = cut(input, PIECES);
  const samples = new Float64Array(pieces.length);
  /** The fastest run of each piece, milliseconds. */
  const timed = async (rules: readonly Rule[], engines: number): Promise<Float64Array> => {
    const fastest = new Float64Array(pieces.length).fill(Infinity);
    for (let k = 0; k < engines; k++) {
      const engine = createEngine({ ...ruleSet, rules }, { partition: 0 });
      await pause();
      let known = 0;
      pieces.forEach((piece, p) => {
        const from = clock();
        engine.push(piece);
        fastest[p] = Math.min(fastest[p], clock() - from);
        samples[p] = engine.counts().samples - known;
        known += samples[p];
      });
      await pause();
    }
    return fastest;
  };
  await timed(ruleSet.rules, WARMING_ENGINES);
  const before = await timed([], ENGINES);
  const took: Float64Array[] = [];
  for (const rule of ruleSet.rules) took.push(await timed([rule], ENGINES));
  // The machine may have become slower or faster meanwhile.
  const after = await timed([], ENGINES);
  const without = before.map((ms, p) => Math.min(ms, after[p]));
  const bare = stateSize({ ...ruleSet, rules: [] });
  const costs = new Map<string, RuleCost>();
  for (const [k, rule] of ruleSet.rules.entries()) {
    const withRule = took[k];
    const { leastBytes, mostBytes } = stateSize({ ...ruleSet, rules: [rule] });
    costs.set(rule.id, {
      sampleNs: median(
        Array.from(samples, (count, p) => (withRule[p] - without[p]) / count * 1e6)
          .filter(Number.isFinite),
      ),
      stateBytes: leastBytes - bare.leastBytes,
      stateBytesMax: mostBytes - bare.mostBytes,
    });
  }
  return costs;
}

/** The middle of differences, none of them below nothing; null of none. */
function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[sorted.length >> 1];
  return middle === undefined ? null : Math.max(0, middle);
}

/** The records in so many pieces of about the same length. */
function cut(
  { values, valueEnds, appendTimes, offsets, count }: EngineInput,
  most: number,
): EngineInput[] {
  const pieces: EngineInput[] = [];
  const step = Math.max(1, Math.ceil(count / most));
  for (let from = 0; from < count; from += step) {
    const to = Math.min(count, from + step);
    const start = from === 0 ? 0 : valueEnds[from - 1];
    pieces.push({
      count: to - from,
      values: values.subarray(start, valueEnds[to - 1]),
      valueEnds: valueEnds.subarray(from, to).map((end) => end - start),
      appendTimes: appendTimes.subarray(from, to),
      offsets: offsets.subarray(from, to),
    });
  }
  return pieces;
}
