import { assert, assertEquals } from "@std/assert";
import type { Refusal } from "../contract/telemetry.ts";
import { createDecoder } from "./decoder.ts";
import type { DecoderOptions } from "./decoder_port.ts";
import { TEXT_CATALOG } from "./reference/random_text.ts";

const APPEND = 1_763_886_400_000;
const BEFORE = `{"vehicle":"before","ts":${APPEND},"speed":1}`;
const AFTER = `{"vehicle":"after","ts":${APPEND},"speed":2}`;
const encoder = new TextEncoder();

interface Read {
  readonly rows: { vehicle: string; t: number; values: Record<string, number> }[];
  readonly refusals: Refusal[];
  readonly counts: ReturnType<ReturnType<typeof createDecoder>["counts"]>;
}

function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === "string" ? encoder.encode(value) : value;
}

/** Reads records, each given as text or bytes. */
function read(
  records: readonly (string | Uint8Array)[],
  options: DecoderOptions = { maxVehicles: 1000, maxClockAheadMs: 60_000 },
): Read {
  const parts = records.map(bytesOf);
  const valueEnds = new Uint32Array(parts.length);
  let size = 0;
  parts.forEach((part, i) => valueEnds[i] = size += part.length);
  const values = new Uint8Array(size);
  parts.forEach((part, i) => values.set(part, valueEnds[i] - part.length));
  const appendTimes = new Float64Array(parts.length).fill(APPEND);
  const decoder = createDecoder(TEXT_CATALOG, options);
  const out: Read = { rows: [], refusals: [], counts: decoder.counts() };
  decoder.decode({ count: parts.length, values, valueEnds, appendTimes }, {
    refused: (refusal) => out.refusals.push(refusal),
    rows(rows) {
      for (let i = 0; i < rows.count; i++) {
        const present: Record<string, number> = {};
        TEXT_CATALOG.signals.forEach(({ name }, signal) => {
          const value = rows.column(signal)[i];
          if (!Number.isNaN(value)) present[name] = value;
        });
        out.rows.push({ vehicle: decoder.vehicle(rows.slot[i]), t: rows.t[i], values: present });
      }
    },
  });
  return { ...out, counts: decoder.counts() };
}

function sample(fields: string): string {
  return `{"vehicle":"x","ts":${APPEND}${fields === "" ? "" : `,${fields}`}}`;
}

const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

