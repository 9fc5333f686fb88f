/** Functions that both engines share, held against Math. */
import { assert, assertEquals } from "@std/assert";
import { Seeded } from "../testing/seeded.ts";
import {
  atan2,
  cos,
  distanceMetres,
  EARTH_RADIUS_METRES,
  exp,
  sin,
} from "./assembly/shared_math.ts";

/** Units in the last place between two positive doubles. */
function ulps(a: number, b: number): number {
  const bits = new BigInt64Array(Float64Array.of(a, b).buffer);
  return Math.abs(Number(bits[0] - bits[1]));
}

Deno.test("exp: within one unit in the last place of Math.exp, over all of its range", () => {
  const random = new Seeded(7);
  const ranges = [[-745.13, 709.78], [-40, 40], [-1, 1], [-1e-6, 1e-6], [-745.13, -700]] as const;
  for (const [from, to] of ranges) {
    for (let i = 0; i < 100_000; i++) {
      const x = random.between(from, to);
      const off = ulps(exp(x), Math.exp(x));
      assert(off <= 1, `exp(${x}) is ${off} units off`);
    }
  }
});

Deno.test("exp: saturates, and never falls as x grows", () => {
  assertEquals([exp(0), exp(-0), exp(1e-320), exp(-1e-320)], [1, 1, 1, 1]);
  assertEquals([exp(710), exp(Infinity), exp(1e308)], [Infinity, Infinity, Infinity]);
  assertEquals([exp(-746), exp(-Infinity), exp(-1e308)], [0, 0, 0]);
  assertEquals(exp(NaN), NaN);
  assertEquals(exp(709.782712893384), Math.exp(709.782712893384));
  assertEquals(exp(-745.1332191019411), 5e-324);
  assertEquals(exp(-708.5), Math.exp(-708.5));
  let before = 0;
  for (let x = -746; x < 711; x += 1 / 512) {
    const y = exp(x);
    assert(y >= before, `exp(${x}) falls`);
    before = y;
  }
});

/** Units in the last place between two doubles of one sign. */
function apart(a: number, b: number): number {
  assertEquals(Math.sign(a), Math.sign(b));
  return ulps(Math.abs(a), Math.abs(b));
}

Deno.test("sin, cos: within one unit in the last place of Math, up to 100,000", () => {
  const random = new Seeded(8);
  const around = (x: number) => x * (1 + random.between(-4, 4) * 2 ** -52);
  for (let i = 0; i < 300_000; i++) {
    const range = random.pick([1e-9, 0.8, 3.2, 6.3, 100, 1e5]);
    // Beside multiples of pi / 2 hardly anything is left of x: the hard case.
    const x = random.chance(0.2)
      ? around((random.below(60_000) - 30_000) * Math.PI / 2)
      : random.between(-range, range);
    const off = Math.max(apart(sin(x), Math.sin(x)), apart(cos(x), Math.cos(x)));
    assert(off <= 1, `sin or cos of ${x} is ${off} units off`);
  }
  assertEquals([sin(0), sin(-0), cos(0), sin(NaN), cos(NaN)], [0, -0, 1, NaN, NaN]);
});

Deno.test("atan2: within three units in the last place of Math.atan2, in every quadrant", () => {
  const random = new Seeded(9);
  for (let i = 0; i < 300_000; i++) {
    const size = random.pick([1e-150, 1e-6, 1, 1e6, 1e150]);
    const y = size * random.between(-1, 1);
    const x = size * random.pick([1, 1, 1, 1e-5, 1e5]) * random.between(-1, 1);
    const off = apart(atan2(y, x), Math.atan2(y, x));
    assert(off <= 3, `atan2(${y}, ${x}) is ${off} units off`);
  }
  for (const y of [0, -0, 1, -1]) {
    for (const x of [0, -0, 1, -1]) assertEquals(atan2(y, x), Math.atan2(y, x), `${y}, ${x}`);
  }
  assertEquals([atan2(NaN, 1), atan2(1, NaN)], [NaN, NaN]);
});

Deno.test("distance: known ones, and the shortest of ways", () => {
  const { PI } = Math;
  const near = (a: number, b: number) => assert(Math.abs(a - b) <= 1e-12 * b, `${a}, not ${b}`);
  const whole = 2 * PI * EARTH_RADIUS_METRES;
  near(distanceMetres(0, 0, 0, 90), whole / 4);
  near(distanceMetres(0, -90, 0, 90), whole / 2);
  near(distanceMetres(90, 17, -90, 120), whole / 2);
  near(distanceMetres(-45, 10, 45, 10), whole / 4);
  near(distanceMetres(5, 179.5, 5, -179.5), distanceMetres(5, 0, 5, 1));
  assertEquals(distanceMetres(48.1, 11.5, 48.1, 11.5), 0);
  // By the spherical law of cosines: Berlin to New York, 6,385 km.
  const [a, b, c] = [52.52, 40.7128, 13.405 + 74.006].map((degrees) => degrees * PI / 180);
  const angle = Math.acos(
    Math.sin(a) * Math.sin(b) + Math.cos(a) * Math.cos(b) * Math.cos(c),
  );
  near(distanceMetres(52.52, 13.405, 40.7128, -74.006), angle * EARTH_RADIUS_METRES);
});
