/** The protocols of agent, checkpoints and bus under a scheduler that a seed drives. */
import { assert, assertEquals } from "@std/assert";
import type { Mutant } from "./broker.ts";
import type { CallFault } from "./process.ts";
import { type Outcome, simulate } from "./run.ts";
import { describe, type Scenario, scenarioOf } from "./scenario.ts";
import { report } from "./shrink.ts";
import { EPOCH_MS } from "./world.ts";

const FIRST = Number(Deno.env.get("KILTER_SEED") ?? 1);
const SEEDS = Number(Deno.env.get("KILTER_SEEDS") ?? 80);
/** Seeds within which each broken bus must be found out. */
const MUTANT_SEEDS = 200;

async function passes(scenario: Scenario): Promise<Outcome> {
  const outcome = await simulate(scenario);
  if (outcome.failures.length > 0) throw new Error(await report(scenario));
  return outcome;
}

Deno.test(`simulation: nothing lost, doubled or reordered, seeds ${FIRST} and ${SEEDS - 1} more`, async () => {
  const seen = new Map<string, number>();
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const outcome = await passes(scenarioOf(seed));
    for (const [what, times] of outcome.seen) seen.set(what, (seen.get(what) ?? 0) + times);
  }
  if (SEEDS < 80) return;
  // What seeds are there for has to happen in them.
  for (
    const what of [
      "transitions",
      "rules changed",
      "exact",
      "mended",
      "analysis.restored",
      "analysis.lease_lost",
      "analysis.state_mended",
      "analysis.checkpoint_refused",
      "commit lost reply",
      "commit late",
      "commit crash after",
    ]
  ) assert(seen.has(what), `no seed brought about: ${what}`);
});

Deno.test("simulation: the same seed gives the same events", async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const first = await simulate(scenarioOf(seed));
    const second = await simulate(scenarioOf(seed));
    assertEquals([second.hash, second.events], [first.hash, first.events], `seed ${seed}`);
  }
  const hashes = new Set<string>();
  for (let seed = 1; seed <= 4; seed++) hashes.add((await simulate(scenarioOf(seed))).hash);
  assertEquals(hashes.size, 4);
});

const MUTANTS: readonly Mutant[] = [
  "no fencing",
  "outputs alone",
  "progress alone",
  "blind retries",
];

for (const mutant of MUTANTS) {
  Deno.test(`simulation: a broken bus is found out: ${mutant}`, async () => {
    for (let seed = 1; seed <= MUTANT_SEEDS; seed++) {
      if ((await simulate(scenarioOf(seed, mutant))).failures.length > 0) return;
    }
    throw new Error(`"${mutant}" went unnoticed for ${MUTANT_SEEDS} seeds`);
  });
}

const sample = (atMs: number, vehicle: string, speed: number, coolant: number) => ({
  ...{ atMs, partition: 0 },
  value: JSON.stringify({ vehicle, ts: EPOCH_MS + atMs, speed, coolant }),
});

/** A small scenario in which nothing goes wrong but what is put into it. */
function calm(): Scenario {
  const inputs = Array.from(
    { length: 24 },
    (_, i) => sample(60 * i, `V-${i % 3}`, i % 8 < 4 ? 120 : 50, i % 5 < 2 ? 120 : 80),
  );
  return {
    seed: 3,
    partitions: 1,
    machines: 1,
    rules: 0,
    broker: { markers: true, eager: false, fencesAtOnce: true, expiryMs: 700, mutant: "none" },
    reads: { batchRecords: 3, ahead: true, beatMs: 120 },
    conditions: { latencyMs: 10, timeoutMs: 400, workMs: 0 },
    checkpointMs: 300,
    large: false,
    gentle: true,
    inputs: [...inputs, { atMs: 700, partition: 0, value: "{oops" }]
      .sort((x, y) => x.atMs - y.atMs),
    faults: [{ kind: "rules", atMs: 900, to: 1 }],
    faultsMs: 2_000,
  };
}

for (const fault of ["crash before", "crash after", "lost reply"] as const) {
  Deno.test(`simulation: ${fault} at every call, one after the other`, async () => {
    let struck = 0;
    for (let nth = 0;; nth++) {
      const scenario = withFault(calm(), fault, nth);
      const outcome = await passes(scenario);
      if (!outcome.seen.has(`any ${fault}`)) break;
      struck++;
    }
    assert(struck > 100, `${struck} calls`);
  });
}

function withFault(scenario: Scenario, fault: CallFault, nth: number): Scenario {
  const call = { kind: "call", machine: 0, op: "any", nth, fault } as const;
  return { ...scenario, faults: [...scenario.faults, call] };
}

Deno.test("simulation: retention at every moment of a restart", async () => {
  const scenario = calm();
  let restored = 0;
  let mended = 0;
  for (let atMs = 1_900; atMs < 4_400; atMs += 40) {
    const outcome = await passes({
      ...scenario,
      seed: 2,
      broker: { ...scenario.broker, expiryMs: 1_500 },
      checkpointMs: 30_000,
      gentle: false,
      conditions: { latencyMs: 40, timeoutMs: 1_200, workMs: 0 },
      inputs: [
        sample(100, "V", 40, 80),
        sample(900, "V", 40, 120),
        sample(1_000, "V", 40, 120),
        sample(5_500, "V", 40, 80),
      ],
      faults: [
        { kind: "crash", machine: 0, atMs: 1_900 },
        { kind: "trim", partition: 0, atMs, share: 1 },
      ],
      faultsMs: 6_000,
    });
    if (outcome.seen.has("analysis.state_mended")) mended++;
    else restored++;
  }
  // Both before the restart and after it.
  assert(mended > 10 && restored > 10, `${mended} mended, ${restored} restored`);
});

Deno.test("simulation: a scenario is told in lines", () => {
  const lines = describe(scenarioOf(7));
  assert(lines[0].startsWith("seed 7: "), lines[0]);
  assertEquals(lines.length, 3 + scenarioOf(7).faults.length);
});
