/** Golden traces of the functions of time: held, age, seq, hour, weekday. */
import { assertEquals } from "@std/assert";
import {
  everySecond,
  golden,
  seconds,
  Trace,
  TRACE_START_MS,
  type TraceRow,
} from "../testing/engine_trace.ts";

/** Truth of a condition at each row, in a rule set of its own: "1", "0", or "?" for unknown. */
function truths(condition: string, rows: readonly TraceRow[], settings = ""): string {
  const at = (when: string): Set<number> => {
    const rule = `{ id: r, when: ${JSON.stringify(when)}, once: true, max_gap: 1 ms }`;
    const trace = new Trace(`version: 1\n${settings}\nrules: [${rule}]`);
    const seen = new Set<number>();
    rows.forEach((row, i) => {
      // Each true is a run of its own, being further than max_gap from the one before.
      if (trace.push([row]).length > 0) seen.add(i);
    });
    return seen;
  };
  const yes = at(condition);
  const no = at(`not (${condition})`);
  return rows.map((_, i) => yes.has(i) ? "1" : no.has(i) ? "0" : "?").join("");
}

golden(
  ["held()"],
  "true from the first true that lies d after the run's first, as with for",
  () => {
    // The run begins at 1: at 3 it spans 2 s, at 4 3 s. The false at 5 ends it; that of 6 spans 0.
    const rows = everySecond(0, "x", [0, 5, 5, 5, 5, 0, 5]);
    assertEquals(truths("held(x > 1, 3 s)", rows), "0000100");
    assertEquals(truths("held(x > 1, 2 s)", rows), "0001100");
    assertEquals(truths("held(x > 1, 2001 ms)", rows), "0000100");
  },
);

golden(["held()"], "unknown is unknown, and neither extends nor breaks the run", () => {
  const rows: TraceRow[] = [
    { a: 0, is: { x: 4, y: 1 } },
    { a: 1, is: { x: 4, y: 0 } }, // 4 / 0: unknown
    { a: 2, is: { x: 4, y: 1 } }, // the run of 0 goes on: it spans 2 s
    { a: 3, is: { x: 4, y: 0 } },
  ];
  assertEquals(truths("held(x / y > 1, 2 s)", rows), "0?1?");
  // One that ends with an unknown does not reach up to it: at 1 the run is 0 s, at 2 it is 2 s.
  assertEquals(truths("held(x / y > 1, 1 s)", rows), "0?1?");
});

golden(["held()", "settings.max_gap"], "a gap above the settings' max_gap begins a new run", () => {
  // Trues at 0, 120 (no further than 2 min: the run spans 120 s), 240.001 (further: 0 s).
  const rows: TraceRow[] = [0, 120, 240.001, 241.001].map((a) => ({ a, is: { x: 5 } }));
  assertEquals(truths("held(x > 1, 1 s)", rows), "0101");
  assertEquals(
    truths("held(x > 1, 1 s)", rows, "settings: { max_gap: 3 min }"),
    "0111",
  );
});

golden(["held()"], "samples that do not bring it find the run as it stands, while it lasts", () => {
  const rows: TraceRow[] = [
    { a: 0, is: { x: 5, y: 0 } },
    { a: 4, is: { y: 0 } }, // x is known and 5, but the run is that of 0 alone
    { a: 6, is: { x: 5 } }, // it spans 6 s
    { a: 126, is: { y: 0 } }, // 120 s after its last true: it stands
    { a: 126.001, is: { y: 0 } }, // more than max_gap: it no longer reaches up to here
    { a: 127, is: { x: 0 } },
    { a: 128, is: { y: 0 } },
  ];
  assertEquals(truths("held(x > 1, 3 s) and y == 0", rows), "0011000");
  // A false that no sample brings does not end the run: delta(x, 1 s) is 0 at 2 (the x of 1 less
  // itself), and the trues are those of 1, 3 and 5.
  const late: TraceRow[] = [
    { a: 0, is: { x: 0, y: 0 } }, // unknown: no reference
    { a: 1, is: { x: 1 } }, // 1 - 0
    { a: 2, is: { y: 0 } }, // 1 - 1: false, but it brings no x, and nothing of the rule
    { a: 3, is: { x: 2 } }, // 2 - 1: the run of 1 spans 2 s
    { a: 5, is: { x: 3 } }, // 3 - 2: 4 s
  ];
  assertEquals(truths("held(delta(x, 1 s) > 0, 2 s)", late), "?0?11");
  // One value, however old, satisfies no duration.
  const old: TraceRow[] = [
    { a: 0, is: { ignition: true, y: 0 } },
    ...everySecond(1, "y", [0, 0, 0, 0]),
  ];
  assertEquals(truths("held(ignition, 2 s) or y > 1", old), "00000");
});

