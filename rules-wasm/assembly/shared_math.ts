/**
 * Functions beyond + - * / that state depends on, written once for both engines.
 *
 * Portable: the same source is AssemblyScript for the kernel and TypeScript for the reference
 * (`number` is f64 in both). Only + - * /, comparisons and floor are used, each of which IEEE 754
 * rounds in one way, so that the results are bit-identical.
 */

/** Greatest x whose exponential is finite. */
const EXP_MAX: number = 709.782712893384;
/** Below it, the exponential is nearer to 0 than to the least double. */
const EXP_MIN: number = -745.1332191019411;
/** log2 e. */
const LOG2_E: number = 1.4426950408889634;
/** ln 2 in two parts: the first has 32 bits only, so that its product with k is exact. */
const LN2_HIGH: number = 0.6931471803691238;
const LN2_LOW: number = 1.9082149292705877e-10;

/** 2^k for whole k from -1022 to 1023, exact. */
function powerOfTwo(k: number): number {
  let rest: number = k < 0 ? -k : k;
  let factor: number = k < 0 ? 0.5 : 2;
  let power: number = 1;
  while (rest > 0) {
    const half: number = Math.floor(rest / 2);
    if (rest - half * 2 == 1) power *= factor;
    factor *= factor;
    rest = half;
  }
  return power;
}

/**
 * e^x, within one unit in the last place of `Math.exp`; 0 and Infinity beyond the range of doubles.
 *
 * x = k ln 2 + r with |r| <= ln 2 / 2, e^r by its series to the 13th power, times 2^k.
 */
export function exp(x: number): number {
  if (x != x) return x;
  if (x > EXP_MAX) return Infinity;
  if (x < EXP_MIN) return 0;
  const k: number = Math.floor(x * LOG2_E + 0.5);
  const high: number = x - k * LN2_HIGH;
  const low: number = k * LN2_LOW;
  const r: number = high - low;
  // e^r - 1 - r = r² (1/2! + r/3! + …)
  let series: number = 1.0 / 6227020800.0;
  series = series * r + 1.0 / 479001600.0;
  series = series * r + 1.0 / 39916800.0;
  series = series * r + 1.0 / 3628800.0;
  series = series * r + 1.0 / 362880.0;
  series = series * r + 1.0 / 40320.0;
  series = series * r + 1.0 / 5040.0;
  series = series * r + 1.0 / 720.0;
  series = series * r + 1.0 / 120.0;
  series = series * r + 1.0 / 24.0;
  series = series * r + 1.0 / 6.0;
  series = series * r + 0.5;
  const power: number = 1.0 - (low - r * r * series - high);
  // In two steps where 2^k itself, or the result, is no normal double.
  if (k > 1023) return power * 2.0 * powerOfTwo(k - 1);
  if (k < -1021) return power * powerOfTwo(k + 1000) * powerOfTwo(-1000);
  return power * powerOfTwo(k);
}
