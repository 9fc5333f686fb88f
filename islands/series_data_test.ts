import { assertEquals } from "@std/assert";
import { appended, indexAt, polylines, rangeOf, stretches, withGaps } from "./series_data.ts";

const series = { signal: "speed", unit: "km/h", t: [0, 1000, 100_000, 101_000], v: [0, 50, 60, 0] };

Deno.test("series_data: a gap is a gap, in charts, lines and stretches", () => {
  assertEquals(withGaps(series), [[0, 1000, 1001, 100_000, 101_000], [0, 50, null, 60, 0]]);
  assertEquals(polylines(series, 0, 101_000, 101, 60).length, 2);
  assertEquals(stretches(series), [{ moving: false, from: 0, to: 1000 }, {
    moving: true,
    from: 100_000,
    to: 101_000,
  }]);
});

Deno.test("series_data: a newer sample is taken, an older or missing one is not", () => {
  assertEquals(appended(series, 102_000, 7, 1000).t, [1000, 100_000, 101_000, 102_000]);
  assertEquals(appended(series, 101_000, 7, 0), series);
  assertEquals(appended(series, 102_000, undefined, 0), series);
});

Deno.test("series_data: the sample at a time, and a range that is never empty", () => {
  assertEquals([-1, 0, 999, 1000, 1e9].map((time) => indexAt(series.t, time)), [-1, 0, 0, 1, 3]);
  assertEquals(rangeOf([]), [0, 1]);
  const [least, most] = rangeOf([5, 5]);
  assertEquals(least < 5 && most > 5, true);
  assertEquals(rangeOf([0, 10])[0], 0);
});
