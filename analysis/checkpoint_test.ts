import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type EmbeddedBus, openEmbeddedBus } from "../bus/embedded_bus.ts";
import { Seeded } from "../testing/seeded.ts";
import { CheckpointError, checkpointRecords, CHUNK_BYTES, readCheckpoint } from "./checkpoint.ts";

const TOPIC = "kilter.checkpoints";
const KEY = "group/vehicle.telemetry";

async function withBus(run: (bus: EmbeddedBus) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "kilter-checkpoint-" });
  const bus = await openEmbeddedBus({ dir, fsync: "interval", retainEveryMs: 0 }, {
    now: () => Date.now(),
    events: () => {},
  });
  try {
    const forEver = { retentionMs: Infinity, retentionBytes: Infinity };
    await bus.ensureTopics([{ name: TOPIC, partitions: 2, cleanup: "compact", ...forEver }]);
    await run(bus);
  } finally {
    await bus.close();
    await Deno.remove(dir, { recursive: true });
  }
}

/** Bytes that do not compress. */
function noise(length: number, seed: number): Uint8Array {
  const random = new Seeded(seed);
  return Uint8Array.from({ length }, () => random.below(256));
}

async function write(bus: EmbeddedBus, snapshot: Uint8Array, next: number, chunksBefore = 0) {
  const from = (await bus.bounds(TOPIC))[1].end;
  const made = await checkpointRecords(snapshot, {
    ...{ partition: 1, key: KEY, next, from, chunksBefore },
  });
  await bus.publish([{ topic: TOPIC, records: made.records }]);
  return made.place;
}

const read = (bus: EmbeddedBus, place: Parameters<typeof readCheckpoint>[4]) =>
  readCheckpoint(bus, TOPIC, 1, KEY, place);

Deno.test("checkpoint: what was written is read, in however many records it lies", () =>
  withBus(async (bus) => {
    let chunksBefore = 0;
    for (const length of [0, 1, CHUNK_BYTES * 2 + 17, 300]) {
      const snapshot = noise(length, length + 1);
      const place = await write(bus, snapshot, length, chunksBefore);
      assertEquals(await read(bus, place), snapshot);
      chunksBefore = place.chunks;
    }
    // Compaction leaves the newest, and nothing of larger ones before.
    while ((await bus.retain()).more);
    let records = 0;
    for await (const batch of bus.range(TOPIC, 1, 0, Infinity)) {
      for (let i = 0; i < batch.count; i++) if (!batch.tombstone(i)) records++;
    }
    assertEquals(records, 1);
  }));

Deno.test("checkpoint: one that a later one took the place of is not taken for it", () =>
  withBus(async (bus) => {
    const old = await write(bus, noise(CHUNK_BYTES + 1, 1), 1);
    await write(bus, noise(CHUNK_BYTES + 1, 2), 2);
    while ((await bus.retain()).more);
    const error = await assertRejects(() => read(bus, old), CheckpointError);
    assertStringIncludes(error.message, "of 2 records 0 are there");
  }));

Deno.test("checkpoint: damaged or exchanged records are refused", () =>
  withBus(async (bus) => {
    const from = (await bus.bounds(TOPIC))[1].end;
    const { records, place } = await checkpointRecords(noise(5_000, 3), {
      ...{ partition: 1, key: KEY, next: 9, from, chunksBefore: 0 },
    });
    const [record] = records;
    const value = record.value?.slice() ?? new Uint8Array(0);
    value[2_000] ^= 1;
    await bus.publish([{ topic: TOPIC, records: [{ ...record, value }] }]);
    const error = await assertRejects(() => read(bus, place), CheckpointError);
    assertStringIncludes(error.message, "damaged");
    const short = { ...place, bytes: place.bytes - 1 };
    assertStringIncludes(
      (await assertRejects(() => read(bus, short), CheckpointError)).message,
      "do not fit",
    );
  }));
