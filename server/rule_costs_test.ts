import { assertEquals } from "@std/assert";
import type { Batch } from "../bus/port.ts";
import type { EngineInput } from "../rules-wasm/engine_port.ts";
import { RuleCosts } from "./rule_costs.ts";
import { RULE_SET, until } from "./test_support.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function batchOf(texts: readonly string[]): Batch {
  const ends: number[] = [];
  for (const text of texts) ends.push((ends.at(-1) ?? 0) + text.length);
  return {
    ...{ topic: "t", partition: 0, count: texts.length, nextOffset: 9, highWatermark: 9 },
    offsets: new Float64Array(texts.length),
    appendTimes: Float64Array.from(texts, (_, k) => k),
    values: encoder.encode(texts.join("")),
    valueEnds: Uint32Array.from(ends),
    ...{ key: () => null, headers: () => ({}), tombstone: () => false },
  };
}

function setUp() {
  const clock = { now: 0 };
  const inputs: EngineInput[] = [];
  const failures: unknown[] = [];
  const broken: { fault: Error | null } = { fault: null };
  const costs = new RuleCosts({
    now: () => clock.now,
    failed: (error) => failures.push(error),
    measure: (_, input) => {
      inputs.push(input);
      if (broken.fault !== null) return Promise.reject(broken.fault);
      const cost = { sampleNs: inputs.length, stateBytes: 8, stateBytesMax: 8 };
      return Promise.resolve(new Map([["overspeed", cost]]));
    },
  });
  return { clock, inputs, failures, broken, costs };
}

Deno.test("rule costs: nothing is kept until somebody asks, then what comes is measured once", async () => {
  const { clock, inputs, costs } = setUp();
  costs.take(batchOf(["early"]));
  assertEquals(costs.of(RULE_SET).size, 0);
  costs.take(batchOf(["one", "two"]));
  assertEquals(inputs.length, 0);
  clock.now = 10_001;
  costs.take(batchOf(["three"]));
  await until("the costs are known", () => costs.of(RULE_SET).size === 1);
  const [{ count, values, valueEnds }] = inputs;
  assertEquals([count, decoder.decode(values), [...valueEnds]], [3, "onetwothree", [3, 6, 11]]);
  costs.take(batchOf(["later"]));
  assertEquals(inputs.length, 1);
});

Deno.test("rule costs: other rules are measured anew, and what is old", async () => {
  const { clock, inputs, costs } = setUp();
  const full = batchOf(Array.from({ length: 4_000 }, () => "x"));
  costs.of(RULE_SET);
  costs.take(full);
  await until("the costs are known", () => costs.of(RULE_SET).size === 1);
  const other = { ...RULE_SET, version: "other" };
  assertEquals(costs.of(other).size, 0);
  costs.take(full);
  await until("the other costs are known", () => costs.of(other).size === 1);
  clock.now = 600_000;
  assertEquals(costs.of(other).get("overspeed")?.sampleNs, 2);
  costs.take(full);
  await until("they are measured again", () => costs.of(other).get("overspeed")?.sampleNs === 3);
  assertEquals(inputs.length, 3);
});

Deno.test("rule costs: a measurement that fails is told, and can be asked for again", async () => {
  const { failures, broken, costs } = setUp();
  const full = batchOf(Array.from({ length: 4_000 }, () => "x"));
  broken.fault = new RangeError("too much");
  costs.of(RULE_SET);
  costs.take(full);
  await until("it is told", () => failures.length === 1);
  broken.fault = null;
  await until("the costs are known", () => {
    costs.take(full);
    return costs.of(RULE_SET).size === 1;
  });
});
