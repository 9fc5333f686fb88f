/** Golden traces of clocks: silence, timers, late samples, duplicates, resets, forgetting. */
import { assertEquals } from "@std/assert";
import { golden, seconds, Trace, TRACE_START_MS, type TraceRow } from "../testing/engine_trace.ts";

const SILENT = "version: 1\nrules: [{ id: r, when: absent(30 s) }]";

golden(["absent()"], "a timer due at X fires when C > X, before the record that moved C", () => {
  const trace = new Trace(SILENT);
  assertEquals(trace.lines([{ a: 0, t: -2, is: { speed: 5 } }]), []);
  assertEquals(trace.engine.nextTimer(), TRACE_START_MS + 30_000);
  // Due at A = 30: a record with A = 30 does not fire it, the tick at 31 does.
  assertEquals(trace.lines([{ a: 30 }]), []);
  const [opened] = trace.push([{ a: 31 }]);
  // T is T_last + d = -2 + 30 = 28; append is the due A; the source is the sample it counts from.
  assertEquals(
    [opened.kind, seconds(opened.at), seconds(opened.onset), seconds(opened.append)],
    ["opened", 28, 28, 30],
  );
  assertEquals(opened.source, { partition: 0, offset: "0", index: 0 });
  assertEquals(opened.terms, [{ text: "absent(30 s)", value: true, limit: null, unit: "" }]);
  assertEquals(trace.engine.clock(), TRACE_START_MS + 31_000);
});

golden(["absent()"], "the next sample ends a silence, a late one and a duplicate too", () => {
  for (const t of [5, 0, -5]) {
    const trace = new Trace(SILENT);
    trace.push([{ a: 0, is: { speed: 5 } }, { a: 31 }]);
    const [cleared] = trace.push([{ a: 40, t, is: { speed: 5 } }]);
    // `at` is never below that of the opening, 0 + 30; append is the record's.
    assertEquals([cleared.kind, seconds(cleared.at), seconds(cleared.append)], [
      "cleared",
      30,
      40,
    ]);
    assertEquals(cleared.source.offset, "2");
    const { late, duplicates } = trace.engine.counts();
    assertEquals([late, duplicates], [t < 0 ? 1 : 0, t === 0 ? 1 : 0]);
  }
});

golden(
  ["absent()"],
  "timers come by due A, then position of the sample, then duration, then rule",
  () => {
    const trace = new Trace(`version: 1
rules:
  - { id: b10, when: absent(10 s) }
  - { id: c10, when: absent(10 s) }
  - { id: a5, when: absent(5 s) }`);
    const rows: TraceRow[] = [
      { a: 0, v: "V", is: { speed: 1 } }, // due 5 and 10
      { a: 5, v: "W", is: { speed: 1 } }, // due 10 and 15
      { a: 5, v: "X", is: { speed: 1 } },
      { a: 100 },
    ];
    assertEquals(trace.lines(rows, ({ vehicle, append }) => `${vehicle} ${seconds(append)}`), [
      "opened a5@5 V 5",
      "opened b10@10 V 10", // V was heard before W
      "opened c10@10 V 10",
      "opened a5@10 W 10",
      "opened a5@10 X 10",
      "opened b10@15 W 15",
      "opened c10@15 W 15",
      "opened b10@15 X 15",
      "opened c10@15 X 15",
    ]);
  },
);

golden(
  ["absent()", "changed()", "prev()"],
  "at a silence values stand as at T_last, stale or not, and edges are false",
  () => {
    const trace = new Trace(`version: 1
rules:
  - { id: driving, when: absent(90 s) and speed > 50 }
  - { id: edge, when: absent(90 s) and changed(speed) }
  - { id: before, when: absent(90 s) and prev(speed) < 50 }`);
    // 90 s later the speed would be stale (60 s); as at T_last = 1 it is 80, and prev(speed) 40.
    const rows = [{ a: 0, is: { speed: 40 } }, { a: 1, is: { speed: 80 } }, { a: 92 }];
    assertEquals(trace.lines(rows), ["opened driving@91", "opened before@91"]);
  },
);

Deno.test("engine: a duplicate brings nothing new at its T; what brings another signal is evaluated", () => {
  const trace = new Trace("version: 1\nrules: [{ id: r, when: speed > 1 and rpm > 1 }]");
  const rows = [
    { a: 0, is: { speed: 5 } },
    { a: 0, is: { speed: 5 } }, // duplicate
    { a: 0, is: { speed: 5, fuel: 5 } }, // no rule names fuel: duplicate
    { a: 0, is: { rpm: 5 } }, // new: opens
    { a: 0, is: { speed: 5, rpm: 5 } }, // duplicate
    { a: 0, is: { speed: 0 } }, // another value: clears
  ];
  assertEquals(trace.lines(rows), ["opened r@0", "cleared (condition) r@0"]);
  assertEquals(trace.engine.counts().duplicates, 3);
});

