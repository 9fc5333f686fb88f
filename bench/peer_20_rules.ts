/** The rules of `rules_20.yaml`, written by hand in TypeScript: a vehicle and its twenty rules. */
import type { Severity, Term } from "../contract/anomaly.ts";
import { type Cause, Life, type RuleText } from "./peer_20_life.ts";
import {
  above,
  and,
  below,
  Held,
  LastValue,
  or,
  Panes,
  Sequence,
  Slots,
  type Truth,
  WeightedMean,
} from "./peer_20_state.ts";

/** The signals of a sample that the rules use; NaN for one that it does not carry. */
export interface Signals {
  speed: number;
  heading: number;
  rpm: number;
  gear: number;
  throttle: number;
  load: number;
  coolant: number;
  fuel: number;
  battery: number;
  vibration: number;
  ambient: number;
}

const SECOND = 1_000;
const MINUTE = 60_000;

function rule(
  id: string,
  forMs: number,
  clearForMs: number,
  cooldownMs: number,
  severity: Severity = "warning",
): RuleText {
  return { id, forMs, clearForMs, cooldownMs, once: false, severity };
}

function event(id: string, cooldownMs: number, severity: Severity = "warning"): RuleText {
  return { id, forMs: 0, clearForMs: 0, cooldownMs, once: true, severity };
}

const RULES: readonly RuleText[] = [
  rule("overspeed", 10 * SECOND, 10 * SECOND, 60 * SECOND),
  event("harsh-braking", 30 * SECOND),
  event("harsh-acceleration", 30 * SECOND, "info"),
  rule("sustained-speed", 5 * SECOND, 10 * SECOND, 0),
  event("swerve", 30 * SECOND),
  event("black-ice", 10 * MINUTE, "info"),
  rule("full-load", 10 * SECOND, 5 * SECOND, 0),
  rule("overheating", 10 * SECOND, 30 * SECOND, 5 * MINUTE),
  rule("coolant-rise", 5 * SECOND, 30 * SECOND, 0),
  rule("coolant-mean", 5 * SECOND, 10 * SECOND, 0),
  rule("vibration", 5 * SECOND, 15 * SECOND, 2 * MINUTE),
  rule("rough-running", 0, 10 * SECOND, 0),
  rule("low-battery", 10 * SECOND, 30 * SECOND, 5 * MINUTE),
  rule("alternator-fault", 15 * SECOND, 30 * SECOND, 5 * MINUTE),
  rule("battery-unsteady", 10 * SECOND, 10 * SECOND, 0),
  event("fuel-drop", 10 * MINUTE, "critical"),
  rule("fuel-leak", 10 * SECOND, 30 * SECOND, 10 * MINUTE),
  event("gear-hunting", 30 * SECOND, "info"),
  event("impact", 60 * SECOND, "critical"),
  rule("hot-and-loaded", 1 * SECOND, 10 * SECOND, 0),
];

/** One vehicle. */
export class Vehicle20 {
  lastT = -Infinity;
  readonly #speed = new LastValue(60 * SECOND);
  readonly #heading = new LastValue(60 * SECOND);
  readonly #rpm = new LastValue(60 * SECOND);
  readonly #gear = new LastValue(Infinity);
  readonly #throttle = new LastValue(60 * SECOND);
  readonly #load = new LastValue(60 * SECOND);
  readonly #coolant = new LastValue(60 * SECOND);
  readonly #fuel = new LastValue(5 * MINUTE);
  readonly #battery = new LastValue(60 * SECOND);
  readonly #vibration = new LastValue(60 * SECOND);
  readonly #ambient = new LastValue(10 * MINUTE);

  readonly #speedSlots = new Slots(1 * SECOND);
  readonly #headingSlots = new Slots(1 * SECOND);
  readonly #coolantSlots = new Slots(60 * SECOND);
  readonly #fuelSlots = new Slots(60 * SECOND);
  readonly #fuelSlotsLong = new Slots(2 * MINUTE);
  readonly #speedPanes = new Panes(60 * SECOND);
  readonly #peaks = new Panes(60 * SECOND);
  readonly #batteryPanes = new Panes(60 * SECOND);
  readonly #coolantMean = new WeightedMean(30 * SECOND);
  readonly #hot = new Held(15 * SECOND);
  readonly #impact = new Sequence(20 * SECOND);
  #speedBefore = NaN;
  #gearBefore = NaN;
  #wasFrosty: Truth = null;