golden(["held()", "absent()"], "at a silence it is what it was at the last sample", () => {
  const rule = (when: string) => `version: 1\nrules: [{ id: r, when: ${JSON.stringify(when)} }]`;
  // Spans 2 s at the last sample (T = 2); absent(10 s) is due at 12, and the tick is after it.
  const rows: TraceRow[] = [...everySecond(0, "x", [5, 5, 5]), { a: 13 }];
  assertEquals(new Trace(rule("held(x > 1, 2 s) and absent(10 s)")).lines(rows), ["opened r@12"]);
  // At 12 it is not 12 s long.
  assertEquals(new Trace(rule("held(x > 1, 3 s) and absent(10 s)")).lines(rows), []);
});

golden(
  ["held()", "for:"],
  "rules that ask for the same share it, and a for around it counts anew",
  () => {
    const trace = new Trace(`version: 1
rules:
  - { id: long, when: "held(x > 1, 2 s)" }
  - { id: longer, when: "held(x > 1, 2 s)", for: 2 s }
`);
    // held is true from 2 on; longer has its run from 2, and fires at 4.
    assertEquals(trace.lines(everySecond(0, "x", [5, 5, 5, 5, 5, 0])), [
      "opened long@2",
      "opened longer@4",
      "cleared (condition) long@5",
      "cleared (condition) longer@5",
    ]);
  },
);

golden(["age()"], "seconds since x last came, on every sample, whatever its staleness", () => {
  const rows: TraceRow[] = [
    { a: 0, is: { rpm: 1 } }, // speed never came: unknown
    { a: 1, is: { speed: 50 } }, // 0 s
    { a: 3.5, is: { rpm: 1 } }, // 2.5 s
    { a: 101, is: { rpm: 1 } }, // 100 s; speed is stale after 60 s
    { a: 102, is: { speed: 50 } }, // 0 s
  ];
  assertEquals(truths("age(speed) >= 2500 ms", rows), "?0110");
  assertEquals(truths("age(speed) == 2.5", rows), "?0100");
  assertEquals(truths("age(speed) > 1 min", rows), "?0010");
  // A run of it takes in every sample: from 3.5 to 101 for 97.5 s.
  const trace = new Trace(`version: 1
rules:
  - id: mute
    when: age(speed) > 2 s
    for: 97 s
    message: "no speed for {age(speed)}"
`);
  assertEquals(
    trace.lines(rows, ({ message, onset }) => `${message} from ${seconds(onset)}`),
    [
      "opened mute@101 no speed for 100 s from 3.5",
      "cleared (condition) mute@102 no speed for 0 s from 3.5",
    ],
  );
});

golden(["age()"], "of an expression, since it was last known on a sample that brings it", () => {
  const rows: TraceRow[] = [
    { a: 0, is: { x: 1, y: 0 } }, // 1 / 0 is unknown: never came
    { a: 1, is: { y: 2 } }, // 1 / 2 comes
    { a: 3, is: { y: 0 } }, // unknown: 2 s
    { a: 4, is: { rpm: 1 } }, // 3 s
    { a: 5, is: { x: 1, y: 1 } },
  ];
  assertEquals(truths("age(x / y) > 1 s and rpm >= 0 or age(x / y) == 0", rows), "?1?11");
  assertEquals(truths("age(x / y) == 2 s", rows), "?0100");
  assertEquals(truths("rose(age(x / y) > 2 s)", rows), "?0010");
});

golden(["age()", "absent()"], "at a silence it is as at the last sample", () => {
  const rows: TraceRow[] = [{ a: 0, is: { x: 1 } }, { a: 5, is: { y: 1 } }, { a: 60 }];
  const lines = (limit: string) =>
    new Trace(`version: 1\nrules: [{ id: r, when: "absent(10 s) and age(x) ${limit}" }]`)
      .lines(rows);
  assertEquals(lines("== 5 s"), ["opened r@15"]);
  assertEquals(lines("> 5 s"), []);
});

