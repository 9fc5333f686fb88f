import { assert, assertEquals } from "@std/assert";
import { decodeTransition, type Transition } from "../contract/anomaly.ts";
import { RuleHistory } from "../contract/rule_versions.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { Rule, RuleSet } from "../rules-wasm/language/ast.ts";
import { loadCatalog } from "../rules-wasm/language/catalog_file.ts";
import { loadRules } from "../rules-wasm/language/rules_file.ts";
import { loadZones } from "../rules-wasm/language/zones_file.ts";
import { asBatch, type LogRecord, randomLog } from "../rules-wasm/reference/random_log.ts";
import { randomRules } from "../rules-wasm/reference/random_rules.ts";
import { randomPlace, randomZones } from "../rules-wasm/reference/random_zones.ts";
import type { RuleSource } from "../rules-wasm/rule_source.ts";
import { hashVersion } from "../rules-wasm/version.ts";
import { Seeded } from "../testing/seeded.ts";
import { explain, EXPLAIN_BOUNDS } from "./explain.ts";
import { limitsOf, withLimit } from "./explain_limits.ts";
import { UNPROVEN } from "./explain_nearest.ts";
import { logBus } from "./log_bus_fixture.ts";

const FIRST_SEED = Number(Deno.env.get("KILTER_SEED") ?? 1);
const SEEDS = Number(Deno.env.get("KILTER_SEEDS") ?? 200);
const RECORDS = 200;
/** Openings explained per log. */
const EXPLAINED_MAX = 4;
/** Openings per log of which every limit is tried again over the whole log. */
const TRIED_MAX = 2;

const CATALOG = (() => {
  const path = new URL("../rules-wasm/signals.yaml", import.meta.url);
  const loaded = loadCatalog(Deno.readTextFileSync(path), { file: "signals.yaml" });
  if (!loaded.ok) throw new Error("Cannot read the shipped catalog");
  return loaded.catalog;
})();

function sourceOf(ruleSet: RuleSet): RuleSource {
  return {
    current: () => ruleSet,
    version: (name) => name === ruleSet.version ? ruleSet : null,
    history: new RuleHistory(),
    catchUp: () => Promise.resolve(),
    onChange: () => () => {},
  };
}

/** Everything that a rule set gives over a whole log. */
function run(ruleSet: RuleSet, log: readonly LogRecord[]): Transition[] {
  const engine = createEngine(ruleSet, { partition: 0 });
  const input = asBatch(log, 0, log.length);
  const last = log.reduce((most, { append }) => Math.max(most, append), -Infinity);
  const tick = asBatch([{ value: new Uint8Array(0), append: last }], 0, 1);
  return [...engine.push(input).anomalies, ...engine.push(tick).anomalies]
    .map(({ value }) => decodeTransition(value));
}

function explainOver(ruleSet: RuleSet, log: readonly LogRecord[], all: readonly Transition[]) {
  return explain(all, {
    bus: logBus(log),
    topic: "vehicle.telemetry",
    rules: sourceOf(ruleSet),
    createEngine,
    bounds: { ...EXPLAIN_BOUNDS, backMsMax: Infinity, aheadMsMax: Infinity },
    clock: () => 0,
    turn: () => Promise.resolve(),
  });
}

/** Whether the rule fires for the vehicle where an anomaly did, over the whole log. */
function stillFires(
  ruleSet: RuleSet,
  log: readonly LogRecord[],
  changed: Rule,
  [opening, ...others]: readonly Transition[],
  until: number,
): boolean {
  const end = others.find(({ kind }) => kind === "cleared")?.append ?? Infinity;
  const rules = ruleSet.rules.map((each) => each.id === changed.id ? changed : each);
  const own = run({ ...ruleSet, rules }, log)
    .filter(({ rule, vehicle }) => rule === changed.id && vehicle === opening.vehicle)
    // Once it is over, its times may come again on a clock that was reset.
    .filter(({ append }) => append <= end);
  const opened = own.filter(({ kind }) => kind === "opened" || kind === "reopened");
  return opened.some((each) => {
    const cleared = own.slice(own.indexOf(each)).find(({ kind }) => kind === "cleared");
    if (each.at >= opening.onset) return each.at <= until;
    return !changed.once && each.append <= opening.append &&
      (cleared?.at ?? Infinity) > opening.onset;
  });
}

