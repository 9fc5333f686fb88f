/** What the log last holds of the simulated vehicles, so that a restart does not move them about. */
import type { Batch, Bus } from "../bus/port.ts";
import type { LastSample } from "./simulator/fleet.ts";
import type { SampleValues } from "./simulator/sample_text.ts";

/** Looks back over this many samples of each vehicle, as if all partitions had their share. */
const ROUNDS = 40;
/** Records read of a partition at least and at most. */
const RECORDS_MIN = 500;
const RECORDS_MAX = 100_000;

const NUMBERS = [
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
] as const satisfies readonly (keyof SampleValues)[];

/**
 * Reads the ends of a topic's partitions.
 *
 * @param vehicles how many there are, which says how far back to look
 * @returns the last whole sample of each vehicle found, by id
 * @throws {BusError} if the bus cannot be read
 */
export async function readLastSamples(
  bus: Bus,
  topic: string,
  vehicles: number,
): Promise<Map<string, LastSample>> {
  const found = new Map<string, LastSample>();
  const bounds = await bus.bounds(topic);
  const share = Math.ceil(ROUNDS * vehicles / Math.max(1, bounds.length));
  const records = Math.min(RECORDS_MAX, Math.max(RECORDS_MIN, share));
  for (const [partition, { start, end }] of bounds.entries()) {
    if (end <= start) continue;
    const from = Math.max(start, end - records);
    for await (const batch of bus.range(topic, partition, from, end)) takeLast(batch, found);
  }
  return found;
}

/** Takes the last sample of each key in a batch. */
function takeLast(batch: Batch, found: Map<string, LastSample>): void {
  const decoder = new TextDecoder();
  const taken = new Set<string>();
  for (let i = batch.count - 1; i >= 0; i--) {
    const key = batch.key(i);
    if (key === null) continue;
    const id = decoder.decode(key);
    if (taken.has(id)) continue;
    const from = i === 0 ? 0 : batch.valueEnds[i - 1];
    const sample = sampleIn(decoder.decode(batch.values.subarray(from, batch.valueEnds[i])));
    if (sample === null) continue;
    taken.add(id);
    found.set(id, sample);
  }
}

/** The sample in a record; null if it is not one that the simulation sends. */
function sampleIn(text: string): LastSample | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  if (typeof value !== "object" || value === null) return null;
  const fields: Record<string, unknown> = { ...value };
  const number = (name: string) => typeof fields[name] === "number" ? fields[name] : NaN;
  const { ts, ignition } = fields;
  if (typeof ts !== "number" || typeof ignition !== "boolean") return null;
  if (NUMBERS.some((name) => Number.isNaN(number(name)))) return null;
  return {
    ts,
    ignition,
    lat: number("lat"),
    lon: number("lon"),
    heading: number("heading"),
    speed: number("speed"),
    rpm: number("rpm"),
    gear: number("gear"),
    throttle: number("throttle"),
    load: number("load"),
    coolant: number("coolant"),
    fuel: number("fuel"),
    battery: number("battery"),
    vibration: number("vibration"),
    odometer: number("odometer"),
    ambient: number("ambient"),
  };
}
