import { assert, assertEquals, assertRejects } from "@std/assert";
import { BusError } from "../bus/port.ts";
import type { RefusalReason } from "../contract/telemetry.ts";
import { createDecoder } from "../rules-wasm/decoder.ts";
import { createIntake, IntakeError, type IntakeOptions } from "./intake.ts";
import { MemoryBus, shippedCatalog } from "./test_support.ts";

const catalog = shippedCatalog();
const NOW = 1_790_000_000_000;
const encoder = new TextEncoder();

function setup(more: Partial<IntakeOptions> = {}) {
  const bus = new MemoryBus();
  const decoder = createDecoder(catalog, { maxVehicles: 1000, maxClockAheadMs: 60_000 });
  const intake = createIntake({
    bus,
    topic: "vehicle.telemetry",
    decoder,
    now: () => NOW,
    maxBodyBytes: 1 << 20,
    ...more,
  });
  const take = (body: string | Uint8Array) =>
    intake(typeof body === "string" ? encoder.encode(body) : body);
  return { bus, take };
}

const A1 = `{"vehicle":"a","ts":${NOW - 3000},"speed":1.50}`;
const A2 = `{"vehicle":"a","ts":${NOW - 2000},"note":"]},{[\\"","speed":2}`;
const B1 = `{"vehicle_id":"b","timestamp":"2025-03-01T12:00:00","gps":{"lat":28.6,"lon":77.2}}`;

Deno.test("intake: an object, an array and NDJSON are stored byte for byte, by vehicle", async () => {
  const bodies: [string, string][] = [
    ["NDJSON", `${A1}\n${B1}\r\n${A2}\n`],
    ["array", `[${A1},${B1},${A2}]`],
    ["array with spaces", ` \n[ ${A1} ,\n ${B1},\t${A2}\n] \n`],
    ["NDJSON behind a byte order mark", `\ufeff${A1}\n\n${B1}\n${A2}`],
  ];
  for (const [name, body] of bodies) {
    const { bus, take } = setup();
    const result = await take(body);
    assertEquals(result, { accepted: 3, refused: 0, refusals: [] }, name);
    assertEquals(bus.published.map(({ topic, key, value }) => [topic, key, value]), [
      ["vehicle.telemetry", "a", `${A1}\n${A2}`],
      ["vehicle.telemetry", "b", B1],
    ], name);
    assertEquals(bus.publishes, 1, name);
  }
  const { bus, take } = setup();
  assertEquals((await take(A1)).accepted, 1);
  const pretty = JSON.stringify(JSON.parse(A1), null, 2);
  assertEquals((await take(`[${pretty}]`)).accepted, 1);
  assertEquals((await take(pretty)).accepted, 1);
  assertEquals((await take(`${pretty}\n${pretty}\n`)).accepted, 2);
  assertEquals(bus.published.map(({ value }) => value), [
    A1,
    pretty,
    pretty,
    `${pretty}\n${pretty}`,
  ]);
});

Deno.test("intake: hostile bodies lose what is broken, with index and position, and nothing else", async () => {
  const far = `{"vehicle":"a","ts":${NOW + 3_600_000}}`;
  const cases: [string, string | Uint8Array, number, [number, RefusalReason][]][] = [
    ["truncated line", `${A1}\n{"vehicle":"a","ts":\n${A2}`, 2, [[1, "malformed-json"]]],
    ["first line truncated", `{"vehicle":"a","ts":\n${A1}\n${A2}`, 2, [[0, "malformed-json"]]],
    ["open string", `{"vehicle":"a\n${A1}\n${A2}`, 2, [[0, "malformed-json"]]],
    ["two on a line", `${A1} ${A2}\n${B1}`, 1, [[0, "malformed-json"]]],
    ["truncated element", `[${A1},{"vehicle":"a","ts":}, ${A2}]`, 2, [[1, "malformed-json"]]],
    ["missing end", `[${A1},${A2}`, 2, [[2, "malformed-json"]]],
    ["cut in the midst", `[${A1},{"vehicle":"a`, 1, [[1, "malformed-json"]]],
    ["two in one place", `[${A1} ${A2},${B1}]`, 1, [[0, "malformed-json"]]],
    ["trailing comma", `[${A1},]`, 1, [[1, "malformed-json"]]],
    ["garbage behind", `[${A1}] x`, 1, [[1, "malformed-json"]]],
    ["line end within an element", `[{"x":1,\n${A1}\n},${A2}]`, 1, [[0, "malformed-json"]]],
    ["no object", `[1,"x",null,[${A1}],${A2}]`, 1, [
      [0, "not-an-object"],
      [1, "not-an-object"],
      [2, "not-an-object"],
      [3, "not-an-object"],
    ]],
    ["no vehicle, no time", `{"ts":1}\n{"vehicle":"a"}\n${A1}`, 1, [
      [0, "no-vehicle"],
      [1, "no-time"],
    ]],
    ["times", `[{"vehicle":"a","ts":-5},${far},${A1}]`, 1, [
      [0, "impossible-time"],
      [1, "clock-ahead"],
    ]],
    ["long id", `{"vehicle":"${"v".repeat(10_000)}","ts":1}\n${A1}`, 1, [[0, "bad-vehicle-id"]]],
    [
      "no UTF-8",
      new Uint8Array([...encoder.encode(`{"vehicle":"\u00e5`).slice(0, -1), 0x22, 0x7d]),
      0,
      [[0, "invalid-utf8"]],
    ],
    ["not JSON at all", "speed=5", 0, [[0, "malformed-json"]]],
    ["deep nesting", `{"a":`.repeat(1000) + "1" + "}".repeat(1000) + `\n${A1}`, 1, [
      [0, "no-vehicle"],
    ]],
    ["empty array", "[]", 0, []],
  ];
  for (const [name, body, accepted, refusals] of cases) {
    const { bus, take } = setup();
    const result = await take(body);
    assertEquals(result.refusals.map(({ index, reason }) => [index, reason]), refusals, name);
    assertEquals([result.accepted, result.refused], [accepted, refusals.length], name);
    const stored = bus.published.flatMap(({ value }) => value.split("\n")).length;
    assertEquals(bus.published.length === 0 ? 0 : stored, accepted, name);
    const length = typeof body === "string" ? encoder.encode(body).length : body.length;
    for (const { position } of result.refusals) {
      assert(position >= 0 && position <= length, `${name}: position ${position} of ${length}`);
    }
  }
});