Deno.test("engine: a late sample is counted and not evaluated", () => {
  const trace = new Trace("version: 1\nrules: [{ id: r, when: speed > 100 }]");
  const rows = [{ a: 5, is: { speed: 5 } }, { a: 6, t: 4.999, is: { speed: 120 } }];
  assertEquals(trace.lines(rows), []);
  assertEquals(trace.engine.counts().late, 1);
});

golden(
  ["settings.clock_reset_after", "settings.max_clock_ahead"],
  "a clock set back clears what is open and starts afresh after clock_reset_after",
  () => {
    const trace = new Trace(`version: 1
settings: { clock_reset_after: 20 s, max_clock_ahead: 5 s }
rules: [{ id: r, when: speed > 100 }]`);
    // From 10 on T lies an hour back. The first late sample is at A = 10; 10 + 20 = 30 resets.
    const rows: TraceRow[] = [
      { a: 0, is: { speed: 120 } },
      ...[10, 20, 29, 30].map((a) => ({ a, t: a - 3600, is: { speed: 120 } })),
    ];
    assertEquals(trace.lines(rows, ({ onset }) => seconds(onset)), [
      "opened r@0 0",
      "cleared (clock reset) r@0 0",
      "opened r@-3570 -3570",
    ]);
    assertEquals([trace.engine.counts().clockResets, trace.engine.counts().late], [1, 4]);
  },
);

golden(
  ["settings.clock_reset_after", "settings.max_clock_ahead"],
  "a backlog that catches up is no clock reset",
  () => {
    const trace = new Trace(`version: 1
settings: { clock_reset_after: 20 s, max_clock_ahead: 5 s }
rules: [{ id: r, when: speed > 100 }]`);
    // A - T goes from 3600 down by 100 with each: never within 5 s of the first.
    const rows: TraceRow[] = [
      { a: 0, t: 0, is: { speed: 5 } },
      ...[1, 11, 21, 31, 41].map((a, i) => ({ a, t: a - 3600 + 100 * i, is: { speed: 120 } })),
    ];
    assertEquals(trace.lines(rows), []);
    assertEquals([trace.engine.counts().clockResets, trace.engine.counts().late], [0, 5]);
  },
);

golden(
  ["settings.forget_after", "settings.max_vehicles"],
  "a vehicle silent for forget_after is forgotten, its slot goes to another",
  () => {
    const trace = new Trace(`version: 1
settings: { forget_after: 60 s, max_vehicles: 2 }
rules: [{ id: r, when: speed > 100, vehicles: "V*" }]`);
    const rows: TraceRow[] = [
      { a: 0, v: "V1", is: { speed: 120 } },
      { a: 50, v: "W", is: { speed: 120 } },
      { a: 61, v: "V2", is: { speed: 120 } }, // V1 goes at 60, so that there is room
    ];
    assertEquals(trace.lines(rows, ({ vehicle, append }) => `${vehicle} ${seconds(append)}`), [
      "opened r@0 V1 0",
      "cleared (forgotten) r@60 V1 60",
      "opened r@61 V2 61",
    ]);
    assertEquals([trace.engine.vehicles(), trace.engine.counts().forgotten], [2, 1]);
  },
);

golden(
  ["settings.unknown_after"],
  "when and clear unknown at every sample for unknown_after clear it",
  () => {
    const trace = new Trace(`version: 1
settings: { unknown_after: 2 min }
rules: [{ id: r, when: speed > 100 }]`);
    // speed goes stale 60 s after 0: at 60 it is known still, at 61 not; 61 + 120 = 181.
    const rows: TraceRow[] = [
      { a: 0, is: { speed: 120 } },
      ...[60, 61, 120, 180, 181].map((a) => ({ a, is: { rpm: a } })),
    ];
    const rules = trace.lines(rows);
    // rpm is no signal of the rule, yet its samples are samples of the vehicle.
    assertEquals(rules, ["opened r@0", "cleared (unknown) r@181"]);
  },
);

Deno.test("engine: a T too far ahead of A is refused, the running maximum of A counts", () => {
  const trace = new Trace("version: 1\nrules: [{ id: r, when: speed > 100 }]");
  const rows = [
    { a: 100, is: { speed: 5 } },
    { a: 50, t: 160, is: { speed: 120 } }, // A is 100 still: 60 s ahead, allowed
    { a: 101, t: 161.001, is: { speed: 120 } },
  ];
  assertEquals(trace.lines(rows, ({ append }) => seconds(append)), ["opened r@160 100"]);
  assertEquals(trace.engine.counts().refused, 1);
});
