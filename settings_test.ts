import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "./commands/command_table.ts";
import { commandHelp, programHelp } from "./commands/help.ts";
import { environmentName, SETTINGS } from "./commands/settings_table.ts";
import { SETTINGS_DEFAULT } from "./commands/settings_values.ts";
import { readSettings } from "./settings.ts";

function read(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
) {
  return readSettings({
    command,
    args,
    env: (name) => env[name],
    readText: (path) => files[path],
  });
}

function settings(...given: Parameters<typeof read>) {
  const result = read(...given);
  assert(result.kind === "settings", JSON.stringify(result));
  return result;
}

function faults(...given: Parameters<typeof read>) {
  const result = read(...given);
  assert(result.kind === "faults", JSON.stringify(result));
  return result.faults;
}

Deno.test("settings: flag before environment before file before default", () => {
  const files = { "kilter.yaml": "port: 1\nseed: 1\nvehicles: 11\n" };
  const env = { KILTER_PORT: "2", KILTER_SEED: "2" };
  const { settings: s } = settings("dev", ["--port", "3"], env, files);
  assertEquals([s.port, s.seed, s.vehicles, s.bus], [3, 2, 11, "embedded"]);
});

Deno.test("settings: every fault at once, each with its place and what to do", () => {
  const env = { KILTER_BUS: "rabbit" };
  const files = { "kilter.yaml": "prot: 8000\nfsync: sometimes\nretention:\n  days: 3\n" };
  assertEquals(faults("dev", ["--vehicels", "3", "--port=99999", "--seed"], env, files), [
    '--vehicels: there is no such flag (did you mean "vehicles"?)',
    "--seed: it needs a value, N",
    'kilter.yaml:1:1: prot: there is no such setting (did you mean "port"?)',
    "kilter.yaml:3:1: retention: it must be one value, or a list of them",
    "kilter.yaml:2:1: fsync must be always or interval",
    "--port 99999: it must be a whole number from 0 to 65535",
    "KILTER_BUS=rabbit: it must be embedded or kafka",
  ]);
});

Deno.test("settings: a file that is not YAML is refused with line and column", () => {
  const [fault] = faults("dev", [], {}, { "kilter.yaml": "port: [8000\n" });
  assert(fault.startsWith("kilter.yaml:2:1: "), fault);
  assertEquals(faults("dev", [], {}, { "kilter.yaml": "- a\n" }), [
    "kilter.yaml:1:1: it must be a mapping such as `port: 8000`",
  ]);
});

Deno.test("settings: a config file that is named must exist", () => {
  assertEquals(faults("start", ["--config", "x.yaml"]), ["--config x.yaml: there is no such file"]);
});

Deno.test("settings: listening beyond loopback needs a token", () => {
  assertEquals(faults("start", ["--host", "0.0.0.0"]).length, 1);
  const token = "0123456789abcdef";
  const { settings: s } = settings("start", ["--host", "0.0.0.0"], { KILTER_TOKEN: token });
  assertEquals(s.token, token);
  assertEquals(faults("start", ["--token", "t"]), [
    "--token: secrets are not taken as flags; set KILTER_TOKEN",
  ]);
});

Deno.test("settings: a token that could be guessed is refused, without being shown", () => {
  for (const host of ["127.0.0.1", "0.0.0.0"]) {
    const env = { KILTER_TOKEN: "0123456789abcde" };
    const [fault, ...more] = faults("start", ["--host", host], env);
    assertEquals(more, []);
    assert(/15 characters.*at least 16.*openssl/.test(fault), fault);
    assert(!fault.includes(env.KILTER_TOKEN));
  }
});

Deno.test("settings: a flag of another command is named as such", () => {
  assertEquals(faults("analysis", ["--port", "1"]), [
    "--port: analysis does not take it, only dev, start, dashboard",
  ]);
});

Deno.test("settings: files, repeated flags, lists, quantities", () => {
  const { settings: s, files } = settings("backtest", [
    ...["--input", "a.csv", "--input=b.csv", "--rules", "r.yaml"],
    ...["--retention", "2 d", "--retention-bytes", "2 GiB", "--from", "2026-03-01T12:00:00"],
    ...["--brokers", "a:1, [::1]:2"],
  ]);
  assertEquals(files, []);
  assertEquals(s.input, ["a.csv", "b.csv"]);
  assertEquals([s.retentionMs, s.retentionBytes], [172_800_000, 2_147_483_648]);
  assertEquals(s.fromMs, Date.UTC(2026, 2, 1, 12));
  assertEquals(s.brokers, ["a:1", "[::1]:2"]);
  assertEquals(settings("replay", ["a", "b"]).files, ["a", "b"]);
  assertEquals(faults("replay", []), ["replay needs a file; see --help"]);
  assertEquals(read("dev", ["--help"]).kind, "help");
});

Deno.test("settings: every setting can be given, and the help shows it", () => {
  assertEquals(SETTINGS.length, Object.keys(SETTINGS_DEFAULT).length);
  for (const [command, { help }] of Object.entries(COMMANDS)) {
    const text = commandHelp(command);
    assertStringIncludes(text.toLowerCase(), help.toLowerCase());
    for (const spec of SETTINGS.filter((each) => each.commands.includes(command))) {
      assertStringIncludes(text, spec.help);
      assertStringIncludes(text, spec.secret ? environmentName(spec.name) : `--${spec.name}`);
    }
    assertStringIncludes(programHelp(), `  ${command} `);
  }
});

Deno.test("settings: the session timeout has its bounds", () => {
  assertEquals(
    settings("analysis", ["--kafka-session-timeout", "2 s"]).settings.kafkaSessionMs,
    2_000,
  );
  assertEquals(faults("start", ["--kafka-session-timeout", "999 ms"]), [
    "--kafka-session-timeout 999 ms: it must be a duration from `1 s` to `30 min`",
  ]);
});

Deno.test("settings: what is said of the login to Kafka has to go together", () => {
  assertEquals(faults("start", ["--kafka-ca", "ca.pem", "--kafka-user", "kilter"]), [
    "--kafka-ca ca.pem: it is for encryption, which is off; add --kafka-tls on",
    "--kafka-user kilter: nothing says how to log in; add --kafka-sasl plain or scram-sha-256 or " +
    "scram-sha-512",
  ]);
  assertEquals(faults("start", ["--kafka-sasl", "plain"]), [
    "--kafka-sasl plain: it needs --kafka-user NAME",
    "--kafka-sasl plain: it needs a password; set KILTER_KAFKA_PASSWORD",
  ]);
  assertEquals(faults("start", ["--kafka-password", "x"]), [
    "--kafka-password: secrets are not taken as flags; set KILTER_KAFKA_PASSWORD",
  ]);
});
