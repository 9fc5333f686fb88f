/**
 * The TypeScript peer: the same rules over `JSON.parse`, record by record: one object per sample,
 * one per vehicle, closures for rules. It gives the same transitions, which the benchmark checks.
 */
import { createHash } from "node:crypto";
import { SEVERITIES, type Severity, type Transition } from "../contract/anomaly.ts";
import { TIME_MS_MAX, VEHICLE_ID_BYTES_MAX } from "../contract/telemetry.ts";
import type { EngineInput } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { PeerCompiler, type PeerValues } from "./peer_expressions.ts";
import { compileRule, type PeerRule } from "./peer_rules.ts";

interface Cause {
  readonly t: number;
  readonly append: number;
  readonly offset: number;
  readonly index: number;
}

interface Life {
  from: number;
  to: number;
  done: boolean;
  clearFrom: number;
  clearTo: number;
  downFrom: number;
  downTo: number;
  levels: boolean[];
  open: boolean;
  onset: number;
  count: number;
  severity: Severity;
  id: string;
  endedT: number;
  lastAt: number;
}

interface Sample {
  readonly brought: boolean[];
  readonly numbers: number[];
  /** Signals that were set, some of them perhaps unset again. */
  readonly carried: number[];
}

/** Key numbers that are no signals: vehicle and time. */
const [VEHICLE, TIME] = [-1, -2];

interface Vehicle {
  readonly id: string;
  readonly values: PeerValues;
  /** Made when first needed: most rules never fire for most vehicles. */
  readonly lives: (Life | undefined)[];
  lastT: number;
  heard: Cause;
  /** Samples of the partition heard before its last one. */
  position: number;
}

/** Evaluates rules over one partition. */
export class TypeScriptPeer {
  readonly #rules: readonly PeerRule[];
  readonly #compiler: PeerCompiler;
  readonly #keys: ReadonlyMap<string, number>;
  /** The sample at hand, by signal; reused. */
  readonly #sample: Sample;
  #id: unknown;
  #time: unknown;
  readonly #absentMs: readonly number[];
  #position = 0;
  #nextDue = Infinity;
  readonly #vehicles = new Map<string, Vehicle>();
  #clock = -Infinity;
  #out: string[] = [];
  /** Records that were no samples. */
  refused = 0;

