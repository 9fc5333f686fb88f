import { assertEquals } from "@std/assert";
import { loadCatalog } from "../rules-wasm/language/catalog_file.ts";
import { createDecoder } from "../rules-wasm/decoder.ts";
import { makeAppendTimes, orderByAppend, readSamples } from "./recording_order_fixture.ts";

const AHEAD_MS = 60_000;
const FAR = 4e12;

/** Made append times of one vehicle. */
const made = (
  t: readonly number[],
) => [...makeAppendTimes(new Uint32Array(t.length), Float64Array.from(t), t.length, AHEAD_MS)];

Deno.test("recording: A grows by each forward step of T and stands still where T goes back", () => {
  // Steps of +2,000, -1,000, +1,500.
  assertEquals(made([1_000, 3_000, 2_000, 3_500]), [1_000, 3_000, 3_000, 4_500]);
});

Deno.test("recording: after a clock was set back A goes on, at a steady distance from T", () => {
  const append = made([FAR, 1_000, 2_000, 3_000]);
  assertEquals(append, [FAR, FAR, FAR + 1_000, FAR + 2_000]);
});

Deno.test("recording: one corrupt stamp far ahead does not carry A away", () => {
  assertEquals(made([0, 1_000, FAR, 2_000, 3_000]), [0, 1_000, 1_000, 2_000, 3_000]);
  assertEquals(made([0, 1_000, FAR]), [0, 1_000, 1_000], "nothing confirms the last");
});

Deno.test("recording: a pause counts once the next sample confirms it", () => {
  const pause = AHEAD_MS + 1;
  assertEquals(made([0, pause, pause]), [0, pause, pause]);
  assertEquals(made([0, AHEAD_MS]), [0, AHEAD_MS], "a step up to the limit needs none");
});

Deno.test("recording: vehicles are merged by A, ties by line", () => {
  const slot = Uint32Array.of(0, 0, 1, 1, 2);
  const t = Float64Array.of(10, 30, 20, 30, 10);
  const append = makeAppendTimes(slot, t, 5, AHEAD_MS);
  assertEquals([...orderByAppend(append)], [0, 4, 2, 1, 3]);
});

Deno.test("recording: lines keep their numbers over blocks, blank ones are not refused", async () => {
  const file = new URL("../rules-wasm/signals.yaml", import.meta.url);
  const loaded = loadCatalog(await Deno.readTextFile(file), { file: "signals.yaml" });
  if (!loaded.ok) throw new Error("the shipped catalog does not load");
  const line = (t: number) => `{"vehicle":"V","ts":${1.7e12 + t},"speed":1}\n`;
  const blocks = [`${line(0)}\n \t\r\n${line(1)}{oops\n`, `\n${line(2)}`];
  const samples = await readSamples(
    (async function* () {
      for (const block of blocks) yield new TextEncoder().encode(block);
    })(),
    createDecoder(loaded.catalog, { maxVehicles: 10, maxClockAheadMs: Infinity }),
    () => {},
  );
  assertEquals([...samples.line.subarray(0, samples.count)], [0, 3, 6]);
  assertEquals([...samples.t.subarray(0, samples.count)], [1.7e12, 1.7e12 + 1, 1.7e12 + 2]);
  assertEquals([...samples.refused], [["malformed-json", 1]]);
});
