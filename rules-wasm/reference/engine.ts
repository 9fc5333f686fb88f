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
  PushPart,
  PushResult,
} from "../engine_port.ts";
import type { Refusal } from "../../contract/telemetry.ts";
import type { Rule, RuleSet } from "../language/ast.ts";
import { addCounts, noCounts } from "./counts.ts";
import type { VehicleValues } from "./evaluate.ts";
import { Fleet } from "./fleet.ts";
import type { Cause, Step } from "./lifecycle.ts";
import { absentDurations } from "./rule_reach.ts";
import { RuleChange } from "./take_over.ts";
import { readTelemetry, type TelemetrySample } from "./telemetry_text.ts";
import type { Timer, Vehicle } from "./timers.ts";
import { WAITING_PER_VEHICLE, type WaitingSample } from "./waiting.ts";
import { writeTransition } from "./write_transition.ts";

/** Is shown every evaluation: at a sample, or again as at the last one when time had passed. */
export type Observer = (vehicle: string, cause: Cause, values: VehicleValues) => void;

/** How a reference engine is made. */
export interface ReferenceOptions {
  readonly partition: number;
  readonly observe?: Observer;
  /** Vehicles that there is memory for under rules; by default any number. */
  readonly room?: (ruleSet: RuleSet) => number;
}

/** Makes a reference engine for one partition. */
export function createReferenceEngine(ruleSet: RuleSet, options: ReferenceOptions): Engine {
  return new ReferenceEngine(ruleSet, options);
}

class ReferenceEngine implements Engine {
  #clock = -Infinity;
  #position = 0;
  #mode: PushMode = "live";
  readonly #fleet: Fleet;
  readonly #counts: EngineCounts = noCounts();
  #anomalies: AnomalyRecord[] = [];
  /** A before which timers have fired under former rules. */
  #timersTo = -Infinity;
  readonly #observe: Observer;
  readonly #room: (ruleSet: RuleSet) => number;
  readonly partition: number;

  constructor(ruleSet: RuleSet, options: ReferenceOptions) {
    this.#fleet = new Fleet(ruleSet);
    this.partition = options.partition;
    this.#observe = options.observe ?? (() => {});
    this.#room = options.room ?? (() => Infinity);
  }

  get ruleSet(): RuleSet {
    return this.#fleet.ruleSet;
  }

  push(input: EngineInput, mode: PushMode = "live"): PushResult {
    const anomalies: AnomalyRecord[] = [];
    const refusals: Refusal[] = [];
    for (let from = 0; from < input.count; from++) {
      const part = this.pushPart(input, from, mode);
      for (const each of part.anomalies) anomalies.push(each);
      for (const each of part.refusals) refusals.push(each);
    }
    return { anomalies, refusals };
  }

