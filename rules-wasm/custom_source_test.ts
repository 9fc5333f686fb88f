/** What the build tells authors of custom operators. */
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { checkDeclarations, customFiles } from "./custom_build.ts";
import { CustomOperatorError } from "./custom_source.ts";
import { type TrialWorld, tryOperator, TypeScriptWorld } from "./custom_trial.ts";
import { CUSTOM_OPERATORS, type CustomOperator } from "./language/custom_operators.ts";

const OPERATOR: CustomOperator = {
  name: "grow",
  arguments: [{ name: "x", kind: "number", unit: "any" }, { name: "d", kind: "duration" }],
  result: { kind: "number", like: "x" },
  slots: 2,
};

const HEAD = 'import { Slots } from "../slots.ts";\n';
const SOUND = `${HEAD}
/** Doc. */
export function grow(state: Slots, t: number, x: number, d: number): number {
  const half = 1 / 2; // a comment
  if (t - state.get(0) > d || isNaN(state.get(1))) state.set(1, x * 1e3);
  state.set(0, t);
  return state.get(1) + half;
}
`;

const files = (source: string, operator = OPERATOR) =>
  customFiles([operator], new Map([[operator.name, source]]));

function faults(make: () => unknown): readonly string[] {
  return assertThrows(make, CustomOperatorError).faults;
}

/** Faults of a body of two lines below the head: the function begins in line 2. */
const ofBody = (body: string) =>
  faults(() =>
    files(
      `${HEAD}export function grow(state: Slots, t: number, x: number, d: number): number {\n  ${body}\n}\n`,
    )
  );

Deno.test("custom source: whole numbers become fractions for AssemblyScript, lines stay", () => {
  const { assembly } = files(SOUND);
  const text = assembly.get("custom/grow.ts") ?? "";
  assertEquals(text.split("\n").length, SOUND.split("\n").length);
  assert(text.includes('import { Slots } from "../slots_kernel";'));
  assert(text.includes("const half = 1.0 / 2.0; // a comment"));
  assert(text.includes("state.set(1.0, x * 1e3)"));
});

Deno.test("custom source: the hash follows the code and the declaration, not comments and layout", () => {
  const hash = (source: string, operator = OPERATOR) =>
    /hash: "(\w+)"/.exec(files(source, operator).generated.get("language/custom_built.ts") ?? "")
      ?.[1];
  const usual = hash(SOUND);
  assertEquals(hash(SOUND.replace("// a comment", "\n\n /* other */")), usual);
  assertNotEquals(hash(SOUND.replace("1 / 2", "1 / 3")), usual);
  assertNotEquals(hash(SOUND, { ...OPERATOR, slots: 3 }), usual);
});

Deno.test("custom source: what is not portable is refused by its place", () => {
  const cases: readonly [string, string][] = [
    [
      "return x & 1;",
      '3:12: Cannot use "&": an operator computes with + - * / and comparisons only',
    ],
    [
      "return x % 2;",
      '3:12: Cannot use "%": an operator computes with + - * / and comparisons only',
    ],
    ["return x ** 2;", '3:13: Cannot use "**": write the product out'],
    ["return 0x10;", "3:10: Cannot read 0x10: write it in decimal digits, such as 0.5 or 1e6"],
    ["return 010;", "3:10: Cannot read 010: write it in decimal digits, such as 0.5 or 1e6"],
    ['return "a";', '3:10: Cannot use the text "a": an operator handles numbers only'],
    ["return `a`;", '3:10: Cannot use "`": an operator handles numbers only'],
    ["const a = [x];", '3:13: Cannot use "[": keep numbers in slots, with get(i) and set(i, x)'],
    ["return new Date();", "3:10: Cannot use new: it is not in the subset that both engines run"],
    ["const i: i32 = x;", "3:12: Cannot use i32: it is not in the subset that both engines run"],
    [
      "return Math.exp(x);",
      "3:15: Cannot use Math.exp: engines round it differently; there are abs, ceil, floor, max, min, sqrt, trunc, and what ../shared_math.ts has",
    ],
    ["const f = () => x;", '3:17: Cannot use "=>": write a function'],
    ["state.clear();", "3:9: Cannot use .clear: slots have get(i) and set(i, x)"],
    ["return state.get(2);", "3:16: Cannot use slot 2: it declares 2 slots, 0 to 1"],
  ];
  for (const [body, expected] of cases) {
    const found = ofBody(body);
    assert(found.includes(`custom/grow.ts:${expected}`), `${body}: ${found.join("; ")}`);
  }
  assertEquals(faults(() => files(SOUND.replace(HEAD, `${HEAD}let seen = 0;\n`))), [
    "custom/grow.ts:2:1: Cannot keep a variable outside of a function: all vehicles would share it; keep it in a slot",
  ]);
  assertEquals(faults(() => files(SOUND.replace(HEAD, `${HEAD}import { a } from "./a.ts";\n`))), [
    'custom/grow.ts:2:19: Cannot import "./a.ts": an operator may import ../slots.ts and ../shared_math.ts',
  ]);
});

