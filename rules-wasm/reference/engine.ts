/**
 * The reference engine: the oracle. One sample at a time, plain and slow, written from the text of
 * the specification and not from the kernel.
 */
import type {
  AnomalyRecord,
  Engine,
  EngineCounts,
  EngineInput,
  PushMode,
  PushResult,
} from "../engine_port.ts";
import type { Rule, RuleSet } from "../language/ast.ts";
import { type Expression, expressionsOf, signalsOf, walk } from "../language/brings.ts";
import { addCounts, noCounts } from "./counts.ts";
import { VehicleValues } from "./evaluate.ts";
import { type Cause, RuleLife, type Step } from "./lifecycle.ts";
import { absentDurations, applies } from "./rule_reach.ts";
import { RuleChange } from "./take_over.ts";
import { readTelemetry, type TelemetrySample } from "./telemetry_text.ts";
import { byOrder, type Timer, timersOf, type Vehicle } from "./timers.ts";
import { WAITING_PER_VEHICLE, type WaitingSample, WaitingSamples } from "./waiting.ts";
import { writeTransition } from "./write_transition.ts";

/** Is shown every evaluation: at a sample, or again as at the last one when time had passed. */
export type Observer = (vehicle: string, cause: Cause, values: VehicleValues) => void;

/** Makes a reference engine for one partition. */
export function createReferenceEngine(
  ruleSet: RuleSet,
  options: { readonly partition: number; readonly observe?: Observer },
): Engine {
  return new ReferenceEngine(ruleSet, options.partition, options.observe);
}

class ReferenceEngine implements Engine {
  #clock = -Infinity;
  #position = 0;
  #mode: PushMode = "live";
  readonly #vehicles = new Map<string, Vehicle>();
  readonly #counts: EngineCounts = noCounts();
  #anomalies: AnomalyRecord[] = [];
  /** A before which timers have fired under former rules. */
  #timersTo = -Infinity;
  #named: ReadonlySet<number> = new Set();
  #roots: readonly Expression[] = [];
  #absentMs: readonly number[] = [];

  constructor(
    public ruleSet: RuleSet,
    readonly partition: number,
    readonly observe: Observer = () => {},
  ) {
    this.#obey(ruleSet);
  }

