/** Where memory ends: vehicles are refused as by `max_vehicles`, and nothing else comes to harm. */
import { assert, assertEquals } from "@std/assert";
import { traceBatch, type TraceRow, traceRules } from "../testing/engine_trace.ts";
import { Seeded } from "../testing/seeded.ts";
import { createEngine } from "./engine.ts";
import type { AnomalyRecord, Engine, EngineInput, PushResult } from "./engine_port.ts";
import type { KernelEngine } from "./kernel_engine.ts";
import type { RuleSet } from "./language/ast.ts";
import { compilePlan, stateSize, vehicleLimitNotice } from "./plan.ts";
import { KERNEL_BYTES_MAX } from "./plan_bounds.ts";
import { createReferenceEngine } from "./reference/engine.ts";

/** Rules that keep every kind of ring. */
const RINGS = `
  - { id: r1, when: "rate(x, 16 s) > 1e9" }
  - { id: r2, when: "delta(x, 8 s) > 1e9" }
  - { id: r3, when: "avg(x, 32 s) > 1e9" }
  - { id: r4, when: "highest(x, 20 s) - lowest(x, 20 s) > 1e9" }
  - { id: r5, when: "stddev(x, 30 s) > 1e9" }
  - { id: r6, when: "count(x > 3, 30 s) > 1000" }`;
const FULL = traceRules(`version: 1\nrules:${RINGS}\n  - { id: high, when: x > 5, clear: x < 1 }`);

const TEXT = new TextDecoder();

/** Memory in which a rule set has room for a few vehicles. */
function memoryFor(ruleSet: RuleSet, vehicles: number): number {
  let bytes = 2 ** 20;
  const room = () => {
    try {
      return compilePlan(ruleSet, bytes).vehicleRoom;
    } catch (error) {
      if (error instanceof RangeError) return 0;
      throw error;
    }
  };
  while (room() < vehicles) bytes += 4_096;
  return bytes;
}

function engineIn(ruleSet: RuleSet, memoryBytes: number): KernelEngine {
  return createEngine(ruleSet, { partition: 0, memoryBytes });
}

function referenceIn(ruleSet: RuleSet, memoryBytes: number): Engine {
  const room = (of: RuleSet) => compilePlan(of, memoryBytes).vehicleRoom;
  return createReferenceEngine(ruleSet, { partition: 0, room });
}

function told({ anomalies, refusals }: PushResult): string[] {
  return [
    ...lines(anomalies),
    ...refusals.map(({ record, index, reason }) => `refused ${record}/${index}: ${reason}`),
  ];
}

function lines(anomalies: readonly AnomalyRecord[]): string[] {
  return anomalies.map(({ value }) => TEXT.decode(value));
}

function figures(engine: Engine): unknown {
  const { samples, refused, late, forgotten } = engine.counts();
  const waiting = engine.waiting();
  const timer = engine.nextTimer();
  return [
    samples,
    refused,
    late,
    forgotten,
    engine.vehicles(),
    engine.openAnomalies(),
    waiting,
    timer,
  ];
}

/** Rows of vehicles, each of whose values has all the digits that a double has. */
function fullRows(random: Seeded, a: number, vehicles: number, from = 0): TraceRow[] {
  return Array.from({ length: vehicles }, (_, i) => ({
    a,
    v: `V-${from + i}`,
    is: { x: 10 * random.next() },
  }));
}

Deno.test("bounds: the rules say how many vehicles there is memory for, and the operator is told", () => {
  const few = traceRules("version: 1\nrules: [{ id: r, when: x > 1 }]");
  assert(stateSize(few).vehicleRoom > 1_000_000, `${stateSize(few).vehicleRoom}`);
  assertEquals(vehicleLimitNotice(few), null);
  const windows = Array.from(
    { length: 300 },
    (_, i) => `  - { id: w${i}, when: "stddev(x, ${100 + i} s) > 1e9" }`,
  ).join("\n");
  const many = traceRules(`version: 1\nrules:\n${windows}`);
  const { vehicleRoom, mostBytes } = stateSize(many);
  assert(vehicleRoom > 1_000 && vehicleRoom < 20_000, `${vehicleRoom}`);
  assert(vehicleRoom * mostBytes < KERNEL_BYTES_MAX, `${vehicleRoom} of ${mostBytes}`);
  const notice = vehicleLimitNotice(many) ?? "";
  assert(notice.includes(`set max_vehicles to ${vehicleRoom},`), notice);
  const lower = traceRules(
    `version: 1\nsettings: { max_vehicles: ${vehicleRoom} }\nrules:\n${windows}`,
  );
  assertEquals(vehicleLimitNotice(lower), null);
});