Deno.test(`explain: over ${SEEDS} random logs every opening comes out again, every limit is proven`, async () => {
  let [explained, found, durations, without] = [0, 0, 0, 0];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const random = new Seeded(seed);
    const place = randomPlace(random);
    const map = randomZones(random, place);
    const zones = loadZones(map.text, { file: "zones", hash: hashVersion });
    assert(zones.ok);
    // By these other vehicles bear on one: they are no part of its own log.
    const text = randomRules(random, map.ids).replace(/max_(vehicles|waiting): \d+,? ?/g, "");
    const options = { file: "rules", catalog: CATALOG, zones: zones.zones, hash: hashVersion };
    const loaded = loadRules(text, options);
    assert(loaded.ok, text);
    const ruleSet = loaded.rules;
    const log = randomLog(random, RECORDS, place);
    const all = run(ruleSet, log);
    const opened = random.shuffled(all.filter(({ kind }) => kind === "opened"));
    let tried = 0;
    for (const opening of opened.slice(0, EXPLAINED_MAX)) {
      const own = all.filter(({ id }) => id === opening.id);
      const proof = await explainOver(ruleSet, log, own);
      const place = `KILTER_SEED=${seed} KILTER_SEEDS=1, ${JSON.stringify(opening)}\n${text}`;
      assert(proof.reproduced, `${proof.why}\n${place}`);
      explained++;
      const rule = ruleSet.rules.find(({ id }) => id === opening.rule);
      assert(rule !== undefined && proof.trace !== null);
      // The sample that opened it is told, and its terms are those of the transition.
      const sample = proof.trace.samples.find((each) =>
        each.offset === opening.source.offset && each.index === opening.source.index &&
        each.append === opening.append && each.when
      );
      assert(sample !== undefined, place);
      assert(
        opening.terms.every((term) => {
          const i = proof.trace?.terms.findIndex(({ text }) => text === term.text) ?? -1;
          // What the checker found to bear on nothing is not told.
          return i < 0 ||
            sample.terms[i]?.value === term.value && sample.terms[i]?.limit === term.limit;
        }) || !proof.sameTerms,
        place,
      );
      assertEquals(proof.trace.terms.length, sample.terms.length, place);
      if (limitsOf(rule.when).length === 0 || tried++ >= TRIED_MAX) continue;
      const until = proof.until ?? Infinity;
      assert(rule.once || until === (proof.opening.clearedAt ?? Infinity), place);
      const limits = limitsOf(rule.when);
      assertEquals(proof.thresholds.length, limits.length);
      for (const [i, { nearest, why }] of proof.thresholds.entries()) {
        assert(why !== UNPROVEN, place);
        if (nearest === null) {
          without++;
          continue;
        }
        found++;
        const { silentAt, firesAt, value, exclusive, side } = nearest;
        assertEquals(exclusive ? firesAt : silentAt, value, place);
        assert(side === "above" ? silentAt > firesAt : silentAt < firesAt, place);
        const at = (x: number) =>
          stillFires(ruleSet, log, withLimit(rule, limits[i], x), own, until);
        assert(!at(silentAt), `limit ${i} at ${silentAt} fires\n${place}`);
        assert(at(firesAt), `limit ${i} at ${firesAt} does not fire\n${place}`);
      }
      const { nearestMs } = proof.duration ?? { nearestMs: null };
      if (nearestMs === null) continue;
      durations++;
      const held = (forMs: number) => stillFires(ruleSet, log, { ...rule, forMs }, own, until);
      assert(!held(nearestMs), `for ${nearestMs} fires\n${place}`);
      assert(held(nearestMs - 1), `for ${nearestMs - 1} does not fire\n${place}`);
    }
  }
  const enough = explained > SEEDS && found > SEEDS / 8 && durations > SEEDS / 4;
  assert(enough || SEEDS < 50, JSON.stringify({ explained, found, durations, without }));
});
