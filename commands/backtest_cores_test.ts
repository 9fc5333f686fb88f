/** Back-tests in Workers: over a bus in a folder, as the command runs them. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { backtestLog, type LogOptions } from "../analysis/backtest.ts";
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import { type Bus, BusError } from "../bus/port.ts";
import { TOPICS } from "../contract/topics.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import { randomLog } from "../rules-wasm/reference/random_log.ts";
import { Seeded } from "../testing/seeded.ts";
import { dealOut, startInWorkers } from "./backtest_cores.ts";
import { readCatalog, readRules } from "./files.ts";
import { SETTINGS_DEFAULT } from "./settings_values.ts";

const PARTITIONS = 5;
const RULES = readRules("", readCatalog(""));

/** A folder with a log of a few thousand records over five partitions, in small rows. */
async function withLog(run: (bus: Bus, data: string) => Promise<void>): Promise<void> {
  const data = await Deno.makeTempDir({ prefix: "kilter-cores-" });
  const seed = 5;
  let clock = 0;
  const bus = await openEmbeddedBus({ dir: data, fsync: "interval" }, {
    now: () => clock,
    events: () => {},
  });
  try {
    const spec = { partitions: PARTITIONS, retentionMs: Infinity, retentionBytes: Infinity };
    await bus.ensureTopics([{ ...spec, name: TOPICS.telemetry, cleanup: "delete" }]);
    const random = new Seeded(seed);
    const log = randomLog(random, 6_000);
    for (let at = 0; at < log.length; at += 20) {
      clock = log[at].append;
      const records = log.slice(at, at + 20).map(({ value }) => ({
        ...{ key: null, value, partition: random.below(PARTITIONS) },
      }));
      await bus.publish([{ topic: TOPICS.telemetry, records }]);
    }
    await run(bus, data);
  } finally {
    await bus.close();
    await Deno.remove(data, { recursive: true });
  }
}

function optionsOf(bus: Bus, lines: string[], more: Partial<LogOptions> = {}): LogOptions {
  const text = new TextDecoder();
  return {
    ...{ bus, topic: TOPICS.telemetry, ruleSet: RULES, createEngine },
    ...{ fromMs: -Infinity, toMs: Infinity, signal: new AbortController().signal },
    output: (bytes) => lines.push(text.decode(bytes)),
    progress: () => {},
    turn: () => Promise.resolve(),
    ...more,
  };
}

function inWorkers(data: string, workers: number, signal = new AbortController().signal) {
  const settings = { ...SETTINGS_DEFAULT, data };
  return startInWorkers({
    ...{ settings, ruleSet: RULES, asLive: false, toMs: Infinity, workers, signal },
  });
}

Deno.test("backtest: in Workers, however many, the same bytes and the same summary", () =>
  withLog(async (bus, data) => {
    const alone: string[] = [];
    const summary = await backtestLog(optionsOf(bus, alone));
    assert(alone.length > 20, `only ${alone.length} transitions`);
    for (const workers of [1, 2, 9]) {
      const lines: string[] = [];
      const lanes = inWorkers(data, workers);
      assertEquals(await backtestLog(optionsOf(bus, lines, { lanes })), summary);
      assertEquals(lines, alone, `${workers} Workers`);
    }
  }));

Deno.test("backtest: Workers that are stopped have written the beginning of the whole", () =>
  withLog(async (bus, data) => {
    const alone: string[] = [];
    await backtestLog(optionsOf(bus, alone));
    const stop = new AbortController();
    const lines: string[] = [];
    const options = optionsOf(bus, lines, {
      lanes: inWorkers(data, 2, stop.signal),
      signal: stop.signal,
      each: () => stop.abort(),
    });
    const summary = await backtestLog(options);
    assert(summary.transitions >= 1 && lines.length < alone.length);
    assertEquals(lines, alone.slice(0, lines.length));
  }));

Deno.test("backtest: what fails in a Worker is told with where, and ends the others", () =>
  withLog(async (bus, data) => {
    // The partition does not exist: the bus refuses it, in the Worker.
    const options = optionsOf(bus, [], {
      lanes: (jobs, receive) => {
        const more = [...jobs, { partition: 99, from: 0, to: 1e6 }];
        return inWorkers(data, 2)(more, receive);
      },
    });
    const error = await assertRejects(() => backtestLog(options), BusError);
    assertEquals(
      error.message,
      `Cannot read ${TOPICS.telemetry}/99: the topic has ${PARTITIONS} partitions`,
    );
  }));

Deno.test("backtest: partitions are dealt out evenly, none twice", () => {
  const jobs = [900, 10, 500, 0, 450, 20].map((to, partition) => ({ partition, from: 0, to }));
  const loads = (hands: number) =>
    dealOut(jobs, hands).map((own) => own.reduce((sum, { to }) => sum + to, 0)).sort();
  assertEquals(loads(2), [930, 950]);
  assertEquals(loads(64).length, 5, "one has no records");
  assertEquals(
    dealOut(jobs, 3).flat().map(({ partition }) => partition).sort(),
    [0, 1, 2, 3, 4, 5],
  );
  assertEquals(dealOut([{ partition: 0, from: 5, to: 5 }], 4).length, 1);
});