  constructor(readonly ruleSet: RuleSet) {
    const compiler = this.#compiler = new PeerCompiler(ruleSet);
    this.#rules = ruleSet.rules.map((rule) => compileRule(rule, compiler));
    const keys = new Map<string, number>();
    ruleSet.catalog.signals.forEach((signal, number) => {
      if (compiler.columnOf(number) < 0) return;
      for (const key of signal.keys) keys.set(key, number);
      if (signal.vss !== "") keys.set(signal.vss, number);
    });
    this.#keys = keys;
    for (const key of ruleSet.catalog.vehicleKeys) keys.set(key, VEHICLE);
    for (const key of ruleSet.catalog.timeKeys) keys.set(key, TIME);
    const signals = compiler.columns;
    this.#sample = {
      brought: new Array<boolean>(signals).fill(false),
      numbers: new Array<number>(signals).fill(NaN),
      carried: [],
    };
    this.#absentMs = [...new Set(this.#rules.flatMap((rule) => [...rule.absent]))]
      .sort((a, b) => a - b);
  }

  /** Takes a batch in, one record at a time; returns its transitions as JSON texts. */
  push(input: EngineInput): readonly string[] {
    this.#out = [];
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    let from = 0;
    for (let i = 0; i < input.count; i++) {
      const bytes = input.values.subarray(from, input.valueEnds[i]);
      from = input.valueEnds[i];
      const append = Math.max(this.#clock, input.appendTimes[i]);
      if (append > this.#clock) this.#fireTimers(append);
      this.#clock = append;
      let record: unknown;
      try {
        record = JSON.parse(decoder.decode(bytes));
      } catch {
        this.refused++;
        continue;
      }
      this.#record(record, input.offsets[i]);
    }
    return this.#out;
  }

  #record(record: unknown, offset: number): void {
    if (typeof record !== "object" || record === null || Array.isArray(record)) {
      this.refused++;
      return;
    }
    for (const signal of this.#sample.carried) this.#sample.brought[signal] = false;
    this.#sample.carried.length = 0;
    this.#id = this.#time = undefined;
    this.#read(record, "");
    const id = this.#id;
    const time = this.#time;
    const t = typeof time === "string" ? Date.parse(time) : time;
    if (
      typeof id !== "string" || id === "" || id.length > VEHICLE_ID_BYTES_MAX ||
      typeof t !== "number" || !(t >= 0 && t <= TIME_MS_MAX) ||
      t > this.#clock + this.ruleSet.settings.maxClockAheadMs
    ) {
      this.refused++;
      return;
    }
    const cause = { t: Math.trunc(t), append: this.#clock, offset, index: 0 };
    this.#take(id, cause);
  }

  #read(object: object, prefix: string): void {
    for (const [name, value] of Object.entries(object)) {
      const key = prefix === "" ? name : prefix + name;
      const signal = this.#keys.get(key);
      if (signal === undefined) {
        if (typeof value === "object" && value !== null && !Array.isArray(value)) {
          this.#read(value, `${key}.`);
        }
      } else if (signal === VEHICLE) this.#id = value;
      else if (signal === TIME) this.#time = value;
      else this.#set(signal, value);
    }
  }

  #set(signal: number, value: unknown): void {
    const { type, min, max, names } = this.ruleSet.catalog.signals[signal];
    const column = this.#compiler.columnOf(signal);
    let number = NaN;
    if (type === "number") number = typeof value === "number" ? value : NaN;
    else if (type === "boolean") {
      number = value === true || value === 1 ? 1 : value === false || value === 0 ? 0 : NaN;
    } else if (typeof value === "string") {
      const index = names.indexOf(value);
      number = index < 0 ? NaN : index;
    }
    if (type === "number" && !(number >= min && number <= max)) number = NaN;
    const { brought, carried, numbers } = this.#sample;
    const known = !Number.isNaN(number);
    if (known && !brought[column]) carried.push(column);
    brought[column] = known;
    numbers[column] = number;
  }

  #take(id: string, cause: Cause): void {
    let vehicle = this.#vehicles.get(id);
    if (!vehicle) {
      vehicle = {
        id,
        values: this.#compiler.newValues(),
        lives: new Array<Life | undefined>(this.#rules.length).fill(undefined),
        lastT: -Infinity,
        heard: cause,
        position: 0,
      };
      this.#vehicles.set(id, vehicle);
    }
    vehicle.heard = cause;
    vehicle.position = this.#position++;
    if (this.#absentMs.length > 0) {
      this.#nextDue = Math.min(this.#nextDue, cause.append + this.#absentMs[0]);
    }
    const { values } = vehicle;
    const wasAbsent = values.absent.size > 0;
    values.absent.clear();
    const sample = this.#sample;
    if (cause.t < vehicle.lastT || (cause.t === vehicle.lastT && nothingNew(values, sample))) {
      if (!wasAbsent) return;
      values.again = true;
      const again = { ...cause, t: vehicle.lastT };
      this.#rules.forEach((rule, i) => {
        if (rule.absent.size > 0) this.#evaluate(rule, i, vehicle, again, null);
      });
      return;
    }
    vehicle.lastT = values.t = cause.t;
    values.again = false;
    const { brought, carried, numbers } = sample;
    for (const signal of carried) {
      if (!brought[signal]) continue;
      values.values[signal] = numbers[signal];
      values.times[signal] = cause.t;
    }
    const { operators } = this.#compiler;
    for (let i = 0; i < operators.length; i++) {
      values.results[i] = operators[i].step(values, operators[i].brings(brought));
    }
    for (let i = 0; i < this.#rules.length; i++) {
      this.#evaluate(this.#rules[i], i, vehicle, cause, brought);
    }
  }

  /** Looks through all vehicles, but only when one may be due. */
  #fireTimers(append: number): void {
    if (append <= this.#nextDue) return;
    const due: { vehicle: Vehicle; d: number; at: number }[] = [];
    this.#nextDue = Infinity;
    for (const vehicle of this.#vehicles.values()) {
      for (const d of this.#absentMs) {
        const at = vehicle.heard.append + d;
        if (vehicle.values.absent.has(d)) continue;
        if (at < append) due.push({ vehicle, d, at });
        else this.#nextDue = Math.min(this.#nextDue, at);
      }
    }
    due.sort((a, b) => a.at - b.at || a.vehicle.position - b.vehicle.position || a.d - b.d);
    for (const { vehicle, d, at } of due) {
      vehicle.values.absent.add(d);
      vehicle.values.again = true;
      const cause = { ...vehicle.heard, t: vehicle.lastT + d, append: at };
      this.#rules.forEach((rule, i) => {
        if (rule.absent.has(d)) this.#evaluate(rule, i, vehicle, cause, null);
      });
    }
  }

  /** @param brought signals that the sample carries; null: as at the last one, all count */
  #evaluate(
    rule: PeerRule,
    i: number,
    vehicle: Vehicle,
    cause: Cause,
    brought: readonly boolean[] | null,
  ): void {
    const { values } = vehicle;
    let life = vehicle.lives[i];
    for (let l = 0; l < rule.levels.length; l++) {
      const level = rule.levels[l];
      if (brought !== null && !level.brings(brought)) continue;
      const truth = level.when(values);
      if (truth === 1) life ??= vehicle.lives[i] = newLife(rule);
      if (life && !Number.isNaN(truth)) life.levels[l] = truth === 1;
    }
    const when = brought === null || rule.whenBrings(brought) ? rule.when(values) : NaN;
    if (when === 1) life ??= vehicle.lives[i] = newLife(rule);
    if (!life) return;
    const { t } = cause;
    const { forMs, clearForMs, maxGapMs, once, cooldownMs } = rule.rule;
    if (!life.open) {
      if (when === 0) life.from = NaN;
      if (when !== 1) return;
      if (!(t - life.to <= maxGapMs) || Number.isNaN(life.from)) {
        life.from = t;
        life.done = false;
      }
      life.to = t;
      if (life.done || t - life.from < forMs) return;
      life.done = true;
      const within = life.id !== "" && t <= life.endedT + cooldownMs;
      if (once && within) return;
      life.open = !once;
      life.severity = severityOf(rule, life);
      life.clearFrom = life.downFrom = NaN;
      if (within) life.count++;
      else {
        life.count = 1;
        life.onset = life.from;
        life.endedT = t;
        life.id = anomalyId(rule.rule.id, vehicle.id, life.onset, cause);
      }
      this.#write(within ? "reopened" : "opened", rule, life, vehicle, cause);
      return;
    }
    const clear = brought === null || rule.clearBrings(brought) ? rule.clear(values) : NaN;
    if (when === 1 || clear === 0) life.clearFrom = NaN;
    else if (clear === 1) {
      if (Number.isNaN(life.clearFrom) || t - life.clearTo > maxGapMs) life.clearFrom = t;
      life.clearTo = t;
      if (t - life.clearFrom >= clearForMs) {
        life.open = false;
        life.endedT = t;
        life.from = NaN;
        this.#write("cleared", rule, life, vehicle, cause);
        return;
      }
    }
    if (rule.levels.some((level) => brought === null || level.brings(brought))) {
      this.#reconsider(rule, life, vehicle, cause);
    }
  }

  #reconsider(rule: PeerRule, life: Life, vehicle: Vehicle, cause: Cause): void {
    const target = severityOf(rule, life);
    const change = SEVERITIES.indexOf(target) - SEVERITIES.indexOf(life.severity);
    if (change >= 0) life.downFrom = NaN;
    if (change === 0) return;
    if (change < 0) {
      if (Number.isNaN(life.downFrom) || cause.t - life.downTo > rule.rule.maxGapMs) {
        life.downFrom = cause.t;
      }
      life.downTo = cause.t;
      if (cause.t - life.downFrom < rule.rule.clearForMs) return;
      life.downFrom = NaN;
    }
    life.severity = target;
    this.#write(change > 0 ? "escalated" : "deescalated", rule, life, vehicle, cause);
  }

  #write(
    kind: Transition["kind"],
    rule: PeerRule,
    life: Life,
    vehicle: Vehicle,
    cause: Cause,
  ): void {
    life.lastAt = Math.max(life.lastAt, cause.t);
    const transition: Transition = {
      id: life.id,
      kind,
      ...(kind === "cleared" ? { reason: "condition" } : {}),
      rule: rule.rule.id,
      version: this.ruleSet.version,
      vehicle: vehicle.id,
      severity: life.severity,
      onset: life.onset,
      at: life.lastAt,
      append: cause.append,
      count: life.count,
      message: rule.message.map((part) => part(vehicle.values, vehicle.id)).join(""),
      terms: rule.terms.map((term) => term(vehicle.values)),
      source: { partition: 0, offset: String(cause.offset), index: cause.index },
    };
    this.#out.push(JSON.stringify(transition));
  }
}

function newLife(rule: PeerRule): Life {
  return {
    from: NaN,
    to: NaN,
    done: false,
    clearFrom: NaN,
    clearTo: NaN,
    downFrom: NaN,
    downTo: NaN,
    levels: rule.levels.map(() => false),
    open: false,
    onset: NaN,
    count: 0,
    severity: rule.rule.severity,
    id: "",
    endedT: -Infinity,
    lastAt: -Infinity,
  };
}

function severityOf(rule: PeerRule, life: Life): Severity {
  const highest = life.levels.lastIndexOf(true);
  return highest < 0 ? rule.rule.severity : rule.rule.levels[highest].severity;
}

function anomalyId(rule: string, vehicle: string, onset: number, opener: Cause): string {
  const parts = [rule, vehicle, onset, 0, opener.offset, opener.index];
  const text = parts.map((part) => `${part}\n`).join("");
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function nothingNew(values: PeerValues, { brought, numbers, carried }: Sample): boolean {
  for (const signal of carried) {
    if (!brought[signal]) continue;
    if (values.times[signal] !== values.t || values.values[signal] !== numbers[signal]) {
      return false;
    }
  }
  return true;
}
