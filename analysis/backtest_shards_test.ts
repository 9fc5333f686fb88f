/** A recording whose vehicles are shared out gives the bytes that one engine gives. */
import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { createDecoder } from "../rules-wasm/decoder.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { loadCatalog } from "../rules-wasm/language/catalog_file.ts";
import { loadRules } from "../rules-wasm/language/rules_file.ts";
import { randomLog } from "../rules-wasm/reference/random_log.ts";
import { randomRules } from "../rules-wasm/reference/random_rules.ts";
import { hashVersion } from "../rules-wasm/version.ts";
import { Seeded } from "../testing/seeded.ts";
import { columnsOf } from "./backtest_piece.ts";
import { backtestRecording, type RecordingOptions } from "./backtest_recording.ts";
import type { DistantEngine } from "./backtest_shards.ts";

const FIRST_SEED = Number(Deno.env.get("KILTER_SEED") ?? 1);
const SEEDS = Number(Deno.env.get("KILTER_SEEDS") ?? 60);
const TEXT = new TextEncoder();

const loaded = loadCatalog(
  Deno.readTextFileSync(new URL("../rules-wasm/signals.yaml", import.meta.url)),
  { file: "signals.yaml" },
);
assert(loaded.ok);
const { catalog } = loaded;

/** Random rules without lateness, and always some that wait for silences of several lengths. */
function rulesOf(random: Seeded): RuleSet {
  const text = randomRules(random, []).replace(/^settings:.*\n/m, "") +
    "  - { id: quiet-2, when: absent(2 s) }\n  - { id: quiet-5, when: absent(5 s) }\n" +
    "  - { id: quiet-6, when: absent(6 s), once: true }\n";
  const read = loadRules(
    text.replace("rules:", "settings: { forget_after: 1 h }\nrules:"),
    { file: "random", catalog, hash: hashVersion },
  );
  assert(read.ok, read.ok ? "" : `${text}\n${read.faults.map((f) => f.message).join("\n")}`);
  return read.rules;
}

/** Vehicles in whole seconds, so that many samples and timers share an instant; some fall silent. */
function recording(random: Seeded): Uint8Array {
  const vehicles = 2 + random.below(9);
  const lines: string[] = [];
  const quiet = new Array<number>(vehicles).fill(0);
  for (let second = 0; second < 80; second++) {
    const now = second + (second > 60 ? 4_000 : 0);
    for (const v of random.shuffled(quiet.map((_, i) => i))) {
      if (second < quiet[v]) continue;
      if (random.chance(0.1)) quiet[v] = second + 1 + random.below(9);
      const late = random.chance(0.05) ? random.below(5) : 0;
      const ts = 1.76e12 + 1_000 * (now - late);
      const speed = random.pick([30, 80, 120, 140]);
      const more = { rpm: 800 + random.below(5_000), coolant: 80 + random.below(40) };
      lines.push(JSON.stringify({ vehicle: `V-${v}`, ts, speed, ...more }));
    }
  }
  return TEXT.encode(lines.map((line) => `${line}\n`).join(""));
}

/** Samples of a random log as a recording, one a line: hostile ones, leaps of clocks. */
function hostile(random: Seeded): Uint8Array {
  const text = new TextDecoder();
  const lines = randomLog(random, 400).flatMap(({ value }) => text.decode(value).split("\n"));
  // Two samples on one line would have to stay together.
  return TEXT.encode(lines.filter((line) => !/\}\s*\{/.test(line)).map((l) => `${l}\n`).join(""));
}

/** Engines that answer when they like. */
function distant(ruleSet: RuleSet, count: number, random: Seeded): readonly DistantEngine[] {
  return Array.from({ length: count }, () => {
    const engine = createEngine(ruleSet, { partition: 0 });
    let last: Promise<unknown> = Promise.resolve();
    return {
      push: (input) => {
        const mine = last.then(async () => {
          for (let turns = random.below(5); turns > 0; turns--) await Promise.resolve();
          const columns = columnsOf(engine.push(input).anomalies);
          return { ...columns, counts: engine.counts(), waiting: engine.waiting() };
        });
        last = mine;
        return mine;
      },
    };
  });
}

async function run(ruleSet: RuleSet, bytes: Uint8Array, more: Partial<RecordingOptions> = {}) {
  const text = new TextDecoder();
  const lines: string[] = [];
  const { rules, ...summary } = await backtestRecording({
    ...{ ruleSet, createEngine, batchRecords: 100, fromMs: -Infinity, toMs: Infinity },
    signal: new AbortController().signal,
    output: (line) => lines.push(text.decode(line)),
    progress: () => {},
    turn: () => Promise.resolve(),
    open: async function* () {
      yield await Promise.resolve(bytes);
    },
    twice: true,
    createDecoder: () => createDecoder(catalog, { maxVehicles: 100, maxClockAheadMs: Infinity }),
    ...more,
  });
  const byRule = [...rules].sort((a, b) => a.rule < b.rule ? -1 : 1);
  return { lines, summary, byRule };
}

Deno.test(`backtest: ${SEEDS} recordings whose vehicles are shared out give what one engine gives`, async () => {
  let transitions = 0;
  let shared = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const random = new Seeded(seed);
    const ruleSet = rulesOf(random);
    const bytes = random.chance(0.5) ? recording(random) : hostile(random);
    const toMs = random.chance(0.3) ? 1.76e12 + random.below(5_000_000) : Infinity;
    const alone = await run(ruleSet, bytes, { toMs });
    transitions += alone.lines.length;
    for (const count of [1, 2, 5]) {
      const roundSamples = 1 + random.below(300);
      const engines = () => {
        shared++;
        return distant(ruleSet, count, random);
      };
      const label = `KILTER_SEED=${seed} KILTER_SEEDS=1, ${count} engines`;
      const several = await run(ruleSet, bytes, { toMs, engines, roundSamples });
      assertEquals(several.lines, alone.lines, label);
      assertEquals(several, alone, label);
    }
  }
  assertGreater(transitions, 30 * SEEDS, "the recordings try too little");
  assertGreater(shared, 2 * SEEDS, "too few were shared out");
});

Deno.test("backtest: where not all vehicles are taken in, as many are as by one engine", async () => {
  const random = new Seeded(7);
  const ruleSet = rulesOf(random);
  const bytes = recording(random);
  const settings = { ...ruleSet.settings, maxVehicles: 2 };
  const few = { ...ruleSet, settings };
  const alone = await run(few, bytes);
  assertGreater((await run(ruleSet, bytes)).lines.length, alone.lines.length);
  const several = await run(few, bytes, { engines: () => distant(few, 3, random) });
  assertEquals(several, alone);
});

Deno.test("backtest: an engine elsewhere that fails ends the back-test with its word", async () => {
  const random = new Seeded(1);
  const ruleSet = rulesOf(random);
  const engines = () => [{ push: () => Promise.reject(new Error("the thread is gone")) }];
  await assertRejects(
    () => run(ruleSet, recording(random), { engines, roundSamples: 20 }),
    Error,
    "Cannot evaluate the samples within lines 1 to 20: the thread is gone",
  );
});
