/** What `docker-compose.yml` starts is what Kilter takes; no Docker is needed to tell. */
import { assert, assertEquals } from "@std/assert";
import { parse } from "yaml";
import { COMMANDS } from "../commands/command_table.ts";
import { environmentName, SETTINGS } from "../commands/settings_table.ts";
import { readSettings } from "../settings.ts";

const FILE = new URL("../docker-compose.yml", import.meta.url);
const TASKS = new URL("../deno.json", import.meta.url);

/** A map as YAML gives it; empty for anything else. */
function map(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

const compose = map(parse(await Deno.readTextFile(FILE)));
const services = map(compose.services);
/** Services that run Kilter, with the command of each. */
const ours = Object.entries(services).flatMap(([name, service]) => {
  const [deno, task, command] = texts(map(service).command);
  return deno === "deno" && task === "task" ? [{ name, command, service: map(service) }] : [];
});

Deno.test("compose: three analysis processes share 8 partitions, beside one dashboard", () => {
  assertEquals(ours.map(({ command }) => command).sort(), ["analysis", "dashboard"]);
  const analysis = map(services.analysis);
  assertEquals(map(analysis.deploy).replicas, 3);
  // Replicas would fight over one port, one name and one folder.
  assertEquals([analysis.ports, analysis.container_name, analysis.volumes], [
    undefined,
    undefined,
    undefined,
  ]);
  for (const { service } of ours) assertEquals(map(service.environment).KILTER_PARTITIONS, "8");
});

Deno.test("compose: its commands are tasks, and its settings are settings of theirs that go together", async () => {
  const tasks = map(map(JSON.parse(await Deno.readTextFile(TASKS))).tasks);
  for (const { name, command, service } of ours) {
    assert(command in COMMANDS && command in tasks, `${name}: ${command}`);
    const environment = map(service.environment);
    for (const variable of Object.keys(environment)) {
      const spec = SETTINGS.find((each) => environmentName(each.name) === variable);
      assert(spec?.commands.includes(command), `${name}: ${variable} is no setting of ${command}`);
    }
    const result = readSettings({
      command,
      args: [],
      env: (variable) => {
        const value = environment[variable];
        // The token comes from the file .env.
        return value === undefined
          ? undefined
          : String(value).replace(/^\$\{.*\}$/, "x".repeat(16));
      },
      readText: () => undefined,
    });
    assert(result.kind === "settings", JSON.stringify(result));
    assertEquals([result.settings.bus, result.settings.partitions], ["kafka", 8]);
    assert(`${result.settings.brokers}`.startsWith("kafka:"));
  }
});

Deno.test("compose: only what serves pages is asked whether it is well, and all wait for the broker", () => {
  for (const { command, service } of ours) {
    assertEquals(map(service.healthcheck).disable, command === "analysis" ? true : undefined);
    assertEquals(map(map(service.depends_on).kafka).condition, "service_healthy");
    assertEquals(service.restart, "unless-stopped");
  }
  const volumes = Object.values(services).flatMap((service) => texts(map(service).volumes));
  for (const volume of volumes) assert(volume.split(":")[0] in map(compose.volumes), volume);
});