golden(["seq()"], "b turns true, a having been true at an earlier T, at most d before", () => {
  const rows = everySecond(0, "x", [1, 0, 0, 5, 5, 1, 0, 0, 0, 5]);
  // x > 4 turns true at 3 and at 9; x == 1 was true at 0 and 5: 3 s and 4 s before.
  assertEquals(truths("seq(x == 1, x > 4, 4 s)", rows), "0001000001");
  assertEquals(truths("seq(x == 1, x > 4, 3 s)", rows), "0001000000");
  assertEquals(truths("seq(x == 1, x > 4, 2999 ms)", rows), "0000000000");
});

golden(["seq()"], "the same T is not earlier, and does not hide what was", () => {
  const rows: TraceRow[] = [
    { a: 0, is: { x: 0, y: 0 } },
    { a: 1, is: { x: 1, y: 1 } }, // a at 1, b at 1: nothing earlier
    { a: 2, is: { x: 0, y: 0 } },
    { a: 3, is: { x: 1 } }, // a at 3 as well
    { a: 3.5, t: 3, is: { y: 1 } }, // b at 3: the a of 1 is 2 s before
  ];
  assertEquals(truths("seq(x == 1, y == 1, 2 s)", rows), "00001");
  const rule = "version: 1\nrules: [{ id: r, once: true, when: 'seq(x == 1, y == 1, 1 s)' }]";
  assertEquals(new Trace(rule).lines(rows), []);
});

golden(["seq()"], "a counts on samples that bring a, b turns on samples that bring b", () => {
  const rows: TraceRow[] = [
    { a: 0, is: { coolant: 30, rpm: 900 } },
    { a: 10, is: { rpm: 900 } }, // the coolant of 0 is known still, but it came at 0 only
    { a: 20, is: { rpm: 4000 } }, // 20 s after it
    { a: 21, is: { coolant: 30 } },
    { a: 22, is: { rpm: 900 } },
    { a: 42, is: { rpm: 4000 } }, // 21 s after that of 21
  ];
  assertEquals(truths("seq(coolant < 40 degC, rpm > 3500 rpm, 20 s)", rows), "001000");
  assertEquals(truths("seq(coolant < 40 degC, rpm > 3500 rpm, 21 s)", rows), "001001");
});

golden(["seq()"], "unknown only where b is unknown and a was true shortly before", () => {
  const rows: TraceRow[] = [
    { a: 0, is: { x: 0, y: 0 } }, // 0 / 0: unknown, but no a was true: false
    { a: 1, is: { rpm: 1, x: 0, y: 1 } }, // a is true
    { a: 2, is: { rpm: 0, x: 0, y: 0 } }, // b unknown, a was true
    { a: 3, is: { rpm: 0, x: 1, y: 1 } }, // b turned true against the 0 of 1, the last known
  ];
  assertEquals(truths("seq(rpm == 1, x / y > 0.5, 5 s)", rows), "00?1");
  // A b that is true when it is first known has not turned true.
  assertEquals(truths("seq(y == 1, x > 0.5, 5 s)", everySecond(0, "x", [1, 1])), "00");
});

golden(
  ["hour()", "weekday()"],
  "hour and weekday are those of event time in UTC; Monday is 1, Sunday 7",
  () => {
    // TRACE_START is day 20,000 = 2857 * 7 + 1 days after a Thursday: a Friday, at midnight.
    assertEquals(new Date(TRACE_START_MS).toISOString(), "2024-10-04T00:00:00.000Z");
    const hour = 3600;
    const times = [0, hour - 0.002, hour, 24 * hour - 0.002, 24 * hour, 48 * hour, 72 * hour];
    const rows: TraceRow[] = times.map((a) => ({ a, is: { x: a } }));
    const shown = new Trace(
      `version: 1\nrules: [{ id: r, when: "true", message: "{hour()} {weekday()}", severity: info,
      max_gap: 1 ms, once: true }]`,
    ).push(rows).map(({ message }) => message);
    assertEquals(shown, ["0 5", "0 5", "1 5", "23 5", "0 6", "0 7", "0 1"]);
  },
);

golden(["hour()"], "an expression that names no signal is brought by every sample", () => {
  const rows: TraceRow[] = [
    { a: 3599, is: { x: 1 } },
    { a: 3601, is: { y: 1 } },
    { a: 3602, is: { x: 1 } },
  ];
  assertEquals(truths("hour() == 1", rows), "011");
  assertEquals(truths("rose(hour() == 1)", rows), "010");
  assertEquals(truths("hour() == 1 and x > 0", rows), "0?1");
  // T counts, not A: a sample of 23:59:59 that arrives later is of that hour.
  assertEquals(truths("hour() == 0", [{ a: 3605, t: 3599, is: { x: 1 } }]), "1");
});
