/** The pages about rules: every example does what it says, on both engines, and nothing lacks one. */
import { assert, assertEquals } from "@std/assert";
import { uses } from "../testing/engine_trace.ts";
import { examplesOf, type RuleExample, runExample } from "../testing/rule_examples.ts";
import { CATALOG_FILE_KEYS, loadCatalog, SIGNAL_KEYS } from "./language/catalog_file.ts";
import { FUNCTIONS } from "./language/functions.ts";
import { RULE_KEYS } from "./language/rule_entry.ts";
import { SETTING_KEYS } from "./language/rule_settings.ts";
import { RULES_FILE_KEYS } from "./language/rules_file.ts";
import { UNIT_SYMBOLS } from "./language/unit_table.ts";
import { parseUnit } from "./language/units.ts";

const PAGES = ["rules.md", "rules_meaning.md", "zones.md"].map((name) => ({
  name,
  text: Deno.readTextFileSync(new URL(`../docs/${name}`, import.meta.url)),
}));
const TEXT = PAGES.map(({ text }) => text).join("\n");

const EXAMPLES: readonly RuleExample[] = (() => {
  const catalog = loadCatalog(
    Deno.readTextFileSync(new URL("./signals.yaml", import.meta.url)),
    { file: "signals.yaml" },
  );
  if (!catalog.ok) throw new Error("Cannot read the shipped catalog");
  return PAGES.flatMap(({ name, text }) => examplesOf(text, name, catalog.catalog));
})();

const AVAILABLE = [...FUNCTIONS.values()];

for (const example of EXAMPLES) {
  Deno.test(`docs: ${example.place}, ${example.expression || example.heading}`, () => {
    const found = runExample(example);
    const line = (text: string, comes: string) =>
      `${text.split(/\s{2,}[→=]/)[0].trim()} → ${comes}`;
    assertEquals(
      example.rows.map(({ text }, i) => line(text, found[i])),
      example.rows.map(({ text, expected }) => line(text, expected)),
      example.place,
    );
  });
}

Deno.test("docs: every function, key and setting has an example that is executed", () => {
  const texts = EXAMPLES.map(({ rules, expression, settings }) =>
    rules ?? `version: 1\n${settings}\nrules: [{ id: r, when: ${JSON.stringify(expression)} }]`
  );
  const known = [
    ...AVAILABLE.map(({ name }) => `${name}()`),
    ...RULE_KEYS.map((key) => `${key}:`),
    ...SETTING_KEYS.map((key) => `settings.${key}`),
  ];
  const lacking = known.filter((each) => !texts.some((text) => uses(text, each)));
  assertEquals(lacking, [], "without an executed example");
  const signals = [...TEXT.matchAll(/^```yaml signals\n([^]*?)^```/gm)].map(([, body]) => body)
    .join("\n");
  const keys = [...SIGNAL_KEYS, ...CATALOG_FILE_KEYS];
  assertEquals(keys.filter((key) => !new RegExp(`\\b${key}:`).test(signals)), []);
});

/** What stands in backquotes in the first column of the tables under a heading. */
function firstColumn(heading: string): string[] {
  const from = TEXT.indexOf(`\n${heading}\n`);
  assert(from >= 0, `there is no heading ${heading}`);
  const section = TEXT.slice(from + heading.length + 2).split(/\n#{1,4} /)[0];
  return section.split("\n").filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...line.split(" | ")[0].matchAll(/`([^`]+)`/g)].map(([, text]) => text));
}

Deno.test("docs: the tables list every function, key and setting, and nothing else", () => {
  assertEquals(
    firstColumn("### Functions").map((call) => call.replace(/\(.*/, "")).sort(),
    AVAILABLE.map(({ name }) => name).sort(),
  );
  assertEquals(firstColumn("## Keys of a rule").sort(), [...RULE_KEYS].sort());
  assertEquals(firstColumn("## Settings").sort(), [...SETTING_KEYS].sort());
  assertEquals(firstColumn("## The signal catalog").sort(), [...SIGNAL_KEYS].sort());
  for (const key of RULES_FILE_KEYS) assert(TEXT.includes(`\`${key}\``), key);
});

Deno.test("docs: the table of units lists every unit, and none that the language does not know", () => {
  const from = TEXT.indexOf("\n### Units\n");
  const table = TEXT.slice(from, TEXT.indexOf("\n\n", TEXT.indexOf("\n| ", from)));
  const listed = table.split("\n").filter((line) => line.startsWith("| ")).slice(2)
    .flatMap((line) => [...line.matchAll(/`([^`]+)`/g)].map(([, unit]) => unit));
  for (const unit of listed) assert(parseUnit(unit).ok, unit);
  const symbols = new Set([...UNIT_SYMBOLS.values()].map(({ symbol }) => symbol));
  assertEquals([...symbols].filter((symbol) => !listed.includes(symbol)), []);
});
