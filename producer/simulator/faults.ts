/**
 * What goes wrong in a fleet, and the truth about it: some vehicles have a weak part that fails
 * again and again, some drivers have a habit. Each vehicle has at most one of them.
 */
import type { Driver } from "./driver.ts";
import type { RandomStreams } from "./random.ts";
import type { SampleValues } from "./sample_text.ts";
import { PHASE, type Vehicles } from "./vehicle.ts";

/** Kinds of trouble. The first five are habits of drivers or owners, the others are faults. */
export const TROUBLES = [
  "overspeed",
  "harsh-braking",
  "cold-revving",
  "low-fuel",
  "fuel-theft",
  "overheating",
  "alternator",
  "vibration",
  "fuel-leak",
  "stuck-sensor",
  "silent",
] as const;
/** One of `TROUBLES`. */
export type Trouble = typeof TROUBLES[number];

/** Something that the simulation did to a vehicle, in the device's time. */
export interface Injection {
  readonly vehicle: string;
  readonly kind: Trouble;
  /** Epoch milliseconds of the first sample that it bears on. */
  readonly from: number;
  /** Epoch milliseconds of the first sample after it; null while it lasts. */
  readonly to: number | null;
}

/** Where the truth goes: every injection once, when it ends (or when the simulation does). */
export type InjectionSink = (injection: Injection) => void;

/** Share of the fleet with each trouble, most telling first: that one even small fleets have. */
const SHARES: readonly (readonly [Trouble, number])[] = [
  ["vibration", 0.01],
  ["overspeed", 0.03],
  ["overheating", 0.01],
  ["alternator", 0.01],
  ["low-fuel", 0.01],
  ["harsh-braking", 0.02],
  ["cold-revving", 0.01],
  ["silent", 0.005],
  ["fuel-theft", 0.005],
  ["fuel-leak", 0.005],
  ["stuck-sensor", 0.005],
];

/** Seconds that an episode lasts, and seconds of peace between two, least and most. */
const EPISODES: Partial<Record<Trouble, readonly [number, number, number, number]>> = {
  overheating: [420, 600, 500, 1400],
  alternator: [360, 540, 500, 1400],
  vibration: [240, 540, 400, 1200],
  "fuel-leak": [240, 420, 700, 1600],
  "stuck-sensor": [90, 240, 500, 1200],
  silent: [75, 180, 300, 900],
};

/** km/h beyond which driving counts as overspeed in the truth. */
const OVERSPEED_KMH = 130;
/** Percent of the tank below which fuel counts as low in the truth. */
const LOW_FUEL = 5;
const NONE = 255;

/** Applies troubles to vehicles and keeps the truth about them. */
export class Troubles {
  /** Index in `TROUBLES` of each vehicle's own trouble, 255 for none. */
  readonly trouble: Uint8Array;
  /** Whether the device of the vehicle says nothing now. */
  readonly silent: Uint8Array;
  /** Whether speed and rpm are frozen on the wire now. */
  readonly stuck: Uint8Array;
  readonly #active: Uint8Array;
  /** Epoch milliseconds since when it lasts. */
  readonly #since: Float64Array;
  /** Simulated seconds at which the next episode starts, or the present one ends. */
  readonly #turnAt: Float64Array;
  /** Percent that the tank is being filled or emptied to; NaN while neither. */
  readonly #tankTo: Float64Array;
  readonly #atStop: Uint8Array;

  constructor(
    readonly all: Vehicles,
    readonly driver: Driver,
    readonly random: RandomStreams,
    readonly name: (vehicle: number) => string,
    readonly sink: InjectionSink,
  ) {
    const n = all.count;
    this.trouble = new Uint8Array(n).fill(NONE);
    this.silent = new Uint8Array(n);
    this.stuck = new Uint8Array(n);
    this.#active = new Uint8Array(n);
    this.#since = new Float64Array(n);
    this.#turnAt = new Float64Array(n);
    this.#tankTo = new Float64Array(n).fill(NaN);
    this.#atStop = new Uint8Array(n);
    this.#assign();
  }

  /** The vehicle's trouble. */
  of(i: number): Trouble | undefined {
    return TROUBLES[this.trouble[i]];
  }

  /** Gives vehicle `i` the driver that goes with its trouble; before it drives. */
  prepare(i: number): void {
    if (this.of(i) === "overspeed") {
      this.all.motorwayPace[i] = this.random.between(i, 1.17, 1.25);
    }
  }

