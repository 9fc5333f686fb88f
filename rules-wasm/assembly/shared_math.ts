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

/** 2 / pi. */
const TWO_BY_PI: number = 0.6366197723675814;
/** pi / 2 in three parts: the first two have 33 bits, so that their products with k are exact. */
const HALF_PI_1: number = 1.5707963267341256;
const HALF_PI_2: number = 6.077100506303966e-11;
const HALF_PI_3: number = 2.0222662487959506e-21;

/** sin(r + low) for |r| <= pi / 4, by its series to the 17th power; low is what r leaves out. */
function sinNear(r: number, low: number): number {
  const z: number = r * r;
  let series: number = 1.0 / 355687428096000.0;
  series = series * z - 1.0 / 1307674368000.0;
  series = series * z + 1.0 / 6227020800.0;
  series = series * z - 1.0 / 39916800.0;
  series = series * z + 1.0 / 362880.0;
  series = series * z - 1.0 / 5040.0;
  series = series * z + 1.0 / 120.0;
  series = series * z - 1.0 / 6.0;
  return r + (r * z * series + low * (1.0 - 0.5 * z));
}

/** cos(r + low) for |r| <= pi / 4, by its series to the 18th power. */
function cosNear(r: number, low: number): number {
  const z: number = r * r;
  let series: number = -1.0 / 6402373705728000.0;
  series = series * z + 1.0 / 20922789888000.0;
  series = series * z - 1.0 / 87178291200.0;
  series = series * z + 1.0 / 479001600.0;
  series = series * z - 1.0 / 3628800.0;
  series = series * z + 1.0 / 40320.0;
  series = series * z - 1.0 / 720.0;
  series = series * z + 1.0 / 24.0;
  const half: number = 0.5 * z;
  const most: number = 1.0 - half;
  // What 1 - half leaves out is added to the small rest.
  return most + (1.0 - most - half + (z * z * series - r * low));
}

/** sin(x + quarters pi / 2), x being brought within pi / 4 of a multiple of pi / 2 first. */
function turned(x: number, quarters: number): number {
  const k: number = Math.floor(x * TWO_BY_PI + 0.5);
  const first: number = x - k * HALF_PI_1;
  const second: number = k * HALF_PI_2;
  // The difference and what it leaves out (Knuth's exact sum).
  const near: number = first - second;
  const back: number = near - first;
  const lost: number = first - (near - back) - (second + back);
  const third: number = lost - k * HALF_PI_3;
  const r: number = near + third;
  const low: number = near - r + third;
  const sum: number = k + quarters;
  const turn: number = sum - Math.floor(sum / 4) * 4;
  if (turn == 0) return sinNear(r, low);
  if (turn == 1) return cosNear(r, low);
  return turn == 2 ? -sinNear(r, low) : -cosNear(r, low);
}

/** Sine, within one unit in the last place of `Math.sin` for |x| <= 100,000. */
export function sin(x: number): number {
  return x == 0 ? x : turned(x, 0);
}

/** Cosine, within one unit in the last place of `Math.cos` for |x| <= 100,000. */
export function cos(x: number): number {
  return turned(x, 1);
}

/** pi, and what that double leaves out. */
const PI: number = 3.141592653589793;
const PI_LOW: number = 1.2246467991473532e-16;

/** The arc tangent of 0 <= x <= 1: that of the nearest of 0, 1/4, 1/2, 3/4, 1, and of the rest. */
function arcTangent(x: number): number {
  let at: number = 0;
  let high: number = 0;
  let low: number = 0;
  if (x > 0.875) {
    at = 1;
    high = 0.7853981633974483;
    low = 3.061616997868383e-17;
  } else if (x > 0.625) {
    at = 0.75;
    high = 0.6435011087932844;
    low = 1.5834785051444286e-17;
  } else if (x > 0.375) {
    at = 0.5;
    high = 0.4636476090008061;
    low = 2.2698777452961687e-17;
  } else if (x > 0.125) {
    at = 0.25;
    high = 0.24497866312686414;
    low = 1.0698755618734451e-17;
  }
  const rest: number = (x - at) / (1.0 + x * at);
  const z: number = rest * rest;
  let series: number = 1.0 / 17.0;
  series = series * z - 1.0 / 15.0;
  series = series * z + 1.0 / 13.0;
  series = series * z - 1.0 / 11.0;
  series = series * z + 1.0 / 9.0;
  series = series * z - 1.0 / 7.0;
  series = series * z + 1.0 / 5.0;
  series = series * z - 1.0 / 3.0;
  return high + (rest + (rest * z * series + low));
}

/**
 * The angle of the point (x, y), -pi to pi: within three units in the last place of `Math.atan2`
 * where neither is so small against the other that their quotient is no normal double.
 *
 * @param y finite, as x
 */
export function atan2(y: number, x: number): number {
  if (x != x || y != y) return NaN;
  const left = x < 0 || (x == 0 && 1.0 / x < 0);
  const below = y < 0 || (y == 0 && 1.0 / y < 0);
  const across: number = x < 0 ? -x : x;
  const up: number = y < 0 ? -y : y;
  let angle: number = 0;
  if (up > across) angle = PI * 0.5 - (arcTangent(across / up) - PI_LOW * 0.5);
  else if (up > 0) angle = arcTangent(up / across);
  if (up > across && left) angle = PI * 0.5 + (arcTangent(across / up) + PI_LOW * 0.5);
  else if (left) angle = PI - (angle - PI_LOW);
  return below ? -angle : angle;
}

/** Mean radius of the earth (IUGG). */
export const EARTH_RADIUS_METRES: number = 6371008.8;

const HALF_RADIANS: number = 0.008726646259971648;

/**
 * Great-circle distance of two positions in degrees, in metres, by the haversine formula
 * (Sinnott, "Virtues of the Haversine", 1984).
 */
export function distanceMetres(lat0: number, lon0: number, lat1: number, lon1: number): number {
  const down: number = sin((lat1 - lat0) * HALF_RADIANS);
  const along: number = sin((lon1 - lon0) * HALF_RADIANS);
  const width: number = cos(lat0 * 2.0 * HALF_RADIANS) * cos(lat1 * 2.0 * HALF_RADIANS);
  let chord: number = down * down + width * along * along;
  // Rounding may take it beyond 1 for positions opposite to one another.
  if (chord > 1) chord = 1;
  return EARTH_RADIUS_METRES * 2.0 * atan2(Math.sqrt(chord), Math.sqrt(1.0 - chord));
}
