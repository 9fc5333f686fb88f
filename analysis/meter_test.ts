import { assertEquals } from "@std/assert";
import { murmur2Partition } from "../bus/murmur2.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import { TRACE_START_MS, traceBatch, traceRules } from "../testing/engine_trace.ts";
import type { Batch } from "../bus/port.ts";
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
      behindSince: null,
      counts: engine.counts(),
      waiting: engine.waiting(),
      vehicles: engine.vehicles(),
      stateBytes: 0,
    });
  }
  const { waiting, crowded, forgotten, clock_resets, misplaced } = meter.metrics(0);
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
  const after = meter.metrics(0);
  assertEquals([after.waiting, after.crowded, after.misplaced], [0, 4, 5]);
});

Deno.test("meter: the lag is what waits on all partitions, and the age of where the last one stands", () => {
  const rules = traceRules("version: 1\nrules: [{ id: r, when: x > 1 }]");
  const meter = new Meter();
  const report = (partition: number, a: number, waiting: number) => {
    const input = traceBatch([{ a, v: "V", is: { x: 1 } }]);
    const batch: Batch = {
      ...input,
      ...{ topic: "t", partition, nextOffset: 1, highWatermark: 1 + waiting },
      ...{ key: () => null, headers: () => ({}), tombstone: () => false },
    };
    const engine = createEngine(rules, { partition });
    engine.push(batch);
    meter.report(partition, batch, engine);
  };
  const lag = (seconds: number) => {
    const now = TRACE_START_MS + seconds * 1_000;
    const { lag_records, lag_seconds, lag_records_p1 } = meter.metrics(now);
    return [lag_records, lag_seconds, lag_records_p1];
  };
  report(0, 100, 7);
  report(1, 130, 5);
  assertEquals(lag(140), [12, 40, 5]);
  // Nothing is consumed: what waits gets older.
  assertEquals(lag(150), [12, 50, 5]);
  report(0, 145, 0);
  assertEquals(lag(150), [5, 20, 5]);
  report(1, 149, 0);
  assertEquals(lag(150), [0, 0, 0]);
});
