/** What every back-test is given. */
import type { Transition } from "../contract/anomaly.ts";
import type { Engine } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { vehicleFilter } from "../rules-wasm/vehicle_filter.ts";
import { type BacktestProgress, Tally } from "./backtest_tally.ts";

/** Makes the engine of a partition. */
export type MakeEngine = (ruleSet: RuleSet, options: { readonly partition: number }) => Engine;

/** What every back-test is given. */
export interface BacktestOptions {
  readonly ruleSet: RuleSet;
  readonly createEngine: MakeEngine;
  /** Records with `fromMs <= A < toMs` are evaluated. Infinite for no bound. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Ids and globs of the vehicles whose anomalies are wanted; none given: all. */
  readonly vehicles?: readonly string[];
  readonly signal: AbortSignal;
  /** Takes NDJSON. */
  readonly output: (bytes: Uint8Array) => void;
  /** Takes each transition as an object. */
  readonly each?: (transition: Transition) => void;
  readonly progress: (progress: BacktestProgress) => void;
  /** Gives way to signals and timers; called after every batch. */
  readonly turn: () => Promise<void>;
}

/** The tally of a back-test over so many records. */
export function tallyOf(options: BacktestOptions, records: number): Tally {
  const { ruleSet, output, progress, vehicles = [], each = () => {} } = options;
  return new Tally(
    { ruleSet, output, progress, each, vehicle: vehicleFilter(vehicles) },
    records,
  );
}
