/** What is Kafka's own about the Kafka bus: fencing, transactions, other clients, lost brokers. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { eventually, everything, Member, text, within } from "../bus/conformance_support.ts";
import { murmur2Partition } from "../bus/murmur2.ts";
import { type Bus, BusError, FencedError, type TopicSpec } from "../bus/port.ts";
import type { OperationalEvent } from "../contract/events.ts";
import type { TestBroker } from "./broker.ts";
import { produceWithJava } from "./broker_process.ts";
import { KafkaAdmin } from "./kafka_admin.ts";
import { openBus } from "./kafka_support.ts";

/** Longest wait for anything that must come, milliseconds. */
const WAIT_MS = 20_000;
const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"];

function spec(name: string, partitions = 1, cleanup: "delete" | "compact" = "delete"): TopicSpec {
  return { name, partitions, cleanup, retentionMs: Infinity, retentionBytes: Infinity };
}

function unused(label: string): string {
  return `own.${crypto.randomUUID().slice(0, 8)}.${label}`;
}

function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

async function withBus(
  broker: TestBroker,
  run: (bus: Bus, told: OperationalEvent[]) => Promise<void>,
): Promise<void> {
  const told: OperationalEvent[] = [];
  const bus = await openBus(broker.brokers, told);
  try {
    await run(bus, told);
  } finally {
    await within(WAIT_MS, "the bus to close", bus.close());
  }
}