/** What is refused, with its reason and the byte of the fault. */
const REFUSED: readonly (readonly [string, string | Uint8Array, Refusal["reason"], number])[] = [
  ["cut short in a key", '{"vehicle":"x","t', "malformed-json", 17],
  ["cut short in a string", '{"vehicle":"x', "malformed-json", 13],
  ["cut short in a number", '{"vehicle":"x","ts":17', "malformed-json", 22],
  ["cut short behind a dot", '{"vehicle":"x","ts":17.', "malformed-json", 23],
  ["cut short in a literal", '{"on":tru', "malformed-json", 9],
  ["cut short before its brace", sample("").slice(0, -1), "malformed-json", 33],
  ["NaN", sample('"speed":NaN'), "malformed-json", 42],
  ["Infinity", sample('"speed":-Infinity'), "malformed-json", 43],
  ["nan", sample('"speed":nan'), "malformed-json", 43],
  ["a leading zero", sample('"speed":01'), "malformed-json", 43],
  ["a leading plus", sample('"speed":+1'), "malformed-json", 42],
  ["no digit before the dot", sample('"speed":.5'), "malformed-json", 42],
  ["no digit behind the dot", sample('"speed":5.'), "malformed-json", 44],
  ["an empty exponent", sample('"speed":5e'), "malformed-json", 44],
  ["a hexadecimal number", sample('"speed":0x10'), "malformed-json", 43],
  ["a trailing comma", sample('"speed":1,'), "malformed-json", 44],
  ["single quotes", "{'vehicle':1}", "malformed-json", 1],
  ["a comment", '{/**/"vehicle":1}', "malformed-json", 1],
  ["no colon", '{"vehicle" 1}', "malformed-json", 11],
  ["a control character in a string", '{"vehicle":"a\tb"}', "malformed-json", 13],
  ["an unknown escape", '{"vehicle":"a\\x"}', "malformed-json", 14],
  ["a short escape", '{"vehicle":"\\u12g4"}', "malformed-json", 16],
  ["two objects on a line", `${sample("")} ${sample("")}`, "malformed-json", 35],
  ["a byte order mark", `\ufeff${sample("")}`, "malformed-json", 0],
  ["white space of other kinds", sample('\u00a0"speed":1'), "malformed-json", 34],
  ["only white space", "  \n ", "malformed-json", 4],
  ["no UTF-8", Uint8Array.of(0x7b, 0x22, 0xff, 0x22), "invalid-utf8", 2],
  ["overlong UTF-8", Uint8Array.of(0x7b, 0x22, 0xc0, 0x80, 0x22), "invalid-utf8", 2],
  ["a surrogate in UTF-8", Uint8Array.of(0x7b, 0x22, 0xed, 0xa0, 0x80), "invalid-utf8", 3],
  ["beyond Unicode", Uint8Array.of(0x7b, 0x22, 0xf4, 0x90, 0x80, 0x80), "invalid-utf8", 3],
  ["UTF-8 cut short", Uint8Array.of(0x7b, 0x22, 0xe2, 0x82), "invalid-utf8", 4],
  ["an array", `[${sample("")}]`, "not-an-object", 0],
  ["a word", '"vehicle"', "not-an-object", 0],
  ["a number", "12", "not-an-object", 0],
  ["nothing", "null", "not-an-object", 0],
  ["no vehicle", `{"ts":${APPEND}}`, "no-vehicle", 0],
  ["an empty vehicle", `{"vehicle":"","ts":${APPEND}}`, "no-vehicle", 11],
  ["a vehicle of null", `{"vehicle":null,"ts":${APPEND}}`, "no-vehicle", 11],
  ["a vehicle in a list", `{"vehicle":["x"],"ts":${APPEND}}`, "no-vehicle", 11],
  ["an infinite vehicle", `{"vehicle":1e999,"ts":${APPEND}}`, "no-vehicle", 11],
  ["a vehicle of 10,000 bytes", `{"vehicle":"${"x".repeat(10_000)}","ts":1}`, "bad-vehicle-id", 11],
  ["a vehicle of 129 bytes", `{"vehicle":"${"é".repeat(64)}x","ts":1}`, "bad-vehicle-id", 11],
  ["a lone surrogate", '{"vehicle":"\\ud800","ts":1}', "bad-vehicle-id", 11],
  ["no time", '{"vehicle":"x"}', "no-time", 0],
  ["a time of digits in a string", '{"vehicle":"x","ts":"1763886400000"}', "no-time", 20],
  ["a day that is none", '{"vehicle":"x","ts":"2025-02-29"}', "no-time", 20],
  ["before 1970", '{"vehicle":"x","ts":-1}', "impossible-time", 20],
  ["before 1970 in words", '{"vehicle":"x","ts":"1969-12-31T23:59:59Z"}', "impossible-time", 20],
  ["beyond 9999", '{"vehicle":"x","ts":253402300800000}', "impossible-time", 20],
  ["an infinite time", '{"vehicle":"x","ts":1e999}', "impossible-time", 20],
  ["2099", '{"vehicle":"x","ts":"2099-01-01T00:00:00Z"}', "clock-ahead", 0],
  ["61 s ahead", `{"vehicle":"x","ts":${APPEND + 60_001}}`, "clock-ahead", 0],
];

for (const [name, value, reason, position] of REFUSED) {
  Deno.test(`bad input: ${name} is refused as ${reason}, its neighbours are read`, () => {
    const bytes = bytesOf(value);
    const line = encoder.encode(`${BEFORE}\n`);
    const within = Uint8Array.from([...line, ...bytes, ...encoder.encode(`\n${AFTER}`)]);
    const alone = read([BEFORE, bytes, AFTER]);
    assertEquals(alone.rows.map(({ vehicle }) => vehicle), ["before", "after"]);
    const { length } = bytes;
    assertEquals(alone.refusals, [{
      record: 1,
      index: 0,
      start: 0,
      end: length,
      position,
      reason,
    }]);
    if (name === "only white space") return;
    const lines = read([within]);
    assertEquals(lines.rows.map(({ vehicle }) => vehicle), ["before", "after"]);
    assertEquals(lines.refusals.map(({ record, index, start }) => ({ record, index, start })), [
      { record: 0, index: 1, start: line.length },
    ]);
    assertEquals(lines.refusals[0].reason, reason);
  });
}

