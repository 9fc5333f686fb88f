/**
 * A fleet that drives: seeded, so that the same options give the same bytes, whatever the machine's
 * speed and however far it is asked to go at a time.
 *
 * Vehicle i of n samples at start + i/n of the period and every period from there, so that the
 * load is even. Vehicles do not see each other; each has its own stream of chance.
 */
import { Driver } from "./driver.ts";
import { type InjectionSink, type Trouble, Troubles } from "./faults.ts";
import { mixSeed, RandomStreams } from "./random.ts";
import { SampleText, type SampleValues } from "./sample_text.ts";
import { MOTORWAY, StreetNetwork } from "./street_network.ts";
import { type StreetPlace, StreetPlaces } from "./street_place.ts";
import { drawStreets } from "./street_plan.ts";
import { airTemperature, PHASE, resumeMachine, stepMachine, Vehicles } from "./vehicle.ts";

/** How a fleet is made. */
export interface FleetOptions {
  readonly vehicles: number;
  /** Whole number from 0 to 2³² - 1. */
  readonly seed: number;
  /** Time of the first sample, epoch milliseconds. */
  readonly startMs: number;
  /** Samples a second and vehicle; default 1. */
  readonly rateHz?: number;
  /**
   * What was last heard of a vehicle, by its id: it goes on from there, having driven on for as long
   * as nobody listened; undefined for one that begins anew. Default: all begin anew.
   */
  readonly resume?: (id: string) => LastSample | undefined;
  /** Told of each injected trouble when it ends. */
  readonly onInjection?: InjectionSink;
}

/** The last sample of a vehicle. */
export interface LastSample extends SampleValues {
  /** Epoch milliseconds. */
  readonly ts: number;
}

/** Takes samples, in the order of their time: the vehicle, and its text as it lies in `text`. */
export type SampleSink = (vehicle: number, from: number, to: number) => void;

/** Centre of the streets, where a real coast leaves the streets dry: the sea lies to the east of it. */
const CENTRE = { lat: 57.2644, lon: 16.434 };
/** Longest step of the physics, seconds. */
const STEP_SECONDS_MAX = 0.5;
/** Seconds driven before the first sample, so that speeds, gears and heat have settled. */
const RUN_IN_SECONDS = 25;
/** Longest absence, seconds, for which vehicles drive on unseen. */
const UNSEEN_SECONDS_MAX = 300;
/** Troubles that only show at speed. */
const SHOWN_AT_SPEED: ReadonlySet<Trouble> = new Set<Trouble>(["overspeed", "vibration"]);

/** The simulated fleet. */
export class Fleet {
  /** Samples are written here; the caller clears it when it has taken them. */
  readonly text = new SampleText();
  readonly count: number;
  readonly #all: Vehicles;
  readonly #streets: StreetNetwork;
  readonly #random: RandomStreams;
  readonly #driver: Driver;
  readonly #troubles: Troubles;
  readonly #heads: readonly Uint8Array[];
  readonly #keys: readonly Uint8Array[];
  readonly #periodMs: number;
  readonly #startMs: number;
  #originMs: number;
  /** Rounds since the origin, and since the start. */
  #round = 0;
  #age = 0;
  /** Vehicle that samples next. */
  #next = 0;
  readonly #frozen: Float64Array;
  readonly #values: SampleValues = emptySample();

