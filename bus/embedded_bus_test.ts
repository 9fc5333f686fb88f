import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Seeded } from "../testing/seeded.ts";
import { bytes, eventually, everything, type SeenRecord } from "./conformance_support.ts";
import { type EmbeddedBus, type EmbeddedBusOptions, openEmbeddedBus } from "./embedded_bus.ts";
import { BUS_FILE, toBusError } from "./embedded_schema.ts";
import { type Bus, BusError, type OutgoingRecord, type TopicSpec } from "./port.ts";

interface Bench {
  readonly dir: string;
  readonly bus: EmbeddedBus;
  /** Clock of the bus: whole milliseconds from a fixed start. */
  readonly clock: { ms: number };
  /** Another bus over the folder; closed with the rest. */
  open(options?: Partial<EmbeddedBusOptions>): Promise<EmbeddedBus>;
}

const DAY_MS = 86_400_000;

async function withBus(run: (bench: Bench) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "kilter-bus-" });
  const clock = { ms: 1_800_000_000_000 };
  const opened: Bus[] = [];
  const open = async (options: Partial<EmbeddedBusOptions> = {}) => {
    const bus = await openEmbeddedBus({
      dir,
      fsync: "interval",
      retainEveryMs: 0,
      ...options,
    }, { now: () => clock.ms, events: () => {} });
    opened.push(bus);
    return bus;
  };
  try {
    await run({ dir, bus: await open(), clock, open });
  } finally {
    for (const bus of opened) await bus.close();
    await Deno.remove(dir, { recursive: true });
  }
}

function spec(name: string, rest: Partial<TopicSpec> = {}): TopicSpec {
  return {
    name,
    partitions: 1,
    cleanup: "delete",
    retentionMs: Infinity,
    retentionBytes: Infinity,
    ...rest,
  };
}

function record(value: string, partition = 0): OutgoingRecord {
  return { key: null, value: bytes(value), partition };
}

async function retainAll(bus: EmbeddedBus): Promise<number> {
  let rows = 0;
  for (;;) {
    const result = await bus.retain();
    rows += result.rows;
    if (!result.more) return rows;
  }
}

Deno.test("embedded bus: a folder that cannot be made is one clear line", async () => {
  await withBus(async ({ dir }) => {
    await Deno.writeTextFile(`${dir}/file`, "");
    const error = await assertRejects(
      () =>
        openEmbeddedBus({ dir: `${dir}/file/data`, fsync: "always" }, {
          now: () => 0,
          events: () => {},
        }),
      BusError,
      `Cannot open the data folder ${dir}/file/data: `,
    );
    assertEquals(error.message.split("\n").length, 1);
  });
});

Deno.test("embedded bus: a damaged file is named and left as it is", async () => {
  await withBus(async ({ dir, open }) => {
    const damaged = `${dir}/damaged`;
    await Deno.mkdir(damaged);
    const content = bytes("no database, though it was one once\n".repeat(1_000));
    await Deno.writeFile(`${damaged}/${BUS_FILE}`, content);
    const error = await assertRejects(() => open({ dir: damaged }), BusError);
    assertStringIncludes(error.message, `${damaged}/${BUS_FILE}`);
    assertStringIncludes(error.message, "damaged");
    assertEquals(await Deno.readFile(`${damaged}/${BUS_FILE}`), content);
  });
});

Deno.test("embedded bus: damage within the file is told where it is read", async () => {
  await withBus(async ({ bus, dir, open }) => {
    await bus.ensureTopics([spec("t")]);
    for (let i = 0; i < 40; i++) {
      await bus.publish([{ topic: "t", records: [record(`${i}`.repeat(20_000))] }]);
    }
    await bus.close();
    const path = `${dir}/${BUS_FILE}`;
    const content = await Deno.readFile(path);
    // All but the schema's page and what hangs on it directly.
    content.fill(0x5a, Math.floor(content.length / 8));
    await Deno.writeFile(path, content);
    const error = await assertRejects(async () => {
      const again = await open();
      for await (const batch of again.range("t", 0, 0, Infinity)) assert(batch.count > 0);
    }, BusError);
    assertStringIncludes(error.message, path);
    assertStringIncludes(error.message, "damaged");
  });
});

Deno.test("embedded bus: what a fault of the file means is said with what to do", () => {
  const cases: [string, string][] = [
    ["attempt to write a readonly database", "make the file and its folder writable"],
    ["database or disk is full", "free space"],
    ["database is locked", "another process holds the file"],
    ["disk I/O error", "check the disk"],
    ["database disk image is malformed", "restore a copy"],
  ];
  for (const [message, advice] of cases) {
    const error = toBusError("/data/bus.sqlite", "publish to t", new Error(message));
    assertStringIncludes(error.message, `Cannot publish to t in /data/bus.sqlite: ${message}; `);
    assertStringIncludes(error.message, advice);
  }
});

