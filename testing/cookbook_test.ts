import { assert, assertEquals } from "@std/assert";
import { Coverage } from "../rules-wasm/cases/coverage.ts";
import { runCase } from "../rules-wasm/cases/run_case.ts";
import { warningsOf } from "../rules-wasm/language/warnings.ts";
import { COOKBOOK, findings, readCookbook, tableOf } from "./cookbook.ts";

const page = await Deno.readTextFile(COOKBOOK);

Deno.test("cookbook: every rule passes its test, is opened and cleared by it, and has no warning", async () => {
  const { rules, rulesText, cases } = await readCookbook(page);
  const coverage = new Coverage(rules);
  for (const test of cases) {
    const { failures, transitions } = runCase(test, rules);
    assertEquals(
      failures.flatMap(({ rule, differences }) => [rule, ...differences]),
      [],
      test.name,
    );
    // Only what a test expects counts as covered by it.
    const named = new Set(test.expect.map(({ rule }) => rule));
    coverage.take(test, transitions.filter(({ rule }) => named.has(rule)));
  }
  for (const { rule, opened, cleared, terms } of coverage.report()) {
    assertEquals([opened, cleared === false], [true, false], rule);
    for (const { text, wasTrue, wasFalse } of terms) {
      assertEquals([wasTrue, wasFalse], [true, true], `${rule}: ${text}`);
    }
  }
  assertEquals(warningsOf(rulesText, rules, { file: "cookbook", retentionMs: 7 * 86_400_000 }), []);
});

Deno.test("cookbook: the table says what the rules find in the first hour", async () => {
  const { rules } = await readCookbook(page);
  const found = await findings(rules, 3_600_000);
  const table = tableOf(page);
  assertEquals(table.map(({ rule }) => rule), rules.rules.map(({ id }) => id));
  for (const { rule, hour, day } of table) {
    assertEquals(hour, found.get(rule)?.opened, `${rule}; deno task cookbook mends the table`);
    assert(day >= hour, rule);
  }
  assert(table.filter(({ hour }) => hour > 0).length >= 8, "most kinds of trouble are found");
});
