/** What it takes to change the rules, and to take state out and in, at many vehicles. */
import { createEngine } from "../rules-wasm/engine.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { median } from "./measure.ts";
import { makeWorkload } from "./workload.ts";

/** Figures at so many vehicles; times in milliseconds, medians. */
export interface StateFigures {
  readonly vehicles: number;
  readonly rules: number;
  readonly openAnomalies: number;
  /** Another message of a rule: nothing new is kept. */
  readonly swapMs: number;
  /** A rule removed and added: state lies elsewhere, a fresh kernel takes it over. */
  readonly swapMovedMs: number;
  readonly snapshotMs: number;
  readonly restoreMs: number;
  readonly snapshotBytes: number;
}

const ROUNDS = 9;

/** Measures a rule set over a workload of `samples` samples of `vehicles` vehicles. */
export function stateFigures(
  ruleSet: RuleSet,
  options: { readonly vehicles: number; readonly samples: number; readonly seed: number },
  now: () => number,
): StateFigures {
  const engine = createEngine(ruleSet, { partition: 0 });
  const workload = makeWorkload({
    ...options,
    hostile: false,
    fireRate: 0.05,
    batchRecords: 1_000,
    episodeSamples: 4,
    intervalMs: 10_000,
  });
  for (const batch of workload.batches) engine.push(batch, "suppress");
  const timed = (work: () => void): number => {
    const start = now();
    work();
    return now() - start;
  };
  const rounds = (work: (round: number) => number): number =>
    median(Array.from({ length: ROUNDS }, (_, round) => work(round)));

  const edited = { ...ruleSet, version: "edited", rules: ruleSet.rules.map(withMessage) };
  const swapMs = rounds((round) => timed(() => engine.swap(round % 2 === 0 ? edited : ruleSet)));
  const fewer = { ...ruleSet, version: "fewer", rules: ruleSet.rules.slice(1) };
  const swapMovedMs = rounds((round) =>
    timed(() => engine.swap(round % 2 === 0 ? fewer : ruleSet))
  );
  engine.swap(ruleSet);
  let snapshot = new Uint8Array(0);
  const snapshotMs = rounds(() => timed(() => snapshot = engine.snapshot().slice()));
  const restoreMs = rounds(() => {
    const fresh = createEngine(ruleSet, { partition: 0 });
    return timed(() => fresh.restore(snapshot));
  });
  return {
    vehicles: engine.vehicles(),
    rules: ruleSet.rules.length,
    openAnomalies: engine.openAnomalies(),
    swapMs,
    swapMovedMs,
    snapshotMs,
    restoreMs,
    snapshotBytes: snapshot.length,
  };
}

function withMessage(rule: RuleSet["rules"][number]): RuleSet["rules"][number] {
  return { ...rule, message: [...rule.message, { kind: "text", text: " edited" }] };
}
