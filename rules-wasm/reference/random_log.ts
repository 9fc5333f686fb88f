/** Random logs for the differential test: orderly and hostile records, silences, ticks, clocks. */
import type { Seeded } from "../../testing/seeded.ts";
import type { EngineInput } from "../engine_port.ts";
import { GRID_REACH, gridPoint, type Place } from "./random_zones.ts";

/** One record of a log. */
export interface LogRecord {
  readonly value: Uint8Array;
  readonly append: number;
}

/** Starts of logs: one of no note, and ones shortly before clocks change in Sydney and Berlin. */
const STARTS_MS = [1_760_000_000_000, Date.UTC(2025, 9, 4, 15), Date.UTC(2025, 9, 26, 0, 40)];
const DAY_MS = 86_400_000;
/** How fast time passes in a log: most within minutes, some over hours, days or years. */
const SCALES = [1, 1, 1, 1, 1, 20, 500, 20_000];

/** What a log may have other than usual. */
export interface LogShape {
  /** Vehicles; by default one to five. */
  readonly vehicles?: number;
  /** Keys under which a signal may be sent; by default its name. */
  readonly keys?: ReadonlyMap<string, readonly string[]>;
}

/** A log of `count` records of a few vehicles or of many, which drive about a place. */
export function randomLog(
  random: Seeded,
  count: number,
  place: Place = { lat: 52.5, lon: 13.4 },
  shape: LogShape = {},
): LogRecord[] {
  const scale = random.pick(SCALES);
  const fleet = shape.vehicles ?? 1 + random.below(5);
  const vehicles = Array.from({ length: fleet }, (_, i) => ({
    id: `V-${i + 1}`,
    skew: skew(random),
    values: { speed: 50, rpm: 1800, coolant: 85, fuel: 50, battery: 12.5 },
    ignition: true,
    place,
    up: 0,
    right: 0,
  }));
  const text = new TextEncoder();
  // How far samples of a log get out of order.
  const disorderMs = random.pick([300, 300, 2_000, 15_000]);
  const log: LogRecord[] = [];
  let append = random.pick(STARTS_MS);
  while (log.length < count) {
    append += step(random) * scale;
    // Now and then the bus's own clock steps back.
    const stamped = random.chance(0.005) ? append - random.below(5_000) : append;
    if (random.chance(0.03)) {
      log.push({ value: new Uint8Array(0), append: stamped });
      continue;
    }
    // Some are sent twice, before or after others.
    if (log.length > 0 && random.chance(0.05)) {
      log.push({ value: random.pick(log.slice(-4)).value, append: stamped });
      continue;
    }
    const vehicle = random.pick(vehicles);
    if (random.chance(0.003)) vehicle.skew -= random.pick([3_000, 60_000, 3_600_000]);
    // A backlog leaps on towards the present.
    if (vehicle.skew < -DAY_MS && random.chance(0.02)) vehicle.skew += random.below(-vehicle.skew);
    const samples = random.chance(0.1) ? 1 + random.below(4) : 1;
    const lines = Array.from({ length: samples }, () => {
      // Of a large fleet one record may hold samples of several.
      const of = fleet > 5 && random.chance(0.5) ? random.pick(vehicles) : vehicle;
      return line(random, of, append, disorderMs * scale, shape.keys);
    });
    let value = text.encode(lines.join("\n"));
    if (random.chance(0.03)) value = mutated(random, value);
    log.push({ value, append: stamped });
  }
  return log;
}

function step(random: Seeded): number {
  const dice = random.next();
  if (dice < 0.3) return 0;
  if (dice < 0.8) return random.below(400);
  if (dice < 0.98) return random.below(3_000);
  return random.below(180_000);
}

interface RandomVehicle {
  readonly id: string;
  skew: number;
  readonly values: Record<string, number>;
  ignition: boolean;
  readonly place: Place;
  /** Steps of the grid from the middle of the place. */
  up: number;
  right: number;
}

/** How far a vehicle's T lies from A: some are a little off, some send what is years old. */
function skew(random: Seeded): number {
  const dice = random.next();
  if (dice < 0.2) return random.below(20_000) - 10_000;
  return dice < 0.3 ? -random.below(1_500) * DAY_MS : 0;
}

