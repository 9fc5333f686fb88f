/** How the cost grows with rules and with vehicles. */
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { compare, type Ratio, ROUNDS } from "./measure.ts";
import { manyRules } from "./rule_sets.ts";
import { batchesNeeded, streaming } from "./timed_engine.ts";
import { makeWorkload, type Workload } from "./workload.ts";

/** One size against a smaller one. */
export interface ScalingRow {
  /** Cost at the smaller size and at this one, nanoseconds. */
  readonly leastNs: number;
  readonly ns: number;
  /** How many times dearer, round by round. */
  readonly ratio: Ratio;
}

const BATCH_RECORDS = 1_000;
const INTERVAL_MS = 10_000;

/** Nanoseconds a rule-evaluation (one rule, one sample; reading left out) by number of rules. */
export async function ruleScaling(
  rules: RuleSet,
  sizes: readonly [least: number, size: number],
  now: () => number,
): Promise<ScalingRow> {
  const [least, size] = sizes;
  // As many evaluations on both sides, within bounds: too short a piece is all noise.
  const pieces = (count: number) => (
    { skip: 10, warm: 1, step: Math.min(10, Math.max(2, Math.round(400 / count))) }
  );
  const { batches } = made(1_000, batchesNeeded(pieces(least), ROUNDS));
  const side = (count: number) =>
    streaming(manyRules(rules, count), batches, { ...pieces(count), rulesOnly: true }, now);
  const evaluations = (count: number) => pieces(count).step * BATCH_RECORDS * count;
  const ratio = scaled(
    await compare(side(least), side(size)),
    evaluations(least) / evaluations(size),
  );
  return {
    leastNs: ratio.a.cpuMs * 1e6 / evaluations(least),
    ns: ratio.b.cpuMs * 1e6 / evaluations(size),
    ratio,
  };
}

/**
 * A micro-batch of one row against one of 1,000: nanoseconds of the first, and of a row of the
 * second; the ratio says how many rows' work the fixed part is worth, at most.
 */
export async function fixedShare(
  rules: RuleSet,
  count: number,
  now: () => number,
): Promise<ScalingRow> {
  const [rows, single] = [2, 40];
  const many = manyRules(rules, count);
  const side = (records: number, pieces: { warm: number; step: number }) => {
    const skip = 10_000 / records;
    const { batches } = made(1_000, batchesNeeded({ ...pieces, skip }, ROUNDS), records);
    return streaming(many, batches, { ...pieces, skip, rulesOnly: true }, now);
  };
  const ratio = await compare(
    side(BATCH_RECORDS, { warm: 1, step: rows }),
    side(1, { warm: 10, step: single }),
  );
  return {
    leastNs: ratio.a.cpuMs * 1e6 / (rows * BATCH_RECORDS),
    ns: ratio.b.cpuMs * 1e6 / single,
    ratio: scaled(ratio, rows * BATCH_RECORDS / single),
  };
}

/** Nanoseconds a sample, from bytes to transitions, by number of vehicles. */
export async function vehicleScaling(
  rules: RuleSet,
  sizes: readonly [least: number, size: number],
  samples: number,
  now: () => number,
): Promise<ScalingRow> {
  const [least, size] = sizes;
  const step = Math.max(1, Math.round(samples / 5 / BATCH_RECORDS));
  const side = (vehicles: number) => {
    // Every vehicle has been heard twice before the clock starts.
    const skip = Math.ceil(2 * Math.max(vehicles, 10_000) / BATCH_RECORDS);
    const pieces = { skip, warm: 1, step };
    const { batches } = made(vehicles, batchesNeeded(pieces, ROUNDS));
    return streaming(rules, batches, { ...pieces, rulesOnly: false }, now);
  };
  const ratio = await compare(side(least), side(size));
  const millions = step * BATCH_RECORDS * 1e-6;
  return { leastNs: ratio.a.cpuMs / millions, ns: ratio.b.cpuMs / millions, ratio };
}

function made(vehicles: number, batches: number, batchRecords = BATCH_RECORDS): Workload {
  return makeWorkload({
    seed: 3,
    samples: batches * batchRecords,
    vehicles,
    hostile: false,
    fireRate: 0.001,
    episodeSamples: 4,
    intervalMs: INTERVAL_MS,
    batchRecords,
  });
}

/** A ratio in another measure. */
function scaled(ratio: Ratio, factor: number): Ratio {
  return {
    ...ratio,
    median: ratio.median * factor,
    least: ratio.least * factor,
    most: ratio.most * factor,
  };
}
