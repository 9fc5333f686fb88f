/** Kilter's command line: settings, then the command. */
import { COMMANDS } from "./commands/command_table.ts";
import { commandHelp, programHelp } from "./commands/help.ts";
import { say, writeData } from "./commands/output.ts";
import { runCommand } from "./commands/run_command.ts";
import { suggest } from "./commands/suggest.ts";
import { readSettings } from "./settings.ts";

/** Runs a command line and answers its exit code: 0 done, 1 failed, 2 wrongly used. */
async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === undefined || command === "--help" || command === "-h" || command === "help") {
    writeData(programHelp());
    return command === undefined ? 2 : 0;
  }
  if (!Object.hasOwn(COMMANDS, command)) {
    say(`kilter: there is no command "${command}"${suggest(command, Object.keys(COMMANDS))}`);
    say("See kilter --help");
    return 2;
  }
  const read = readSettings({
    command,
    args: rest,
    env: (name) => Deno.env.get(name),
    readText: readIfThere,
  });
  switch (read.kind) {
    case "help":
      writeData(commandHelp(command));
      return 0;
    case "faults":
      for (const fault of read.faults) say(`kilter: ${fault}`);
      return 2;
    case "settings":
      return await runCommand(command, read.settings, read.files);
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
