/**
 * A snapshot of format 1 as it was first written, which every later kernel has to read.
 *
 * `snapshot_v1.bin` holds the state after `rowsOf(0, SNAPSHOT_AT)`. It is never made anew: should it
 * become unreadable, the reader is wrong.
 */
import { assert, assertEquals } from "@std/assert";
import { traceBatch, type TraceRow, traceRules } from "../testing/engine_trace.ts";
import { createEngine } from "./engine.ts";
import type { KernelEngine } from "./kernel_engine.ts";

const RULES = `version: 1
settings: { forget_after: 5 min, max_gap: 10 s, lateness: 2 s }
rules:
  - { id: silent, when: absent(4 s) }
  - id: fast
    when: speed > 90
    for: 2 s
    clear: speed < 70
    clear_for: 2 s
    cooldown: 8 s
    severity: { warning: speed > 90, critical: "speed > 100 or rpm > 900" }
    message: "{avg(speed, 5 s)} {lowest(rpm, 4 s)} {highest(rpm, 4 s)} {stddev(x, 5 s)} {sum(y, 5 s)}"
  - { id: brakes, when: "rate(speed, 1 s) < -20 and prev(speed) > 30", once: true, cooldown: 3 s }
  - { id: drop, when: "delta(fuel, 5 s) < -10 and speed < 60" }
  - { id: turned, when: "changed(ignition) or rose(rpm > 900) or fell(speed > 60)", cooldown: 20 s }
  - { id: wild, when: "zscore(x, 3 s) > 1 or ewma(y, 2 s) > 70" }
  - { id: long, when: "held(speed > 40, 2 s) and age(fuel) > 1" }
  - { id: after, when: "seq(rpm > 800, ignition, 3 s) or count(speed > 60, 10 s) > 4" }
`;
const SNAPSHOT_AT = 150;
const ROWS = 400;

/** Rows of three vehicles, by arithmetic alone. */
function rowsOf(from: number, to: number): TraceRow[] {
  return Array.from({ length: to - from }, (_, k): TraceRow => {
    const i = from + k;
    // Every 40th row a vehicle falls silent for a while; every 31st is an hour late, every 23rd a tick.
    const a = i * 0.3 + Math.floor(i / 40) * 6;
    if (i % 23 === 22) return { a };
    const part = (every: number, value: number | boolean) => i % every === 0 ? undefined : value;
    return {
      a,
      t: i % 31 === 30 ? a - 3600 : a,
      v: `V-${(i * 7 + (i >> 3)) % 3}`,
      is: {
        speed: part(5, 20 + (i * 37) % 100),
        rpm: part(3, 500 + (i * 91) % 600),
        fuel: part(4, 100 - (i * 3) % 60),
        x: part(2, (i * 13) % 29 / 7),
        y: part(2, (i * 17) % 101),
        ignition: part(6, (i >> 2) % 3 === 0),
      },
    };
  });
}

function linesOf(engine: KernelEngine, from: number, to: number): string[] {
  const text = new TextDecoder();
  return engine.push(traceBatch(rowsOf(from, to), from)).anomalies
    .map(({ value }) => text.decode(value));
}

const golden = () => Deno.readFileSync(new URL("./snapshot_v1.bin", import.meta.url));
const fresh = () => createEngine(traceRules(RULES), { partition: 1 });

Deno.test("snapshot: the first one of format 1 is still read, and goes on as the log does", () => {
  const whole = fresh();
  linesOf(whole, 0, SNAPSHOT_AT);
  const restored = fresh();
  restored.restore(golden());
  assertEquals(restored.vehicles(), 3);
  assertEquals(restored.clock(), whole.clock());
  assertEquals(restored.openAnomalies(), whole.openAnomalies());
  assert(restored.waiting() > 0);
  const expected = linesOf(whole, SNAPSHOT_AT, ROWS);
  assertEquals(linesOf(restored, SNAPSHOT_AT, ROWS), expected);
  assert(expected.length > 50, `only ${expected.length} transitions`);
});

Deno.test("snapshot: the golden one holds something of every form of state", () => {
  const bare = createEngine(traceRules("version: 1\nrules: [{ id: r, when: speed > 1 }]"), {
    partition: 1,
  });
  bare.restore(golden());
  const whole = fresh();
  whole.restore(golden());
  assert(whole.openAnomalies() > 0);
  assertEquals(bare.openAnomalies(), 0);
  assert(whole.snapshot().length > 2 * bare.snapshot().length);
});