  /**
   * Gives vehicle `i` the state that goes with its trouble; before its first sample.
   *
   * @param first the first of its kind: it starts in the midst of it, for something to see at once
   */
  begin(i: number, first: boolean, startMs: number): void {
    const { all, random } = this;
    const trouble = this.of(i);
    const episode = trouble === undefined ? undefined : EPISODES[trouble];
    if (trouble === "low-fuel") all.fuel[i] = first ? 4.7 : random.between(i, 4, 8);
    if (trouble === "cold-revving") {
      all.phase[i] = PHASE.parked;
      all.speed[i] = 0;
      all.coolant[i] = random.between(i, 8, 16);
      all.timer[i] = first ? 6 : random.between(i, 20, 900);
    }
    if (episode === undefined) return;
    const midst = first || random.next(i) < 0.25;
    // Silence shows only after something was heard.
    if (trouble === "silent") this.#turnAt[i] = first ? 20 : random.between(i, 20, episode[3]);
    else if (!midst) this.#turnAt[i] = random.between(i, 20, episode[3]);
    else {
      this.#start(i, startMs, random.between(i, 60, episode[1]));
      if (trouble === "overheating") {
        all.coolantLevel[i] = 0.25;
        all.coolant[i] = 111;
      }
      if (trouble === "alternator") all.charge[i] = 0.42;
      if (trouble === "vibration") all.wear[i] = 1;
    }
  }

  /** Gives vehicle `i`, which goes on as it was last seen, the trouble that could be seen then. */
  resume(i: number, seen: SampleValues, startMs: number): void {
    const { all, random } = this;
    const trouble = this.of(i);
    const episode = trouble === undefined ? undefined : EPISODES[trouble];
    if (episode === undefined) return;
    const isSeen = (trouble === "overheating" && seen.coolant > 104) ||
      (trouble === "alternator" && seen.ignition && seen.battery < 13) ||
      (trouble === "vibration" && seen.vibration > 3);
    if (!isSeen) {
      this.#turnAt[i] = random.between(i, 20, episode[3]);
      return;
    }
    this.#start(i, startMs, random.between(i, 60, episode[1]));
    if (trouble === "overheating") all.coolantLevel[i] = 0.25;
    if (trouble === "alternator") {
      all.charge[i] = Math.min(1, Math.max(0.1, (seen.battery - 11) / 1.5));
    }
    if (trouble === "vibration") all.wear[i] = 1;
  }

  /** Moves the trouble of vehicle `i` on by `dt` seconds; `ms` is the time of its sample. */
  step(i: number, dt: number, clock: number, ms: number): void {
    const trouble = this.of(i);
    if (trouble !== undefined) this.#stepTrouble(i, trouble, dt, clock, ms);
    this.#stepStop(i, trouble, dt, ms);
  }

  /** Reports what still lasts, with no end. */
  finish(): void {
    for (let i = 0; i < this.all.count; i++) {
      const kind = this.of(i);
      if (kind !== undefined && this.#active[i] === 1) {
        this.sink({ vehicle: this.name(i), kind, from: this.#since[i], to: null });
      }
    }
  }

  #stepTrouble(i: number, trouble: Trouble, dt: number, clock: number, ms: number): void {
    const { all, random } = this;
    const moving = all.phase[i] === PHASE.driving;
    switch (trouble) {
      case "overspeed":
        this.#mark(i, all.speed[i] * 3.6 > OVERSPEED_KMH, ms);
        return;
      case "low-fuel":
        this.#mark(i, all.fuel[i] < LOW_FUEL, ms);
        return;
      case "harsh-braking": {
        const { panic } = this.driver;
        if (panic[i] <= 0 && moving && all.speed[i] > 12 && random.next(i) < dt / 150) {
          panic[i] = random.between(i, 1.4, 2.6);
        }
        this.#mark(i, panic[i] > 0, ms);
        return;
      }
      case "cold-revving":
        if (all.phase[i] === PHASE.parked && all.timer[i] <= dt * 1.5 && all.coolant[i] < 36) {
          all.phase[i] = PHASE.revving;
          all.timer[i] = random.between(i, 8, 14);
        }
        this.#mark(i, all.phase[i] === PHASE.revving, ms);
        return;
      case "fuel-theft":
        return;
      default:
        this.#stepEpisode(i, trouble, dt, clock, ms);
    }
  }

  #stepEpisode(i: number, trouble: Trouble, dt: number, clock: number, ms: number): void {
    const { all, random } = this;
    const episode = EPISODES[trouble];
    if (episode === undefined) return;
    const [shortest, longest, peaceLeast, peaceMost] = episode;
    if (clock >= this.#turnAt[i]) {
      if (this.#active[i] === 0) {
        this.#start(i, ms, clock + random.between(i, shortest, longest));
      } else {
        this.#repair(i, ms);
        this.#turnAt[i] = clock + random.between(i, peaceLeast, peaceMost);
      }
    }
    if (this.#active[i] === 0) return;
    switch (trouble) {
      case "overheating":
        all.coolantLevel[i] = Math.max(0.2, all.coolantLevel[i] - dt / 180);
        all.ease[i] = all.coolant[i] > 114 ? 0.7 : 1;
        if (all.coolant[i] > 123 && all.phase[i] === PHASE.driving) all.halt[i] = 1;
        return;
      case "vibration":
        all.wear[i] = Math.min(1, all.wear[i] + dt / 60);
        return;
      case "fuel-leak":
        all.fuel[i] = Math.max(1.5, all.fuel[i] - dt * 0.05);
        return;
      default:
        return;
    }
  }

  #start(i: number, ms: number, endsAt: number): void {
    this.#active[i] = 1;
    this.#since[i] = ms;
    this.#turnAt[i] = endsAt;
    const trouble = this.of(i);
    if (trouble === "alternator") this.all.alternatorDead[i] = 1;
    if (trouble === "silent") this.silent[i] = 1;
    if (trouble === "stuck-sensor") this.stuck[i] = 1;
  }

