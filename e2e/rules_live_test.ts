/** Rules that change while the program runs: by the file, over HTTP, and back. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { anomalies, Program, runKilter, until, withFolder } from "./program.ts";

function rules(limit: number): string {
  return `version: 1\nrules:\n  - id: fast\n    when: speed > ${limit} km/h\n` +
    `  - id: hot\n    when: coolant > 100 degC\n`;
}

/** What the API says of the rules. */
interface RulesAnswer {
  readonly version: string;
  readonly text: string;
}

async function inForce(program: Program): Promise<RulesAnswer> {
  const answer = await program.json("/api/rules");
  assert(typeof answer === "object" && answer !== null && "version" in answer && "text" in answer);
  assert(typeof answer.version === "string" && typeof answer.text === "string");
  return { version: answer.version, text: answer.text };
}

function send(program: Program, method: string, path: string, body: unknown): Promise<Response> {
  return fetch(program.url + path, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function sample(program: Program, vehicle: string, speed: number): Promise<void> {
  const response = await send(program, "POST", "/api/telemetry", {
    ...{ vehicle, ts: Date.now(), speed },
    coolant: 20,
  });
  await response.body?.cancel();
  assertEquals(response.status, 202);
}

async function agentsRun(program: Program, version: string): Promise<boolean> {
  const answer = await program.json("/api/agents");
  assert(typeof answer === "object" && answer !== null && "agents" in answer);
  assert(Array.isArray(answer.agents));
  return answer.agents.every((agent: { version: string }) => agent.version === version);
}

Deno.test("rules: a saved file is in force at once, a wrong one changes nothing, versions lead back", () =>
  withFolder(async (dir) => {
    const file = `${dir}/rules.yaml`;
    await Deno.writeTextFile(file, rules(100));
    const args = ["start", "--rules", file];
    let first: RulesAnswer;
    {
      await using program = await Program.serve(args, dir);
      first = await inForce(program);
      const fired = async (vehicle: string) =>
        (await anomalies(program)).some((each) => each.vehicle === vehicle && each.rule === "fast");

      // The file.
      await Deno.writeTextFile(file, rules(50));
      await until(
        "the file's rules are in force",
        async () => (await inForce(program)).text === rules(50),
        () => program.report(),
      );
      const second = await inForce(program);
      await until("every agent runs them", () => agentsRun(program, second.version));
      await sample(program, "A", 70);
      await until("they fire", () => fired("A"), () => program.report());

      // Wrong rules.
      await Deno.writeTextFile(file, "version: 1\nrules:\n  - id: x\n    when: sped > 3\n");
      await until(
        "its faults are told",
        () => Promise.resolve(program.report().includes("rules.not_taken")),
      );
      assertEquals(await inForce(program), second);

      // Over HTTP: on the version in force only, and only what is right.
      const late = await send(program, "PUT", "/api/rules", {
        ...{ rules: rules(80), base: first.version },
      });
      assertEquals(late.status, 409);
      assertEquals((await late.json()).current, second.version);
      const wrong = await send(program, "PUT", "/api/rules", {
        ...{ rules: "version: 1\nrules:\n  - id: x\n    when: sped > 3\n", base: second.version },
      });
      assertEquals(wrong.status, 422);
      const { faults } = await wrong.json();
      assertEquals([faults[0].span.line, faults[0].span.column], [4, 11]);
      const put = await send(program, "PUT", "/api/rules", {
        ...{ rules: rules(80), base: second.version, author: "ada", message: "too many" },
      });
      const third = await put.json();
      assertEquals([put.status, third.base], [200, second.version]);
      await until("every agent runs them", () => agentsRun(program, third.version));

      const check = await (await send(program, "POST", "/api/rules/check", { rules: rules(90) }))
        .json();
      assertEquals([check.ok, check.change.changed], [true, ["fast"]]);

      // Back.
      const back = await send(program, "POST", "/api/rules/rollback", { to: first.version });
      assertEquals([back.status, (await back.json()).version], [200, first.version]);
      const listed = await program.json("/api/rules/versions");
      assert(typeof listed === "object" && listed !== null && "versions" in listed);
      assert(Array.isArray(listed.versions));
      assertEquals(
        listed.versions.map((each) => [each.version, each.source, each.current]),
        [
          [first.version, "rollback", true],
          [third.version, "api", false],
          [second.version, "file", false],
          [first.version, "file", false],
        ],
      );
      assertEquals(listed.versions[1].change.changed, ["fast"]);
    }
    // From the command line, while nothing runs.
    const bus = ["--data", dir];
    const versions = await runKilter(["rules", "versions", ...bus], [dir]);
    assertEquals(versions.stdout.split("\n").length, 5, versions.stderr);
    assertStringIncludes(versions.stdout, "ada  too many  (~fast)");
    const again = await runKilter(["rules", "rollback", ...bus], [dir]);
    assertEquals(again.code, 0, again.stderr);
    const unknown = await runKilter(["rules", "rollback", "0123456789abcdef", ...bus], [dir]);
    assertEquals(unknown.code, 2);
  }));
