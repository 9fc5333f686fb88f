import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Catalog } from "../../contract/catalog.ts";
import { Seeded } from "../../testing/seeded.ts";
import { traceRules } from "../../testing/engine_trace.ts";
import type { RuleSet } from "../language/ast.ts";
import { loadCatalog } from "../language/catalog_file.ts";
import { formatFault, formatFaults } from "../language/format_fault.ts";
import { loadRules } from "../language/rules_file.ts";
import { hashVersion } from "../version.ts";
import { CASE_START_MS, caseSources, loadCases, type RuleCase } from "./case_file.ts";
import { Coverage } from "./coverage.ts";
import { type CaseResult, runCase } from "./run_case.ts";
import { timeLines } from "./time_line.ts";

const read = (name: string) => Deno.readTextFileSync(new URL(`../${name}`, import.meta.url));

function shipped(): Catalog {
  const text = read("signals.yaml");
  const result = loadCatalog(text, { file: "signals.yaml" });
  if (!result.ok) throw new Error(formatFaults(result.faults, text));
  return result.catalog;
}

const FAST = traceRules(`version: 1
rules:
  - { id: fast, when: speed > 100, for: 3 s, clear: speed < 90 }
  - { id: off, when: not ignition and rpm > 5 }
  - { id: quiet, when: absent(10 s) }
`);

function casesOf(text: string, rules: RuleSet = FAST): readonly RuleCase[] {
  const result = loadCases(text, { file: "t.yaml", rules });
  if (!result.ok) throw new Error(formatFaults(result.faults, text));
  return result.cases;
}

/** A file of one test, of these lines. */
function test(...lines: string[]): string {
  return `version: 1\ntests:\n  - name: t\n${lines.map((line) => `    ${line}\n`).join("")}`;
}

/** Values of a signal as a series gives them. */
function valuesOf(series: string, signal = "speed"): readonly unknown[] {
  const [only] = casesOf(test(`series: { ${signal}: ${series}, rpm: 1x6 }`, "expect: none"));
  return only?.vehicles[0]?.series.get(signal) ?? [];
}

Deno.test("shipped rules: their tests pass, open and clear all of them, and cover every term", () => {
  const text = read("rules.yaml");
  const loaded = loadRules(text, { file: "rules.yaml", catalog: shipped(), hash: hashVersion });
  if (!loaded.ok) throw new Error(formatFaults(loaded.faults, text));
  const tests = read("rules_test.yaml");
  assertEquals(caseSources(tests), { rules: "rules.yaml", catalog: "signals.yaml", zones: "" });
  const coverage = new Coverage(loaded.rules);
  for (const each of casesOf(tests, loaded.rules)) {
    const { failures, transitions } = runCase(each, loaded.rules);
    assertEquals(
      failures.flatMap(({ rule, differences }) => [rule, ...differences]),
      [],
      each.name,
    );
    coverage.take(each, transitions);
  }
  for (const { rule, opened, cleared, terms } of coverage.report()) {
    assertEquals([opened, cleared === false], [true, false], rule);
    for (const { text, wasTrue, wasFalse } of terms) {
      assertEquals([wasTrue, wasFalse], [true, true], `${rule}: ${text}`);
    }
  }
});

Deno.test("series: values, repeats, steps, gaps, lists and what goes on", () => {
  assertEquals(valuesOf("100"), [100]);
  assertEquals(valuesOf("90x3"), [90, 90, 90]);
  assertEquals(valuesOf("100 +5x3 90 -2.5x2"), [100, 105, 110, 115, 90, 87.5, 85]);
  assertEquals(valuesOf("0 +0.1x3"), [0, 0.1, 0.2, 0.3]);
  assertEquals(valuesOf("1 _ _x2 2"), [1, null, null, null, 2]);
  assertEquals(valuesOf("[100, 105, _, 90x2, .5]"), [100, 105, null, 90, 90, 0.5]);
  assertEquals(valuesOf("7 8x*"), [7, 8, 8, 8, 8, 8]);
  assertEquals(valuesOf("7 _x*"), [7, null, null, null, null, null]);
  assertEquals(valuesOf("-5 -5 +0x2", "coolant"), [-5, -5, -5, -5]);
  assertEquals(valuesOf("true falsex2 _ true", "ignition"), [true, false, false, null, true]);
});

Deno.test("series: names of a signal, even those that look like repeats", () => {
  const { signals } = shipped();
  const gear = { name: "mode", type: "name" as const, names: ["P", "x2", "2x2", "D E"], unit: "" };
  const rest = { min: -Infinity, max: Infinity, staleAfterMs: Infinity, vss: "", description: "" };
  const catalog = { ...FAST.catalog, signals: [...signals, { ...gear, ...rest, keys: ["mode"] }] };
  const [only] = casesOf(
    test('series: { mode: [P, Px2, x2, 2x2, 2x2x2, "D E"] }', "expect: none"),
    { ...FAST, catalog },
  );
  assertEquals(only?.vehicles[0]?.series.get("mode"), [
    ...["P", "P", "P", "x2", "2x2", "2x2", "2x2", "D E"],
  ]);
});

