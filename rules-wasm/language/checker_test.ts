import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CatalogIndex } from "./catalog_index.ts";
import { loadCatalog } from "./catalog_file.ts";
import { checkCondition, checkValue } from "./checker.ts";
import { structure } from "./structure.ts";

const CATALOG = index(`
version: 1
vehicle: [vehicle]
time: [ts]
signals:
  speed: { unit: km/h, range: [0, 400], keys: [v], vss: Vehicle.Speed }
  gps: { unit: m/s, range: [0, 200] }
  coolant: { unit: degC, range: [-60, 250], keys: [engine_temp] }
  outside: { unit: degF, range: [-80, 200] }
  battery: { unit: V, range: [0, 60] }
  current: { unit: A, range: [-500, 500] }
  fuel: { unit: "%", range: [0, 100] }
  rpm: { unit: rpm, range: [0, 20000] }
  lat: { unit: deg, range: [-90, 90] }
  lon: { unit: deg, range: [-180, 180] }
  gear: { range: [-5, 30] }
  ax: { unit: m/s2, range: [-100, 100] }
  ignition: { type: boolean }
  door: { type: boolean }
  mode: { names: [P, R, D] }
  other: { names: [P, R, D] }
  state: { names: ["ON", "OFF"] }
`);

function index(text: string): CatalogIndex {
  const result = loadCatalog(text, { file: "signals.yaml" });
  assert(result.ok, "the catalog of the test is sound");
  const shape = { kind: "circle", lat: 0, lon: 0, radiusMetres: 1 } as const;
  const zones = [
    { id: "depo", name: "Depot", shape, digest: "d1" },
    { id: "field", name: "Field", shape, digest: "d2" },
  ];
  return new CatalogIndex(result.catalog, zones);
}

const name = (number: number) => CATALOG.catalog.signals[number]?.name ?? "?";

function check(text: string) {
  const faults: { at: number; length: number; message: string; suggestion: string }[] = [];
  const checked = checkCondition(
    text,
    CATALOG,
    (at, length, message, suggestion = "") => faults.push({ at, length, message, suggestion }),
  );
  return { checked, faults };
}

function tree(text: string): string {
  const { checked, faults } = check(text);
  assertEquals(faults, [], text);
  assert(checked !== null, text);
  return structure(checked.condition, name).replaceAll("number ", "");
}

Deno.test("checker: limits come into the unit of the signal", () => {
  const cases: readonly [string, string][] = [
    ["speed > 130 km/h", "(> (speed) 130)"],
    ["speed > 130", "(> (speed) 130)"],
    ["speed > 80 mph", "(> (speed) 128.74752)"],
    ["10 m/s < speed", "(< 36 (speed))"],
    ["speed > gps", "(> (speed) (convert 3.6 0 (gps)))"],
    ["gps < speed", "(< (gps) (convert 0.2777777777777778 0 (speed)))"],
    ["coolant > 230 degF", "(> (coolant) 110)"],
    ["coolant > 383.15 K", "(> (coolant) 110)"],
    ["coolant > -5", "(> (coolant) -5)"],
    ["ax < -0.4 g", "(< (ax) -3.92266)"],
    ["battery * current > 5 kW", "(> (* (battery) (current)) 5000)"],
    ["speed > 2 * 65", "(> (speed) 130)"],
    ["speed > 2 * 40 mph", "(> (speed) 128.74752)"],
    ["speed + 5 > 2 * gps", "(> (+ (speed) 5) (convert 3.6 0 (* 2 (gps))))"],
    ["speed / gear > 20", "(> (/ (speed) (gear)) 20)"],
    ["fuel < 5 %", "(< (fuel) 5)"],
    ["gear == 3", "(== (gear) 3)"],
    ["1 < 2", "true"],
    ["3 m/s > 10 km/h", "true"],
  ];
  for (const [text, expected] of cases) assertEquals(tree(text), expected, text);
});

Deno.test("checker: temperatures and their differences are told apart", () => {
  const cases: readonly [string, string][] = [
    ["delta(coolant, 1 min) > 9 degF", "(> (delta (coolant) 60000ms) 5)"],
    ["rate(coolant, 10 s) > 1 degC/s", "(> (rate (coolant) 10000ms) 1)"],
    ["coolant - 90 > 5", "(> (- (coolant) 90) 5)"],
    [
      "coolant - outside > 20 K",
      "(> (- (coolant) (convert 0.5555555555555556 -17.77777777777778 (outside))) 20)",
    ],
    [
      "coolant > outside + 20 K",
      "(> (coolant) (convert 0.5555555555555556 -17.77777777777778 (+ (outside) 36)))",
    ],
    ["coolant + 9 degF > 100 degC", "(> (+ (coolant) 5) 100)"],
    ["100 degC - coolant < 5 K", "(< (- 100 (coolant)) 5)"],
    ["max(coolant, 230 degF) > 120", "(> (max (coolant) 110) 120)"],
    ["abs(delta(outside, 1 min)) > 5 K", "(> (abs (delta (outside) 60000ms)) 9)"],
  ];
  for (const [text, expected] of cases) assertEquals(tree(text), expected, text);
});

