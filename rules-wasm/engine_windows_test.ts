/** Golden traces of the functions over windows. Times are seconds after a whole day. */
import { assertEquals } from "@std/assert";
import { golden, Trace, type TraceRow } from "../testing/engine_trace.ts";

/** What a message shows of a value at each sample, "-" where x is unknown; one engine throughout. */
function shown(value: string, rows: readonly TraceRow[], settings = "{}"): string {
  // Every row carries y, so that each is a run of its own and opens with its message.
  const trace = new Trace(
    `version: 1\nsettings: ${settings}\nrules:\n` +
      `  - { id: r, when: y >= 0, once: true, max_gap: 1 ms, message: "{${value}}" }`,
  );
  return rows.map((row) =>
    trace.push([{ ...row, is: { y: 0, ...row.is } }])
      .map(({ message }) => message === "unknown" ? "-" : message).join()
  ).join(" ");
}

const at = (pairs: readonly (readonly [number, number | undefined])[]): TraceRow[] =>
  pairs.map(([a, x]) => ({ a, is: { x } }));

golden(["sum()", "lowest()", "highest()", "count()"], "a pane leaves when its end is d old", () => {
  // d = 3 s: panes of 1 s. The pane of [0, 1) ends at 1 and leaves at T - 3 = 1, T = 4.
  const rows = at([[0, 5], [0.9, 1], [1, 2], [3.99, 3], [4, 3], [5, 4], [7, undefined]]);
  // Sums: 5; 6; 8; 11; at 4 the 5 and the 1 leave: 2+3+3; at 5 the 2: 3+3+4; at 7 pane 3: 3+4.
  assertEquals(shown("sum(x, 3 s)", rows), "5 6 8 11 8 10 7");
  // Of 0..3.99 the least is 1; then 2; then 3; greatest 5 until 4.
  assertEquals(shown("lowest(x, 3 s)", rows), "5 1 1 1 2 3 3");
  assertEquals(shown("highest(x, 3 s)", rows), "5 5 5 5 3 4 4");
  // Values of at least 3: 5 | 5 | 5 | 5, 3 | 3, 3 | 3, 3, 4 | 3, 4
  assertEquals(shown("count(x >= 3, 3 s)", rows), "1 1 1 2 2 3 2");
});

golden(["sum()"], "panes are of d / 32 above 32 s", () => {
  // d = 64 s: panes of 2 s. That of [0, 2) leaves at T - 64 = 2, T = 66.
  const rows = at([[0, 1], [1.9, 2], [2, 4], [65.9, 8], [66, 16], [67.9, 32], [68, 64]]);
  // 1 3 7 15, then less 3: 4+8+16 = 28, 60; at 68 less 4: 8+16+32+64 = 120.
  assertEquals(shown("sum(x, 64 s)", rows), "1 3 7 15 28 60 120");
});

golden(
  ["sum()", "count()", "lowest()", "highest()", "avg()", "stddev()"],
  "count and sum of nothing are 0, all else is unknown",
  () => {
    const rows = at([[0, undefined], [1, 7], [3, undefined], [9, undefined]]);
    assertEquals(shown("sum(x, 2 s)", rows), "0 7 7 0");
    assertEquals(shown("count(x > 0, 2 s)", rows), "0 1 1 0");
    assertEquals(shown("lowest(x, 2 s)", rows), "- 7 7 -");
    assertEquals(shown("highest(x, 2 s)", rows), "- 7 7 -");
    assertEquals(shown("avg(x, 2 s)", rows), "- - - -");
    assertEquals(shown("stddev(x, 2 s)", rows), "- - - -");
  },
);

golden(
  ["avg()", "settings.max_gap"],
  "avg and stddev wait until x has come for d without a gap over max_gap",
  () => {
    const rows = at([
      [0, 1],
      [2, 3],
      [3.9, 5],
      [4, 7], // x has come for 4 s: (1+3+5+7)/4 = 4
      [5, undefined], // pane 0 has left, ending at 1: (3+5+7)/3 = 5; for 4 s x came, to 4
      [6, 9], // (3+5+7+9)/4 = 6
      [9, 1], // 3 s after the last one: within max_gap. Panes 2 to 4 have left, 6 and 9: (9+1)/2 = 5
      [12.01, 2], // a gap of 3.01 s: x has come for 0 s
      [15, 4],
      [16, 6], // for 3.99 s
      [16.01, 8], // for 4 s; pane 12 (ends 13 > 12.01) holds 2: (2+4+6+8)/4 = 5
      [19, undefined], // last one 2.99 s ago; panes from 15 on: (4+6+8)/3 = 6
      [19.02, undefined], // 3.01 s ago: a gap
    ]);
    assertEquals(shown("avg(x, 4 s)", rows, "{ max_gap: 3 s }"), "- - - 4 5 6 5 - - - 5 6 -");
  },
);

