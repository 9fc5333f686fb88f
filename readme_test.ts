/** What README and docs tell the reader to type: its tasks exist, its commands run, its links lead somewhere. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseArgs } from "./commands/arguments.ts";
import { COMMANDS } from "./commands/command_table.ts";
import { Program, runKilter, until, withFolder } from "./e2e/program.ts";
import { wholeFile } from "./testing/rule_examples.ts";

const ROOT = new URL("./", import.meta.url);
const PAGES = [
  "README.md",
  "docs/custom_operators.md",
  "docs/cookbook.md",
  "docs/dashboard.md",
  "docs/operating.md",
  "docs/producing.md",
  "docs/proving.md",
  "docs/rules.md",
  "docs/rules_meaning.md",
  "docs/zones.md",
];

const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));

/** Code blocks of a language. */
function blocks(text: string, language: string): string[] {
  const pattern = new RegExp("^```" + language + "\\n([^]*?)^```", "gm");
  return [...text.matchAll(pattern)].map(([, code]) => code ?? "");
}

/** Commands of the shell blocks and, of the text, those in backquotes; one line each. */
function commands(text: string): string[] {
  const typed = blocks(text, "sh").flatMap((block) => block.replaceAll("\\\n", " ").split("\n"));
  const quoted = [...text.replace(/^```[^]*?^```/gm, "").matchAll(/`((?:deno|npx) [^`]+)`/g)]
    .map(([, code]) => (code ?? "").replaceAll("\n", " "));
  return [...typed, ...quoted].map((line) => line.trim()).filter((line) => line !== "");
}

/** Words of a command line, quotes taken off. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)]
    .map(([, single, double, bare]) => single ?? double ?? bare ?? "");
}

async function tasks(): Promise<ReadonlySet<string>> {
  const config: unknown = JSON.parse(await read("deno.json"));
  assert(typeof config === "object" && config !== null && "tasks" in config);
  assert(typeof config.tasks === "object" && config.tasks !== null);
  return new Set(Object.keys(config.tasks));
}

Deno.test("docs: every task that they name exists, and takes the flags that they give it", async () => {
  const known = await tasks();
  let found = 0;
  for (const page of PAGES) {
    for (const line of commands(await read(page))) {
      const shown = line.replace(/\s+#.*$/, "");
      const [, task, rest] = /^(?:npx -y deno@\S+|deno) task (\S+) ?(.*)$/.exec(shown) ?? [];
      if (task === undefined || task === "COMMAND") continue;
      found++;
      assert(known.has(task), `${page}: ${line}: deno.json has no task "${task}"`);
      if (!Object.hasOwn(COMMANDS, task) || rest === undefined || rest === "") continue;
      const { faults } = parseArgs(task, words(rest));
      assertEquals(faults, [], `${page}: ${line}`);
    }
  }
  assert(found > 15, `only ${found} commands were found`);
});

Deno.test("README: it pins the version of Deno that image and continuous integration pin", async () => {
  const version = /deno@(\d+\.\d+\.\d+)/.exec(await read("README.md"))?.[1];
  assert(version !== undefined);
  assertStringIncludes(await read("Dockerfile"), `FROM denoland/deno:${version}\n`);
  for (const path of ["README.md", ".ci/run"]) {
    for (const [, each] of (await read(path)).matchAll(/deno@(\d[\w.]*)/g)) {
      assertEquals(each, version, path);
    }
  }
});

Deno.test("docs: every link and picture leads to a file", async () => {
  const missing: string[] = [];
  for (const page of PAGES) {
    for (const [, link = ""] of (await read(page)).matchAll(/\]\(([^)]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const [path, anchor] = link.split("#");
      const target = new URL(path || page, new URL(path === "" ? "./" : page, ROOT));
      try {
        await Deno.stat(target);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        missing.push(`${page}: ${link}`);
        continue;
      }
      if (anchor === undefined) continue;
      const headings = (await Deno.readTextFile(target)).matchAll(/^#+ (.*)$/gm);
      const anchors = [...headings].map(([, heading = ""]) =>
        heading.toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-")
      );
      if (!anchors.includes(anchor)) missing.push(`${page}: ${link}: there is no such heading`);
    }
  }
  assertEquals(missing, []);
});

Deno.test("docs: the requests that they show are accepted as they stand", () =>
  withFolder(async (data) => {
    await using program = await Program.serve(["start"], data);
    let sent = 0;
    for (const page of PAGES) {
      for (const line of commands(await read(page))) {
        if (!line.startsWith("curl ") || line.includes("@")) continue;
        const args = words(line);
        const body = args[args.indexOf("-d") + 1] ?? "";
        const path = new URL(args.find((word) => word.startsWith("http")) ?? "").pathname;
        if (path === "/api/rules/backtest") {
          const response = await fetch(program.url + path, { method: "POST", body });
          const last = (await response.text()).trimEnd().split("\n").at(-1) ?? "";
          assertEquals(JSON.parse(last).ended, "whole", `${page}: ${last}`);
          sent++;
          continue;
        }
        const answer = await program.json(path, { method: "POST", body });
        assertEquals(answer, { accepted: 1, refused: 0, refusals: [] }, `${page}: ${line}`);
        sent++;
      }
      for (const block of blocks(await read(page), "ndjson")) {
        if (!/"(vehicle|vehicle_id)":.*"(ts|timestamp)":/.test(block)) continue;
        const answer = await program.json("/api/telemetry", { method: "POST", body: block });
        assertEquals(answer, { accepted: 1, refused: 0, refusals: [] }, `${page}: ${block}`);
        sent++;
      }
    }
    assert(sent >= 4, `only ${sent} requests were found`);
    await until("README's vehicle is known", async () => {
      const response = await fetch(`${program.url}/api/vehicles/VAN-1`);
      await response.body?.cancel();
      return response.ok;
    }, () => program.report());
  }));

Deno.test("docs: the rules that they show pass the check that they name", () =>
  withFolder(async (dir) => {
    let checked = 0;
    for (const page of ["README.md", "docs/custom_operators.md", "docs/rules.md"]) {
      for (const block of blocks(await read(page), "yaml(?: rules)?")) {
        const rules = wholeFile(block);
        if (!/^rules:/m.test(rules)) continue;
        const file = `${dir}/rules.yaml`;
        await Deno.writeTextFile(file, rules);
        const run = await runKilter(["rules", "check", file]);
        assertEquals(run.code, 0, `${page}:\n${block}\n${run.stderr}`);
        checked++;
      }
    }
    assert(checked >= 15, `only ${checked} were found`);
  }));

Deno.test("README: what init writes out passes rules check, and backtest takes it", () =>
  withFolder(async (dir) => {
    const data = ["--data", `${dir}/data`];
    assertEquals((await runKilter(["init", dir], [dir])).code, 0);
    const check = await runKilter(["rules", "check", `${dir}/rules.yaml`]);
    assertEquals(check.code, 0, check.stderr);
    const test = await runKilter(["rules", "test", `${dir}/rules_test.yaml`, "--strict"]);
    assertEquals(test.code, 0, test.stdout);
    const run = await runKilter(["backtest", "--rules", `${dir}/rules.yaml`, ...data], [dir]);
    assertEquals(run.code, 0, run.stderr);
  }));

Deno.test("dev: flags behind the -- that task runners want are read like others", () => {
  const { flags, faults } = parseArgs("dev", ["--", "--port", "0"]);
  assertEquals(faults, []);
  assertEquals(flags.get("port"), "0");
});
