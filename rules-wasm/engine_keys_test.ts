/** Golden traces of the keys and settings that decide who is looked at, and what is told. */
import { assertEquals, assertNotEquals } from "@std/assert";
import { everySecond, golden, seconds, Trace, traceRules } from "../testing/engine_trace.ts";

golden(["message:"], "values stand as at the transition, with units; {{ is a brace", () => {
  const trace = new Trace(`version: 1
rules:
  - id: r
    when: x > 1
    message: "{vehicle}: {x} {{was {prev(x)}}} at {speed}, {x * 2}"`);
  const rows = [
    { a: 0, is: { speed: 50 } },
    { a: 1, is: { x: 2 } }, // no x before it: unknown
    { a: 2, is: { x: 0.5 } }, // at the clearing: 0.5, before it 2, twice it 1
    { a: 63, is: { x: 3 } }, // the speed of 0 is 63 s old, stale after 60
  ];
  assertEquals(trace.lines(rows, ({ message }) => message), [
    "opened r@1 V: 2 {was unknown} at 50 km/h, 4",
    "cleared (condition) r@2 V: 0.5 {was 2} at 50 km/h, 1",
    "opened r@63 V: 3 {was 0.5} at unknown, 6",
  ]);
});

golden(["id:"], "without a message it is the vehicle and the first term", () => {
  const trace = new Trace(`version: 1
rules: [{ id: a.B-1_c, when: "speed > 80 mph and x > 1" }, { id: d, when: ignition or x > 1 }]`);
  // 80 mph are 80 * 1.609344 = 128.74752 km/h.
  const [one, other] = trace.push([{ a: 0, is: { x: 2, speed: 129 } }]);
  assertEquals([one.rule, one.message], ["a.B-1_c", "V: speed > 80 mph"]);
  assertEquals(one.terms, [
    { text: "speed > 80 mph", value: 129, limit: 128.74752, unit: "km/h" },
    { text: "x > 1", value: 2, limit: 1, unit: "" },
  ]);
  assertEquals([other.rule, other.message], ["d", "V: ignition"]);
  assertEquals(other.terms, [
    { text: "ignition", value: null, limit: null, unit: "" },
    { text: "x > 1", value: 2, limit: 1, unit: "" },
  ]);
});

golden(["enabled:"], "a rule that is not enabled finds nothing, but is checked", () => {
  const trace = new Trace(`version: 1
rules: [{ id: off, when: x > 1, enabled: false }, { id: on, when: x > 1, enabled: true }]`);
  assertEquals(trace.lines(everySecond(0, "x", [2])), ["opened on@0"]);
});

golden(["labels:", "runbook:"], "they change nothing of what is found", () => {
  const rows = everySecond(0, "x", [0, 2, 2, 0]);
  const rule = (more: string) => `version: 1\nrules: [{ id: r, when: x > 1${more} }]`;
  const found = (more: string) =>
    new Trace(rule(more)).push(rows).map(({ version: _version, ...rest }) => rest);
  const plain = found("");
  assertEquals(plain.map(({ kind, at }) => [kind, seconds(at)]), [["opened", 1], ["cleared", 3]]);
  assertEquals(found(", labels: { team: brakes }"), plain);
  assertEquals(found(", runbook: 'https://runbooks.example/r'"), plain);
  // Labels are of the version, so that each version has one set of them; a link is not.
  const version = (more: string) => traceRules(rule(more)).version;
  assertNotEquals(version(", labels: { team: brakes }"), version(""));
  assertEquals(version(", runbook: 'https://runbooks.example/r'"), version(""));
});

golden(["clear:", "once:"], "when decides the run, clear the end; a point event has none", () => {
  const trace = new Trace(`version: 1
rules: [{ id: state, when: x > 5, clear: x < 2 }, { id: event, when: x > 5, once: true }]`);
  // 3 is no longer above 5 and not yet below 2: the state stays, the event's run ends.
  assertEquals(trace.lines(everySecond(0, "x", [6, 3, 7, 1, 6])), [
    "opened state@0",
    "opened event@0",
    "opened event@2",
    "cleared (condition) state@3",
    "opened state@4",
    "opened event@4",
  ]);
});

