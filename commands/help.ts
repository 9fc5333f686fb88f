/** Help texts, made of the tables of commands and settings. */
import { COMMANDS } from "./command_table.ts";
import { environmentName, SETTINGS, type SettingSpec } from "./settings_table.ts";

/** Help of the program: its commands. */
export function programHelp(): string {
  const rows = Object.entries(COMMANDS).map(([name, { hint, help }]) => {
    const usage = `${name} ${hint}`.trimEnd();
    return usage.length < 28
      ? `  ${usage.padEnd(28)}${help}`
      : `  ${usage}\n${" ".repeat(30)}${help}`;
  });
  return [
    "Kilter watches vehicles: telemetry in, rules over it in WebAssembly, anomalies on a live page.",
    "",
    "Usage: kilter COMMAND [FLAGS]        (from source: deno task COMMAND [FLAGS])",
    "",
    ...rows,
    "",
    "Every command has --help. Each flag has an environment variable of its name (--log-level is",
    "KILTER_LOG_LEVEL) and may stand in kilter.yaml; a flag wins over the environment, that over",
    "the file.",
    "",
  ].join("\n");
}

/** Help of one command: its flags. */
export function commandHelp(command: string): string {
  const { hint, help } = COMMANDS[command];
  const specs = SETTINGS.filter((spec) => spec.commands.includes(command));
  const flags = specs.filter((spec) => !spec.secret).map(flagRow);
  const secrets = specs.filter((spec) => spec.secret).map((spec) =>
    `  ${environmentName(spec.name)}`.padEnd(34) + `${spec.help} (environment or file only)`
  );
  return [
    `Usage: kilter ${command}${hint ? ` ${hint}` : ""} [FLAGS]`,
    "",
    `${help[0].toUpperCase()}${help.slice(1)}.`,
    "",
    ...flags,
    "  --config FILE".padEnd(34) + "settings file; kilter.yaml if it is there",
    ...secrets,
    "",
  ].join("\n");
}

function flagRow(spec: SettingSpec): string {
  const flag = `  --${spec.name} ${spec.hint}`.trimEnd();
  const initial = spec.initial === "" ? "" : ` (${spec.initial})`;
  const text = `${spec.help}${initial}`;
  return flag.length < 34 ? flag.padEnd(34) + text : `${flag}\n${" ".repeat(34)}${text}`;
}
