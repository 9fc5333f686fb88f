import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { hashVersion } from "../version.ts";
import type { Fault, RuleSet } from "./ast.ts";
import { loadCatalog } from "./catalog_file.ts";
import { formatFault, formatFaults } from "./format_fault.ts";
import { loadRules } from "./rules_file.ts";
import { structure } from "./structure.ts";

const CATALOG = (() => {
  const result = loadCatalog(
    `version: 1
vehicle: [vehicle]
time: [ts]
signals:
  speed: { unit: km/h, range: [0, 400] }
  coolant: { unit: degC, range: [-60, 250] }
  ignition: { type: boolean }
  mode: { names: [P, "it's"] }
`,
    { file: "signals.yaml" },
  );
  assert(result.ok);
  return result.catalog;
})();

function load(text: string) {
  return loadRules(text, { file: "rules.yaml", catalog: CATALOG, hash: hashVersion });
}

function rulesOf(text: string): RuleSet {
  const result = load(text);
  if (!result.ok) throw new Error(formatFaults(result.faults, text));
  return result.rules;
}

function faultsOf(text: string): readonly Fault[] {
  const result = load(text);
  assert(!result.ok, "faults were expected");
  return result.faults;
}

/** A file with one rule of these lines. */
function rule(...lines: string[]): string {
  return `version: 1\nrules:\n  - ${lines.join("\n    ")}\n`;
}

const FULL = `version: 1
settings: { lateness: 0 s, max_gap: 3 min, zone: UTC, max_vehicles: 500 }
rules:
  - id: full
    when: speed > 130 km/h
    for: 5 s
    clear: speed < 120 km/h
    clear_for: 1.5 s
    severity: { critical: speed > 160, warning: speed > 130 }
    cooldown: 1 min
    max_gap: 10 s
    message: "{vehicle} at {speed}, {{{ignition}}}"
    labels: { team: night, "shift": 2 }
    vehicles: "VH-*"
    runbook: https://example.org/speed
  - id: plain
    when: ignition
  - id: off
    when: ignition
    enabled: false
`;

Deno.test("rules: every key is read, and has its default", () => {
  const { rules: [full, plain, ...rest], settings } = rulesOf(FULL);
  assertEquals(rest, []);
  assert(full !== undefined && plain !== undefined);
  const signal = (n: number) => CATALOG.signals[n]?.name ?? "?";
  assertEquals(structure(full.when, signal), "(> (number speed) 130)");
  assertEquals(full.clear === null ? "" : structure(full.clear, signal), "(< (number speed) 120)");
  assertEquals([full.forMs, full.clearForMs, full.cooldownMs, full.maxGapMs], [
    5000,
    1500,
    60000,
    10000,
  ]);
  assertEquals(full.levels.map((level) => level.severity), ["warning", "critical"]);
  assertEquals(full.severity, "warning");
  assertEquals(full.message, [
    { kind: "vehicle" },
    { kind: "text", text: " at " },
    { kind: "value", of: { kind: "signal", signal: 0, type: "number" }, unit: "km/h" },
    { kind: "text", text: ", {" },
    {
      kind: "value",
      of: { kind: "signal", signal: 2, type: "boolean" },
      unit: "",
      names: ["false", "true"],
    },
    { kind: "text", text: "}" },
  ]);
  assertEquals(full.labels, { team: "night", shift: "2" });
  assertEquals(full.vehicles, ["VH-*"]);
  assertEquals(full.runbook, "https://example.org/speed");
  assertEquals(plain, {
    id: "plain",
    when: { kind: "flag", signal: 2 },
    clear: null,
    forMs: 0,
    clearForMs: 0,
    cooldownMs: 0,
    maxGapMs: 180_000,
    once: false,
    severity: "warning",
    levels: [],
    message: [{ kind: "vehicle" }, { kind: "text", text: ": ignition" }],
    terms: [{ kind: "condition", of: { kind: "flag", signal: 2 }, text: "ignition" }],
    labels: {},
    vehicles: [],
    runbook: "",
    source: "id: plain\nwhen: ignition",
  });
  assertEquals([settings.maxGapMs, settings.maxVehicles, settings.unknownAfterMs], [
    180_000,
    500,
    3_600_000,
  ]);
});

