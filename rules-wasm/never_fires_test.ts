/** The analysis of rules held against the engine: what it says can never be, never is. */
import { assert, assertEquals } from "@std/assert";
import { decodeTransition } from "../contract/anomaly.ts";
import type { Catalog } from "../contract/catalog.ts";
import { Seeded } from "../testing/seeded.ts";
import { createEngine } from "./engine.ts";
import { loadCatalog } from "./language/catalog_file.ts";
import { formatFaults } from "./language/format_fault.ts";
import { loadRules } from "./language/rules_file.ts";
import { loadZones } from "./language/zones_file.ts";
import { warningsOf } from "./language/warnings.ts";
import { asBatch, randomLog } from "./reference/random_log.ts";
import { randomRules } from "./reference/random_rules.ts";
import { type Place, randomPlace, randomZones } from "./reference/random_zones.ts";
import { hashVersion } from "./version.ts";

const FIRST_SEED = Number(Deno.env.get("KILTER_SEED") ?? 1);
const SEEDS = Number(Deno.env.get("KILTER_SEEDS") ?? 120);

function shipped(): Catalog {
  const text = Deno.readTextFileSync(new URL("./signals.yaml", import.meta.url));
  const result = loadCatalog(text, { file: "signals.yaml" });
  if (!result.ok) throw new Error(formatFaults(result.faults, text));
  return result.catalog;
}

/** Signals of random rules with ranges so narrow that random values are often at their ends. */
function narrow(catalog: Catalog): Catalog {
  const ranges: Readonly<Record<string, readonly [number, number]>> = {
    speed: [20, 70],
    rpm: [1500, 2100],
    coolant: [70, 100],
    fuel: [40, 60],
    battery: [11, 13],
  };
  const signals = catalog.signals.map((signal) => {
    const range = ranges[signal.name];
    return range === undefined ? signal : { ...signal, min: range[0], max: range[1] };
  });
  return { ...catalog, signals };
}

/** Random rules that ask about random zones at a place. */
function rulesAmongZones(random: Seeded, place: Place) {
  const map = randomZones(random, place);
  const read = loadZones(map.text, { file: "zones", hash: hashVersion });
  if (!read.ok) throw new Error(formatFaults(read.faults, map.text));
  return { text: randomRules(random, map.ids), zones: read.zones };
}

Deno.test(`warnings: no rule that fires over ${SEEDS} random logs was said never to`, () => {
  const catalogs = [shipped(), narrow(shipped())];
  let never = 0;
  let fired = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const random = new Seeded(seed);
    const place = randomPlace(random);
    const { text, zones } = rulesAmongZones(random, place);
    const file = `rules of seed ${seed}`;
    const options = { file, catalog: random.pick(catalogs), zones, hash: hashVersion };
    const loaded = loadRules(text, options);
    if (!loaded.ok) throw new Error(formatFaults(loaded.faults, text));
    const found = warningsOf(text, loaded.rules, { file });
    const dead = new Set(found.filter(({ code }) => code === "never-fires").map((w) => w.rule));
    const stuck = new Set(found.filter(({ code }) => code === "never-clears").map((w) => w.rule));
    never += dead.size + stuck.size;
    const log = randomLog(random, 400, place);
    const { anomalies } = createEngine(loaded.rules, { partition: 0 })
      .push(asBatch(log, 0, log.length));
    for (const { value } of anomalies) {
      const { rule, kind, reason, at } = decodeTransition(value);
      const wrong = dead.has(rule) || reason === "condition" && stuck.has(rule);
      assert(!wrong, `KILTER_SEED=${seed} KILTER_SEEDS=1: ${rule} ${kind} at ${at}\n${text}`);
      fired++;
    }
  }
  // Both have to be common, or the test shows little.
  assert(never > SEEDS / 2, `only ${never} rules were said never to fire or clear`);
  assert(fired > 3 * SEEDS, `only ${fired} transitions`);
});

Deno.test("warnings: a rule said to fire on every sample is never not firing", () => {
  const catalog = narrow(shipped());
  let always = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const random = new Seeded(seed);
    const place = randomPlace(random);
    const { text, zones } = rulesAmongZones(random, place);
    const file = `rules of seed ${seed}`;
    const loaded = loadRules(text, { file, catalog, zones, hash: hashVersion });
    if (!loaded.ok) throw new Error(formatFaults(loaded.faults, text));
    const said = warningsOf(text, loaded.rules, { file })
      .filter(({ code }) => code === "always-true").map((warning) => warning.rule);
    if (said.length === 0) continue;
    always += said.length;
    // As rules of their own that fire when the condition is false.
    const inverted = loaded.rules.rules.filter(({ id }) => said.includes(id)).map((rule) => ({
      ...rule,
      when: { kind: "not", of: rule.when } as const,
      clear: null,
      forMs: 0,
    }));
    const log = randomLog(random, 400, place);
    const { anomalies } = createEngine({ ...loaded.rules, rules: inverted }, { partition: 0 })
      .push(asBatch(log, 0, log.length));
    assertEquals(anomalies.length, 0, `KILTER_SEED=${seed} KILTER_SEEDS=1\n${text}`);
  }
  assert(always > SEEDS / 20, `only ${always} rules were said to fire always`);
});
