import { assertEquals } from "@std/assert";
import { murmur2Partition } from "../bus/murmur2.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import { traceBatch, traceRules } from "../testing/engine_trace.ts";
import { Meter } from "./meter.ts";

Deno.test("meter: what the engines count is summed over partitions, and outlives a lease", () => {
  const rules = traceRules(`version: 1
settings: { lateness: 10 s, max_waiting: 2, forget_after: 1 min }
rules: [{ id: r, when: x > 1 }]`);
  const meter = new Meter();
  const text = new TextEncoder();
  const vehicles = ["V-1", "V-2", "V-3", "V-4"];
  const partitionOf = (key: Uint8Array) => murmur2Partition(key, 2);
  for (const partition of [0, 1]) {
    const engine = createEngine(rules, { partition, partitionOf });
    engine.push(traceBatch([
      { a: 0, v: "gone", is: { x: 1 } }, // forgotten at 60
      ...vehicles.map((v) => ({ a: 100, v, is: { x: 1 } })), // 4 wait, where 2 may
    ]));
    meter.set(partition, {
      lagRecords: 0,
      lagSeconds: 0,
      counts: engine.counts(),
      waiting: engine.waiting(),
      vehicles: engine.vehicles(),
      stateBytes: 0,
    });
  }
  const { waiting, crowded, forgotten, clock_resets, misplaced } = meter.metrics();
  // Each of the five is in one of the two partitions by right, and was sent to both.
  const right = ["gone", ...vehicles].map((v) => murmur2Partition(text.encode(v), 2));
  assertEquals(new Set(right).size, 2);
  assertEquals({ waiting, crowded, forgotten, clock_resets, misplaced }, {
    waiting: 4,
    crowded: 4,
    forgotten: 2,
    clock_resets: 0,
    misplaced: 5,
  });
  meter.drop(0);
  meter.drop(1);
  const after = meter.metrics();
  assertEquals([after.waiting, after.crowded, after.misplaced], [0, 4, 5]);
});