Deno.test("rules: a fault points at the character, however the text is written in YAML", () => {
  const cases: readonly [string, number, number, string][] = [
    [rule("id: a", "when: speed > 3 and sped < 4"), 4, 25, "sped"],
    [rule("id: a", 'when: "speed > 3 and sped < 4"'), 4, 26, "sped"],
    [rule("id: a", "when: 'mode == ''P'' and sped < 4'"), 4, 30, "sped"],
    [rule("id: a", 'when: "mode == \\"P\\" and sped < 4"'), 4, 30, "sped"],
    [rule("id: a", 'when: "\\u0073peed > 3 and sp\\u0065d < 4"'), 4, 31, "sp\\u0065d"],
    [rule("id: a", "when: speed > 3", "  and sped < 4"), 5, 11, "sped"],
    [rule("id: a", 'when: "speed > 3', "  and \\", '  sped < 4"'), 6, 7, "sped"],
    [rule("id: a", "when: |", "  speed > 3", "    and sped < 4"), 6, 13, "sped"],
    [rule("id: a", "when: >-", "  speed > 3", "  and sped < 4"), 6, 11, "sped"],
    [rule("id: a", "when: >- # why", "", "  speed > 3", "", "  and sped < 4"), 8, 11, "sped"],
    [rule("id: a", "when: ignition", 'message: "{vehicle} at {sped}"'), 5, 29, "sped"],
    [rule("id: a", "when: ignition", "severity: { info: sped > 3 }"), 5, 23, "sped"],
    ["version: 1\r\nrules:\r\n  - id: a\r\n    when: sped > 3\r\n", 4, 11, "sped"],
  ];
  for (const [text, line, column, word] of cases) {
    const [fault] = faultsOf(text);
    assert(fault !== undefined);
    assertEquals([fault.span.line, fault.span.column], [line, column], text);
    const { offset, length } = fault.span;
    assertEquals(text.slice(offset, offset + length), word, text);
    assertStringIncludes(fault.message, 'Cannot find a signal named "sped"');
    assertEquals(fault.suggestion, 'did you mean "speed"?');
  }
});

