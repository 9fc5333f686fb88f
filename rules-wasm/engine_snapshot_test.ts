/** Snapshots: state leaves an engine and comes back, whole or not at all. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  seconds,
  Trace,
  TRACE_START_MS,
  traceBatch,
  type TraceRow,
  traceRules,
} from "../testing/engine_trace.ts";
import { Seeded } from "../testing/seeded.ts";
import { createEngine } from "./engine.ts";
import type { KernelEngine } from "./kernel_engine.ts";
import { SnapshotError } from "./snapshot_format.ts";

/** Every operator that keeps state, every part of a rule that is remembered. */
const RULES = `version: 1
settings: { forget_after: 60 s, clock_reset_after: 8 s, max_clock_ahead: 5 s, unknown_after: 10 s }
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
    message: "{avg(speed, 5 s)} {lowest(rpm, 4 s)} {highest(rpm, 4 s)} {stddev(x, 5 s)} {sum(y, 5 s)}"
  - { id: brakes, when: "rate(speed, 1 s) < -20 and prev(speed) > 30", once: true, cooldown: 3 s }
  - { id: drop, when: "delta(fuel, 5 s) < -10 and speed < 60", vehicles: "V*1" }
  - { id: turned, when: "changed(ignition) or rose(rpm > 900) or fell(speed > 60)" }
  - { id: wild, when: "zscore(x, 3 s) > 1 or ewma(y, 2 s) > 70" }
  - { id: towed, when: "moved(3 s) > 500 m or age(lat) > 3 s" }
  - { id: shift, when: "cusum(speed, 70, 5, 100) > 40" }
  - { id: long, when: "held(speed > 40, 2 s) and age(fuel) > 1" }
  - { id: after, when: "seq(rpm > 800, ignition, 3 s) or count(speed > 60, 10 s) > 4", cooldown: 2 s }
`;

function randomRows(random: Seeded, count: number): TraceRow[] {
  let a = 0;
  const vehicles = 2 + random.below(6);
  return Array.from({ length: count }, () => {
    a = Math.round((a + (random.chance(0.02) ? random.below(12) : random.next() * 0.4)) * 100) /
      100;
    if (random.chance(0.02)) return { a };
    const late = random.chance(0.03) ? random.below(20) : 0;
    return {
      a,
      t: Math.max(-1000, Math.round((a - late) * 10) / 10),
      v: `V-${random.below(vehicles)}`,
      is: {
        speed: random.chance(0.8) ? random.below(140) : undefined,
        rpm: random.chance(0.5) ? random.below(1000) : undefined,
        fuel: random.chance(0.4) ? random.below(100) : undefined,
        lat: random.chance(0.5) ? random.below(20) / 1000 : undefined,
        lon: random.chance(0.5) ? random.below(20) / 1000 : undefined,
        x: random.chance(0.4) ? random.below(100) / 7 : undefined,
        y: random.chance(0.4) ? random.below(100) : undefined,
        ignition: random.chance(0.2) ? random.chance(0.5) : undefined,
      },
    };
  });
}

function linesOf(engine: KernelEngine, rows: readonly TraceRow[], offset: number): string[] {
  const text = new TextDecoder();
  return engine.push(traceBatch(rows, offset)).anomalies.map(({ value }) => text.decode(value));
}

function engineOf(rules = RULES, partition = 1): KernelEngine {
  return createEngine(traceRules(rules), { partition });
}

/** An engine that has seen something of everything. */
function busyEngine(seed: number): KernelEngine {
  const engine = engineOf();
  linesOf(engine, randomRows(new Seeded(seed), 600), 0);
  return engine;
}

Deno.test("snapshot: restored into a fresh engine anywhere, nothing changes", () => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = new Seeded(seed);
    const rows = randomRows(random, 800);
    // With every other seed samples wait for older ones.
    const rules = seed % 2 === 0 ? RULES : RULES.replace("{ forget", "{ lateness: 2 s, forget");
    const whole = engineOf(rules);
    let moved = engineOf(rules);
    const [expected, found]: [string[], string[]] = [[], []];
    for (let at = 0; at < rows.length;) {
      const some = rows.slice(at, at + 1 + random.below(80));
      expected.push(...linesOf(whole, some, at));
      found.push(...linesOf(moved, some, at));
      at += some.length;
      const snapshot = moved.snapshot();
      const fresh = engineOf(rules);
      fresh.restore(snapshot);
      assertEquals(fresh.snapshot(), snapshot, `seed ${seed}: a snapshot of the restored state`);
      moved = fresh;
      assertEquals(
        [moved.vehicles(), moved.openAnomalies(), moved.nextTimer(), moved.clock()],
        [whole.vehicles(), whole.openAnomalies(), whole.nextTimer(), whole.clock()],
        `seed ${seed}`,
      );
    }
    assert(expected.length > 100, `seed ${seed}: only ${expected.length} transitions`);
    assertEquals(found, expected, `seed ${seed}`);
  }
});