Deno.test("checker: functions, booleans and names become the tree that the engines know", () => {
  const cases: readonly [string, string][] = [
    [
      "rate(speed, 1 s) < -12 km/h/s and prev(speed) > 20 km/h",
      "(and (< (rate (speed) 1000ms) -12) (> (prev (speed)) 20))",
    ],
    ["absent(30 s)", "(absent 30000ms)"],
    ["ignition", "(flag ignition)"],
    ["not ignition", "(not (flag ignition))"],
    ["ignition == false", "(not (flag ignition))"],
    ["true != ignition", "(not (flag ignition))"],
    ["ignition == door", "(== (boolean ignition) (boolean door))"],
    ["prev(ignition)", "(== (prev (boolean ignition)) 1)"],
    ["changed(ignition)", "(changed (boolean ignition))"],
    ["changed(mode)", "(changed (name mode))"],
    ['mode == "D"', '(== (name mode) (name 2 "D"))'],
    ['prev(mode) != "P"', '(!= (prev (name mode)) (name 0 "P"))'],
    ["mode == other", "(== (name mode) (name other))"],
    ["rose(speed > 30) and fell(ignition)", "(and (rose (> (speed) 30)) (fell (flag ignition)))"],
    ["sqrt(ax * ax) > 0.5 g", "(> (sqrt (* (ax) (ax))) 4.903325)"],
    ["clamp(rpm, 0, 6000) > 3", "(> (clamp (rpm) 0 6000) 3)"],
    ["min(speed, gps, 3) > 1", "(> (min (speed) (convert 3.6 0 (gps)) 3) 1)"],
    ["abs(-3) < sqrt(16)", "true"],
    [
      "delta(fuel, 60 s) < -5 % and speed < 2 km/h",
      "(and (< (delta (fuel) 60000ms) -5) (< (speed) 2))",
    ],
    ["true and speed > 3", "(and true (> (speed) 3))"],
    ["prev(prev(speed)) > 3", "(> (prev (prev (speed))) 3)"],
    ["age(speed) > 1 min", "(> (age (speed)) 60)"],
    ["age(ignition) > 500 ms", "(> (age (boolean ignition)) 0.5)"],
    ["held(ignition, 1 min)", "(held (flag ignition) 60000ms)"],
    ["seq(ignition, rpm > 3, 20 s)", "(seq (flag ignition) (> (rpm) 3) 20000ms)"],
    ["hour() < 5 and weekday() != 7", "(and (< (hour) 5) (!= (weekday) 7))"],
    ["rose(hour() == 8)", "(rose (== (hour) 8))"],
    ['inside("depo")', "(inside d1 (latitude (lat) (lon)) (longitude (lat) (lon)))"],
    ['entered("depo")', "(rose (inside d1 (latitude (lat) (lon)) (longitude (lat) (lon))))"],
    ['left("field")', "(fell (inside d2 (latitude (lat) (lon)) (longitude (lat) (lon))))"],
    [
      "moved(5 min) > 0.1 km",
      "(> (moved (latitude (lat) (lon)) (longitude (lat) (lon)) 300000ms) 100)",
    ],
    ["avg(speed, 1 min) > 50 mph", "(> (avg (speed) 60000ms) 80.4672)"],
    [
      "highest(coolant, 1 h) - lowest(coolant, 1 h) > 9 degF",
      "(> (- (highest (coolant) 3600000ms) (lowest (coolant) 3600000ms)) 5)",
    ],
    ["stddev(coolant, 1 min) > 9 degF", "(> (stddev (coolant) 60000ms) 5)"],
    ["sum(delta(coolant, 1 s), 1 min) > 2 K", "(> (sum (delta (coolant) 1000ms) 60000ms) 2)"],
    ["coolant > ewma(coolant, 500 ms) + 9 degF", "(> (coolant) (+ (ewma (coolant) 500ms) 5))"],
    ["zscore(coolant, 1 min) > 3", "(> (zscore (coolant) 60000ms) 3)"],
    ["count(speed > 3, 1 s) >= 2", "(>= (count (> (speed) 3) 1000ms) 2)"],
  ];
  for (const [text, expected] of cases) assertEquals(tree(text), expected, text);
});

