import { assertEquals, assertThrows } from "@std/assert";
import { checkSizes, toRequests } from "./kafka_requests.ts";
import { BusError, type OutgoingRecord, RECORD_BYTES_MAX, RecordTooLargeError } from "./port.ts";

const COUNTS = new Map([["a", 3], ["b", 2]]);

function record(partition: number, bytes: number, first = 0): OutgoingRecord {
  const value = new Uint8Array(bytes);
  if (bytes > 0) value[0] = first;
  return { key: null, value, partition };
}

Deno.test("kafka requests: each is one record batch of one partition that Kafka takes", () => {
  const records = Array.from(
    { length: 5_000 },
    (_, i) => record(i % 3, (i * 7919) % 9_000 + 1, i % 256),
  );
  const queues = toRequests([
    { topic: "a", records: records.slice(0, 2_000) },
    { topic: "b", records: [record(0, 5)] },
    { topic: "a", records: records.slice(2_000) },
  ], COUNTS);
  assertEquals(queues.length, 4);
  for (const [partition, queue] of queues.slice(0, 3).entries()) {
    assertEquals(queue.length > 1, true);
    for (const { topic, messages } of queue) {
      assertEquals(topic, "a");
      assertEquals(new Set(messages.map((message) => message.partition)), new Set([partition]));
      const bytes = messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
      assertEquals(bytes <= 1_000_000 && messages.length <= 1_000, true);
    }
    const want = records.filter((one) => one.partition === partition);
    assertEquals(
      queue.flatMap(({ messages }) => messages.map(({ value }) => value?.[0])),
      want.map(({ value }) => value?.[0]),
    );
  }
});

Deno.test("kafka requests: the greatest record goes out alone", () => {
  const records = [record(0, 10), record(0, RECORD_BYTES_MAX), record(0, 10)];
  checkSizes([{ topic: "a", records }]);
  assertEquals(toRequests([{ topic: "a", records }], COUNTS)[0].length, 3);
});

Deno.test("kafka requests: what is too large or cannot be placed is refused", () => {
  const large = [record(0, RECORD_BYTES_MAX + 1)];
  assertThrows(() => checkSizes([{ topic: "a", records: large }]), RecordTooLargeError, "record 0");
  const key = new Uint8Array(50_000);
  const wide = [{ key, value: null }];
  assertThrows(() => checkSizes([{ topic: "a", records: wide }]), RecordTooLargeError, "key and");
  const place = (one: OutgoingRecord) => toRequests([{ topic: "b", records: [one] }], COUNTS);
  assertThrows(() => place(record(2, 1)), BusError, "partition 2 does not exist");
  assertThrows(() => place({ key: null, value: null }), BusError, "neither a key nor a partition");
});
