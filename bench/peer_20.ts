/**
 * The hand-written peer: `rules_20.yaml` as one writes it in TypeScript for a fleet, over
 * `JSON.parse`, record by record. It knows those rules and the fields of the workload, no more.
 */
import { TIME_MS_MAX, VEHICLE_ID_BYTES_MAX } from "../contract/telemetry.ts";
import type { EngineInput } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import type { Cause } from "./peer_20_life.ts";
import { type Signals, Vehicle20 } from "./peer_20_rules.ts";

/** Evaluates the twenty rules over one partition. */
export class HandWrittenPeer {
  readonly #vehicles = new Map<string, Vehicle20>();
  readonly #version: string;
  readonly #maxClockAheadMs: number;
  #clock = -Infinity;
  #out: string[] = [];
  /** Records that were no samples. */
  refused = 0;

  constructor({ version, settings }: RuleSet) {
    this.#version = version;
    this.#maxClockAheadMs = settings.maxClockAheadMs;
  }

  /** Takes a batch in; returns its transitions as JSON texts, valid until the next call. */
  push(input: EngineInput): readonly string[] {
    this.#out.length = 0;
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    let from = 0;
    for (let i = 0; i < input.count; i++) {
      const bytes = input.values.subarray(from, input.valueEnds[i]);
      from = input.valueEnds[i];
      this.#clock = Math.max(this.#clock, input.appendTimes[i]);
      let record: unknown;
      try {
        record = JSON.parse(decoder.decode(bytes));
      } catch {
        this.refused++;
        continue;
      }
      if (!this.#sample(record, input.offsets[i])) this.refused++;
    }
    return this.#out;
  }

  /** @returns whether the record is a sample */
  #sample(record: unknown, offset: number): boolean {
    if (!isObject(record)) return false;
    const { vehicle: id, ts } = record;
    if (typeof id !== "string" || id === "" || id.length > VEHICLE_ID_BYTES_MAX) return false;
    if (typeof ts !== "number" || !(ts >= 0 && ts <= TIME_MS_MAX)) return false;
    if (ts > this.#clock + this.#maxClockAheadMs) return false;
    const signals: Signals = {
      speed: ranged(record.speed, -100, 400),
      heading: ranged(record.heading, 0, 360),
      rpm: ranged(record.rpm, 0, 20_000),
      gear: ranged(record.gear, -5, 30),
      throttle: ranged(record.throttle, 0, 100),
      load: ranged(record.load, 0, 100),
      coolant: ranged(record.coolant, -60, 250),
      fuel: ranged(record.fuel, 0, 100),
      battery: ranged(record.battery, 0, 60),
      vibration: ranged(record.vibration, 0, 100),
      ambient: ranged(record.ambient, -80, 80),
    };
    let vehicle = this.#vehicles.get(id);
    if (!vehicle) {
      vehicle = new Vehicle20(id, this.#version, this.#out);
      this.#vehicles.set(id, vehicle);
    }
    const t = Math.trunc(ts);
    // A late sample and one that says nothing new change nothing.
    if (t < vehicle.lastT) return true;
    if (t === vehicle.lastT && vehicle.bringsNothing(t, signals)) return true;
    const cause: Cause = { t, append: this.#clock, offset };
    vehicle.take(signals, cause);
    return true;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function ranged(value: unknown, min: number, max: number): number {
  return typeof value === "number" && value >= min && value <= max ? value : NaN;
}
