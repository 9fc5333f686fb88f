/// <reference lib="dom" />
/**
 * The way of somebody who writes a first rule: an empty folder, two mistakes, and in the end an
 * anomaly on the page that explains itself, and the way back.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Browser, Page } from "playwright-core";
import { type RunningKilter, startKilter } from "./harness.ts";
import { browserTest, isLive, open, until, WAIT } from "./pages.ts";
import { type Finished, runKilter } from "./program.ts";

/** The rule as it is written first: a signal misspelt, a duration without its unit. */
const WRONG = `
  - id: reversing-fast
    when: sped > 12 km/h and gear_selector == "R"
    for: 3
    message: "{vehicle} reverses at {speed}"
`;
const RIGHT = WRONG.replace("sped", "speed").replace("for: 3", "for: 3 s");
const CASE = `
  - name: reversing at more than 12 km/h for three seconds
    series: { speed: 5x2 14x6 4x3, gear_selector: Rx11 }
    expect: { reversing-fast: [opened at 5 s, cleared at 8 s] }
`;
/** Speeds of a drive backwards, one a second. */
const SPEEDS = [4, 9, 13, 15.5, 14, 14.5, 13.5, 13, 6, 3];

/** The commands as they are typed in the folder. */
class Author {
  constructor(readonly dir: string) {}

  kilter(...args: readonly string[]): Promise<Finished> {
    return runKilter(args, [this.dir], {}, this.dir);
  }

  read(name: string): Promise<string> {
    return Deno.readTextFile(`${this.dir}/${name}`);
  }

  write(name: string, text: string): Promise<void> {
    return Deno.writeTextFile(`${this.dir}/${name}`, text);
  }
}

/** `init`, a draft with two mistakes, `rules check`, mended, `rules test`. */
async function writeTheRule(author: Author): Promise<string> {
  const made = await author.kilter("init");
  assertEquals(made.code, 0, made.stderr);
  for (const next of ["rules check rules.yaml", "rules test rules_test.yaml", "dev"]) {
    assertStringIncludes(made.stderr, next);
  }
  const shipped = await author.read("rules.yaml");
  const draft = (rule: string) => shipped.trimEnd() + "\n" + rule;
  await author.write("draft.yaml", draft(WRONG));
  const line = draft(WRONG).split("\n").findIndex((each) => each.includes("sped >")) + 1;
  const checked = await author.kilter("rules", "check", "draft.yaml");
  assertEquals(checked.code, 2);
  assertStringIncludes(
    checked.stderr,
    [
      `draft.yaml:${line}:11: Cannot find a signal named "sped"`,
      `  ${line} |     when: sped > 12 km/h and gear_selector == "R"`,
      `  ${" ".repeat(String(line).length)} |           ^^^^`,
      `  did you mean "speed"?`,
    ].join("\n"),
  );
  assertStringIncludes(
    checked.stderr,
    `draft.yaml:${line + 1}:10: Cannot use "3" as for: its unit is missing`,
  );
  assertStringIncludes(checked.stderr, "draft.yaml: 2 faults");

  await author.write("draft.yaml", draft(RIGHT));
  const mended = await author.kilter("rules", "check", "--strict", "draft.yaml");
  assertEquals(mended.code, 0, mended.stderr);
  assertStringIncludes(mended.stdout, "draft.yaml: 25 rules, version ");

  // Its tests name the draft, beside which they stand.
  const tests = (await author.read("rules_test.yaml")).replace(
    "rules: rules.yaml",
    "rules: draft.yaml",
  );
  await author.write("draft_test.yaml", tests.trimEnd() + CASE);
  const tested = await author.kilter("rules", "test", "draft_test.yaml");
  assertEquals(tested.code, 0, tested.stdout + tested.stderr);
  assertStringIncludes(tested.stdout, "27 passed");
  assertStringIncludes(tested.stdout, "25 of 25 rules opened");
  return draft(RIGHT);
}

/** A van that is driven backwards once, and again. */
class Van {
  /** Time of its next sample: the past, so that all of a drive can be sent at once. */
  #next = Date.now() - 600_000;

