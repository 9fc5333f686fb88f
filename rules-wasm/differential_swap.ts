/**
 * Holds the kernel's engine against the reference over a random log in which the rules change, and
 * the kernel's state moves to fresh engines. A divergence is shrunk to a small script.
 */
import { Seeded } from "../testing/seeded.ts";
import { createEngine } from "./engine.ts";
import type { AnomalyRecord, Engine, PushMode, PushResult } from "./engine_port.ts";
import type { KernelEngine } from "./kernel_engine.ts";
import type { RuleSet } from "./language/ast.ts";
import { compilePlan } from "./plan.ts";
import { KERNEL_BYTES_MAX } from "./plan_bounds.ts";
import { createReferenceEngine } from "./reference/engine.ts";
import { asBatch, type LogRecord } from "./reference/random_log.ts";

/** What happens to an engine, in order. */
export type Step =
  | { readonly kind: "record"; readonly record: LogRecord }
  | {
    readonly kind: "swap";
    readonly rules: RuleSet;
    readonly text: string;
    /** How many of the records before it warm an engine aside; null: none is made. */
    readonly warmed: number | null;
    /** Whether the next record's A is told. */
    readonly ahead: boolean;
  }
  /** The state goes through a snapshot into a fresh engine. */
  | { readonly kind: "move" }
  /** It goes into a fresh engine of other rules, of the same lateness: what ends, ends unsaid. */
  | { readonly kind: "restore"; readonly rules: RuleSet; readonly text: string };

const PARTITION = 3;

/** Runs engines over one script. */
interface Subject {
  push(records: readonly LogRecord[], from: number): PushResult;
  swap(rules: RuleSet, warmedFrom: number | null, to: number, nextA?: number): AnomalyLines;
  move(): void;
  restore(rules: RuleSet): void;
  told(): string;
}

type AnomalyLines = readonly AnomalyRecord[];

/** One engine after the other, each with the state of the one before. */
class Running<E extends Engine> implements Subject {
  #engine: E;
  readonly #log: readonly LogRecord[];
  /** Counts of the engines before. */
  #counts: Record<string, number> = {};

  constructor(
    rules: RuleSet,
    log: readonly LogRecord[],
    readonly make: (rules: RuleSet) => E,
    readonly moved: (engine: E, fresh: E, rules?: RuleSet) => E,
  ) {
    this.#engine = make(rules);
    this.#log = log;
    this.rules = rules;
  }

  rules: RuleSet;

  push(records: readonly LogRecord[], from: number): PushResult {
    return this.#engine.push(asBatch(this.#log, from, from + records.length));
  }