Deno.test("rules: each kind of fault is refused with its place and what to do", () => {
  const when = "when: ignition";
  const cases: readonly [string, string, string, string][] = [
    ["", "1:1", "Cannot use an empty file", ""],
    ["rules: []", "1:1", "without version", "write version: 1"],
    ["version: 2\nrules: []", "1:10", "the only one is 1", ""],
    ["version: 1", "1:1", "without rules", ""],
    ["version: 1\nrule: []\nrules: []", "2:1", 'the key "rule"', 'did you mean "rules"?'],
    ["version: 1\nrules: 3", "2:8", 'Cannot use "3" as rules: it must be a list', ""],
    ["version: 1\nrules: [3]", "2:9", "it must be a map", ""],
    ["- 1", "1:1", "as a rules file: it must be a map", ""],
    ["version: 1\nrules: [", "2:8", "as YAML", "close"],
    ["version: 1\nversion: 1\nrules: []", "2:1", "twice in one map", ""],
    ["version: 1\nrules: &a []\nsettings: *a", "3:11", 'the YAML alias "*a"', "write the value"],
    [rule("id: a", when, "sevrity: info"), "5:5", 'the key "sevrity" in a rule', '"severity"?'],
    [rule(when), "3:5", "without id", ""],
    [rule("id: a"), "3:5", "without when", ""],
    [rule("id: a b", when), "3:9", 'Cannot use "a b" as id', ""],
    [rule("id:", when), "3:8", "Cannot use nothing as id", ""],
    [rule("id: a", "when:"), "4:10", "Cannot use nothing as when", ""],
    [rule("id: a", when, "for: 5"), "5:10", "its unit is missing", "30 s"],
    [rule("id: a", when, "for: 5 m"), "5:10", "m is metres", '"min"'],
    [rule("id: a", when, "for: -5 s"), "5:10", "it is negative", ""],
    [rule("id: a", when, "for: 5 sx"), "5:10", 'cannot find a unit named "sx"', 'mean "s"?'],
    [rule("id: a", when, "for: 5 V"), "5:10", "V measures no time", ""],
    [rule("id: a", when, "for: soon"), "5:10", 'Cannot use "soon" as for', ""],
    [rule("id: a", when, "for: 0.5 ms"), "5:10", "not whole milliseconds", ""],
    [rule("id: a", when, "max_gap: 0 s"), "5:14", "the least is 1 ms", ""],
    [rule("id: a", when, "once: maybe"), "5:11", "it must be true or false", ""],
    [rule("id: a", when, "severity: warn"), "5:15", 'Cannot use "warn" as severity', ""],
    [rule("id: a", when, "severity: critcal"), "5:15", "as severity", 'did you mean "critical"?'],
    [rule("id: a", when, "severity: { }"), "5:15", "an empty severity ladder", ""],
    [rule("id: a", when, "severity: { bad: ignition }"), "5:17", 'Cannot use "bad"', ""],
    [rule("id: a", when, 'message: "{}"'), "5:15", "an empty placeholder", ""],
    [rule("id: a", when, 'message: "a } b"'), "5:17", 'a single "}"', '"}}"'],
    [rule("id: a", when, 'message: "a {speed"'), "5:17", "that closes this placeholder", '"{{"'],
    [rule("id: a", when, 'message: "{speed > 3}"'), "5:16", "it is a condition", ""],
    [rule("id: a", when, "runbook: javascript:alert(1)"), "5:14", "as runbook", ""],
    [rule("id: a", when, "vehicles: []"), "5:15", "limit a rule to no vehicle", ""],
    [rule("id: a", when, "labels: { a: [1] }"), "5:18", "as the label a", ""],
    [rule("id: a", when, "once: true", "clear: ignition"), "6:5", "together with once", ""],
    [rule("id: a", when, "once: true", "clear_for: 3 s"), "6:5", "together with once", ""],
    [rule("id: a", "when: absent(5 s)", "for: 3 s"), "5:5", "together with absent", "remove for"],
    [rule("id: a", when, "clear: absent(5 s)", "clear_for: 3 s"), "6:5", "with absent", ""],
    [rule("id: a", when) + "  - id: a\n    when: ignition\n", "5:9", "line 3 has it too", ""],
    [
      "version: 1\nsettings: { lateness: 61 min }\nrules: []",
      "2:23",
      "the greatest is 1 h",
      "late",
    ],
    ["version: 1\nsettings: { lateness: -1 s }\nrules: []", "2:23", "it is negative", ""],
    ["version: 1\nsettings: { lateness: 5 }\nrules: []", "2:23", "its unit is missing", "30 s"],
    [
      "version: 1\nsettings: { lateness: 5 s, forget_after: 4 s }\nrules: []",
      "2:23",
      "longer than forget_after",
      "lengthen",
    ],
    ["version: 1\nsettings: { max_waiting: 0 }\nrules: []", "2:26", "from 1 to", ""],
    [
      "version: 1\nsettings: { zone: Europe/Rom }\nrules: []",
      "2:19",
      "time zone",
      'did you mean "Europe/Rome"?',
    ],
    ["version: 1\nsettings: { max_gp: 5 s }\nrules: []", "2:13", "max_gp", '"max_gap"?'],
    ["version: 1\nsettings: { max_vehicles: 0 }\nrules: []", "2:27", "from 1 to", ""],
  ];
  for (const [text, place, message, suggestion] of cases) {
    const [fault, ...rest] = faultsOf(text);
    assert(fault !== undefined, text);
    assertEquals(rest.map((other) => other.message), [], text);
    assertEquals(`${fault.span.line}:${fault.span.column}`, place, text);
    assertStringIncludes(fault.message, message, text);
    assertStringIncludes(fault.suggestion, suggestion, text);
  }
});