  constructor(options: FleetOptions) {
    const n = options.vehicles;
    this.count = n;
    this.#periodMs = 1000 / (options.rateHz ?? 1);
    this.#startMs = options.startMs;
    this.#originMs = options.startMs;
    this.#all = new Vehicles(n);
    this.#streets = new StreetNetwork(drawStreets(CENTRE.lat, CENTRE.lon, options.seed));
    this.#random = new RandomStreams(mixSeed(options.seed, 0xf1ee7), n);
    this.#driver = new Driver(this.#streets, this.#all, this.#random);
    const names = Array.from({ length: n }, (_, i) => vehicleName(i, n));
    const encoder = new TextEncoder();
    this.#keys = names.map((name) => encoder.encode(name));
    this.#heads = names.map((name) => encoder.encode(`{"vehicle":"${name}","ts":`));
    this.#frozen = new Float64Array(2 * n);
    this.#troubles = new Troubles(
      this.#all,
      this.#driver,
      this.#random,
      (i) => names[i],
      options.onInjection ?? (() => {}),
    );
    this.#settle(
      options.resume === undefined ? () => undefined : (i) => options.resume?.(names[i]),
    );
  }

  /** UTF-8 of the vehicle's id: the key of its records. */
  key(vehicle: number): Uint8Array {
    return this.#keys[vehicle];
  }

  /** The trouble that the vehicle is prone to, if any. */
  troubleOf(vehicle: number): Trouble | undefined {
    return this.#troubles.of(vehicle);
  }

  /** Time of the next sample, epoch milliseconds. */
  get nextMs(): number {
    return this.#dueMs();
  }

  /** Writes all samples due at or before `untilMs`; returns how many fell due. */
  advance(untilMs: number, sink: SampleSink): number {
    let due = 0;
    for (let ms = this.#dueMs(); ms <= untilMs; ms = this.#dueMs()) {
      this.#sample(this.#next, ms, sink);
      due++;
      if (++this.#next === this.count) {
        this.#next = 0;
        this.#round++;
        this.#age++;
      }
    }
    return due;
  }

  /**
   * Goes on at `ms` from where everyone stands, as if no time had passed.
   *
   * @returns how many samples that leaves out
   */
  skipTo(ms: number): number {
    const skipped = Math.max(0, Math.floor((ms - this.#dueMs()) / this.#periodMs * this.count));
    this.#originMs = ms - this.#next / this.count * this.#periodMs;
    this.#round = 0;
    return skipped;
  }

  /** Tells the injection sink what still lasts. */
  finish(): void {
    this.#troubles.finish();
  }

  #dueMs(): number {
    const rounds = this.#round + this.#next / this.count;
    return Math.round(this.#originMs + rounds * this.#periodMs);
  }

  /** Seconds simulated at the next sample of vehicle `i`. */
  #clock(i: number): number {
    return (this.#age + i / this.count) * this.#periodMs / 1000;
  }

  #sample(i: number, ms: number, sink: SampleSink): void {
    const seconds = this.#periodMs / 1000;
    this.#troubles.step(i, seconds, this.#clock(i), ms);
    this.#move(i, seconds, this.#clock(i), ms);
    if (this.#troubles.silent[i] === 1) return;
    this.#read(i, ms);
    const from = this.text.length;
    this.text.sample(this.#heads[i], ms, this.#values);
    sink(i, from, this.text.length);
  }

  #move(i: number, seconds: number, clock: number, ms: number): void {
    const all = this.#all;
    const steps = Math.ceil(seconds / STEP_SECONDS_MAX);
    const air = airTemperature(ms) + all.airOffset[i];
    for (let k = 1; k <= steps; k++) {
      const dt = seconds / steps;
      this.#driver.step(i, dt, clock - seconds + k * dt);
      stepMachine(all, i, dt, air, this.#streets.kind[all.edge[i]], this.#random);
    }
  }

  /** Reads the instruments of vehicle `i`. */
  #read(i: number, ms: number): void {
    const all = this.#all;
    const streets = this.#streets;
    const out = this.#values;
    const p = all.point[i];
    const dx = streets.x[p + 1] - streets.x[p];
    const dy = streets.y[p + 1] - streets.y[p];
    const share = (all.along[i] - streets.along[p]) / (streets.along[p + 1] - streets.along[p]);
    out.lat = streets.latOf(streets.y[p] + dy * share);
    out.lon = streets.lonOf(streets.x[p] + dx * share);
    const heading = Math.round(Math.atan2(dx, dy) * 1800 / Math.PI) / 10;
    out.heading = (heading + 360) % 360;
    out.speed = all.speed[i] * 3.6;
    out.rpm = all.rpm[i];
    if (this.#troubles.stuck[i] === 0) {
      this.#frozen[2 * i] = out.speed;
      this.#frozen[2 * i + 1] = out.rpm;
    } else {
      out.speed = this.#frozen[2 * i];
      out.rpm = this.#frozen[2 * i + 1];
    }
    out.gear = all.gear[i];
    out.throttle = all.throttle[i];
    out.load = all.load[i];
    out.coolant = all.coolant[i];
    // The float in the tank moves with the fuel.
    out.fuel = Math.max(0, all.fuel[i] + 0.05 * this.#random.bell(i));
    out.battery = all.volts[i] + 0.015 * this.#random.bell(i);
    out.vibration = all.vibration[i];
    out.odometer = all.odometer[i] / 1000;
    out.ambient = airTemperature(ms) + all.airOffset[i];
    out.ignition = all.phase[i] !== PHASE.parked;
  }

  /** Puts everyone somewhere on the way and lets them drive until all has settled. */
  #settle(lastOf: (vehicle: number) => LastSample | undefined): void {
    const places = new StreetPlaces(this.#streets);
    const seen = new Set<Trouble>();
    for (let i = 0; i < this.count; i++) {
      const trouble = this.#troubles.of(i);
      const first = trouble !== undefined && !seen.has(trouble);
      if (trouble !== undefined) seen.add(trouble);
      this.#makeVehicle(i, first && SHOWN_AT_SPEED.has(trouble));
      this.#troubles.prepare(i);
      this.#driver.gatherSpeed(i);
      for (let s = RUN_IN_SECONDS; s > 0; s--) {
        this.#move(i, 1, this.#clock(i) - s, this.#startMs - s * 1000);
      }
      const last = lastOf(i);
      const place = last === undefined ? null : places.find(last.lat, last.lon, last.heading);
      if (last !== undefined && place !== null) this.#resume(i, last, place);
      else this.#troubles.begin(i, first, this.#startMs);
    }
  }

  /** Puts vehicle `i` where and as it was last seen, and lets it drive on until now. */
  #resume(i: number, last: LastSample, place: StreetPlace): void {
    const all = this.#all;
    resumeMachine(all, i, last);
    if (!last.ignition) {
      all.phase[i] = PHASE.parked;
      all.timer[i] = this.#random.between(i, 20, 140);
    } else if (last.speed < 0.1) {
      all.phase[i] = PHASE.waiting;
      all.timer[i] = this.#random.between(i, 3, 25);
    } else {
      all.phase[i] = PHASE.driving;
      all.timer[i] = 0;
    }
    this.#driver.putBack(i, place);
    this.#troubles.resume(i, last, this.#startMs);
    const nextMs = this.#startMs + i / this.count * this.#periodMs;
    const missed = Math.floor((nextMs - last.ts - this.#periodMs) / 1000);
    // After a longer absence no rule looks back that far: they stand where they stood.
    if (missed > UNSEEN_SECONDS_MAX) return;
    for (let s = missed; s > 0; s--) this.#move(i, 1, this.#clock(i) - s, nextMs - s * 1000);
  }

  /** Puts vehicle `i` on the way between two places; if `fast`, at speed on a motorway. */
  #place(i: number, fast: boolean): void {
    const { places, kind, limit } = this.#streets;
    for (let tries = fast ? 200 : 1; tries > 0; tries--) {
      const from = places[this.#random.below(i, places.length)];
      this.#driver.place(i, from, this.#random.next(i));
      const edge = this.#all.edge[i];
      if (kind[edge] === MOTORWAY && limit[edge] * 3.6 > 115 && this.#driver.leg(i) > 2500) return;
    }
  }

  #makeVehicle(i: number, fast: boolean): void {
    const all = this.#all;
    const random = this.#random;
    const between = (low: number, high: number) => random.between(i, low, high);
    this.#place(i, fast);
    all.motorwayPace[i] = between(0.88, 1.03);
    all.townPace[i] = between(0.9, 1.05);
    all.pull[i] = between(1, 1.8);
    all.brake[i] = between(1.2, 1.8);
    const van = random.next(i) < 0.25;
    all.mass[i] = van ? between(2000, 2900) : between(1150, 1700);
    all.power[i] = all.mass[i] * between(52, 68);
    all.tank[i] = van ? between(65, 80) : between(42, 58);
    all.airOffset[i] = between(-1, 1);
    all.odometer[i] = between(4_000_000, 190_000_000);
    all.coolant[i] = between(84, 92);
    all.fuel[i] = between(16, 98);
    all.charge[i] = between(0.85, 1);
    all.volts[i] = 14;
    all.rpm[i] = 900;
    const parked = fast ? 1 : random.next(i);
    if (parked < 0.05) {
      all.phase[i] = PHASE.parked;
      all.timer[i] = between(40, 900);
      all.coolant[i] = between(25, 80);
      all.volts[i] = 12.7;
      all.rpm[i] = 0;
    } else if (parked < 0.08) {
      all.phase[i] = PHASE.waiting;
      all.timer[i] = between(26, 60);
    }
  }
}

/** Ids as wide as the largest, at least four digits. */
function vehicleName(i: number, count: number): string {
  return `VH-${String(i + 1).padStart(Math.max(4, String(count).length), "0")}`;
}

function emptySample(): SampleValues {
  return {
    lat: 0,
    lon: 0,
    heading: 0,
    speed: 0,
    rpm: 0,
    gear: 0,
    throttle: 0,
    load: 0,
    coolant: 0,
    fuel: 0,
    battery: 0,
    vibration: 0,
    odometer: 0,
    ambient: 0,
    ignition: false,
  };
}
