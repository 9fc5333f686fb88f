import { assertEquals } from "@std/assert";
import { mixSeed, RandomStreams } from "./random.ts";
import { SampleText, type SampleValues } from "./sample_text.ts";

const encoder = new TextEncoder();
const HEAD = encoder.encode(`{"vehicle":"VH-1","ts":`);

function write(values: SampleValues, ts: number): Record<string, unknown> {
  const text = new SampleText();
  text.sample(HEAD, ts, values);
  return JSON.parse(new TextDecoder().decode(text.bytes));
}

function sample(value: number): SampleValues {
  return {
    lat: value,
    lon: -value,
    heading: value,
    speed: value,
    rpm: value,
    gear: value,
    throttle: value,
    load: value,
    coolant: value,
    fuel: value,
    battery: value,
    vibration: value,
    odometer: value,
    ambient: value,
    ignition: value > 0,
  };
}

Deno.test("sample text: every number is JSON and rounds as its decimals say", () => {
  const random = new RandomStreams(1, 1);
  const values = [0, -0, 0.04, 0.05, 0.5, 0.95, 0.999999, 9.99999999, 10, 59.33, 100, 123456.789];
  for (let i = 0; i < 3000; i++) values.push(random.between(0, -100, 100) ** 3);
  for (const value of values) {
    const parsed = write(sample(value), 1763886400123);
    assertEquals(parsed.ts, 1763886400123);
    const decimals: [string, number, number][] = [
      ["lat", value, 6],
      ["lon", -value, 6],
      ["speed", value, 1],
      ["rpm", value, 0],
      ["battery", value, 2],
    ];
    for (const [key, number, places] of decimals) {
      const scale = 10 ** places;
      const rounded = Math.sign(number) * Math.round(Math.abs(number) * scale) / scale;
      assertEquals(parsed[key], rounded === 0 ? 0 : rounded, `${key} of ${value}`);
    }
    assertEquals(parsed.ignition, value > 0);
  }
});

Deno.test("sample text: memory grows with what is written, and is used again", () => {
  const text = new SampleText();
  for (let i = 0; i < 1000; i++) {
    text.sample(HEAD, i, sample(i));
    text.newline();
  }
  const lines = new TextDecoder().decode(text.bytes).trimEnd().split("\n");
  assertEquals(lines.length, 1000);
  assertEquals(JSON.parse(lines[999]).ts, 999);
  text.clear();
  assertEquals(text.length, 0);
});

Deno.test("random: streams do not depend on each other, and cover their range", () => {
  const alone = new RandomStreams(42, 3);
  const mixed = new RandomStreams(42, 3);
  const expected = Array.from({ length: 5 }, () => alone.next(1));
  const found = Array.from({ length: 5 }, () => {
    mixed.next(0);
    mixed.bell(2);
    return mixed.next(1);
  });
  assertEquals(found, expected);
  const buckets = new Array(10).fill(0);
  for (let i = 0; i < 10_000; i++) buckets[alone.below(0, 10)]++;
  for (const count of buckets) assertEquals(count > 850 && count < 1150, true, `${buckets}`);
  assertEquals(mixSeed(1, 2) === mixSeed(2, 1), false);
});
