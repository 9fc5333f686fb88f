/** `rules` as its users start it. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runKilter, withFolder } from "./program.ts";

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
    assertStringIncludes(fine.stdout, `${sound}: 1 rules, version `);

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
