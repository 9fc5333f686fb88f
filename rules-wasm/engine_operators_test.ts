/** Golden traces of values, conditions and operators with state. */
import { assertEquals } from "@std/assert";
import { everySecond, golden, Trace, type TraceRow } from "../testing/engine_trace.ts";

/** Truth of a condition at each row, in a rule set of its own: "1", "0", or "?" for unknown. */
function truths(condition: string, rows: readonly TraceRow[]): string {
  const at = (when: string): Set<number> => {
    const trace = new Trace(
      `version: 1\nrules: [{ id: r, when: ${JSON.stringify(when)}, once: true, max_gap: 1 ms }]`,
    );
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

const both = (pairs: readonly (readonly [number, number])[]): TraceRow[] =>
  pairs.map(([x, y], a) => ({ a, is: { x, y } }));

Deno.test("engine: comparisons at their limits, -0 is 0", () => {
  const rows = everySecond(0, "x", [-1, -0, 0, 1, 2]);
  assertEquals(truths("x < 1", rows), "11100");
  assertEquals(truths("x <= 1", rows), "11110");
  assertEquals(truths("x > 0", rows), "00011");
  assertEquals(truths("x >= 0", rows), "01111");
  assertEquals(truths("x == 0", rows), "01100");
  assertEquals(truths("x != 0", rows), "10011");
  assertEquals(truths("1 > x", rows), "11100");
});

golden(
  ["abs()", "sqrt()", "max()", "clamp()", "min()"],
  "a result that is not finite is unknown, and so is what is made of it",
  () => {
    const rows = both([[1e308, 1e308], [-1e308, 1e308], [1, 0], [0, 0], [-1, 1], [5e-324, 2]]);
    assertEquals(truths("x + y > 0", rows), "?01001");
    assertEquals(truths("x - y < 0", rows), "0?0011");
    assertEquals(truths("x * y > 0", rows), "??0001");
    assertEquals(truths("x / y > 0", rows), "10??00"); // 5e-324 / 2 is 0
    assertEquals(truths("sqrt(x) >= 0", rows), "1?11?1");
    assertEquals(truths("abs(x / y) + 1 > 0", rows), "11??11");
    assertEquals(truths("max(x / y, 7) > 0", rows), "11??11");
    assertEquals(truths("clamp(x, -1, 1) == min(max(x, -1), 1)", rows), "111111");
    assertEquals(truths("-x > 0", rows), "010010");
  },
);

Deno.test("engine: and, or and not are three-valued", () => {
  // x/y > 0 is true, false or unknown by x in 1, -1, 1 over y = 1, 1, 0; y > -1 is always true.
  const rows = both([[1, 1], [-1, 1], [1, 0]]);
  assertEquals(truths("x / y > 0", rows), "10?");
  assertEquals(truths("x / y > 0 and y > -1", rows), "10?");
  assertEquals(truths("x / y > 0 and y < -1", rows), "000");
  assertEquals(truths("x / y > 0 or y > -1", rows), "111");
  assertEquals(truths("x / y > 0 or y < -1", rows), "10?");
  assertEquals(truths("not x / y > 0", rows), "01?");
  assertEquals(truths("x / y > 0 and x / y > 0 or x / y < 0", rows), "11?");
});

Deno.test("engine: a value older than stale_after is unknown, never never", () => {
  // speed: 60 s; ignition: never. Samples of rpm bring the rule by naming it.
  const rows: TraceRow[] = [
    { a: 0, is: { speed: 50, ignition: true } },
    { a: 60, is: { rpm: 1 } },
    { a: 60.002, is: { rpm: 1 } },
    { a: 9000, is: { rpm: 1 } },
  ];
  assertEquals(truths("speed > 1 and rpm >= 0", rows), "?1??");
  assertEquals(truths("ignition and rpm >= 0", rows), "?111");
});

golden(["prev()"], "prev is the last known value before the sample, however old", () => {
  const rows: TraceRow[] = [
    { a: 0, is: { speed: 10 } },
    { a: 1, is: { speed: 20 } },
    { a: 500, is: { rpm: 1 } }, // speed is stale, prev(speed) is 20
    { a: 501, is: { speed: 30 } }, // 20 still
    { a: 502, is: { rpm: 1 } }, // brings no speed: the last before it is 30
  ];
  assertEquals(truths("prev(speed) == 10", rows), "?1?0?");
  assertEquals(truths("prev(speed) == 20 and (speed > 0 or rpm > 0)", rows), "?0110");
  assertEquals(truths("prev(speed) == 30 or rpm > 9", rows), "??001");
});

golden(
  ["changed()", "rose()", "fell()"],
  "changed, rose and fell are true where it happens, else false",
  () => {
    const rows: TraceRow[] = [
      { a: 0, is: { x: 1, y: 1 } }, // no value before: nothing happened
      { a: 1, is: { x: 2, y: 1 } },
      { a: 2, is: { x: 2, y: 1 } },
      { a: 3, is: { speed: 1 } }, // brings nothing of the rule
      { a: 4, is: { x: 2, y: 0 } }, // 2/0: unknown
      { a: 5, is: { x: 1, y: 1 } }, // against 2/1, the last known
      { a: 6, is: { x: 3, y: 1 } },
    ];
    assertEquals(truths("changed(x / y)", rows), "010??11");
    assertEquals(truths("rose(x / y > 1.5)", rows), "010??01");
    assertEquals(truths("fell(x / y > 1.5)", rows), "000??10");
  },
);

golden(["delta()"], "delta takes the newest sample kept at or before T - d", () => {
  // delta(x, 1600 ms): slots of 1600/16 = 100 ms.
  const rows: TraceRow[] = [
    { a: 0, is: { x: 1 } }, // slot 0
    { a: 0.05, is: { x: 2 } }, // slot 0 too: the 1 is not kept
    { a: 0.1, is: { x: 4 } }, // slot 1
    { a: 1.64, is: { x: 100 } }, // T - d = 0.04: nothing kept at or before it
    { a: 1.65, is: { x: 100 } }, // T - d = 0.05: 2, so 98
    { a: 1.7, is: { x: 100 } }, // T - d = 0.1: 4, so 96
    { a: 3.2, is: { x: 100 } }, // T - d = 1.6: 4 still, so 96
    { a: 3.25, is: { x: 100 } }, // T - d = 1.65: slot 16 keeps 1.65 only, so 0
  ];
  assertEquals(truths("delta(x, 1600 ms) == 98", rows), "????1000");
  assertEquals(truths("delta(x, 1600 ms) == 96", rows), "????0110");
  assertEquals(truths("delta(x, 1600 ms) == 0", rows), "????0001");
});

golden(["delta()"], "delta is unknown when its reference lies before T - d - max_gap", () => {
  // d = 10 s, max_gap = 2 min: at 130 the reference of 0 is in reach, at 130.001 it is not.
  for (const [a, expected] of [[130, "?1"], [130.001, "??"]] as const) {
    assertEquals(
      truths("delta(x, 10 s) == 7", [{ a: 0, is: { x: 1 } }, { a, is: { x: 8 } }]),
      expected,
    );
  }
});

golden(["rate()"], "rate is per second really elapsed", () => {
  // rate(x, 1 s) at 2.5 against 0: (11 - 1) / 2.5 = 4 per second.
  const rows: TraceRow[] = [{ a: 0, is: { x: 1 } }, { a: 2.5, is: { x: 11 } }];
  assertEquals(truths("rate(x, 1 s) == 4", rows), "?1");
});

golden(["delta()"], "operators take in only samples that bring them", () => {
  const rows: TraceRow[] = [
    { a: 0, is: { x: 1, y: 0 } },
    { a: 10, is: { y: 0 } }, // brings no x: no sample for delta, though x is known
    { a: 20, is: { x: 5, y: 0 } },
    { a: 21, is: { y: 0 } }, // x now is 5, the reference for 11 is that of 0
    { a: 30, is: { y: 0 } }, // the reference is that of 20
  ];
  assertEquals(truths("delta(x, 10 s) == 4 and y == 0", rows), "?0110");
});