Deno.test("embedded bus: a closed bus refuses, and what was published stays", async () => {
  await withBus(async ({ bus, open }) => {
    await bus.ensureTopics([spec("t")]);
    const published = bus.publish([{ topic: "t", records: [record("last")] }]);
    await bus.close();
    await published;
    await assertRejects(
      () => bus.publish([{ topic: "t", records: [record("late")] }]),
      BusError,
      "the bus is closed",
    );
    assertEquals((await everything(await open(), "t")).map(({ value }) => value), ["last"]);
  });
});

Deno.test("embedded bus: publishes of one turn share a transaction", async () => {
  await withBus(async ({ bus }) => {
    await bus.ensureTopics([spec("t")]);
    const before = bus.metrics().bus_transactions;
    await Promise.all(
      Array.from(
        { length: 200 },
        (_, i) => bus.publish([{ topic: "t", records: [record(`${i}`)] }]),
      ),
    );
    assert(bus.metrics().bus_transactions - before <= 3);
    assertEquals(
      (await everything(bus, "t")).map(({ value }) => Number(value)),
      Array.from({ length: 200 }, (_, i) => i),
    );
  });
});

Deno.test("embedded bus: small rows are read together", async () => {
  await withBus(async ({ bus, clock }) => {
    await bus.ensureTopics([spec("t")]);
    for (let i = 0; i < 50; i++) {
      clock.ms += 10;
      await bus.publish([{ topic: "t", records: [record(`a${i}`), record(`b${i}`)] }]);
    }
    const batches: SeenRecord[][] = [];
    for await (const batch of bus.range("t", 0, 3, Infinity)) {
      assertEquals(batch.count, 97);
      assertEquals(batch.nextOffset, 100);
      assertEquals([...batch.offsets], Array.from({ length: 97 }, (_, i) => i + 3));
      assertEquals(batch.appendTimes[1] - batch.appendTimes[0], 10);
      batches.push([]);
    }
    assertEquals(batches.length, 1);
  });
});

Deno.test("embedded bus: append times do not fall when the clock does", async () => {
  await withBus(async ({ bus, clock }) => {
    await bus.ensureTopics([spec("t")]);
    const start = clock.ms;
    for (const ms of [0, 500, -3_600_000, 400, 700]) {
      clock.ms = start + ms;
      await bus.publish([{ topic: "t", records: [record("v")] }]);
    }
    assertEquals(
      (await everything(bus, "t")).map(({ appendTime }) => appendTime - start),
      [0, 500, 500, 500, 700],
    );
  });
});

Deno.test("embedded bus: retention by age drops what is older and nothing else", async () => {
  await withBus(async ({ bus, clock }) => {
    await bus.ensureTopics([spec("t", { retentionMs: DAY_MS }), spec("kept")]);
    for (let hour = 0; hour < 48; hour++) {
      for (const topic of ["t", "kept"]) {
        await bus.publish([{ topic, records: [record(`${hour}`)] }]);
      }
      clock.ms += 3_600_000;
    }
    assertEquals(await retainAll(bus), 24);
    assertEquals(
      (await everything(bus, "t")).map(({ value }) => Number(value)),
      Array.from({ length: 24 }, (_, i) => i + 24),
    );
    assertEquals(await bus.bounds("t"), [{ start: 24, end: 48 }]);
    assertEquals(await bus.bounds("kept"), [{ start: 0, end: 48 }]);
    clock.ms += 2 * DAY_MS;
    await retainAll(bus);
    assertEquals(await bus.bounds("t"), [{ start: 48, end: 48 }]);
    await bus.publish([{ topic: "t", records: [record("next")] }]);
    assertEquals((await everything(bus, "t"))[0].offset, 48);
  });
});

Deno.test("embedded bus: retention by size keeps at least that much, in bounded pieces", async () => {
  await withBus(async ({ bus }) => {
    const limit = 200_000;
    await bus.ensureTopics([spec("t", { retentionBytes: limit })]);
    const value = "x".repeat(1_000);
    for (let round = 0; round < 30; round++) {
      await Promise.all(
        Array.from({ length: 100 }, () => bus.publish([{ topic: "t", records: [record(value)] }])),
      );
    }
    const first = await bus.retain();
    assert(first.more);
    assert(first.rows < 2_800);
    await retainAll(bus);
    const left = (await everything(bus, "t")).length;
    assert(left * 1_000 <= limit && left * 1_012 > limit - 1_012, `${left} records left`);
    const [{ start, end }] = await bus.bounds("t");
    assertEquals(end - start, left);
    assertEquals((await bus.retain()).rows, 0);
  });
});

