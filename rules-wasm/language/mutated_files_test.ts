/** Files changed by chance, and files made to harm: faults or rules, never a throw, never a hang. */
import { assert } from "@std/assert";
import { COOKBOOK, readCookbook } from "../../testing/cookbook.ts";
import { mutateText, type MutationPool } from "../../testing/mutate_text.ts";
import { Seeded } from "../../testing/seeded.ts";
import { loadKernelRules } from "../kernel_rules.ts";
import { hashVersion } from "../version.ts";
import type { Fault } from "./ast.ts";
import { loadCatalog } from "./catalog_file.ts";
import { FAULTS_MAX } from "./faults.ts";
import { formatFaults } from "./format_fault.ts";
import { warningsOf } from "./warnings.ts";

const FILES = Number(Deno.env.get("KILTER_FILES") ?? 5_000);
const FIRST_SEED = Number(Deno.env.get("KILTER_SEED") ?? 1);
/** No file may take longer, milliseconds: far above what any takes, far below a hang. */
const TIME_MAX = FILES >= 50_000 ? 60_000 : 10_000;

const read = (path: string) => Deno.readTextFileSync(new URL(path, import.meta.url));
const CATALOG_TEXT = read("../signals.yaml");
const CATALOG = (() => {
  const shipped = loadCatalog(CATALOG_TEXT, { file: "signals.yaml" });
  assert(shipped.ok);
  return shipped.catalog;
})();
const COOKBOOK_RULES = (await readCookbook(await Deno.readTextFile(COOKBOOK))).rulesText;
const BROKEN = [...read("./broken_files.txt").matchAll(/^=== .*\n([^]*?)^>>>$/gm)]
  .map(([, text = ""]) => text);

/** Reads a text as rules or as a catalog, whichever it looks like; how much was found. */
function readAny(text: string, asCatalog: boolean): { readonly faults: number } {
  const result = asCatalog
    ? loadCatalog(text, { file: "f" })
    : loadKernelRules(text, { file: "f", catalog: CATALOG, hash: hashVersion });
  if (result.ok) {
    if ("rules" in result) warningsOf(text, result.rules, { file: "f", retentionMs: 86_400_000 });
    return { faults: 0 };
  }
  const { faults } = result;
  assert(faults.length > 0, "refused without a fault");
  for (const fault of faults) checkFault(fault, text);
  formatFaults(faults, text);
  return { faults: faults.length };
}

function checkFault({ span, message }: Fault, text: string): void {
  const { offset, length, line, column } = span;
  assert(message.length > 10, "a fault without a text");
  assert(offset >= 0 && length >= 0 && offset + length <= text.length, `${message}: outside`);
  assert(line >= 1 && column >= 1, message);
  const start = offset - (column - 1);
  assert(start === 0 || text[start - 1] === "\n", `${message}: column ${column} of line ${line}`);
}

/** A file of some rules of a longer one. */
function someRules(text: string, random: Seeded): string {
  const starts = [...text.matchAll(/^ *- id:/gm)].map(({ index }) => index);
  const from = random.below(starts.length);
  const to = Math.min(starts.length, from + 1 + random.below(4));
  return `version: 1\nrules:\n${text.slice(starts[from], starts[to])}`;
}

function someSignals(text: string, random: Seeded): string {
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.startsWith("signals:"));
  const from = at + 1 + random.below(Math.max(1, lines.length - at - 40));
  return [...lines.slice(0, at + 1), ...lines.slice(from, from + 10 + random.below(30))].join("\n");
}

