/** Exact fractions: units are converted without rounding before the very last step. */

/** A fraction in no particular terms; the denominator is above 0. */
export interface Rational {
  readonly num: bigint;
  readonly den: bigint;
}

/** One. */
export const ONE: Rational = { num: 1n, den: 1n };

/**
 * The fraction that a decimal text stands for exactly (`1.609344`, `-4e-3`, `5/9`).
 *
 * @throws {SyntaxError} if the text is not a decimal number or a quotient of two
 */
export function rational(text: string): Rational {
  const slash = text.indexOf("/");
  if (slash !== -1) return divide(rational(text.slice(0, slash)), rational(text.slice(slash + 1)));
  const found = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text);
  if (found === null) throw new SyntaxError(`Cannot read ${JSON.stringify(text)} as a decimal`);
  const [, sign = "", whole = "0", fraction = "", exponent = "0"] = found;
  const digits = BigInt(whole + fraction) * (sign === "-" ? -1n : 1n);
  const power = Number(exponent) - fraction.length;
  return power >= 0
    ? { num: digits * 10n ** BigInt(power), den: 1n }
    : { num: digits, den: 10n ** BigInt(-power) };
}

/** The fraction that a double's shortest decimal text stands for. @throws if it is not finite */
export function ofDouble(value: number): Rational {
  return rational(String(value));
}

/** a + b */
export function add(a: Rational, b: Rational): Rational {
  return reduce(a.num * b.den + b.num * a.den, a.den * b.den);
}

/** a - b */
export function subtract(a: Rational, b: Rational): Rational {
  return reduce(a.num * b.den - b.num * a.den, a.den * b.den);
}

/** a * b */
export function multiply(a: Rational, b: Rational): Rational {
  return reduce(a.num * b.num, a.den * b.den);
}

/** a / b. @throws {RangeError} if b is 0 */
export function divide(a: Rational, b: Rational): Rational {
  if (b.num === 0n) throw new RangeError("Cannot divide a fraction by zero");
  const sign = b.num < 0n ? -1n : 1n;
  return reduce(a.num * b.den * sign, a.den * b.num * sign);
}

/** a to a whole power, which may be negative. */
export function power(a: Rational, exponent: number): Rational {
  const size = BigInt(Math.abs(exponent));
  const raised = { num: a.num ** size, den: a.den ** size };
  return exponent >= 0 ? raised : divide(ONE, raised);
}

function reduce(num: bigint, den: bigint): Rational {
  let a = num < 0n ? -num : num;
  let b = den;
  while (b !== 0n) [a, b] = [b, a % b];
  return a > 1n ? { num: num / a, den: den / a } : { num, den };
}

/** Decimal digits that decide how a double is rounded; one more says whether anything follows. */
const DIGITS = 800;

/** The double nearest to a fraction (ties to even); infinite beyond the doubles. */
export function toDouble(value: Rational): number {
  if (value.num === 0n) return 0;
  const negative = value.num < 0n;
  const num = negative ? -value.num : value.num;
  const shift = DIGITS - num.toString().length + value.den.toString().length;
  const scaled = shift >= 0 ? num * 10n ** BigInt(shift) : num;
  const divisor = shift >= 0 ? value.den : value.den * 10n ** BigInt(-shift);
  const digits = scaled / divisor;
  const sticky = scaled % divisor === 0n ? "0" : "1";
  const nearest = Number(`${digits}${sticky}e${-shift - 1}`);
  return negative ? -nearest : nearest;
}
