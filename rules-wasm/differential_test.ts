import { assert } from "@std/assert";
import { Seeded } from "../testing/seeded.ts";
import { compareEngines, showLog, shrink } from "./differential.ts";
import { loadCatalog } from "./language/catalog_file.ts";
import { formatFault } from "./language/format_fault.ts";
import { loadRules } from "./language/rules_file.ts";
import { loadZones } from "./language/zones_file.ts";
import { randomLog } from "./reference/random_log.ts";
import { randomRules } from "./reference/random_rules.ts";
import { randomPlace, randomZones } from "./reference/random_zones.ts";
import { hashVersion } from "./version.ts";

/** Seeds to run, from `KILTER_SEED` on; `KILTER_SEEDS` asks for more of them. */
const FIRST_SEED = Number(Deno.env.get("KILTER_SEED") ?? 1);
const SEEDS = Number(Deno.env.get("KILTER_SEEDS") ?? 300);
/** Records of each log. */
const RECORDS = Number(Deno.env.get("KILTER_RECORDS") ?? 600);

Deno.test(`engines: kernel and reference agree on every byte over ${SEEDS} random logs`, () => {
  assertAgreement(SEEDS, 10, () => 0);
});

Deno.test("engines: they agree where a part of the log warms the rules, which opens nothing", () => {
  assertAgreement(
    Math.ceil(SEEDS / 3),
    4,
    (seed) => 1 + new Seeded(seed).below(Math.max(1, RECORDS - 100)),
  );
});

/**
 * @param fewest transitions a log, on average
 * @param startOf record at which the rules come into force
 */
function assertAgreement(seeds: number, fewest: number, startOf: (seed: number) => number): void {
  const shipped = loadCatalog(
    Deno.readTextFileSync(new URL("./signals.yaml", import.meta.url)),
    { file: "signals.yaml" },
  );
  assert(shipped.ok);
  let transitions = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + seeds; seed++) {
    const random = new Seeded(seed);
    const place = randomPlace(random);
    const map = randomZones(random, place);
    const zones = loadZones(map.text, { file: `zones of seed ${seed}`, hash: hashVersion });
    assert(zones.ok, map.text);
    const text = randomRules(random, map.ids);
    const loaded = loadRules(text, {
      file: `rules of seed ${seed}`,
      catalog: shipped.catalog,
      zones: zones.zones,
      hash: hashVersion,
    });
    assert(loaded.ok, loaded.ok ? "" : loaded.faults.map((f) => formatFault(f, text)).join("\n"));
    const log = randomLog(random, RECORDS, place);
    const start = startOf(seed);
    const compared = compareEngines(loaded.rules, log, seed, start);
    transitions += compared.transitions;
    if (compared.apart !== null) {
      const small = shrink(loaded.rules, log, seed, start);
      const still = compareEngines(loaded.rules, small, seed, start).apart;
      throw new Error(
        `KILTER_SEED=${seed} KILTER_SEEDS=1, from record ${start} on: the engines part\n${still}\n${text}\n${map.text}\n${
          showLog(small)
        }`,
      );
    }
  }
  assert(transitions > fewest * seeds, `only ${transitions} transitions: the logs try too little`);
}