/** What is read, with the values present and what is counted. */
const READ: readonly (readonly [string, string, Record<string, number>, string])[] = [
  ["latitude 0", '"lat":0,"lon":-0.0', { lat: 0, lon: -0 }, ""],
  ["longitude 1555", '"lat":1,"lon":1555', { lat: 1 }, "outOfRange"],
  ["a number too large for a double", '"a":1e999', {}, "outOfRange"],
  ["the last of two values", '"speed":1,"speed":2', { speed: 2 }, ""],
  ["the last of two aliases", '"speed":1,"spd":2', { speed: 2 }, ""],
  ["a last value of null", '"speed":1,"speed":null', {}, ""],
  ["a last value of a wrong type", '"speed":1,"speed":"2"', {}, "wrongType"],
  ["a number in a string", '"speed":"50"', {}, "wrongType"],
  ["a boolean for a number", '"speed":true', {}, "wrongType"],
  ["a list for a number", '"speed":[1]', {}, "wrongType"],
  ["an object for a number", '"speed":{}', {}, "wrongType"],
  ["true, and 0", '"on":true,"ignition":0', { on: 0 }, ""],
  ["a boolean of 2", '"on":2', {}, "outOfRange"],
  ["a name", '"gear":"drive"', { gear: 2 }, ""],
  ["a name with escapes", '"gear":"\\u00dc-turn"', { gear: 3 }, ""],
  ["a name in other letters", '"gear":"Drive"', {}, "outOfRange"],
  ["a number for a name", '"gear":2', {}, "wrongType"],
  ["a key with escapes", '"sp\\u0065ed":3', { speed: 3 }, ""],
  ["nested names", '"gps":{"pos":{"lat":5},"lon":6}', { lat: 5, lon: 6 }, ""],
  ["names nested and dotted", '"gps.pos":{"lat":5}', { lat: 5 }, ""],
  ["an unknown key", '"fw":"1.2"', {}, "unknownKeys"],
  ["an unknown list", '"fw":[1,{"speed":9}]', {}, "unknownKeys"],
  ["values in lists are none", '"gps":[{"lat":1}]', {}, "unknownKeys"],
  ["lists 1,000 deep", `"fw":${deep(1000)},"speed":4`, { speed: 4 }, "unknownKeys"],
  [
    "objects 1,000 deep",
    `"fw":${'{"a":'.repeat(1000)}1${"}".repeat(1000)},"speed":4`,
    { speed: 4 },
    "unknownKeys",
  ],
  ["names 1,000 deep", `${'"gps":{'.repeat(1000)}"lat":1${"}".repeat(1000)}`, {}, "unknownKeys"],
  ["bounds", '"a":1.7976931348623157e308,"b":5e-324', { a: 1.7976931348623157e308, b: 5e-324 }, ""],
  ["a halfway case", '"a":9007199254740993', { a: 9007199254740992 }, ""],
];

for (const [name, fields, values, counted] of READ) {
  Deno.test(`bad input: ${name}: ${JSON.stringify(values)}, counted as ${counted || "fine"}`, () => {
    const { rows, refusals, counts } = read([BEFORE, sample(fields), AFTER]);
    assertEquals(refusals, []);
    assertEquals(rows.map(({ vehicle }) => vehicle), ["before", "x", "after"]);
    assertEquals(rows[1].values, values);
    const { unknownKeys, outOfRange, wrongType } = counts;
    assertEquals({ unknownKeys, outOfRange, wrongType }, {
      unknownKeys: 0,
      outOfRange: 0,
      wrongType: 0,
      ...(counted === "" ? {} : { [counted]: 1 }),
    });
  });
}

Deno.test("bad input: a record of 10 MB is read or refused, its neighbours are read", () => {
  const long = "x".repeat(10_000_000);
  const { rows } = read([BEFORE, sample(`"fw":"${long}","speed":3`), AFTER]);
  assertEquals(rows.map(({ values }) => values.speed), [1, 3, 2]);
  const cut = read([BEFORE, sample(`"fw":"${long}`).slice(0, -1), AFTER]);
  assertEquals(cut.rows.length, 2);
  assertEquals(cut.refusals[0].reason, "malformed-json");
  assertEquals(cut.refusals[0].position, cut.refusals[0].end);
  const nested = read([BEFORE, sample(`"fw":${deep(5_000_000)}`), AFTER]);
  assertEquals(nested.rows.length, 3);
});