  /** Takes one record in. */
  pushPart(input: EngineInput, record: number, mode: PushMode = "live"): PushPart {
    this.#mode = mode;
    this.#anomalies = [];
    const refusals: Refusal[] = [];
    this.#moveClock(Math.max(this.#clock, input.appendTimes[record]));
    const from = record === 0 ? 0 : input.valueEnds[record - 1];
    const bytes = input.values.subarray(from, input.valueEnds[record]);
    if (bytes.length === 0) this.#counts.ticks++;
    else {
      for (const item of readTelemetry(bytes, this.ruleSet.catalog)) {
        const refused = item.kind === "refused" ? item.refusal : this.#refusal(item);
        if (refused !== null) {
          this.#counts.refused++;
          refusals.push({ record, ...refused });
        } else if (item.kind === "sample") {
          addCounts(this.#counts, item.counts);
          this.#sample(item, input.offsets[record]);
        }
      }
    }
    return { anomalies: this.#anomalies, refusals, next: record + 1 };
  }

  /** Why a sample is refused that says what a sample has to; null if it is taken. */
  #refusal({ t, vehicle, index, start, end }: TelemetrySample): Omit<Refusal, "record"> | null {
    const { settings } = this.ruleSet;
    const most = Math.min(settings.maxVehicles, this.#room(this.ruleSet));
    const place = { index, start, end, position: start };
    if (t > this.#clock + settings.maxClockAheadMs) return { reason: "clock-ahead", ...place };
    if (this.#fleet.get(vehicle) !== undefined || this.#fleet.size < most) return null;
    return { reason: "too-many-vehicles", ...place };
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
    if (this.ruleSet.settings.latenessMs !== ruleSet.settings.latenessMs) {
      for (const { of, waiting } of this.#fleet.waiting()) {
        if (of.waiting.has(waiting)) this.#evaluateAll(of, of.waiting.takeThrough(waiting), a);
      }
    }
    this.#makeRoom(this.#room(ruleSet), a);
    for (const vehicle of this.#fleet.bySilence()) {
      vehicle.values.again((d) => vehicle.absent.has(d));
      const cause = { ...vehicle.heard, t: vehicle.lastT, append: a };
      for (const [rule, life] of vehicle.lives) {
        if (!change.goesOn(rule, vehicle.id)) {
          this.#write(rule, life.end("rule changed", cause), vehicle);
        }
      }
    }
    this.#fleet.obey(ruleSet);
    for (const vehicle of this.#fleet) {
      this.#takeOver(vehicle, change, warmed && warmed.#fleet.get(vehicle.id));
    }
    return this.#anomalies;
  }

  /** Rules to come have room for so many vehicles: those longest silent are forgotten. */
  #makeRoom(most: number, a: number): void {
    for (const vehicle of this.#fleet.bySilence()) {
      if (this.#fleet.size <= most) return;
      this.#evaluateAll(vehicle, vehicle.waiting.takeUpTo(Infinity), a);
      this.#forget(vehicle, { ...vehicle.heard, t: vehicle.lastT, append: a });
    }
  }

  #forget(vehicle: Vehicle, cause: Cause): void {
    vehicle.values.again((d) => vehicle.absent.has(d));
    this.#endAll(vehicle, "forgotten", cause);
    this.#fleet.delete(vehicle);
    this.#counts.forgotten++;
  }

  /** A vehicle comes under the new rules; one warmed aside counts if it stands at the same T. */
  #takeOver(vehicle: Vehicle, change: RuleChange, warmed: Vehicle | undefined): void {
    const { latenessMs } = this.ruleSet.settings;
    const aside = warmed?.lastT === vehicle.lastT ? warmed : undefined;
    const values = this.#fleet.newValues();
    values.takeOver(vehicle.values, aside?.values ?? null);
    vehicle.values = values;
    vehicle.lives = change.lives(vehicle, aside);
    vehicle.waiting = change.waiting(vehicle, warmed, this.#fleet.absentMs);
    vehicle.absent = new Set(
      this.#fleet.absentMs.filter((d) =>
        vehicle.heard.append + Math.max(d, latenessMs) < this.#timersTo
      ),
    );
  }

  nextTimer(): number | null {
    return this.#fleet.firstDue();
  }

  clock(): number {
    return this.#clock;
  }

  counts(): EngineCounts {
    return { ...this.#counts };
  }

  vehicles(): number {
    return this.#fleet.size;
  }

  openAnomalies(): number {
    let open = 0;
    for (const { lives } of this.#fleet) {
      for (const life of lives.values()) if (life.open) open++;
    }
    return open;
  }

  waiting(): number {
    return this.#fleet.waitingCount;
  }

  stateBytes(): number {
    return 0;
  }

  /** Fires, in order, every timer due before `clock`; then the clock stands there. */
  #moveClock(clock: number): void {
    // While the clock stands, nothing falls due but by other rules.
    if (clock > this.#clock || this.#timersTo >= this.#clock) this.#fireBefore(clock);
    this.#clock = clock;
  }

  #fireBefore(a: number): void {
    for (const timer of this.#fleet.timersBefore(a)) this.#fire(timer);
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
      this.#forget(vehicle, cause);
      return;
    }
    vehicle.absent.add(durationMs);
    this.#again(vehicle, cause, (rule) => absentDurations(rule).has(durationMs));
  }

  /** Evaluates rules once more as at the last evaluated sample. */
  #again(vehicle: Vehicle, cause: Cause, which: (rule: Rule) => boolean): void {
    vehicle.values.again((d) => vehicle.absent.has(d));
    this.#observe(vehicle.id, cause, vehicle.values);
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
    const vehicle = this.#fleet.get(sample.vehicle) ?? this.#fleet.add(sample.vehicle, cause);
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
      this.#fleet.refresh(vehicle);
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
    if (vehicle.waiting.size === 0) return;
    if (vehicle.waiting.size > WAITING_PER_VEHICLE) {
      this.#counts.crowded++;
      this.#evaluateAll(vehicle, vehicle.waiting.takeOldest(), this.#clock);
    }
    if (this.#fleet.waitingCount > maxWaiting) {
      this.#counts.crowded++;
      const [{ of, waiting }] = this.#fleet.waiting();
      this.#evaluateAll(of, of.waiting.takeThrough(waiting), this.#clock);
    }
  }

  /** Evaluates samples that waited, in their order, at an A. */
  #evaluateAll(vehicle: Vehicle, all: readonly WaitingSample[], append: number): void {
    for (const { sample, heard, ended } of all) {
      const cause = { ...heard, append };
      if (sample.t === vehicle.lastT && this.#fleet.bringsNothingNew(vehicle, sample)) {
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
    const values = this.#fleet.valuesOf(sample);
    const brought = new Set(values.keys());
    vehicle.values.take({ t: sample.t, brought, absent: () => false }, values);
    this.#observe(vehicle.id, cause, vehicle.values);
    for (const [rule, life] of vehicle.lives) {
      this.#write(rule, life.evaluate(vehicle.values, cause, this.#mode === "warm"), vehicle);
    }
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