golden(["stddev()"], "stddev is that of all values in the window, by n", () => {
  const rows = at([
    [0, 2],
    [0.1, 4],
    [0.2, 4],
    [0.3, 4],
    [1, 5],
    [1.5, 5],
    [2, 7],
    [2.5, 9], // mean 5, squares 9+1+1+1+0+0+4+16 = 32, 32/8 = 4; but x came for 2.5 s only
    [3, 5], // mean 5, 32/9
    [4, 5], // pane 0 is gone: 5 5 7 9 5 5, mean 6, squares 1+1+1+9+1+1 = 14, 14/6
    [7, 3], // from 4 on: 5 3, mean 4, squares 1+1, 2/2 = 1
    [20, 1], // alone, but after no gap: 0
  ]);
  const [a, b] = [Math.sqrt(32 / 9), Math.sqrt(14 / 6)];
  assertEquals(shown("stddev(x, 3 s)", rows), `- - - - - - - - ${a} ${b} 1 0`);
});

golden(["sum()"], "a sample that does not bring x adds nothing, one at the same T does", () => {
  const rows: TraceRow[] = [
    { a: 0, is: { x: 1 } },
    { a: 0.1, is: {} }, // x is 1 still, but did not come
    { a: 0.2, is: { x: 4 } },
    { a: 0.2, is: { x: 6 } }, // another value at that T; no run of its own, so nothing is shown
    { a: 0.3, is: {} },
  ];
  assertEquals(shown("sum(x, 1 s)", rows), "1 1 5  11");
});

golden(
  ["sum()", "count()"],
  "an unknown is not taken in; a sum that is not finite is unknown while it lasts",
  () => {
    const rows = at([[0, 1], [0.5, 0], [1, 2], [2, 1e308], [2.5, 1.5e308], [6, 3]]);
    // 8 / x: 8, unknown, 4, then as good as nothing.
    assertEquals(shown("count(8 / x > 1, 2 s)", rows.slice(0, 3)), "1 1 2");
    assertEquals(shown("sum(8 / x, 2 s)", rows.slice(0, 3)), "8 8 12");
    // 1e308 + 1.5e308 overflows; both have left at 6.
    assertEquals(shown("sum(x, 3 s)", rows), "1 1 3 1e+308 - 3");
  },
);

golden(["sum()", "count()"], "as at the last sample they stand at a silence", () => {
  const trace = new Trace(`version: 1
rules:
  - { id: r, when: "absent(9 s) and sum(x, 2 s) == 5", message: "{count(x > 0, 2 s)}" }`);
  // At the silence, due at 9.5, the window is that of 0.5: 2 + 3.
  const rows = [{ a: 0, is: { x: 2 } }, { a: 0.5, is: { x: 3 } }, { a: 20 }];
  assertEquals(trace.lines(rows, ({ message }) => message), ["opened r@9.5 2"]);
});

golden(
  ["sum()", "settings.clock_reset_after"],
  "each vehicle has its own, and a clock reset empties it",
  () => {
    const trace = new Trace(
      `version: 1
settings: { clock_reset_after: 2 s }
rules: [{ id: r, when: "x >= 0", message: "{sum(x, 10 s)}", once: true, max_gap: 1 ms }]`,
    );
    const rows: TraceRow[] = [
      { a: 100, is: { x: 1 } },
      { a: 100, v: "W", is: { x: 16 } },
      { a: 101, is: { x: 2 } }, // 3
      { a: 102, t: 52, is: { x: 4 } }, // late
      { a: 104, t: 54, is: { x: 8 } }, // 2 s of late samples, all 50 s behind: the clock was reset
      { a: 105, t: 55, is: { x: 5 } }, // 8 + 5
      { a: 105, v: "W", is: { x: 16 } },
    ];
    assertEquals(trace.push(rows).map(({ message }) => message), ["1", "16", "3", "8", "13", "32"]);
  },
);
