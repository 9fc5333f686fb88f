/** The units that rules and catalogs may name, with their exact size in SI base units. */
import { ofDouble, type Rational, rational } from "./rational.ts";

/** Base dimensions, in the order of a `Dimension`. */
export const BASES = ["length", "mass", "time", "current", "temperature", "angle"] as const;

/** Exponents of the base dimensions; all 0 for a ratio such as %. */
export type Dimension = readonly number[];

/** A unit that has a symbol of its own. */
export interface UnitSymbol {
  readonly symbol: string;
  /** Size of one in SI base units (m, kg, s, A, K, deg). */
  readonly factor: Rational;
  /** Added to a point on the scale before the factor: 0 on all but some temperatures. */
  readonly shift: Rational;
  readonly dimension: Dimension;
}

const NONE: Dimension = [0, 0, 0, 0, 0, 0];
const LENGTH: Dimension = [1, 0, 0, 0, 0, 0];
const VOLUME: Dimension = [3, 0, 0, 0, 0, 0];
const MASS: Dimension = [0, 1, 0, 0, 0, 0];
const TIME: Dimension = [0, 0, 1, 0, 0, 0];
const SPEED: Dimension = [1, 0, -1, 0, 0, 0];
const ACCELERATION: Dimension = [1, 0, -2, 0, 0, 0];
const FORCE: Dimension = [1, 1, -2, 0, 0, 0];
const PRESSURE: Dimension = [-1, 1, -2, 0, 0, 0];
const ENERGY: Dimension = [2, 1, -2, 0, 0, 0];
const POWER: Dimension = [2, 1, -3, 0, 0, 0];
const CURRENT: Dimension = [0, 0, 0, 1, 0, 0];
const CHARGE: Dimension = [0, 0, 1, 1, 0, 0];
const VOLTAGE: Dimension = [2, 1, -3, -1, 0, 0];
const RESISTANCE: Dimension = [2, 1, -3, -2, 0, 0];
const TEMPERATURE: Dimension = [0, 0, 0, 0, 1, 0];
const FREQUENCY: Dimension = [0, 0, -1, 0, 0, 0];
const ANGLE: Dimension = [0, 0, 0, 0, 0, 1];
const TURNING: Dimension = [0, 0, -1, 0, 0, 1];

/** Symbol, size (a decimal or a quotient of two), dimension, other spellings. */
type Row = readonly [string, string, Dimension, ...string[]];

const ROWS: readonly Row[] = [
  ["%", "0.01", NONE, "percent", "pct"],
  ["ppm", "0.000001", NONE],
  ["m", "1", LENGTH, "metre", "meter"],
  ["km", "1000", LENGTH, "kilometre", "kilometer"],
  ["cm", "0.01", LENGTH],
  ["mm", "0.001", LENGTH],
  ["mi", "1609.344", LENGTH, "mile", "miles"],
  ["ft", "0.3048", LENGTH],
  ["inch", "0.0254", LENGTH],
  ["L", "0.001", VOLUME, "l", "litre", "liter"],
  ["mL", "0.000001", VOLUME, "ml"],
  ["gal", "0.003785411784", VOLUME],
  ["kg", "1", MASS],
  ["gram", "0.001", MASS, "grams"],
  ["mg", "0.000001", MASS],
  ["t", "1000", MASS],
  ["lb", "0.45359237", MASS],
  ["s", "1", TIME, "sec", "second", "seconds"],
  ["ms", "0.001", TIME],
  ["min", "60", TIME, "minute", "minutes"],
  ["h", "3600", TIME, "hr", "hour", "hours"],
  ["d", "86400", TIME, "day", "days"],
  ["mph", "0.44704", SPEED],
  ["kn", "1852/3600", SPEED],
  ["g", "9.80665", ACCELERATION],
  ["N", "1", FORCE],
  ["kN", "1000", FORCE],
  ["Nm", "1", ENERGY, "N·m"],
  ["Pa", "1", PRESSURE],
  ["hPa", "100", PRESSURE],
  ["kPa", "1000", PRESSURE],
  ["MPa", "1000000", PRESSURE],
  ["bar", "100000", PRESSURE],
  ["mbar", "100", PRESSURE],
  ["psi", "4.4482216152605/0.00064516", PRESSURE],
  ["J", "1", ENERGY],
  ["kJ", "1000", ENERGY],
  ["Wh", "3600", ENERGY],
  ["kWh", "3600000", ENERGY],
  ["W", "1", POWER],
  ["kW", "1000", POWER],
  ["hp", "745.69987158227022", POWER],
  ["A", "1", CURRENT],
  ["mA", "0.001", CURRENT],
  ["Ah", "3600", CHARGE],
  ["V", "1", VOLTAGE],
  ["mV", "0.001", VOLTAGE],
  ["kV", "1000", VOLTAGE],
  ["Ω", "1", RESISTANCE, "ohm", "Ω"],
  ["kΩ", "1000", RESISTANCE, "kohm", "kΩ"],
  ["Hz", "1", FREQUENCY],
  ["kHz", "1000", FREQUENCY],
  ["deg", "1", ANGLE, "°", "degree", "degrees"],
  ["rad", "180/3.14159265358979323846264338327950288419716939937511", ANGLE, "radians"],
  ["rpm", "6", TURNING],
  ["K", "1", TEMPERATURE, "kelvin"],
];