Deno.test("snapshot: an engine that restores forgets what it knew, but not what it counted", () => {
  const [one, other] = [busyEngine(1), busyEngine(2)];
  const counts = other.counts();
  other.restore(one.snapshot());
  assertEquals(other.snapshot(), one.snapshot());
  assertEquals(other.counts(), counts);
});

Deno.test("snapshot: any bit turned, and any end cut off, is refused and changes nothing", () => {
  const snapshot = busyEngine(3).snapshot();
  const engine = busyEngine(4);
  const before = engine.snapshot();
  const random = new Seeded(5);
  const refused = (bytes: Uint8Array, what: string) => {
    const error = assertThrows(() => engine.restore(bytes), SnapshotError, "Cannot restore", what);
    assertEquals(error.name, "SnapshotError");
  };
  for (let i = 0; i < 300; i++) {
    const bytes = snapshot.slice();
    const at = i < 40 ? i : random.below(bytes.length);
    bytes[at] ^= 1 << random.below(8);
    refused(bytes, `byte ${at}`);
    const cut = i < 40 ? i : random.below(snapshot.length);
    refused(snapshot.subarray(0, cut), `cut at ${cut}`);
  }
  refused(Uint8Array.from([...snapshot, 0]), "a byte more");
  assertEquals(engine.snapshot(), before);
});

Deno.test("snapshot: each kind of refusal has a name and says what is the matter", () => {
  const engine = engineOf();
  const snapshot = engine.snapshot();
  const newer = snapshot.slice();
  newer[8] = 99;
  const cases: readonly (readonly [Uint8Array, string, string])[] = [
    [new TextEncoder().encode('{"json":1}'), "foreign", "its first bytes"],
    [new Uint8Array(0), "foreign", "its first bytes"],
    [newer, "newer", "format 99"],
    [snapshot.subarray(0, 20), "damaged", "cut short"],
    [snapshot.subarray(0, snapshot.length - 1), "damaged", "checksum"],
    [engineOf(RULES, 2).snapshot(), "partition", "of partition 2"],
  ];
  for (const [bytes, fault, says] of cases) {
    const error = assertThrows(() => engine.restore(bytes), SnapshotError, says);
    assertEquals(error.fault, fault);
  }
});

Deno.test("snapshot: of other rules, what they have in common is kept", () => {
  const before = new Trace(`version: 1
rules:
  - { id: a, when: speed > 100, for: 5 s }
  - { id: b, when: rpm > 500 }
  - { id: c, when: "delta(fuel, 5 s) < -10" }`);
  before.push([0, 1, 2, 3, 4].map((a) => ({ a, is: { speed: 110, rpm: 600, fuel: 80 } })));
  assertEquals(before.engine.openAnomalies(), 1);
  // b has another when, c another id; a runs since 0 and fires at 5; of fuel, 80 at 0 is known.
  const after = new Trace(
    `version: 1
rules:
  - { id: d, when: "delta(fuel, 5 s) < -10" }
  - { id: b, when: rpm > 550 }
  - { id: a, when: speed > 100, for: 5 s, message: other }`,
    { kernelAlone: true },
  );
  after.engine.restore(before.engine.snapshot());
  assertEquals(after.engine.openAnomalies(), 0);
  const rows = [{ a: 5, is: { speed: 110, rpm: 600, fuel: 60 } }];
  assertEquals(after.lines(rows, ({ onset }) => seconds(onset)), [
    "opened d@5 5",
    "opened b@5 5",
    "opened a@5 0",
  ]);
});

Deno.test("snapshot: fewer vehicles allowed than it holds: they stay, no other comes", () => {
  const before = new Trace("version: 1\nrules: [{ id: r, when: speed > 1 }]");
  before.push(Array.from({ length: 5 }, (_, i) => ({ a: 0, v: `V-${i}`, is: { speed: 5 } })));
  const after = new Trace(
    "version: 1\nsettings: { max_vehicles: 3 }\nrules: [{ id: r, when: speed > 1 }]",
    { kernelAlone: true },
  );
  after.engine.restore(before.engine.snapshot());
  const rows = ["V-4", "V-5"].map((v) => ({ a: 1, v, is: { speed: 0 } }));
  assertEquals(after.lines(rows, ({ vehicle }) => vehicle), ["cleared (condition) r@1 V-4"]);
  assertEquals(after.engine.vehicles(), 5);
  assertEquals(after.engine.counts().refused, 1);
});

Deno.test("snapshot: a clock that stands behind what timers fired up to is kept", () => {
  assertEquals(engineOf().clock(), -Infinity);
  const engine = engineOf();
  const other = engineOf();
  other.restore(engine.snapshot());
  assertEquals(other.clock(), -Infinity);
  engine.push(traceBatch([{ a: 5 }]));
  other.restore(engine.snapshot());
  assertEquals(other.clock(), TRACE_START_MS + 5_000);
});