golden(["min()", "max()", "clamp()", "abs()", "sqrt()"], "plain arithmetic, exact", () => {
  const trace = new Trace(`version: 1
rules:
  - id: r
    when: y >= 0
    once: true
    max_gap: 1 ms
    message: "{min(x, y, 3)} {max(x, y, 3)} {clamp(x, 1, 4)} {abs(x - y)} {sqrt(x * x)}"`);
  const rows = [
    { a: 0, is: { x: 2, y: 7 } }, // min(2,7,3) max(2,7,3) 2 within 1..4, |2-7|, sqrt(4)
    { a: 1, is: { x: 9, y: 1 } }, // 9 above 4, |9-1|, sqrt(81)
    { a: 2, is: { x: -3, y: 4 } }, // -3 below 1, |-3-4|, sqrt(9)
  ];
  assertEquals(trace.push(rows).map(({ message }) => message), [
    "2 7 2 5 2",
    "1 9 4 8 9",
    "-3 4 1 7 3",
  ]);
});

golden(["settings.max_vehicles"], "a vehicle beyond it is refused, those known go on", () => {
  const trace = new Trace(`version: 1
settings: { max_vehicles: 2 }
rules: [{ id: r, when: x > 1 }]`);
  const rows = ["A", "B", "C", "A"].map((v, a) => ({ a, v, is: { x: a } }));
  // B has x 1, C would have 2 and is refused, A has 3.
  assertEquals(trace.lines(rows, ({ vehicle }) => vehicle), ["opened r@3 A"]);
  assertEquals([trace.engine.vehicles(), trace.engine.counts().refused], [2, 1]);
});

golden(
  ["settings.max_clock_ahead"],
  "a T beyond A and it is refused, one just within is not",
  () => {
    const trace = new Trace(`version: 1
settings: { max_clock_ahead: 5 s }
rules: [{ id: r, when: x > 1 }]`);
    const rows = [
      { a: 0, t: 5.001, is: { x: 2 } }, // 5.001 s ahead
      { a: 1, t: 6, is: { x: 2 } }, // 5 s ahead
    ];
    assertEquals(trace.lines(rows, ({ append }) => seconds(append)), ["opened r@6 1"]);
    assertEquals(trace.engine.counts().refused, 1);
  },
);

golden(
  ["settings.unknown_after"],
  "counts from the first unknown; a known between starts anew",
  () => {
    const trace = new Trace(`version: 1
settings: { unknown_after: 10 s }
rules: [{ id: r, when: x / y > 1 }]`);
    const at = (a: number, x: number, y: number) => ({ a, is: { x, y } });
    const rows = [
      at(0, 2, 1), // opens
      at(1, 1, 0), // unknown from 1 on
      at(9, 2, 1), // known: true
      at(10, 1, 0), // unknown from 10 on
      at(19, 1, 0),
      at(20, 1, 0), // 10 + 10
    ];
    assertEquals(trace.lines(rows), ["opened r@0", "cleared (unknown) r@20"]);
  },
);

golden(
  ["settings.lateness"],
  "at 0 s a sample with an earlier T is late: counted, not evaluated",
  () => {
    const trace = new Trace(`version: 1
settings: { lateness: 0 s }
rules: [{ id: r, when: x > 1 }]`);
    const rows = [
      { a: 0, is: { x: 0 } },
      { a: 2, t: 2, is: { x: 0 } },
      { a: 2, t: 1.999, is: { x: 5 } },
      { a: 3, t: 2, is: { x: 6 } }, // the same T with another value is evaluated
    ];
    assertEquals(trace.lines(rows), ["opened r@2"]);
    assertEquals(trace.engine.counts().late, 1);
  },
);