Deno.test("intake: of many refusals all are counted and the first twenty told, in order", async () => {
  const { take } = setup();
  const body = Array.from({ length: 100 }, (_, i) => i % 3 === 0 ? A1 : "x").join("\n");
  const lines = await take(body);
  const array = await take(`[${body.replaceAll("\n", ",")}]`);
  for (const result of [lines, array]) {
    assertEquals([result.accepted, result.refused, result.refusals.length], [34, 66, 20]);
    const order = result.refusals.map(({ index }) => index);
    assertEquals(order, [...order].sort((a, b) => a - b));
    assertEquals(order.slice(0, 3), [1, 2, 4]);
  }
});

Deno.test("intake: many samples of a vehicle fill records that keep their order", async () => {
  const { bus, take } = setup();
  const samples = Array.from(
    { length: 9000 },
    (_, i) => `{"vehicle":"v${i % 3}","ts":${NOW - 9000 + i},"speed":1,"n":"${"x".repeat(40)}"}`,
  );
  assertEquals((await take(samples.join("\n"))).accepted, 9000);
  assertEquals(bus.publishes, 1);
  for (const key of ["v0", "v1", "v2"]) {
    const times = bus.linesOf(key).map((line) => JSON.parse(line).ts);
    assertEquals(times.length, 3000);
    assertEquals(times, [...times].sort((a, b) => a - b));
  }
  for (const { value } of bus.published) assert(value.length <= 256 * 1024);
});

Deno.test("intake: an answer comes once it is durable; waiting bodies share the next publish", async () => {
  const { bus, take } = setup();
  let release = () => {};
  bus.onPublish = () => new Promise((resolve) => release = resolve);
  let answered = 0;
  const bodies = [1, 2, 3, 4].map((n) =>
    take(`{"vehicle":"a","ts":${NOW - 1000 + n}}`).then((result) => {
      answered++;
      return result;
    })
  );
  await Promise.resolve();
  assertEquals([bus.publishes, answered], [1, 0]);
  release();
  await bodies[0];
  assertEquals(answered, 1);
  assertEquals(bus.publishes, 2);
  release();
  await Promise.all(bodies);
  assertEquals(bus.publishes, 2);
  assertEquals(bus.linesOf("a").map((line) => JSON.parse(line).ts - NOW), [-999, -998, -997, -996]);
});

Deno.test("intake: a bus that fails is told to all who waited, and the next body is taken", async () => {
  const { bus, take } = setup();
  bus.onPublish = () => Promise.reject(new BusError("Cannot publish: the disk is full"));
  const fault = await assertRejects(() => take(A1), BusError);
  assertEquals(fault.message, "Cannot publish: the disk is full");
  bus.onPublish = () => {};
  assertEquals((await take(A1)).accepted, 1);
});

Deno.test("intake: empty, too large and too many bodies are refused as a whole", async () => {
  const { bus, take } = setup({ maxBodyBytes: 200, maxPendingBytes: 100 });
  const cases: [string, string][] = [
    ["", "empty-body"],
    [" \n\t ", "empty-body"],
    ["\ufeff", "empty-body"],
    ["x".repeat(201), "body-too-large"],
  ];
  for (const [body, expected] of cases) {
    const error = await assertRejects(() => take(body), IntakeError);
    assertEquals(error.fault, expected, JSON.stringify(body));
  }
  let release = () => {};
  bus.onPublish = () => new Promise((resolve) => release = resolve);
  const first = take(A1.padEnd(90));
  const error = await assertRejects(() => take(A1), IntakeError);
  assertEquals(error.fault, "busy");
  release();
  assertEquals((await first).accepted, 1);
  bus.onPublish = () => {};
  assertEquals((await take(A1)).accepted, 1);
});

Deno.test("intake: an object larger than a record may be is refused by name", async () => {
  const { bus, take } = setup({ maxBodyBytes: 4 << 20 });
  const large = `{"vehicle":"a","ts":${NOW},"x":"${"y".repeat(1_000_000)}"}`;
  const result = await take(`[${large},${A1}]`);
  assertEquals([result.accepted, result.refusals.map(({ reason }) => reason)], [
    1,
    ["record-too-large"],
  ]);
  assertEquals(bus.lines(), [A1]);
});
