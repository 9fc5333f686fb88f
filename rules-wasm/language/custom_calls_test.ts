import { assert, assertEquals } from "@std/assert";
import { CatalogIndex } from "./catalog_index.ts";
import { loadCatalog } from "./catalog_file.ts";
import { checkCondition } from "./checker.ts";
import { customRows, declarationHash } from "./custom_calls.ts";
import { CUSTOM_BUILT } from "./custom_built.ts";
import { CUSTOM_OPERATORS, type CustomOperator } from "./custom_operators.ts";
import { ALL_FUNCTIONS } from "./function_table.ts";
import type { FunctionRow } from "./functions.ts";
import { structure } from "./structure.ts";

const CATALOG = index(`
version: 1
vehicle: [vehicle]
time: [ts]
signals:
  speed: { unit: km/h, range: [0, 400] }
  gps: { unit: m/s, range: [0, 200] }
  coolant: { unit: degC, range: [-60, 250] }
  outside: { unit: degF, range: [-80, 200] }
  ignition: { type: boolean }
`);

function index(text: string): CatalogIndex {
  const result = loadCatalog(text, { file: "signals.yaml" });
  assert(result.ok, "the catalog of the test is sound");
  return new CatalogIndex(result.catalog);
}

const name = (number: number) => CATALOG.catalog.signals[number]?.name ?? "?";

function check(
  text: string,
  functions: ReadonlyMap<string, FunctionRow> = ALL_FUNCTIONS,
): { tree: string; faults: string[] } {
  const faults: string[] = [];
  const checked = checkCondition(
    text,
    CATALOG,
    (_at, _length, message, suggestion = "") => faults.push(`${message}; ${suggestion}`),
    functions,
  );
  const tree = checked === null ? "" : structure(checked.condition, name);
  return { tree: tree.replaceAll("number ", ""), faults };
}

Deno.test("custom calls: the shipped operator takes any unit, and limits come into it", () => {
  const hash = CUSTOM_BUILT[0].hash;
  const cases: readonly [string, string][] = [
    [
      "cusum(speed, 80 mph, 1, 20 m/s) > 50",
      `(> (custom cusum:${hash} (speed) 128.74752 1 72) 50)`,
    ],
    [
      "cusum(coolant, outside, 1 K, 9 degF) >= 5 K",
      `(>= (custom cusum:${hash} (coolant) ` +
      "(convert 0.5555555555555556 -17.77777777777778 (outside)) 1 5) 5)",
    ],
    [
      "cusum(coolant, 230 degF, 9 degF, 5) > 9 degF",
      `(> (custom cusum:${hash} (coolant) 110 5 5) 5)`,
    ],
    [
      "cusum(speed, avg(gps, 1 min), 0, 5) > 0",
      `(> (custom cusum:${hash} (speed) (convert 3.6 0 (avg (gps) 60000ms)) 0 5) 0)`,
    ],
  ];
  for (const [text, tree] of cases) assertEquals(check(text), { tree, faults: [] }, text);
});

Deno.test("custom calls: wrong calls are refused as those of the language are", () => {
  const called = "it is called as cusum(x, target, slack, limit)";
  const cases: readonly [string, string][] = [
    ["cusum(speed, 80) > 5", `Cannot call cusum with 2 arguments; ${called}`],
    ["cusun(speed, 80, 1, 5) > 5", 'Cannot find a function named "cusun"; did you mean "cusum"?'],
    [
      "cusum > 5",
      'Cannot find a signal named "cusum"; cusum is a function: cusum(x, target, slack, limit)',
    ],
    [
      "cusum(speed, 80 degC, 1, 5) > 5",
      `Cannot use "80 degC" as target of cusum: it takes what x is: km/h; ${called}`,
    ],
    [
      "cusum(coolant, 80 degC, coolant, 5) > 5",
      `Cannot use "coolant" as slack of cusum: it takes a difference of x: K; ${called}`,
    ],
    ["cusum(ignition, 1, 1, 5) > 5", 'Cannot use "ignition" as a number: it is true or false; '],
    [
      "cusum(1, 2, 3, 4) > 5",
      'Cannot take cusum of "cusum(1, 2, 3, 4)": it names no signal; ',
    ],
  ];
  for (const [text, fault] of cases) assertEquals(check(text).faults, [fault], text);
});

Deno.test("custom calls: what was not built, or not as it is declared now, is refused", () => {
  const [cusum] = CUSTOM_OPERATORS;
  const told = (operator: CustomOperator) =>
    check("cusum(speed, 80, 1, 5) > 0", new Map([["cusum", customRows([operator])[0]]])).faults;
  assertEquals(told(cusum), []);
  for (const other of [{ ...cusum, slots: 3 }, { ...cusum, name: "other" }]) {
    assertEquals(told(other), [
      `Cannot use ${other.name}: the kernel was built without it, or before it was changed; ` +
      "run deno task build:kernel",
    ]);
  }
});

Deno.test("custom calls: conditions, durations and units become what the function takes", () => {
  const operator: CustomOperator = {
    name: "odd",
    arguments: [
      { name: "c", kind: "condition" },
      { name: "v", kind: "number", unit: "m/s" },
      { name: "k", kind: "number", unit: "degC" },
      { name: "n", kind: "number", unit: "" },
      { name: "d", kind: "duration", leastMs: 500 },
    ],
    result: { kind: "event" },
    slots: 1,
  };
  const built = [{ name: "odd", declared: declarationHash(operator), hash: "h" }];
  const [row] = customRows([operator], built);
  const tell = (text: string) => {
    const { tree, faults } = check(text, new Map([...ALL_FUNCTIONS, ["odd", row]]));
    return faults.length === 0 ? tree : faults.map((each) => each.split("; ")[0]).join();
  };
  assertEquals(
    tell("odd(ignition, speed, outside, 3, 2 s)"),
    "(custom odd:h (truth (flag ignition)) (convert 0.2777777777777778 0 (speed)) " +
      "(convert 0.5555555555555556 -17.77777777777778 (outside)) 3 2000)",
  );
  assertEquals(
    tell("odd(speed > 3, 36 km/h, 50 degF, 3, 2 s)"),
    "(custom odd:h (truth (> (speed) 3)) 10 10 3 2000)",
  );
  assertEquals(
    tell("odd(ignition, coolant, coolant, 3, 2 s)"),
    'Cannot use "coolant" as v of odd: it takes m/s',
  );
  assertEquals(
    tell("odd(ignition, 1, delta(coolant, 1 s), 3, 2 s)"),
    'Cannot use "delta(coolant, 1 s)" as k of odd: it takes a temperature: degC',
  );
  assertEquals(
    tell("odd(ignition, 1, 1, 3 V, 2 s)"),
    'Cannot use "3 V" as n of odd: it takes a number without unit',
  );
  assertEquals(
    tell("odd(ignition, 1, 1, 3, 2 ms)"),
    "Cannot use 2 ms as a duration here: the least is 500 ms",
  );
});
