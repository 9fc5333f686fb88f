/**
 * The vehicles of a fleet as typed arrays, and what their engines do with a speed: gear, rpm, load,
 * fuel, heat, charge and vibration follow from how they are driven.
 *
 * One index is one vehicle in all arrays. Figures are those of a family car, give or take.
 */
import type { RandomStreams } from "./random.ts";
import type { SampleValues } from "./sample_text.ts";

/** What a vehicle is doing. `waiting` stands with the engine on, `parked` with it off. */
export const PHASE = { driving: 0, waiting: 1, parked: 2, revving: 3 } as const;

/** State and traits of all vehicles. */
export class Vehicles {
  // Movement, kept by the driver.
  /** Speed, m/s. */
  readonly speed: Float64Array;
  /** Acceleration over the last step, m/s². */
  readonly accel: Float64Array;
  /** Edge of the street network, metres along it, and the point of it last passed. */
  readonly edge: Int32Array;
  readonly along: Float64Array;
  readonly point: Int32Array;
  /** Node driven to. */
  readonly place: Int32Array;
  readonly phase: Uint8Array;
  /** Seconds until the phase ends; without meaning while driving. */
  readonly timer: Float64Array;
  /** Metres driven in its life. */
  readonly odometer: Float64Array;
  // The machine.
  readonly gear: Uint8Array;
  readonly rpm: Float64Array;
  /** 0 to 100. */
  readonly throttle: Float64Array;
  readonly load: Float64Array;
  /** Degrees Celsius. */
  readonly coolant: Float64Array;
  /** Percent of the tank. */
  readonly fuel: Float64Array;
  /** Battery: charge 0 to 1, and volts at its terminals. */
  readonly charge: Float64Array;
  readonly volts: Float64Array;
  /** g. */
  readonly vibration: Float64Array;
  // What faults act on.
  /** Coolant left, 0 to 1. */
  readonly coolantLevel: Float64Array;
  readonly alternatorDead: Uint8Array;
  /** Wear of wheels and suspension, 0 to 1. */
  readonly wear: Float64Array;
  /** The driver stops where the vehicle is. */
  readonly halt: Uint8Array;
  /** The driver goes easy on a sick engine: share of the usual speed. */
  readonly ease: Float64Array;
  // Traits.
  /** Speed as a share of the limit, on motorways and elsewhere. */
  readonly motorwayPace: Float64Array;
  readonly townPace: Float64Array;
  /** Comfortable acceleration and braking, m/s². */
  readonly pull: Float64Array;
  readonly brake: Float64Array;
  /** Kilograms, watts, litres. */
  readonly mass: Float64Array;
  readonly power: Float64Array;
  readonly tank: Float64Array;
  /** Kelvin above the town's air. */
  readonly airOffset: Float64Array;

  constructor(readonly count: number) {
    const doubles = () => new Float64Array(count);
    this.speed = doubles();
    this.accel = doubles();
    this.edge = new Int32Array(count);
    this.along = doubles();
    this.point = new Int32Array(count);
    this.place = new Int32Array(count);
    this.phase = new Uint8Array(count);
    this.timer = doubles();
    this.odometer = doubles();
    this.gear = new Uint8Array(count);
    this.rpm = doubles();
    this.throttle = doubles();
    this.load = doubles();
    this.coolant = doubles();
    this.fuel = doubles();
    this.charge = doubles();
    this.volts = doubles();
    this.vibration = doubles();
    this.coolantLevel = doubles().fill(1);
    this.alternatorDead = new Uint8Array(count);
    this.wear = doubles();
    this.halt = new Uint8Array(count);
    this.ease = doubles().fill(1);
    this.motorwayPace = doubles();
    this.townPace = doubles();
    this.pull = doubles();
    this.brake = doubles();
    this.mass = doubles();
    this.power = doubles();
    this.tank = doubles();
    this.airOffset = doubles();
  }
}

