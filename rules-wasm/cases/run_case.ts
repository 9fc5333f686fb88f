/** Runs rule tests on the kernel's engine, and holds what came against what was expected. */
import { decodeTransition, type Transition } from "../../contract/anomaly.ts";
import { createEngine } from "../engine.ts";
import type { EngineInput } from "../engine_port.ts";
import type { RuleSet } from "../language/ast.ts";
import type { RuleCase } from "./case_file.ts";
import type { ExpectedTransition } from "./expectations.ts";

/** What a rule did for a vehicle in a test that did not go as expected. */
export interface CaseFailure {
  readonly rule: string;
  readonly vehicle: string;
  readonly expected: readonly ExpectedTransition[];
  readonly got: readonly Transition[];
  /** What differs, in words. */
  readonly differences: readonly string[];
}

/** What came of one test. */
export interface CaseResult {
  readonly test: RuleCase;
  /** Empty if it passed. */
  readonly failures: readonly CaseFailure[];
  /** All transitions, those of rules that the test does not look at as well. */
  readonly transitions: readonly Transition[];
}

/** Runs one test. */
export function runCase(test: RuleCase, rules: RuleSet): CaseResult {
  const transitions = evaluate(rules, caseRecords(test, rules));
  const failures: CaseFailure[] = [];
  const named = new Set(test.expect.map(({ rule }) => rule));
  const others = test.othersNone
    ? rules.rules.filter(({ id }) => !named.has(id)).map(({ id }) => ({
      rule: id,
      transitions: [],
    }))
    : [];
  for (const { rule, transitions: all } of [...test.expect, ...others]) {
    for (const { id: vehicle } of test.vehicles) {
      const expected = all.filter((each) => each.vehicle === vehicle);
      const got = transitions.filter((each) => each.rule === rule && each.vehicle === vehicle);
      const differences = compare(expected, got, test.startMs);
      if (differences.length > 0) failures.push({ rule, vehicle, expected, got, differences });
    }
  }
  return { test, failures, transitions };
}

/** Transitions of rules over records. */
export function evaluate(rules: RuleSet, records: EngineInput): readonly Transition[] {
  const engine = createEngine(rules, { partition: 0 });
  return engine.push(records).anomalies.map(({ value }) => decodeTransition(value));
}

/** The records of a test: samples that arrive when they were made, then a tick after its end. */
export function caseRecords(test: RuleCase, { catalog }: RuleSet): EngineInput {
  const encoder = new TextEncoder();
  const [vehicleKey = "vehicle"] = catalog.vehicleKeys;
  const [timeKey = "ts"] = catalog.timeKeys;
  const values: Uint8Array[] = [];
  const times: number[] = [];
  const steps = test.endMs / test.intervalMs;
  for (let step = 0; step <= steps; step++) {
    const t = test.startMs + step * test.intervalMs;
    for (const { id, series } of test.vehicles) {
      const sample: Record<string, unknown> = { [vehicleKey]: id, [timeKey]: t };
      let carries = false;
      for (const [name, of] of series) {
        const value = of[step] ?? null;
        if (value === null) continue;
        sample[name] = value;
        carries = true;
      }
      if (!carries) continue;
      values.push(encoder.encode(JSON.stringify(sample)));
      times.push(t);
    }
  }
  // A timer due at the end itself fires once the clock is past it.
  values.push(new Uint8Array(0));
  times.push(test.startMs + test.endMs + 1);
  const bytes = new Uint8Array(values.reduce((sum, value) => sum + value.length, 0));
  const valueEnds = new Uint32Array(values.length);
  let end = 0;
  values.forEach((value, i) => {
    bytes.set(value, end);
    valueEnds[i] = end += value.length;
  });
  return {
    count: values.length,
    values: bytes,
    valueEnds,
    appendTimes: Float64Array.from(times),
    offsets: Float64Array.from(values, (_, i) => i),
  };
}

/** Pairs what is of one kind and time first, then what is left, in order. */
function compare(
  expected: readonly ExpectedTransition[],
  got: readonly Transition[],
  startMs: number,
): readonly string[] {
  const left = [...got];
  const missing: ExpectedTransition[] = [];
  const differences: string[] = [];
  for (const want of expected) {
    const at = left.findIndex((each) => each.kind === want.kind && each.at - startMs === want.at);
    if (at < 0) missing.push(want);
    else differences.push(...details(want, left.splice(at, 1), startMs));
  }
  for (let i = 0; i < Math.max(missing.length, left.length); i++) {
    const want = missing[i];
    const came = left[i];
    const wanted = want === undefined ? "nothing" : `${want.kind} at ${inSeconds(want.at)}`;
    const is = came === undefined ? "nothing" : `${came.kind} at ${inSeconds(came.at - startMs)}`;
    differences.push(`expected ${wanted}, got ${is}`);
  }
  return differences;
}

function details(
  want: ExpectedTransition,
  came: readonly Transition[],
  startMs: number,
): readonly string[] {
  const differences: string[] = [];
  for (const transition of came) {
    const of = `${want.kind} at ${inSeconds(want.at)}`;
    const look = (name: string, wanted: unknown, is: unknown) => {
      if (wanted === null || wanted === is) return;
      differences.push(
        `${of}: expected ${name} ${JSON.stringify(wanted)}, got ${JSON.stringify(is)}`,
      );
    };
    look("severity", want.severity, transition.severity);
    look("reason", want.reason, transition.reason);
    look("message", want.message, transition.message);
    look("count", want.count, transition.count);
    const onset = transition.onset - startMs;
    if (want.onset !== null && want.onset !== onset) {
      differences.push(`${of}: expected onset ${inSeconds(want.onset)}, got ${inSeconds(onset)}`);
    }
  }
  return differences;
}

/** Milliseconds in seconds, for people. */
export function inSeconds(ms: number): string {
  return `${ms / 1000} s`;
}
