/** What tests of the whole program over one folder share: telemetry in, anomalies out, once each. */
import { assertEquals } from "@std/assert";
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import { everything } from "../bus/conformance_support.ts";
import type { Bus } from "../bus/port.ts";
import { TOPICS } from "../contract/topics.ts";
import { anomalies, type Program, runKilter, until } from "./program.ts";

const text = new TextEncoder();

/** Opens the bus of a folder for a while. */
export async function withBus(data: string, run: (bus: Bus) => Promise<void>): Promise<void> {
  const bus = await openEmbeddedBus({ dir: data, fsync: "always" }, {
    now: Date.now,
    events: () => {},
  });
  try {
    await run(bus);
  } finally {
    await bus.close();
  }
}

/** Samples of so many vehicles that speed for long enough. */
export function speeding(prefix: string, count: number): { vehicle: string; ts: number }[] {
  const now = Date.now();
  return [-12, -6, 0].flatMap((seconds) =>
    Array.from({ length: count }, (_, i) => (
      { vehicle: `${prefix}${i}`, ts: now + seconds * 1_000, speed: 150, rpm: 2_000 }
    ))
  );
}

/** Lets so many vehicles speed. */
export function speed(bus: Bus, prefix: string, count: number): Promise<void> {
  const records = speeding(prefix, count).map((sample) => (
    { key: text.encode(sample.vehicle), value: text.encode(JSON.stringify(sample)) }
  ));
  return bus.publish([{ topic: TOPICS.telemetry, records }]);
}

/** Transitions on the bus, as text, sorted. */
async function transitions(bus: Bus): Promise<string[]> {
  const found: string[] = [];
  for (const partition of (await bus.bounds(TOPICS.anomalies)).keys()) {
    const seen = await everything(bus, TOPICS.anomalies, partition);
    for (const { value } of seen) if (value !== null) found.push(value);
  }
  return found.sort();
}

/** Waits until so many anomalies of vehicles that begin so are listed. */
export function listed(program: Program, prefix: string, count: number): Promise<void> {
  return until(`${count} of ${prefix} are listed`, async () => {
    const found = (await anomalies(program)).filter(({ vehicle }) => vehicle.startsWith(prefix));
    return found.length === count;
  }, () => program.report());
}

/** What the analysis wrote is what one run over the log gives. */
export async function assertOnce(bus: Bus, data: string): Promise<void> {
  const run = await runKilter(["backtest", "--data", data], [data]);
  assertEquals(run.code, 0, run.stderr);
  const live = await transitions(bus);
  assertEquals(live, run.stdout.split("\n").filter((line) => line !== "").sort());
}
