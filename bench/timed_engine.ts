/** The engine with a clock about its rules: what they take, reading and writing left out. */
import { PartitionEngine } from "../rules-wasm/engine.ts";
import type { EngineInput } from "../rules-wasm/engine_port.ts";
import { createKernelScanner } from "../rules-wasm/kernel_scanner.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { compilePlan } from "../rules-wasm/plan.ts";
import type { KernelInstance } from "../rules-wasm/scan_kernel.ts";
import { type Side, startStopwatch, type Timing } from "./measure.ts";

/** An engine, and what its rules have taken so far. */
interface TimedEngine {
  readonly push: (input: EngineInput) => void;
  readonly rules: () => Timing;
}

/** Makes an engine whose evaluation of each micro-batch is timed. */
function createTimedEngine(ruleSet: RuleSet, now: () => number): TimedEngine {
  const plan = compilePlan(ruleSet);
  const { kernel, scanner } = createKernelScanner(ruleSet, plan.signals);
  let wallMs = 0;
  let cpuMs = 0;
  const timed: KernelInstance = {
    ...kernel,
    export: (name) => {
      const call = kernel.export(name);
      if (name !== "runRows") return call;
      return (...values) => {
        const stopwatch = startStopwatch(now);
        const result = call(...values);
        const took = stopwatch();
        wallMs += took.wallMs;
        cpuMs += took.cpuMs;
        return result;
      };
    },
  };
  const engine = new PartitionEngine(plan, { partition: 0 }, timed, scanner);
  return {
    push: (input) => {
      engine.pushPart(input, 0, "live");
    },
    rules: () => ({ wallMs, cpuMs }),
  };
}

/** How a side goes through its workload, in batches. */
export interface Pieces {
  /** Taken in before the first time. */
  readonly skip: number;
  /** Taken in each time before the clock starts, so that the other side's data is out of the caches. */
  readonly warm: number;
  /** Timed each time. */
  readonly step: number;
}

/**
 * A side that goes on from where it stopped: each time it takes the next piece in.
 *
 * @param rulesOnly whether only the rules are timed, or all from bytes to transitions
 */
export function streaming(
  ruleSet: RuleSet,
  batches: readonly EngineInput[],
  options: Pieces & { readonly rulesOnly: boolean },
  now: () => number,
): Side {
  const engine = createTimedEngine(ruleSet, now);
  let at = 0;
  const next = (count: number) => {
    if (at + count > batches.length) throw new RangeError("Cannot go on: the workload is used up");
    for (const end = at + count; at < end; at++) engine.push(batches[at]);
  };
  next(options.skip);
  return {
    name: `${ruleSet.rules.length} rules`,
    time: () => {
      next(options.warm);
      const before = engine.rules();
      const stopwatch = startStopwatch(now);
      next(options.step);
      const all = stopwatch();
      if (!options.rulesOnly) return all;
      const { wallMs, cpuMs } = engine.rules();
      return { wallMs: wallMs - before.wallMs, cpuMs: cpuMs - before.cpuMs };
    },
  };
}

/** The rules alone over the second half of the batches; each time with a fresh engine. */
export function rulesSide(
  ruleSet: RuleSet,
  batches: readonly EngineInput[],
  now: () => number,
): Side {
  const half = batches.length >> 1;
  return {
    name: "kernel's rules",
    time: () => {
      const engine = createTimedEngine(ruleSet, now);
      for (const batch of batches.slice(0, half)) engine.push(batch);
      const before = engine.rules();
      for (const batch of batches.slice(half)) engine.push(batch);
      const { wallMs, cpuMs } = engine.rules();
      return { wallMs: wallMs - before.wallMs, cpuMs: cpuMs - before.cpuMs };
    },
  };
}

/** Batches that a comparison of `rounds` rounds takes of each side's workload. */
export function batchesNeeded({ skip, warm, step }: Pieces, rounds: number): number {
  return skip + (warm + step) * (2 * rounds + 1);
}