Deno.test("embedded bus: a compacted topic stays small and forgets old tombstones", async () => {
  await withBus(async ({ bus, clock }) => {
    await bus.ensureTopics([spec("c", { cleanup: "compact" })]);
    const put = (keys: readonly string[], value: string | null) =>
      bus.publish([{
        topic: "c",
        records: keys.map((key) => ({
          key: bytes(key),
          value: value === null ? null : bytes(value),
        })),
      }]);
    const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
    await put(keys, "first");
    for (let i = 0; i < 500; i++) await put(["hot"], `${i}`);
    await put(keys.slice(0, 60), "second");
    await put(keys.slice(50, 60), null);
    await retainAll(bus);
    const seen = await everything(bus, "c");
    // A row is thinned once half of it is superseded: that of the first values, not the second.
    assertEquals(seen.length, 40 + 1 + 60 + 10);
    for (let i = 1; i < seen.length; i++) assert(seen[i].offset > seen[i - 1].offset);
    assertEquals(seen.filter(({ value }) => value === "first").map(({ key }) => key), [
      ...keys.slice(60),
    ]);
    clock.ms += DAY_MS + 1;
    await retainAll(bus);
    const after = await everything(bus, "c");
    assertEquals(after.filter(({ value }) => value === null), []);
    assertEquals(after.length, 40 + 1 + 50);
    assertEquals(after.filter(({ key }) => keys.slice(50, 60).includes(key ?? "")), []);
    assertEquals(await bus.bounds("c"), [{ start: 0, end: 100 + 500 + 60 + 10 }]);
  });
});

Deno.test("embedded bus: retention runs by itself, by turns", async () => {
  await withBus(async ({ bus, clock, open }) => {
    await bus.ensureTopics([spec("t", { retentionMs: 1_000 })]);
    await bus.publish([{ topic: "t", records: [record("old")] }]);
    clock.ms += 5_000;
    const keeper = await open({ retainEveryMs: 20 });
    await eventually(10_000, "it is dropped", async () => (await bus.bounds("t"))[0].start === 1);
    assertEquals(keeper.metrics().bus_dropped_rows, 1);
  });
});

Deno.test("embedded bus: random publishing, reading and reopening agree with a plain list", async () => {
  for (let round = 0; round < 8; round++) {
    const seed = 20_261_123 + round;
    try {
      await withBus((bench) => compareWithModel(bench, new Seeded(seed)));
    } catch (cause) {
      throw new Error(`seed ${seed}`, { cause });
    }
  }
});

/** Records as the model keeps them: what was published, by topic and partition. */
type Model = Map<string, { key: string | null; value: string | null; appendTime: number }[][]>;

async function compareWithModel({ bus: first, clock, open }: Bench, chance: Seeded): Promise<void> {
  const partitions = 1 + chance.below(3);
  const specs = [
    spec("plain", { partitions }),
    spec("compact", { partitions, cleanup: "compact" }),
  ];
  await first.ensureTopics(specs);
  const model: Model = new Map(
    specs.map(({ name }) => [name, Array.from({ length: partitions }, () => [])]),
  );
  let bus = first;
  for (let step = 0; step < 60; step++) {
    clock.ms += chance.below(50);
    const { name, cleanup } = chance.pick(specs);
    const action = chance.below(10);
    if (action < 5) {
      const records = randomRecords(chance, partitions, cleanup);
      await bus.publish([{ topic: name, records }]);
      for (const { key, value, partition = 0 } of records) {
        model.get(name)?.[partition].push({
          key: key === null ? null : decode(key),
          value: value === null ? null : decode(value),
          appendTime: clock.ms,
        });
      }
    } else if (action === 5) {
      bus = await open();
    } else if (action === 6) {
      await retainAll(bus);
    } else {
      const partition = chance.below(partitions);
      const want = model.get(name)?.[partition] ?? [];
      const from = chance.below(want.length + 2);
      const to = from + chance.below(want.length + 2);
      const seen: SeenRecord[] = [];
      for (const record of await everything(bus, name, partition)) {
        if (record.offset >= from && record.offset < to) seen.push(record);
      }
      compare(seen, want, from, to, cleanup);
      const time = clock.ms - chance.below(2_000);
      if (cleanup === "delete") {
        const at = want.findIndex(({ appendTime }) => appendTime >= time);
        assertEquals(await bus.offsetAt(name, partition, time), at < 0 ? want.length : at);
      }
    }
  }
}

function compare(
  seen: readonly SeenRecord[],
  want: readonly { key: string | null; value: string | null; appendTime: number }[],
  from: number,
  to: number,
  cleanup: "delete" | "compact",
): void {
  for (const { offset, key, value, appendTime } of seen) {
    assertEquals({ key, value, appendTime }, want[offset]);
  }
  const offsets = seen.map(({ offset }) => offset);
  const newest = (at: number) => !want.slice(at + 1).some(({ key }) => key === want[at].key);
  for (let at = from; at < Math.min(to, want.length); at++) {
    if (cleanup === "delete" || newest(at)) assert(offsets.includes(at), `offset ${at} is missing`);
  }
  assertEquals(offsets, [...new Set(offsets)].sort((a, b) => a - b));
}

function randomRecords(
  chance: Seeded,
  partitions: number,
  cleanup: "delete" | "compact",
): OutgoingRecord[] {
  return Array.from({ length: 1 + chance.below(chance.chance(0.1) ? 2_000 : 20) }, () => {
    const keyed = cleanup === "compact" || chance.chance(0.7);
    const tombstone = cleanup === "compact" && chance.chance(0.1);
    const length = chance.chance(0.02) ? chance.below(400_000) : chance.below(40);
    return {
      key: keyed ? bytes(`k${chance.below(12)}`) : null,
      value: tombstone ? null : bytes("v".repeat(length) + chance.below(1_000)),
      partition: chance.below(partitions),
    };
  });
}

function decode(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}
