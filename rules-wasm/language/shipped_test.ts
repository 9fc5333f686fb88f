import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import type { Catalog } from "../../contract/catalog.ts";
import { Seeded } from "../../testing/seeded.ts";
import { hashVersion } from "../version.ts";
import type { Fault, RuleSet } from "./ast.ts";
import { broughtByAll, signalsOf } from "./brings.ts";
import { loadCatalog } from "./catalog_file.ts";
import { formatFaults } from "./format_fault.ts";
import { loadRules } from "./rules_file.ts";
import { structure } from "./structure.ts";

const CATALOG_TEXT = await Deno.readTextFile(new URL("../signals.yaml", import.meta.url));
const RULES_TEXT = await Deno.readTextFile(new URL("../rules.yaml", import.meta.url));

function catalog(): Catalog {
  const result = loadCatalog(CATALOG_TEXT, { file: "signals.yaml" });
  if (!result.ok) throw new Error(formatFaults(result.faults, CATALOG_TEXT));
  return result.catalog;
}

function rules(text: string): RuleSet {
  const options = { file: "rules.yaml", catalog: catalog(), hash: hashVersion };
  const result = loadRules(text, options);
  if (!result.ok) throw new Error(formatFaults(result.faults, text));
  return result.rules;
}

Deno.test("shipped rules: at least 12, the five of the demo among them", () => {
  const set = rules(RULES_TEXT);
  assertGreaterOrEqual(set.rules.length, 12);
  const name = (n: number) => set.catalog.signals[n]?.name ?? "?";
  const whens = set.rules.map((rule) => structure(rule.when, name).replaceAll("number ", ""));
  for (
    const when of [
      "(> (speed) 130)",
      "(> (coolant) 110)",
      "(< (fuel) 5)",
      "(> (vibration) 4)",
      "(< (battery) 11.8)",
    ]
  ) assert(whens.includes(when), when);
});

Deno.test("brings: what names a signal is brought by it; absent, age and constants by all", () => {
  const set = rules(`version: 1
rules:
  - { id: a, when: "speed > 3 and (rpm > 2 or prev(speed) > gps_speed) and ignition" }
  - { id: b, when: "absent(5 s) and speed > 3" }
  - { id: c, when: "1 < 2" }
  - { id: d, when: "speed > 3 or true" }
  - { id: e, when: "held(age(speed) > 3 s, 5 s)" }
  - { id: f, when: "hour() < 5" }
  - { id: g, when: "hour() < 5 and seq(ignition, speed > 3, 5 s)" }
`);
  const found = set.rules.map(({ when }) => [
    signalsOf(when).map((n) => set.catalog.signals[n]?.name),
    broughtByAll(when),
  ]);
  assertEquals(found, [
    [["speed", "gps_speed", "rpm", "ignition"], false],
    [["speed"], true],
    [[], true],
    [["speed"], false],
    [["speed"], true],
    [[], true],
    [["speed", "ignition"], false],
  ]);
});

Deno.test("structure: equal for equal meaning, different for different meaning", () => {
  const of = (when: string) => {
    const [rule] = rules(`version: 1\nrules:\n  - id: a\n    when: ${when}\n`).rules;
    assert(rule !== undefined);
    return structure(rule.when);
  };
  assertEquals(of("speed > 36 km/h"), of("(speed)  >  10 m/s"));
  assertEquals(of("delta(fuel, 60 s) < -5"), of("delta(fuel, 1 min) < -5 %"));
  const texts = [
    ...["speed > 3", "speed >= 3", "speed > 4", "rpm > 3", "not speed > 3", "3 > speed"],
    ...["prev(speed) > 3", "delta(speed, 1 s) > 3", "delta(speed, 2 s) > 3", "speed > gps_speed"],
    ...["speed > 3 and rpm > 3", "speed > 3 or rpm > 3", "rose(speed > 3)", "fell(speed > 3)"],
    ...["ignition", "changed(ignition)", "absent(3 s)", "absent(4 s)", "speed - 0 > 3"],
  ];
  assertEquals(new Set(texts.map(of)).size, texts.length);
});

/** What a careless or hostile hand puts into a file. */
const SPLINTERS = [
  ...["{", "}", "[", "]", "(", ")", '"', "'", ":", "- ", "\n", "\t", "#", "|", ">", "&a ", "*a"],
  ...["!!binary ", "? ", "%", "\u0000", "\ud800", "é", "🚗", "1e999", "-0", "nan", "not ", "and "],
  ...["absent(1 s)", "prev(", "delta(speed, 1 ms)", "degC", "true", "null", "~", "\\", "\r"],
  ...["__proto__", "constructor", "<<: ", "---\n", "...\n", "  ", "9".repeat(400), "é".repeat(99)],
];

function mutated(text: string, random: Seeded): string {
  let result = text;
  for (let edits = 1 + random.below(3); edits > 0; edits--) {
    const at = random.below(result.length + 1);
    const cut = random.chance(0.5) ? random.below(12) : 0;
    const from = random.below(text.length);
    const put = random.chance(0.5)
      ? random.pick(SPLINTERS)
      : text.slice(from, from + random.below(30));
    result = result.slice(0, at) + put + result.slice(at + cut);
  }
  return result;
}

/** A few entries of a file: its head, and a random run of what begins at that indentation. */
function excerpt(text: string, entry: RegExp, random: Seeded): string {
  const starts = [...text.matchAll(entry)].map((found) => found.index);
  const first = random.below(starts.length);
  const end = starts[first + 1 + random.below(3)] ?? text.length;
  return text.slice(0, starts[0]) + text.slice(starts[first], end);
}

/** Checks that a fault could be shown. */
function checkFaults(faults: readonly Fault[], text: string): void {
  assert(faults.length > 0, "a refusal has a fault");
  for (const { span, message } of faults) {
    assert(message !== "");
    assert(span.line >= 1 && span.column >= 1, JSON.stringify(span));
    assert(span.offset >= 0 && span.offset <= text.length, JSON.stringify(span));
  }
  formatFaults(faults, text);
}

Deno.test("hardening: 20,000 mutated files give a result or faults, never a throw", () => {
  const own = catalog();
  const withoutComments = (text: string) => text.replace(/^#.*\n/gm, "");
  const rulesText = withoutComments(RULES_TEXT);
  const catalogText = withoutComments(CATALOG_TEXT);
  let sound = 0;
  for (let seed = 1; seed <= 20_000; seed++) {
    const random = new Seeded(seed);
    const isRules = seed % 4 !== 0;
    const whole = isRules
      ? excerpt(rulesText, /^ {2}- id/gm, random)
      : excerpt(catalogText, /^ {2}[a-z_]+:\n/gm, random);
    const text = mutated(whole, random);
    try {
      const result = isRules
        ? loadRules(text, { file: "rules.yaml", catalog: own, hash: hashVersion })
        : loadCatalog(text, { file: "signals.yaml" });
      if (result.ok) sound++;
      else checkFaults(result.faults, text);
    } catch (cause) {
      throw new Error(`seed ${seed} throws for:\n${text}`, { cause });
    }
  }
  // Both outcomes have to be common, or the test shows little.
  assert(sound > 1000 && sound < 19_000, `${sound} of 20,000 were sound`);
});
