import { assert, assertEquals } from "@std/assert";
import type { NearestLimit, Proof } from "../contract/explanation.ts";
import { emptySilencing, SilencingCheck, transitionsOf } from "./silencing.ts";
import { checkCases, checkDay, readAllRules, recordsOf } from "./silencing_runs.ts";

const SEED = Number(Deno.env.get("KILTER_SEED") ?? 1);
const all = await readAllRules();

Deno.test("explain: for every shipped rule and every one of the cookbook, the limits it names hold", async () => {
  assertEquals(await checkCases(all), []);
});

Deno.test("explain: of 20 anomalies of a simulated half hour exactly the one goes at the limit named", async () => {
  const dir = await Deno.makeTempDir({ prefix: "kilter-day-" });
  try {
    const of = { vehicles: 12, seed: SEED, startMs: Date.UTC(2026, 0, 5), durationMs: 1_800_000 };
    const options = { ...of, anomalies: 20, dir };
    const counts = [...(await checkDay(all.together, options)).values()];
    assertEquals(counts.flatMap(({ faults }) => faults), [], `KILTER_SEED=${SEED}`);
    const sum = (of: (each: typeof counts[number]) => number) =>
      counts.reduce((total, each) => total + of(each), 0);
    assert(sum(({ anomalies }) => anomalies) >= 15, "most of the anomalies are checked");
    assert(sum(({ limits }) => limits) >= 10, "most of them name a limit");
    assertEquals(sum(({ limitsAgreed }) => limitsAgreed), sum(({ limits }) => limits));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("explain: the check finds limits and durations that are wrong, or not the nearest", async () => {
  const { rules, cases } = all.parts[0];
  const wrong: Record<string, (nearest: NearestLimit) => NearestLimit> = {
    "further off": ({ silentAt, firesAt, ...rest }) => {
      const further = rest.side === "above" ? 1 : -1;
      return { ...rest, silentAt: silentAt + further, firesAt: firesAt + further };
    },
    "too near": (nearest) => ({ ...nearest, silentAt: nearest.firesAt }),
  };
  for (const [name, twist] of Object.entries(wrong)) {
    let faults = 0;
    for (const each of cases.slice(0, 4)) {
      const log = recordsOf(each, rules);
      const transitions = transitionsOf(rules, log);
      const openings = transitions.filter(({ kind }) => kind === "opened").slice(0, 1);
      const counted = emptySilencing();
      const twisted = (proof: Proof): Proof => ({
        ...proof,
        thresholds: proof.thresholds.map((one) => ({
          ...one,
          nearest: one.nearest === null ? null : twist(one.nearest),
        })),
      });
      await new SilencingCheck(rules, log, transitions, () => counted, twisted).check(openings);
      assertEquals(counted.limitsAgreed, 0, name);
      faults += counted.faults.length;
    }
    assert(faults > 0, name);
  }
});
