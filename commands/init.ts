/** `init`: writes the shipped defaults out to edit. */
import type { Settings } from "../settings.ts";
import { SHIPPED } from "./files.ts";
import { say } from "./output.ts";
import { SETTINGS } from "./settings_table.ts";

/**
 * Writes rules, their tests, catalog, dashboard, the schemas by which an editor checks them, and a
 * commented settings file to a folder, and says what comes next; what exists is left as it is.
 */
export async function init(_settings: Settings, files: readonly string[]): Promise<number> {
  const dir = files[0] ?? ".";
  await Deno.mkdir(`${dir}/schema`, { recursive: true });
  const contents: [string, string][] = [
    ["rules.yaml", await Deno.readTextFile(SHIPPED.rules)],
    ["rules_test.yaml", await Deno.readTextFile(SHIPPED.tests)],
    ["signals.yaml", await Deno.readTextFile(SHIPPED.catalog)],
    ["dashboard.yaml", await Deno.readTextFile(SHIPPED.dashboard)],
    // Where the first lines of the two files look for them.
    ["schema/rules.schema.json", await Deno.readTextFile(SHIPPED.rulesSchema)],
    ["schema/signals.schema.json", await Deno.readTextFile(SHIPPED.catalogSchema)],
    ["kilter.yaml", settingsFile()],
  ];
  for (const [name, content] of contents) {
    const path = `${dir}/${name}`;
    try {
      await Deno.writeTextFile(path, content, { createNew: true });
      say(`wrote ${path}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      say(`kept ${path}: it exists`);
    }
  }
  const at = dir === "." ? "" : ` (from ${dir})`;
  say(`\nWhat comes next${at}:`);
  for (const [command, what] of NEXT) say(`  ${command.padEnd(30)} ${what}`);
  return 0;
}

/** What an author of rules does first. */
const NEXT: readonly (readonly [string, string])[] = [
  ["dev", "watch a simulated fleet; a rules.yaml that is saved is in force at once"],
  ["rules check rules.yaml", "every fault and likely mistake, before anything runs"],
  ["rules test rules_test.yaml", "what each rule finds in series of samples"],
  ["backtest --rules rules.yaml", "what it would have raised over what was logged so far"],
];

/** Every setting with its default, commented out. */
function settingsFile(): string {
  const rows = SETTINGS.filter((spec) => spec.commands.includes("start") && !spec.secret)
    .map((spec) => `# ${spec.help}\n# ${spec.name}: ${spec.initial || '""'}\n`);
  const own = "rules: rules.yaml\ncatalog: signals.yaml\ndashboard: dashboard.yaml\n";
  return `# Settings of Kilter. A flag or KILTER_… in the environment wins over what stands here.\n\n${own}\n${
    rows.filter((row) => !/^# (rules|catalog|dashboard): /m.test(row)).join("\n")
  }`;
}
