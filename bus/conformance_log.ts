/** Conformance of a bus as a log: publishing, reading, offsets, times, limits. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  bytes,
  type ConformanceCase,
  eventually,
  everything,
  records,
  type SeenRecord,
  tailRecords,
  valueOf,
  within,
} from "./conformance_support.ts";
import { murmur2Partition } from "./murmur2.ts";
import { BusError, RECORD_BYTES_MAX, RecordTooLargeError } from "./port.ts";

function numbered(count: number, prefix = "v"): { key: null; value: Uint8Array; partition: 0 }[] {
  return Array.from({ length: count }, (_, i) => ({
    key: null,
    value: bytes(`${prefix}${i}`),
    partition: 0,
  }));
}

function values(seen: readonly SeenRecord[]): (string | null)[] {
  return seen.map(({ value }) => value);
}

/** The promises. */
export const LOG_CASES: readonly ConformanceCase[] = [
  {
    name: "records of a partition keep their order and get ascending offsets",
    async run({ bus, topic }) {
      const name = await topic("order");
      await bus.publish([{ topic: name, records: numbered(100, "a") }]);
      await Promise.all([
        bus.publish([{ topic: name, records: numbered(100, "b") }]),
        bus.publish([{ topic: name, records: numbered(100, "c") }]),
      ]);
      const seen = await everything(bus, name);
      assertEquals(seen.length, 300);
      for (let i = 1; i < seen.length; i++) assert(seen[i].offset > seen[i - 1].offset);
      for (const prefix of ["a", "b", "c"]) {
        assertEquals(
          values(seen).filter((value) => value?.startsWith(prefix)),
          Array.from({ length: 100 }, (_, i) => `${prefix}${i}`),
        );
      }
      assertEquals(values(seen).slice(0, 100), Array.from({ length: 100 }, (_, i) => `a${i}`));
    },
  },
  {
    name: "many records in one call keep their order",
    async run({ bus, topic }) {
      const name = await topic("many");
      const filler = "x".repeat(1_000);
      const count = 3_000;
      const many = Array.from({ length: count }, (_, i) => ({
        key: bytes(`k${i % 7}`),
        value: bytes(`${i}:${filler}`),
      }));
      await bus.publish([{ topic: name, records: many }]);
      const seen = await everything(bus, name);
      assertEquals(
        seen.map(({ value }) => Number(value?.split(":")[0])),
        many.map((_, i) => i),
      );
    },
  },
  {
    name: "a key lands on the partition that Kafka gives it",
    async run({ bus, topic }) {
      const name = await topic("murmur", { partitions: 8 });
      const keys = Array.from({ length: 64 }, (_, i) => `VH-${i}`);
      const keyed = keys.map((key) => ({ key: bytes(key), value: bytes(key) }));
      await bus.publish([{ topic: name, records: keyed }]);
      let found = 0;
      for (let partition = 0; partition < 8; partition++) {
        for (const { key, value } of await everything(bus, name, partition)) {
          assertEquals(murmur2Partition(bytes(key ?? ""), 8), partition);
          assertEquals(value, key);
          found++;
        }
      }
      assertEquals(found, keys.length);
    },
  },
  {
    name: "a partition that is named wins over the key",
    async run({ bus, topic }) {
      const name = await topic("fixed", { partitions: 4 });
      const key = bytes("VH-1");
      const partition = (murmur2Partition(key, 4) + 1) % 4;
      await bus.publish([{ topic: name, records: [{ key, value: bytes("here"), partition }] }]);
      assertEquals(values(await everything(bus, name, partition)), ["here"]);
    },
  },
  {
    name: "append times are the bus's and never fall",
    async run({ bus, topic }) {
      const name = await topic("times");
      const before = Date.now();
      for (let i = 0; i < 5; i++) await bus.publish([{ topic: name, records: numbered(3) }]);
      const seen = await everything(bus, name);
      assertEquals(seen.length, 15);
      for (let i = 1; i < seen.length; i++) {
        assert(seen[i].appendTime >= seen[i - 1].appendTime);
      }
      // A broker's clock is not this one: seconds, not the zone or the unit, may differ.
      assert(Math.abs(seen[0].appendTime - before) < 60_000);
    },
  },
  {
    name: "a tick is a record without key and bytes on its partition",
    async run({ bus, topic }) {
      const name = await topic("ticks", { partitions: 3 });
      const tick = { key: null, value: new Uint8Array(0), partition: 2 };
      await bus.publish([{ topic: name, records: [tick, tick] }]);
      const seen = await everything(bus, name, 2);
      assertEquals(seen.map(({ key, value }) => ({ key, value })), [
        { key: null, value: "" },
        { key: null, value: "" },
      ]);
      assertEquals(await everything(bus, name, 0), []);
    },
  },
  {
    name: "bytes come back as they were",
    async run({ bus, topic }) {
      const name = await topic("bytes");
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      await bus.publish([{
        topic: name,
        records: [{ key: all, value: all, partition: 0 }, {
          key: all.subarray(7, 9),
          value: all.subarray(3, 200),
          partition: 0,
        }],
      }]);
      const found: [Uint8Array | null, Uint8Array][] = [];
      for await (const batch of bus.range(name, 0, 0, Infinity)) {
        for (let i = 0; i < batch.count; i++) {
          found.push([batch.key(i)?.slice() ?? null, valueOf(batch, i).slice()]);
        }
      }
      assertEquals(found.map(([key, value]) => [key && [...key], [...value]]), [
        [[...all], [...all]],
        [[7, 8], [...all.subarray(3, 200)]],
      ]);
    },
  },
  {
    name: "headers come back as they were",
    async run({ bus, topic }) {
      const name = await topic("headers");
      const headers = { reason: "malformed-json", detail: 'Zeile 1: "ä" ✓', empty: "" };
      await bus.publish([{
        topic: name,
        records: [
          { key: bytes("k"), value: bytes("with"), headers },
          { key: bytes("k"), value: bytes("without") },
        ],
      }]);
      const seen = await everything(bus, name);
      assertEquals(seen.map((record) => ({ ...record.headers })), [headers, {}]);
    },
  },
  {
    name: "a compacted topic keeps the newest record of each key",
    async run({ bus, topic }) {
      const name = await topic("compacted", { cleanup: "compact" });
      const put = (key: string, value: string | null) =>
        bus.publish([{
          topic: name,
          records: [{ key: bytes(key), value: value === null ? null : bytes(value) }],
        }]);
      for (let i = 0; i < 20; i++) {
        await put("a", `a${i}`);
        await put("b", `b${i}`);
      }
      await put("b", null);
      await put("c", "c0");
      const newest = new Map<string, string | null>();
      for (const { key, value } of await everything(bus, name)) newest.set(key ?? "", value);
      assertEquals([...newest].sort(), [["a", "a19"], ["b", null], ["c", "c0"]]);
    },
  },
  {
    name: "a record too large is named and nothing of its call is written",
    async run({ bus, topic }) {
      const name = await topic("large");
      const large = new Uint8Array(RECORD_BYTES_MAX + 1).fill(97);
      const records = [...numbered(3), { key: bytes("VH-9"), value: large, partition: 0 }];
      const error = await assertRejects(
        () => bus.publish([{ topic: name, records }]),
        RecordTooLargeError,
      );
      assertStringIncludes(error.message, name);
      assertStringIncludes(error.message, "record 3");
      assertEquals(await everything(bus, name), []);
      const greatest = large.subarray(1);
      await bus.publish([{
        topic: name,
        records: [{ key: null, value: greatest, partition: 0 }],
      }]);
      assertEquals((await everything(bus, name)).map(({ value }) => value?.length), [
        RECORD_BYTES_MAX,
      ]);
    },
  },
  {
    name: "what cannot be placed is refused",
    async run({ bus, topic, name: unused }) {
      const name = await topic("placed", { partitions: 2 });
      const value = bytes("v");
      await assertRejects(
        () => bus.publish([{ topic: name, records: [{ key: null, value }] }]),
        BusError,
      );
      await assertRejects(
        () => bus.publish([{ topic: name, records: [{ key: null, value, partition: 2 }] }]),
        BusError,
      );
      const missing = unused("missing");
      const error = await assertRejects(
        () => bus.publish([{ topic: missing, records: [{ key: bytes("k"), value }] }]),
        BusError,
      );
      assertStringIncludes(error.message, missing);
      await assertRejects(() => bus.partitions(missing), BusError);
      assertEquals(await everything(bus, name, 0), []);
      assertEquals(await everything(bus, name, 1), []);
    },
  },
  {
    name: "topics are made once and differences that lose data are refused",
    async run({ bus, topic, name }) {
      const made = await topic("made", { partitions: 3, cleanup: "compact" });
      await topic("made", { partitions: 3, cleanup: "compact" });
      assertEquals(await bus.partitions(made), 3);
      const error = await assertRejects(
        () => topic("made", { partitions: 3, cleanup: "delete" }),
        BusError,
      );
      assertStringIncludes(error.message, name("made"));
    },
  },
  {
    name: "range gives the records between two offsets and ends at the newest",
    async run({ bus, topic }) {
      const name = await topic("range");
      for (let i = 0; i < 10; i++) {
        await bus.publish([{ topic: name, records: numbered(10, `${i}.`) }]);
      }
      const all = await everything(bus, name);
      const pick = async (from: number, to: number) => {
        const seen: SeenRecord[] = [];
        for await (const batch of bus.range(name, 0, from, to)) seen.push(...records(batch));
        return seen;
      };
      assertEquals(await pick(25, 37), all.slice(25, 37));
      assertEquals(await pick(95, 1_000), all.slice(95));
      assertEquals(await pick(40, 40), []);
      assertEquals(await pick(100, 200), []);
    },
  },
  {
    name: "a batch says where to go on and how far the end is",
    async run({ bus, topic }) {
      const name = await topic("lag");
      for (let i = 0; i < 3; i++) await bus.publish([{ topic: name, records: numbered(7) }]);
      let at = 0;
      for await (const batch of bus.range(name, 0, 0, Infinity)) {
        assertEquals(batch.topic, name);
        assertEquals(batch.offsets[0], at);
        assertEquals(batch.offsets.length, batch.count);
        assertEquals(batch.appendTimes.length, batch.count);
        assertEquals(batch.valueEnds.length, batch.count);
        assertEquals(batch.highWatermark, 21);
        at = batch.nextOffset;
      }
      assertEquals(at, 21);
    },
  },
  {
    name: "bounds and offsetAt find offsets by end and by time",
    async run({ bus, topic, waitMs }) {
      const name = await topic("bounds", { partitions: 2 });
      assertEquals(await bus.bounds(name), [{ start: 0, end: 0 }, { start: 0, end: 0 }]);
      assertEquals(await bus.offsetAt(name, 0, 0), 0);
      for (let i = 0; i < 4; i++) {
        await bus.publish([{ topic: name, records: numbered(5) }]);
        const appended = (await everything(bus, name)).at(-1)?.appendTime ?? 0;
        await eventually(waitMs, "the clock goes on", () => Date.now() > appended + 1);
      }
      assertEquals(await bus.bounds(name), [{ start: 0, end: 20 }, { start: 0, end: 0 }]);
      const all = await everything(bus, name);
      for (const time of new Set(all.flatMap(({ appendTime: t }) => [t - 1, t, t + 1]))) {
        const want = all.find(({ appendTime }) => appendTime >= time)?.offset ?? 20;
        assertEquals(await bus.offsetAt(name, 0, time), want, `time ${time}`);
      }
    },
  },
  {
    name: "tail from the earliest, from offsets, and past what is new",
    async run(context) {
      const { bus } = context;
      const name = await context.topic("tail", { partitions: 2 });
      const put = (partition: number, value: string) =>
        bus.publish([{ topic: name, records: [{ key: null, value: bytes(value), partition }] }]);
      for (let i = 0; i < 4; i++) await put(i % 2, `v${i}`);
      const reading = tailRecords(context, name, "earliest", 6);
      await put(0, "v4");
      await put(1, "v5");
      const seen = await reading;
      for (const partition of [0, 1]) {
        assertEquals(
          values(seen.filter((record) => record.partition === partition)),
          [0, 2, 4].map((i) => `v${i + partition}`),
        );
      }
      const some = await tailRecords(context, name, new Map([[0, 2]]), 4);
      assertEquals(values(some).sort(), ["v1", "v3", "v4", "v5"]);
    },
  },
  {
    name: "tail from the latest gives only what comes after",
    async run(context) {
      const { bus, waitMs } = context;
      const name = await context.topic("latest");
      await bus.publish([{ topic: name, records: numbered(50, "old") }]);
      let done = false;
      const reading = tailRecords(context, name, "latest", 3).finally(() => done = true);
      let sent = 0;
      await eventually(waitMs, "new records arrive", async () => {
        await bus.publish([{
          topic: name,
          records: [{ key: null, value: bytes(`new${sent++}`), partition: 0 }],
        }]);
        return done;
      });
      const seen = values(await reading);
      assert(seen.every((value) => value?.startsWith("new")), JSON.stringify(seen));
    },
  },
  {
    name: "closing the bus ends its readers",
    async run(context) {
      const bus = await context.another();
      const name = await context.topic("closing");
      const signal = new AbortController().signal;
      const reading = (async () => {
        for await (const _ of bus.tail({ topic: name, from: "earliest", signal })) break;
      })();
      await bus.close();
      await bus.close();
      await within(context.waitMs, "the reader to end", reading);
    },
  },
  {
    name: "records that retention dropped are not given again",
    async run(context) {
      const { bus } = context;
      const name = await context.topic("gone", { retentionMs: 60_000 });
      await bus.publish([{ topic: name, records: numbered(5, "old") }]);
      await context.forget(name, 0, 5);
      await bus.publish([{ topic: name, records: numbered(3, "new") }]);
      assertEquals(await bus.bounds(name), [{ start: 5, end: 8 }]);
      assertEquals(values(await everything(bus, name)), ["new0", "new1", "new2"]);
      const seen = await tailRecords(context, name, new Map([[0, 1]]), 3);
      assertEquals(seen.map(({ offset }) => offset), [5, 6, 7]);
    },
  },
];
