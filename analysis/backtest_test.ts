import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decodeTransition, type Transition } from "../contract/anomaly.ts";
import { seconds, TRACE_START_MS, traceRules } from "../testing/engine_trace.ts";
import { createDecoder } from "../rules-wasm/decoder.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import type { BacktestOptions } from "./backtest_options.ts";
import { backtestRecording } from "./backtest_recording.ts";
import { compareOpenings, Openings } from "./compare_openings.ts";
import { readSweep } from "./sweep.ts";

/** Speeds of vehicles second by second, as NDJSON in the order of time. */
function recording(vehicles: Readonly<Record<string, readonly number[]>>): string {
  const lines: string[] = [];
  const steps = Math.max(...Object.values(vehicles).map((speeds) => speeds.length));
  for (let i = 0; i < steps; i++) {
    for (const [vehicle, speeds] of Object.entries(vehicles)) {
      if (i >= speeds.length) continue;
      const sample = { vehicle, ts: TRACE_START_MS + 1000 * i, speed: speeds[i] };
      lines.push(`${JSON.stringify(sample)}\n`);
    }
  }
  return lines.join("");
}

async function run(
  rules: RuleSet,
  text: string,
  options: Partial<BacktestOptions & { batchRecords: number }> = {},
) {
  const transitions: Transition[] = [];
  const summary = await backtestRecording({
    ruleSet: rules,
    createEngine,
    batchRecords: 3,
    fromMs: -Infinity,
    toMs: Infinity,
    signal: new AbortController().signal,
    output: (bytes) => transitions.push(decodeTransition(bytes)),
    progress: () => {},
    turn: () => Promise.resolve(),
    open: () => blocksOf(text),
    twice: true,
    createDecoder: () =>
      createDecoder(rules.catalog, { maxVehicles: 100, maxClockAheadMs: Infinity }),
    ...options,
  });
  return { summary, transitions };
}

async function* blocksOf(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(new TextEncoder().encode(text));
}

const fast = (rest = "") =>
  traceRules(`version: 1\nrules: [{ id: fast, when: speed > 100${rest} }]`);
const TWO = { A: [90, 110, 110, 110, 90, 110], B: [90, 90, 110, 90, 90, 90] };

Deno.test("backtest: the summary says how often, for whom, how long, and what stands open", async () => {
  const { summary } = await run(
    traceRules(`version: 1
rules:
  - { id: fast, when: speed > 100 }
  - { id: jump, when: "delta(speed, 1 s) > 10", once: true }
  - { id: never, when: speed > 300 }`),
    recording(TWO),
  );
  const { rules, firstMs, lastMs, samples, transitions } = summary;
  assertEquals([samples, transitions, seconds(firstMs), seconds(lastMs)], [12, 8, 0, 5]);
  // A: 1 to 4 (3 s), then open from 5 on; B: 2 to 3.
  assertEquals(rules, [
    { rule: "fast", fired: 3, vehicles: 2, once: false, totalMs: 4000, longestMs: 3000, open: 1 },
    { rule: "jump", fired: 3, vehicles: 2, once: true, totalMs: 0, longestMs: 0, open: 0 },
    { rule: "never", fired: 0, vehicles: 0, once: false, totalMs: 0, longestMs: 0, open: 0 },
  ]);
});

Deno.test("backtest: only the vehicles asked for are told of, by id or glob", async () => {
  const text = recording({ "VAN-1": TWO.A, "VAN-2": TWO.B, BUS: TWO.A });
  const vehicles = async (...only: string[]) => {
    const { summary, transitions } = await run(fast(), text, { vehicles: only });
    assertEquals(summary.transitions, transitions.length);
    return [...new Set(transitions.map(({ vehicle }) => vehicle))].sort();
  };
  assertEquals(await vehicles(), ["BUS", "VAN-1", "VAN-2"]);
  assertEquals(await vehicles("VAN-*"), ["VAN-1", "VAN-2"]);
  assertEquals(await vehicles("BUS", "VAN-2"), ["BUS", "VAN-2"]);
});

Deno.test("backtest: progress knows how much there is; what is stopped is not brought to its end", async () => {
  const text = recording({ A: Array.from({ length: 60 }, (_, i) => i < 3 ? 90 : 110) });
  const rules = traceRules(`version: 1
rules: [{ id: fast, when: speed > 100 }, { id: quiet, when: absent(10 s) }]`);
  const told: string[] = [];
  const toMs = TRACE_START_MS + 120_000;
  const progress = ({ done, total }: { done: number; total: number }) =>
    void told.push(`${done}/${total}`);
  const whole = await run(rules, text, { toMs, batchRecords: 25, progress });
  assertEquals([...new Set(told)].slice(-3), ["25/60", "50/60", "60/60"]);
  assertEquals(whole.transitions.map(({ rule, at }) => [rule, seconds(at)]), [
    ["fast", 3],
    ["quiet", 69],
  ]);
  const stop = new AbortController();
  const stopped = await run(rules, text, {
    toMs,
    batchRecords: 25,
    signal: stop.signal,
    progress: ({ done }) => {
      if (done > 0) stop.abort();
    },
  });
  assertEquals(stopped.summary.samples, 25);
  assertEquals(stopped.transitions.map(({ rule, at }) => [rule, seconds(at)]), [["fast", 3]]);
});