  async reverse(kilter: RunningKilter): Promise<void> {
    const lines = SPEEDS.map((speed) => {
      this.#next += 1_000;
      return JSON.stringify({ vehicle: "VAN-1", ts: this.#next, speed, gear_selector: "R" });
    });
    const body = lines.join("\n");
    const response = await fetch(`${kilter.url}/api/telemetry`, { method: "POST", body });
    await response.body?.cancel();
    assertEquals(response.status, 202);
  }
}

async function inForce(kilter: RunningKilter): Promise<{ version: string; text: string }> {
  return await (await fetch(`${kilter.url}/api/rules`)).json();
}

/** The dialog "Why?" and the command line tell the same limits. */
async function explainsItself(author: Author, page: Page, id: string): Promise<void> {
  await page.locator(`#a-${id}`).getByRole("button", { name: "Why?" }).click();
  const told = page.locator("dialog.why .silencing");
  await told.waitFor(WAIT);
  const shown = await told.innerText();
  const explained = await author.kilter("explain", id);
  assertEquals(explained.code, 0, explained.stderr);
  assertStringIncludes(explained.stdout, "the log gives the same opening");
  // Above 13.5 km/h the run lasts for two seconds alone.
  assertStringIncludes(explained.stdout, "speed > 12 km/h: with a limit of 13.5 km/h");
  assertStringIncludes(shown, "speed > 12 km/h with a limit of 13.5");
  assertStringIncludes(explained.stdout, "for 3 s: with 5001 ms and longer");
  assertStringIncludes(shown, "with a duration of 5.001 s");
}

async function watchesIt(browser: Browser, author: Author, rules: string): Promise<void> {
  const { dir } = author;
  const kilter = await startKilter(["--vehicles", "4"], { data: `${dir}/.kilter`, cwd: dir });
  try {
    const before = await inForce(kilter);
    const van = new Van();
    await van.reverse(kilter);
    await until(
      async () => await (await fetch(`${kilter.url}/api/vehicles`)).json(),
      (answer) => JSON.stringify(answer).includes('"VAN-1"'),
    );
    const tried = await author.kilter("backtest", "--rules", "draft.yaml", "--only", "VAN-*");
    assertEquals(tried.code, 0, tried.stderr);
    assertStringIncludes(tried.stdout, '"rule":"reversing-fast"');
    assertStringIncludes(tried.stdout, "VAN-1 reverses at 14.5 km/h");

    // The page stays open while the file is saved.
    const { page, context, faults } = await open(browser, `${kilter.url}/v/VAN-1`);
    await isLive(page);
    const mark = await page.evaluate(() => performance.timeOrigin);
    await author.write("rules.yaml", rules);
    const after = await until(() => inForce(kilter), ({ text }) => text === rules);
    // Partitions change one by one, each before its next record: it is driven until it is seen.
    let drivenAt = -Infinity;
    const found = await until(
      async () => {
        if (performance.now() - drivenAt > 1_500) {
          await van.reverse(kilter);
          drivenAt = performance.now();
        }
        const url = `${kilter.url}/api/anomalies?rule=reversing-fast`;
        const { anomalies } = await (await fetch(url)).json();
        return anomalies[0];
      },
      (anomaly) => anomaly?.state === "cleared",
    );
    await page.locator(`#a-${found.id}`).waitFor(WAIT);
    await explainsItself(author, page, found.id);
    assertEquals(await page.evaluate(() => performance.timeOrigin), mark, "no reload");
    assertEquals(faults, []);
    await context.close();

    const list = await open(browser, `${kilter.url}/rules`);
    await isLive(list.page);
    assertEquals(await list.page.locator("tr#reversing-fast").count(), 1);
    const back = await author.kilter("rules", "rollback");
    assertEquals(back.code, 0, back.stderr);
    assertStringIncludes(
      back.stdout,
      `${before.version} is in force again, after ${after.version}`,
    );
    await until(
      () => list.page.locator("main").innerText(),
      (text) => /The rules changed at .*Reversing fast/.test(text),
    );
    await until(
      async () => [(await inForce(kilter)).version],
      ([version]) => version === before.version,
    );
    await list.page.reload();
    assertEquals(await list.page.locator("tr#reversing-fast").count(), 0);
    assertEquals(list.faults, []);
    await list.context.close();
  } finally {
    await kilter.stop();
  }
}

browserTest(
  "a first rule: from an empty folder to an anomaly that explains itself, and back",
  async (browser) => {
    const dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "kilter-e2e-" }));
    try {
      const author = new Author(dir);
      const rules = await writeTheRule(author);
      assert(rules.includes("reversing-fast"));
      await watchesIt(browser, author, rules);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
);