Deno.test("rules: every fault of a file is found at once, in its order", () => {
  const faults = faultsOf(`version: 2
rules:
  - id: a
    when: sped > 3
    for: 5
  - id: a
    when: speed > 3 V
    color: red
  - when: absent(5 s)
    clear_for: 2 s
`);
  assertEquals(faults.map((fault) => fault.span.line), [1, 4, 5, 6, 7, 8, 9, 10]);
});

Deno.test("rules: nothing runs deep or long: size, nesting and bombs are faults", () => {
  const texts = [
    "[".repeat(100_000),
    `version: 1\nrules: ${"[".repeat(500)}${"]".repeat(500)}`,
    "a: ".repeat(10_000),
    " ".repeat((1 << 20) + 1),
    rule("id: a", `when: ${"(".repeat(5000)}`),
    rule("id: a", `when: ${"not ".repeat(4000)}ignition`),
    rule("id: a", `when: ${"ignition and ".repeat(1500)}ignition`),
    rule("id: a", "when: ignition", `message: "${"x".repeat(3000)}"`),
  ];
  for (const text of texts) assert(faultsOf(text).length > 0);
});

Deno.test("rules: a thousand rules are read", () => {
  const many = Array.from(
    { length: 1500 },
    (_, i) => `  - { id: r${i}, when: "speed > ${i} km/h and not ignition", for: 3 s }\n`,
  );
  assertEquals(rulesOf(`version: 1\nrules:\n${many.join("")}`).rules.length, 1500);
});

Deno.test("rules: the version names what bears on meaning, and nothing else", () => {
  const of = (text: string) => rulesOf(text).version;
  const base = of(rule("id: a", "when: speed > 100 km/h", "for: 5 s"));
  assertMatch(base, /^[0-9a-f]{16}$/);
  const same = [
    rule("id: a", "for: 5 s # five", 'when: "speed > 100 km/h"', "once: false"),
    rule("id: a", "when: speed > 100 km/h", "for: 5 s", "runbook: https://example.org"),
  ];
  for (const text of same) assertEquals(of(text), base, text);
  const others = [
    rule("id: b", "when: speed > 100 km/h", "for: 5 s"),
    rule("id: a", "when: speed > 100.5 km/h", "for: 5 s"),
    rule("id: a", "when: speed > 100 km/h", "for: 6 s"),
    rule("id: a", "when: speed > 100 km/h", "for: 5 s", "message: hello"),
    rule("id: a", "when: speed > 100 km/h", "for: 5 s", "severity: info"),
    `settings: { max_gap: 5 s }\n${rule("id: a", "when: speed > 100 km/h", "for: 5 s")}`,
  ];
  const versions = [base, ...others.map(of)];
  assertEquals(new Set(versions).size, versions.length);
});

Deno.test("faults: shown with file, line, column, source line, caret and suggestion", () => {
  const text = rule("id: a", "when: sped > 130 km/h");
  const [fault] = faultsOf(text);
  assert(fault !== undefined);
  assertEquals(
    formatFault(fault, text),
    [
      'rules.yaml:4:11: Cannot find a signal named "sped"',
      "  4 |     when: sped > 130 km/h",
      "    |           ^^^^",
      '  did you mean "speed"?',
    ].join("\n"),
  );
  const wide = rule("id: a", `when: ignition and ${"ignition and ".repeat(40)} sped > 1`);
  const [far] = faultsOf(wide);
  assert(far !== undefined);
  const lines = formatFault(far, wide).split("\n");
  const at = lines[2]?.indexOf("^") ?? -1;
  assertEquals(lines[1]?.slice(at, at + 4), "sped");
});
