/** How the log is cut changes nothing; many vehicles at once; memory. */
import { assert, assertEquals } from "@std/assert";
import { Trace, traceBatch, type TraceRow, traceRules } from "../testing/engine_trace.ts";
import { Seeded } from "../testing/seeded.ts";
import { createEngine } from "./engine.ts";
import type { Engine } from "./engine_port.ts";
import { createReferenceEngine } from "./reference/engine.ts";

const RULES = `version: 1
settings: { forget_after: 40 s, clock_reset_after: 8 s, max_clock_ahead: 5 s, unknown_after: 10 s }
rules:
  - { id: silent, when: absent(3 s) }
  - { id: gone, when: absent(9 s) and speed > 50, cooldown: 5 s }
  - id: fast
    when: speed > 100
    for: 2 s
    clear: speed < 80
    clear_for: 1 s
    cooldown: 4 s
    severity: { warning: speed > 100, critical: speed > 120 and rpm > 500 }
  - { id: brakes, when: "rate(speed, 1 s) < -20 and prev(speed) > 30", once: true, cooldown: 3 s }
  - { id: drop, when: "delta(fuel, 5 s) < -10 and speed < 60", vehicles: "V*1" }
  - { id: turned, when: "changed(ignition) or rose(rpm > 900)" }
`;

/** A log of many vehicles, whose rows share values of A, with gaps, ticks and late samples. */
function log(random: Seeded, rows: number, vehicles: number): TraceRow[] {
  let a = 0;
  return Array.from({ length: rows }, () => {
    if (random.chance(0.01)) a += random.below(4);
    else if (random.chance(0.3)) a += 0.01;
    if (random.chance(0.005)) return { a };
    const t = Math.round((a - random.below(random.chance(0.05) ? 20 : 2) / 10) * 10) / 10 +
      (random.chance(0.01) ? -10 : 0);
    return {
      a,
      t: Math.max(t, -1000),
      v: `V-${random.below(vehicles)}`,
      is: {
        speed: random.chance(0.8) ? random.below(140) : undefined,
        rpm: random.chance(0.5) ? random.below(1000) : undefined,
        fuel: random.chance(0.5) ? random.below(100) : undefined,
        ignition: random.chance(0.2) ? random.chance(0.5) : undefined,
      },
    };
  });
}

/** All output of an engine over a log in batches of so many rows, and what it counts at the end. */
function outputOf(
  rows: readonly TraceRow[],
  sizes: () => number,
  engine: Engine = createEngine(traceRules(RULES), { partition: 1 }),
): string[] {
  const text = new TextDecoder();
  const lines: string[] = [];
  for (let at = 0; at < rows.length;) {
    const size = sizes();
    const { anomalies } = engine.push(traceBatch(rows.slice(at, at + size), at));
    for (const { value } of anomalies) lines.push(text.decode(value));
    at += size;
  }
  lines.push(JSON.stringify([engine.counts(), engine.openAnomalies(), engine.nextTimer()]));
  lines.push(String(engine.vehicles()));
  return lines;
}

Deno.test("engine: cutting the log into other batches changes nothing", () => {
  for (let seed = 1; seed <= 4; seed++) {
    const random = new Seeded(seed);
    const rows = log(random, 4_000, random.pick([3, 40, 1500]));
    const whole = outputOf(rows, () => rows.length);
    assert(whole.length > 100, `seed ${seed}: only ${whole.length} lines`);
    for (const most of [5, 50, 3_000]) {
      assertEquals(outputOf(rows, () => 1 + random.below(most)), whole, `seed ${seed}, ${most}`);
    }
  }
});

Deno.test("engine: many vehicles at once give what the reference gives", () => {
  for (let seed = 11; seed <= 14; seed++) {
    const random = new Seeded(seed);
    const rows = log(random, 2_000, random.pick([40, 400, 1500]));
    const reference = createReferenceEngine(traceRules(RULES), { partition: 1 });
    assertEquals(
      outputOf(rows, () => 700),
      outputOf(rows, () => 700, reference),
      `seed ${seed}`,
    );
  }
});