Deno.test("checker: a fault names its place, its rule and what to do", () => {
  const cases: readonly [string, string, string, string][] = [
    ["sped > 3", "sped", 'Cannot find a signal named "sped"', 'did you mean "speed"?'],
    ["engine_temp > 3", "engine_temp", "Cannot find a signal", 'the signal is called "coolant"'],
    ["speed > 90 degC", "speed > 90 degC", "the units do not fit", "km/h, mph or m/s"],
    ["speed + battery > 3", "speed + battery", "Cannot add km/h (a speed) and V", ""],
    ["speed > 3 kmx", "kmx", 'Cannot find a unit named "kmx"', 'did you mean "km"?'],
    ["gear > 3 km/h", "gear > 3 km/h", "the units do not fit", ""],
    ["mx(speed, 1) > 3", "mx", 'Cannot find a function named "mx"', 'did you mean "max"?'],
    ["hour() < 5 s", "hour() < 5 s", "", ""],
    ["hour(3) < 5", "hour(3)", "with 1 argument", "hour()"],
    ["held(speed > 3, 9 ms)", "9 ms", "the least is 10 ms", ""],
    ["held(speed, 3 s)", "speed", "as a condition", ""],
    ["held(1 < 2, 3 s)", "1 < 2", "names no signal", ""],
    ["held(absent(3 s), 3 s)", "absent(3 s)", "Cannot use absent inside", "beside it"],
    ["seq(speed > 3, absent(3 s), 3 s)", "absent(3 s)", "Cannot use absent inside", "beside it"],
    ["seq(speed > 3, rpm > 3, 3 V)", "3 V", "it is not a time", "30 s"],
    ["seq(speed > 3, rpm > 3, 0 s)", "0 s", "the least is 10 ms", ""],
    ["age(speed) > 3 V", "age(speed) > 3 V", "", ""],
    ["age(speed > 3) > 3 s", "speed > 3", "it is no value", "rose"],
    ['left("depot")', '"depot"', 'Cannot find a zone named "depot"', 'did you mean "depo"?'],
    ['inside("x")', '"x"', 'Cannot find a zone named "x"', "zones are depo, field"],
    ["entered(depo)", "depo", "as a zone: it must be a text", 'write "depo"'],
    ["inside(3)", "3", "as a zone: it must be a text", 'as in "depot"'],
    ["moved(5 ms) > 3 m", "5 ms", "the least is 10 ms", ""],
    ["moved(5 s) > 3 s", "moved(5 s) > 3 s", "the units do not fit", ""],
    ["moved(speed, 5 s) > 3 m", "moved(speed, 5 s)", "with 2 arguments", "moved(duration)"],
    ["prev > 3", "prev", "Cannot find a signal", "prev is a function: prev(x)"],
    ["prev(speed, 3) > 3", "prev(speed, 3)", "with 2 arguments", "it is called as prev(x)"],
    ["speed", "speed", 'Cannot use "speed" as a condition: it is a number', "speed > 0 km/h"],
    ["mode", "mode", "it is a name", 'mode == "P"'],
    ["(speed > 3) + 1 > 2", "(speed > 3)", "as a number: it is a condition", ""],
    ["ignition > 3", "ignition > 3", "one side is true or false", ""],
    [
      "ignition == 1",
      "ignition == 1",
      "Cannot compare true or false and a number",
      "ignition, or not",
    ],
    ['mode == "d"', '"d"', 'Cannot find "d" among the names', 'did you mean "D"?'],
    ["mode == D", "D", "Cannot read the name D without quotes", 'write "D"'],
    ["mode == state", "state", "whose names differ", ""],
    ['mode > "D"', 'mode > "D"', 'Cannot compare with ">"', ""],
    ["rose(absent(3 s))", "absent(3 s)", "Cannot use absent inside", ""],
    ["rose(absent(3 s) or ignition)", "absent(3 s) or ignition", "Cannot use absent inside", ""],
    ["delta(speed, 5 ms) > 3", "5 ms", "the least is 10 ms", ""],
    ["avg(speed, 999 ms) > 3", "999 ms", "the least is 1 s", ""],
    ["avg(speed, 1 min) > 3 V", "avg(speed, 1 min) > 3 V", "the units do not fit", ""],
    ["sum(coolant, 1 min) > 3", "sum(coolant, 1 min)", "Cannot take sum of a temperature", ""],
    ["zscore(speed, 1 min) > 3 km/h", "zscore(speed, 1 min) > 3 km/h", "do not fit", ""],
    ["ewma(speed, 0 s) > 3", "0 s", "the least is 1 ms", ""],
    ["stddev(3, 1 min) > 2", "3", "it names no signal", ""],
    ["avg(mode, 1 min) > 2", "mode", "as a number: it is a name", ""],
    ["count(true, 1 min) > 2", "true", "it names no signal", ""],
    ["count(speed, 1 min) > 2", "speed", "as a condition: it is a number", "speed > 0 km/h"],
    ["count(absent(3 s), 1 min) > 2", "absent(3 s)", "Cannot use absent inside", ""],
    ["delta(speed, 2 m) > 3", "2 m", "m is metres", 'minutes are written "min"'],
    ["delta(speed, 2) > 3", "2", "it is not a time", "30 s"],
    ["delta(speed, gear) > 3", "gear", "it is not constant", ""],
    ["delta(speed, 10.0001 ms) > 3", "10.0001 ms", "not whole milliseconds", ""],
    ["absent(0 s)", "0 s", "the least is 1 ms", ""],
    ["absent(400 d)", "400 d", "the greatest is 366 d", ""],
    ["prev(3) > 2", "3", "it names no signal", ""],
    ["prev(speed > 3)", "speed > 3", "it is no value", "rose"],
    ["delta(mode, 3 s) > 2", "mode", "as a number: it is a name", ""],
    ["1 / 0 > speed", "1 / 0", "its result is not finite", ""],
    ["sqrt(speed) > 2", "sqrt(speed)", "the unit is not a square", ""],
    ["clamp(speed, 5, 3) > 2", "clamp(speed, 5, 3)", "the lower limit is above", ""],
    ["coolant * 2 > 3", "coolant * 2", "its zero is arbitrary", ""],
    ["coolant + coolant > 3", "coolant + coolant", "Cannot add two temperatures", ""],
    ["coolant - 90 degC > 3", "coolant - 90 degC", "Cannot tell whether degC", "in K"],
    ["coolant > delta(coolant, 1 s)", "coolant > delta(coolant, 1 s)", "a difference of temp", ""],
    ["(speed > 3) == (gps > 3)", "(speed > 3) == (gps > 3)", "Cannot compare two cond", ""],
  ];
  for (const [text, place, message, suggestion] of cases) {
    const { checked, faults } = check(text);
    assertEquals(checked, null, text);
    assertEquals(faults.length, 1, text);
    const [fault] = faults;
    assert(fault !== undefined);
    assertEquals(text.slice(fault.at, fault.at + fault.length), place, text);
    assertStringIncludes(fault.message, message, text);
    assertStringIncludes(fault.suggestion, suggestion, text);
  }
});