/** The cases by what they promise. */
export const KAFKA_CASES: Readonly<Record<string, (broker: TestBroker) => Promise<void>>> = {
  "a fenced member writes nothing, and leases its partition anew": (broker) =>
    withBus(broker, async (bus) => {
      const [topic, output, progressTopic] = [unused("in"), unused("out"), unused("progress")];
      await bus.ensureTopics([spec(topic), spec(output), spec(progressTopic, 1, "compact")]);
      const group = `group.${topic}`;
      const member = new Member(bus, { topic, group, progressTopic });
      await eventually(WAIT_MS, "the partition is leased", () => member.held.has(0));
      const lease = member.held.get(0);
      assert(lease !== undefined);
      const step = (value: string) => ({
        nextOffset: 0,
        outputs: [{ topic: output, records: [{ key: null, value: bytes(value), partition: 0 }] }],
        progress: bytes(value),
      });
      await lease.commit(step("before"));
      // Somebody else takes the transactional id, and this member has not heard of it.
      await new KafkaAdmin(broker.brokers).fence(`${group}-${topic}-0`);
      assert(!lease.lost.aborted);
      await assertRejects(() => lease.commit(step("zombie")), FencedError, "taken the partition");
      assert(lease.lost.aborted);
      assertEquals((await everything(bus, output)).map(({ value }) => value), ["before"]);
      await eventually(WAIT_MS, "it is leased anew", () => member.held.has(0));
      const anew = member.held.get(0);
      assertEquals(text(await anew?.progress() ?? null), "before");
      await anew?.commit(step("after"));
      assertEquals((await everything(bus, output)).map(({ value }) => value), ["before", "after"]);
      assertEquals(bus.metrics().bus_fenced_total, 1);
      await member.leave();
    }),

  "records of open and aborted transactions are not seen": (broker) =>
    withBus(broker, async (bus) => {
      const topic = unused("transactions");
      await bus.ensureTopics([spec(topic)]);
      const admin = new KafkaAdmin(broker.brokers);
      const seen = async () => (await everything(bus, topic)).map(({ value }) => value);
      await admin.transact(topic, ["a", "b"], "commit");
      await admin.transact(topic, ["gone"], "abort", async () => {
        assertEquals(await seen(), ["a", "b"]);
      });
      assertEquals(await seen(), ["a", "b"]);
      await admin.transact(topic, ["c"], "commit");
      assertEquals(await seen(), ["a", "b", "c"]);
    }),

  "markers leave no lag behind": (broker) =>
    withBus(broker, async (bus) => {
      const topic = unused("markers");
      await bus.ensureTopics([spec(topic)]);
      const admin = new KafkaAdmin(broker.brokers);
      for (const value of ["a", "b", "c"]) await admin.transact(topic, [value], "commit");
      await admin.transact(topic, ["gone"], "abort");
      // Markers are written, and readable, a moment after a transaction's end was answered.
      const end = 8;
      let reached = -1;
      await eventually(WAIT_MS, "every marker counts", async () => {
        const [bounds] = await bus.bounds(topic);
        return bounds.end === end;
      });
      for (let tries = 0; reached !== end && tries < 100; tries++) {
        for await (const batch of bus.range(topic, 0, 0, end)) {
          assertEquals([...batch.offsets], [0, 2, 4]);
          reached = batch.nextOffset;
        }
      }
      assertEquals(reached, end);
      const stop = new AbortController();
      for await (const batch of bus.tail({ topic, from: "earliest", signal: stop.signal })) {
        assertEquals([...batch.offsets], [0, 2, 4]);
        assertEquals([batch.nextOffset, batch.highWatermark], [end, end]);
        break;
      }
    }),

  "a topic with its producers' times is told of, and refused without a bound on them": (broker) =>
    withBus(broker, async (bus, told) => {
      const admin = new KafkaAdmin(broker.brokers);
      const [bounded, unbounded] = [unused("bounded"), unused("unbounded")];
      const type = { "message.timestamp.type": "CreateTime" };
      const key = "message.timestamp.after.max.ms";
      await admin.createTopic(bounded, 1, { ...type, [key]: "3600000", "retention.ms": "-1" });
      await admin.createTopic(unbounded, 1, { ...type, [key]: "9223372036854775807" });
      await bus.ensureTopics([spec(bounded)]);
      const event = told.find(({ name }) => name === "bus.topic_differs");
      assertStringIncludes(event?.message ?? "", bounded);
      assertStringIncludes(event?.message ?? "", "CreateTime");
      const error = await assertRejects(() => bus.ensureTopics([spec(unbounded)]), BusError);
      assertStringIncludes(error.message, unbounded);
      assertStringIncludes(error.message, key);
    }),

  "topics are made with the settings that are asked for": (broker) =>
    withBus(broker, async (bus, told) => {
      const admin = new KafkaAdmin(broker.brokers);
      const [log, compacted] = [unused("log"), unused("compacted")];
      const kept = { retentionMs: 86_400_000, retentionBytes: 1e9 };
      await bus.ensureTopics([{ ...spec(log, 3), ...kept }, spec(compacted, 2, "compact")]);
      assertEquals([await bus.partitions(log), await bus.partitions(compacted)], [3, 2]);
      const wanted: [string, Record<string, string>][] = [
        [log, {
          "cleanup.policy": "delete",
          "retention.ms": "86400000",
          "retention.bytes": "1000000000",
        }],
        [compacted, { "cleanup.policy": "compact", "segment.bytes": String(16 << 20) }],
      ];
      for (const [topic, settings] of wanted) {
        const found = await admin.settings(topic);
        const common = {
          "message.timestamp.type": "LogAppendTime",
          "max.message.bytes": "1048588",
        };
        for (const [key, value] of Object.entries({ ...settings, ...common })) {
          assertEquals([key, found.get(key)], [key, value]);
        }
      }
      // What is there as it was made is no difference.
      await bus.ensureTopics([{ ...spec(log, 3), ...kept }, spec(compacted, 2, "compact")]);
      assertEquals(told.filter(({ name }) => name === "bus.topic_differs"), []);
    }),

  "topics of others are held against what is needed, each difference by its name": (broker) =>
    withBus(broker, async (bus, told) => {
      const admin = new KafkaAdmin(broker.brokers);
      const [short, wrong] = [unused("short"), unused("wrong")];
      const stamps = { "message.timestamp.type": "LogAppendTime" };
      await admin.createTopic(short, 1, {
        ...stamps,
        ...{ "retention.ms": "60000", "max.message.bytes": "1000", "retention.bytes": "-1" },
      });
      await admin.createTopic(wrong, 1, {
        ...stamps,
        ...{ "cleanup.policy": "compact", "min.insync.replicas": "2" },
      });
      await bus.ensureTopics([{ ...spec(short, 4), retentionMs: 86_400_000 }]);
      const differences = told.filter(({ name }) => name === "bus.topic_differs")
        .map(({ message }) => message).join("\n");
      for (const part of ["1 partitions, not 4", "retention.ms=60000", "max.message.bytes=1000"]) {
        assertStringIncludes(differences, part);
      }
      const { message } = await assertRejects(() => bus.ensureTopics([spec(wrong)]), BusError);
      for (const part of ["cleanup.policy=compact", "min.insync.replicas=2 and 1 replicas"]) {
        assertStringIncludes(message, part);
      }
    }),

  "what Java's client compressed is read, from the partitions it chose": (broker) =>
    withBus(broker, async (bus) => {
      const topic = unused("java");
      await bus.ensureTopics(CODECS.map((codec) => spec(`${topic}-${codec}`, 5)));
      const count = 2_000;
      await produceWithJava(broker.brokers, topic, count, CODECS);
      for (const codec of CODECS) {
        const name = `${topic}-${codec}`;
        const seen = new Map<string, string | null>();
        for (let partition = 0; partition < 5; partition++) {
          for (const { key, value } of await everything(bus, name, partition)) {
            assertEquals(murmur2Partition(bytes(key ?? ""), 5), partition, `${codec} ${key}`);
            seen.set(key ?? "", value);
          }
        }
        assertEquals(seen.size, count, codec);
        for (let i = 0; i < count; i++) {
          const padding = "abcdefgh".repeat(i % 40);
          const want = `{"vehicle":"k${i}","speed":${i % 97},"text":"${padding}"}`;
          assertEquals(seen.get(`k${i}`), want, `${codec} record ${i}`);
        }
      }
    }),

  "a broker that cannot be reached is one clear error": async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const silent = `127.0.0.1:${listener.addr.port}`;
    const error = await assertRejects(
      () => openBus([silent], [], 300),
      BusError,
      `Cannot reach Kafka at ${silent}: no answer`,
    );
    assert(!error.message.includes("\n"));
    listener.close();
    await assertRejects(
      () => openBus([silent]),
      BusError,
      `Cannot reach Kafka at ${silent}: connection refused`,
    );
    await assertRejects(
      () => openBus(["broker.invalid:9092"]),
      BusError,
      "Cannot reach Kafka at broker.invalid:9092: no such host",
    );
    await assertRejects(() => openBus(["localhost"]), BusError, "HOST:PORT");
  },
};
