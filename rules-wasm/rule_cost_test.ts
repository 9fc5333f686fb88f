import { assert, assertEquals } from "@std/assert";
import { traceBatch, traceRules } from "../testing/engine_trace.ts";
import { stateSize } from "./plan.ts";
import { measureRuleCosts } from "./rule_cost.ts";

const RULES = traceRules(`version: 1
rules:
  - { id: plain, when: "x > 1e9" }
  - { id: window, when: "stddev(x, 10 min) > 1e9" }`);

Deno.test("rule cost: each rule alone, in time and in state", async () => {
  const rows = Array.from(
    { length: 2_000 },
    (_, k) => ({ a: k, v: `V${k % 7}`, is: { x: k % 5 } }),
  );
  let turns = 0;
  const costs = await measureRuleCosts(RULES, traceBatch(rows), {
    clock: () => performance.now(),
    pause: () => {
      turns++;
      return Promise.resolve();
    },
  });
  assertEquals([...costs.keys()], ["plain", "window"]);
  for (const { sampleNs } of costs.values()) assert(sampleNs !== null && sampleNs >= 0);
  const bare = stateSize({ ...RULES, rules: [] });
  for (const rule of RULES.rules) {
    const { leastBytes, mostBytes } = stateSize({ ...RULES, rules: [rule] });
    const cost = costs.get(rule.id);
    assertEquals(cost?.stateBytes, leastBytes - bare.leastBytes);
    assertEquals(cost?.stateBytesMax, mostBytes - bare.mostBytes);
  }
  const most = (id: string) => costs.get(id)?.stateBytesMax ?? 0;
  assert(most("window") > most("plain"), `${most("window")} and ${most("plain")}`);
  assert(turns >= 20);
});

Deno.test("rule cost: of each piece the fastest run counts, less the fastest without a rule", async () => {
  // Three records are three pieces: all rules six times, none four times, each rule four times,
  // and none again.
  const took = [
    ...Array(18).fill(9),
    ...[...Array(3).fill([8, 3, 9]).flat(), ...[2, 4, 7]],
    ...[...[7, 5, 90], ...Array(3).fill([4, 9, 80]).flat()],
    ...Array(4).fill([2, 3, 60]).flat(),
    ...[...Array(3).fill([8, 9, 9]).flat(), ...[3, 4, 6]],
  ];
  let now = 0;
  let reads = 0;
  const rows = [1, 2, 3].map((x) => ({ a: x, v: "V", is: { x } }));
  const costs = await measureRuleCosts(RULES, traceBatch(rows), {
    clock: () => now += reads++ % 2 === 0 ? 0 : took[(reads >> 1) - 1],
    pause: () => Promise.resolve(),
  });
  // The middle of 4 - 2, 5 - 3 and 80 - 6, and of 0, 0 and 54.
  assertEquals([...costs.values()].map(({ sampleNs }) => sampleNs), [2e6, 0]);
  assertEquals(reads, 2 * took.length);
});

Deno.test("rule cost: without samples there is no time to tell", async () => {
  const costs = await measureRuleCosts(RULES, traceBatch([{ a: 0 }]), {
    clock: () => performance.now(),
    pause: () => Promise.resolve(),
  });
  assertEquals([...costs.values()].map(({ sampleNs }) => sampleNs), [null, null]);
});