/** km/h at 1,000 rpm in each gear; 0 is neutral. */
const KMH_PER_1000_RPM = [0, 8, 14.5, 21.5, 29, 38, 47];
const TOP_GEAR = 6;
const IDLE_RPM = 780;
/** rpm that impatient drivers race a standing engine at. */
const RACING_RPM = 4250;
/** Heat that engine and coolant hold, J/K. */
const HEAT_CAPACITY = 60_000;
/** Radiator at rest and per m/s, and the bare engine, W/K. */
const RADIATOR = 320;
const RADIATOR_PER_SPEED = 32;
const SURFACE = 55;
/** Roughness of the four kinds of street. */
const ROUGHNESS = [1.5, 1.2, 1, 0.75];

/** Force against a vehicle at a speed, newtons: rolling and air. */
export function resistance(mass: number, speed: number): number {
  return 0.108 * mass + 0.42 * speed * speed;
}

/** Air of the town at a time, degrees Celsius: coolest towards four in the morning UTC. */
export function airTemperature(epochMs: number): number {
  const hours = (epochMs / 3_600_000) % 24;
  return 9 + 5 * Math.sin((hours - 10) / 24 * 2 * Math.PI);
}

/**
 * Moves the machine of vehicle `i` on by `dt` seconds at its present speed and acceleration.
 *
 * @param air degrees Celsius around it
 * @param kind kind of street it is on
 */
export function stepMachine(
  all: Vehicles,
  i: number,
  dt: number,
  air: number,
  kind: number,
  random: RandomStreams,
): void {
  if (all.phase[i] === PHASE.parked) rest(all, i, dt);
  else turnOver(all, i, dt, random);
  stepHeat(all, i, dt, air);
  stepVoltage(all, i, dt);
  stepVibration(all, i, dt, kind, random);
}

/** Gives the machine of vehicle `i` the state that its instruments showed. */
export function resumeMachine(all: Vehicles, i: number, seen: SampleValues): void {
  all.speed[i] = seen.speed / 3.6;
  all.rpm[i] = seen.rpm;
  all.gear[i] = seen.gear;
  all.throttle[i] = seen.throttle;
  all.load[i] = seen.load;
  all.coolant[i] = seen.coolant;
  all.fuel[i] = seen.fuel;
  all.volts[i] = seen.battery;
  all.vibration[i] = seen.vibration;
  all.odometer[i] = seen.odometer * 1000;
  // What stepVoltage makes of a charge, turned round.
  const charge = seen.ignition
    ? 1 - (14.2 - 0.002 * seen.load - seen.battery) / 0.5
    : (seen.battery - 12.15) / 0.6;
  all.charge[i] = Math.min(1, Math.max(0.1, charge));
}

/** Mechanical power that the engine gives now, watts. */
function demand(all: Vehicles, i: number): number {
  const v = all.speed[i];
  const force = all.mass[i] * all.accel[i] + (v > 0.1 ? resistance(all.mass[i], v) : 0);
  const idling = all.phase[i] === PHASE.revving ? 9_000 : 1_400;
  return Math.max(0, force * v) / 0.9 + idling;
}

function rest(all: Vehicles, i: number, dt: number): void {
  all.gear[i] = 0;
  all.load[i] = 0;
  all.throttle[i] = 0;
  all.rpm[i] = Math.max(0, all.rpm[i] - 900 * dt);
}

