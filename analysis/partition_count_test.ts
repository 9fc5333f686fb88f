import { assertEquals, assertRejects } from "@std/assert";
import { type EmbeddedBus, openEmbeddedBus } from "../bus/embedded_bus.ts";
import { encodeProgress } from "../contract/progress.ts";
import { ANALYSIS_GROUP, TOPICS } from "../contract/topics.ts";
import { PartitionCount, PartitionsChangedError } from "./partition_count.ts";
import { traceRules } from "../testing/engine_trace.ts";
import { Site } from "./test_support.ts";

const RULES = traceRules("version: 1\nrules: [{ id: hot, when: coolant > 110 }]");

/** Writes progress on a partition as if telemetry had had so many. */
async function begin(bus: EmbeddedBus, partition: number, partitions: number): Promise<void> {
  const stop = new AbortController();
  const { telemetry: topic, checkpoints: progressTopic } = TOPICS;
  const options = { topic, group: ANALYSIS_GROUP, progressTopic, signal: stop.signal };
  for await (const lease of bus.lease(options)) {
    if (lease.partition !== partition) continue;
    const progress = { next: 0, since: 0, version: RULES.version, checkpoint: null, partitions };
    await lease.commit({ nextOffset: 0, outputs: [], progress: encodeProgress(progress) });
    stop.abort();
  }
}

/** Runs `body` over a bus with so many partitions of telemetry and of progress. */
async function withBus(
  telemetry: number,
  checkpoints: number,
  body: (bus: EmbeddedBus) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "kilter-partitions-" });
  const bus = await openEmbeddedBus({ dir, fsync: "interval" }, {
    now: Date.now,
    events: () => {},
  });
  try {
    const kept = { retentionMs: Infinity, retentionBytes: Infinity } as const;
    await bus.ensureTopics([
      { ...kept, name: TOPICS.telemetry, partitions: telemetry, cleanup: "delete" },
      { ...kept, name: TOPICS.checkpoints, partitions: checkpoints, cleanup: "compact" },
    ]);
    await body(bus);
  } finally {
    await bus.close();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("analysis: a changed number of partitions stops it, with the way out", () =>
  Site.with(async (site) => {
    await site.sample("V", { coolant: 120 });
    await begin(site.bus, 0, 3);
    const error = await assertRejects(() => site.work(RULES), PartitionsChangedError);
    for (const part of ["has 1 partitions", "had 3", "--topic-telemetry", "--topic-checkpoints"]) {
      assertEquals(error.message.includes(part), true, error.message);
    }
    assertEquals(await site.transitions(), []);
  }));

Deno.test("analysis: the number of partitions is kept with its progress", () =>
  Site.with(async (site) => {
    await site.sample("V", { coolant: 120 });
    await site.work(RULES);
    assertEquals((await site.progress())?.partitions, 1);
    // A record from before it was kept says nothing, and is written anew.
    await begin(site.bus, 0, 0);
    await site.sample("V", { coolant: 90 });
    await site.work(RULES);
    assertEquals((await site.progress())?.partitions, 1);
  }));

Deno.test("analysis: a partition without progress is checked against the others", () =>
  withBus(4, 4, async (bus) => {
    const count = () => new PartitionCount(bus, TOPICS, ANALYSIS_GROUP);
    assertEquals(await count().check(null), 4);
    await begin(bus, 1, 2);
    await assertRejects(() => count().check(null), PartitionsChangedError, "had 2");
    await begin(bus, 1, 4);
    assertEquals(await count().check(null), 4);
  }));

Deno.test("analysis: with too few partitions for progress the reason is told, if it is growth", () =>
  withBus(4, 2, async (bus) => {
    const count = () => new PartitionCount(bus, TOPICS, ANALYSIS_GROUP);
    await count().checkRoom();
    await bus.publish([{
      topic: TOPICS.checkpoints,
      records: [{
        key: new TextEncoder().encode(`progress/${ANALYSIS_GROUP}/${TOPICS.telemetry}`),
        value: encodeProgress({ next: 0, since: 0, version: "", checkpoint: null, partitions: 2 }),
        partition: 1,
      }],
    }]);
    await assertRejects(() => count().checkRoom(), PartitionsChangedError, "had 2");
  }));