Deno.test(`mutated files: ${FILES} give rules or faults with a place, none throws or hangs`, () => {
  const shippedRules = read("../rules.yaml").replace(/^#.*\n/gm, "");
  const pool: MutationPool = {
    pieces: `${shippedRules}${COOKBOOK_RULES}${CATALOG_TEXT}${BROKEN.join("")}`
      .split(/(?<=[\s:{},()<>"])/),
  };
  let [sound, slowest] = [0, 0];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + FILES; seed++) {
    const random = new Seeded(seed);
    const asCatalog = random.chance(0.3);
    const source = asCatalog
      ? random.chance(0.8) ? someSignals(CATALOG_TEXT, random) : random.pick(BROKEN)
      : random.chance(0.2)
      ? random.pick(BROKEN)
      : someRules(random.chance(0.5) ? shippedRules : COOKBOOK_RULES, random);
    const text = mutateText(source, random, pool);
    const startedAt = performance.now();
    try {
      if (readAny(text, asCatalog).faults === 0) sound++;
    } catch (cause) {
      throw new Error(`KILTER_SEED=${seed} KILTER_FILES=1:\n${text.slice(0, 2_000)}`, { cause });
    }
    slowest = Math.max(slowest, performance.now() - startedAt);
    assert(slowest < TIME_MAX, `KILTER_SEED=${seed} KILTER_FILES=1 took ${Math.round(slowest)} ms`);
  }
  // Both kinds have to be common, or the test shows little.
  if (FILES >= 1_000) assert(sound > FILES / 100 && sound < FILES * 0.9, `${sound} of ${FILES}`);
});

Deno.test("harmful files: nests, aliases, long lines and odd bytes end soon", () => {
  // Nearly as much as a file may hold in the long form.
  const scale = FILES >= 50_000 ? 1 : 0.05;
  const long = (unit: string, most = 1_000_000) => {
    const length = Math.round(scale * most);
    return unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
  };
  const bomb = Array.from(
    { length: 40 },
    (_, i) => `a${i}: &a${i} [${i === 0 ? "x" : `*a${i - 1}, *a${i - 1}, *a${i - 1}`}]\n`,
  ).join("");
  const head = "version: 1\nrules:\n";
  const texts: Readonly<Record<string, string>> = {
    "brackets": long("["),
    "braces": long("{"),
    "bracket pairs": `${head}  - id: a\n    when: ${long("[", 300_000)}${long("]", 300_000)}`,
    "dashes": long("- "),
    "dashes in lines": Array.from({ length: 1_200 }, (_, i) => `${" ".repeat(i)}- a\n`).join(""),
    "keys in keys": Array.from({ length: 1_200 }, (_, i) => `${" ".repeat(i)}a:\n`).join(""),
    "question marks": long("? "),
    "colons": long("a: "),
    "alias bomb": bomb,
    "aliases": `a: &a 1\nb: [${long("*a,", 500_000)}]`,
    "merges": `a: &a { b: 1 }\n${long("<<: *a\n", 200_000)}`,
    "tags": long("!a ", 300_000),
    "tabs": long("\t"),
    "tabs and lines": long("\t\n", 300_000),
    "nothing": long("\n"),
    "comments": long("# c\n"),
    "one long key": `${long("a")}: 1`,
    "one long text": `${head}  - id: a\n    when: "${long("a", 900_000)}"`,
    "quotes": long('"', 300_000),
    "single quotes": long("'", 300_000),
    "escapes": `"${long("\\u0041", 600_000)}"`,
    "a long block": `${head}  - id: a\n    when: |\n${long("      x\n", 900_000)}`,
    "documents": long("---\n", 200_000),
    "directives": long("%A\n", 200_000),
    "NUL": long("\0", 300_000),
    "control bytes": long("\x01\x02\x7f", 300_000),
    "half characters": long("\ud800", 300_000),
    "line separators": long("\u2028", 300_000),
    "keys without end": Array.from({ length: 60_000 * scale }, (_, i) => `k${i}: 1\n`).join(""),
    "the same key": `${head}  - id: a\n${long("    when: speed > 1\n", 500_000)}`,
    "rules of nothing": `${head}${long("  -\n", 300_000)}`,
    "rules in one line": `version: 1\nrules: [${long("{ id: a, when: speed }, ", 500_000)}]`,
    "unknown keys in one line": `{ ${
      Array.from({ length: 40_000 * scale }, (_, i) => `k${i}: 1`).join(", ")
    } }`,
    "brackets of an expression": `${head}  - id: a\n    when: ${long("(", 900_000)}`,
    "words of an expression": `${head}  - id: a\n    when: ${long("speed and ", 900_000)}`,
    "odd marks": `${head}  - id: a\n    when: "${long("§ ", 900_000)}"`,
    "placeholders": `${head}  - id: a\n    when: ignition\n    message: "${long("{x}", 900_000)}"`,
    "vehicles": `${head}  - id: a\n    when: ignition\n    vehicles: [${long("a, ", 900_000)}a]`,
  };
  for (const [name, text] of Object.entries(texts)) {
    for (const asCatalog of [false, true]) {
      const startedAt = performance.now();
      try {
        const { faults } = readAny(text, asCatalog);
        assert(faults > 0 && faults <= FAULTS_MAX + 1, `${faults} faults`);
      } catch (cause) {
        throw new Error(`${name} throws`, { cause });
      }
      const took = performance.now() - startedAt;
      assert(took < TIME_MAX, `${name} took ${Math.round(took)} ms`);
    }
  }
});