  /** Comes under rules. */
  #obey(ruleSet: RuleSet): void {
    this.ruleSet = ruleSet;
    this.#roots = ruleSet.rules.flatMap(expressionsOf);
    this.#named = new Set(this.#roots.flatMap((root) => [...signalsOf(root)]));
    const durations = new Set<number>();
    for (const root of this.#roots) {
      walk(root, (node) => {
        if (node.kind === "call" && node.fn === "absent") durations.add(node.durationMs);
      });
    }
    this.#absentMs = [...durations].sort((a, b) => a - b);
  }

  push(input: EngineInput, mode: PushMode = "live"): PushResult {
    this.#mode = mode;
    this.#anomalies = [];
    const refusals: PushResult["refusals"][number][] = [];
    const { catalog, settings } = this.ruleSet;
    for (let record = 0; record < input.count; record++) {
      this.#moveClock(Math.max(this.#clock, input.appendTimes[record]));
      const from = record === 0 ? 0 : input.valueEnds[record - 1];
      const bytes = input.values.subarray(from, input.valueEnds[record]);
      if (bytes.length === 0) {
        this.#counts.ticks++;
        continue;
      }
      for (const item of readTelemetry(bytes, catalog)) {
        if (item.kind === "refused") {
          this.#counts.refused++;
          refusals.push({ record, ...item.refusal });
          continue;
        }
        const { index, start, end } = item;
        const refuse = (reason: "clock-ahead" | "too-many-vehicles") => {
          this.#counts.refused++;
          refusals.push({ record, reason, index, start, end, position: start });
        };
        if (item.t > this.#clock + settings.maxClockAheadMs) refuse("clock-ahead");
        else if (
          !this.#vehicles.has(item.vehicle) && this.#vehicles.size >= settings.maxVehicles
        ) refuse("too-many-vehicles");
        else {
          addCounts(this.#counts, item.counts);
          this.#sample(item, input.offsets[record]);
        }
      }
    }
    return { anomalies: this.#anomalies, refusals };
  }

  swap(ruleSet: RuleSet, warmed?: Engine, nextA = -Infinity): readonly AnomalyRecord[] {
    if (warmed !== undefined && !(warmed instanceof ReferenceEngine)) {
      throw new TypeError("Cannot warm the rules: the engine aside is of another kind");
    }
    this.#mode = "live";
    this.#anomalies = [];
    const a = Math.max(this.#clock, this.#timersTo, nextA);
    if (nextA > this.#clock) this.#fireBefore(nextA);
    this.#timersTo = a;
    const change = new RuleChange(this.ruleSet, ruleSet);
    const vehicles = () => [...this.#vehicles.values()].sort((x, y) => x.position - y.position);
    if (this.ruleSet.settings.latenessMs !== ruleSet.settings.latenessMs) {
      const all = vehicles().flatMap((of) => [...of.waiting].map((waiting) => ({ of, waiting })));
      all.sort((x, y) => x.waiting.position - y.waiting.position);
      for (const { of, waiting } of all) {
        if (of.waiting.has(waiting)) this.#evaluateAll(of, of.waiting.takeThrough(waiting), a);
      }
    }
    for (const vehicle of vehicles()) {
      vehicle.values.again((d) => vehicle.absent.has(d));
      const cause = { ...vehicle.heard, t: vehicle.lastT, append: a };
      for (const [rule, life] of vehicle.lives) {
        if (!change.goesOn(rule, vehicle.id)) {
          this.#write(rule, life.end("rule changed", cause), vehicle);
        }
      }
    }
    this.#obey(ruleSet);
    for (const vehicle of this.#vehicles.values()) {
      this.#takeOver(vehicle, change, warmed && warmed.#vehicles.get(vehicle.id));
    }
    return this.#anomalies;
  }

  /** A vehicle comes under the new rules; one warmed aside counts if it stands at the same T. */
  #takeOver(vehicle: Vehicle, change: RuleChange, warmed: Vehicle | undefined): void {
    const { latenessMs } = this.ruleSet.settings;
    const aside = warmed?.lastT === vehicle.lastT ? warmed : undefined;
    const values = this.#newValues();
    values.takeOver(vehicle.values, aside?.values ?? null);
    vehicle.values = values;
    vehicle.lives = change.lives(vehicle, aside);
    vehicle.waiting = change.waiting(vehicle, warmed, this.#absentMs);
    vehicle.absent = new Set(
      this.#absentMs.filter((d) => vehicle.heard.append + Math.max(d, latenessMs) < this.#timersTo),
    );
  }

  nextTimer(): number | null {
    const dues = [...this.#vehicles.values()].flatMap((vehicle) =>
      this.#timersOf(vehicle).map((timer) => timer.due)
    );
    return dues.length === 0 ? null : Math.min(...dues);
  }

  clock(): number {
    return this.#clock;
  }

  counts(): EngineCounts {
    return { ...this.#counts };
  }

  vehicles(): number {
    return this.#vehicles.size;
  }

  openAnomalies(): number {
    let open = 0;
    for (const { lives } of this.#vehicles.values()) {
      for (const life of lives.values()) if (life.open) open++;
    }
    return open;
  }

  waiting(): number {
    let waiting = 0;
    for (const vehicle of this.#vehicles.values()) waiting += vehicle.waiting.size;
    return waiting;
  }

  stateBytes(): number {
    return 0;
  }

  /** Fires, in order, every timer due before `clock`; then the clock stands there. */
  #moveClock(clock: number): void {
    this.#fireBefore(clock);
    this.#clock = clock;
  }

  #fireBefore(a: number): void {
    const due = [...this.#vehicles.values()].flatMap((vehicle) => this.#timersOf(vehicle))
      .filter((timer) => timer.due < a);
    for (const timer of due.sort(byOrder)) this.#fire(timer);
  }

  #timersOf(vehicle: Vehicle): Timer[] {
    return timersOf(vehicle, this.ruleSet.settings, this.#absentMs);
  }

  #fire({ kind, due: dueA, vehicle, durationMs, waiting }: Timer): void {
    // What new settings make overdue comes with them, not before.
    const due = Math.max(dueA, this.#timersTo);
    if (waiting) {
      this.#evaluateAll(vehicle, vehicle.waiting.takeThrough(waiting), due);
      return;
    }
    const t = vehicle.lastT + durationMs;
    const cause = { ...vehicle.heard, t, append: due };
    if (kind === "forget") {
      vehicle.values.again((d) => vehicle.absent.has(d));
      this.#endAll(vehicle, "forgotten", cause);
      this.#vehicles.delete(vehicle.id);
      this.#counts.forgotten++;
      return;
    }
    vehicle.absent.add(durationMs);
    this.#again(vehicle, cause, (rule) => absentDurations(rule).has(durationMs));
  }

  /** Evaluates rules once more as at the last evaluated sample. */
  #again(vehicle: Vehicle, cause: Cause, which: (rule: Rule) => boolean): void {
    vehicle.values.again((d) => vehicle.absent.has(d));
    this.observe(vehicle.id, cause, vehicle.values);
    for (const [rule, life] of vehicle.lives) {
      if (which(rule)) {
        this.#write(rule, life.evaluate(vehicle.values, cause, this.#mode === "warm"), vehicle);
      }
    }
  }

  #endAll(vehicle: Vehicle, reason: "forgotten" | "clock reset", cause: Cause): void {
    for (const [rule, life] of vehicle.lives) {
      this.#write(rule, life.end(reason, cause), vehicle);
    }
  }

  #sample(sample: TelemetrySample, offset: number): void {
    const { t, index } = sample;
    const cause: Cause = { t, append: this.#clock, offset, index };
    const vehicle = this.#vehicles.get(sample.vehicle) ?? this.#newVehicle(sample.vehicle, cause);
    const ended = new Set(vehicle.absent);
    vehicle.absent.clear();
    vehicle.heard = cause;
    vehicle.position = this.#position++;

    if (t < vehicle.lastT) {
      this.#counts.late++;
      if (!this.#clockWasReset(vehicle, cause)) {
        this.#endSilence(vehicle, ended, { ...cause, t: vehicle.lastT });
        return;
      }
      // What still waits is of the time before the reset.
      this.#evaluateAll(vehicle, vehicle.waiting.takeUpTo(Infinity), this.#clock);
      this.#counts.clockResets++;
      vehicle.values.again(() => false);
      this.#endAll(vehicle, "clock reset", cause);
      this.#refresh(vehicle);
    }
    vehicle.late = null;
    vehicle.heardT = Math.max(vehicle.heardT, t);
    vehicle.waiting.add({ sample, heard: cause, position: vehicle.position, ended });
    this.#release(vehicle);
  }

  /** Evaluates what need not wait any longer, or must not because too many do. */
  #release(vehicle: Vehicle): void {
    const { latenessMs, maxWaiting } = this.ruleSet.settings;
    const ready = vehicle.waiting.takeUpTo(vehicle.heardT - latenessMs);
    this.#evaluateAll(vehicle, ready, this.#clock);
    if (vehicle.waiting.size > WAITING_PER_VEHICLE) {
      this.#counts.crowded++;
      this.#evaluateAll(vehicle, vehicle.waiting.takeOldest(), this.#clock);
    }
    const all = [...this.#vehicles.values()]
      .flatMap((of) => [...of.waiting].map((waiting) => ({ of, waiting })));
    if (all.length > maxWaiting) {
      this.#counts.crowded++;
      const { of, waiting } = all.reduce((a, b) => b.waiting.position < a.waiting.position ? b : a);
      this.#evaluateAll(of, of.waiting.takeThrough(waiting), this.#clock);
    }
  }

  /** Evaluates samples that waited, in their order, at an A. */
  #evaluateAll(vehicle: Vehicle, all: readonly WaitingSample[], append: number): void {
    for (const { sample, heard, ended } of all) {
      const cause = { ...heard, append };
      if (sample.t === vehicle.lastT && this.#bringsNothingNew(vehicle, sample)) {
        this.#counts.duplicates++;
        this.#endSilence(vehicle, ended, cause);
      } else this.#evaluate(vehicle, sample, cause);
    }
  }

  /** Evaluates again the rules whose `absent` a sample ended that is not evaluated itself. */
  #endSilence(vehicle: Vehicle, ended: ReadonlySet<number>, cause: Cause): void {
    if (ended.size === 0) return;
    this.#again(vehicle, cause, (rule) => !absentDurations(rule).isDisjointFrom(ended));
  }

  #evaluate(vehicle: Vehicle, sample: TelemetrySample, cause: Cause): void {
    vehicle.lastT = sample.t;
    const values = new Map([...sample.values].filter(([signal]) => this.#named.has(signal)));
    const brought = new Set(values.keys());
    vehicle.values.take({ t: sample.t, brought, absent: () => false }, values);
    this.observe(vehicle.id, cause, vehicle.values);
    for (const [rule, life] of vehicle.lives) {
      this.#write(rule, life.evaluate(vehicle.values, cause, this.#mode === "warm"), vehicle);
    }
  }

  #bringsNothingNew(vehicle: Vehicle, sample: TelemetrySample): boolean {
    for (const [signal, value] of sample.values) {
      if (!this.#named.has(signal)) continue;
      const known = vehicle.values.signal(signal);
      if (!known || known.t !== sample.t || known.value !== value) return false;
    }
    return true;
  }

  /** A clock set back sends late samples at a steady distance; a backlog catching up does not. */
  #clockWasReset(vehicle: Vehicle, { t, append }: Cause): boolean {
    const { clockResetAfterMs, maxClockAheadMs } = this.ruleSet.settings;
    const distance = append - t;
    const run = vehicle.late;
    const least = Math.min(run?.least ?? distance, distance);
    const most = Math.max(run?.most ?? distance, distance);
    const steady = run !== null && most - least <= maxClockAheadMs;
    vehicle.late = steady
      ? { since: run.since, least, most }
      : { since: append, least: distance, most: distance };
    return append - vehicle.late.since >= clockResetAfterMs;
  }

  #newVehicle(id: string, heard: Cause): Vehicle {
    const vehicle: Vehicle = {
      id,
      values: this.#newValues(),
      lives: this.#newLives(id),
      lastT: -Infinity,
      heardT: -Infinity,
      waiting: new WaitingSamples(),
      heard,
      position: 0,
      absent: new Set(),
      late: null,
    };
    this.#vehicles.set(id, vehicle);
    return vehicle;
  }

  #refresh(vehicle: Vehicle): void {
    vehicle.values = this.#newValues();
    vehicle.lives = this.#newLives(vehicle.id);
    vehicle.lastT = -Infinity;
    vehicle.heardT = -Infinity;
  }

  #newValues(): VehicleValues {
    const { catalog, settings } = this.ruleSet;
    return new VehicleValues(catalog, this.#roots, settings.maxGapMs, settings.zoneOffsets);
  }

  #newLives(id: string): Map<Rule, RuleLife> {
    const { rules, settings } = this.ruleSet;
    return new Map(
      rules.filter((rule) => applies(rule, id))
        .map((rule) => [rule, new RuleLife(rule, settings.unknownAfterMs)]),
    );
  }

  #write(rule: Rule, steps: readonly Step[], vehicle: Vehicle): void {
    if (this.#mode !== "live") return;
    for (const step of steps) {
      const place = {
        version: this.ruleSet.version,
        partition: this.partition,
        vehicle: vehicle.id,
      };
      const transition = writeTransition(rule, step, vehicle.values, place);
      const text = new TextEncoder();
      this.#anomalies.push({
        key: text.encode(vehicle.id),
        value: text.encode(JSON.stringify(transition)),
        append: transition.append,
      });
    }
  }
}