  #repair(i: number, ms: number): void {
    this.#mark(i, false, ms);
    this.all.coolantLevel[i] = 1;
    this.all.ease[i] = 1;
    this.all.alternatorDead[i] = 0;
    this.all.wear[i] = 0;
    this.silent[i] = 0;
    this.stuck[i] = 0;
  }

  /** Refuelling and theft happen where the vehicle stands. */
  #stepStop(i: number, trouble: Trouble | undefined, dt: number, ms: number): void {
    const { all, random } = this;
    const standing = all.phase[i] === PHASE.parked || all.phase[i] === PHASE.waiting;
    if (standing && this.#atStop[i] === 0) {
      const thrifty = trouble === "low-fuel";
      if (all.fuel[i] < (thrifty ? 3.6 : 15)) {
        this.#tankTo[i] = thrifty ? 8 : random.between(i, 80, 98);
        all.timer[i] = thrifty ? 70 : 170;
        all.phase[i] = PHASE.parked;
      } else if (trouble === "fuel-theft" && all.fuel[i] > 45) {
        this.#tankTo[i] = all.fuel[i] - 30;
        all.timer[i] = 200;
        all.phase[i] = PHASE.parked;
      }
    }
    this.#atStop[i] = standing ? 1 : 0;
    const target = this.#tankTo[i];
    if (Number.isNaN(target)) return;
    const draining = trouble === "fuel-theft" && target < all.fuel[i];
    if (!standing || Math.abs(target - all.fuel[i]) < 0.01) {
      this.#tankTo[i] = NaN;
    } else if (draining && all.timer[i] < 150) {
      all.fuel[i] = Math.max(target, all.fuel[i] - dt * 0.7);
      this.#mark(i, true, ms);
      return;
    } else if (!draining && all.timer[i] < 140) {
      all.fuel[i] = Math.min(target, all.fuel[i] + dt * 0.9);
    }
    if (trouble === "fuel-theft") this.#mark(i, false, ms);
  }

  /** Lets a vehicle's own trouble begin or end. */
  #mark(i: number, on: boolean, ms: number): void {
    if (on === (this.#active[i] === 1)) return;
    this.#active[i] = on ? 1 : 0;
    const kind = this.of(i);
    if (on) this.#since[i] = ms;
    else if (kind !== undefined) {
      this.sink({ vehicle: this.name(i), kind, from: this.#since[i], to: ms });
    }
  }

  /** Deals the troubles out by a shuffle, so that each has its share of the fleet. */
  #assign(): void {
    const n = this.all.count;
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.random.below(0, i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    // Even where every kind comes once, most of the fleet is sound.
    const most = Math.max(1, Math.floor(n / 3));
    let dealt = 0;
    for (const [trouble, share] of SHARES) {
      for (let k = Math.max(1, Math.round(n * share)); k > 0 && dealt < most; k--) {
        this.trouble[order[dealt++]] = TROUBLES.indexOf(trouble);
      }
    }
  }
}
