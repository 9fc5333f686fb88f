import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import type { Injection } from "./faults.ts";
import { Fleet } from "./fleet.ts";
import { simulate } from "./simulate.ts";

const START = 1_763_886_400_000;
const decoder = new TextDecoder();

/** A sample as it stands on the wire. */
interface Sample {
  vehicle: string;
  ts: number;
  lat: number;
  lon: number;
  heading: number;
  speed: number;
  rpm: number;
  gear: number;
  coolant: number;
  fuel: number;
  battery: number;
  vibration: number;
  odometer: number;
  ignition: boolean;
}

function drive(
  vehicles: number,
  seed: number,
  seconds: number,
  take: (sample: Sample) => void,
): Injection[] {
  const truth: Injection[] = [];
  const fleet = new Fleet({
    vehicles,
    seed,
    startMs: START,
    onInjection: (injection) => truth.push(injection),
  });
  fleet.advance(START + seconds * 1000 - 1, (_, from, to) => {
    take(JSON.parse(decoder.decode(fleet.text.bytes.subarray(from, to))));
    fleet.text.clear();
  });
  fleet.finish();
  return truth;
}

async function written(vehicles: number, seed: number, seconds: number): Promise<[string, string]> {
  let lines = "";
  let truth = "";
  await simulate({
    vehicles,
    seed,
    startMs: START,
    durationMs: seconds * 1000,
    write: (bytes) => Promise.resolve(void (lines += decoder.decode(bytes))),
    writeTruth: (bytes) => Promise.resolve(void (truth += decoder.decode(bytes))),
  });
  return [lines, truth];
}

Deno.test("fleet: the same seed and start give the same bytes and the same truth", async () => {
  const first = await written(60, 7, 240);
  assertEquals(await written(60, 7, 240), first);
  const other = await written(60, 8, 10);
  assert(!first[0].startsWith(other[0].slice(0, 500)));
  assertEquals(first[0].trimEnd().split("\n").length > 60 * 230, true);
});

Deno.test("fleet: how far it is asked to go at a time changes no byte", () => {
  const texts = [1, 37, 1000, 90_000].map((stepMs) => {
    const fleet = new Fleet({ vehicles: 30, seed: 3, startMs: START });
    for (let ms = 0; ms < 90_000; ms += stepMs) {
      fleet.advance(START + Math.min(ms + stepMs, 90_000) - 1, () => fleet.text.newline());
    }
    return decoder.decode(fleet.text.bytes);
  });
  for (const text of texts) assertEquals(text, texts[0]);
});

Deno.test("fleet: samples are spread evenly over the second, each vehicle once", () => {
  const times: number[] = [];
  const ids = new Set<string>();
  drive(200, 1, 1, (sample) => {
    times.push(sample.ts - START);
    ids.add(sample.vehicle);
  });
  assertGreater(ids.size, 195);
  for (let tick = 0; tick < 10; tick++) {
    const inTick = times.filter((ms) => Math.floor(ms / 100) === tick).length;
    assert(inTick >= 18 && inTick <= 20, `tick ${tick} has ${inTick} samples`);
  }
});

Deno.test("fleet: position, speed, heading and odometer follow from one another", () => {
  const last = new Map<string, Sample>();
  const seed = 11;
  let turned = 0;
  let moved = 0;
  drive(120, seed, 600, (now) => {
    const before = last.get(now.vehicle);
    last.set(now.vehicle, now);
    // Silent devices leave gaps, stuck ones lie about speed.
    if (before === undefined || now.ts - before.ts > 1500 || stuck.has(now.vehicle)) return;
    const where = `seed ${seed}, ${now.vehicle} at ${now.ts}`;
    const mean = (now.speed + before.speed) / 2 / 3.6;
    const east = (now.lon - before.lon) * 111_194.93 * Math.cos(now.lat * Math.PI / 180);
    const north = (now.lat - before.lat) * 111_194.93;
    const metres = Math.hypot(east, north);
    // A corner is cut by the straight line, never lengthened.
    assertLess(metres, mean + 1.2, where);
    const hard = Math.abs(now.speed - before.speed) > 14;
    if (mean > 8 && !hard) assertGreater(metres, mean * 0.55, where);
    assert(Math.abs(now.speed - before.speed) < 26, `${where}: ${before.speed} → ${now.speed}`);
    const driven = (now.odometer - before.odometer) * 1000;
    assert(Math.abs(driven - mean) < 10 + 2.5, `${where}: odometer ${driven}, speed ${mean}`);
    if (mean < 8) return;
    moved++;
    const course = Math.atan2(east, north) * 180 / Math.PI;
    const off = Math.abs(((now.heading - course + 540) % 360) - 180);
    if (off > 30) turned++;
  });
  assertGreater(moved, 20_000);
  assertLess(turned / moved, 0.01);
});

/** The vehicle of the fleet above whose sensor gets stuck, found out beforehand. */
const stuck = new Set(
  drive(120, 11, 600, () => {}).filter(({ kind }) => kind === "stuck-sensor")
    .map(({ vehicle }) => vehicle),
);

