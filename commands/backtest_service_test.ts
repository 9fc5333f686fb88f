/** Back-tests for requests, in a Worker over a bus in a folder: whole, bounded, read slowly, given up. */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import { TOPICS } from "../contract/topics.ts";
import type { OperationalEvent } from "../contract/events.ts";
import type { BacktestRequest } from "../server/services.ts";
import { traceRules } from "../testing/engine_trace.ts";
import { BacktestService } from "./backtest_service.ts";
import type { TrialBounds } from "./backtest_trial.ts";
import { SETTINGS_DEFAULT } from "./settings_values.ts";

const START_MS = 1_760_000_000_000;
const RECORDS = 12_000;
/** So that the log is read in several batches. */
const PAD = "x".repeat(800);
const BOUNDS: TrialBounds = { msMax: 30_000, transitionsMax: 1_000_000 };
const REQUEST: BacktestRequest = {
  ruleSet: traceRules("version: 1\nrules: [{ id: fast, when: speed > 100 }]"),
  ...{ fromMs: START_MS, toMs: Infinity, vehicles: [], transitions: true },
};

interface Line {
  readonly kind: string;
  readonly ended?: string;
  readonly transitions?: number;
  readonly samples?: number;
  readonly detail?: string;
}

interface Bench {
  readonly service: BacktestService;
  readonly events: OperationalEvent[];
  /** Starts one that must start. */
  start(change?: Partial<BacktestRequest>): ReadableStream<Uint8Array>;
}

/** A log in which each second sample of a vehicle opens or clears something. */
async function withService(
  run: (bench: Bench) => Promise<void>,
  bounds: Partial<TrialBounds> = {},
  dir?: string,
): Promise<void> {
  const data = await Deno.makeTempDir({ prefix: "kilter-service-" });
  let clock = START_MS;
  const bus = await openEmbeddedBus({ dir: data, fsync: "interval" }, {
    now: () => clock,
    events: () => {},
  });
  const spec = { partitions: 2, retentionMs: Infinity, retentionBytes: Infinity };
  await bus.ensureTopics([{ ...spec, name: TOPICS.telemetry, cleanup: "delete" }]);
  const text = new TextEncoder();
  for (let at = 0; at < RECORDS; at += 500) {
    clock = START_MS + at * 100;
    const records = Array.from({ length: 500 }, (_, i) => {
      const n = at + i;
      const speed = n % 20 < 10 ? 90 : 110;
      const sample = { vehicle: `V-${n % 10}`, ts: clock + i, speed, pad: PAD };
      return { key: null, value: text.encode(JSON.stringify(sample)), partition: n % 2 };
    });
    await bus.publish([{ topic: TOPICS.telemetry, records }]);
  }
  await bus.close();
  const events: OperationalEvent[] = [];
  const service = new BacktestService({
    settings: { ...SETTINGS_DEFAULT, data: dir ?? data },
    events: (event) => events.push(event),
    bounds: { ...BOUNDS, ...bounds },
  });
  const start = (change: Partial<BacktestRequest> = {}) => {
    const lines = service.start({ ...REQUEST, ...change });
    assert(lines !== null, "another runs");
    return lines;
  };
  try {
    await run({ service, events, start });
  } finally {
    service.close();
    await Deno.remove(data, { recursive: true });
  }
}

async function linesOf(stream: ReadableStream<Uint8Array>): Promise<Line[]> {
  const text = await new Response(stream).text();
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

const transitionsOf = (lines: readonly Line[]) =>
  lines.filter(({ kind }) => kind === "opened" || kind === "reopened" || kind === "cleared");

Deno.test("backtest service: transitions and a summary, and none of them where they are not wanted", () =>
  withService(async ({ service, start }) => {
    const lines = await linesOf(start());
    const last = lines.at(-1);
    assertEquals([last?.kind, last?.ended, last?.samples], ["summary", "whole", RECORDS]);
    assertEquals(transitionsOf(lines).length, last?.transitions);
    assertGreater(transitionsOf(lines).length, 10_000);
    assertEquals(service.metrics().backtests_running, 0);
    const short = await linesOf(start({ transitions: false, vehicles: ["V-1", "V-2*"] }));
    assertEquals(transitionsOf(short).length, 0);
    assertEquals(short.at(-1)?.transitions, transitionsOf(lines).length / 5);
  }));

Deno.test("backtest service: one at a time; who gives up makes room for the next", () =>
  withService(async ({ service, start }) => {
    const first = start();
    assertEquals(service.start(REQUEST), null);
    assertEquals(service.metrics().backtests_refused_total, 1);
    await first.cancel();
    assertEquals((await linesOf(start())).at(-1)?.ended, "whole");
  }));

Deno.test("backtest service: a bound on transitions ends it with the beginning of the whole", async () => {
  let whole: Line[] = [];
  await withService(async ({ start }) => void (whole = transitionsOf(await linesOf(start()))));
  await withService(async ({ start }) => {
    const lines = await linesOf(start());
    assertEquals(lines.at(-1)?.ended, "transitions");
    assertEquals(transitionsOf(lines), whole.slice(0, 700));
  }, { transitionsMax: 700 });
});

Deno.test("backtest service: a slow reader holds it up, what waits is bounded, and so is its time", () =>
  withService(async ({ service, start }) => {
    const reader = start().getReader();
    await reader.read();
    const end = performance.now() + 10_000;
    while (service.metrics().backtests_running === 1 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assertEquals(service.metrics().backtests_running, 0, "it ended by itself");
    let bytes = 0;
    let last = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.length;
      last = new TextDecoder().decode(value);
    }
    assert(last.includes('"ended":"time"'), last.slice(-300));
    // All would be 4 MB, what may wait a quarter of one, and what one batch more gives.
    assertLess(bytes, 1_500_000);
  }, { msMax: 1_500 }));

Deno.test("backtest service: a bus that fails is told in the last line", () =>
  withService(
    async ({ start, events }) => {
      const lines = await linesOf(start());
      assertEquals(lines.length, 1);
      assertEquals(lines[0].kind, "failed");
      assert(lines[0].detail?.includes("/dev/null/nothing"), lines[0].detail);
      assertEquals(events.map(({ name }) => name), ["backtest.failed"]);
    },
    {},
    "/dev/null/nothing",
  ));

Deno.test("backtest service: closing ends what runs, and nothing starts any more", () =>
  withService(async ({ service, start }) => {
    const lines = linesOf(start());
    service.close();
    assertEquals((await lines).at(-1)?.kind, "failed");
    assertEquals(service.start(REQUEST), null);
  }));
