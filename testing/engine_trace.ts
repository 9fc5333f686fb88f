/** Short hand-written logs for an engine, and its transitions as short lines. */
import { decodeTransition, type Transition } from "../contract/anomaly.ts";
import { type Catalog, type Signal, STALE_AFTER_MS_DEFAULT } from "../contract/catalog.ts";
import { createEngine, type KernelEngine } from "../rules-wasm/engine.ts";
import type { EngineInput, PushMode, PushResult } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { formatFault } from "../rules-wasm/language/format_fault.ts";
import { loadRules } from "../rules-wasm/language/rules_file.ts";
import { hashVersion } from "../rules-wasm/version.ts";

/** Time 0 of hand-written logs: a whole number of days since the epoch. */
export const TRACE_START_MS = 20_000 * 86_400_000;

const CATALOG: Catalog = {
  signals: [
    signal("speed", "km/h", 0, 400),
    signal("rpm", "rpm", 0, 20_000),
    signal("coolant", "degC", -50, 200),
    signal("fuel", "%", 0, 100, 3_600_000),
    signal("x", "", -1.7e308, 1.7e308, Infinity),
    signal("y", "", -1.7e308, 1.7e308, Infinity),
    { ...signal("ignition", "", -Infinity, Infinity, Infinity), type: "boolean" },
  ],
  vehicleKeys: ["vehicle"],
  timeKeys: ["ts"],
};

function signal(
  name: string,
  unit: string,
  min: number,
  max: number,
  staleAfterMs = STALE_AFTER_MS_DEFAULT,
): Signal {
  const rest = { keys: [name], vss: "", description: "", names: [] };
  return { name, type: "number", unit, min, max, staleAfterMs, ...rest };
}

/** A rule set of rules written as YAML, over a small catalog. */
export function traceRules(text: string): RuleSet {
  const loaded = loadRules(text, {
    file: "trace rules",
    catalog: CATALOG,
    hash: hashVersion,
  });
  if (!loaded.ok) {
    throw new Error(loaded.faults.map((fault) => formatFault(fault, text)).join("\n"));
  }
  return loaded.rules;
}

/** One record: times in seconds after `TRACE_START_MS`. Without values it is a tick. */
export interface TraceRow {
  /** A of the record. */
  readonly a: number;
  /** T of the sample; by default the same. */
  readonly t?: number;
  /** Vehicle; by default "V". */
  readonly v?: string;
  readonly is?: Readonly<Record<string, number | boolean | undefined>>;
}

/** Samples a second apart from `from` on, one for each value of a signal. */
export function everySecond(from: number, signal: string, values: readonly number[]): TraceRow[] {
  return values.map((value, i) => ({ a: from + i, is: { [signal]: value } }));
}

/** A batch of hand-written records, numbered from `offset` on. */
export function traceBatch(rows: readonly TraceRow[], offset = 0): EngineInput {
  const text = new TextEncoder();
  const values = rows.map(({ a, t = a, v = "V", is }) =>
    text.encode(is === undefined ? "" : JSON.stringify({ vehicle: v, ts: ms(t), ...is }))
  );
  const bytes = new Uint8Array(values.reduce((sum, value) => sum + value.length, 0));
  const valueEnds = new Uint32Array(rows.length);
  let end = 0;
  values.forEach((value, i) => {
    bytes.set(value, end);
    valueEnds[i] = end += value.length;
  });
  return {
    count: rows.length,
    values: bytes,
    valueEnds,
    appendTimes: Float64Array.from(rows, ({ a }) => ms(a)),
    offsets: Float64Array.from(rows, (_, i) => offset + i),
  };
}

/** Transitions of a result as objects. */
export function transitionsOf(result: PushResult): Transition[] {
  return result.anomalies.map(({ value }) => decodeTransition(value));
}

/** An engine that is fed hand-written rows and answers in short lines. */
export class Trace {
  readonly engine: KernelEngine;
  #offset = 0;

  constructor(rules: string | RuleSet, partition = 0) {
    this.engine = createEngine(typeof rules === "string" ? traceRules(rules) : rules, {
      partition,
    });
  }

  /** Pushes rows as one batch. */
  push(rows: readonly TraceRow[], mode: PushMode = "live"): Transition[] {
    const result = this.engine.push(traceBatch(rows, this.#offset), mode);
    this.#offset += rows.length;
    return transitionsOf(result);
  }

  /** Pushes rows and tells transitions as `kind[ reason] rule@seconds of at`, with more by `show`. */
  lines(rows: readonly TraceRow[], show?: (transition: Transition) => unknown): string[] {
    return this.push(rows).map((transition) => {
      const { kind, reason, rule, at } = transition;
      const more = show === undefined ? "" : ` ${show(transition)}`;
      return `${kind}${reason === undefined ? "" : ` (${reason})`} ${rule}@${seconds(at)}${more}`;
    });
  }
}

/** Seconds after `TRACE_START_MS`. */
export function seconds(timeMs: number): number {
  return (timeMs - TRACE_START_MS) / 1000;
}

function ms(time: number): number {
  return TRACE_START_MS + Math.round(time * 1000);
}
