/**
 * The reference engine: the oracle. One sample at a time, plain and slow, written from the text of
 * the specification and not from the kernel.
 */
import type { SampleCounts } from "../../contract/telemetry.ts";
import type {
  AnomalyRecord,
  Engine,
  EngineCounts,
  EngineInput,
  PushMode,
  PushResult,
} from "../engine_port.ts";
import type { Rule, RuleSet } from "../language/ast.ts";
import { type Expression, expressionsOf, hasAbsent, signalsOf, walk } from "../language/brings.ts";
import { VehicleValues } from "./evaluate.ts";
import { type Cause, RuleLife, type Step } from "./lifecycle.ts";
import { readTelemetry, type TelemetrySample } from "./telemetry_text.ts";
import { writeTransition } from "./write_transition.ts";

interface Vehicle {
  readonly id: string;
  values: VehicleValues;
  lives: Map<Rule, RuleLife>;
  /** T of the last evaluated sample; -Infinity before the first. */
  lastT: number;
  /** The last sample heard: its A, and the cause that timers count from. */
  heard: Cause;
  /** How many samples of the partition were heard before it: the position that orders timers. */
  position: number;
  /** Durations of `absent` that have come true since. */
  readonly absent: Set<number>;
  /** Late samples in a row that a clock set back would explain. */
  late: { since: number; least: number; most: number } | null;
}

interface Timer {
  readonly due: number;
  readonly kind: "absent" | "forget";
  readonly vehicle: Vehicle;
  readonly durationMs: number;
}

/** Makes a reference engine for one partition. */
export function createReferenceEngine(
  ruleSet: RuleSet,
  options: { readonly partition: number },
): Engine {
  return new ReferenceEngine(ruleSet, options.partition);
}

class ReferenceEngine implements Engine {
  #clock = -Infinity;
  #position = 0;
  #mode: PushMode = "live";
  readonly #vehicles = new Map<string, Vehicle>();
  readonly #counts: EngineCounts = {
    samples: 0,
    refused: 0,
    unknownKeys: 0,
    outOfRange: 0,
    wrongType: 0,
    ticks: 0,
    late: 0,
    duplicates: 0,
  };
  #anomalies: AnomalyRecord[] = [];
  readonly #named: ReadonlySet<number>;
  readonly #roots: readonly Expression[];
  readonly #absentMs: readonly number[];

  constructor(readonly ruleSet: RuleSet, readonly partition: number) {
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

  nextTimer(): number | null {
    const dues = [...this.#vehicles.values()].flatMap((vehicle) =>
      this.#timers(vehicle).map((timer) => timer.due)
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

  stateBytes(): number {
    return 0;
  }

  /** Fires, in order, every timer due before `clock`; then the clock stands there. */
  #moveClock(clock: number): void {
    if (clock > this.#clock) {
      const due = [...this.#vehicles.values()].flatMap((vehicle) => this.#timers(vehicle))
        .filter((timer) => timer.due < clock);
      due.sort((a, b) =>
        a.due - b.due || a.kind.localeCompare(b.kind) || a.vehicle.position - b.vehicle.position ||
        a.durationMs - b.durationMs
      );
      for (const timer of due) this.#fire(timer);
    }
    this.#clock = clock;
  }

  #timers(vehicle: Vehicle): Timer[] {
    const { latenessMs, forgetAfterMs } = this.ruleSet.settings;
    const { append } = vehicle.heard;
    const timers: Timer[] = this.#absentMs.filter((d) => !vehicle.absent.has(d)).map((d) => ({
      due: append + Math.max(d, latenessMs),
      kind: "absent",
      vehicle,
      durationMs: d,
    }));
    timers.push({
      due: append + forgetAfterMs,
      kind: "forget",
      vehicle,
      durationMs: forgetAfterMs,
    });
    return timers;
  }

  #fire({ kind, due, vehicle, durationMs }: Timer): void {
    const t = vehicle.lastT + durationMs;
    const cause = { ...vehicle.heard, t, append: due };
    if (kind === "forget") {
      vehicle.values.again((d) => vehicle.absent.has(d));
      this.#endAll(vehicle, "forgotten", cause);
      this.#vehicles.delete(vehicle.id);
      return;
    }
    vehicle.absent.add(durationMs);
    this.#again(vehicle, cause, (rule) => absentDurations(rule).has(durationMs));
  }

  /** Evaluates rules once more as at the last evaluated sample. */
  #again(vehicle: Vehicle, cause: Cause, which: (rule: Rule) => boolean): void {
    vehicle.values.again((d) => vehicle.absent.has(d));
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
    const wasAbsent = new Set(vehicle.absent);
    vehicle.absent.clear();
    vehicle.heard = cause;
    vehicle.position = this.#position++;

    const late = t < vehicle.lastT;
    if (late) {
      this.#counts.late++;
      if (this.#clockWasReset(vehicle, cause)) {
        vehicle.values.again(() => false);
        this.#endAll(vehicle, "clock reset", cause);
        this.#refresh(vehicle);
        this.#evaluate(vehicle, sample, cause);
        return;
      }
    } else vehicle.late = null;
    const duplicate = !late && t === vehicle.lastT && this.#bringsNothingNew(vehicle, sample);
    if (duplicate) this.#counts.duplicates++;
    if (late || duplicate) {
      if (wasAbsent.size === 0) return;
      this.#again(vehicle, { ...cause, t: vehicle.lastT }, (rule) => {
        for (const d of absentDurations(rule)) if (wasAbsent.has(d)) return true;
        return false;
      });
      return;
    }
    this.#evaluate(vehicle, sample, cause);
  }

  #evaluate(vehicle: Vehicle, sample: TelemetrySample, cause: Cause): void {
    vehicle.lastT = sample.t;
    const values = new Map([...sample.values].filter(([signal]) => this.#named.has(signal)));
    const brought = new Set(values.keys());
    vehicle.values.take({ t: sample.t, brought, absent: () => false }, values, this.#roots);
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
    vehicle.late = null;
  }

  #newValues(): VehicleValues {
    const { catalog, settings } = this.ruleSet;
    return new VehicleValues(catalog, settings.maxGapMs, settings.zoneOffsets);
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

/** Durations of `absent` in a rule's `when`, `clear` and severity. */
function absentDurations(rule: Rule): Set<number> {
  const found = new Set<number>();
  for (const root of [rule.when, rule.clear, ...rule.levels.map((level) => level.when)]) {
    if (root === null || !hasAbsent(root)) continue;
    walk(root, (node) => {
      if (node.kind === "call" && node.fn === "absent") found.add(node.durationMs);
    });
  }
  return found;
}

/** Whether a rule is meant for a vehicle: `*` stands for any text, `?` for one character. */
function applies(rule: Rule, vehicle: string): boolean {
  if (rule.vehicles.length === 0) return true;
  return rule.vehicles.some((glob) => {
    const pattern = glob.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
      .replaceAll("\\*", "[^]*").replaceAll("\\?", "[^]");
    return new RegExp(`^${pattern}$`, "u").test(vehicle);
  });
}

function addCounts(total: EngineCounts, of: Partial<SampleCounts>): void {
  total.samples++;
  total.unknownKeys += of.unknownKeys ?? 0;
  total.outOfRange += of.outOfRange ?? 0;
  total.wrongType += of.wrongType ?? 0;
}