Deno.test("cases: each kind of fault is refused with its place and what to do", () => {
  const series = "series: { speed: 1x9 }";
  const none = "expect: none";
  const cases: readonly [string, string, string, string][] = [
    ["", "1:1", "an empty file", ""],
    ["version: 1", "1:1", "without tests", "add tests"],
    ["tests: []", "1:1", "without version", "version: 1"],
    ["version: 1\ntest: []\ntests: []", "2:1", 'the key "test"', '"tests"?'],
    ["version: 1\nrules: [a]\ntests: []", "2:1", "it is one of rules", "rules_test.yaml"],
    [`version: 1\ntests:\n  - ${series}\n    ${none}\n`, "3:5", "without name", ""],
    [test(none), "3:5", "without series", "series: { SIGNAL"],
    [test(series), "3:5", "expects nothing", "expect: none"],
    [test(series, none, "vehicles: { A: { speed: 1 } }"), "4:5", "beside vehicles", ""],
    [test("series: { sped: 1 }", none), "4:15", 'named "sped"', 'did you mean "speed"?'],
    [test("series: { speed: 1 fast }", none), "4:24", '"fast" is not a number', "90x5"],
    [test("series: { speed: +5x3 }", none), "4:22", "no value before it", ""],
    [test("series: { speed: 1x* 2 }", none), "4:26", "comes last", ""],
    [test("series: { speed: 900 }", none), "4:22", "outside its range, 0 to 400 km/h", ""],
    [test("series: { speed: 300 +50x9 }", none), "4:26", "750 lies outside", ""],
    [test("series: { speed: 1x200000 }", none), "4:22", "more than 100000", ""],
    [test("series: { speed: { a: 1 } }", none), "4:22", "as a series of speed", ""],
    [test("series: { ignition: maybe }", none), "4:25", "is not true or false", ""],
    [test(series, none, "start: yesterday"), "6:12", "as start", "2026-01-05T06"],
    [test(series, none, "start: 2026-01-05 06:00"), "6:12", "with its zone", ""],
    [test(series, none, "interval: 0 s"), "6:15", "the least is 1 ms", ""],
    [test(series, none, "end: 3 s"), "6:10", "before its last step, 8 s", ""],
    [test(series, "expect: { fats: none }"), "5:15", 'rule named "fats"', '"fast"?'],
    [test(series, 'expect: { "*": opened at 3 s }'), "5:20", "anything but none", ""],
    [test(series, "expect: { fast: soon }"), "5:21", '"soon" as a transition', "opened at 12 s"],
    [test(series, "expect: { fast: opend at 3 s }"), "5:21", '"opend"', '"opened"?'],
    [test(series, "expect: { fast: opened at 3 V }"), "5:21", '"opened at 3 V"', ""],
    [test(series, "expect: { fast: opened at 3 m }"), "5:31", "m is metres", '"min"'],
    [test(series, "expect: { fast: opened at 3 s of W }"), "5:21", 'named "W"', ""],
    [
      test(series, "expect: { fast: { opened: 3 s, severty: info } }"),
      "5:36",
      "severty",
      '"severity"?',
    ],
    [test(series, "expect: { fast: { opened: 3 s, severity: bad } }"), "5:46", '"bad"', ""],
    [test(series, "expect: { fast: { severity: info } }"), "5:21", "tell the transition", ""],
    [
      test("vehicles: { A: { speed: 1 }, B: { speed: 1 } }", "expect: { fast: opened at 1 s }"),
      "5:21",
      "whose",
      "of VEHICLE",
    ],
  ];
  for (const [text, place, message, suggestion] of cases) {
    const result = loadCases(text, { file: "t.yaml", rules: FAST });
    assert(!result.ok, text);
    const [fault, ...rest] = result.faults;
    assertEquals(rest.map((other) => other.message), [], text);
    assertEquals(`${fault.span.line}:${fault.span.column}`, place, `${text}\n${fault.message}`);
    assertStringIncludes(fault.message, message, text);
    assertStringIncludes(fault.suggestion, suggestion, text);
    formatFault(fault, text);
  }
});

/** What each failure says. */
function differences({ failures }: CaseResult): readonly string[] {
  return failures.flatMap((failure) =>
    failure.differences.map((text) => `${failure.rule} of ${failure.vehicle}: ${text}`)
  );
}

