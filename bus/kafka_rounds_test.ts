import { assertEquals, assertThrows } from "@std/assert";
import { checkSizes, toRounds } from "./kafka_rounds.ts";
import { BusError, type OutgoingRecord, RECORD_BYTES_MAX, RecordTooLargeError } from "./port.ts";

const COUNTS = new Map([["a", 3], ["b", 2]]);

function record(partition: number, bytes: number, first = 0): OutgoingRecord {
  const value = new Uint8Array(bytes);
  if (bytes > 0) value[0] = first;
  return { key: null, value, partition };
}

Deno.test("kafka rounds: every round holds one record batch a partition that Kafka takes", () => {
  const records = Array.from(
    { length: 500 },
    (_, i) => record(i % 3, (i * 7919) % 90_000 + 1, i % 256),
  );
  const rounds = toRounds(
    [{ topic: "a", records }, { topic: "b", records: [record(0, 5)] }],
    COUNTS,
  );
  const sent = new Map<number, number[]>();
  for (const round of rounds) {
    assertEquals(new Set(round.map(({ topic }) => topic)).size, round.length);
    for (const { topic, messages } of round) {
      const sizes = new Map<number, number>();
      for (const { partition, value } of messages) {
        sizes.set(partition, (sizes.get(partition) ?? 0) + (value?.length ?? 0));
        if (topic === "a") sent.set(partition, [...sent.get(partition) ?? [], value?.[0] ?? -1]);
      }
      for (const size of sizes.values()) assertEquals(size <= 1_000_000, true);
    }
  }
  for (let partition = 0; partition < 3; partition++) {
    const want = records.filter((one) => one.partition === partition).map(({ value }) =>
      value?.[0]
    );
    assertEquals(sent.get(partition), want.map((first) => first ?? -1));
  }
});

Deno.test("kafka rounds: the greatest record goes out alone", () => {
  const records = [record(0, 10), record(0, RECORD_BYTES_MAX), record(0, 10)];
  checkSizes([{ topic: "a", records }]);
  assertEquals(toRounds([{ topic: "a", records }], COUNTS).length, 3);
});

Deno.test("kafka rounds: what is too large or cannot be placed is refused", () => {
  const large = [record(0, RECORD_BYTES_MAX + 1)];
  assertThrows(() => checkSizes([{ topic: "a", records: large }]), RecordTooLargeError, "record 0");
  const key = new Uint8Array(50_000);
  const wide = [{ key, value: null }];
  assertThrows(() => checkSizes([{ topic: "a", records: wide }]), RecordTooLargeError, "key and");
  const place = (one: OutgoingRecord) => toRounds([{ topic: "b", records: [one] }], COUNTS);
  assertThrows(() => place(record(2, 1)), BusError, "partition 2 does not exist");
  assertThrows(() => place({ key: null, value: null }), BusError, "neither a key nor a partition");
});
