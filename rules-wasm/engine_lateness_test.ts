/** Golden traces of lateness: samples that wait for older ones of their vehicle. */
import { assert, assertEquals } from "@std/assert";
import type { Transition } from "../contract/anomaly.ts";
import {
  golden,
  seconds,
  Trace,
  TRACE_START_MS,
  type TraceRow,
  traceRules,
} from "../testing/engine_trace.ts";
import { compareEngines } from "./differential.ts";
import type { LogRecord } from "./reference/random_log.ts";

/** One rule on x above 1, samples waiting 5 s. */
const ABOVE = "version: 1\nsettings: { lateness: 5 s }\nrules: [{ id: r, when: x > 1 }]";

/** A of evaluation, and offset of the sample. */
const when = ({ append, source }: Transition) => `${seconds(append)} #${source.offset}`;

/** Due A of the next timer, seconds. */
function due(trace: Trace): number | null {
  const next = trace.engine.nextTimer();
  return next === null ? null : seconds(next);
}

golden(["settings.lateness"], "a sample waits until the vehicle has been heard at T + L", () => {
  const trace = new Trace(ABOVE);
  const rows: TraceRow[] = [
    { a: 0, is: { x: 5 } }, // #0 waits for T = 5
    { a: 4, t: 4.999, is: { x: 0 } },
  ];
  assertEquals(trace.lines(rows), []);
  assertEquals(trace.engine.waiting(), 2);
  // 5 >= 0 + 5: #0 is evaluated at this A, as the sample that it is. 4.999 and 5 wait.
  assertEquals(trace.lines([{ a: 4.5, t: 5, is: { x: 0 } }], when), ["opened r@0 4.5 #0"]);
  assertEquals(trace.engine.waiting(), 2);
});

golden(
  ["settings.lateness"],
  "or until C has passed A + L, and then the due A is its append",
  () => {
    const trace = new Trace(ABOVE);
    assertEquals(trace.lines([{ a: 0, t: -2, is: { x: 5 } }]), []);
    assertEquals(due(trace), 5);
    // A tick at 5 does not pass it; one at 8 does. T + L = 3 has not been heard.
    assertEquals(trace.lines([{ a: 5 }]), []);
    assertEquals(trace.lines([{ a: 8 }], when), ["opened r@-2 5 #0"]);
    assertEquals(trace.engine.waiting(), 0);
  },
);

golden(
  ["settings.lateness"],
  "samples are evaluated in the order of T, whatever that of their coming",
  () => {
    const rule = "rules: [{ id: r, when: x > 1, for: 2 s }]";
    const rows: TraceRow[] = [
      { a: 0, t: 0, is: { x: 5 } },
      { a: 2, t: 2, is: { x: 5 } },
      { a: 2.5, t: 1, is: { x: 0 } }, // between the two: no run of 2 s
      { a: 3, t: 3, is: { x: 5 } },
      { a: 4, t: 4, is: { x: 5 } }, // the run of 2 spans 2 s
      { a: 20 },
    ];
    assertEquals(
      new Trace(`version: 1\nsettings: { lateness: 5 s }\n${rule}`).lines(rows, when),
      ["opened r@4 9 #4"], // due at A = 4 + 5
    );
    // Without lateness that of T = 1 is late, and the run of 0 spans 2 s at 2.
    const plain = new Trace(`version: 1\n${rule}`);
    assertEquals(plain.lines(rows, when), ["opened r@2 2 #1"]);
    assertEquals(plain.engine.counts().late, 1);
  },
);

golden(["settings.lateness"], "what is due takes along those before it in the order of T", () => {
  const trace = new Trace(`version: 1
settings: { lateness: 5 s }
rules: [{ id: r, when: x > 1 }]`);
  const rows: TraceRow[] = [
    { a: 0, t: 10, is: { x: 0 } }, // #0, due at A = 5
    { a: 3, t: 8, is: { x: 5 } }, // #1, due at 8 by itself; but T = 10 must not come before it
    { a: 6 },
  ];
  assertEquals(trace.lines(rows, when), ["opened r@8 5 #1", "cleared (condition) r@10 5 #0"]);
  assertEquals(trace.engine.waiting(), 0);
});

golden(["settings.lateness"], "what lies before the last sample evaluated is late", () => {
  const trace = new Trace(ABOVE);
  trace.push([
    { a: 0, is: { x: 5 } },
    { a: 5, is: { x: 5 } }, // T = 0 is evaluated
    { a: 6, t: -0.001, is: { x: 0 } }, // late
    { a: 6, t: 0, is: { x: 0 } }, // of the same T: not late; heard at 5 already, evaluated at once
  ]);
  const { late, duplicates } = trace.engine.counts();
  assertEquals([late, duplicates, trace.engine.waiting()], [1, 0, 1]);
});

