/** What must not matter: the order of coming, samples sent twice, signals sent one by one. */
import { assert, assertEquals } from "@std/assert";
import type { Transition } from "../contract/anomaly.ts";
import { Trace, type TraceRow, traceRules } from "../testing/engine_trace.ts";
import { Seeded } from "../testing/seeded.ts";
import type { RuleSet } from "./language/ast.ts";
import { randomRules } from "./reference/random_rules.ts";
import { loadCatalog } from "./language/catalog_file.ts";
import { loadRules } from "./language/rules_file.ts";
import { hashVersion } from "./version.ts";

const SEEDS = 40;
const LATENESS_S = 8;

const SHIPPED = loadCatalog(Deno.readTextFileSync(new URL("./signals.yaml", import.meta.url)), {
  file: "signals.yaml",
});

/** Random rules under settings of our own. */
function rulesOf(random: Seeded, settings: string): RuleSet {
  const text = randomRules(random).replace(/^settings:.*\n/m, "")
    .replace("rules:", `settings: { ${settings} }\nrules:`);
  assert(SHIPPED.ok);
  const loaded = loadRules(text, { file: "random", catalog: SHIPPED.catalog, hash: hashVersion });
  assert(loaded.ok, text);
  return loaded.rules;
}

/** Samples of a few vehicles in order, no two of a vehicle at one T; silences now and then. */
function orderly(random: Seeded, count: number): TraceRow[] {
  const vehicles = ["V-1", "V-2", "V-3"];
  const last = new Map<string, number>();
  const rows: TraceRow[] = [];
  let a = 0;
  while (rows.length < count) {
    a += random.chance(0.02) ? random.below(90) : random.below(900) / 1000;
    const v = random.pick(vehicles);
    const t = Math.max(Math.floor(a * 10) / 10, (last.get(v) ?? -1) + 0.1);
    if (t > a) continue;
    last.set(v, t);
    rows.push({ a, t, v, is: sample(random) });
  }
  return rows;
}

function sample(random: Seeded): Record<string, number | boolean> {
  const all = {
    speed: 40 + random.below(40),
    rpm: 1500 + random.below(1000),
    coolant: 80 + random.below(20),
    fuel: 40 + random.below(20),
    battery: 11 + random.below(3),
    ignition: random.chance(0.5),
  };
  return Object.fromEntries(Object.entries(all).filter(() => random.chance(0.7)));
}

/**
 * Gives the samples of each vehicle to its records in another order, none of them more than
 * `LATENESS_S` after its T, and sends some of them again with others.
 */
function disordered(random: Seeded, rows: readonly TraceRow[]): TraceRow[] {
  const out = rows.map((row) => [row]);
  const late = ({ t = NaN }: TraceRow, a: number) => a - t > LATENESS_S || t > a;
  for (let tries = 0; tries < rows.length * 4; tries++) {
    const i = random.below(rows.length);
    const j = Math.min(rows.length - 1, i + random.below(20));
    const [one] = out[i];
    const [other] = out[j];
    if (one.v !== other.v || late(one, rows[j].a) || late(other, rows[i].a)) continue;
    out[i] = [{ ...other, a: rows[i].a }];
    out[j] = [{ ...one, a: rows[j].a }];
  }
  const placed = out.map(([row]) => row);
  for (let tries = 0; tries < rows.length; tries++) {
    const i = random.below(rows.length);
    const j = Math.min(rows.length - 1, i + random.below(20));
    const row = placed[i];
    // Only where the vehicle is heard anyway: hearing it once more would put off its silence.
    if (row.v !== rows[j].v || late(row, rows[j].a)) continue;
    out[j].push({ ...row, a: rows[j].a });
  }
  return out.flat();
}

/** Transitions by vehicle without what the place in the log decides: append, source, id, version. */
function meaning(rules: RuleSet, rows: readonly TraceRow[]): Record<string, unknown[]> {
  const trace = new Trace(rules);
  const end = rows[rows.length - 1].a + 3_600;
  const all: Record<string, unknown[]> = {};
  for (const transition of trace.push([...rows, { a: end }])) {
    const { id: _id, append: _append, source: _source, version: _version, ...rest } = transition;
    (all[transition.vehicle] ??= []).push(rest);
  }
  assertEquals(trace.engine.counts().crowded, 0);
  return all;
}

Deno.test("lateness: shuffling samples within it, and sending them twice, changes no transition", () => {
  let transitions = 0;
  let plain = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new Seeded(seed);
    const text = random.below(1_000_000);
    const rules = rulesOf(new Seeded(text), `lateness: ${LATENESS_S} s, max_gap: 20 s`);
    const rows = orderly(random, 400);
    const wanted = meaning(rules, rows);
    transitions += Object.values(wanted).flat().length;
    const mixed = disordered(random, rows);
    assert(mixed.length > rows.length * 1.05, `seed ${seed}: ${mixed.length} rows`);
    assertEquals(meaning(rules, mixed), wanted, `seed ${seed}`);
    // Where nothing depends on the arrival, waiting gives what order gives without it.
    if (rules.rules.some((rule) => rule.source.includes("absent"))) continue;
    plain++;
    const none = rulesOf(new Seeded(text), "lateness: 0 s, max_gap: 20 s");
    assertEquals(meaning(none, rows), wanted, `seed ${seed}, without lateness`);
  }
  assert(transitions > 20 * SEEDS, `${transitions} transitions`);
  assert(plain > SEEDS / 8, `${plain} rule sets without absent`);
});

