/** `rules` as its users start it. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import { TOPICS } from "../contract/topics.ts";
import { runKilter, until, withFolder } from "./program.ts";

const SOUND = "version: 1\nrules:\n  - id: fast\n    when: speed > 130 km/h\n";
const ODD = "version: 1\nrules:\n  - id: fast\n    when: speed > 500 km/h\n";
const FAULTY =
  "version: 1\nrules:\n  - id: fast\n    when: sped > 500 km/h\n  - id: b\n    for: 3\n";

Deno.test("rules check: faults, warnings and what they make of the exit code", () =>
  withFolder(async (dir) => {
    const [sound, odd, faulty] = [`${dir}/sound.yaml`, `${dir}/odd.yaml`, `${dir}/faulty.yaml`];
    await Deno.writeTextFile(sound, SOUND);
    await Deno.writeTextFile(odd, ODD);
    await Deno.writeTextFile(faulty, FAULTY);
    const check = (...args: string[]) => runKilter(["rules", "check", ...args]);

    const fine = await check(sound, "--strict");
    assertEquals([fine.code, fine.stderr], [0, ""]);
    assertStringIncludes(fine.stdout, `${sound}: 1 rule, version `);
    assertMatch(fine.stdout, /state of a vehicle: \d+ to \d+ bytes/);

    const warned = await check(odd);
    assertEquals(warned.code, 0);
    assertStringIncludes(warned.stderr, `${odd}:4:11: warning: This rule can never fire: `);
    assertStringIncludes(warned.stderr, "    |           ^^^^^^^^^^^^^^^^\n");
    assertEquals((await check(odd, "--strict")).code, 1);

    const refused = await check(sound, faulty);
    assertEquals(refused.code, 2);
    assertStringIncludes(refused.stdout, sound);
    for (const place of ["4:11", "5:5", "6:10"]) {
      assertStringIncludes(refused.stderr, `${faulty}:${place}: `);
    }
    assertStringIncludes(refused.stderr, `${faulty}: 3 faults\n`);
    assertStringIncludes((await check(sound, "--stict")).stderr, 'did you mean "strict"?');
    const action = await runKilter(["rules", "chekc", sound]);
    assertEquals(action.code, 2);
    assertStringIncludes(action.stderr, 'did you mean "check"?');
  }));

Deno.test("rules check: as JSON, and with a recording to know the signals of", () =>
  withFolder(async (dir) => {
    const [odd, faulty] = [`${dir}/odd.yaml`, `${dir}/faulty.yaml`];
    await Deno.writeTextFile(odd, ODD);
    await Deno.writeTextFile(faulty, FAULTY);
    await Deno.writeTextFile(`${dir}/log.ndjson`, '{"vehicle":"V","ts":1763886400123,"rpm":900}\n');
    const run = await runKilter([
      ...["rules", "check", odd, faulty, "--json", "--input", `${dir}/log.ndjson`],
    ]);
    assertEquals(run.code, 2);
    const found: unknown = JSON.parse(run.stdout);
    assert(Array.isArray(found));
    const [first, second] = found;
    assertEquals([first.ok, first.rules, second.ok, second.rules], [true, 1, false, null]);
    assert(first.state.leastBytes > 0 && first.state.mostBytes > first.state.leastBytes);
    assertEquals(second.state, null);
    assertEquals(first.warnings.map(({ code }: { code: string }) => code), [
      "never-fires",
      "not-sent",
    ]);
    const [{ message: _message, ...never }] = first.warnings;
    const suggestion = "compare it with a value within that range";
    assertEquals(never, {
      code: "never-fires",
      rule: "fast",
      line: 4,
      column: 11,
      length: 16,
      suggestion,
    });
    assertEquals(Object.keys(second.faults[0]), [
      ...["line", "column", "length", "message", "suggestion"],
    ]);
  }));

Deno.test("rules check: the log at hand says which signals nobody sends", () =>
  withFolder(async (dir) => {
    const rules = `${dir}/rules.yaml`;
    await Deno.writeTextFile(rules, SOUND.replace("speed", "oil_pressure").replace("km/h", "kPa"));
    const check = () => runKilter(["rules", "check", rules, "--data", `${dir}/data`], [dir]);
    const before = await check();
    assertEquals([before.code, before.stderr], [0, ""]);
    assert(!(await Array.fromAsync(Deno.readDir(dir))).some(({ name }) => name === "data"));
    const bus = await openEmbeddedBus({ dir: `${dir}/data`, fsync: "always" }, {
      now: Date.now,
      events() {},
    });
    const kept = { retentionMs: Infinity, retentionBytes: Infinity } as const;
    const topic = TOPICS.telemetry;
    await bus.ensureTopics([{ name: topic, partitions: 2, cleanup: "delete", ...kept }]);
    assertEquals((await check()).stderr, "", "an empty log says nothing");
    const send = (sample: Record<string, unknown>) => {
      const value = new TextEncoder().encode(
        JSON.stringify({ vehicle: "V", ts: Date.now(), ...sample }),
      );
      return bus.publish([{ topic, records: [{ key: new TextEncoder().encode("V"), value }] }]);
    };
    await send({ speed: 50 });
    assertStringIncludes(
      (await check()).stderr,
      "warning: No vehicle has sent oil_pressure lately",
    );
    await send({ oil_pressure: 250 });
    assertEquals((await check()).stderr, "");
    await bus.close();
  }));

const TESTS = `version: 1
rules: sound.yaml
tests:
  - name: it opens
    series: { speed: 120 +5x10 }
    expect: { fast: opened at AT }
`;

Deno.test("rules test: passed, failed and faulty files, as text and as JSON", () =>
  withFolder(async (dir) => {
    const file = `${dir}/t.yaml`;
    await Deno.writeTextFile(`${dir}/sound.yaml`, SOUND);
    const run = async (at: string, ...args: string[]) => {
      await Deno.writeTextFile(file, TESTS.replace("AT", at));
      return await runKilter(["rules", "test", file, ...args]);
    };
    const passed = await run("3 s");
    assertEquals([passed.code, passed.stderr], [0, ""]);
    assertStringIncludes(passed.stdout, `${file}: 1 tests, 1 passed\n`);
    assertStringIncludes(passed.stdout, "1 of 1 rules opened, 0 of 1 cleared");
    assertStringIncludes(passed.stdout, "  fast never cleared\n");
    assertEquals((await run("3 s", "--strict")).code, 1);

    const failed = await run("4 s", "--ascii");
    assertEquals(failed.code, 1);
    assertStringIncludes(failed.stdout, `FAILED ${file}:4:11: it opens\n`);
    assertStringIncludes(failed.stdout, "  fast: expected opened at 4 s, got opened at 3 s\n");
    assertStringIncludes(failed.stdout, "  expected    ....O======\n");
    assert(!failed.stdout.includes("\x1b"), "no colours where nobody sees them");

    const faulty = await run("4 V");
    assertEquals(faulty.code, 2);
    assertStringIncludes(faulty.stderr, `${file}:6:`);

    const json: unknown = JSON.parse((await run("4 s", "--json")).stdout);
    assert(typeof json === "object" && json !== null && "files" in json && "coverage" in json);
    assert(Array.isArray(json.files) && Array.isArray(json.coverage));
    const [{ tests }] = json.files;
    assertEquals(tests, [{
      name: "it opens",
      line: 4,
      ok: false,
      failures: [{
        rule: "fast",
        vehicle: "V",
        differences: ["expected opened at 4 s, got opened at 3 s"],
        expected: [{ kind: "opened", at: "4 s" }],
        got: [{ kind: "opened", at: "3 s" }],
      }],
    }]);
    assertEquals(json.coverage[0].rules[0].opened, true);
    await Deno.writeTextFile(`${dir}/sound.yaml`, FAULTY);
    const rules = await run("3 s");
    assertEquals(rules.code, 2);
    assertStringIncludes(rules.stderr, `${dir}/sound.yaml:4:11`);
  }));

Deno.test("rules test --watch: runs again when the rules change, and ends with Ctrl-C", () =>
  withFolder(async (dir) => {
    const [rules, file] = [`${dir}/sound.yaml`, `${dir}/t.yaml`];
    await Deno.writeTextFile(rules, SOUND);
    await Deno.writeTextFile(file, TESTS.replace("AT", "3 s"));
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-check", "--no-prompt", "--allow-read", "--allow-env", "main.ts"],
        ...["rules", "test", file, "--watch"],
      ],
      cwd: new URL("../", import.meta.url),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let said = "";
    const reading = Promise.all([child.stdout, child.stderr].map(async (stream) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) said += text;
    }));
    const shown = (text: string) => () => Promise.resolve(said.includes(text));
    await until("it ran", shown("1 tests, 1 passed"), () => said);
    await until("it watches", shown("watching"), () => said);
    // As editors do: a new file in the place of the old one.
    await Deno.writeTextFile(`${dir}/new`, SOUND.replace("130", "140"));
    await Deno.rename(`${dir}/new`, rules);
    await until("it failed", shown("got opened at 5 s"), () => said);
    await Deno.writeTextFile(rules, FAULTY);
    await until("the fault was told", shown(`${rules}:4:11`), () => said);
    await Deno.writeTextFile(rules, SOUND);
    const passes = () => Promise.resolve(said.split("1 tests, 1 passed").length === 3);
    await until("it passes again", passes, () => said);
    child.kill("SIGINT");
    const { code } = await child.status;
    await reading;
    assertEquals(code, 130);
  }));

Deno.test("backtest: a summary, what differs from other rules, and a sweep", () =>
  withFolder(async (dir) => {
    const [rules, other, log] = [`${dir}/a.yaml`, `${dir}/b.yaml`, `${dir}/log.ndjson`];
    await Deno.writeTextFile(rules, SOUND);
    await Deno.writeTextFile(other, SOUND.replace("130", "140"));
    const speeds = [120, 135, 145, 145, 120, 135, 120];
    const lines = speeds.map((speed, i) =>
      `{"vehicle":"V","ts":${1763886400000 + 1000 * i},"speed":${speed}}\n`
    );
    await Deno.writeTextFile(log, lines.join(""));
    const backtest = (...args: string[]) =>
      runKilter(["backtest", "--rules", rules, "--input", log, ...args]);

    const plain = await backtest();
    assertEquals([plain.code, plain.stdout.trimEnd().split("\n").length], [0, 4]);
    assertStringIncludes(plain.stderr, "7 samples, 0 refused, 0 late, 0 duplicates, 4 transitions");
    assertStringIncludes(plain.stderr, "6 s from 2025-11-23T08:26:40.000Z to ");
    assert(/^ {2}fast +2 +28800 +1 +3 s +4 s$/m.test(plain.stderr), plain.stderr);

    const compared = await backtest("--compare", other);
    assertEquals(compared.code, 0, compared.stderr);
    const differences = compared.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(differences.map(({ kind, rules, compare }) => [kind, rules?.at, compare?.at]), [
      ["moved", 1763886401000, 1763886402000],
      ["only-rules", 1763886405000, undefined],
    ]);
    assertStringIncludes(compared.stderr, "0 the same, 1 at another time, 1 only of ");

    const swept = await backtest("--sweep", "fast.when.limit=120..150/10");
    assertEquals(swept.code, 0, swept.stderr);
    assertStringIncludes(swept.stdout, "fast.when.limit");
    assert(/^ {2}140 km\/h +1 +1 +2 s +█+$/m.test(swept.stdout), swept.stdout);
    assertEquals((await backtest("--sweep", "fats.for=1..2/1 s")).code, 2);
    assertEquals((await backtest("--sweep", "x", "--compare", other)).code, 2);
  }));