golden(
  ["settings.lateness"],
  "samples of one T are evaluated as they came; what brings nothing is counted",
  () => {
    const trace = new Trace(`version: 1
settings: { lateness: 5 s }
rules: [{ id: r, when: x > 1 and y > 1 }, { id: s, when: rose(x > 1) , once: true }]`);
    const rows: TraceRow[] = [
      { a: 0, t: 0, is: { x: 0 } }, // #0
      { a: 0, t: 1, is: { x: 5 } }, // #1
      { a: 1, t: 1, is: { y: 5 } }, // #2: another signal of the same T
      { a: 2, t: 1, is: { x: 5, y: 5 } }, // #3: nothing new at 1
      { a: 3, t: 1, is: { y: 6 } }, // #4: another value
      { a: 4, t: 6, is: { x: 5, y: 5 } }, // releases 0 and 1
    ];
    assertEquals(trace.lines(rows, when), ["opened s@1 4 #1", "opened r@1 4 #2"]);
    assertEquals(trace.engine.counts().duplicates, 1);
  },
);

golden(
  ["settings.lateness"],
  "of one vehicle 256 samples wait, then the oldest is evaluated",
  () => {
    const trace = new Trace(
      "version: 1\nsettings: { lateness: 1 h }\nrules: [{ id: r, when: x > 1 }]",
    );
    // The oldest by T is #3, sent fourth; all others have x = 0.
    const rows = Array.from({ length: 256 }, (_, i): TraceRow => ({
      a: 100 + i,
      t: i === 3 ? 50 : 100 + i,
      is: { x: i === 3 ? 5 : 0 },
    }));
    assertEquals(trace.lines(rows), []);
    assertEquals([trace.engine.waiting(), trace.engine.counts().crowded], [256, 0]);
    assertEquals(trace.lines([{ a: 400, is: { x: 0 } }], when), ["opened r@50 400 #3"]);
    assertEquals([trace.engine.waiting(), trace.engine.counts().crowded], [256, 1]);
    // Another vehicle has room of its own.
    trace.push([{ a: 400, v: "W", is: { x: 0 } }]);
    assertEquals([trace.engine.waiting(), trace.engine.counts().crowded], [257, 1]);
  },
);

golden(
  ["settings.max_waiting", "settings.lateness"],
  "beyond max_waiting the sample heard first is evaluated, with those before it",
  () => {
    const trace = new Trace(`version: 1
settings: { lateness: 10 s, max_waiting: 3 }
rules: [{ id: r, when: x > 1 }]`);
    const rows: TraceRow[] = [
      { a: 0, t: 3, is: { x: 0 } }, // #0
      { a: 1, t: 2, v: "W", is: { x: 5 } }, // #1
      { a: 2, t: 1, is: { x: 5 } }, // #2, before #0 by T
      { a: 3, t: 3, v: "W", is: { x: 5 } }, // the fourth: #0 goes, and #2 before it
    ];
    assertEquals(trace.lines(rows, when), ["opened r@1 3 #2", "cleared (condition) r@3 3 #0"]);
    assertEquals([trace.engine.waiting(), trace.engine.counts().crowded], [2, 1]);
  },
);

golden(
  ["settings.lateness"],
  "absent is true from A_last + max(d, lateness), after the samples that wait",
  () => {
    const trace = new Trace(`version: 1
settings: { lateness: 10 s }
rules:
  - { id: a20, when: absent(20 s) }
  - { id: a8, when: absent(8 s) and x > 1 }
  - { id: a3, when: absent(3 s) and not absent(8 s) }`);
    const both: TraceRow[] = ["V", "W"].map((v) => ({ a: 0, t: -1, v, is: { x: 5 } }));
    // Due at A = 10: first the samples of both, then of each vehicle 3 s and 8 s; at T_last + d.
    assertEquals(
      trace.lines([...both, { a: 11 }], ({ vehicle, append }) => `${vehicle} ${seconds(append)}`),
      [
        "opened a3@2 V 10",
        "opened a8@7 V 10",
        "cleared (condition) a3@7 V 10",
        "opened a3@2 W 10",
        "opened a8@7 W 10",
        "cleared (condition) a3@7 W 10",
      ],
    );
    assertEquals(due(trace), 20);
    assertEquals(trace.lines([{ a: 20 }]), []);
    assertEquals(trace.lines([{ a: 20.001 }]), ["opened a20@19", "opened a20@19"]);
  },
);

