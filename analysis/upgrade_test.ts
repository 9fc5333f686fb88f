/** Data of earlier versions: what was open when they stopped goes on under this one. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { TOPICS } from "../contract/topics.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { Site, until } from "./test_support.ts";
import { second, SECONDS, UPGRADE_RULES } from "./upgrade_fixture.ts";

/** Seconds that are lived on under this version. */
const MORE_SECONDS = 100;

const decoded = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What an engine of today makes of the whole log. */
async function oracle(site: Site, rules: RuleSet): Promise<string[]> {
  const engine = createEngine(rules, { partition: 0 });
  const lines: string[] = [];
  for await (const batch of site.bus.range(TOPICS.telemetry, 0, 0, Infinity)) {
    for (const { value } of engine.push(batch).anomalies) lines.push(decoded(value));
  }
  return lines;
}

/** Ids that stand open, with their rules. */
async function open(site: Site): Promise<Map<string, string>> {
  const standing = new Map<string, string>();
  for (const { kind, id, rule } of await site.transitions()) {
    if (kind === "cleared") standing.delete(id);
    else if (rule !== "jump") standing.set(id, rule);
  }
  return standing;
}

async function unpack(name: string, dir: string): Promise<void> {
  const packed = await Deno.open(new URL(`./testdata/${name}.sqlite.gz`, import.meta.url));
  const file = await Deno.create(`${dir}/bus.sqlite`);
  await packed.readable.pipeThrough(new DecompressionStream("gzip")).pipeTo(file.writable);
}

const FIXTURES = [
  { name: "checkpoint", what: "a checkpoint", format: 2, restored: 1 },
  { name: "no_checkpoint", what: "progress without checkpoints", format: 1, restored: 0 },
];

for (const { name, what, format, restored } of FIXTURES) {
  Deno.test(`upgrade: ${what} of an earlier version is gone on from, open anomalies and all`, () =>
    Site.with(async (site) => {
      await site.goOnAfterLast(TOPICS.telemetry);
      const progress = JSON.parse(
        decoded((await site.values(TOPICS.checkpoints)).at(-1) ?? new Uint8Array(0)),
      );
      assertEquals(progress.format, format);
      // The newest version's name for the rules is today's; the catalog of tests has grown before.
      if (restored > 0) assertEquals(progress.version, UPGRADE_RULES.version);
      const rules: RuleSet = { ...UPGRADE_RULES, version: progress.version };
      const before = await open(site);
      assertEquals([...before.values()].toSorted(), ["fall", "fast", "hot", "silent"]);
      const written = await site.values(TOPICS.anomalies);
      await site.run(rules, async (over) => {
        for (let i = SECONDS; i < SECONDS + MORE_SECONDS; i++) await second(site, i, true);
        await until("all is committed", async () => over() || await site.consumed(rules));
        await until(
          "it has told its figures",
          () => Promise.resolve(over() || "samples" in site.metrics),
        );
      });
      const transitions = await site.transitions();
      for (const [id, rule] of before) {
        const own = transitions.filter((transition) => transition.id === id);
        assertEquals(own.map(({ kind }) => kind), ["opened", "cleared"], rule);
      }
      const pending = transitions.find(({ vehicle, kind }) =>
        vehicle === "pending" && kind === "opened"
      );
      assert(pending !== undefined && !before.has(pending.id));
      const published = (await site.values(TOPICS.anomalies)).map(decoded);
      assertEquals(published.slice(0, written.length), written.map(decoded));
      assertEquals(published, await oracle(site, rules));
      assertEquals(site.metrics.checkpoints_restored ?? 0, restored);
      if (restored > 0) assertGreater(site.metrics.records_replayed, 0);
      assertEquals(site.events.filter(({ level }) => level !== "info"), []);
    }, (dir) => unpack(name, dir)));
}
