/** The page about zones: its files are right, and do what it says. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { anomalies, Program, runKilter, until, withFolder } from "./e2e/program.ts";
import { ruleChange } from "./rules-wasm/rule_change.ts";
import { compileTexts } from "./rules-wasm/rule_source.ts";

const PAGE = await Deno.readTextFile(new URL("./docs/zones.md", import.meta.url));

/** The only code block of a language that begins with a text. */
function block(language: string, beginning: string): string {
  const found = [...PAGE.matchAll(new RegExp("^```" + language + "\\n([^]*?)^```", "gm"))]
    .map(([, code]) => code ?? "").filter((code) => code.startsWith(beginning));
  assertEquals(found.length, 1, `${language} blocks that begin with ${beginning}`);
  return found[0];
}

const ZONES = block("json zones", "{");
const RULES = block("yaml", "version: 1\nsettings");
const TESTS = block("yaml", "version: 1\nrules: rules.yaml");

Deno.test("docs/zones.md: its rules pass the check with its zones, and its tests pass", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/zones.geojson`, ZONES);
    await Deno.writeTextFile(`${dir}/rules.yaml`, RULES);
    await Deno.writeTextFile(`${dir}/rules_test.yaml`, TESTS);
    const zones = ["--zones", `${dir}/zones.geojson`];
    const check = await runKilter(["rules", "check", "--strict", ...zones, `${dir}/rules.yaml`]);
    assertEquals(check.code, 0, check.stderr);
    const tests = await runKilter(["rules", "test", `${dir}/rules_test.yaml`]);
    assertEquals(tests.code, 0, tests.stdout + tests.stderr);
    const bare = await runKilter(["rules", "check", `${dir}/rules.yaml`]);
    assertEquals(bare.code, 2);
    assertStringIncludes(bare.stderr, "there are no zones");
  }));

Deno.test("zones: a version on the log carries them, and is refused whole for a fault in them", () => {
  const catalog = Deno.readTextFileSync(new URL("./rules-wasm/signals.yaml", import.meta.url));
  const texts = { rules: RULES, catalog, zones: ZONES };
  const compiled = compileTexts(texts);
  assert(compiled.ok);
  assertEquals(compiled.ruleSet.zones.map(({ id }) => id), ["depot-north", "school"]);
  const wrong = compileTexts({ ...texts, zones: ZONES.replace('"id": "school"', '"id": 3.5e400') });
  assert(!wrong.ok);
  assertStringIncludes(wrong.report, "zones.geojson:");
  assert(!compileTexts({ ...texts, zones: "" }).ok);
  const moved = compileTexts({ ...texts, zones: ZONES.replace("150", "151") });
  assert(moved.ok);
  const { changed, settings } = ruleChange(compiled.ruleSet, moved.ruleSet);
  assertEquals([changed, settings], [["fast-at-school"], true]);
});

Deno.test("zones: a fleet that runs is watched by them", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/zones.geojson`, ZONES);
    const rule = `{ id: came, when: entered("school"), once: true }`;
    await Deno.writeTextFile(`${dir}/rules.yaml`, `version: 1\nrules: [${rule}]\n`);
    const args = ["--rules", `${dir}/rules.yaml`, "--zones", `${dir}/zones.geojson`];
    await using program = await Program.serve(["start", ...args], `${dir}/data`);
    const row = (ts: number, lat: number) =>
      JSON.stringify({ vehicle: "VAN-1", ts, lat, lon: 13.4 });
    const now = Date.now();
    const body = `${row(now - 2000, 52.56)}\n${row(now - 1000, 52.551)}\n`;
    await program.json("/api/telemetry", { method: "POST", body });
    await until("the van came to the school", async () => {
      const [came] = await anomalies(program);
      return came?.rule === "came" && came.vehicle === "VAN-1";
    }, () => program.report());
  }));

Deno.test("zones: backtest takes them, by flag and by variable, and tells what is wrong", () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/zones.geojson`, ZONES);
    await Deno.writeTextFile(`${dir}/rules.yaml`, RULES);
    const row = (second: number, lat: number) =>
      JSON.stringify({ vehicle: "VAN-1", ts: `2026-01-05T03:00:0${second}Z`, lat, lon: 13.362 });
    await Deno.writeTextFile(`${dir}/drive.ndjson`, `${row(0, 52.561)}\n${row(1, 52.57)}\n`);
    const args = ["backtest", "--rules", `${dir}/rules.yaml`, "--input", `${dir}/drive.ndjson`];
    const byFlag = await runKilter([...args, "--zones", `${dir}/zones.geojson`]);
    assertEquals(byFlag.code, 0, byFlag.stderr);
    const opened: unknown = JSON.parse(byFlag.stdout);
    assert(typeof opened === "object" && opened !== null && "rule" in opened && "at" in opened);
    assertEquals([opened.rule, opened.at], [
      "left-depot-at-night",
      Date.parse("2026-01-05T03:00:01Z"),
    ]);
    const byVariable = await runKilter(args, [], { KILTER_ZONES: `${dir}/zones.geojson` });
    assertEquals(byVariable.stdout, byFlag.stdout);

    await Deno.writeTextFile(
      `${dir}/zones.geojson`,
      ZONES.replace("[13.4, 52.55]", "[52.55, 134]"),
    );
    const wrong = await runKilter([...args, "--zones", `${dir}/zones.geojson`]);
    assertEquals(wrong.code, 2, wrong.stderr);
    assertStringIncludes(wrong.stderr, "are the two swapped?");
  }));