function turnOver(all: Vehicles, i: number, dt: number, random: RandomStreams): void {
  const kmh = all.speed[i] * 3.6;
  all.gear[i] = chooseGear(all.gear[i], kmh, all.load[i] / 100);
  // A cold engine idles faster.
  const idle = IDLE_RPM + Math.max(0, 60 - all.coolant[i]) * 4 + 12 * random.bell(i);
  let wanted = idle;
  if (all.phase[i] === PHASE.revving) wanted = RACING_RPM + 120 * random.bell(i);
  else if (all.gear[i] > 0) {
    wanted = Math.max(idle, kmh / KMH_PER_1000_RPM[all.gear[i]] * 1000);
  }
  all.rpm[i] += (wanted - all.rpm[i]) * Math.min(1, dt * 3.5);
  const watts = demand(all, i);
  const available = all.power[i] * Math.min(1, Math.max(0.18, all.rpm[i] / 4800));
  const share = Math.min(1, watts / available);
  const coasting = kmh > 8 && all.accel[i] < -0.35;
  const load = coasting ? 4 : Math.max(14, 100 * share);
  const throttle = all.phase[i] === PHASE.revving ? 46 : coasting ? 0 : 9 + 0.78 * load;
  all.load[i] += (load - all.load[i]) * Math.min(1, dt * 2.5);
  all.throttle[i] += (throttle - all.throttle[i]) * Math.min(1, dt * 3);
  const litresPerHour = coasting ? 0 : 0.75 + 0.29 * watts / 1000;
  all.fuel[i] = Math.max(1, all.fuel[i] - litresPerHour * dt / 36 / all.tank[i]);
}

function chooseGear(gear: number, kmh: number, load: number): number {
  if (kmh < 1.5) return 0;
  let chosen = Math.max(1, gear);
  const rpm = (g: number) => kmh / KMH_PER_1000_RPM[g] * 1000;
  while (chosen < TOP_GEAR && rpm(chosen) > 1900 + 950 * load) chosen++;
  while (chosen > 1 && rpm(chosen) < 1150 + 200 * load) chosen--;
  return chosen;
}

function stepHeat(all: Vehicles, i: number, dt: number, air: number): void {
  const above = all.coolant[i] - air;
  const level = all.coolantLevel[i];
  let watts = -SURFACE * above;
  if (all.phase[i] !== PHASE.parked) {
    watts += 4_800 + 0.85 * demand(all, i);
    // The thermostat opens between 86 and 96 °C, the fan helps from 98 on.
    const open = Math.min(1, Math.max(0, (all.coolant[i] - 86) / 10));
    const fan = all.coolant[i] > 98 ? 450 : 0;
    // A radiator that is not full of coolant hardly cools.
    const radiator = (RADIATOR + RADIATOR_PER_SPEED * all.speed[i] + fan) * level * level * level;
    watts -= open * radiator * above;
  }
  all.coolant[i] += watts / HEAT_CAPACITY * dt;
}

function stepVoltage(all: Vehicles, i: number, dt: number): void {
  let volts: number;
  if (all.phase[i] === PHASE.parked) {
    volts = 12.15 + 0.6 * all.charge[i];
  } else if (all.alternatorDead[i] === 1) {
    all.charge[i] = Math.max(0.1, all.charge[i] - dt / 420);
    volts = 11 + 1.5 * all.charge[i];
  } else {
    all.charge[i] = Math.min(1, all.charge[i] + dt / 900);
    volts = 14.2 - 0.002 * all.load[i] - 0.5 * (1 - all.charge[i]);
  }
  all.volts[i] += (volts - all.volts[i]) * Math.min(1, dt * 1.5);
}

function stepVibration(
  all: Vehicles,
  i: number,
  dt: number,
  kind: number,
  random: RandomStreams,
): void {
  const v = all.speed[i];
  const engine = all.phase[i] === PHASE.parked ? 0.01 : 0.05 + all.rpm[i] / 60_000;
  let g = engine + 0.016 * v * ROUGHNESS[kind] * (1 + 0.25 * random.bell(i));
  if (v > 4 && random.next(i) < dt * 0.012) g += random.between(i, 0.4, 1.4);
  if (all.wear[i] > 0) {
    g += all.wear[i] * Math.min(6.2, 6 * Math.pow(v / 22, 1.3)) * (1 + 0.07 * random.bell(i));
  }
  all.vibration[i] = Math.max(0.01, g);
}