  swap(rules: RuleSet, from: number | null, to: number, nextA?: number): AnomalyLines {
    let warmed: E | undefined;
    if (from !== null) {
      warmed = this.make(rules);
      const mode: PushMode = "warm";
      for (let at = from; at < to; at += 50) {
        warmed.push(asBatch(this.#log, at, Math.min(to, at + 50)), mode);
      }
    }
    this.rules = rules;
    return this.#engine.swap(rules, warmed, nextA);
  }

  move(): void {
    const fresh = this.moved(this.#engine, this.make(this.rules));
    if (fresh !== this.#engine) this.#counts = this.#total();
    this.#engine = fresh;
  }

  restore(rules: RuleSet): void {
    this.rules = rules;
    const fresh = this.moved(this.#engine, this.make(rules), rules);
    if (fresh !== this.#engine) this.#counts = this.#total();
    this.#engine = fresh;
  }

  told(): string {
    const engine = this.#engine;
    const { samples, refused, ticks, late, duplicates, crowded, clockResets, forgotten } = this
      .#total();
    return JSON.stringify({
      counts: { samples, refused, ticks, late, duplicates, crowded, clockResets, forgotten },
      open: engine.openAnomalies(),
      vehicles: engine.vehicles(),
      timer: engine.nextTimer(),
      waiting: engine.waiting(),
      clock: engine.clock(),
    });
  }

  #total(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.#engine.counts()).map((
        [name, count],
      ) => [name, count + (this.#counts[name] ?? 0)]),
    );
  }
}

/** What a script gives, step by step. */
function* played(subject: Subject, script: readonly Step[], cuts: Seeded | null): Iterable<string> {
  const text = new TextDecoder();
  const log = logOf(script);
  let at = 0;
  const refusals: string[] = [];
  const pending: LogRecord[] = [];
  function* flush(): Iterable<string> {
    const records = pending.splice(0);
    if (records.length === 0) return;
    const from = at - records.length;
    const result = subject.push(records, from);
    for (const { value } of result.anomalies) yield text.decode(value);
    for (const { record, index, reason } of result.refusals) {
      refusals.push(`refused ${from + record}/${index}: ${reason}`);
    }
  }
  let most = 1;
  let latest = -Infinity;
  for (const step of script) {
    if (step.kind === "record") {
      pending.push(step.record);
      latest = Math.max(latest, step.record.append);
      at++;
      if (pending.length < most) continue;
      yield* flush();
      most = cuts === null ? 1 : 1 + cuts.below(300);
      continue;
    }
    yield* flush();
    if (step.kind === "move") subject.move();
    else if (step.kind === "restore") subject.restore(step.rules);
    else {
      const from = step.warmed === null ? null : Math.max(0, at - step.warmed);
      // What is told is the running maximum of A up to the next record.
      const next = step.ahead && at < log.length ? Math.max(latest, log[at].append) : undefined;
      for (const { value } of subject.swap(step.rules, from, at, next)) {
        yield `swap: ${text.decode(value)}`;
      }
    }
    yield `after ${at} records, ${step.kind}: ${subject.told()}`;
  }
  yield* flush();
  yield* refusals;
  yield subject.told();
}

function logOf(script: readonly Step[]): LogRecord[] {
  return script.flatMap((step) => step.kind === "record" ? [step.record] : []);
}

/** What came of running both engines over a script. */
export interface Comparison {
  /** Where they part, in words; null where they agree. */
  readonly apart: string | null;
  /** Transitions, those that swaps caused, and those that say "rule changed". */
  readonly transitions: number;
  readonly swapped: number;
  readonly changed: number;
}

/**
 * Runs both engines over a script that begins with some rules.
 *
 * @param memoryBytes memory of each kernel: rules leave room for so many vehicles
 */
export function compareSwaps(
  rules: RuleSet,
  script: readonly Step[],
  seed: number,
  memoryBytes = KERNEL_BYTES_MAX,
): Comparison {
  const room = (of: RuleSet) => compilePlan(of, memoryBytes).vehicleRoom;
  const log = logOf(script);
  const reference = new Running<Engine>(
    rules,
    log,
    (of) => createReferenceEngine(of, { partition: PARTITION, room }),
    (engine, _, other) => {
      if (other) engine.swap(other);
      return engine;
    },
  );
  const kernel = new Running<KernelEngine>(
    rules,
    log,
    (of) => createEngine(of, { partition: PARTITION, memoryBytes }),
    (engine, fresh) => {
      fresh.restore(engine.snapshot());
      return fresh;
    },
  );
  const expected = [...played(reference, script, null)];
  const found = [...played(kernel, script, new Seeded(seed))];
  const at = expected.findIndex((line, i) => line !== found[i]);
  const first = at < 0 && found.length > expected.length ? expected.length : at;
  const apart = first < 0
    ? null
    : `output ${first}\n  reference: ${expected[first] ?? "nothing"}\n  kernel:    ${
      found[first] ?? "nothing"
    }`;
  return {
    apart,
    transitions: expected.filter((line) => line.startsWith("{")).length,
    swapped: expected.filter((line) => line.startsWith("swap: ")).length,
    changed: expected.filter((line) => line.includes('"rule changed"')).length,
  };
}

/** A smaller script over which the engines still part: pieces are left out as long as that holds. */
export function shrinkScript(
  rules: RuleSet,
  script: readonly Step[],
  seed: number,
  memoryBytes?: number,
): Step[] {
  let small = [...script];
  for (let piece = small.length >> 1; piece >= 1; piece >>= 1) {
    for (let at = 0; at < small.length;) {
      const without = [...small.slice(0, at), ...small.slice(at + piece)];
      if (without.length > 0 && parts(rules, without, seed, memoryBytes)) small = without;
      else at += piece;
    }
  }
  return small;
}

/** Whether the engines part; to throw is to part, too. */
function parts(
  rules: RuleSet,
  script: readonly Step[],
  seed: number,
  memoryBytes?: number,
): boolean {
  try {
    return compareSwaps(rules, script, seed, memoryBytes).apart !== null;
  } catch (error) {
    return error instanceof Error;
  }
}

/** A script as text for people. */
export function showScript(script: readonly Step[]): string {
  const text = new TextDecoder();
  let record = 0;
  return script.map((step) => {
    if (step.kind === "move") return "  the state moves to a fresh engine";
    if (step.kind === "restore") return `  restored into other rules:\n${step.text}`;
    if (step.kind === "swap") {
      return `  swap, warmed by ${step.warmed ?? "none"}${
        step.ahead ? ", next A told" : ""
      }:\n${step.text}`;
    }
    const { append, value } = step.record;
    return `  ${record++} A=${append} ${text.decode(value) || "tick"}`;
  }).join("\n");
}