Deno.test("bounds: another message leaves as many vehicles room as before", () => {
  const memoryBytes = 8 * 2 ** 20;
  const before = traceRules(`version: 1\nrules:${RINGS}\n  - { id: high, when: x > 5 }`);
  const after = traceRules(
    `version: 1\nrules:${RINGS}\n  - { id: high, when: x > 5, message: "{x} and {x} of {vehicle}" }`,
  );
  const most = compilePlan(before, memoryBytes).vehicleRoom;
  const engine = engineIn(before, memoryBytes);
  engine.push(
    traceBatch(Array.from({ length: most }, (_, v) => ({ a: 0, v: `V${v}`, is: { x: 9 } }))),
  );
  assertEquals([engine.vehicles(), engine.openAnomalies()], [most, most]);
  assertEquals(engine.swap(after), []);
  assertEquals([engine.vehicles(), engine.openAnomalies()], [most, most]);
});

Deno.test("bounds: a vehicle beyond the memory is refused and counted, the others go on, in both engines", () => {
  const memoryBytes = memoryFor(FULL, 40);
  const most = compilePlan(FULL, memoryBytes).vehicleRoom;
  for (const moved of [false, true]) {
    let engine = engineIn(FULL, memoryBytes);
    const reference = referenceIn(FULL, memoryBytes);
    const random = new Seeded(5);
    for (let second = 0; second < 50; second++) {
      const rows = random.shuffled(fullRows(random, second, most + 30)).slice(0, 1 + second * 10);
      const batch = traceBatch(rows, 1_000 * second);
      assertEquals(told(engine.push(batch)), told(reference.push(batch)));
      // Counts stay behind where state is moved; what is known does not.
      if (!moved) assertEquals(figures(engine), figures(reference));
      assertEquals(engine.vehicles(), reference.vehicles());
      if (!moved || second % 10 !== 4) continue;
      const fresh = engineIn(FULL, memoryBytes);
      fresh.restore(engine.snapshot());
      engine = fresh;
    }
    assertEquals([engine.vehicles(), engine.counts().refused > 0], [most, true]);
  }
});

Deno.test("bounds: as many vehicles as there is room for, as full as may be, stay within the memory", () => {
  const memoryBytes = 48 * 2 ** 20;
  const most = compilePlan(FULL, memoryBytes).vehicleRoom;
  assert(most > 2_000 && most < 20_000, `${most}`);
  const engine = engineIn(FULL, memoryBytes);
  const random = new Seeded(9);
  for (let second = 0; second < 40; second++) {
    // Ever less, so that the ring of the lowest is as long as may be.
    const rows = fullRows(random, second, most + 100);
    engine.push(traceBatch(rows.map((row) => ({ ...row, is: { x: Number(row.is?.x) - second } }))));
    assert(engine.memoryBytes() <= memoryBytes, `second ${second}: ${engine.memoryBytes()}`);
  }
  assertEquals(engine.vehicles(), most);
  const full = engine.stateBytes() / (most * stateSize(FULL).mostBytes);
  assert(full > 0.75, `${full} of what they may take`);
  const fresh = engineIn(FULL, memoryBytes);
  fresh.restore(engine.snapshot());
  assert(engine.memoryBytes() <= memoryBytes && fresh.memoryBytes() <= memoryBytes);
  const batch = traceBatch(fullRows(random, 40, most), 0);
  assertEquals(told(engine.push(batch)), told(fresh.push(batch)));
});