Deno.test("bad input: an object cut short before a newline leaves the next line whole", () => {
  const { rows, refusals } = read([`${BEFORE}\n{"vehicle":"x","ts":5,\n  ${AFTER}\n`]);
  assertEquals(rows.map(({ vehicle }) => vehicle), ["before", "after"]);
  assertEquals(refusals.length, 1);
  assertEquals(refusals[0].reason, "malformed-json");
});

Deno.test("scan: times are read as they are written", () => {
  const cases: [string, number][] = [
    ["1763886400123", 1763886400123],
    ["1763886400123.999", 1763886400123],
    ["1.763886400123e12", 1763886400123],
    ["0", 0],
    ["-0", 0],
    ['"2025-11-23T08:26:40.123Z"', 1763886400123],
    ['"2025-11-23T08:26:40.1239999Z"', 1763886400123],
    ['"2025-11-23 08:26:40,123"', 1763886400123],
    ['"2025-11-23T09:26:40.123+01:00"', 1763886400123],
    ['"2025-11-23T02:56:40.123-0530"', 1763886400123],
    ['"2025-11-23T08:26"', 1763886360000],
    ['"2025-11-23"', 1763856000000],
    ['"2025-11-22T24:00:00"', 1763856000000],
    ['"2024-02-29T00:00:00\\u005a"', 1709164800000],
  ];
  for (const [text, t] of cases) {
    const { rows } = read([`{"vehicle":"x","ts":${text}}`], {
      maxVehicles: 1,
      maxClockAheadMs: Infinity,
    });
    assertEquals(rows.map((row) => row.t), [t], text);
  }
});

Deno.test("scan: vehicles beyond the bound are refused, those known go on", () => {
  const of = (id: string) => `{"vehicle":${id},"ts":${APPEND}}`;
  const { rows, refusals } = read([
    of('"a"'),
    of("12"),
    of('"c"'),
    of('"a"'),
    of('"\\u0031\\u0032"'),
  ], {
    maxVehicles: 2,
    maxClockAheadMs: 0,
  });
  assertEquals(rows.map(({ vehicle }) => vehicle), ["a", "12", "a", "12"]);
  assertEquals(refusals.map(({ record, reason }) => [record, reason]), [[2, "too-many-vehicles"]]);
});

Deno.test("scan: 50,000 vehicles keep their ids, of any length", () => {
  const ids = Array.from({ length: 50_000 }, (_, i) => `${i}-${"é".repeat(i % 60)}`);
  const records = ids.map((id) => `{"vehicle":"${id}","ts":${APPEND}}`);
  const { rows } = read([...records, ...records], { maxVehicles: 50_000, maxClockAheadMs: 0 });
  assertEquals(rows.length, 100_000);
  assert(rows.every(({ vehicle }, i) => vehicle === ids[i % 50_000]));
});

Deno.test("scan: more refusals than the table holds are all given", () => {
  const { refusals, rows, counts } = read(Array(10_000).fill("x").concat(AFTER));
  assertEquals(refusals.map(({ record }) => record), Array.from({ length: 10_000 }, (_, i) => i));
  assertEquals(rows.length, 1);
  assertEquals(counts.refused, 10_000);
});

Deno.test("scan: one record of 5,000 objects gives them all, in order", () => {
  const lines = Array.from(
    { length: 5000 },
    (_, i) => i % 7 === 0 ? "{" : `{"vehicle":"v","ts":${APPEND},"a":${i}}`,
  );
  const { rows, refusals } = read([BEFORE, lines.join("\n"), AFTER]);
  const kept = lines.keys().filter((i) => i % 7 !== 0).toArray();
  assertEquals(rows.slice(1, -1).map(({ values }) => values.a), kept);
  assertEquals(
    refusals.map(({ index }) => index),
    lines.keys().filter((i) => i % 7 === 0).toArray(),
  );
});

Deno.test("scan: ticks are counted and give no row", () => {
  const { rows, counts } = read(["", BEFORE, "", "", AFTER, ""]);
  assertEquals(rows.length, 2);
  assertEquals(counts.ticks, 4);
});
