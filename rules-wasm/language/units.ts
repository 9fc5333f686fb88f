/**
 * Units of expressions: products of symbols, and the one place where numbers change their unit.
 *
 * A number v in unit a is in unit b: `(v + shift(a)) * factor(a) / factor(b) - shift(b)`, where a
 * difference has shifts of 0. For constants the whole formula is computed in exact fractions from
 * the shortest decimal text of v and rounded once, to the nearest double (`80 mph` is
 * `128.74752 km/h`, `50 degF` is `10 degC`). For values that are known only at run time the
 * formula is `v * factor + offset` with factor and offset each computed exactly and rounded once.
 */
import { closest } from "./faults.ts";
import {
  add,
  divide,
  multiply,
  ofDouble,
  ONE,
  power,
  type Rational,
  rational,
  subtract,
  toDouble,
} from "./rational.ts";
import {
  BASES,
  COMPOUND_ALIASES,
  type Dimension,
  sameDimension,
  UNIT_SYMBOLS,
  type UnitSymbol,
} from "./unit_table.ts";

/** One symbol of a unit with its exponent, never 0. */
export interface UnitPart {
  readonly symbol: UnitSymbol;
  readonly exponent: number;
}

/** A unit: parts in the order in which they are written, no symbol twice; empty for none. */
export type Unit = readonly UnitPart[];

/** The unit of a plain number. */
export const NO_UNIT: Unit = [];

const ZERO = ofDouble(0);

/** What came of reading a unit's text. */
export type UnitResult =
  | { readonly ok: true; readonly unit: Unit }
  | { readonly ok: false; readonly message: string; readonly suggestion: string };

/** Greatest exponent that a unit's text may give, and that a product may reach. */
export const EXPONENT_MAX = 12;

/** Reads a unit: symbols joined by `/` and `·`, each with a small exponent (`m/s2`, `km/h/s`). */
export function parseUnit(text: string): UnitResult {
  const whole = COMPOUND_ALIASES.get(text) ?? text;
  const own = UNIT_SYMBOLS.get(whole);
  if (own !== undefined) return { ok: true, unit: [{ symbol: own, exponent: 1 }] };
  let unit: Unit = NO_UNIT;
  for (const [i, piece] of whole.split("/").entries()) {
    if (piece === "1" && i === 0) continue;
    for (const factor of UNIT_SYMBOLS.has(piece) ? [piece] : piece.split("·")) {
      const found = /^([^\d²³^]+)(?:\^?([1-9])|([²³]))?$/.exec(factor);
      const [, name = "", digit, raised] = found ?? [];
      const symbol = UNIT_SYMBOLS.get(name);
      if (symbol === undefined) return unknownUnit(text, name === "" ? factor : name);
      const exponent = raised === undefined ? Number(digit ?? 1) : raised === "²" ? 2 : 3;
      unit = times(unit, [{ symbol, exponent: i === 0 ? exponent : -exponent }]);
    }
  }
  return { ok: true, unit };
}

/** What people write for a unit that has another symbol, or two meanings. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ["C", "degC"],
  ["F", "degF"],
  ["deg_C", "degC"],
  ["v", "V"],
  ["kmph", "km/h"],
]);

function unknownUnit(text: string, name: string): UnitResult {
  const near = HINTS.get(name) ?? closest(name, UNIT_SYMBOLS.keys());
  const within = name === text ? "" : ` (in ${JSON.stringify(text)})`;
  return {
    ok: false,
    message: `Cannot find a unit named ${JSON.stringify(name)}${within}`,
    suggestion: near === "" ? "" : `did you mean "${near}"?`,
  };
}

/** The canonical text of a unit, as catalog and terms show it; "" for none. */
export function unitText(unit: Unit): string {
  const write = (part: UnitPart) => {
    const size = Math.abs(part.exponent);
    return part.symbol.symbol + (size === 1 ? "" : String(size));
  };
  const above = unit.filter((part) => part.exponent > 0).map(write).join("·");
  const below = unit.filter((part) => part.exponent < 0).map((part) => `/${write(part)}`).join("");
  return below === "" ? above : `${above === "" ? "1" : above}${below}`;
}