golden(["settings.lateness"], "a silence ends where the sample that ended it is evaluated", () => {
  const rules = `version: 1
settings: { lateness: 5 s }
rules: [{ id: r, when: absent(30 s) }]`;
  const before: TraceRow[] = [{ a: 0, is: { x: 5 } }, { a: 31 }];
  // Another T; and the same with nothing new: a duplicate, known for one when its time has come.
  for (const t of [39, 0]) {
    const trace = new Trace(rules);
    assertEquals(trace.lines(before), ["opened r@30"]);
    assertEquals(trace.lines([{ a: 40, t, is: { x: 5 } }]), []);
    assertEquals(
      trace.lines([{ a: 46 }], when),
      [`cleared (condition) r@${Math.max(30, t)} 45 #2`],
    );
    assertEquals(trace.engine.counts().duplicates, t === 0 ? 1 : 0);
  }
  // A late one is not evaluated: the silence ends at once.
  const trace = new Trace(rules);
  trace.push(before);
  assertEquals(trace.lines([{ a: 40, t: -1, is: { x: 5 } }], when), [
    "cleared (condition) r@30 40 #2",
  ]);
});

golden(
  ["settings.lateness"],
  "before a clock reset those that wait are evaluated; the new first one waits",
  () => {
    const trace = new Trace(`version: 1
settings: { lateness: 20 s, clock_reset_after: 10 s, max_clock_ahead: 30 s }
rules: [{ id: r, when: x > 1 }, { id: s, when: y > 1 }]`);
    const rows: TraceRow[] = [
      { a: 0, t: 0, is: { x: 5, y: 0 } }, // #0
      { a: 1, t: 20, is: { y: 5 } }, // #1: 20 >= 0 + 20 releases #0
      { a: 2, t: -100, is: { x: 5 } }, // late, A - T = 102
      { a: 12, t: -90, is: { x: 5 } }, // late for 10 s: #1 is evaluated, then all clears
    ];
    assertEquals(trace.lines(rows, when), [
      "opened r@0 1 #0",
      "opened s@20 12 #1",
      "cleared (clock reset) r@0 12 #3",
      "cleared (clock reset) s@20 12 #3",
    ]);
    const { clockResets, late } = trace.engine.counts();
    assertEquals([clockResets, late, trace.engine.waiting()], [1, 2, 1]);
    // #3 is the first of a fresh vehicle, due at 32.
    assertEquals(due(trace), 32);
    assertEquals(trace.lines([{ a: 33 }], when), ["opened r@-90 32 #3"]);
  },
);

golden(["settings.lateness"], "a vehicle is forgotten after its last sample was evaluated", () => {
  const trace = new Trace(`version: 1
settings: { lateness: 10 s, forget_after: 10 s }
rules: [{ id: r, when: x > 1 }]`);
  // Both are due at A = 10, the sample first. T = T_last + forget_after.
  assertEquals(trace.lines([{ a: 0, is: { x: 5 } }, { a: 11 }], when), [
    "opened r@0 10 #0",
    "cleared (forgotten) r@10 10 #0",
  ]);
  assertEquals([trace.engine.vehicles(), trace.engine.waiting()], [0, 0]);
  assertEquals(due(trace), null);
});

Deno.test("lateness: what was heard while warming and is evaluated afterwards opens", () => {
  const trace = new Trace(ABOVE);
  assertEquals(trace.push([{ a: 0, is: { x: 5 } }, { a: 2, is: { x: 5 } }], "warm"), []);
  assertEquals(trace.engine.openAnomalies(), 0);
  // #0 is due at 5: the run began there.
  assertEquals(trace.lines([{ a: 6 }], when), ["opened r@0 5 #0"]);
});

Deno.test("lateness: at the end of the input what waits goes on waiting", () => {
  const trace = new Trace(ABOVE);
  assertEquals(trace.push([{ a: 0, is: { x: 5 } }]), []);
  assertEquals([trace.engine.waiting(), due(trace)], [1, 5]);
  assertEquals(trace.engine.clock(), TRACE_START_MS);
});

Deno.test("lateness: one record may release more samples than a micro-batch has rows", () => {
  const rules = traceRules(`version: 1
settings: { lateness: 10 min, max_clock_ahead: 5 min }
rules:
  - { id: r, when: x > 1, for: 2 s }
  - { id: s, when: "count(x > 1, 10 s) > 2", once: true }
  - { id: t, when: changed(x), once: true, max_gap: 1 ms }`);
  const text = new TextEncoder();
  const line = (vehicle: number, t: number, x: number) =>
    JSON.stringify({ vehicle: `V-${vehicle}`, ts: TRACE_START_MS + t * 1000, x });
  const record = (a: number, lines: readonly string[]): LogRecord => ({
    append: TRACE_START_MS + a * 1000,
    value: text.encode(lines.join("\n")),
  });
  const vehicles = Array.from({ length: 7 }, (_, v) => v);
  // 7 vehicles with 250 samples each, the first of T = 0; one record releases all of them.
  const log = [
    ...Array.from(
      { length: 250 },
      (_, i) => record(i, vehicles.map((v) => line(v, (i * 7) % 250, (i + v) % 9))),
    ),
    record(599, vehicles.map((v) => line(v, 850, 0))),
  ];
  const { apart, transitions } = compareEngines(rules, log, 1);
  assertEquals(apart, null);
  assert(transitions > 1_000, `${transitions} transitions`);
});
