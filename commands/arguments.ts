/** Reads a command line into flags and files, by the tables of commands and settings. */
import { COMMANDS } from "./command_table.ts";
import { environmentName, SETTINGS } from "./settings_table.ts";
import { suggest } from "./suggest.ts";

/** A command line, read. */
export interface Arguments {
  readonly help: boolean;
  /** Flag (without dashes) to its text. */
  readonly flags: ReadonlyMap<string, string>;
  /** What stands there without a flag. */
  readonly files: readonly string[];
  readonly faults: readonly string[];
}

/** Reads `args` (the command's name not among them) as arguments of `command`. */
export function parseArgs(command: string, args: readonly string[]): Arguments {
  const specs = SETTINGS.filter((spec) => !spec.secret && spec.commands.includes(command));
  const known = ["config", "help", ...specs.map((spec) => spec.name)];
  const flags = new Map<string, string>();
  const files: string[] = [];
  const faults: string[] = [];
  let help = false;
  // A `--` in front of all is the task runner's: `deno task dev -- --port 0` hands it on.
  let i = args[0] === "--" ? 1 : 0;
  while (i < args.length) {
    const arg = args[i++];
    if (arg === "--help" || arg === "-h") {
      help = true;
      continue;
    }
    if (arg === "--") {
      files.push(...args.slice(i));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      files.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const name = arg.slice(0, equals < 0 ? undefined : equals).replace(/^--?/, "");
    const spec = specs.find((each) => each.name === name);
    if (!arg.startsWith("--") || (!spec && name !== "config")) {
      faults.push(unknownFlag(arg, name, command, known));
      // Its value, if it has one, is no file.
      if (equals < 0 && i < args.length && !args[i].startsWith("-")) i++;
      continue;
    }
    const value = equals >= 0 ? arg.slice(equals + 1) : spec?.bare ? "true" : args[i++];
    if (value === undefined || (equals < 0 && value.startsWith("--"))) {
      faults.push(`--${name}: it needs a value, ${spec?.hint ?? "FILE"}`);
      if (value !== undefined) i--;
    } else if (flags.has(name) && spec?.repeated) {
      flags.set(name, `${flags.get(name)}\n${value}`);
    } else if (flags.has(name)) {
      faults.push(`--${name}: it is given twice`);
    } else {
      flags.set(name, value);
    }
  }
  const { files: [least, most] } = COMMANDS[command] ?? { files: [0, 0] };
  if (!help && files.length < least) {
    faults.push(`${command} needs ${least === 1 ? "a file" : `${least} arguments`}; see --help`);
  }
  if (files.length > most) {
    faults.push(`"${files[most]}": ${command} takes no more arguments; see --help`);
  }
  return { help, flags, files, faults };
}

function unknownFlag(arg: string, name: string, command: string, known: readonly string[]) {
  const secret = SETTINGS.find((spec) => spec.secret && spec.name === name);
  if (secret) return `--${name}: secrets are not taken as flags; set ${environmentName(name)}`;
  const elsewhere = SETTINGS.find((spec) => spec.name === name);
  if (elsewhere) {
    return `${arg}: ${command} does not take it, only ${elsewhere.commands.join(", ")}`;
  }
  return `${arg}: there is no such flag${suggest(name, known)}`;
}