Deno.test("cases: what came is held against what was expected", () => {
  const of = (...lines: string[]) => {
    const [only] = casesOf(test(...lines));
    return differences(runCase(only, FAST));
  };
  const series = "series: { speed: 80x2 110x5 80x3 }";
  assertEquals(of(series, "expect: { fast: [opened at 5 s, cleared at 7 s] }"), []);
  assertEquals(
    of(series, "expect: { fast: [{ opened: 5 s, onset: 2 s, count: 1 }, cleared 7 s] }"),
    [],
  );
  assertEquals(of(series, "expect: { off: none }"), []);
  assertEquals(of(series, "expect: none"), [
    "fast of V: expected nothing, got opened at 5 s",
    "fast of V: expected nothing, got cleared at 7 s",
  ]);
  assertEquals(of(series, "expect: { fast: [opened at 4 s, cleared at 7 s] }"), [
    "fast of V: expected opened at 4 s, got opened at 5 s",
  ]);
  assertEquals(of(series, "expect: { fast: [opened at 5 s, cleared at 7 s, opened at 9 s] }"), [
    "fast of V: expected opened at 9 s, got nothing",
  ]);
  assertEquals(
    of(
      series,
      "expect: { fast: [{ opened: 5 s, severity: critical, onset: 1 s }, cleared at 7 s] }",
    ),
    [
      'fast of V: opened at 5 s: expected severity "critical", got "warning"',
      "fast of V: opened at 5 s: expected onset 1 s, got 2 s",
    ],
  );
  assertEquals(of("series: { speed: 1 }", "end: 10 s", "expect: { quiet: opened at 10 s }"), []);
  assertEquals(of("series: { speed: 1 }", "end: 9 s", 'expect: { "*": none }'), []);
});

Deno.test("cases: vehicles are apart, and time is that of the test", () => {
  const [only] = casesOf(test(
    "start: 2026-03-01T05:00:00+01:00",
    "interval: 500 ms",
    "vehicles: { A: { speed: 110x8 }, B: { speed: 80x4 110x9 } }",
    "expect: { fast: [opened at 3 s of A, opened at 5 s of B] }",
  ));
  assertEquals(only.startMs, Date.UTC(2026, 2, 1, 4));
  const result = runCase(only, FAST);
  assertEquals(differences(result), []);
  assertEquals(result.transitions.map(({ at }) => at), [
    Date.UTC(2026, 2, 1, 4, 0, 3),
    Date.UTC(2026, 2, 1, 4, 0, 5),
  ]);
  assertEquals(new Date(CASE_START_MS).getUTCDay(), 1);
});

Deno.test("cases: a failure shows expected beside got, and the signals of the rule", () => {
  const [only] = casesOf(test(
    "series: { speed: 80x2 110x5 80x3 }",
    "expect: { fast: [opened at 4 s, cleared at 7 s] }",
  ));
  const [failure] = runCase(only, FAST).failures;
  const plain = timeLines(failure, only, FAST, { ascii: true, colour: false });
  assertEquals(plain.map((line) => line.trimEnd()), [
    "              0 s",
    "  expected    ....O==C..",
    "  got         .....O=C..",
    "  speed       0099999000  80 to 110 km/h",
    "              O opened  C cleared",
  ]);
  const colour = timeLines(failure, only, FAST, { ascii: false, colour: true });
  assertStringIncludes(colour[1], "\x1b[32m┄┄┄┄▲━━▼┄┄\x1b[0m");
  assertStringIncludes(colour[2], "\x1b[31m┄┄┄┄┄▲━▼┄┄\x1b[0m");
});

Deno.test("coverage: rules never opened or cleared, terms never true or never false", () => {
  const coverage = new Coverage(FAST);
  for (
    const each of casesOf(test(
      "series: { speed: 110x6, rpm: 3x*, ignition: falsex* }",
      "expect: { fast: opened at 3 s }",
    ))
  ) coverage.take(each, runCase(each, FAST).transitions);
  assertEquals(coverage.report(), [
    {
      rule: "fast",
      opened: true,
      cleared: false,
      terms: [{ text: "speed > 100", wasTrue: true, wasFalse: false }],
    },
    {
      rule: "off",
      opened: false,
      cleared: false,
      terms: [
        { text: "ignition", wasTrue: false, wasFalse: true },
        { text: "rpm > 5", wasTrue: false, wasFalse: true },
      ],
    },
    {
      rule: "quiet",
      opened: false,
      cleared: false,
      terms: [{ text: "absent(10 s)", wasTrue: false, wasFalse: true }],
    },
  ]);
});

Deno.test("cases: 3,000 mutated files give tests or faults, never a throw", () => {
  const text = read("rules_test.yaml").replace(/^#.*\n/gm, "");
  const rulesText = read("rules.yaml");
  const loaded = loadRules(rulesText, { file: "r", catalog: shipped(), hash: hashVersion });
  assert(loaded.ok);
  const pieces = text.split(/(?<=[\s:{},])/);
  const starts = [...text.matchAll(/^ {2}- name/gm)].map((found) => found.index);
  let sound = 0;
  for (let seed = 1; seed <= 3_000; seed++) {
    const random = new Seeded(seed);
    const from = random.below(starts.length - 1);
    const own = text.slice(starts[from], starts[from + 1]).split(/(?<=[\s:{},])/);
    for (let edits = 1 + random.below(3); edits > 0; edits--) {
      own[random.below(own.length)] = random.pick(pieces);
    }
    const mutated = `version: 1\ntests:\n${own.join("")}`;
    try {
      const result = loadCases(mutated, { file: "t", rules: loaded.rules });
      if (result.ok) sound++;
      else formatFaults(result.faults, mutated);
    } catch (cause) {
      throw new Error(`seed ${seed} throws for:\n${mutated}`, { cause });
    }
  }
  assert(sound > 150 && sound < 2_850, `${sound} of 3,000 were sound`);
});
