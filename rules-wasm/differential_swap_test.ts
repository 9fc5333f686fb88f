import { assert } from "@std/assert";
import { Seeded } from "../testing/seeded.ts";
import { compareSwaps, showScript, shrinkScript, type Step } from "./differential_swap.ts";
import type { RuleSet } from "./language/ast.ts";
import { loadCatalog } from "./language/catalog_file.ts";
import type { Zone } from "./language/zone.ts";
import { loadZones } from "./language/zones_file.ts";
import { loadRules } from "./language/rules_file.ts";
import { changedRules } from "./reference/random_changes.ts";
import { randomLog } from "./reference/random_log.ts";
import { randomRuleFile, type RuleFile, ruleFileText } from "./reference/random_rules.ts";
import { randomPlace, randomZones } from "./reference/random_zones.ts";
import { hashVersion } from "./version.ts";

/**
 * Seeds to run, from `KILTER_SEED` on, and records of each:
 * `KILTER_SEEDS=20 KILTER_RECORDS=50000` is a million records.
 */
const FIRST_SEED = Number(Deno.env.get("KILTER_SEED") ?? 1);
const SEEDS = Number(Deno.env.get("KILTER_SEEDS") ?? 40);
const RECORDS = Number(Deno.env.get("KILTER_RECORDS") ?? 500);

const CATALOG = catalogOf();

function catalogOf() {
  const url = new URL("./signals.yaml", import.meta.url);
  const loaded = loadCatalog(Deno.readTextFileSync(url), { file: "signals.yaml" });
  assert(loaded.ok);
  return loaded.catalog;
}

function loaded(file: RuleFile, zones: readonly Zone[]): RuleSet | null {
  const options = { file: "random rules", catalog: CATALOG, zones, hash: hashVersion };
  const result = loadRules(ruleFileText(file), options);
  return result.ok ? result.rules : null;
}

/** A log with changes of rules and moves of the state in it. */
function randomScript(random: Seeded): { rules: RuleSet; text: string; script: Step[] } {
  const place = randomPlace(random);
  const mapped = () => {
    const map = randomZones(random, place);
    const known = loadZones(map.text, { file: "random zones", hash: hashVersion });
    assert(known.ok, map.text);
    return known.zones;
  };
  let zones = mapped();
  let file = randomRuleFile(random, zones.map(({ id }) => id));
  const rules = loaded(file, zones);
  assert(rules !== null);
  const text = ruleFileText(file);
  const earlier: RuleFile[] = [];
  const script: Step[] = [];
  for (const record of randomLog(random, RECORDS, place)) {
    if (random.chance(0.012)) {
      const changed = changedRules(random, file, earlier);
      // Zones are drawn anew, too, under the same ids.
      const drawn = random.chance(0.2) ? mapped() : zones;
      const set = loaded(changed, drawn);
      // Some changes make no valid file.
      if (set !== null) {
        earlier.push(file);
        file = changed;
        zones = drawn;
        script.push({
          kind: "swap",
          rules: set,
          text: ruleFileText(changed),
          warmed: random.chance(0.5) ? random.pick([3, 40, 200, 5000]) : null,
          ahead: random.chance(0.5),
        });
      }
    }
    if (random.chance(0.01)) script.push({ kind: "move" });
    script.push({ kind: "record", record });
  }
  return { rules, text, script };
}

Deno.test(`engines: they agree while rules change and state moves, over ${SEEDS} random logs`, () => {
  const sum = { transitions: 0, swapped: 0, changed: 0 };
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const { rules, text, script } = randomScript(new Seeded(seed));
    const { apart, ...counts } = compareSwaps(rules, script, seed);
    sum.transitions += counts.transitions;
    sum.swapped += counts.swapped;
    sum.changed += counts.changed;
    if (apart === null) continue;
    const small = shrinkScript(rules, script, seed);
    throw new Error(
      `KILTER_SEED=${seed} KILTER_SEEDS=1 KILTER_RECORDS=${RECORDS}: the engines part\n${
        compareSwaps(rules, small, seed).apart
      }\n${text}\n${showScript(small)}`,
    );
  }
  const { transitions, swapped, changed } = sum;
  const few = `only ${transitions} transitions, ${swapped} by swaps, ${changed} for a changed rule`;
  assert(transitions > 5 * SEEDS && swapped > SEEDS / 2 && changed > SEEDS / 3, few);
});
