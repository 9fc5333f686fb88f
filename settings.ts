/**
 * Settings: the only reader of flags, environment variables and `kilter.yaml`.
 *
 * Precedence: flag, environment, file, default. Every fault is found before anything starts.
 */
import { parseArgs } from "./commands/arguments.ts";
import { type FileSetting, readSettingsFile } from "./commands/settings_file.ts";
import { environmentName, SETTINGS } from "./commands/settings_table.ts";
import {
  type Draft,
  SASL_MECHANISMS,
  type Settings,
  SETTINGS_DEFAULT,
} from "./commands/settings_values.ts";

export type { Settings } from "./commands/settings_values.ts";

/** Where settings come from. */
export interface SettingsSources {
  readonly command: string;
  readonly args: readonly string[];
  /** Value of an environment variable. */
  readonly env: (name: string) => string | undefined;
  /** Text of a file, undefined if there is none; may throw for one that cannot be read. */
  readonly readText: (path: string) => string | undefined;
}

/** Settings, or every fault in them; `help` was asked for. */
export type SettingsResult =
  | { readonly kind: "settings"; readonly settings: Settings; readonly files: readonly string[] }
  | { readonly kind: "help" }
  | { readonly kind: "faults"; readonly faults: readonly string[] };

/** File of settings that is read if it is there and no `--config` names another. */
export const SETTINGS_FILE = "kilter.yaml";

/** A token shorter than this could be guessed. */
export const TOKEN_CHARS_MIN = 16;

const LOOPBACK = new Set(["127.0.0.1", "::1", "[::1]", "localhost"]);

/** Reads the settings of one command. */
export function readSettings(sources: SettingsSources): SettingsResult {
  const { command } = sources;
  const args = parseArgs(command, sources.args);
  if (args.help) return { kind: "help" };
  const faults = [...args.faults];
  const draft: Draft = { ...SETTINGS_DEFAULT };

  const config = args.flags.get("config") ?? sources.env("KILTER_CONFIG");
  for (const setting of fileSettings(config, sources, faults)) {
    const wrong = setting.spec.apply(draft, setting.text);
    if (wrong !== null) faults.push(`${setting.place}: ${setting.spec.name} ${wrong}`);
  }
  for (const spec of SETTINGS) {
    const variable = environmentName(spec.name);
    const given = sources.env(variable);
    // An empty variable is how compose files and shells pass on "not set".
    if (given !== undefined && given !== "") {
      const wrong = spec.apply(draft, given);
      if (wrong !== null) faults.push(`${variable}=${spec.secret ? "…" : given}: it ${wrong}`);
    }
    const flag = args.flags.get(spec.name);
    if (flag !== undefined) {
      const wrong = spec.apply(draft, flag);
      if (wrong !== null) faults.push(`--${spec.name} ${flag}: it ${wrong}`);
    }
  }
  const served = command === "dev" || command === "start" || command === "dashboard";
  if (served && !LOOPBACK.has(draft.host) && draft.token === "") {
    faults.push(
      `--host ${draft.host}: it listens beyond this machine, which needs a secret; ` +
        "set KILTER_TOKEN, or use --host 127.0.0.1",
    );
  }
  const chars = draft.token.length;
  if (served && chars > 0 && chars < TOKEN_CHARS_MIN) {
    faults.push(
      `KILTER_TOKEN: it has ${chars} ${chars === 1 ? "character" : "characters"}, which can be ` +
        `guessed; give it at least ${TOKEN_CHARS_MIN}, such as openssl rand -hex 32 prints`,
    );
  }
  faults.push(...loginFaults(draft));
  if (faults.length > 0) return { kind: "faults", faults };
  return { kind: "settings", settings: draft, files: args.files };
}

/** What does not go together among the settings of the connection to Kafka. */
function loginFaults({ kafkaTls, kafkaCa, kafkaSasl, kafkaUser, kafkaPassword }: Draft): string[] {
  const faults: string[] = [];
  if (kafkaCa !== "" && kafkaTls === "off") {
    faults.push(`--kafka-ca ${kafkaCa}: it is for encryption, which is off; add --kafka-tls on`);
  }
  if (kafkaSasl === "none") {
    if (kafkaUser !== "" || kafkaPassword !== "") {
      faults.push(
        `--kafka-user ${kafkaUser}: nothing says how to log in; add --kafka-sasl ` +
          SASL_MECHANISMS.join(" or "),
      );
    }
    return faults;
  }
  if (kafkaUser === "") faults.push(`--kafka-sasl ${kafkaSasl}: it needs --kafka-user NAME`);
  if (kafkaPassword === "") {
    faults.push(`--kafka-sasl ${kafkaSasl}: it needs a password; set KILTER_KAFKA_PASSWORD`);
  }
  return faults;
}

function fileSettings(
  config: string | undefined,
  sources: SettingsSources,
  faults: string[],
): readonly FileSetting[] {
  const path = config ?? SETTINGS_FILE;
  let content: string | undefined;
  try {
    content = sources.readText(path);
  } catch (error) {
    faults.push(`${path}: cannot be read: ${error instanceof Error ? error.message : error}`);
    return [];
  }
  if (content === undefined) {
    if (config !== undefined) faults.push(`--config ${path}: there is no such file`);
    return [];
  }
  const read = readSettingsFile(path, content);
  faults.push(...read.faults);
  return read.settings;
}
