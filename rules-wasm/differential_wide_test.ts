/**
 * The engines held against one another over fleets of hundreds and thousands, random catalogs,
 * limits of vehicles and of memory, and snapshots restored into other rules.
 */
import { assert } from "@std/assert";
import { Seeded } from "../testing/seeded.ts";
import { compareSwaps, showScript, shrinkScript, type Step } from "./differential_swap.ts";
import type { RuleSet } from "./language/ast.ts";
import { loadCatalog } from "./language/catalog_file.ts";
import { loadRules } from "./language/rules_file.ts";
import { loadZones } from "./language/zones_file.ts";
import { compilePlan } from "./plan.ts";
import { changedRules } from "./reference/random_changes.ts";
import { randomCatalog } from "./reference/random_catalog.ts";
import { randomLog } from "./reference/random_log.ts";
import { randomRuleFile, type RuleFile, ruleFileText } from "./reference/random_rules.ts";
import { randomPlace, randomZones } from "./reference/random_zones.ts";
import { hashVersion } from "./version.ts";

/** As for the other differential tests. */
const FIRST_SEED = Number(Deno.env.get("KILTER_SEED") ?? 1);
const SEEDS = Number(Deno.env.get("KILTER_SEEDS") ?? 12);
const RECORDS = Number(Deno.env.get("KILTER_RECORDS") ?? 500);

/** Rules that are the more likely to meet limits, by vehicle. */
const FILTERS = ['"V-*1"', '"V-?"', '["V-2*", "*-3"]', '"V-??"', '["nobody", "V-1"]'];

interface Wide {
  readonly rules: RuleSet;
  readonly text: string;
  readonly script: readonly Step[];
  readonly memoryBytes: number;
}

function randomWide(random: Seeded): Wide {
  const place = randomPlace(random);
  const map = randomZones(random, place);
  const zoned = loadZones(map.text, { file: "random zones", hash: hashVersion });
  assert(zoned.ok, map.text);
  const { zones } = zoned;
  const drawn = randomCatalog(random);
  const known = loadCatalog(drawn.text, { file: "random catalog" });
  assert(known.ok, known.ok ? "" : `${known.faults[0].message}\n${drawn.text}`);
  const { catalog } = known;
  const memoryBytes = random.chance(0.5) ? random.pick([8, 12, 24]) * 2 ** 20 : 2 ** 32;
  const loaded = (file: RuleFile): RuleSet | null => {
    const options = { file: "random rules", catalog, zones, hash: hashVersion };
    const result = loadRules(ruleFileText(file), options);
    if (!result.ok) return null;
    try {
      compilePlan(result.rules, memoryBytes);
    } catch (error) {
      if (error instanceof RangeError) return null;
      throw error;
    }
    return result.rules;
  };
  // In other units a random expression may be a fault: what is none is kept.
  const valid = (): { readonly file: RuleFile; readonly set: RuleSet } => {
    for (;;) {
      const file = limited(random, randomRuleFile(random, zones.map(({ id }) => id)));
      const rules = file.rules.filter((rule) => loaded({ settings: file.settings, rules: [rule] }));
      const set = rules.length === 0 ? null : loaded({ ...file, rules });
      if (set !== null) return { file: { ...file, rules }, set };
    }
  };
  let { file, set } = valid();
  const first = { rules: set, text: ruleFileText(file) };
  const script: Step[] = [];
  const earlier: RuleFile[] = [];
  const vehicles = random.pick([5, 40, 300, 300, 2_000]);
  for (const record of randomLog(random, RECORDS, place, { vehicles, keys: drawn.keys })) {
    if (random.chance(0.008)) {
      const changed = limited(random, changedRules(random, file, earlier));
      const next = loaded(changed);
      const text = ruleFileText(changed);
      const sameLateness = next?.settings.latenessMs === set.settings.latenessMs;
      if (next !== null) {
        // What is restored where there is less room is left out unsaid, and not counted.
        const roomy = compilePlan(next, memoryBytes).vehicleRoom > vehicles;
        if (sameLateness && roomy && random.chance(0.4)) {
          script.push({ kind: "restore", rules: next, text });
        } else {
          const warmed = random.chance(0.5) ? random.pick([3, 40, 200, 5_000]) : null;
          script.push({ kind: "swap", rules: next, text, warmed, ahead: random.chance(0.5) });
        }
        earlier.push(file);
        file = changed;
        set = next;
      }
    }
    if (random.chance(0.008)) script.push({ kind: "move" });
    script.push({ kind: "record", record });
  }
  return { ...first, text: `${drawn.text}\n${first.text}`, script, memoryBytes };
}

/** The same with fewer vehicles allowed, or rules for some of them only. */
function limited(random: Seeded, { settings, rules }: RuleFile): RuleFile {
  const most = random.pick([2, 30, 200]);
  const rest = settings.filter((row) => !row.startsWith("max_vehicles"));
  return {
    settings: random.chance(0.4) ? [...rest, `max_vehicles: ${most}`] : settings,
    rules: rules.map((rule) =>
      random.chance(0.1) && !rule.includes("\n    vehicles:")
        ? `${rule}    vehicles: ${random.pick(FILTERS)}\n`
        : rule
    ),
  };
}

Deno.test(`engines: they agree over large fleets, other catalogs and at every limit, ${SEEDS} random logs`, () => {
  let transitions = 0;
  let restored = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const { rules, text, script, memoryBytes } = randomWide(new Seeded(seed));
    const compared = compareSwaps(rules, script, seed, memoryBytes);
    transitions += compared.transitions;
    restored += script.filter(({ kind }) => kind === "restore").length;
    if (compared.apart === null) continue;
    const small = shrinkScript(rules, script, seed, memoryBytes);
    throw new Error(
      `KILTER_SEED=${seed} KILTER_SEEDS=1 KILTER_RECORDS=${RECORDS}: the engines part\n${
        compareSwaps(rules, small, seed, memoryBytes).apart
      }\nmemory ${memoryBytes}\n${text}\n${showScript(small)}`,
    );
  }
  assert(transitions > SEEDS && restored >= SEEDS / 6, `${transitions}, ${restored}`);
});
