/** Golden traces of `ewma` and `zscore`. Times are seconds after a whole day. */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { golden, Trace, type TraceRow } from "../testing/engine_trace.ts";

/** The number that a message shows of a value at each sample; NaN for unknown. */
function numbers(value: string, rows: readonly TraceRow[], settings = "{}"): number[] {
  const trace = new Trace(
    `version: 1\nsettings: ${settings}\nrules:\n` +
      `  - { id: r, when: y >= 0, once: true, max_gap: 1 ms, message: "{${value}}" }`,
  );
  return rows.flatMap((row) =>
    trace.push([{ ...row, is: { y: 0, ...row.is } }]).map(({ message }) => Number(message))
  );
}

function assertClose(found: readonly number[], expected: readonly number[]): void {
  assertEquals(found.map(Number.isNaN), expected.map(Number.isNaN));
  found.forEach((x, i) => {
    if (!Number.isNaN(x)) assertAlmostEquals(x, expected[i], 1e-12 * Math.abs(expected[i]) + 1e-15);
  });
}

/** Seconds in which a weight halves, with tau = 10 s: 10 s times ln 2, to the millisecond. */
const HALF = 6.931;
/** a after such a time: 1 - exp(-0.6931) = 0.49997359... */
const A = -Math.expm1(-0.6931);

golden(["ewma()"], "half of the way in tau times ln 2, whatever the number of samples", () => {
  const rows: TraceRow[] = [
    { a: 0, is: { x: 8 } }, // the first is the mean
    { a: HALF, is: { x: 16 } }, // 8 + a 8, about 12
    { a: HALF + 1, is: {} }, // brings no x: the mean stays
    { a: 2 * HALF, is: { x: 16 } }, // half of what is left, about 14
  ];
  const second = 8 + A * 8;
  assertClose(numbers("ewma(x, 10 s)", rows), [8, second, second, second + A * (16 - second)]);
  // One step of 2 HALF towards a constant comes to the same as two.
  assertClose(numbers("ewma(x, 10 s)", [rows[0], rows[3]]), [8, second + A * (16 - second)]);
});

golden(["ewma()"], "after a long time only the new value counts", () => {
  const rows: TraceRow[] = [{ a: 0, is: { x: 5 } }, { a: 4000, is: { x: 7 } }];
  assertEquals(numbers("ewma(x, 1 min)", rows), [5, 7]); // a = 1 - exp(-66.7) is 1
});

golden(["ewma()"], "what is no longer finite begins anew", () => {
  const rows: TraceRow[] = [
    { a: 0, is: { x: -1.7e308 } },
    { a: 10, is: { x: 1.7e308 } }, // their distance overflows
    { a: 20, is: { x: 1.7e308 } },
  ];
  assertEquals(numbers("ewma(x, 10 s)", rows), [-1.7e308, 1.7e308, 1.7e308]);
});

golden(
  ["zscore()"],
  "the distance of a sample from the mean before it, by the deviation before it",
  () => {
    const rows: TraceRow[] = [
      { a: 0, is: { x: 0 } }, // m = 0, v = 0
      { a: HALF, is: { x: 2 } }, // not yet for tau. D = 2: m = 2a, v = (1-a)(a 4), about 1 and 1
      { a: 2 * HALF, is: { x: 3 } }, // x has come for 13.9 s: D = 3 - m, D / sqrt(v), about 2
      { a: 2 * HALF + 1, is: {} }, // brings no x: 3 against mean and deviation with the 3 in them
    ];
    const [m1, v1] = [2 * A, (1 - A) * (A * 4)];
    const d = 3 - m1;
    const [m2, v2] = [m1 + A * d, (1 - A) * (v1 + A * d * d)];
    const expected = [NaN, NaN, d / Math.sqrt(v1), (3 - m2) / Math.sqrt(v2)];
    assertClose(numbers("zscore(x, 10 s)", rows), expected);
  },
);

golden(
  ["zscore()", "settings.max_gap"],
  "unknown without deviation, before tau, and after a gap over max_gap",
  () => {
    const values = [1, 1, 1, 1, 4, 4, 4, 4, 4, 4];
    // A gap of 4 s between the 7th and the 8th sample, else a second.
    const rows = values.map((x, i): TraceRow => ({ a: i < 7 ? i : i + 3, is: { x } }));
    const known = (found: number[]) => found.map((x) => Number.isNaN(x) ? "-" : "z").join("");
    // To the 5th sample the deviation before it is 0: 3 / 0. It is not for those after.
    // From the gap on x has come for 0, 1 and 2 s.
    assertEquals(known(numbers("zscore(x, 2 s)", rows, "{ max_gap: 3 s }")), "-----zz--z");
    assertEquals(known(numbers("zscore(x, 2 s)", rows)), "-----zzzzz");
    assertEquals(known(numbers("zscore(x, 6 s)", rows)), "------zzzz");
  },
);

golden(["zscore()"], "at a silence it stands as at the last sample", () => {
  const trace = new Trace(`version: 1
rules:
  - { id: r, when: "absent(9 s) and zscore(x, 1 s) > 1", message: "{zscore(x, 1 s)}" }
  - { id: s, when: "x == 3", message: "{zscore(x, 1 s)}" }`);
  const rows = [0, 2, 3].map((x, i): TraceRow => ({ a: i, is: { x } }));
  const transitions = trace.push([...rows, { a: 20 }]);
  assertEquals(transitions.map(({ rule }) => rule), ["s", "r"]);
  assertEquals(transitions[1].message, transitions[0].message);
});
