/** Golden traces of runs, clearing, cooldown and severity; the arithmetic stands beside them. */
import { assertEquals } from "@std/assert";
import { everySecond, golden, seconds, Trace } from "../testing/engine_trace.ts";

golden(
  ["id:", "when:"],
  "a rule without for opens at the first true and clears at the first false",
  () => {
    const trace = new Trace("version: 1\nrules: [{ id: r, when: speed > 130 km/h }]");
    assertEquals(trace.lines(everySecond(0, "speed", [130, 131, 140, 130, 129])), [
      "opened r@1",
      "cleared (condition) r@3",
    ]);
  },
);

golden(["for:"], "for d fires at the first true with T - T0 >= d, and onset is T0", () => {
  const trace = new Trace("version: 1\nrules: [{ id: r, when: speed > 100 km/h, for: 5 s }]");
  // T0 = 1; 1 + 5 = 6.
  const rows = everySecond(1, "speed", [101, 101, 101, 101, 101, 101, 90]);
  assertEquals(trace.lines(rows, ({ onset, count }) => `${seconds(onset)} x${count}`), [
    "opened r@6 1 x1",
    "cleared (condition) r@7 1 x1",
  ]);
});

golden(["for:"], "a false breaks a run, unknown neither extends nor breaks it", () => {
  const trace = new Trace(
    "version: 1\nrules: [{ id: r, when: x / y > 1, for: 4 s }]",
  );
  const at = (a: number, x: number, y: number) => ({ a, is: { x, y } });
  // 0: true (2/1). 1: 2/0 is not finite, unknown. 2: false. 3: true, a new run. 5: unknown.
  // 7: true, 7 - 3 = 4: fires, onset 3.
  const rows = [at(0, 2, 1), at(1, 2, 0), at(2, 1, 2), at(3, 2, 1), at(5, 0, 0), at(7, 3, 1)];
  assertEquals(trace.lines(rows, ({ onset }) => seconds(onset)), ["opened r@7 3"]);
});

golden(["max_gap:", "for:"], "trues further apart than max_gap are not one run", () => {
  const trace = new Trace(
    "version: 1\nrules: [{ id: r, when: speed > 1, for: 10 s, max_gap: 6 s }]",
  );
  const rows = [0, 6, 13, 19, 23].map((a) => ({ a, is: { speed: 5 } }));
  // 0 to 6: 6 <= 6, one run. 6 to 13: 7 > 6, a new run from 13. 23 - 13 = 10: fires.
  assertEquals(trace.lines(rows, ({ onset }) => seconds(onset)), ["opened r@23 13"]);
});

golden(["for:"], "one old value never satisfies a duration", () => {
  const trace = new Trace("version: 1\nrules: [{ id: r, when: speed > 100 km/h, for: 5 s }]");
  // Samples of rpm do not bring the rule: the speed of 0 is still 120 at 6, yet nothing fires.
  const rows = [
    { a: 0, is: { speed: 120 } },
    { a: 6, is: { rpm: 900 } },
    { a: 7, is: { speed: 120, rpm: 900 } },
  ];
  assertEquals(trace.lines(rows), ["opened r@7"]);
});

golden(["clear:", "clear_for:"], "clear and clear_for, broken by a true when", () => {
  const trace = new Trace(`version: 1
rules: [{ id: r, when: speed > 130 km/h, clear: speed < 120 km/h, clear_for: 3 s }]`);
  // 125 neither clears nor holds: it is no true of clear, so it breaks the clear run of 2.
  // From 5 on: 110 at 5, 6, 7; 131 at 8 breaks; 110 from 9 on: 9 + 3 = 12 clears.
  const rows = everySecond(0, "speed", [131, 125, 110, 110, 125, 110, 110, 110, 131, 110, 110, 110])
    .concat([{ a: 12, is: { speed: 119 } }]);
  assertEquals(trace.lines(rows), ["opened r@0", "cleared (condition) r@12"]);
});

golden(
  ["cooldown:"],
  "firing again within the cooldown reopens under the same id and onset",
  () => {
    const trace = new Trace("version: 1\nrules: [{ id: r, when: speed > 100, cooldown: 5 s }]");
    const rows = everySecond(0, "speed", [101, 90]) // opens 0, clears 1: cooldown to 6
      .concat({ a: 6, is: { speed: 101 } }, { a: 7, is: { speed: 90 } }) // 6 <= 6: reopens; to 12
      .concat({ a: 13, is: { speed: 101 } }); // 13 > 12: another
    const found = trace.push(rows);
    assertEquals(found.map(({ kind, onset, count }) => [kind, seconds(onset), count]), [
      ["opened", 0, 1],
      ["cleared", 0, 1],
      ["reopened", 0, 2],
      ["cleared", 0, 2],
      ["opened", 13, 1],
    ]);
    assertEquals(new Set(found.slice(0, 4).map(({ id }) => id)).size, 1);
    assertEquals(found[4].id === found[0].id, false);
  },
);