/** The unit of a product; symbols that cancel are left out. */
export function times(a: Unit, b: Unit): Unit {
  const parts = [...a];
  for (const part of b) {
    const at = parts.findIndex((own) => own.symbol === part.symbol);
    const exponent = (parts[at]?.exponent ?? 0) + part.exponent;
    if (at === -1) parts.push(part);
    else if (exponent === 0) parts.splice(at, 1);
    else parts[at] = { symbol: part.symbol, exponent };
  }
  return parts;
}

/** The unit of a quotient. */
export function over(a: Unit, b: Unit): Unit {
  return times(a, b.map((part) => ({ symbol: part.symbol, exponent: -part.exponent })));
}

/** The unit of a square root, or null if an exponent is odd. */
export function root(unit: Unit): Unit | null {
  if (unit.some((part) => part.exponent % 2 !== 0)) return null;
  return unit.map((part) => ({ symbol: part.symbol, exponent: part.exponent / 2 }));
}

/** Whether an exponent has grown beyond `EXPONENT_MAX`. */
export function isExcessive(unit: Unit): boolean {
  return unit.some((part) => Math.abs(part.exponent) > EXPONENT_MAX);
}

/** The dimension of a unit. */
export function dimensionOf(unit: Unit): Dimension {
  return BASES.map((_, i) =>
    unit.reduce((sum, part) => sum + (part.symbol.dimension[i] ?? 0) * part.exponent, 0)
  );
}

/** Whether numbers in both units measure the same thing. */
export function isComparable(a: Unit, b: Unit): boolean {
  return sameDimension(dimensionOf(a), dimensionOf(b));
}

/** Whether two units are one and the same, however written. */
export function sameUnit(a: Unit, b: Unit): boolean {
  return isComparable(a, b) && equal(size(a), size(b)) && equal(shiftOf(a), shiftOf(b));
}

function equal(a: Rational, b: Rational): boolean {
  return a.num * b.den === b.num * a.den;
}

/** Whether a unit's numbers are points on a temperature scale when they are not differences. */
export function isTemperature(unit: Unit): boolean {
  const only = unit.length === 1 ? unit[0] : undefined;
  return only !== undefined && only.exponent === 1 && only.symbol.dimension[4] === 1;
}

const KELVIN = parseUnit("K");

/** The unit of a difference: K for degC, otherwise the same. */
export function differenceUnit(unit: Unit): Unit {
  const only = unit.length === 1 ? unit[0] : undefined;
  return only?.symbol.symbol === "degC" && only.exponent === 1 && KELVIN.ok ? KELVIN.unit : unit;
}

/** The unit per second. */
export function perSecond(unit: Unit): Unit {
  const second = UNIT_SYMBOLS.get("s");
  return second === undefined ? unit : over(unit, [{ symbol: second, exponent: 1 }]);
}

function size(unit: Unit): Rational {
  return unit.reduce((sum, part) => multiply(sum, power(part.symbol.factor, part.exponent)), ONE);
}

function shiftOf(unit: Unit): Rational {
  return isTemperature(unit) ? unit[0]?.symbol.shift ?? ZERO : ZERO;
}

/**
 * A constant in another unit: the one function that converts limits.
 *
 * @param point whether it is a point on a scale; otherwise it is a difference, or has no scale
 */
export function convertConstant(value: number, from: Unit, to: Unit, point: boolean): number {
  if (!Number.isFinite(value)) return value;
  const factor = divide(size(from), size(to));
  if (!point) return toDouble(multiply(ofDouble(value), factor));
  const shifted = multiply(add(ofDouble(value), shiftOf(from)), factor);
  return toDouble(subtract(shifted, shiftOf(to)));
}

/** `v * factor + offset` that brings values of one unit into another; null if nothing changes. */
export function conversion(
  from: Unit,
  to: Unit,
  point: boolean,
): { factor: number; offset: number } | null {
  const factor = divide(size(from), size(to));
  const offset = point ? subtract(multiply(shiftOf(from), factor), shiftOf(to)) : ZERO;
  if (equal(factor, ONE) && offset.num === 0n) return null;
  return { factor: toDouble(factor), offset: toDouble(offset) };
}

const MILLISECOND = rational("0.001");

/** A time in milliseconds, or null if the unit measures no time. */
export function toMilliseconds(value: number, unit: Unit): number | null {
  const second = UNIT_SYMBOLS.get("s");
  if (second === undefined || !isComparable(unit, [{ symbol: second, exponent: 1 }])) return null;
  return toDouble(divide(multiply(ofDouble(value), size(unit)), MILLISECOND));
}
