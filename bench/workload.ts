/**
 * Seeded telemetry for benchmarks, as batches of one partition.
 *
 * Easy: 14 signals, about 200 bytes, 17-character vehicle ids in random order, times in order.
 * Hostile: of the records 10 % have their keys shuffled, extra fields, escapes, exponents, nulls or
 * signals missing (each), 0.1 % are malformed, 2 % are out of order.
 */
import { Seeded } from "../testing/seeded.ts";
import type { EngineInput } from "../rules-wasm/engine_port.ts";

/** How a workload is made. */
export interface WorkloadOptions {
  readonly seed: number;
  readonly samples: number;
  readonly vehicles: number;
  readonly hostile: boolean;
  /** Share of samples that lie outside the limits of some rule, 0 to 1. */
  readonly fireRate: number;
  /**
   * Samples in a row of one vehicle that lie outside, of one part of it at a time. Without it each
   * such sample stands alone, and all parts are outside at once.
   */
  readonly episodeSamples?: number;
  /** Time between two samples of a vehicle, milliseconds; a second unless given. */
  readonly intervalMs?: number;
  /** Records in a batch. */
  readonly batchRecords: number;
}

/** A workload: its batches, and how many bytes they hold. */
export interface Workload {
  readonly batches: readonly EngineInput[];
  readonly samples: number;
  readonly bytes: number;
}

const START_MS = 1_760_000_000_000;
const SIGNALS = [
  "lat",
  "lon",
  "heading",
  "speed",
  "rpm",
  "gear",
  "throttle",
  "load",
  "coolant",
  "fuel",
  "battery",
  "vibration",
  "odometer",
  "ambient",
] as const;

/** Makes a workload; the same options give the same bytes. */
export function makeWorkload(options: WorkloadOptions): Workload {
  const random = new Seeded(options.seed);
  const ids = Array.from({ length: options.vehicles }, (_, i) => vehicleId(random, i));
  const text = new TextEncoder();
  const batches: EngineInput[] = [];
  let bytes = 0;
  let append = START_MS;
  // Every vehicle sends once in an interval, in an order that is new each time.
  const numbers = ids.map((_, i) => i);
  const trouble = new Trouble(random, options);
  let order: number[] = [];
  const stepMs = (options.intervalMs ?? 1_000) / options.vehicles;
  for (let done = 0; done < options.samples;) {
    const count = Math.min(options.batchRecords, options.samples - done);
    const lines: string[] = [];
    const appendTimes = new Float64Array(count);
    for (let i = 0; i < count; i++, done++) {
      if (order.length === 0) order = random.shuffled(numbers);
      const vehicle = order.pop() ?? 0;
      append = START_MS + Math.floor(done * stepMs);
      appendTimes[i] = append;
      lines.push(sample(random, options, ids[vehicle], append, trouble.of(vehicle)));
    }
    const values = text.encode(lines.join(""));
    const valueEnds = new Uint32Array(count);
    let end = 0;
    lines.forEach((line, i) => valueEnds[i] = end += utf8Length(line));
    const offsets = Float64Array.from({ length: count }, (_, i) => done - count + i);
    batches.push({ count, values, valueEnds, appendTimes, offsets });
    bytes += values.length;
  }
  return { batches, samples: options.samples, bytes };
}

/** Parts of a vehicle whose values leave their limits together. */
type Part = "speed" | "coolant" | "battery" | "vibration";
const PARTS: readonly Part[] = ["speed", "coolant", "battery", "vibration"];

/** Which vehicles are in trouble. */
class Trouble {
  /** Samples left of each vehicle's episode, and the part that it is about. */
  readonly #left: Uint8Array;
  readonly #part: Uint8Array;

  constructor(readonly random: Seeded, readonly options: WorkloadOptions) {
    this.#left = new Uint8Array(options.vehicles);
    this.#part = new Uint8Array(options.vehicles);
  }

  /** The parts of a vehicle that are outside of their limits in its next sample. */
  of(vehicle: number): readonly Part[] {
    const { fireRate, episodeSamples } = this.options;
    if (episodeSamples === undefined) return this.random.chance(fireRate) ? PARTS : [];
    if (this.#left[vehicle] === 0) {
      if (!this.random.chance(fireRate / episodeSamples)) return [];
      this.#left[vehicle] = episodeSamples;
      this.#part[vehicle] = this.random.below(PARTS.length);
    }
    this.#left[vehicle]--;
    return [PARTS[this.#part[vehicle]]];
  }
}

function vehicleId(random: Seeded, i: number): string {
  const digits = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ";
  const head = Array.from({ length: 11 }, () => digits[random.below(digits.length)]).join("");
  return head + String(i).padStart(6, "0");
}

function sample(
  random: Seeded,
  options: WorkloadOptions,
  id: string,
  append: number,
  outside: readonly Part[],
): string {
  let t = append - random.below(200);
  if (options.hostile && random.chance(0.02)) t -= 5_000 + random.below(10_000);
  const values: Record<typeof SIGNALS[number], string> = {
    lat: (59 + random.next()).toFixed(5),
    lon: (18 + random.next()).toFixed(5),
    heading: String(random.below(360)),
    speed: (outside.includes("speed") ? 131 + random.next() * 40 : 30 + random.next() * 2).toFixed(
      1,
    ),
    rpm: String(1_500 + random.below(1_500)),
    gear: String(1 + random.below(6)),
    throttle: String(random.below(100)),
    load: String(random.below(100)),
    coolant: (outside.includes("coolant") ? 111 + random.next() * 10 : 85 + random.next() * 2)
      .toFixed(1),
    fuel: (50 + random.next()).toFixed(1),
    battery: (outside.includes("battery") ? 11 + random.next() : 13.2 + random.next()).toFixed(2),
    vibration: (outside.includes("vibration") ? 4 + random.next() * 6 : random.next()).toFixed(2),
    odometer: (10_000 + random.next() * 1_000).toFixed(1),
    ambient: (10 + random.next()).toFixed(1),
  };
  let fields = [`"vehicle":"${id}"`, `"ts":${t}`];
  for (const name of SIGNALS) fields.push(`"${name}":${values[name]}`);
  if (options.hostile) fields = spoiled(random, fields, id);
  const line = `{${fields.join(",")}}`;
  return options.hostile && random.chance(0.001) ? line.slice(0, -1 - random.below(40)) : line;
}

function spoiled(random: Seeded, fields: string[], id: string): string[] {
  let result = fields;
  if (random.chance(0.1)) {
    result.push('"firmware":{"name":"r\\u00e9v \\"7\\"","parts":[1,2,{"x":null}]}', '"seq":17');
  }
  if (random.chance(0.1)) {
    const escaped = `\\u00${id.charCodeAt(0).toString(16).padStart(2, "0")}${id.slice(1)}`;
    result[0] = `"vehicle":"${escaped}"`;
  }
  if (random.chance(0.1)) {
    result = result.map((field) => {
      const match = /^("rpm":)(\d+)$/.exec(field);
      return match ? `${match[1]}${Number(match[2]) / 1000}e3` : field;
    });
  }
  if (random.chance(0.1)) result = result.map((f) => f.startsWith('"load"') ? '"load":null' : f);
  if (random.chance(0.1)) result = result.filter((f) => !/^"(fuel|throttle|gear)"/.test(f));
  if (random.chance(0.1)) result = random.shuffled(result);
  return result;
}

/** Bytes of a text without lone surrogates as UTF-8. */
function utf8Length(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