golden(
  ["once:", "cooldown:"],
  "a point event opens once a run, its cooldown counts from the opening",
  () => {
    const trace = new Trace(
      "version: 1\nrules: [{ id: r, when: speed > 100, once: true, cooldown: 5 s }]",
    );
    const rows = everySecond(0, "speed", [
      101, // opens
      101, // the same run
      90,
      101, // a new run at 3, 3 <= 0 + 5: swallowed
      101,
      101,
      101, // 6: still the run that was swallowed
      90,
      101, // a new run at 8 > 5: opens
    ]);
    assertEquals(trace.lines(rows), ["opened r@0", "opened r@8"]);
    assertEquals(trace.engine.openAnomalies(), 0);
  },
);

golden(
  ["severity:", "clear_for:"],
  "severity escalates at once and steps down after clear_for",
  () => {
    const trace = new Trace(`version: 1
rules:
  - id: r
    when: coolant > 100 degC
    clear_for: 3 s
    severity: { warning: coolant > 100 degC, critical: coolant > 115 degC }`);
    // 116 at 1 escalates. 110 from 2 on: 2 + 3 = 5 steps down. 90 from 6 on: 6 + 3 = 9 clears.
    const rows = everySecond(0, "coolant", [105, 116, 110, 110, 110, 110, 90, 90, 90, 90]);
    assertEquals(trace.lines(rows, ({ severity }) => severity), [
      "opened r@0 warning",
      "escalated r@1 critical",
      "deescalated r@5 warning",
      "cleared (condition) r@9 warning",
    ]);
  },
);

golden(["severity:"], "a level that is unknown keeps its last result", () => {
  const trace = new Trace(`version: 1
rules:
  - id: r
    when: x > 1
    severity: { info: x > 1, critical: 4 / (x - 3) > 1 }`);
  const rows = everySecond(0, "x", [
    5, // 4 / 2 = 2 > 1
    3, // 4 / 0 is unknown: still critical
    9, // 4 / 6 < 1
    3, // unknown again: still not
    4, // 4 / 1 > 1
  ]);
  assertEquals(trace.lines(rows, ({ severity }) => severity), [
    "opened r@0 critical",
    "deescalated r@2 info",
    "escalated r@4 critical",
  ]);
});

Deno.test("engine: transitions of one row come in the order of the rules", () => {
  const trace = new Trace(`version: 1
rules: [{ id: b, when: speed > 1 }, { id: a, when: rpm > 1 }, { id: c, when: speed > 1 }]`);
  const rows = [
    { a: 0, is: { rpm: 5 } },
    { a: 1, is: { speed: 5, rpm: 0 } },
    { a: 1, v: "W", is: { speed: 5, rpm: 5 } },
  ];
  assertEquals(trace.lines(rows, ({ vehicle }) => vehicle), [
    "opened a@0 V",
    "opened b@1 V",
    "cleared (condition) a@1 V",
    "opened c@1 V",
    "opened b@1 W",
    "opened a@1 W",
    "opened c@1 W",
  ]);
});

golden(["vehicles:"], "a rule limited to vehicles knows globs and ids", () => {
  const trace = new Trace(`version: 1
rules: [{ id: r, when: speed > 1, vehicles: ["VAN-?", "bus", "*.x*"] }]`);
  const rows = ["VAN-1", "VAN-12", "bus", "buses", "a.x", "ax", "VAN-é"].map((v, a) => ({
    a,
    v,
    is: { speed: 5 },
  }));
  assertEquals(trace.push(rows).map(({ vehicle }) => vehicle), ["VAN-1", "bus", "a.x", "VAN-é"]);
});

Deno.test("engine: warming opens nothing; the first true after it opens with its run's onset", () => {
  const trace = new Trace(`version: 1
rules: [{ id: r, when: speed > 100, for: 5 s }, { id: s, when: speed > 50 }]`);
  assertEquals(
    trace.push(everySecond(0, "speed", [101, 101, 101, 101, 101, 101, 101]), "warm"),
    [],
  );
  assertEquals(trace.lines(everySecond(7, "speed", [101]), ({ onset }) => seconds(onset)), [
    "opened r@7 0",
    "opened s@7 0",
  ]);
});

Deno.test("engine: suppressed output leaves the same state", () => {
  const rules = "version: 1\nrules: [{ id: r, when: speed > 100, for: 2 s, cooldown: 9 s }]";
  const [one, other] = [new Trace(rules), new Trace(rules)];
  const before = everySecond(0, "speed", [101, 101, 101, 90, 101]);
  one.push(before);
  assertEquals(other.push(before, "suppress"), []);
  const after = everySecond(5, "speed", [101, 101, 90]);
  assertEquals(other.push(after), one.push(after));
  assertEquals(other.engine.ruleMetrics(), one.engine.ruleMetrics());
});
