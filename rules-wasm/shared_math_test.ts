/** The exponential that both engines share. */
import { assert, assertEquals } from "@std/assert";
import { Seeded } from "../testing/seeded.ts";
import { exp } from "./assembly/shared_math.ts";

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
