/** What the server's tests share: a small catalog, a bus in memory, a decoder over JSON.parse. */
import type { AgentContext } from "../contract/agent.ts";
import type { Transition } from "../contract/anomaly.ts";
import type { Catalog, Signal } from "../contract/catalog.ts";
import type { OperationalEvent } from "../contract/events.ts";
import { type Batch, type Bus, BusError, type Outgoing, type TailOptions } from "../bus/port.ts";
import type {
  DecodedRows,
  DecodeHandler,
  Decoder,
  RecordColumns,
} from "../rules-wasm/decoder_port.ts";
import { type Rule, RULE_SETTINGS_DEFAULT, type RuleSet } from "../rules-wasm/language/ast.ts";
import { RuleHistory } from "../contract/rule_versions.ts";
import type { RuleLog } from "../rules-wasm/rule_source.ts";
import { aborted } from "./periodic.ts";

/** Signals of the tests' catalog, in its order. */
export const SIGNAL_NAMES = [
  "speed",
  "lat",
  "lon",
  "heading",
  "rpm",
  "coolant",
  "fuel",
  "battery",
] as const;

/** The tests' catalog. */
export const CATALOG: Catalog = {
  signals: SIGNAL_NAMES.map((name): Signal => ({
    name,
    type: "number",
    unit: name === "speed" ? "km/h" : "",
    min: -1e9,
    max: 1e9,
    staleAfterMs: 60_000,
    names: [],
    keys: [name],
    vss: "",
    description: `The ${name}.`,
  })),
  vehicleKeys: ["vehicle"],
  timeKeys: ["ts"],
};

/** A rule that nothing evaluates here. */
export function ruleOf(id: string, once = false): Rule {
  return {
    id,
    when: {
      kind: "compare",
      op: ">",
      left: { kind: "signal", signal: 0, type: "number" },
      right: { kind: "number", value: 130 },
      term: { text: "speed > 130 km/h", unit: "km/h" },
    },
    clear: null,
    forMs: 0,
    clearForMs: 0,
    cooldownMs: 0,
    maxGapMs: 120_000,
    once,
    severity: "warning",
    levels: [],
    message: [],
    terms: [],
    labels: {},
    vehicles: [],
    runbook: "",
    source: `- id: ${id}`,
  };
}

/** The tests' rules: a state and a point event. */
export const RULE_SET: RuleSet = {
  catalog: CATALOG,
  settings: RULE_SETTINGS_DEFAULT,
  zones: [],
  rules: [ruleOf("overspeed"), ruleOf("harsh-braking", true)],
  version: "3f1c0a9be77d2f40",
};

/** Rules that never change and have no history. */
export function fixedRules(ruleSet: RuleSet): RuleLog {
  return {
    current: () => ruleSet,
    version: (name) => name === ruleSet.version ? ruleSet : null,
    history: new RuleHistory(),
    catchUp: () => Promise.resolve(),
    onChange: () => () => {},
    write: () => Promise.resolve({ kind: "conflict", current: ruleSet.version }),
  };
}

/** A transition, opened unless said otherwise. */
export function transitionOf(change: Partial<Transition> = {}): Transition {
  return {
    id: "9f2c41d07be3a655",
    kind: "opened",
    rule: "overspeed",
    version: RULE_SET.version,
    vehicle: "VH-1",
    severity: "warning",
    onset: 1_000,
    at: 2_000,
    append: 3_000,
    count: 1,
    message: "VH-1 at 134.2 km/h",
    terms: [{ text: "speed > 130 km/h", value: 134.2, limit: 130, unit: "km/h" }],
    source: { partition: 0, offset: "7", index: 0 },
    ...change,
  };
}

/** Rows as a decoder would hand them over. */
export function rowsOf(
  samples: readonly {
    readonly slot: number;
    readonly t: number;
    readonly record?: number;
    readonly values: Readonly<Record<string, number>>;
  }[],
): DecodedRows {
  const column = (signal: number) =>
    Float64Array.from(samples, ({ values }) => values[SIGNAL_NAMES[signal] ?? ""] ?? NaN);
  return {
    count: samples.length,
    record: Uint32Array.from(samples, ({ record }) => record ?? 0),
    index: new Uint32Array(samples.length),
    start: new Uint32Array(samples.length),
    end: new Uint32Array(samples.length),
    slot: Uint32Array.from(samples, ({ slot }) => slot),
    t: Float64Array.from(samples, ({ t }) => t),
    column,
  };
}

/** Decodes one JSON object per record with JSON.parse. */
export class JsonDecoder implements Decoder {
  readonly #ids: string[] = [];
  #samples = 0;
  #refused = 0;

  decode(input: RecordColumns, handler: DecodeHandler): void {
    for (let record = 0; record < input.count; record++) {
      const start = record === 0 ? 0 : input.valueEnds[record - 1] ?? 0;
      const end = input.valueEnds[record] ?? 0;
      const text = new TextDecoder().decode(input.values.subarray(start, end));
      let fields: Record<string, unknown>;
      try {
        fields = JSON.parse(text);
      } catch {
        this.#refused++;
        const place = { record, index: 0, start: 0, end: end - start, position: 0 };
        handler.refused({ reason: "malformed-json", ...place });
        continue;
      }
      const values: Record<string, number> = {};
      for (const name of SIGNAL_NAMES) {
        const value = fields[name];
        if (typeof value === "number") values[name] = value;
      }
      this.#samples++;
      const slot = this.#slot(String(fields.vehicle));
      handler.rows(rowsOf([{ slot, t: Number(fields.ts), record, values }]));
    }
  }