Deno.test("engine: slots of the forgotten are given out again to whom the rules may concern", () => {
  const trace = new Trace(`version: 1
settings: { forget_after: 10 s, max_vehicles: 50 }
rules: [{ id: r, when: speed > 1, vehicles: "*5" }]`);
  for (let round = 0; round < 4; round++) {
    const vehicles = Array.from({ length: 50 }, (_, i) => `${round}-${i}`);
    const opened = trace.push(
      vehicles.map((v): TraceRow => ({ a: round * 20, v, is: { speed: 5 } })),
    ).filter(({ kind }) => kind === "opened");
    assertEquals(opened.map(({ vehicle }) => vehicle), vehicles.filter((v) => v.endsWith("5")));
    assertEquals(trace.engine.vehicles(), 50);
    assertEquals(trace.engine.counts().forgotten, round * 50);
  }
});

Deno.test("engine: more timers than rows of a micro-batch fall due together, in order", () => {
  const trace = new Trace("version: 1\nrules: [{ id: r, when: absent(5 s) }]");
  const vehicles = Array.from({ length: 3_000 }, (_, i) => `V-${(i * 7) % 3_000}`);
  trace.push(vehicles.map((v): TraceRow => ({ a: 0, v, is: { speed: 1 } })));
  const opened = trace.push([{ a: 6 }]);
  assertEquals(opened.map(({ vehicle }) => vehicle), vehicles);
  const cleared = trace.push(vehicles.map((v): TraceRow => ({ a: 7, v, is: { speed: 1 } })));
  assertEquals(
    cleared.map(({ vehicle, kind }) => `${kind} ${vehicle}`),
    vehicles.map((v) => `cleared ${v}`),
  );
  assertEquals(trace.engine.openAnomalies(), 0);
});

Deno.test("engine: more open anomalies than records of a chunk are all found again", () => {
  const trace = new Trace(
    "version: 1\nrules: [{ id: r, when: speed > 1 }, { id: s, when: rpm > 1 }]",
  );
  const vehicles = Array.from({ length: 5_000 }, (_, i) => `V-${i}`);
  const all = (a: number, value: number) =>
    vehicles.map((v): TraceRow => ({ a, v, is: { speed: value, rpm: value } }));
  assertEquals(trace.push(all(0, 5)).length, 10_000);
  assertEquals(trace.engine.openAnomalies(), 10_000);
  // Every other vehicle clears, and opens again: freed records are used again.
  const some = (a: number, value: number) => all(a, value).filter((_, i) => i % 2 === 0);
  let before = 0;
  for (let a = 1; a < 9; a += 2) {
    assertEquals(trace.push(some(a, 0)).length, 5_000);
    assertEquals(trace.push(some(a + 1, 5)).length, 5_000);
    if (a === 1) before = trace.engine.stateBytes();
  }
  assertEquals(trace.engine.openAnomalies(), 10_000);
  assertEquals(trace.engine.stateBytes(), before);
});

Deno.test("engine: 100,000 vehicles take what bytesPerVehicle says", () => {
  const trace = new Trace(RULES, { kernelAlone: true });
  for (let from = 0; from < 100_000; from += 10_000) {
    trace.push(
      Array.from({ length: 10_000 }, (_, i): TraceRow => ({
        a: 0,
        v: `VEHICLE-${from + i}`,
        is: { speed: 5, rpm: 5, fuel: 50, ignition: true },
      })),
      "suppress",
    );
  }
  const { engine } = trace;
  assertEquals(engine.vehicles(), 100_000);
  const state = engine.stateBytes() / 100_000;
  assert(state < engine.bytesPerVehicle() * 1.02 + 8, `${state} bytes a vehicle`);
});