function line(
  random: Seeded,
  vehicle: RandomVehicle,
  append: number,
  disorderMs: number,
  keys: LogShape["keys"],
): string {
  const key = (name: string): string => JSON.stringify(random.pick(keys?.get(name) ?? [name]));
  for (const name of Object.keys(vehicle.values)) {
    const width = name === "rpm" ? 400 : name === "battery" ? 1 : 12;
    vehicle.values[name] = walk(random, vehicle.values[name], width);
  }
  if (random.chance(0.1)) vehicle.ignition = !vehicle.ignition;
  let t = append + vehicle.skew - random.below(disorderMs);
  // Whole seconds make samples of one T; a backlog and leaps come now and then.
  if (random.chance(0.5)) t = Math.floor(t / 1_000) * 1_000;
  if (random.chance(0.02)) t -= random.below(120_000);
  if (random.chance(0.004)) t += random.pick([50_000, 70_000, DAY_MS]);
  const fields: string[] = [];
  fields.push(
    `"${random.pick(["vehicle", "vehicle", "vehicle_id"])}":${JSON.stringify(vehicle.id)}`,
  );
  fields.push(`"ts":${random.chance(0.1) ? JSON.stringify(new Date(t).toISOString()) : t}`);
  for (const [name, value] of Object.entries(vehicle.values)) {
    if (random.chance(0.25)) continue;
    fields.push(`${key(name)}:${shown(random, value)}`);
  }
  if (random.chance(0.4)) {
    fields.push(`${key("ignition")}:${random.pick([vehicle.ignition, vehicle.ignition ? 1 : 0])}`);
  }
  if (keys?.has("mode") && random.chance(0.4)) {
    fields.push(`${key("mode")}:${random.pick(['"idle"', '"drive"', '"ödland"', '"?"', "3"])}`);
  }
  fields.push(...position(random, vehicle));
  if (random.chance(0.05)) fields.push(`"unknown_key":{"a":[1,{"speed":3}],"b":"\\u00e9\\"x"}`);
  if (random.chance(0.03)) fields.push(`"speed":${random.below(200)}`);
  if (random.chance(0.01)) fields.splice(random.below(fields.length), 1);
  return `{${
    (random.chance(0.3) ? random.shuffled(fields) : fields).join(random.pick([",", ", "]))
  }}`;
}

/** Where the vehicle is: most often whole, sometimes a part of it, on the grid or off it. */
function position(random: Seeded, vehicle: RandomVehicle): string[] {
  const step = (at: number) =>
    Math.max(-GRID_REACH, Math.min(GRID_REACH, at + random.below(7) - 3));
  if (random.chance(0.6)) vehicle.up = step(vehicle.up);
  if (random.chance(0.6)) vehicle.right = step(vehicle.right);
  const off = () => random.chance(0.3) ? random.between(-0.5, 0.5) : 0;
  const { lat, lon } = gridPoint(vehicle.place, vehicle.up + off(), vehicle.right + off());
  const dice = random.next();
  if (dice < 0.1) return [`"lat":${lat}`];
  if (dice < 0.2) return [`"lon":${lon}`];
  if (dice < 0.3) return [`"gps":{"lat":${lat},"lon":${lon}}`];
  return dice < 0.8 ? [`"lon":${lon}`, `"lat":${lat}`] : [];
}

function walk(random: Seeded, value: number, width: number): number {
  if (random.chance(0.3)) return value;
  const next = Math.max(0, value + random.between(-width, width));
  return random.chance(0.5) ? Math.round(next) : Math.round(next * 10) / 10;
}

function shown(random: Seeded, value: number): string {
  const dice = random.next();
  if (dice < 0.9) return String(value);
  if (dice < 0.93) return value.toExponential();
  if (dice < 0.95) return "null";
  if (dice < 0.97) return random.pick(['"text"', "true", "[1]", "{}", "-0", "1e400"]);
  return random.pick(["-999999", "1e308", "0.1", String(value + 1e-9)]);
}

function mutated(random: Seeded, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(value);
  switch (random.below(4)) {
    case 0:
      return bytes.slice(0, random.below(bytes.length));
    case 1:
      bytes[random.below(bytes.length)] = random.below(256);
      return bytes;
    case 2:
      bytes[random.below(bytes.length)] = random.pick([0x22, 0x5c, 0x7b, 0x7d, 0x0a, 0x2c]);
      return bytes;
    default:
      return new TextEncoder().encode(
        random.pick(["[]", "null", " ", "\n\n", "{}", "NaN", "\ufeff{}"]),
      );
  }
}

/** Records `from` to `to` of a log as one batch of columns; offsets are their numbers. */
export function asBatch(log: readonly LogRecord[], from: number, to: number): EngineInput {
  const records = log.slice(from, to);
  const valueEnds = new Uint32Array(records.length);
  let end = 0;
  records.forEach(({ value }, i) => valueEnds[i] = end += value.length);
  const values = new Uint8Array(end);
  records.forEach(({ value }, i) => values.set(value, valueEnds[i] - value.length));
  return {
    count: records.length,
    values,
    valueEnds,
    appendTimes: Float64Array.from(records, (record) => record.append),
    offsets: Float64Array.from(records, (_, i) => from + i),
  };
}
