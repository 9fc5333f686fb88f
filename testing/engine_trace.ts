/** Short hand-written logs for both engines, and their transitions as short lines. */
import { assert, assertEquals } from "@std/assert";
import { parse } from "yaml";
import { decodeTransition, type Transition } from "../contract/anomaly.ts";
import { type Catalog, type Signal, STALE_AFTER_MS_DEFAULT } from "../contract/catalog.ts";
import { createEngine, type KernelEngine } from "../rules-wasm/engine.ts";
import type {
  AnomalyRecord,
  Engine,
  EngineInput,
  PushMode,
  PushResult,
} from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { formatFault } from "../rules-wasm/language/format_fault.ts";
import { loadRules } from "../rules-wasm/language/rules_file.ts";
import type { Zone } from "../rules-wasm/language/zone.ts";
import { loadZones } from "../rules-wasm/language/zones_file.ts";
import { createReferenceEngine } from "../rules-wasm/reference/engine.ts";
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
    signal("lat", "deg", -90, 90),
    signal("lon", "deg", -180, 180),
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

/** Rules that traces were made of since the test began. */
let traced: string[] = [];

/**
 * A test with a golden trace: what the engines must give, worked out by hand.
 *
 * @param shows what it is a trace of: `avg()` for a function, `for:` for the key of a rule,
 * `settings.max_gap` for a setting; the test fails if no rule of it uses that
 */
export function golden(shows: readonly string[], what: string, test: () => void): void {
  Deno.test(`golden ${shows.join(", ")}: ${what}`, () => {
    traced = [];
    test();
    for (const shown of shows) {
      assert(traced.some((text) => uses(text, shown)), `no rule of this trace uses ${shown}`);
    }
  });
}

/** Whether a text of rules uses a function (`avg()`), a key (`for:`) or a setting. */
export function uses(text: string, what: string): boolean {
  if (what.endsWith("()")) return new RegExp(`\\b${what.slice(0, -2)}\\(`).test(text);
  const file: unknown = parse(text);
  if (!isMap(file)) return false;
  const setting = /^settings\.(.*)$/.exec(what)?.[1];
  if (setting !== undefined) return isMap(file.settings) && Object.hasOwn(file.settings, setting);
  const rules: unknown[] = Array.isArray(file.rules) ? file.rules : [];
  return rules.some((rule) => isMap(rule) && Object.hasOwn(rule, what.replace(/:$/, "")));
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A rule set of rules written as YAML, over a small catalog or another one, and zones as GeoJSON. */
export function traceRules(text: string, catalog: Catalog = CATALOG, map = ""): RuleSet {
  traced.push(text);
  const loaded = loadRules(text, {
    file: "trace rules",
    catalog,
    zones: map === "" ? [] : traceZones(map),
    hash: hashVersion,
  });
  if (!loaded.ok) {
    throw new Error(loaded.faults.map((fault) => formatFault(fault, text)).join("\n"));
  }
  return loaded.rules;
}

/** The zones of a text of GeoJSON. */
export function traceZones(text: string): readonly Zone[] {
  const loaded = loadZones(text, { file: "trace zones", hash: hashVersion });
  if (loaded.ok) return loaded.zones;
  throw new Error(loaded.faults.map((fault) => formatFault(fault, text)).join("\n"));
}

/** One record: times in seconds after `TRACE_START_MS`. Without values it is a tick. */
export interface TraceRow {
  /** A of the record. */
  readonly a: number;
  /** T of the sample; by default the same. */
  readonly t?: number;
  /** Vehicle; by default "V". */
  readonly v?: string;
  readonly is?: Readonly<Record<string, number | boolean | string | undefined>>;
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

/** Both engines, fed hand-written rows: they must agree on every byte, and answer in short lines. */
export class Trace {
  readonly engine: KernelEngine;
  readonly #reference: Engine | null;
  #offset = 0;

  /** @param options.kernelAlone for loads that are too large for the reference */
  constructor(rules: string | RuleSet, options: { readonly kernelAlone?: boolean } = {}) {
    const ruleSet = typeof rules === "string" ? traceRules(rules) : rules;
    this.engine = createEngine(ruleSet, { partition: 0 });
    this.#reference = options.kernelAlone === true
      ? null
      : createReferenceEngine(ruleSet, { partition: 0 });
  }

  /** Pushes rows as one batch. */
  push(rows: readonly TraceRow[], mode: PushMode = "live"): Transition[] {
    const batch = traceBatch(rows, this.#offset);
    const result = this.engine.push(batch, mode);
    this.#offset += rows.length;
    if (this.#reference !== null) {
      const expected = this.#reference.push(batch, mode);
      assertEquals(told(result, this.engine), told(expected, this.#reference));
    }
    return transitionsOf(result);
  }

  /**
   * Changes the rules of both.
   *
   * @param warmed the last rows pushed that engines of the new rules take in aside
   * @param nextA A of the next row, if it is told, in seconds
   */
  swap(rules: string | RuleSet, warmed?: readonly TraceRow[], nextA?: number): Transition[] {
    const ruleSet = typeof rules === "string" ? traceRules(rules) : rules;
    const batch = warmed && traceBatch(warmed, this.#offset - warmed.length);
    const swapped = (engine: Engine, aside: Engine): readonly AnomalyRecord[] => {
      if (batch) aside.push(batch, "warm");
      return engine.swap(ruleSet, batch && aside, nextA === undefined ? undefined : ms(nextA));
    };
    const anomalies = swapped(this.engine, createEngine(ruleSet, { partition: 0 }));
    const result = { anomalies, refusals: [] };
    if (this.#reference !== null) {
      const aside = createReferenceEngine(ruleSet, { partition: 0 });
      const expected = { anomalies: swapped(this.#reference, aside), refusals: [] };
      assertEquals(told(result, this.engine), told(expected, this.#reference));
    }
    return transitionsOf(result);
  }

  /** Pushes rows and tells transitions as `kind[ reason] rule@seconds of at`, with more by `show`. */
  lines(rows: readonly TraceRow[], show?: (transition: Transition) => unknown): string[] {
    return this.push(rows).map((transition) => lineOf(transition, show));
  }
}

/** A transition as `Trace.lines` tells it. */
export function lineOf(transition: Transition, show?: (transition: Transition) => unknown): string {
  const { kind, reason, rule, at } = transition;
  const more = show === undefined ? "" : ` ${show(transition)}`;
  return `${kind}${reason === undefined ? "" : ` (${reason})`} ${rule}@${seconds(at)}${more}`;
}

/** All that two engines must agree on after a batch. */
function told({ anomalies, refusals }: PushResult, engine: Engine): unknown {
  const text = new TextDecoder();
  const { samples, refused, ticks, late, duplicates } = engine.counts();
  return {
    anomalies: anomalies.map(({ key, value }) => [text.decode(key), text.decode(value)]),
    refusals,
    counts: { samples, refused, ticks, late, duplicates },
    state: [engine.vehicles(), engine.openAnomalies(), engine.nextTimer(), engine.clock()],
  };
}

/** Seconds after `TRACE_START_MS`. */
export function seconds(timeMs: number): number {
  return (timeMs - TRACE_START_MS) / 1000;
}

function ms(time: number): number {
  return TRACE_START_MS + Math.round(time * 1000);
}