Deno.test("custom source: the function has to be there, as declared", () => {
  assertEquals(faults(() => files(SOUND.replace("export function grow", "function grow"))), [
    "custom/grow.ts: Cannot find an exported function named grow in it",
  ]);
  assertEquals(faults(() => files(SOUND.replace("function grow", "function grew"))), [
    "custom/grow.ts: Cannot find an exported function named grow in it (it exports grew)",
  ]);
  const wanted = "write function grow(state: Slots, t: number, x: number, d: number): number";
  assertEquals(
    faults(() => files(SOUND.replace(", x: number, d: number)", ", x: number)"))),
    [
      "custom/grow.ts:4:17: Cannot call grow as declared: it has 3 parameters where 4 are called for; " +
      wanted,
      "custom/grow.ts:6:26: Cannot use d: it is not in the subset that both engines run",
    ].sort((a, b) => b.localeCompare(a)),
  );
  assertEquals(faults(() => files(SOUND.replace("d: number): number", "d: boolean): number"))), [
    `custom/grow.ts:4:17: Cannot call grow as declared: it has other types; ${wanted}`,
  ]);
  assertEquals(faults(() => customFiles([OPERATOR], new Map())), [
    "grow: Cannot find its file rules-wasm/assembly/custom/grow.ts",
  ]);
  assertEquals(faults(() => customFiles([], new Map([["grow", SOUND]]))), [
    "custom/grow.ts: Cannot build it: CUSTOM_OPERATORS does not declare grow",
  ]);
});

Deno.test("custom source: a declaration is checked by itself", () => {
  checkDeclarations(CUSTOM_OPERATORS);
  const cases: readonly [Partial<CustomOperator>, string][] = [
    [{ name: "avg" }, "avg: Cannot use the name of a function of the language"],
    [{ name: "while" }, "while: Cannot use a reserved word as a name"],
    [{ name: "not" }, "not: Cannot use a reserved word as a name"],
    [
      { name: "Grow" },
      "Grow: Cannot use it as a name: names are lower case letters, digits and _, at most 24",
    ],
    [{ slots: 65 }, "grow: Cannot keep 65 slots for each vehicle: 0 to 64 are possible"],
    [
      { arguments: Array.from({ length: 9 }, (_, i) => ({ name: `x${i}`, kind: "condition" })) },
      "grow: Cannot take 9 arguments: at most 8 are possible",
    ],
    [
      { result: { kind: "number", like: "z" } },
      "grow: Cannot measure result as z: there is no number of that name before it",
    ],
    [
      { result: { kind: "number", unit: "kmph" } },
      'grow: Cannot read the unit of result: Cannot find a unit named "kmph"; did you mean "km/h"?',
    ],
    [
      { arguments: [{ name: "d", kind: "duration", leastMs: 0.5 }], result: { kind: "event" } },
      "grow: Cannot use 0.5 as leastMs of d: it is whole milliseconds",
    ],
  ];
  for (const [change, expected] of cases) {
    const found = faults(() => checkDeclarations([{ ...OPERATOR, ...change }]));
    assert(found.includes(expected), `${expected}: ${found.join("; ")}`);
  }
  assertEquals(faults(() => checkDeclarations([OPERATOR, OPERATOR])), [
    "grow: Cannot declare two operators of one name",
  ]);
});

Deno.test("custom trial: operators that answer otherwise in one world are refused", () => {
  const step = (_state: unknown, _t: unknown, x: unknown) => Number(x) * 2;
  const operator = { ...OPERATOR, slots: 0 };
  const world = (): TrialWorld => new TypeScriptWorld(operator, step);
  tryOperator(operator, world(), world());
  const other = new TypeScriptWorld(operator, (_state, _t, x) => Math.fround(Number(x) * 2));
  const [parted] = faults(() => tryOperator(operator, other, world()));
  assert(parted?.startsWith("custom/grow.ts: the engines part on sample "), parted);
  const far: CustomOperator = { ...OPERATOR, slots: 1 };
  const source = new TypeScriptWorld(far, (state) => {
    assert(typeof state === "object" && state !== null && "get" in state);
    assert(typeof state.get === "function");
    return state.get(-1);
  });
  assertEquals(faults(() => tryOperator(far, source, source)), [
    "custom/grow.ts: Cannot use slot -1: it declares 1 slot, 0 to 0",
  ]);
});