Deno.test("fleet: over a drive the odometer is the integral of the speed", () => {
  const first = new Map<string, Sample>();
  const last = new Map<string, Sample>();
  const integral = new Map<string, number>();
  const seed = 5;
  const truth = drive(40, seed, 900, (now) => {
    const before = last.get(now.vehicle);
    if (before === undefined) first.set(now.vehicle, now);
    else {
      const km = (now.speed + before.speed) / 2 * (now.ts - before.ts) / 3_600_000;
      integral.set(now.vehicle, (integral.get(now.vehicle) ?? 0) + km);
    }
    last.set(now.vehicle, now);
  });
  const wrong = new Set(
    truth.filter(({ kind }) => kind === "stuck-sensor" || kind === "silent")
      .map(({ vehicle }) => vehicle),
  );
  for (const [vehicle, { odometer }] of last) {
    if (wrong.has(vehicle)) continue;
    const driven = odometer - (first.get(vehicle)?.odometer ?? NaN);
    const summed = integral.get(vehicle) ?? 0;
    assert(
      Math.abs(driven - summed) < 0.05 + 0.004 * driven,
      `seed ${seed}, ${vehicle}: odometer ${driven} km, integral of speed ${summed} km`,
    );
  }
});

Deno.test("fleet: sound vehicles stay within what no rule minds; troubled ones leave it", () => {
  const seed = 1;
  const troubled = new Set<string>();
  const coolantBefore = new Map<string, number>();
  const out: string[] = [];
  const seen = new Set<string>();
  const truth = drive(200, seed, 1200, (s) => {
    const before = coolantBefore.get(s.vehicle);
    coolantBefore.set(s.vehicle, s.coolant);
    if (before !== undefined && Math.abs(s.coolant - before) > 1.5) out.push(s.vehicle);
    if (s.speed > 129) seen.add("overspeed"), out.push(s.vehicle);
    if (s.coolant > 102) seen.add("overheating"), out.push(s.vehicle);
    if (s.fuel < 6) seen.add("low-fuel"), out.push(s.vehicle);
    if (s.vibration > 3.2) seen.add("vibration"), out.push(s.vehicle);
    if (s.battery < 12.3) seen.add("alternator"), out.push(s.vehicle);
    if (s.rpm > 3500) seen.add("cold-revving"), out.push(s.vehicle);
  });
  const fleet = new Fleet({ vehicles: 200, seed, startMs: START });
  for (let i = 0; i < fleet.count; i++) {
    if (fleet.troubleOf(i) !== undefined) troubled.add(decoder.decode(fleet.key(i)));
  }
  assertEquals([...new Set(out)].filter((vehicle) => !troubled.has(vehicle)), []);
  assertEquals(seen.size, 6, [...seen].join(" "));
  assert(truth.every(({ vehicle }) => troubled.has(vehicle)));
  assertGreater(new Set(truth.map(({ kind }) => kind)).size, 7);
});

Deno.test("fleet: something is wrong within seconds of the start, and not much at a time", () => {
  for (const seed of [1, 2, 3]) {
    const bad = (s: Sample) =>
      s.speed > 130 || s.coolant > 110 || s.fuel < 5 || s.vibration > 4 || s.battery < 11.8;
    let early = 0;
    let sum = 0;
    let parked = 0;
    let count = 0;
    drive(200, seed, 600, (s) => {
      if (bad(s) && s.ts < START + 3000) early++;
      if (bad(s)) sum++;
      if (!s.ignition) parked++;
      count++;
    });
    assertGreater(early, 2, `seed ${seed}`);
    assert(sum / 600 > 1 && sum / 600 < 12, `seed ${seed}: ${sum / 600} bad vehicles at a time`);
    assert(parked / count > 0.03 && parked / count < 0.15, `seed ${seed}: ${parked / count}`);
  }
});

Deno.test("fleet: a cold engine warms up over minutes, not at once", () => {
  const seed = 4;
  const coldest = new Map<string, { at: number; coolant: number }>();
  let warmed = 0;
  drive(150, seed, 1500, (s) => {
    const cold = coldest.get(s.vehicle);
    if (!s.ignition || s.coolant < 20) coldest.set(s.vehicle, { at: s.ts, coolant: s.coolant });
    else if (cold !== undefined && cold.coolant < 30 && s.coolant > 80) {
      const minutes = (s.ts - cold.at) / 60_000;
      assert(minutes > 1.5 && minutes < 20, `seed ${seed}, ${s.vehicle}: ${minutes} min`);
      warmed++;
      coldest.delete(s.vehicle);
    }
  });
  assertGreater(warmed, 0);
});

Deno.test("fleet: the truth says what was injected, from first to last sample", () => {
  const seed = 2;
  const silences = new Map<string, number[]>();
  const truth = drive(200, seed, 1500, ({ vehicle, ts }) => {
    const times = silences.get(vehicle);
    if (times === undefined) silences.set(vehicle, [ts]);
    else times.push(ts);
  });
  for (const { from, to } of truth) assert(to === null || to > from);
  const silent = truth.filter(({ kind, to }) => kind === "silent" && to !== null);
  assertGreater(silent.length, 0, `seed ${seed}`);
  for (const { vehicle, from, to } of silent) {
    const heard = (silences.get(vehicle) ?? []).filter((ts) => ts >= from && ts < (to ?? 0));
    assertEquals(heard, [], `${vehicle} is silent from ${from} to ${to}`);
  }
});

Deno.test("fleet: one vehicle, a faster rate and a skip are all well", () => {
  const one = new Fleet({ vehicles: 1, seed: 9, startMs: START, rateHz: 10 });
  let samples = 0;
  one.advance(START + 999, () => samples++);
  assertEquals(samples, 10);
  const last = decoder.decode(one.text.bytes).split("}{").at(-1) ?? "";
  one.text.clear();
  assertEquals(one.skipTo(START + 61_000), 600);
  one.advance(START + 61_000, () => {});
  const next: Sample = JSON.parse(decoder.decode(one.text.bytes));
  assertEquals(next.ts, START + 61_000);
  const before: Sample = JSON.parse(`{${last}`);
  assertLess(Math.abs(next.lat - before.lat), 0.0001);
});
