import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import { BusError } from "../bus/port.ts";
import type { AgentContext } from "../contract/agent.ts";
import type { OperationalEvent } from "../contract/events.ts";
import { runSimulator } from "./agent.ts";
import { FakeClock, MemoryBus, withFolder } from "./test_support.ts";

const NOW = 1_790_000_000_000;
const TOPIC = "vehicle.telemetry";

function setup() {
  const clock = new FakeClock(NOW);
  const stop = new AbortController();
  const events: OperationalEvent[] = [];
  const calls: string[] = [];
  const pause = { ms: 0 };
  const context: AgentContext = {
    signal: stop.signal,
    now: clock.now,
    ready: () => void calls.push("ready"),
    beat: () => void calls.push("beat"),
    untilResumed: () => {
      clock.ms += pause.ms;
      pause.ms = 0;
      return Promise.resolve();
    },
    events: (event) => events.push(event),
  };
  const sleepUntil = (endMs: number) => (ms: number, signal: AbortSignal) => {
    if (clock.ms >= endMs) stop.abort();
    return clock.sleep(ms, signal);
  };
  return {
    clock,
    stop,
    events,
    calls,
    context,
    sleepUntil,
    pause,
  };
}

const times = (bus: MemoryBus) => bus.lines().map((line): number => JSON.parse(line).ts);

Deno.test("simulator agent: every vehicle sends once a second, keyed by its id, in small publishes", async () => {
  const { clock, context, calls, events, sleepUntil } = setup();
  const bus = new MemoryBus();
  const late: number[] = [];
  bus.onPublish = () => void late.push(clock.ms);
  await runSimulator(context, {
    bus,
    topic: TOPIC,
    vehicles: 50,
    seed: 1,
    sleep: sleepUntil(NOW + 20_000),
  });
  assertEquals(calls[0], "ready");
  assertEquals(events, []);
  assertAlmostEquals(bus.published.length, 50 * 20, 60);
  assert(bus.publishes >= 190 && bus.publishes <= 205, `${bus.publishes} publishes`);
  const byVehicle = new Map<string, number[]>();
  for (const { key, value, topic } of bus.published) {
    const sample = JSON.parse(value);
    assertEquals([key, topic], [sample.vehicle, TOPIC]);
    byVehicle.set(sample.vehicle, [...byVehicle.get(sample.vehicle) ?? [], sample.ts]);
  }
  for (const [vehicle, own] of byVehicle) {
    own.slice(1).forEach((ts, i) => assertEquals(ts - own[i], 1000, vehicle));
  }
  const all = times(bus);
  assertEquals(all, [...all].sort((a, b) => a - b));
});

Deno.test("simulator agent: a short delay is caught up, a long one left out and told", async () => {
  for (const [delayMs, skips] of [[1500, false], [30_000, true]] as const) {
    const { clock, context, events, sleepUntil } = setup();
    const bus = new MemoryBus();
    bus.onPublish = () => {
      if (bus.publishes === 20) clock.ms += delayMs;
    };
    await runSimulator(context, {
      bus,
      topic: TOPIC,
      vehicles: 20,
      seed: 1,
      sleep: sleepUntil(NOW + delayMs + 10_000),
    });
    const all = times(bus);
    const widest = Math.max(...all.slice(1).map((ts, i) => ts - all[i]));
    assertEquals(events.map(({ name }) => name), skips ? ["producer.skipped"] : []);
    assert(skips ? widest > 25_000 : widest < 200, `${delayMs} ms: ${widest}`);
    if (skips) assertAlmostEquals(events[0].count ?? 0, 20 * delayMs / 1000, 60);
  }
});

Deno.test("simulator agent: after a pause it goes on at the present, silently", async () => {
  const { context, events, sleepUntil, pause } = setup();
  const bus = new MemoryBus();
  bus.onPublish = () => {
    if (bus.publishes === 10) pause.ms = 3_600_000;
  };
  await runSimulator(context, {
    bus,
    topic: TOPIC,
    vehicles: 10,
    seed: 1,
    sleep: sleepUntil(NOW + 3_605_000),
  });
  assertEquals(events, []);
  const all = times(bus);
  const gaps = all.slice(1).map((ts, i) => ts - all[i]).filter((gap) => gap > 1000);
  assertEquals(gaps.length, 1);
  assert(bus.published.length < 10 * 10);
});

Deno.test("simulator agent: a bus that fails is its failure, and it leaves no timer behind", async () => {
  const { context, sleepUntil } = setup();
  const bus = new MemoryBus();
  bus.onPublish = () => Promise.reject(new BusError("Cannot publish"));
  await assertRejects(
    () =>
      runSimulator(context, {
        bus,
        topic: TOPIC,
        vehicles: 5,
        seed: 1,
        sleep: sleepUntil(NOW + 5000),
      }),
    BusError,
  );
});

Deno.test("simulator agent: what it publishes lies on the embedded bus, in each vehicle's order", async () => {
  await withFolder(async (folder) => {
    const { context, events, sleepUntil } = setup();
    const bus = await openEmbeddedBus({ dir: folder, fsync: "interval" }, {
      now: context.now,
      events: context.events,
    });
    try {
      await bus.ensureTopics([{
        name: TOPIC,
        partitions: 4,
        cleanup: "delete",
        retentionMs: Infinity,
        retentionBytes: Infinity,
      }]);
      await runSimulator(context, {
        bus,
        topic: TOPIC,
        vehicles: 40,
        seed: 1,
        sleep: sleepUntil(NOW + 5_000),
      });
      const seen = new Map<string, number>();
      let samples = 0;
      for (let partition = 0; partition < 4; partition++) {
        for await (const batch of bus.range(TOPIC, partition, 0, Infinity)) {
          for (let i = 0; i < batch.count; i++) {
            const from = i === 0 ? 0 : batch.valueEnds[i - 1];
            const text = new TextDecoder().decode(batch.values.subarray(from, batch.valueEnds[i]));
            const { vehicle, ts } = JSON.parse(text);
            assert(ts > (seen.get(vehicle) ?? 0), vehicle);
            seen.set(vehicle, ts);
            samples++;
          }
        }
      }
      assertEquals(seen.size, 40);
      assertAlmostEquals(samples, 200, 25);
      assertEquals(events, []);
    } finally {
      await bus.close();
    }
  });
});
