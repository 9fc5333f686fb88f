/** A simulated fleet that is started again goes on where the log last saw it. */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import type { Bus } from "../bus/port.ts";
import type { AgentContext } from "../contract/agent.ts";
import { decodeTransition } from "../contract/anomaly.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import { loadRules } from "../rules-wasm/language/rules_file.ts";
import { hashVersion } from "../rules-wasm/version.ts";
import { runSimulator } from "./agent.ts";
import { readLastSamples } from "./last_samples.ts";
import { Fleet, type LastSample } from "./simulator/fleet.ts";
import { METRES_PER_DEGREE } from "./simulator/street_network.ts";
import { FakeClock, shippedCatalog, withFolder } from "./test_support.ts";

const NOW = 1_790_000_000_000;
const TOPIC = "vehicle.telemetry";
const VEHICLES = 150;
/** How long the fleet is watched before it stops, and after it has begun again, milliseconds. */
const BEFORE_MS = 40_000;
const AFTER_MS = 20_000;
const decoder = new TextDecoder();

interface Sample extends LastSample {
  readonly vehicle: string;
}

/** Runs a fleet from the clock's present for a time. */
async function drive(bus: Bus, clock: FakeClock, ms: number, seed: number): Promise<void> {
  const stop = new AbortController();
  const endMs = clock.ms + ms;
  const context: AgentContext = {
    signal: stop.signal,
    now: clock.now,
    ...{ ready: () => {}, beat: () => {}, events: () => {} },
    untilResumed: () => Promise.resolve(),
  };
  await runSimulator(context, {
    ...{ bus, topic: TOPIC, vehicles: VEHICLES, seed },
    sleep: (ms, signal) => {
      if (clock.ms >= endMs) stop.abort();
      return clock.sleep(ms, signal);
    },
  });
}

/** Runs two fleets, one after the other, over one log. */
async function restarted(
  gapMs: number,
  seeds: readonly [number, number],
  look: (bus: Bus, restartMs: number) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const clock = new FakeClock(NOW);
    const bus = await openEmbeddedBus({ dir: folder, fsync: "interval" }, {
      now: clock.now,
      events: () => {},
    });
    try {
      await bus.ensureTopics([{
        ...{ name: TOPIC, partitions: 3, cleanup: "delete" },
        ...{ retentionMs: Infinity, retentionBytes: Infinity },
      }]);
      await drive(bus, clock, BEFORE_MS, seeds[0]);
      clock.ms += gapMs;
      const restartMs = clock.ms;
      await drive(bus, clock, AFTER_MS, seeds[1]);
      await look(bus, restartMs);
    } finally {
      await bus.close();
    }
  });
}

/** The samples to both sides of the restart, by vehicle. */
async function around(
  bus: Bus,
  restartMs: number,
): Promise<Map<string, { last: Sample; first: Sample }>> {
  const last = new Map<string, Sample>();
  const pairs = new Map<string, { last: Sample; first: Sample }>();
  for (let partition = 0; partition < 3; partition++) {
    for await (const batch of bus.range(TOPIC, partition, 0, Infinity)) {
      for (let i = 0; i < batch.count; i++) {
        const from = i === 0 ? 0 : batch.valueEnds[i - 1];
        const sample: Sample = JSON.parse(
          decoder.decode(batch.values.subarray(from, batch.valueEnds[i])),
        );
        const { vehicle, ts } = sample;
        const before = last.get(vehicle);
        if (ts < restartMs) last.set(vehicle, sample);
        else if (before !== undefined && !pairs.has(vehicle)) {
          pairs.set(vehicle, { last: before, first: sample });
        }
      }
    }
  }
  return pairs;
}

function metres(a: Sample, b: Sample): number {
  const east = (b.lon - a.lon) * Math.cos(a.lat * Math.PI / 180);
  return Math.hypot(b.lat - a.lat, east) * METRES_PER_DEGREE;
}

