/** Golden traces of the shipped custom operator. Times are seconds after a whole day. */
import { assertEquals } from "@std/assert";
import { golden, Trace, type TraceRow } from "../testing/engine_trace.ts";

/** The number that a message shows of a value at each sample; NaN for unknown. */
function numbers(value: string, rows: readonly TraceRow[]): number[] {
  const trace = new Trace(
    "version: 1\nrules:\n" +
      `  - { id: r, when: age(x) >= 0, once: true, max_gap: 1 ms, message: "{${value}}" }`,
  );
  return rows.flatMap((row) => trace.push([row]).map(({ message }) => Number(message)));
}

const samples = (values: readonly number[]): TraceRow[] =>
  values.map((x, a) => ({ a, is: { x, y: 1 } }));

golden(["cusum()"], "sums what lies beyond the slack, above and below, up to the limit", () => {
  // distance from 10     above: +distance - 1    below: -distance - 1
  const rows = samples([
    11.5, //   1.5        0.5                     0 (-2.5)
    13, //     3          2.5                     0
    20, //    10          6 (11.5)                0
    10, //     0          5                       0 (-1)
    7.5, //   -2.5        1.5                     1.5
    8, //     -2          0 (-1.5)                2.5
    3, //     -7          0                       6 (8.5)
    9.5, //   -0.5        0                       5.5
    15, //     5          4                       0 (-0.5)
  ]);
  assertEquals(numbers("cusum(x, 10, 1, 6)", rows), [0.5, 2.5, 6, 5, 1.5, -2.5, -6, -5.5, 4]);
});

golden(
  ["cusum()"],
  "a sample that does not bring it leaves the last result, an unknown one the sums",
  () => {
    const rows: TraceRow[] = [
      { a: 0, is: { x: 12, y: 1 } }, // 12: above 12 - 10 - 1 = 1
      { a: 1, is: { x: 12 } }, // 2
      { a: 2, is: { speed: 50 } }, // brings neither x nor y
      { a: 3, is: { y: 0 } }, // 12 / 0 is unknown
      { a: 4, is: { speed: 51 } }, // the last result is unknown
      { a: 5, is: { y: 0.5 } }, // 24: 2 + 13 = 15
    ];
    assertEquals(numbers("cusum(x / y, 10, 1, 100)", rows), [1, 2, 2, NaN, NaN, 15]);
    assertEquals(numbers("cusum(x / y, 10, 1, 100) + 0 * (speed / speed)", rows).slice(2), [
      2,
      NaN,
      NaN,
      15,
    ]);
  },
);

golden(
  ["cusum()"],
  "each vehicle has its own sums, a sample is taken in once whatever rules name it",
  () => {
    const trace = new Trace(`version: 1
rules:
  - { id: a, when: "cusum(x, 0, 0, 100) >= 5", message: "{cusum(x, 0, 0, 100)}" }
  - { id: b, when: "cusum(x, 0, 0, 100) >= 4", message: "{cusum(x, 0, 0, 99)}" }`);
    const rows: TraceRow[] = [
      { a: 0, is: { x: 3 } },
      { a: 1, v: "W", is: { x: 4 } }, // W: 4
      { a: 2, is: { x: 2 } }, // V: 5
      { a: 3, v: "W", is: { x: 1 } }, // W: 5
    ];
    assertEquals(trace.lines(rows, (each) => `${each.vehicle} ${each.message}`), [
      "opened b@1 W 4",
      "opened a@2 V 5",
      "opened b@2 V 5",
      "opened a@3 W 5",
    ]);
  },
);

golden(["cusum()"], "at a silence it stands; after a clock reset it begins anew", () => {
  const trace = new Trace(`version: 1
settings: { clock_reset_after: 10 s }
rules:
  - { id: silent, when: "absent(9 s) and cusum(x, 0, 1, 100) > 2", message: "{cusum(x, 0, 1, 100)}" }
  - { id: drift, when: "cusum(x, 0, 1, 100) > 2", message: "{cusum(x, 0, 1, 100)}" }`);
  const shown = (rows: readonly TraceRow[]) => trace.lines(rows, ({ message }) => message);
  assertEquals(shown([{ a: 1000, is: { x: 3 } }, { a: 1001, is: { x: 3 } }]), [
    "opened drift@1001 4",
  ]);
  assertEquals(shown([{ a: 1020 }]), ["opened silent@1010 4"]);
  // The clock went back by 900 s; from the sample 10 s after the first such on it counts.
  const back = [1021, 1026, 1031].map((a): TraceRow => ({ a, t: a - 900, is: { x: 3 } }));
  assertEquals(shown(back).filter((line) => line.includes("clock reset")), [
    "cleared (clock reset) drift@1001 4",
  ]);
  assertEquals(shown([{ a: 1032, t: 132, is: { x: 3.5 } }]), ["opened drift@132 4.5"]); // 2 + 2.5
});
