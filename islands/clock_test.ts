import { assertAlmostEquals, assertEquals } from "@std/assert";
import { Clock } from "./clock.ts";
import { DelayMeter } from "./delay_meter.ts";

Deno.test("clock: the fastest message tells the server's time best", () => {
  const wall = { now: 50_000 };
  const clock = new Clock(1_000_000, () => wall.now);
  assertEquals(clock.now(), 1_000_000);
  clock.learn(1_000_000 - 80);
  clock.learn(1_000_000 - 3);
  clock.learn(1_000_000 - 400);
  wall.now += 500;
  assertEquals(clock.now(), 1_000_497);
});

Deno.test("clock: a paused view stands still, the live time goes on", () => {
  const wall = { now: 0 };
  const clock = new Clock(1000, () => wall.now);
  clock.start();
  wall.now = 10;
  clock.freeze(true);
  wall.now = 5000;
  assertEquals([clock.now(), clock.live()], [1010, 6000]);
  clock.freeze(false);
  assertEquals(clock.now(), 6000);
});

Deno.test("delay_meter: the percentile is of what was painted lately", () => {
  const meter = new DelayMeter();
  assertEquals(Number.isNaN(meter.percentile(0.95, 0)), true);
  for (let k = 1; k <= 100; k++) {
    meter.expect(1_000_000 - k);
    meter.painted(1_000_000);
  }
  assertAlmostEquals(meter.percentile(0.95, 1_000_000), 95);
  meter.expect(0);
  meter.forget();
  meter.painted(1_000_000);
  assertAlmostEquals(meter.percentile(1, 1_000_000), 100);
  assertEquals(Number.isNaN(meter.percentile(0.95, 1_100_000)), true);
});
