/** Rules that change between two records: what goes on, what clears, what is new. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  everySecond,
  lineOf,
  seconds,
  Trace,
  TRACE_START_MS,
  traceBatch,
  type TraceRow,
  traceRules,
} from "../testing/engine_trace.ts";
import type { Signal } from "../contract/catalog.ts";
import { createEngine } from "./engine.ts";
import { loadRules } from "./language/rules_file.ts";
import { hashVersion } from "./version.ts";

const file = (...rules: string[]) =>
  `version: 1\nrules:\n${rules.map((r) => `  - ${r}\n`).join("")}`;
const speed = (a: number, value: number, v = "V"): TraceRow => ({ a, v, is: { speed: value } });

Deno.test("swap: an edited message under a running for 30 s fires when it would have", () => {
  const before = file("{ id: r, when: speed > 100, for: 30 s, message: one }");
  for (
    const after of [
      // In place; into a fresh kernel, as more state is kept; with other rules around it.
      file("{ id: r, when: speed > 100, for: 30 s, message: two }"),
      file('{ id: r, when: speed > 100, for: 30 s, message: "{avg(speed, 5 s)}" }'),
      file("{ id: a, when: rpm > 1 }", "{ id: r, when: speed > 100, for: 30 s, message: two }"),
    ]
  ) {
    const trace = new Trace(before);
    trace.push(everySecond(0, "speed", Array(21).fill(120)));
    assertEquals(trace.swap(after), []);
    const rows = everySecond(21, "speed", Array(12).fill(120));
    const [opened, ...others] = trace.push(rows).filter(({ rule }) => rule === "r");
    assertEquals([seconds(opened.at), seconds(opened.onset), others.length], [30, 0, 0]);
    assert(opened.message !== "one");
  }
});

Deno.test("swap: more anomalies clear at once than a call takes arguments", () => {
  const rules = Array.from({ length: 6 }, (_, i) => `{ id: r${i}, when: speed > ${i} }`);
  const trace = new Trace(file(...rules));
  const vehicles = 25_000;
  trace.push(Array.from({ length: vehicles }, (_, v) => speed(0, 50, `V-${v}`)));
  const open = trace.engine.openAnomalies();
  assert(open > 130_000, `${open}`);
  assertEquals(trace.swap(file("{ id: other, when: rpm > 1 }")).length, open);
  assertEquals(trace.engine.openAnomalies(), 0);
});

Deno.test("swap: anomalies of rules that do not go on clear, by vehicle as last heard, then by rule", () => {
  const trace = new Trace(file(
    "{ id: gone, when: speed > 10 }",
    "{ id: other, when: speed > 20, message: 'at {speed}' }",
    "{ id: fewer, when: speed > 30 }",
    "{ id: stays, when: speed > 40 }",
  ));
  trace.push([speed(0, 50, "A-1"), speed(1, 60, "B-1"), speed(2, 70, "A-1"), { a: 3 }]);
  const cleared = trace.swap(file(
    "{ id: stays, when: speed > 40, severity: critical }",
    "{ id: other, when: speed > 25 }",
    '{ id: fewer, when: speed > 30, vehicles: "A-*" }',
  ));
  assertEquals(
    cleared.map((each) => lineOf(each, ({ vehicle, append }) => `${vehicle} ${seconds(append)}`)),
    [
      // B-1 was last heard at 1, A-1 at 2; the rules stand in the order of the old file.
      "cleared (rule changed) gone@1 B-1 3",
      "cleared (rule changed) other@1 B-1 3",
      "cleared (rule changed) fewer@1 B-1 3",
      "cleared (rule changed) gone@2 A-1 3",
      "cleared (rule changed) other@2 A-1 3",
    ],
  );
  // Values as they stand, in the words of the version that ends.
  assertEquals(cleared[1].message, "at 60 km/h");
  assertEquals(trace.engine.openAnomalies(), 3);
  // The severity is that of the opening; what clears later is of the new version.
  const [last] = trace.push([speed(4, 5, "B-1")]);
  assertEquals([last.rule, last.severity, last.version], [
    "stays",
    "warning",
    traceRules(file(
      "{ id: stays, when: speed > 40, severity: critical }",
      "{ id: other, when: speed > 25 }",
      '{ id: fewer, when: speed > 30, vehicles: "A-*" }',
    )).version,
  ]);
});

Deno.test("swap: an invalid set changes nothing", () => {
  const rules = file("{ id: r, when: speed > 100, for: 3 s }", "{ id: s, when: absent(5 s) }");
  const [trace, untouched] = [new Trace(rules), new Trace(rules)];
  const rows = everySecond(0, "speed", [120, 120, 120]);
  trace.push(rows);
  untouched.push(rows);
  const before = trace.engine.snapshot();
  const absents = Array.from({ length: 251 }, (_, i) => `{ id: a${i}, when: absent(${i + 1} s) }`);
  assertThrows(() => trace.swap(file(...absents)), RangeError, "Cannot compile");
  const ruleSet = traceRules(file("{ id: t, when: speed > 1 }"));
  const foreign = createEngine(traceRules(rules), { partition: 0 });
  assertThrows(() => trace.engine.swap(ruleSet, foreign), RangeError, "Cannot warm");
  const elsewhere = createEngine(ruleSet, { partition: 1 });
  assertThrows(() => trace.engine.swap(ruleSet, elsewhere), RangeError, "Cannot warm");
  assertEquals(trace.engine.snapshot(), before);
  assertEquals(trace.engine.ruleMetrics(), untouched.engine.ruleMetrics());
  const more = [...everySecond(3, "speed", [120, 90]), { a: 20 }];
  assertEquals(trace.push(more), untouched.push(more));
});

Deno.test("swap: back and forth between equal structures changes nothing, and takes no more memory", () => {
  const rules = (message: string, limit: string) =>
    file(
      `{ id: r, when: "avg(speed, 5 s) > 60", for: 3 s, clear_for: 2 s, cooldown: 9 s, message: ${message} }`,
      '{ id: s, when: "delta(fuel, 4 s) < -3 or held(rpm > 500, 2 s)", severity: { info: rpm > 9, critical: rpm > 700 } }',
      `{ id: t, when: "rpm > ${limit}" }`,
      '{ id: u, when: "absent(3 s)", vehicles: "V-1" }',
    );
  const row = (i: number): TraceRow => ({
    a: i * 0.7,
    v: `V-${i % 3}`,
    is: { speed: 30 + (i * 37) % 80, rpm: (i * 91) % 900, fuel: (i * 7) % 50 },
  });
  const [trace, untouched] = [new Trace(rules("a", "9000")), new Trace(rules("a", "9000"))];
  let bytes = 0;
  for (let i = 0; i < 200; i += 2) {
    const rows = [row(i), row(i + 1)];
    assertEquals(trace.push(rows), untouched.push(rows));
    assertEquals(trace.swap(rules("b", "9001")), []);
    assertEquals(trace.swap(rules("a", "9000")), []);
    assertEquals(trace.engine.snapshot(), untouched.engine.snapshot());
    if (i === 100) bytes = trace.engine.stateBytes();
  }
  assertEquals(trace.engine.stateBytes(), bytes);
  assertEquals(trace.engine.ruleMetrics(), untouched.engine.ruleMetrics());
  assertEquals(trace.engine.counts(), untouched.engine.counts());
});

Deno.test("swap: a shorter for holds from the next true on, a longer one from the same onset", () => {
  for (const [d, fires] of [["4 s", 11], ["15 s", 15]] as const) {
    const trace = new Trace(file("{ id: r, when: speed > 100, for: 12 s }"));
    trace.push(everySecond(0, "speed", Array(11).fill(120)));
    assertEquals(trace.swap(file(`{ id: r, when: speed > 100, for: ${d} }`)), []);
    const rows = everySecond(11, "speed", Array(9).fill(120));
    assertEquals(trace.lines(rows, ({ onset }) => seconds(onset)), [`opened r@${fires} 0`]);
  }
});

Deno.test("swap: another clear begins its run anew, the same one goes on", () => {
  const rules = (clear: string, d = "3 s") =>
    file(`{ id: r, when: speed > 100, clear: ${clear}, clear_for: ${d} }`);
  const cases: readonly (readonly [string, number])[] = [
    // Clearing since 1: 1 + 3 = 4. Another clear counts from 3: 3 + 3 = 6. 1 + 2 = 3, seen at 3.
    [rules("speed < 80"), 4],
    [rules("speed < 90"), 6],
    [rules("speed < 80", "2 s"), 3],
  ];
  for (const [after, clears] of cases) {
    const trace = new Trace(rules("speed < 80"));
    trace.push(everySecond(0, "speed", [120, 50, 50]));
    trace.swap(after);
    assertEquals(trace.lines(everySecond(3, "speed", [50, 50, 50, 50, 50])), [
      `cleared (condition) r@${clears}`,
    ]);
  }
});

Deno.test("swap: a cooldown that has run out stays so, one that runs takes its new length", () => {
  const rules = (d: string) => file(`{ id: r, when: speed > 100, cooldown: ${d} }`);
  // Cleared at 1, cooldown to 4. Stands at 3: it becomes one to 31. Stands at 5: it is over.
  for (const [stands, kind] of [[3, "reopened"], [5, "opened"]] as const) {
    const trace = new Trace(rules("3 s"));
    trace.push([speed(0, 120), speed(1, 50), speed(stands, 50)]);
    trace.swap(rules("30 s"));
    assertEquals(trace.lines([speed(20, 120)]), [`${kind} r@20`]);
  }
});

Deno.test("swap: a rung that stays keeps its result, an anomaly its severity until a rung comes", () => {
  const rules = (severity: string) => file(`{ id: r, when: speed > 10, severity: ${severity} }`);
  const trace = new Trace(rules("{ info: speed > 10, critical: rpm > 500 }"));
  trace.push([{ a: 0, is: { speed: 50, rpm: 600 } }]);
  // rpm > 500 was true and is a warning now; rpm > 400 is new, and nothing has brought it.
  assertEquals(
    trace.swap(rules("{ info: speed > 10, warning: rpm > 500, critical: rpm > 400 }")),
    [],
  );
  assertEquals(trace.lines([speed(1, 60)], ({ severity }) => severity), [
    "deescalated r@1 warning",
  ]);
});

Deno.test("swap: warmed, a new rule opens at its first true from then on, with its run's onset", () => {
  const old = file("{ id: r, when: rpm > 100 }");
  const after = file(
    "{ id: r, when: rpm > 100 }",
    "{ id: long, when: speed > 100, for: 5 s }",
    '{ id: drop, when: "delta(fuel, 5 s) < -10" }',
  );
  const rows = [0, 1, 2, 3, 4, 5, 6].map((a): TraceRow => ({ a, is: { speed: 120, fuel: 80 } }));
  const next = { a: 7, is: { speed: 120, fuel: 60 } };
  const warm = new Trace(old);
  warm.push(rows);
  assertEquals(warm.swap(after, rows.slice(1)), []);
  // W lies after the sample of 0: the run is known from 1 on; 80 at 2 is the reference of 7.
  assertEquals(warm.lines([next], ({ onset }) => seconds(onset)), [
    "opened long@7 1",
    "opened drop@7 7",
  ]);
  const cold = new Trace(old);
  cold.push(rows);
  assertEquals(cold.swap(after), []);
  assertEquals(cold.lines([next]), []);
});

Deno.test("swap: what a rule is for anew comes from the engine aside, what it was for goes on", () => {
  const rules = (vehicles: string) =>
    file(`{ id: r, when: speed > 100, for: 4 s, vehicles: ${vehicles} }`);
  const rows = [0, 1, 2, 3].flatMap((a) => [speed(a, 120, "A"), speed(a, 120, "B")]);
  const trace = new Trace(rules("[A]"));
  trace.push(rows);
  trace.swap(rules("[A, B]"), rows.slice(2));
  const next = [speed(4, 120, "A"), speed(4, 120, "B"), speed(5, 120, "B")];
  // A runs since 0; of B, the engine aside has seen the samples from 1 on.
  assertEquals(trace.lines(next, ({ vehicle, onset }) => `${vehicle} ${seconds(onset)}`), [
    "opened r@4 A 0",
    "opened r@5 B 1",
  ]);
});

Deno.test("swap: timers due before the next record fire under the rules before it", () => {
  const old = file("{ id: r, when: absent(5 s) }");
  const after = file("{ id: r, when: absent(8 s) }");
  const told = new Trace(old);
  told.push([speed(0, 1)]);
  // The record at 7 is next: absent(5 s) is due at 5, opens, and does not go on.
  assertEquals(
    told.swap(after, undefined, 7).map((each) => lineOf(each, ({ append }) => seconds(append))),
    [
      "opened r@5 5",
      "cleared (rule changed) r@5 7",
    ],
  );
  assertEquals(told.lines([{ a: 9 }]), ["opened r@8"]);
  const untold = new Trace(old);
  untold.push([speed(0, 1)]);
  assertEquals(untold.swap(after), []);
  assertEquals(untold.lines([{ a: 9 }]), ["opened r@8"]);
});

Deno.test("swap: a silence that stands longer than a new absent asks for has come true before", () => {
  const trace = new Trace(file("{ id: r, when: speed > 1 }"));
  trace.push([speed(0, 1), { a: 60 }]);
  trace.swap(file("{ id: s, when: absent(30 s) }", "{ id: t, when: absent(90 s) }"));
  assertEquals(trace.lines([{ a: 100 }]), ["opened t@90"]);
  assertEquals(trace.lines([speed(101, 1), { a: 140 }]), [
    "cleared (condition) t@101",
    "opened s@131",
  ]);
});

Deno.test("swap: what a shorter forget_after makes overdue comes with the next record, not before", () => {
  const rules = (d: string) =>
    `version: 1\nsettings: { forget_after: ${d} }\nrules: [{ id: r, when: speed > 1 }]`;
  const trace = new Trace(rules("1 h"));
  trace.push([speed(0, 5), { a: 100 }]);
  assertEquals(trace.swap(rules("10 s")), []);
  assertEquals(trace.engine.vehicles(), 1);
  const [forgotten] = trace.push([{ a: 100 }]);
  assertEquals([forgotten.reason, seconds(forgotten.append), seconds(forgotten.at)], [
    "forgotten",
    100,
    10,
  ]);
});

Deno.test("swap: another lateness lets go of what waits, the same one keeps it waiting", () => {
  const rules = (lateness: string, limit: number) =>
    `version: 1\nsettings: { lateness: ${lateness} }\nrules: [{ id: r, when: "speed > ${limit}" }]`;
  const same = new Trace(rules("5 s", 10));
  same.push([speed(0, 50), speed(1, 50)]);
  assertEquals(same.engine.waiting(), 2);
  assertEquals(same.swap(rules("5 s", 20)), []);
  // Released at 8 by what is heard then, under the new rules.
  assertEquals(same.lines([speed(8, 1)]), ["opened r@0"]);
  const other = new Trace(rules("5 s", 10));
  other.push([speed(0, 50), speed(1, 5)]);
  assertEquals(other.swap(rules("2 s", 10)).map((each) => lineOf(each)), [
    "opened r@0",
    "cleared (condition) r@1",
  ]);
  assertEquals(other.engine.waiting(), 0);
});

Deno.test("swap: signals that are named anew have their values from the engine aside, waiting or not", () => {
  const old = "version: 1\nsettings: { lateness: 5 s }\nrules: [{ id: r, when: speed > 100 }]";
  const after = old.replace("rules: [", "rules: [{ id: s, when: rpm > 500 }, ");
  const rows = [0, 3].map((a): TraceRow => ({ a, is: { speed: 1, rpm: 900 } }));
  const cases: [TraceRow[] | undefined, string[]][] = [[rows, ["opened s@0"]], [undefined, []]];
  for (const [warmed, lines] of cases) {
    const trace = new Trace(old);
    trace.push(rows);
    trace.swap(after, warmed);
    assertEquals(trace.lines([speed(20, 1)]), lines);
  }
});

Deno.test("swap: many vehicles and many rules, moved and in place, give what the reference gives", () => {
  const rules = (limit: number, extra: string) =>
    file(
      ...Array.from({ length: 40 }, (_, i) =>
        `{ id: r${i}, when: "speed > ${(i % 2 === 0 ? limit : 50) + i}", for: 1 s }`),
      ...extra === "" ? [] : [extra],
    );
  const trace = new Trace(rules(50, ""));
  const rows = (a: number) =>
    Array.from({ length: 60 }, (_, i) => speed(a, 40 + (i * 7 + a * 13) % 60, `V-${i % 20}`));
  for (let a = 0; a < 12; a++) {
    trace.push(rows(a));
    // A limit more, or a state more; every other rule is another one.
    const cleared = trace.swap(
      rules(50 + a % 3, a % 2 === 0 ? "" : "{ id: x, when: 'avg(speed, 2 s) > 60' }"),
    );
    assert(cleared.every(({ reason }) => reason === "rule changed"));
  }
  assert(trace.engine.openAnomalies() > 0);
});

Deno.test("swap: another catalog keeps what is of the same signals, whatever their numbers", () => {
  const rules = file("{ id: r, when: speed > 100, for: 3 s }", "{ id: s, when: rpm > 500 }");
  const old = traceRules(rules);
  const withSignals = (change: (signal: Signal) => Signal) => {
    const [first, ...others] = old.catalog.signals.map(change);
    const extra: Signal = { ...first, name: "extra", keys: ["extra"] };
    const catalog = { ...old.catalog, signals: [extra, ...others, first] };
    const loaded = loadRules(rules, { file: "rules", catalog, hash: hashVersion });
    assert(loaded.ok);
    return loaded.rules;
  };
  const start = [0, 1, 2].map((a): TraceRow => ({ a, is: { speed: 120, rpm: 900 } }));
  const end = [{ a: 3, is: { speed: 120, rpm: 900 } }];
  const moved = new Trace(old);
  moved.push(start);
  assertEquals(moved.swap(withSignals((signal) => signal)), []);
  assertEquals(moved.lines(end, ({ onset }) => seconds(onset)), ["opened r@3 0"]);
  // A signal that is stale sooner is another one: rules that name it begin anew.
  const staler = new Trace(old);
  staler.push(start);
  const cleared = staler.swap(
    withSignals((signal) => signal.name === "rpm" ? { ...signal, staleAfterMs: 5_000 } : signal),
  );
  assertEquals(cleared.map((each) => lineOf(each)), ["cleared (rule changed) s@2"]);
  assertEquals(staler.lines(end, ({ onset }) => seconds(onset)), ["opened r@3 0", "opened s@3 3"]);
});

Deno.test("swap: before the first record, rules are simply others", () => {
  const engine = createEngine(traceRules(file("{ id: r, when: speed > 1 }")), { partition: 0 });
  assertEquals(engine.swap(traceRules(file("{ id: s, when: rpm > 1 }"))), []);
  const { anomalies } = engine.push(traceBatch([{ a: 0, is: { rpm: 5 } }]));
  assertEquals([anomalies.length, anomalies[0].append], [1, TRACE_START_MS]);
});

Deno.test("swap: a new rule on silence opens for what is silent d after it came, not for what had been", () => {
  const trace = new Trace("version: 1\nrules: [{ id: fast, when: speed > 100 }]");
  trace.push([{ a: 0, v: "old", is: { speed: 5 } }, { a: 40, v: "new", is: { speed: 5 } }]);
  const warmed = [{ a: 50, v: "third", is: { speed: 5 } }];
  trace.push(warmed);
  const silent = "version: 1\nrules: [{ id: silent, when: absent(30 s) }]";
  assertEquals(trace.swap(silent, warmed, 60), []);
  const lines = trace.lines(
    [{ a: 60 }, { a: 69 }, { a: 71 }, { a: 75, v: "old", is: { speed: 5 } }, { a: 106 }],
    ({ vehicle }) => vehicle,
  );
  assertEquals(lines, ["opened silent@70 new", "opened silent@80 third", "opened silent@105 old"]);
});