/** Vehicles whose wheels or wires tell what the vehicle does not do. */
function misread(seed: number): ReadonlySet<string> {
  const fleet = new Fleet({ vehicles: VEHICLES, seed, startMs: NOW });
  const name = (i: number) => decoder.decode(fleet.key(i));
  return new Set(
    Array.from({ length: VEHICLES }, (_, i) => i)
      .filter((i) => fleet.troubleOf(i) === "stuck-sensor").map(name),
  );
}

Deno.test("restart: every vehicle goes on as if it had driven on meanwhile", async () => {
  await restarted(6_000, [1, 1], async (bus, restartMs) => {
    const pairs = await around(bus, restartMs);
    assertGreater(pairs.size, VEHICLES * 0.95);
    const stuck = misread(1);
    for (const [vehicle, { last, first }] of pairs) {
      const seconds = (first.ts - last.ts) / 1000;
      const where = `${vehicle}, seed 1: ${JSON.stringify(last)} then ${JSON.stringify(first)}`;
      if (stuck.has(vehicle)) continue;
      // In between they may have gone faster.
      const fastest = Math.max(last.speed, first.speed) / 3.6 + 10;
      assertLess(metres(last, first), fastest * seconds + 5, where);
      assert(first.odometer >= last.odometer - 0.011, where);
      assertLess(first.odometer - last.odometer, (fastest * seconds + 20) / 1000, where);
      assertLess(Math.abs(first.fuel - last.fuel), 8, where);
      assertLess(Math.abs(first.coolant - last.coolant), 8, where);
      // Nobody brakes harder than an attentive driver: 2.6 m/s², and what rounding makes of it.
      assertGreater((first.speed - last.speed) / seconds, -2.6 * 3.6 - 0.2, where);
    }
  });
});

Deno.test("restart: the shipped rules take none of it for harsh driving", async () => {
  const text = await Deno.readTextFile(new URL("../rules-wasm/rules.yaml", import.meta.url));
  const rules = loadRules(text, {
    file: "rules.yaml",
    catalog: shippedCatalog(),
    zones: [],
    hash: hashVersion,
  });
  assert(rules.ok);
  await restarted(4_000, [2, 2], async (bus, restartMs) => {
    const found: string[] = [];
    let before = 0;
    for (let partition = 0; partition < 3; partition++) {
      const engine = createEngine(rules.rules, { partition });
      for await (const batch of bus.range(TOPIC, partition, 0, Infinity)) {
        for (const { value } of engine.push(batch).anomalies) {
          const { rule, vehicle, at } = decodeTransition(value);
          if (at < restartMs) before++;
          else if (at < restartMs + 2_000) found.push(`${rule} ${vehicle}`);
        }
      }
    }
    assertGreater(before, 0);
    const harsh = found.filter((each) => each.startsWith("harsh"));
    assertEquals(harsh, [], `seed 2: ${found.join(", ")}`);
  });
});

Deno.test("restart: after an hour everyone stands where they stood", async () => {
  await restarted(3_600_000, [1, 1], async (bus, restartMs) => {
    for (const [vehicle, { last, first }] of await around(bus, restartMs)) {
      assertLess(metres(last, first), 60, vehicle);
      assertLess(Math.abs(first.speed - last.speed), 12, vehicle);
    }
  });
});

Deno.test("restart: what the log holds of others, or of other streets, is passed over", async () => {
  await restarted(1_000, [1, 5], async (bus, restartMs) => {
    assertGreater((await around(bus, restartMs)).size, VEHICLES * 0.9);
    const encoder = new TextEncoder();
    const key = encoder.encode("VH-0001");
    const odd = ["", "no JSON", "[]", '{"vehicle":"VH-0001","ts":1,"speed":7}'];
    await bus.publish([{
      topic: TOPIC,
      records: odd.map((text) => ({ key, value: encoder.encode(text), partition: 0 })),
    }]);
    const found = await readLastSamples(bus, TOPIC, VEHICLES);
    assertGreater(found.get("VH-0001")?.ts ?? 0, restartMs);
    assertEquals(found.size, VEHICLES);
  });
});
