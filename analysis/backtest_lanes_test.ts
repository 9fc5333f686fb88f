/** Back-tests of several partitions: the same bytes, however they are spread and held up. */
import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { createEngine } from "../rules-wasm/engine.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { loadCatalog } from "../rules-wasm/language/catalog_file.ts";
import { loadRules } from "../rules-wasm/language/rules_file.ts";
import { asBatch, type LogRecord, randomLog } from "../rules-wasm/reference/random_log.ts";
import { randomRules } from "../rules-wasm/reference/random_rules.ts";
import { hashVersion } from "../rules-wasm/version.ts";
import { traceRules } from "../testing/engine_trace.ts";
import { Seeded } from "../testing/seeded.ts";
import { backtestLog, type LogOptions, type StartLanes } from "./backtest.ts";
import { endAt, type LaneJob, Lanes } from "./backtest_lanes.ts";
import { partitionedBus } from "./log_bus_fixture.ts";

const FIRST_SEED = Number(Deno.env.get("KILTER_SEED") ?? 1);
const SEEDS = Number(Deno.env.get("KILTER_SEEDS") ?? 60);
const TEXT = new TextDecoder();

function rulesOf(random: Seeded): RuleSet {
  const file = new URL("../rules-wasm/signals.yaml", import.meta.url);
  const catalog = loadCatalog(Deno.readTextFileSync(file), { file: "signals.yaml" });
  assert(catalog.ok);
  const text = randomRules(random, []);
  const loaded = loadRules(text, { file: "random", catalog: catalog.catalog, hash: hashVersion });
  assert(loaded.ok, text);
  return loaded.rules;
}

/** One log dealt out at random, so that partitions share their time. */
function logsOf(random: Seeded, partitions: number): LogRecord[][] {
  const logs: LogRecord[][] = Array.from({ length: partitions }, () => []);
  for (const record of randomLog(random, 500)) logs[random.below(partitions)].push(record);
  return logs;
}

/** All partitions at once, each in one push, merged by sorting: what a back-test has to write. */
function expected(ruleSet: RuleSet, logs: readonly LogRecord[][], toMs: number, seed: number) {
  const all: { readonly append: number; readonly line: string }[] = [];
  logs.forEach((log, partition) => {
    const engine = createEngine(ruleSet, { partition });
    const end = log.findIndex(({ append }) => append >= toMs);
    const until = end < 0 ? log.length : end;
    const own = until > 0 ? [...engine.push(asBatch(log, 0, until)).anomalies] : [];
    own.push(...endAt(engine, toMs));
    own.forEach(({ append }, i) =>
      assert(i === 0 || append >= own[i - 1].append, `seed ${seed}: append falls`)
    );
    for (const { append, value } of own) all.push({ append, line: TEXT.decode(value) });
  });
  // Sorting keeps the order of equals, which is that of the partitions.
  return all.sort((a, b) => a.append - b.append).map(({ line }) => line);
}

/** Lanes dealt to "threads" at random, whose pieces come late and in any order between them. */
function scattered(random: Seeded, options: () => LogOptions, held: number): StartLanes {
  return (jobs, receive) => {
    const hands: LaneJob[][] = Array.from({ length: 1 + random.below(4) }, () => []);
    for (const job of jobs) hands[random.below(hands.length)].push(job);
    const pause = async () => {
      for (let turns = random.below(6); turns > 0; turns--) await Promise.resolve();
      if (random.chance(0.02)) await new Promise((resolve) => setTimeout(resolve, 0));
    };
    const threads = hands.map((own) => new Lanes({ ...options(), turn: pause }, own, held));
    return {
      release: (partition, bytes) => {
        const at = hands.findIndex((own) => own.some((job) => job.partition === partition));
        threads[at].release(partition, bytes);
      },
      ended: Promise.resolve()
        .then(() => Promise.all(threads.map((lanes) => lanes.run(receive)))).then(() => {}),
    };
  };
}

function optionsOf(
  ruleSet: RuleSet,
  logs: readonly LogRecord[][],
  lines: string[],
  more: Partial<LogOptions> & { readonly batchRecords?: number } = {},
): LogOptions {
  return {
    ...{ bus: partitionedBus(logs, 0, more.batchRecords), topic: "t", ruleSet, createEngine },
    ...{ fromMs: -Infinity, toMs: Infinity, signal: new AbortController().signal },
    output: (bytes) => lines.push(TEXT.decode(bytes).trimEnd()),
    progress: () => {},
    turn: () => Promise.resolve(),
    ...more,
  };
}