  vehicle(slot: number): string {
    return this.#ids[slot] ?? "";
  }

  vehicles(): number {
    return this.#ids.length;
  }

  counts(): ReturnType<Decoder["counts"]> {
    const none = { unknownKeys: 0, outOfRange: 0, wrongType: 0, ticks: 0 };
    return { samples: this.#samples, refused: this.#refused, ...none };
  }

  #slot(id: string): number {
    const known = this.#ids.indexOf(id);
    return known >= 0 ? known : this.#ids.push(id) - 1;
  }
}

interface Kept {
  readonly value: Uint8Array;
  readonly append: number;
}

/** A bus of one partition per topic, in memory; reads what is published, as it comes. */
export class MemoryBus implements Bus {
  readonly kind = "memory";
  /** Set to make `publish` fail. */
  broken = false;
  readonly #topics = new Map<string, Kept[]>();
  readonly #now: () => number;
  #wake = Promise.withResolvers<void>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Publishes values as JSON. */
  async send(topic: string, ...values: readonly unknown[]): Promise<void> {
    const records = values.map((value) => ({
      key: null,
      value: new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value)),
    }));
    await this.publish([{ topic, records }]);
  }

  publish(outgoing: readonly Outgoing[]): Promise<void> {
    if (this.broken) return Promise.reject(new BusError("the broker cannot be reached"));
    for (const { topic, records } of outgoing) {
      const log = this.#log(topic);
      for (const { value } of records) {
        log.push({ value: value ?? new Uint8Array(0), append: this.#now() });
      }
    }
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
    return Promise.resolve();
  }

  async *tail(options: TailOptions): AsyncIterable<Batch> {
    const log = this.#log(options.topic);
    let next = options.from instanceof Map ? options.from.get(0) ?? 0 : 0;
    while (!options.signal.aborted) {
      if (next >= log.length) {
        await Promise.race([this.#wake.promise, aborted(options.signal)]);
        continue;
      }
      const kept = log.slice(next, next + 100);
      const batch = batchOf(options.topic, next, kept, log.length);
      next += kept.length;
      yield batch;
    }
  }

  bounds(topic: string): Promise<readonly { start: number; end: number }[]> {
    return Promise.resolve([{ start: 0, end: this.#log(topic).length }]);
  }

  offsetAt(topic: string, _partition: number, timeMs: number): Promise<number> {
    const log = this.#log(topic);
    const found = log.findIndex(({ append }) => append >= timeMs);
    return Promise.resolve(found < 0 ? log.length : found);
  }

  partitions(): Promise<number> {
    return Promise.resolve(1);
  }

  ensureTopics(): Promise<void> {
    return Promise.resolve();
  }

  lease(): AsyncIterable<never> {
    throw new BusError("Cannot lease: a bus in memory has no groups");
  }

  range(): AsyncIterable<never> {
    throw new BusError("Cannot read a range: a bus in memory is only tailed");
  }

  metrics(): Readonly<Record<string, number>> {
    return { records: [...this.#topics.values()].reduce((sum, log) => sum + log.length, 0) };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #log(topic: string): Kept[] {
    const log = this.#topics.get(topic) ?? [];
    this.#topics.set(topic, log);
    return log;
  }
}

function batchOf(topic: string, offset: number, kept: readonly Kept[], end: number): Batch {
  const valueEnds = new Uint32Array(kept.length);
  let bytes = 0;
  kept.forEach(({ value }, i) => valueEnds[i] = bytes += value.length);
  const values = new Uint8Array(bytes);
  kept.forEach(({ value }, i) => values.set(value, (valueEnds[i] ?? 0) - value.length));
  return {
    topic,
    partition: 0,
    count: kept.length,
    offsets: Float64Array.from(kept, (_, i) => offset + i),
    appendTimes: Float64Array.from(kept, ({ append }) => append),
    values,
    valueEnds,
    key: () => null,
    headers: () => ({}),
    tombstone: () => false,
    nextOffset: offset + kept.length,
    highWatermark: end,
  };
}

/** A context to run an agent in, with what it said. */
export class TestContext implements AgentContext {
  readonly #abort = new AbortController();
  readonly signal = this.#abort.signal;
  readonly said: OperationalEvent[] = [];
  readonly now: () => number;
  isReady = false;

  constructor(now: () => number) {
    this.now = now;
  }

  ready(): void {
    this.isReady = true;
  }

  beat(): void {}

  untilResumed(): Promise<void> {
    return Promise.resolve();
  }

  readonly events = (event: OperationalEvent): void => {
    this.said.push(event);
  };

  /** Tells the agent to stop. */
  stop(): void {
    this.#abort.abort();
  }
}

/** Waits until a condition holds. @throws {Error} naming it if it does not within `ms` */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  ms = 5_000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Waited ${ms} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