Deno.test("bounds: where buffers and gaps have grown, state moves to a fresh kernel, and nothing shows it", () => {
  const rules = traceRules(`version: 1
settings: { forget_after: 100 s, lateness: 2 s, max_waiting: 1000 }
rules:${RINGS}
  - { id: high, when: x > 9, for: 1 s, clear: x < 5 }
  - { id: silent, when: absent(10 s), vehicles: "V-*3" }`);
  const memoryBytes = memoryFor(rules, 300);
  const engine = engineIn(rules, memoryBytes);
  const roomy = createEngine(rules, { partition: 0 });
  const random = new Seeded(3);
  let last = 0;
  let moves = 0;
  for (let round = 0; round < 30; round++) {
    const count = 1 + random.below(100);
    const rows = Array.from(
      { length: 25 },
      (_, second) => fullRows(random, round * 40 + second, count, random.below(30)),
    ).flat();
    const batch = traceBatch(rows, round * 10_000);
    assertEquals(told(engine.push(batch)), told(roomy.push(batch)));
    // Half of the memory in one batch: its room stays with the kernel.
    if (round % 7 === 3) engine.push(blankRecord(0.75 * memoryBytes, round * 40 + 30));
    if (round % 7 === 3) roomy.push(blankRecord(1, round * 40 + 30));
    if (engine.memoryBytes() < last) moves++;
    last = engine.memoryBytes();
  }
  assertEquals(figures(engine), figures(roomy));
  assert(moves > 3, `${moves} moves, ${last} of ${memoryBytes}`);
});

/** A batch of one record of nothing but spaces, which is refused. */
function blankRecord(size: number, a: number): EngineInput {
  const bytes = Math.ceil(size);
  return {
    count: 1,
    values: new Uint8Array(bytes).fill(0x20),
    valueEnds: Uint32Array.of(bytes),
    appendTimes: traceBatch([{ a }]).appendTimes,
    offsets: Float64Array.of(0),
  };
}

for (const lateness of ["0 s", "5 s"]) {
  Deno.test(`bounds: rules with less room forget whom they have no room for, longest silent first, lateness ${lateness}`, () => {
    const settings = `settings: { lateness: ${lateness}, max_waiting: 1000 }`;
    const high = `- { id: high, when: x > 5, clear: x < 1 }`;
    const small = traceRules(`version: 1\n${settings}\nrules:\n  ${high}`);
    const large = traceRules(`version: 1\n${settings}\nrules:${RINGS}\n  ${high}`);
    const memoryBytes = memoryFor(large, 20);
    const room = compilePlan(large, memoryBytes).vehicleRoom;
    assert(compilePlan(small, memoryBytes).vehicleRoom > room + 30);
    const engine = engineIn(small, memoryBytes);
    const reference = referenceIn(small, memoryBytes);
    const random = new Seeded(2);
    const both = (work: (engine: Engine) => string[]) => {
      const expected = work(reference);
      assertEquals(work(engine), expected);
      assertEquals(figures(engine), figures(reference));
      return expected;
    };
    for (let second = 0; second < 9; second++) {
      const batch = traceBatch(random.shuffled(fullRows(random, second, room + 30)), second * 100);
      both((of) => told(of.push(batch)));
    }
    const aside = traceBatch(fullRows(random, 8, room + 30), 800);
    const gone = both((of) => {
      const warmed = of === engine ? engineIn(large, memoryBytes) : referenceIn(large, memoryBytes);
      warmed.push(aside, "warm");
      return lines(of.swap(large, warmed));
    });
    assert(gone.some((line) => line.includes('"forgotten"')), gone.join("\n"));
    assertEquals([engine.vehicles(), engine.counts().forgotten], [room, 30]);
    for (let second = 9; second < 30; second++) {
      const batch = traceBatch(fullRows(random, second, room + 5, 10), second * 100);
      both((of) => told(of.push(batch)));
    }
  });
}

Deno.test("bounds: of a snapshot with more vehicles than there is room for, those heard last are taken", () => {
  const settings = "settings: { lateness: 5 s, max_waiting: 1000 }";
  const rules = traceRules(
    `version: 1\n${settings}\nrules:${RINGS}\n  - { id: high, when: x > 5 }`,
  );
  const before = createEngine(rules, { partition: 0 });
  const memoryBytes = memoryFor(rules, 10);
  const room = compilePlan(rules, memoryBytes).vehicleRoom;
  const random = new Seeded(1);
  before.push(traceBatch(fullRows(random, 0, room + 7)));
  before.push(traceBatch(fullRows(random, 20, room + 7)));
  const after = engineIn(rules, memoryBytes);
  after.restore(before.snapshot());
  assertEquals([after.vehicles(), after.waiting()], [room, room]);
  const only = traceBatch(fullRows(random, 40, room, 7), 1_000);
  const stay = told(before.push(only)).filter((line) => !/"vehicle":"V-[0-6]"/.test(line));
  assertEquals(told(after.push(only)), stay);
  assertEquals(after.push(traceBatch(fullRows(random, 41, 1))).refusals.length, 1);
});