Deno.test(`backtest: ${SEEDS} random logs, partitions, threads and cuts give the same bytes`, async () => {
  let transitions = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const random = new Seeded(seed);
    const ruleSet = rulesOf(random);
    const logs = logsOf(random, 1 + random.below(7));
    const appends = logs.flat().map(({ append }) => append);
    const [first, last] = [Math.min(...appends), Math.max(...appends)];
    const toMs = random.chance(0.5) ? Infinity : first + random.below(1.2 * (last - first));
    const wanted = expected(ruleSet, logs, toMs, seed);
    transitions += wanted.length;
    const more = () => ({ toMs, batchRecords: 1 + random.below(80) });
    const alone: string[] = [];
    const one = await backtestLog(optionsOf(ruleSet, logs, alone, more()));
    assertEquals(alone, wanted, `KILTER_SEED=${seed} KILTER_SEEDS=1`);
    const spread: string[] = [];
    const options: LogOptions = {
      ...optionsOf(ruleSet, logs, spread, more()),
      lanes: scattered(random, () => options, random.pick([1, 2_000, 1e9])),
    };
    const many = await backtestLog(options);
    assertEquals(spread, wanted, `KILTER_SEED=${seed} KILTER_SEEDS=1, in threads`);
    assertEquals(many, one, `KILTER_SEED=${seed} KILTER_SEEDS=1: the summary`);
  }
  assertGreater(transitions, 10 * SEEDS, "the logs try too little");
});

/** Vehicles that speed on and off: a transition for each second sample. */
function busyLogs(partitions: number, records: number): LogRecord[][] {
  const text = new TextEncoder();
  return Array.from({ length: partitions }, (_, p) =>
    Array.from({ length: records }, (_, i) => {
      const append = 1_760_000_000_000 + 1_000 * i + p;
      const speed = i % 2 === 0 ? 90 : 110;
      return {
        append,
        value: text.encode(JSON.stringify({ vehicle: `V-${p}`, ts: append, speed })),
      };
    }));
}

const FAST = traceRules("version: 1\nrules: [{ id: fast, when: speed > 100 }]");

Deno.test("backtest: what is stopped has written the beginning of the whole", async () => {
  const logs = busyLogs(3, 400);
  const whole: string[] = [];
  await backtestLog(optionsOf(FAST, logs, whole));
  for (const turns of [1, 2, 7, 15]) {
    const stop = new AbortController();
    const lines: string[] = [];
    let left = turns;
    const turn = () => {
      if (--left === 0) stop.abort();
      return Promise.resolve();
    };
    const options = optionsOf(FAST, logs, lines, { signal: stop.signal, turn });
    const summary = await backtestLog(options);
    assertEquals(lines, whole.slice(0, lines.length), `after ${turns} batches`);
    assertEquals(summary.transitions, lines.length);
    assert(lines.length < whole.length, `after ${turns} batches`);
  }
});

Deno.test("backtest: a lane whose output nobody takes waits, and the others go on", async () => {
  const logs = busyLogs(3, 2_000);
  const stop = new AbortController();
  const lanes = new Lanes(
    optionsOf(FAST, logs, [], { signal: stop.signal }),
    logs.map((log, partition) => ({ partition, from: 0, to: log.length })),
    5_000,
  );
  const given = [0, 0, 0];
  let most = 0;
  await lanes.run((piece) => {
    given[piece.partition] += piece.values.length;
    most = Math.max(most, piece.values.length);
    // Of the second and third all is taken at once, of the first nothing.
    if (piece.partition > 0) lanes.release(piece.partition, piece.values.length);
    if (piece.partition === 2 && piece.clock === Infinity) stop.abort();
  });
  assert(given[0] >= 5_000 && given[0] < 5_000 + most, `${given[0]} bytes, pieces of ${most}`);
  assertGreater(given[2], 100_000);
});

Deno.test("backtest: a fault says where it happened", async () => {
  const logs = busyLogs(2, 120);
  const lines: string[] = [];
  const broken = optionsOf(FAST, logs, lines, {
    createEngine: (ruleSet, options) => {
      const engine = createEngine(ruleSet, options);
      const pushPart = engine.pushPart.bind(engine);
      engine.pushPart = (input, from, mode) => {
        if (options.partition === 1 && input.offsets[0] >= 50) throw new Error("unreachable");
        return pushPart(input, from, mode);
      };
      return engine;
    },
  });
  await assertRejects(
    () => backtestLog(broken),
    Error,
    "Cannot evaluate t/1 from offset 50 on (of 0 to 120): unreachable",
  );
});
