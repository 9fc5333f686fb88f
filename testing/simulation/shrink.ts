/** Makes a failing scenario smaller: without the faults and records that it fails without. */
import { type Outcome, simulate } from "./run.ts";
import { describe, type Scenario } from "./scenario.ts";

/** Runs that shrinking may take. */
const RUNS_MAX = 150;
/** Lines of the trace that are shown. */
const LINES_SHOWN = 80;

/** The smallest scenario found that still fails. */
export async function shrink(scenario: Scenario): Promise<Scenario> {
  let best = scenario;
  let runs = 0;
  const fails = async (smaller: Scenario) =>
    runs++ < RUNS_MAX && (await simulate(smaller)).failures.length > 0;
  const drop = async (field: "faults" | "inputs") => {
    for (let size = best[field].length; size >= 1; size >>= 1) {
      for (let at = 0; at < best[field].length;) {
        const smaller = { ...best, [field]: best[field].toSpliced(at, size) };
        if (await fails(smaller)) best = smaller;
        else at += size;
      }
    }
  };
  await drop("faults");
  await drop("inputs");
  return best;
}

/** What there is to say about a scenario that failed: what it was, what is wrong, how it came. */
export async function report(scenario: Scenario): Promise<string> {
  const smaller = await shrink(scenario);
  const outcome: Outcome = await simulate(smaller, { keepTrace: true });
  return [
    ...outcome.trace.slice(-LINES_SHOWN),
    ...describe(smaller),
    ...outcome.failures,
    `again: KILTER_SEED=${scenario.seed} KILTER_SEEDS=1 deno task simulate:protocols`,
  ].join("\n");
}
