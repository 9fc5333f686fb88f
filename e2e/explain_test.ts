/** `explain` over a running program: the command line and the API say the same of one anomaly. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { anomalies, Program, runKilter, until, withFolder } from "./program.ts";

const RULES = `version: 1
rules:
  - id: fast
    when: speed > 100 km/h and rpm > 900 rpm
    for: 3 s
    cooldown: 1 min
  - id: hot
    when: coolant > 100 degC
    vehicles: [TRUCK-1]
`;

/** Speeds of a drive, one a second, from 30 s ago on. */
const SPEEDS = [90, 99, 101, 104.5, 103, 112, 108, 107, 95, 90];

async function drive(program: Program, vehicle: string): Promise<number> {
  const start = Date.now() - 30_000;
  const lines = SPEEDS.map((speed, i) =>
    JSON.stringify({ vehicle, ts: start + i * 1_000, speed, rpm: 2000 + i })
  );
  const response = await fetch(`${program.url}/api/telemetry`, {
    method: "POST",
    body: lines.join("\n"),
  });
  await response.body?.cancel();
  assertEquals(response.status, 202);
  return start;
}

Deno.test("explain: why an anomaly fired, and what would have kept it from firing", () =>
  withFolder(async (dir) => {
    const file = `${dir}/rules.yaml`;
    await Deno.writeTextFile(file, RULES);
    await using program = await Program.serve(["start", "--rules", file], dir);
    const start = await drive(program, "VAN-1");
    await until(
      "it fires",
      async () => (await anomalies(program)).some(({ rule }) => rule === "fast"),
      () => program.report(),
    );
    const [{ id }] = await anomalies(program);
    const bus = ["--data", dir];
    const explain = (...args: string[]) => runKilter(["explain", ...args, ...bus], [dir]);

    const json = await explain(id, "--json");
    assertEquals(json.code, 0, json.stderr);
    const proof = JSON.parse(json.stdout);
    assertEquals([proof.reproduced, proof.why, proof.sameTerms], [true, "", true]);
    assertEquals([proof.opening.id, proof.opening.at], [id, start + 5_000]);
    assertEquals(proof.heldMs, 3_000);
    const [speed, rpm] = proof.thresholds;
    // Above 103 the run is broken between 104.5 and 112, and what is left lasts too short.
    assertEquals([speed.nearest.value, speed.nearest.exclusive], [103, false]);
    assertEquals(rpm.nearest.value, 2004);
    assertEquals(proof.duration.nearestMs, 5_001);
    assertEquals(proof.trace.samples.map(({ when }: { when: boolean }) => when), [
      ...[false, false, true, true, true, true, true, true, false, false],
    ]);

    // Over HTTP the same; ticks may have made the log longer since.
    const answer = await program.json(`/api/anomalies/${id}`);
    assert(typeof answer === "object" && answer !== null && "proof" in answer);
    const same = (of: object) => ({ ...of, log: null });
    assert(typeof answer.proof === "object" && answer.proof !== null);
    assertEquals(same(answer.proof), same(proof));

    const text = await explain(id.slice(0, 10));
    assertEquals(text.code, 0, text.stderr);
    for (
      const part of [
        "fast fired for VAN-1",
        "the log gives the same opening",
        "speed > 100 km/h: with a limit of 103 km/h, or just above it (+3)",
        "for 3 s: with 5001 ms and longer",
        "▲",
      ]
    ) assertStringIncludes(text.stdout, part);
    assert(!(await explain(id, "--ascii")).stdout.includes("▲"));

    const at = (ms: number) => ["--at", new Date(start + ms).toISOString()];
    const not = async (rule: string, vehicle: string, ms: number) => {
      const run = await explain("--rule", rule, "--vehicle", vehicle, ...at(ms), "--json");
      assertEquals(run.code, 0, run.stderr);
      return JSON.parse(run.stdout);
    };
    const slow = await not("fast", "VAN-1", 1_500);
    assertEquals([slow.why, slow.hindrances.length], ["condition", 1]);
    assertEquals([slow.hindrances[0].truth, slow.hindrances[0].difference], [false, -1]);
    const short = await not("fast", "VAN-1", 4_000);
    assertEquals([short.why, short.heldMs], ["duration", 2_000]);
    assertEquals((await not("fast", "VAN-1", 5_000)).why, "fired");
    assertEquals((await not("fast", "VAN-1", 6_000)).why, "open");
    assertEquals((await not("fast", "VAN-2", 6_000)).why, "vehicle unknown");
    assertEquals((await not("hot", "VAN-1", 6_000)).why, "other vehicles");
    assertEquals((await not("fast", "VAN-1", -600_000)).why, "no sample");

    const wrong: readonly (readonly [readonly string[], number, string])[] = [
      [["0123456789abcdef"], 1, "no anomaly 0123456789abcdef"],
      [["xyz"], 2, "no id of an anomaly"],
      [[], 2, "--rule, --vehicle and --at"],
      [[id, "--rule", "fast"], 2, "--rule, --vehicle and --at"],
      [["--rule", "fats", "--vehicle", "VAN-1", ...at(0)], 2, 'did you mean "fast"'],
    ];
    for (const [args, code, said] of wrong) {
      const run = await explain(...args);
      assertEquals(run.code, code, run.stderr);
      assertStringIncludes(run.stderr, said);
      assertEquals(run.stdout, "");
    }
  }));

Deno.test("docs: explain says what its page shows", () =>
  withFolder(async (dir) => {
    const page = await Deno.readTextFile(new URL("../docs/proving.md", import.meta.url));
    const section = page.slice(page.indexOf("\n## explain\n"));
    const block = (language: string) =>
      new RegExp("\n```" + language + "\n([^]*?)\n```\n").exec(section)?.[1] ?? "";
    const file = `${dir}/rules.yaml`;
    await Deno.writeTextFile(file, block("yaml"));
    await using program = await Program.serve(["start", "--rules", file], dir);
    const response = await fetch(`${program.url}/api/telemetry`, {
      method: "POST",
      body: block("jsonl"),
    });
    await response.body?.cancel();
    await until("it fires", async () => (await anomalies(program)).length === 1);
    const [{ id }] = await anomalies(program);
    const run = await runKilter(["explain", id, "--data", dir], [dir]);
    assertEquals(run.code, 0, run.stderr);
    // Versions change with the kernel; ticks make the log longer.
    const fixed = (text: string) =>
      text.replace(/version [0-9a-f]{16}/, "version …").replace(/^ {2}log .*$/m, "  log").trim();
    const shown = /\n```\n(overspeed fired [^]*?)\n```\n/.exec(section)?.[1] ?? "";
    assertEquals(fixed(run.stdout), fixed(shown));
  }));
