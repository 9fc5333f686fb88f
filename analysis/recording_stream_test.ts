/** A recording that streams gives what one in memory gives, and takes no memory with its length. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { createDecoder } from "../rules-wasm/decoder.ts";
import { loadCatalog } from "../rules-wasm/language/catalog_file.ts";
import { Seeded } from "../testing/seeded.ts";
import { makeAppendTimes, orderByAppend, readSamples } from "./recording_order_fixture.ts";
import { orderedSamples } from "./recording_stream.ts";
import { surveyRecording } from "./recording_survey.ts";
import { WaitingSamples } from "./recording_waiting.ts";

const FIRST_SEED = Number(Deno.env.get("KILTER_SEED") ?? 1);
const SEEDS = Number(Deno.env.get("KILTER_SEEDS") ?? 200);
const AHEAD_MS = 60_000;
const START_MS = 1.76e12;
const TEXT = new TextEncoder();

const loaded = loadCatalog(
  Deno.readTextFileSync(new URL("../rules-wasm/signals.yaml", import.meta.url)),
  { file: "signals.yaml" },
);
assert(loaded.ok);
const { catalog } = loaded;
const decoder = () => createDecoder(catalog, { maxVehicles: 50, maxClockAheadMs: Infinity });

/** Lines in blocks: in time or drive by drive, with clocks that leap, stand, fall and go mad. */
function recording(random: Seeded): Uint8Array[] {
  const vehicles = 1 + random.below(6);
  const clocks = Array.from({ length: vehicles }, () => START_MS + random.below(100_000));
  const driveByDrive = random.chance(0.3);
  const lines: string[] = [];
  const count = random.below(400);
  for (let i = 0; i < count; i++) {
    const v = driveByDrive ? Math.floor(i * vehicles / count) : random.below(vehicles);
    const dice = random.next();
    if (dice < 0.85) clocks[v] += random.below(2_000);
    else if (dice < 0.9) clocks[v] -= random.below(30_000);
    else if (dice < 0.95) clocks[v] += AHEAD_MS + random.below(3) - 1;
    const mad = random.chance(0.03) ? 4e12 : clocks[v];
    const sample = JSON.stringify({ vehicle: `V-${v}`, ts: mad, speed: i });
    if (random.chance(0.03)) lines.push("");
    if (random.chance(0.03)) lines.push("{oops");
    lines.push(random.chance(0.05) ? `${sample} ${sample}` : sample);
  }
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < lines.length;) {
    const next = at + 1 + random.below(30);
    blocks.push(TEXT.encode(lines.slice(at, next).map((line) => `${line}\n`).join("")));
    at = next;
  }
  return blocks;
}

async function* each(blocks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const block of blocks) yield await Promise.resolve(block);
}

/** What is compared of a sample. */
type Row = readonly [append: number, line: number, slot: number, text: string];

Deno.test(`recording: ${SEEDS} random ones stream in the order in which memory sorts them`, async () => {
  const text = new TextDecoder();
  let moved = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const random = new Seeded(seed);
    const blocks = recording(random);
    const fromMs = random.chance(0.3) ? START_MS + random.below(200_000) : -Infinity;
    const wanted = (append: number) => append >= fromMs;
    const all = await readSamples(each(blocks), decoder(), () => {});
    const append = makeAppendTimes(all.slot, all.t, all.count, AHEAD_MS);
    const order = orderByAppend(append).filter((i) => wanted(append[i]));
    const expected = [...order].map((i): Row => {
      const bytes = all.blocks[all.block[i]].subarray(all.start[i], all.end[i]);
      return [append[i], all.line[i], all.slot[i], text.decode(bytes)];
    });
    moved += order.findIndex((i, at) => i !== at) >= 0 ? 1 : 0;

    const survey = await surveyRecording(each(blocks), decoder(), AHEAD_MS, wanted, () => {});
    const found: Row[] = [];
    const batchRecords = 1 + random.below(50);
    const batches = orderedSamples({
      ...{ blocks: each(blocks), decoder: decoder(), survey, maxClockAheadMs: AHEAD_MS },
      ...{ wanted, batchRecords },
    });
    for await (const { count, values, valueEnds, appendTimes, offsets, slots } of batches) {
      assert(count > 0 && count <= batchRecords);
      for (let i = 0; i < count; i++) {
        const bytes = values.subarray(i === 0 ? 0 : valueEnds[i - 1], valueEnds[i]);
        found.push([appendTimes[i], offsets[i], slots[i], text.decode(bytes)]);
      }
    }
    assertEquals(found, expected, `KILTER_SEED=${seed} KILTER_SEEDS=1`);
    assertEquals(
      [survey.samples, survey.wanted, [...survey.refused]],
      [all.count, expected.length, [...all.refused]],
      `KILTER_SEED=${seed} KILTER_SEEDS=1`,
    );
    const lines = all.line.subarray(0, all.count);
    assertEquals(survey.singly, lines.every((line, i) => i === 0 || line !== lines[i - 1]));
  }
  assertGreater(moved, SEEDS / 3, "the recordings are too orderly");
});

Deno.test("recording: the least A behind a block holds for any number of blocks", async () => {
  // More blocks than pieces are told apart: each piece is several of them.
  const blocks = 150_000;
  const random = new Seeded(3);
  const times = Float64Array.from({ length: blocks }, (_, i) => START_MS + 10 * i);
  for (let i = 0; i < 200; i++) times[random.below(blocks)] -= random.below(1e6);
  let block = 0;
  const survey = await surveyRecording(
    (async function* () {
      for (; block < blocks; block++) {
        yield TEXT.encode(`{"vehicle":"V-${block}","ts":${times[block]}}`);
      }
    })(),
    createDecoder(catalog, { maxVehicles: 200_000, maxClockAheadMs: Infinity }),
    AHEAD_MS,
    () => true,
    () => {},
  );
  let least = Infinity;
  for (let i = blocks; i >= 0; i--) {
    least = Math.min(least, times[i] ?? Infinity);
    const told = survey.leastFrom(i);
    assert(told <= least, `block ${i}: ${told} is not below ${least}`);
    // A piece reaches a few blocks back, no further.
    const before = Math.min(...times.subarray(Math.max(0, i - 3), i), least);
    assert(told >= before, `block ${i}: ${told} is below ${before}`);
  }
});

Deno.test("recording: samples that wait come by A, then in the order of the text", () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + 20; seed++) {
    const random = new Seeded(seed);
    const waiting = new WaitingSamples();
    let inside: (readonly [number, number])[] = [];
    let line = 0;
    for (let round = 0; round < 30; round++) {
      waiting.enter(TEXT.encode("x"));
      for (let i = random.below(200); i > 0; i--) {
        const append = random.below(50);
        waiting.add(append, line, 7, 0, 1);
        inside.push([append, line++]);
      }
      waiting.leave();
      inside = inside.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      const out = random.chance(0.2) ? inside.length : random.below(inside.length + 1);
      for (let i = out; i > 0; i--) {
        const { append, line, bytes } = waiting.first();
        assertEquals([append, line], inside.shift(), `seed ${seed}`);
        assertEquals(bytes.length, 1);
        waiting.drop();
      }
      assertEquals(waiting.least, inside[0]?.[0] ?? NaN);
      if (inside.length === 0) assertEquals(waiting.blocks, 0, "nothing is held any more");
    }
  }
});