Deno.test("compare: the same, moved, only of one", async () => {
  const text = recording({
    A: [90, 105, 115, 115, 90, 90, 105, 90, 90, 115, 90],
    B: [90, 115, 90],
    C: [90, 109, 90],
  });
  const openings = async (rules: RuleSet) => {
    const found = new Openings((id) => rules.rules.find((rule) => rule.id === id)?.once ?? false);
    await run(rules, text, { each: (transition) => found.take(transition) });
    return found;
  };
  const first = await openings(fast());
  const second = await openings(
    traceRules(
      "version: 1\nrules: [{ id: fast, when: speed > 112 }, { id: slow, when: speed < 91 }]",
    ),
  );
  const { differences, rules } = compareOpenings(first, second);
  const shown = differences.filter(({ rule }) => rule === "fast").map((each) => [
    each.kind,
    each.vehicle,
    each.first && seconds(each.first.at),
    each.second && seconds(each.second.at),
  ]);
  // 105 at 1 opens the first set, 115 at 2 the second; both open at 9, and B at 1.
  assertEquals(shown, [
    ["moved", "A", 1, 2],
    ["only-first", "C", 1, null],
    ["only-first", "A", 6, null],
  ]);
  assertEquals(rules.find(({ rule }) => rule === "fast"), {
    rule: "fast",
    same: 2,
    moved: 1,
    onlyFirst: 2,
    onlySecond: 0,
  });
  const slow = rules.find(({ rule }) => rule === "slow");
  assertEquals([slow?.same, slow?.onlyFirst, slow?.onlySecond], [0, 0, 8]);
  assertEquals(compareOpenings(first, first).differences, []);
});

Deno.test("compare: one long opening against several short ones is one that moved, and the rest", () => {
  const take = (into: Openings, at: number, until: number) => {
    const base = { id: `${at}`, rule: "r", vehicle: "V", severity: "info", onset: at } as const;
    const rest = { version: "", append: 0, count: 1, message: "", terms: [] };
    const source = { partition: 0, offset: "0", index: 0 };
    into.take({ ...base, ...rest, source, kind: "opened", at });
    into.take({ ...base, ...rest, source, kind: "cleared", reason: "condition", at: until });
  };
  const [long, short] = [new Openings(() => false), new Openings(() => false)];
  take(long, 10, 90);
  take(short, 20, 30);
  take(short, 40, 50);
  take(short, 95, 99);
  assertEquals(
    compareOpenings(long, short).differences.map(({ kind, second }) => [kind, second?.at]),
    [
      ["moved", 20],
      ["only-second", 40],
      ["only-second", 95],
    ],
  );
});

Deno.test("sweep: each value fires as a rule with that limit does", async () => {
  const rules = traceRules(`version: 1
rules:
  - { id: fast, when: "rpm >= 0 and speed > 100 or held(speed > 100, 3 s)", clear: speed < 80, for: 1 s }`);
  const text = recording({ A: [90, 105, 115, 115, 90, 90, 105, 90, 90, 115, 75], B: [104, 75] });
  const read = readSweep("fast.when.limit[2]=80..120/10", rules);
  assert(typeof read !== "string", String(read));
  assertEquals([read.path, read.unit, read.values], [
    "fast.when.limit[2]",
    "km/h",
    [80, 90, 100, 110, 120],
  ]);
  const { summary } = await run(read.rules, text);
  for (const value of read.values) {
    const own = traceRules(`version: 1
rules:
  - { id: fast, when: "rpm >= 0 and speed > ${value} or held(speed > 100, 3 s)", clear: speed < 80, for: 1 s }`);
    const alone = await run(own, text);
    const [expected] = alone.summary.rules;
    const swept = summary.rules.find(({ rule }) => rule === String(value));
    assertEquals({ ...swept, rule: "fast" }, expected, String(value));
  }
  const inner = readSweep("fast.when.limit[3]=90..110/10", rules);
  assert(typeof inner !== "string", String(inner));
  const duration = readSweep("fast.for=0..2/0.5 s", rules);
  assert(typeof duration !== "string", String(duration));
  assertEquals(duration.rules.rules.map(({ forMs }) => forMs), [0, 500, 1000, 1500, 2000]);
});

Deno.test("sweep: what cannot be swept is refused with what to do", () => {
  const rules = fast(", clear: speed < 80");
  const cases: readonly [string, string][] = [
    ["fast", "write RULE.when.limit=FROM..TO/STEP"],
    ["fats.when.limit=1..2/1", 'did you mean "fast"?'],
    ["fast.when.limit=2..1/1", "the first is the least"],
    ["fast.when.limit=1..2/0", "steps of 0"],
    ["fast.when.limit=0..10000/1", "the most are 500"],
    ["fast.when.limit[2]=1..2/1", "has 1 there"],
    ["fast.when.limit=1..2/1 mph", "this limit is in km/h"],
    ["fast.for=1..2/1 V", "whole milliseconds"],
  ];
  for (const [text, message] of cases) {
    const read = readSweep(text, rules);
    assert(typeof read === "string", text);
    assertStringIncludes(read, message, text);
  }
});