Deno.test("for: one sample an hour old never satisfies it, however many others come", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new Seeded(seed);
    const lateness = random.pick([0, 5, 60]);
    const trace = new Trace(`version: 1
settings: { lateness: ${lateness} s, max_gap: 2 h }
rules:
  - { id: one, when: ignition, for: 10 min }
  - { id: sum, when: ignition and fuel > 0, for: 10 min, vehicles: W }
  - { id: held, when: "held(ignition, 10 min) or held(x > 1, 10 min)" }`);
    const rows: TraceRow[] = [{ a: 0, t: -3_600, is: { ignition: true, x: 5 } }];
    for (let a = 1; a < 3_600; a += 1 + random.below(60)) {
      rows.push({ a, t: a - random.below(30), is: { fuel: 50, rpm: random.below(3_000) } });
    }
    assertEquals(trace.push([...rows, { a: 9_000 }]), [], `seed ${seed}`);
    // The first sample after it that carries the signal does.
    const [opened] = trace.push([{ a: 9_001, t: 3_599.5, is: { ignition: true } }, { a: 9_999 }]);
    assertEquals(opened.rule, "one", `seed ${seed}`);
  }
});

const OF_SPEED = traceRules(`version: 1
settings: { lateness: 2 s, max_gap: 20 s }
rules:
  - { id: plain, when: speed > 60, severity: { info: speed > 60, critical: speed > 70 } }
  - { id: run, when: speed > 50, for: 2 s, clear: speed < 45, clear_for: 3 s }
  - { id: held, when: "held(speed > 50, 2 s)", cooldown: 5 s }
  - { id: edge, when: rose(speed > 60), once: true }
  - { id: fell, when: fell(speed > 60), once: true }
  - { id: changed, when: changed(speed), once: true }
  - { id: seq, when: "seq(speed < 50, speed > 60, 5 s)", once: true }
  - { id: prev, when: prev(speed) > 60 and speed < 60 }
  - { id: delta, when: "delta(speed, 1 s) > 5" }
  - { id: rate, when: "rate(speed, 2 s) < -3 km/h/s", for: 1 s }
  - { id: avg, when: "avg(speed, 10 s) > 60" }
  - { id: high, when: "highest(speed, 5 s) - lowest(speed, 5 s) > 30" }
  - { id: sum, when: "sum(speed, 5 s) > 500" }
  - { id: dev, when: "stddev(speed, 10 s) > 11" }
  - { id: count, when: "count(speed > 60, 10 s) > 8" }
  - { id: ewma, when: "ewma(speed, 5 s) > 60" }
  - { id: zscore, when: "zscore(speed, 10 s) > 1.5" }`);

Deno.test("samples: a signal split off at the same T changes nothing of what names another only", () => {
  const without = (rules: RuleSet, rows: readonly TraceRow[]) =>
    new Trace(rules).push([...rows, { a: 10_000 }])
      .map(({ id: _id, source: _source, version: _version, ...rest }: Transition) => rest);
  const plain = { ...OF_SPEED, settings: { ...OF_SPEED.settings, latenessMs: 0 } };
  let transitions = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new Seeded(seed);
    const rows = orderly(random, 300).map((row): TraceRow => ({
      ...row,
      is: { speed: row.is?.speed, rpm: row.is?.rpm, ignition: row.is?.ignition },
    }));
    const split = rows.flatMap(({ is = {}, ...row }): TraceRow[] => {
      const { speed, ...rest } = is;
      return random.shuffled([{ ...row, is: { speed } }, { ...row, is: rest }]);
    });
    for (const rules of [OF_SPEED, plain]) {
      const wanted = without(rules, rows);
      transitions += wanted.length;
      assertEquals(without(rules, split), wanted, `seed ${seed}`);
    }
  }
  assert(transitions > 200 * SEEDS, `${transitions} transitions`);
});

Deno.test("absent: due at exactly A_last + max(d, lateness), by a tick alone, live as in a back-test", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new Seeded(seed);
    const lateness = random.pick([0, 2, 30]);
    const d = 5 + random.below(20);
    const rules = traceRules(`version: 1
settings: { lateness: ${lateness} s }
rules: [{ id: r, when: absent(${d} s) }]`);
    const live = new Trace(rules);
    const log: TraceRow[] = [];
    const seen: Transition[] = [];
    const take = (row: TraceRow) => {
      log.push(row);
      seen.push(...live.push([row]));
    };
    const heardA: number[] = [];
    let a = 0;
    for (let sent = 0; sent < 30; sent++) {
      a += random.chance(0.3) ? random.below(90) : random.between(0, 2);
      // As the agent does: a tick for what is due by its own clock, before the next record.
      for (let due = live.engine.nextTimer(); due !== null && due < ms(a);) {
        take({ a: fromMs(due) + random.between(0.001, 0.9) });
        if (live.engine.clock() >= ms(a)) break;
        due = live.engine.nextTimer();
      }
      a = Math.max(a, fromMs(live.engine.clock()));
      take({ a, t: a - random.below(2), is: { x: sent } });
      heardA.push(a);
    }
    const opened = seen.filter(({ kind }) => kind === "opened");
    assert(opened.length > 0, `seed ${seed}`);
    const dues = heardA.map((heard) => ms(heard) + Math.max(d, lateness) * 1000);
    for (const { append } of opened) assert(dues.includes(append), `seed ${seed}: ${append}`);
    assertEquals(new Trace(rules).push(log), seen, `seed ${seed}`);
  }
});

function ms(a: number): number {
  return 20_000 * 86_400_000 + Math.round(a * 1000);
}

function fromMs(time: number): number {
  return (time - 20_000 * 86_400_000) / 1000;
}