const ZERO = ofDouble(0);

/** Temperatures whose scale does not begin at absolute zero. */
const SCALES: readonly (readonly [string, string, string, ...string[]])[] = [
  ["degC", "1", "273.15", "°C", "celsius", "Celsius"],
  ["degF", "5/9", "459.67", "°F", "fahrenheit", "Fahrenheit"],
];

/** Other spellings of units that the table makes of several symbols. */
export const COMPOUND_ALIASES: ReadonlyMap<string, string> = new Map([
  ["kmh", "km/h"],
  ["kph", "km/h"],
  ["mps", "m/s"],
  ["lph", "L/h"],
]);

function build(): ReadonlyMap<string, UnitSymbol> {
  const table = new Map<string, UnitSymbol>();
  const put = (unit: UnitSymbol, aliases: readonly string[]) => {
    for (const name of [unit.symbol, ...aliases]) table.set(name, unit);
  };
  for (const [symbol, size, dimension, ...aliases] of ROWS) {
    put({ symbol, factor: rational(size), shift: ZERO, dimension }, aliases);
  }
  for (const [symbol, size, shift, ...aliases] of SCALES) {
    const scale = { symbol, factor: rational(size), shift: rational(shift) };
    put({ ...scale, dimension: TEMPERATURE }, aliases);
  }
  return table;
}

/** Every symbol and other spelling, to its unit. */
export const UNIT_SYMBOLS: ReadonlyMap<string, UnitSymbol> = build();

/** Names of dimensions for messages, with units that rules write them in. */
const DIMENSION_NAMES: readonly (readonly [Dimension, string, string])[] = [
  [NONE, "a plain number or ratio", "%"],
  [LENGTH, "a length", "m, km or mi"],
  [VOLUME, "a volume", "L"],
  [MASS, "a mass", "kg"],
  [TIME, "a time", "s, min or h"],
  [SPEED, "a speed", "km/h, mph or m/s"],
  [ACCELERATION, "an acceleration", "m/s2, g or km/h/s"],
  [FORCE, "a force", "N"],
  [PRESSURE, "a pressure", "kPa, bar or psi"],
  [ENERGY, "an energy or torque", "kWh or Nm"],
  [POWER, "a power", "kW"],
  [CURRENT, "a current", "A"],
  [CHARGE, "a charge", "Ah"],
  [VOLTAGE, "a voltage", "V"],
  [RESISTANCE, "a resistance", "Ω"],
  [TEMPERATURE, "a temperature", "degC, degF or K"],
  [FREQUENCY, "a frequency", "Hz"],
  [ANGLE, "an angle", "deg"],
  [TURNING, "a rate of turning", "rpm or deg/s"],
];

/** Whether two dimensions are the same. */
export function sameDimension(a: Dimension, b: Dimension): boolean {
  return a.every((exponent, i) => exponent === b[i]);
}

/** What a dimension is called ("" if it has no name), and units that measure it. */
export function describeDimension(dimension: Dimension): { name: string; units: string } {
  const row = DIMENSION_NAMES.find(([known]) => sameDimension(known, dimension));
  return row === undefined ? { name: "", units: "" } : { name: row[1], units: row[2] };
}
