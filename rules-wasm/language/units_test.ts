import { assertEquals, assertThrows } from "@std/assert";
import { rational, toDouble } from "./rational.ts";
import {
  conversion,
  convertConstant,
  isComparable,
  over,
  parseUnit,
  times,
  toMilliseconds,
  type Unit,
  unitText,
} from "./units.ts";

function unit(text: string): Unit {
  const read = parseUnit(text);
  if (!read.ok) throw new Error(read.message);
  return read.unit;
}

Deno.test("units: a limit is converted exactly and rounded once", () => {
  const cases: readonly [number, string, string, number][] = [
    [80, "mph", "km/h", 128.74752],
    [0.1, "km", "m", 100],
    [36, "km/h", "m/s", 10],
    [10, "m/s", "km/h", 36],
    [0.3, "g", "m/s2", 2.941995],
    [1.6, "bar", "kPa", 160],
    [2.2, "bar", "kPa", 220],
    [32, "psi", "kPa", 220.63223338138755],
    [1, "kWh", "J", 3600000],
    [1.1, "kW", "W", 1100],
    [60, "rpm", "deg/s", 360],
    [1, "mi", "km", 1.609344],
    [0.5, "%", "ppm", 5000],
    [12, "km/h/s", "m/s2", 3.3333333333333335],
    [1, "V·A", "W", 1],
    [5, "Nm", "N·m", 5],
  ];
  for (const [value, from, to, expected] of cases) {
    assertEquals(convertConstant(value, unit(from), unit(to), false), expected, `${value} ${from}`);
  }
});

Deno.test("units: temperatures convert as points or as differences", () => {
  const cases: readonly [number, string, string, boolean, number][] = [
    [50, "degF", "degC", true, 10],
    [230, "degF", "degC", true, 110],
    [-40, "degF", "degC", true, -40],
    [0, "degC", "K", true, 273.15],
    [300, "K", "degC", true, 26.85],
    [98.6, "degF", "degC", true, 37],
    [9, "degF", "K", false, 5],
    [9, "degF", "degC", false, 5],
    [5, "degC", "K", false, 5],
  ];
  for (const [value, from, to, point, expected] of cases) {
    assertEquals(convertConstant(value, unit(from), unit(to), point), expected, `${value} ${from}`);
  }
  assertEquals(conversion(unit("degF"), unit("degC"), true), {
    factor: 5 / 9,
    offset: -17.77777777777778,
  });
  assertEquals(conversion(unit("degC"), unit("K"), false), null);
  assertEquals(conversion(unit("m/s"), unit("km/h"), false), { factor: 3.6, offset: 0 });
});

Deno.test("units: every spelling has one canonical text", () => {
  const cases: readonly [string, string][] = [
    ["km/h", "km/h"],
    ["kmh", "km/h"],
    ["kph", "km/h"],
    ["m/s^2", "m/s2"],
    ["m/s²", "m/s2"],
    ["m/s/s", "m/s2"],
    ["°C", "degC"],
    ["celsius", "degC"],
    ["N·m", "Nm"],
    ["percent", "%"],
    ["l/h", "L/h"],
    ["km/h/s", "km/h/s"],
    ["degrees/s", "deg/s"],
    ["1/s", "1/s"],
    ["Ω", "Ω"],
    ["ohm", "Ω"],
    ["%/min", "%/min"],
  ];
  for (const [text, expected] of cases) assertEquals(unitText(unit(text)), expected, text);
});

Deno.test("units: an unknown unit is refused with what was probably meant", () => {
  const cases: readonly [string, string, string][] = [
    ["kmm", 'Cannot find a unit named "kmm"', 'did you mean "km"?'],
    ["degc", 'Cannot find a unit named "degc"', 'did you mean "degC"?'],
    ["C", 'Cannot find a unit named "C"', 'did you mean "degC"?'],
    ["km/hx", 'Cannot find a unit named "hx" (in "km/hx")', 'did you mean "h"?'],
    ["furlong", 'Cannot find a unit named "furlong"', ""],
  ];
  for (const [text, message, suggestion] of cases) {
    assertEquals(parseUnit(text), { ok: false, message, suggestion }, text);
  }
});

Deno.test("units: products and quotients derive their unit", () => {
  assertEquals(unitText(over(unit("km/h"), unit("s"))), "km/h/s");
  assertEquals(unitText(over(unit("km/h"), unit("L/h"))), "km/L");
  assertEquals(unitText(times(unit("V"), unit("A"))), "V·A");
  assertEquals(unitText(times(unit("K/s"), unit("s"))), "K");
  assertEquals(unitText(over(unit("%"), unit("%"))), "");
  assertEquals(isComparable(times(unit("V"), unit("A")), unit("kW")), true);
  assertEquals(isComparable(unit("km/h"), unit("degC")), false);
});

Deno.test("units: times become whole milliseconds", () => {
  assertEquals(toMilliseconds(0.1, unit("s")), 100);
  assertEquals(toMilliseconds(1.1, unit("min")), 66000);
  assertEquals(toMilliseconds(2, unit("d")), 172800000);
  assertEquals(toMilliseconds(5, unit("m")), null);
});

Deno.test("rational: a fraction becomes the nearest double", () => {
  for (const text of ["0.1", "1e-320", "9007199254740993", "1.7976931348623157e308", "-2.5"]) {
    assertEquals(toDouble(rational(text)), Number(text), text);
  }
  assertEquals(toDouble(rational("1/3")), 1 / 3);
  assertEquals(toDouble(rational("5/9")), 5 / 9);
  assertThrows(() => rational("1/0"), RangeError);
  assertThrows(() => rational("x"), SyntaxError);
});
