import { assert, assertEquals, assertLess } from "@std/assert";
import { decodeSeries, encodeSeries, inOrder, mergeSeries } from "./series_codec.ts";

const START = 29_398_440 * 60_000;

function times(...offsets: number[]): Float64Array {
  return Float64Array.from(offsets, (ms) => START + ms);
}

Deno.test("series codec: every double comes back exactly, missing ones too", () => {
  const tables: number[][] = [
    [74.2, 74.3, NaN, 73.9],
    [59.3293235, 59.3293236, 59.3293237, 59.3293238],
    [0.1 + 0.2, Math.PI, 1e300, -1e-300],
    [1e15, 0.000001, 2, -3],
    [NaN, NaN, NaN, 0],
    [-1, -2, -3, -1000000],
    [2 ** 53, 0, 1, 2],
    [1125899906842624, 0.5, 0.25, 1],
  ];
  for (const values of tables) {
    const columns = new Map([[3, Float64Array.from(values)], [
      900,
      Float64Array.from([1, 2, 3, 4]),
    ]]);
    const t = times(0, 999, 59_000, 59_999);
    const back = decodeSeries(START, encodeSeries(START, { t, columns }));
    assertEquals([...back.t], [...t]);
    assertEquals([...back.columns.get(3) ?? []], values);
    assertEquals([...back.columns.get(900) ?? []], [1, 2, 3, 4]);
  }
});

Deno.test("series codec: only the wanted signals are decoded", () => {
  const columns = new Map([[1, Float64Array.of(1)], [2, Float64Array.of(2)]]);
  const blob = encodeSeries(START, { t: times(5), columns });
  assertEquals([...decodeSeries(START, blob, new Set([2])).columns.keys()], [2]);
});

Deno.test("series codec: a usual sample takes about two bytes a signal", () => {
  const t = times(...Array.from({ length: 60 }, (_, k) => k * 1000));
  const columns = new Map<number, Float64Array>();
  for (let id = 0; id < 12; id++) {
    columns.set(id, Float64Array.from(t, (_, k) => Math.round(80 + 10 * Math.sin(k + id)) / 10));
  }
  assertLess(encodeSeries(START, { t, columns }).length, 60 * 12 * 2);
});

Deno.test("series codec: damaged bytes are refused, not read beyond", () => {
  const blob = encodeSeries(START, {
    t: times(0, 1),
    columns: new Map([[1, Float64Array.of(1, 2)]]),
  });
  for (let length = 0; length < blob.length; length++) {
    try {
      decodeSeries(START, blob.slice(0, length));
    } catch (error) {
      assert(error instanceof RangeError);
    }
  }
});

Deno.test("series codec: samples out of order are sorted, those of one time become one", () => {
  const { t, columns } = inOrder(
    times(30, 10, 20, 10),
    new Map([[1, Float64Array.of(3, 1, 2, NaN)], [2, Float64Array.of(NaN, 5, NaN, 6)]]),
  );
  assertEquals([...t], [...times(10, 20, 30)]);
  assertEquals([...columns.get(1) ?? []], [1, 2, 3]);
  assertEquals([...columns.get(2) ?? []], [6, NaN, NaN]);
});

Deno.test("series codec: merging the same samples twice changes nothing", () => {
  const series = { t: times(1, 2), columns: new Map([[1, Float64Array.of(7, 8)]]) };
  const merged = mergeSeries(series, series);
  assertEquals([...merged.t], [...series.t]);
  assertEquals([...merged.columns.get(1) ?? []], [7, 8]);
});
