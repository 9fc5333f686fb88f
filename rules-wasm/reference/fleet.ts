/** The reference's vehicles, and what the rules in force say of each: what is made for a new one. */
import type { Rule, RuleSet } from "../language/ast.ts";
import { type Expression, expressionsOf, signalsOf, walk } from "../language/brings.ts";
import { VehicleValues } from "./evaluate.ts";
import { type Cause, RuleLife } from "./lifecycle.ts";
import { applies } from "./rule_reach.ts";
import type { TelemetrySample } from "./telemetry_text.ts";
import { byOrder, type Timer, timersOf, type Vehicle } from "./timers.ts";
import { type WaitingSample, WaitingSamples } from "./waiting.ts";

/** A sample that waits, and whose it is. */
export interface Waiting {
  readonly of: Vehicle;
  readonly waiting: WaitingSample;
}

/** The vehicles of a partition under a rule set. */
export class Fleet {
  readonly #vehicles = new Map<string, Vehicle>();
  ruleSet: RuleSet;
  /** Durations of `absent` that the rules name, ascending. */
  absentMs: readonly number[] = [];
  #named: ReadonlySet<number> = new Set();
  #roots: readonly Expression[] = [];

  constructor(ruleSet: RuleSet) {
    this.ruleSet = ruleSet;
    this.obey(ruleSet);
  }

  /** Comes under rules. */
  obey(ruleSet: RuleSet): void {
    this.ruleSet = ruleSet;
    this.#roots = ruleSet.rules.flatMap(expressionsOf);
    this.#named = new Set(this.#roots.flatMap((root) => [...signalsOf(root)]));
    const durations = new Set<number>();
    for (const root of this.#roots) {
      walk(root, (node) => {
        if (node.kind === "call" && node.fn === "absent") durations.add(node.durationMs);
      });
    }
    this.absentMs = [...durations].sort((a, b) => a - b);
  }

  get size(): number {
    return this.#vehicles.size;
  }

  [Symbol.iterator](): Iterator<Vehicle> {
    return this.#vehicles.values();
  }

  get(id: string): Vehicle | undefined {
    return this.#vehicles.get(id);
  }

  delete({ id }: Vehicle): void {
    this.#vehicles.delete(id);
  }

  /** The vehicles, longest silent first. */
  bySilence(): Vehicle[] {
    return [...this].sort((a, b) => a.position - b.position);
  }

  /** The samples that wait, in the order in which they were heard. */
  waiting(): Waiting[] {
    return [...this].flatMap((of) => [...of.waiting].map((waiting) => ({ of, waiting })))
      .sort((a, b) => a.waiting.position - b.waiting.position);
  }

  /** How many samples wait. */
  get waitingCount(): number {
    let count = 0;
    for (const { waiting } of this) count += waiting.size;
    return count;
  }

  /** The timers that are due before an A, in their order. */
  timersBefore(a: number): Timer[] {
    return this.#timers().filter(({ due }) => due < a).sort(byOrder);
  }

  /** When the first timer is due; null if none is armed. */
  firstDue(): number | null {
    const first = this.#timers().reduce((least, { due }) => Math.min(least, due), Infinity);
    return first === Infinity ? null : first;
  }

  #timers(): Timer[] {
    return [...this].flatMap((vehicle) => timersOf(vehicle, this.ruleSet.settings, this.absentMs));
  }

  /** Makes a vehicle that is heard for the first time. */
  add(id: string, heard: Cause): Vehicle {
    const vehicle: Vehicle = {
      id,
      values: this.newValues(),
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

  /** A vehicle's state starts afresh. */
  refresh(vehicle: Vehicle): void {
    vehicle.values = this.newValues();
    vehicle.lives = this.#newLives(vehicle.id);
    vehicle.lastT = -Infinity;
    vehicle.heardT = -Infinity;
  }

  /** Values of which nothing is known. */
  newValues(): VehicleValues {
    const { catalog, settings } = this.ruleSet;
    return new VehicleValues(catalog, this.#roots, settings.maxGapMs, settings.zoneOffsets);
  }

  /** What a sample carries of what the rules name. */
  valuesOf({ values }: TelemetrySample): Map<number, number> {
    return new Map([...values].filter(([signal]) => this.#named.has(signal)));
  }

  /** Whether a sample at the T of the last one says what is known at it already. */
  bringsNothingNew(vehicle: Vehicle, sample: TelemetrySample): boolean {
    for (const [signal, value] of this.valuesOf(sample)) {
      const known = vehicle.values.signal(signal);
      if (!known || known.t !== sample.t || known.value !== value) return false;
    }
    return true;
  }

  #newLives(id: string): Map<Rule, RuleLife> {
    const { rules, settings } = this.ruleSet;
    return new Map(
      rules.filter((rule) => applies(rule, id))
        .map((rule) => [rule, new RuleLife(rule, settings.unknownAfterMs)]),
    );
  }
}