  readonly #lives: (Life | undefined)[] = RULES.map(() => undefined);

  constructor(readonly id: string, readonly version: string, readonly out: string[]) {}

  /** Whether a sample at the last T carries nothing that the vehicle does not have. */
  bringsNothing(t: number, s: Signals): boolean {
    const same = (last: LastValue, x: number) =>
      Number.isNaN(x) || (last.t === t && last.value === x);
    return same(this.#speed, s.speed) && same(this.#heading, s.heading) &&
      same(this.#rpm, s.rpm) && same(this.#gear, s.gear) && same(this.#throttle, s.throttle) &&
      same(this.#load, s.load) && same(this.#coolant, s.coolant) && same(this.#fuel, s.fuel) &&
      same(this.#battery, s.battery) && same(this.#vibration, s.vibration) &&
      same(this.#ambient, s.ambient);
  }

  /** Takes a sample in and evaluates the rules. */
  take(s: Signals, cause: Cause): void {
    const { t } = cause;
    this.lastT = t;
    const speedCame = !Number.isNaN(s.speed);
    const headingCame = !Number.isNaN(s.heading);
    const rpmCame = !Number.isNaN(s.rpm);
    const gearCame = !Number.isNaN(s.gear);
    const loadCame = !Number.isNaN(s.load);
    const throttleCame = !Number.isNaN(s.throttle);
    const coolantCame = !Number.isNaN(s.coolant);
    const fuelCame = !Number.isNaN(s.fuel);
    const batteryCame = !Number.isNaN(s.battery);
    const vibrationCame = !Number.isNaN(s.vibration);
    const ambientCame = !Number.isNaN(s.ambient);
    const speed = this.#speed.take(t, s.speed);
    const heading = this.#heading.take(t, s.heading);
    const rpm = this.#rpm.take(t, s.rpm);
    const gear = this.#gear.take(t, s.gear);
    const throttle = this.#throttle.take(t, s.throttle);
    const load = this.#load.take(t, s.load);
    const coolant = this.#coolant.take(t, s.coolant);
    const fuel = this.#fuel.take(t, s.fuel);
    const battery = this.#battery.take(t, s.battery);
    const vibration = this.#vibration.take(t, s.vibration);
    const ambient = this.#ambient.take(t, s.ambient);

    const rateOf = (slots: Slots, came: number, now: number) => {
      const from = slots.step(t, came);
      return from ? (now - from.value) / ((t - from.t) / 1000) : NaN;
    };
    const deltaOf = (slots: Slots, came: number, now: number) => {
      const from = slots.step(t, came);
      return from ? now - from.value : NaN;
    };
    const speedRate = rateOf(this.#speedSlots, s.speed, speed);
    const headingRate = Math.abs(rateOf(this.#headingSlots, s.heading, heading));
    const coolantRise = deltaOf(this.#coolantSlots, s.coolant, coolant);
    const fuelChange = deltaOf(this.#fuelSlots, s.fuel, fuel);
    const fuelChangeLong = deltaOf(this.#fuelSlotsLong, s.fuel, fuel);
    const speedBefore = this.#speedBefore;
    if (speedCame) this.#speedBefore = s.speed;
    this.#speedPanes.step(t, s.speed);
    const speedMean = this.#speedPanes.average(t);
    this.#peaks.step(t, vibrationCame && vibration > 3 ? 1 : NaN);
    const peaks = this.#peaks.count();
    this.#batteryPanes.step(t, s.battery);
    const batterySpread = this.#batteryPanes.spread();
    const coolantMean = this.#coolantMean.step(t, s.coolant);
    const hot = this.#hot.step(t, above(coolant, 108), coolantCame);
    const calmed = this.#impact.step(t, above(vibration, 6), below(vibration, 1), vibrationCame);
    let shifted = false;
    if (gearCame) {
      shifted = !Number.isNaN(this.#gearBefore) && gear !== this.#gearBefore;
      this.#gearBefore = gear;
    }
    let frostCame: Truth = false;
    if (ambientCame) {
      const frosty = ambient < 3;
      frostCame = frosty && this.#wasFrosty === false;
      this.#wasFrosty = frosty;
    }

    const limits = (text: string, value: number, limit: number, unit: string): Term => (
      { text, value: known(value), limit, unit }
    );
    const truth = (text: string, value: Truth): Term => ({ text, value, limit: null, unit: "" });
    this.#state(0, above(speed, 130), below(speed, 120), speedCame, above(speed, 160))?.step(
      cause,
      () => `${this.id} at ${shown(speed, "km/h")}`,
      () => [limits("speed > 130 km/h", speed, 130, "km/h")],
    );
    this.#point(1, and(below(speedRate, -12), above(speedBefore, 20)), speedCame)?.step(
      cause,
      () => `${this.id} brakes hard, from ${shown(speedBefore, "km/h")} to ${shown(speed, "km/h")}`,
      () => [
        limits("rate(speed, 1 s) < -12 km/h/s", speedRate, -12, "km/h/s"),
        limits("prev(speed) > 20 km/h", speedBefore, 20, "km/h"),
      ],
    );
    this.#point(2, and(above(speedRate, 12), above(speed, 10)), speedCame)?.step(
      cause,
      () => `${this.id} accelerates hard, to ${shown(speed, "km/h")}`,
      () => [
        limits("rate(speed, 1 s) > 12 km/h/s", speedRate, 12, "km/h/s"),
        limits("speed > 10 km/h", speed, 10, "km/h"),
      ],
    );
    this.#state(3, above(speedMean, 90), below(speedMean, 80), speedCame)?.step(
      cause,
      () => `${this.id} averages ${shown(speedMean, "km/h")}`,
      () => [limits("avg(speed, 60 s) > 90 km/h", speedMean, 90, "km/h")],
    );
    this.#point(4, and(above(headingRate, 60), above(speed, 130)), headingCame || speedCame)?.step(
      cause,
      () => `${this.id} swerves at ${shown(speed, "km/h")}`,
      () => [
        limits("abs(rate(heading, 1 s)) > 60 deg/s", headingRate, 60, "deg/s"),
        limits("speed > 130 km/h", speed, 130, "km/h"),
      ],
    );
    this.#point(5, and(frostCame, above(speed, 50)), ambientCame || speedCame)?.step(
      cause,
      () => `${this.id} meets frost: ${shown(ambient, "degC")}`,
      () => [
        truth("rose(ambient < 3 degC)", frostCame),
        limits("speed > 50 km/h", speed, 50, "km/h"),
      ],
    );
    this.#state(
      6,
      and(above(load, 90), above(throttle, 90)),
      or(below(load, 80), below(throttle, 80)),
      loadCame || throttleCame,
    )?.step(
      cause,
      () => `${this.id} at ${shown(load, "%")} load`,
      () => [
        limits("load > 90 %", load, 90, "%"),
        limits("throttle > 90 %", throttle, 90, "%"),
      ],
    );
    this.#state(7, above(coolant, 110), below(coolant, 105), coolantCame, above(coolant, 118))
      ?.step(
        cause,
        () => `${this.id} overheats: ${shown(coolant, "degC")}`,
        () => [limits("coolant > 110 degC", coolant, 110, "degC")],
      );
    this.#state(
      8,
      and(above(coolantRise, 12), above(coolant, 95)),
      below(coolantRise, 5),
      coolantCame,
    )?.step(
      cause,
      () => `${this.id} heats up fast: ${shown(coolant, "degC")}`,
      () => [
        limits("delta(coolant, 60 s) > 12 K", coolantRise, 12, "K"),
        limits("coolant > 95 degC", coolant, 95, "degC"),
      ],
    );
    this.#state(9, above(coolantMean, 100), below(coolantMean, 95), coolantCame)?.step(
      cause,
      () => `${this.id} runs hot: ${shown(coolantMean, "degC")}`,
      () => [limits("ewma(coolant, 30 s) > 100 degC", coolantMean, 100, "degC")],
    );
    this.#state(10, above(vibration, 4), below(vibration, 3), vibrationCame, above(vibration, 8))
      ?.step(
        cause,
        () => `${this.id} vibrates at ${shown(vibration, "g")}`,
        () => [limits("vibration > 4 g", vibration, 4, "g")],
      );
    this.#state(11, peaks >= 4, peaks < 2, vibrationCame)?.step(
      cause,
      () => `${this.id} runs rough: ${peaks} peaks`,
      () => [limits("count(vibration > 3 g, 60 s) >= 4", peaks, 4, "")],
    );
    this.#state(12, below(battery, 11.8), above(battery, 12.2), batteryCame, below(battery, 11.2))
      ?.step(
        cause,
        () => `${this.id} has a battery at ${shown(battery, "V")}`,
        () => [limits("battery < 11.8 V", battery, 11.8, "V")],
      );
    this.#at(
      13,
      and(below(battery, 12.2), above(rpm, 900)),
      above(battery, 13),
      batteryCame || rpmCame,
      batteryCame,
    )?.step(
      cause,
      () => `${this.id} does not charge: ${shown(battery, "V")} at ${shown(rpm, "rpm")}`,
      () => [
        limits("battery < 12.2 V", battery, 12.2, "V"),
        limits("rpm > 900 rpm", rpm, 900, "rpm"),
      ],
    );
    this.#state(14, above(batterySpread, 2), below(batterySpread, 1.5), batteryCame)?.step(
      cause,
      () => `${this.id} has an unsteady battery: ${shown(battery, "V")}`,
      () => [
        limits("highest(battery, 60 s) - lowest(battery, 60 s) > 2 V", batterySpread, 2, "V"),
      ],
    );
    this.#point(15, and(below(fuelChange, -5), below(speed, 40)), fuelCame || speedCame)?.step(
      cause,
      () => `${this.id} loses fuel while standing: ${shown(fuel, "%")} left`,
      () => [
        limits("delta(fuel, 60 s) < -5 %", fuelChange, -5, "%"),
        limits("speed < 40 km/h", speed, 40, "km/h"),
      ],
    );
    this.#state(16, below(fuelChangeLong, -3), above(fuelChangeLong, -1), fuelCame)?.step(
      cause,
      () => `${this.id} loses fuel: ${shown(fuel, "%")} left`,
      () => [limits("delta(fuel, 2 min) < -3 %", fuelChangeLong, -3, "%")],
    );
    this.#point(17, and(shifted, above(speed, 160)), gearCame || speedCame)?.step(
      cause,
      () => `${this.id} shifts to ${shown(gear, "")} at ${shown(speed, "km/h")}`,
      () => [
        truth("changed(gear)", shifted),
        limits("speed > 160 km/h", speed, 160, "km/h"),
      ],
    );
    this.#point(18, calmed, vibrationCame)?.step(
      cause,
      () => `${this.id} may have crashed`,
      () => [truth("seq(vibration > 6 g, vibration < 1 g, 20 s)", calmed)],
    );
    this.#at(
      19,
      and(hot, above(load, 50)),
      below(coolant, 100),
      coolantCame || loadCame,
      coolantCame,
    )?.step(
      cause,
      () => `${this.id} is loaded at ${shown(coolant, "degC")}`,
      () => [
        truth("held(coolant > 108 degC, 15 s)", hot),
        limits("load > 50 %", load, 50, "%"),
      ],
    );
  }

  #state(
    number: number,
    when: Truth,
    clear: Truth,
    came: boolean,
    critical?: Truth,
  ): Life | undefined {
    return this.#at(number, when, clear, came, came, critical);
  }

  #point(number: number, when: Truth, came: boolean): Life | undefined {
    return this.#at(number, when, null, came, false);
  }

  /** The life of a rule if there is anything to do about it. */
  #at(
    number: number,
    when: Truth,
    clear: Truth,
    whenCame: boolean,
    clearCame: boolean,
    critical?: Truth,
  ): Life | undefined {
    let life = this.#lives[number];
    if (!life) {
      // An idle rule that does not hold has nothing to remember.
      if (!whenCame || !(when === true || critical === true)) return undefined;
      life = this.#lives[number] = new Life(RULES[number], this.id, this.version, this.out);
    }
    life.hear(when, clear, whenCame, clearCame, critical);
    return life;
  }
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function shown(value: number, unit: string): string {
  if (Number.isNaN(value)) return "unknown";
  return unit === "" ? String(value) : `${value} ${unit}`;
}