Deno.test("checker: all faults of an expression are found at once", () => {
  const { faults } = check("sped > 3 and foo(1) and speed > 3 V or rpm > 3 rpmm");
  assertEquals(faults.map((fault) => fault.at), [0, 13, 24, 47]);
});

Deno.test("checker: the terms of a condition stand in the order of its text", () => {
  const { checked } = check('speed > 80 mph and not (ignition or mode == "D") and absent(5 s)');
  const shown = checked?.terms.map((term) =>
    term.kind === "compare"
      ? [term.term.text, term.term.unit, structure(term.right, name)]
      : [term.text, structure(term.of, name)]
  );
  assertEquals(shown, [
    ["speed > 80 mph", "km/h", "128.74752"],
    ["ignition", "(flag ignition)"],
    ['mode == "D"', "", '(name 2 "D")'],
    ["absent(5 s)", "(absent 5000ms)"],
  ]);
});

Deno.test("checker: a message shows values with their units", () => {
  const cases: readonly [string, string, readonly string[] | undefined][] = [
    ["speed", "km/h", undefined],
    ["rate(speed, 1 s)", "km/h/s", undefined],
    ["delta(coolant, 1 min)", "K", undefined],
    ["coolant", "degC", undefined],
    ["gear", "", undefined],
    ["mode", "", ["P", "R", "D"]],
    ["ignition", "", ["false", "true"]],
  ];
  for (const [text, unit, names] of cases) {
    const shown = checkValue(text, CATALOG, (_at, _length, message) => {
      throw new Error(message);
    });
    assertEquals([shown?.unit, shown?.names], [unit, names], text);
  }
});
