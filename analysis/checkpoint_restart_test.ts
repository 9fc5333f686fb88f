/** Restarts over checkpoints: the state comes back whole, or it is said why not. */
import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { TOPICS } from "../contract/topics.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import { traceRules } from "../testing/engine_trace.ts";
import { Seeded } from "../testing/seeded.ts";
import { RETENTION_MS, Site, until } from "./test_support.ts";

const RULES = traceRules(`version: 1
rules:
  - { id: fast, when: speed > 100, for: 20 s, clear: speed < 90, clear_for: 10 s }
  - { id: hot, when: "avg(coolant, 60 s) > 110", cooldown: 30 s }
  - { id: fall, when: "delta(fuel, 60 s) < -5", for: 5 s }
  - { id: jump, when: "speed - prev(speed) > 60", once: true }
  - { id: silent, when: absent(15 s) }`);

/** Longer than the time between two checkpoints. */
const LONG_MS = 31_000;

const decoded = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function oracle(site: Site): Promise<string[]> {
  const engine = createEngine(RULES, { partition: 0 });
  const lines: string[] = [];
  for await (const batch of site.bus.range(TOPICS.telemetry, 0, 0, Infinity)) {
    for (const { value } of engine.push(batch).anomalies) lines.push(decoded(value));
  }
  return lines;
}

const published = async (site: Site) => (await site.values(TOPICS.anomalies)).map(decoded);

/** Works until a checkpoint of all that there is has been written. */
async function workToCheckpoint(site: Site): Promise<void> {
  await site.run(RULES, async (over) => {
    await until("all is committed", async () => over() || await site.consumed(RULES));
    site.aheadMs += LONG_MS;
    await site.sample("pace", { speed: 1 });
    const [{ end }] = await site.bus.bounds(TOPICS.telemetry);
    await until(
      "a checkpoint is written",
      async () => over() || ((await site.progress())?.checkpoint?.next ?? 0) >= end,
    );
  });
}

for (let seed = 1; seed <= 4; seed++) {
  Deno.test(`checkpoints: restarted again and again, it gives what one run gives, seed ${seed}`, () =>
    Site.with(async (site) => {
      const random = new Seeded(seed);
      for (let round = 0; round < 12; round++) {
        for (let i = 0; i < 15; i++) {
          site.aheadMs += random.below(8_000);
          await site.sample(`V-${random.below(4)}`, {
            speed: random.pick([40, 95, 105, 130]),
            coolant: random.pick([90, 112, 130]),
            fuel: random.below(60),
          });
        }
        if (random.chance(0.5)) await workToCheckpoint(site);
        else await site.work(RULES);
      }
      const expected = await oracle(site);
      assertEquals(await published(site), expected);
      assertGreater(expected.length, 40);
      assertEquals(site.events.filter(({ level }) => level !== "info"), []);
    }));
}

Deno.test("checkpoints: only what came after the newest is read again", () =>
  Site.with(async (site) => {
    for (let i = 0; i < 200; i++) await site.sample("V", { speed: 120 });
    await workToCheckpoint(site);
    for (let i = 0; i < 3; i++) await site.sample("V", { speed: 120 });
    await site.work(RULES);
    site.aheadMs += 1_000;
    await site.sample("V", { speed: 120 });
    await site.run(
      RULES,
      (over) =>
        until(
          "it has told its figures",
          async () =>
            over() || (await site.consumed(RULES) && "checkpoints_restored" in site.metrics),
        ),
    );
    assertEquals([site.metrics.checkpoints_restored, site.metrics.records_replayed], [1, 3]);
  }));

Deno.test("checkpoints: what is open outlives the telemetry that opened it", () =>
  Site.with(async (site) => {
    await site.sample("V", { speed: 120 });
    site.aheadMs += 21_000;
    await site.sample("V", { speed: 120 });
    await workToCheckpoint(site);
    const before = await published(site);
    assert(before.some((line) => line.includes('"rule":"fast"')), before.join("\n"));
    await site.retain(RETENTION_MS + 60_000);
    await site.sample("V", { speed: 120 });
    await site.work(RULES);
    const fresh = (await site.transitions()).slice(before.length)
      .map(({ kind, rule }) => `${kind} ${rule}`);
    assertEquals(fresh.filter((line) => line.includes("fast")), []);
    assertEquals(site.events.filter(({ level }) => level !== "info"), []);
  }));

Deno.test("checkpoints: a damaged one is told of, and the log gives the state instead", () =>
  Site.with(async (site) => {
    await site.sample("V", { speed: 120 });
    site.aheadMs += 21_000;
    await site.sample("V", { speed: 120 });
    await workToCheckpoint(site);
    const place = (await site.progress())?.checkpoint;
    assert(place);
    // Somebody writes over its records.
    const key = new TextEncoder().encode(`checkpoint/kilter-analysis/${TOPICS.telemetry}/0`);
    const headers = { "kilter-checkpoint": place.id };
    const progress = (await site.values(TOPICS.checkpoints)).at(-1) ?? new Uint8Array(0);
    const progressKey = new TextEncoder().encode(`progress/kilter-analysis/${TOPICS.telemetry}`);
    await site.bus.publish([{
      topic: TOPICS.checkpoints,
      records: [
        { key, headers, value: new Uint8Array(place.bytes), partition: 0 },
        { key: progressKey, value: progress, partition: 0 },
      ],
    }]);
    while ((await site.bus.retain()).more);
    site.aheadMs += 1_000;
    await site.sample("V", { speed: 80 });
    site.aheadMs += 11_000;
    await site.sample("V", { speed: 80 });
    await site.work(RULES);
    assertEquals(await published(site), await oracle(site));
    const told = site.events.filter(({ level }) => level !== "info");
    assertEquals(told.map(({ name }) => name), [
      "analysis.checkpoint_refused",
      "analysis.state_mended",
    ]);
    assertStringIncludes(told[0].message, "damaged");
  }));
