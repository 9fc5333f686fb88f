import { assert, assertEquals, assertThrows } from "@std/assert";
import { gzipSync } from "node:zlib";
import { decodeRecords, type FetchedPartition } from "./kafka_records.ts";
import { BusError } from "./port.ts";

const COMPRESSED_GZIP = 0x01;
const APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

interface MadeRecord {
  readonly delta: number;
  readonly key?: string;
  readonly value: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Record batches as Kafka's protocol guide writes them. */
function makeBatch(
  base: number,
  records: readonly MadeRecord[],
  options: { attributes?: number; producer?: number; lastDelta?: number; magic?: number } = {},
): number[] {
  const { attributes = 0, producer = -1, magic = 2 } = options;
  const lastDelta = options.lastDelta ?? records.at(-1)?.delta ?? 0;
  let body = records.flatMap((record) => {
    const bytes = [
      0,
      ...varint(record.delta * 10),
      ...varint(record.delta),
      ...text(record.key ?? null),
      ...text(record.value),
      ...varint(Object.keys(record.headers ?? {}).length),
      ...Object.entries(record.headers ?? {}).flatMap(([k, v]) => [...text(k), ...text(v)]),
    ];
    return [...varint(bytes.length), ...bytes];
  });
  if ((attributes & 7) === COMPRESSED_GZIP) body = [...gzipSync(new Uint8Array(body))];
  const rest = [
    ...int(0, 4),
    magic,
    ...int(0, 4),
    ...int(attributes, 2),
    ...int(lastDelta, 4),
    ...int(1_000, 8),
    ...int(2_000, 8),
    ...int(producer, 8),
    ...int(0, 2),
    ...int(0, 4),
    ...int(records.length, 4),
    ...body,
  ];
  return [...int(base, 8), ...int(rest.length, 4), ...rest];
}

function int(value: number, bytes: number): number[] {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigInt64(0, BigInt(value));
  return [...new Uint8Array(view.buffer, 8 - bytes)];
}

function varint(value: number): number[] {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

function text(value: string | null): number[] {
  if (value === null) return varint(-1);
  const bytes = new TextEncoder().encode(value);
  return [...varint(bytes.length), ...bytes];
}

function fetched(
  bytes: readonly number[],
  aborted: FetchedPartition["aborted"] = [],
): FetchedPartition {
  return {
    topic: "t",
    partition: 1,
    errorCode: 0,
    highWatermark: 100,
    stableOffset: 100,
    aborted,
    records: new Uint8Array(bytes),
  };
}

function decode(
  part: FetchedPartition,
  from = 0,
  to = Infinity,
  bytesMax = Infinity,
): { values: (string | null)[]; offsets: number[]; times: number[]; nextOffset: number } {
  const { batch, nextOffset } = decodeRecords(part, from, to, bytesMax);
  if (batch === null) return { values: [], offsets: [], times: [], nextOffset };
  assertEquals(batch.nextOffset, nextOffset);
  const decoder = new TextDecoder();
  const values = Array.from({ length: batch.count }, (_, i) => {
    const value = batch.values.subarray(i === 0 ? 0 : batch.valueEnds[i - 1], batch.valueEnds[i]);
    return batch.tombstone(i) ? null : decoder.decode(value);
  });
  return { values, offsets: [...batch.offsets], times: [...batch.appendTimes], nextOffset };
}

Deno.test("kafka records: keys, values, headers and times come as they were written", () => {
  const headers = { reason: "why", detail: "ä" };
  const bytes = makeBatch(7, [
    { delta: 0, key: "k0", value: "v0", headers },
    { delta: 1, value: "" },
    { delta: 2, key: "", value: null },
  ]);
  const { batch } = decodeRecords(fetched(bytes), 0, Infinity, Infinity);
  assert(batch !== null);
  assertEquals([...batch.offsets], [7, 8, 9]);
  assertEquals([...batch.appendTimes], [1_000, 1_010, 1_020]);
  assertEquals([...batch.valueEnds], [2, 2, 2]);
  assertEquals([0, 1, 2].map((i) => batch.tombstone(i)), [false, false, true]);
  const key = batch.key(0);
  assertEquals(key === null ? null : new TextDecoder().decode(key), "k0");
  assertEquals([batch.key(1), batch.key(2)?.length], [null, 0]);
  assertEquals([batch.headers(0), batch.headers(1)], [headers, {}]);
  assertEquals([batch.nextOffset, batch.highWatermark], [10, 100]);
});

Deno.test("kafka records: append time is the batch's where the broker stamps it", () => {
  const bytes = makeBatch(0, [{ delta: 0, value: "a" }, { delta: 1, value: "b" }], {
    attributes: APPEND_TIME,
  });
  assertEquals(decode(fetched(bytes)).times, [2_000, 2_000]);
});

Deno.test("kafka records: only what was asked for is given", () => {
  const records = [0, 1, 2, 3].map((delta) => ({ delta, value: `v${delta}` }));
  const part = fetched([...makeBatch(0, records), ...makeBatch(4, records)]);
  assertEquals(decode(part, 2, 6).offsets, [2, 3, 4, 5]);
  assertEquals(decode(part, 2, 6).nextOffset, 6);
  assertEquals(decode(part, 0, Infinity, 5), {
    values: ["v0", "v1"],
    offsets: [0, 1],
    times: [1_000, 1_010],
    nextOffset: 2,
  });
  assertEquals(decode(part, 0, Infinity, 1).offsets, [0], "one record may exceed the limit");
});

Deno.test("kafka records: markers, aborted transactions and holes are stepped over", () => {
  const written = { attributes: TRANSACTIONAL, producer: 9 };
  const marker = { attributes: TRANSACTIONAL | CONTROL, producer: 9 };
  const part = fetched([
    ...makeBatch(0, [{ delta: 0, value: "kept" }], { ...written, producer: 8 }),
    ...makeBatch(1, [{ delta: 0, value: "aborted" }], written),
    ...makeBatch(2, [{ delta: 0, value: "beside" }]),
    ...makeBatch(3, [{ delta: 0, value: "marker" }], marker),
    ...makeBatch(4, [{ delta: 0, value: "again" }], written),
    ...makeBatch(5, [{ delta: 2, value: "of five" }], { lastDelta: 4 }),
    ...makeBatch(10, [], { lastDelta: 9 }),
  ], [{ producer: 9, first: 1 }]);
  const seen = decode(part);
  assertEquals(seen.values, ["kept", "beside", "again", "of five"]);
  assertEquals(seen.offsets, [0, 2, 4, 7]);
  assertEquals(seen.nextOffset, 20);
});

Deno.test("kafka records: a cut batch waits for the next fetch", () => {
  const whole = makeBatch(0, [{ delta: 0, value: "whole" }]);
  const cut = makeBatch(1, [{ delta: 0, value: "cut" }]);
  for (let length = 0; length < cut.length; length++) {
    const seen = decode(fetched([...whole, ...cut.slice(0, length)]));
    assertEquals([seen.values, seen.nextOffset], [["whole"], 1]);
  }
  assertEquals(decode(fetched(cut.slice(0, 40)), 1).nextOffset, 1);
});

Deno.test("kafka records: what is damaged or foreign is one clear error", () => {
  const damaged = makeBatch(3, [{ delta: 0, value: "x" }]);
  damaged[61] = 120;
  assertThrows(() => decode(fetched(damaged)), BusError, "Cannot read t/1 at offset 3");
  const zipped = makeBatch(3, [{ delta: 0, value: "x" }], { attributes: COMPRESSED_GZIP });
  assertEquals(decode(fetched(zipped)).values, ["x"]);
  zipped[62] ^= 255;
  assertThrows(() => decode(fetched(zipped)), BusError, "gzip");
  const unknown = makeBatch(3, [{ delta: 0, value: "x" }], { attributes: 6 });
  assertThrows(() => decode(fetched(unknown)), BusError, "codec 6");
  const old = makeBatch(3, [{ delta: 0, value: "x" }], { magic: 1 });
  assertThrows(() => decode(fetched(old)), BusError, "message format 1");
});
