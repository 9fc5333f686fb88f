/** What state takes: bounded by vehicles and by rules, and given back when vehicles are forgotten. */
import { assert, assertEquals } from "@std/assert";
import { Seeded } from "../testing/seeded.ts";
import { traceBatch, type TraceRow, traceRules } from "../testing/engine_trace.ts";
import { createEngine } from "./engine.ts";
import { compilePlan } from "./plan.ts";

/** Rules that keep every kind of ring. */
const RINGS = `
  - { id: r1, when: "rate(x, 1 s) > 1e9" }
  - { id: r2, when: "delta(x, 2 min) > 1e9" }
  - { id: r3, when: "avg(x, 1 min) > 1e9" }
  - { id: r4, when: "highest(x, 20 s) - lowest(x, 20 s) > 1e9" }
  - { id: r5, when: "stddev(x, 10 s) > 1e9" }
  - { id: r6, when: "count(x > 3, 30 s) > 1000" }`;

Deno.test("state: of 100,000 vehicles over four partitions, those beyond max_vehicles are refused and counted", () => {
  const rules = traceRules(
    `version: 1\nsettings: { max_vehicles: 20000 }\nrules: [{ id: r, when: "x > 1" }]`,
  );
  let known = 0;
  let refused = 0;
  let bytes = 0;
  for (let partition = 0; partition < 4; partition++) {
    const engine = createEngine(rules, { partition });
    for (let at = 0; at < 25_000; at += 5_000) {
      const rows = Array.from(
        { length: 5_000 },
        (_, i): TraceRow => ({ a: at / 5_000, v: `P${partition}-${at + i}`, is: { x: 1 } }),
      );
      const { refusals } = engine.push(traceBatch(rows, at));
      assert(refusals.every(({ reason }) => reason === "too-many-vehicles"));
      refused += refusals.length;
    }
    known += engine.vehicles();
    bytes += engine.stateBytes();
    assertEquals(engine.counts().refused, 5_000);
  }
  assertEquals([known, refused], [80_000, 20_000]);
  assert(bytes < 80_000 * 256, `${bytes} bytes`);
});

Deno.test("state: vehicles that are forgotten give everything back to those that come", () => {
  const rules = traceRules(`version: 1\nsettings: { forget_after: 2 min }\nrules:${RINGS}`);
  const engine = createEngine(rules, { partition: 0 });
  const random = new Seeded(7);
  let offset = 0;
  const bytes: number[] = [];
  for (let cycle = 0; cycle < 10; cycle++) {
    // New vehicles, each for a minute, after which nothing is heard for longer than forget_after.
    const rows: TraceRow[] = [];
    for (let second = 0; second < 60; second++) {
      for (let v = 0; v < 300; v++) {
        const x = random.chance(0.5) ? random.below(100) / 10 : random.next();
        rows.push({ a: cycle * 1_000 + second, v: `C${cycle}-${v}`, is: { x } });
      }
    }
    engine.push(traceBatch(rows, offset));
    offset += rows.length;
    assertEquals(engine.vehicles(), 300);
    bytes.push(engine.stateBytes());
  }
  assertEquals(engine.counts().forgotten, 2_700);
  // Which blocks are in use at once varies with the values; after some cycles all sizes have been.
  assert(bytes[9] <= bytes[0] * 1.05, bytes.join());
  engine.push(traceBatch([{ a: 20_000 }], offset));
  assertEquals([engine.vehicles(), engine.counts().forgotten], [0, 3_000]);
  assertEquals(engine.bytesPerVehicle(), compilePlan(rules).stride);
});

Deno.test("state: a vehicle takes a fixed part, and rings up to a bound that is known beforehand", () => {
  const rules = traceRules(`version: 1\nrules:${RINGS}`);
  const { stride, ringBytesMax } = compilePlan(rules);
  const engine = createEngine(rules, { partition: 0 });
  const random = new Seeded(3);
  engine.push(traceBatch([{ a: 0, is: { x: 1 } }]));
  assertEquals(engine.bytesPerVehicle(), stride);
  const rows = (from: number, count: number, perSecond: number, digits: number) =>
    Array.from({ length: count }, (_, i): TraceRow => ({
      a: from + i / perSecond,
      is: { x: Number(random.next().toFixed(digits)) },
    }));
  engine.push(traceBatch(rows(1, 300, 1, 1), 1));
  const usual = engine.bytesPerVehicle();
  assert(usual > stride && usual < stride + 0.6 * ringBytesMax, `${usual} of ${ringBytesMax}`);
  // Fifty a second with all the digits that a double has, ever less: all rings but that of the
  // lowest are as long and wide as may be.
  const falling = rows(400, 8_000, 50, 17).map(({ a, is }, i): TraceRow => ({
    a,
    is: { x: 10_000 - i + Number(is?.x) },
  }));
  engine.push(traceBatch(falling, 400));
  const most = engine.bytesPerVehicle();
  assert(most > stride + 0.7 * ringBytesMax && most <= stride + ringBytesMax, `${most}`);
  // Silence for longer than any window: what is left is the blocks that all rings begin with.
  engine.push(traceBatch([{ a: 2_000, is: { x: 1 } }, { a: 3_000, is: { x: 1 } }], 9_000));
  assert(engine.bytesPerVehicle() < usual);
});
