/** Runs one command and turns what it throws into a line and an exit code. */
import { BusError } from "../bus/port.ts";
import { MappingFaults } from "../producer/mapping.ts";
import { RecordingError } from "../producer/recording_file.ts";
import type { Settings } from "../settings.ts";
import { FileFaults } from "./files.ts";
import { say } from "./output.ts";

type Command = (settings: Settings, files: readonly string[]) => Promise<number>;

/** Commands load what they need and nothing else: `rules check` opens no broker's client. */
const RUN: Readonly<Record<string, () => Promise<Command>>> = {
  dev: () => agents(["dashboard", "analysis", "producer"]),
  start: () => agents(["dashboard", "analysis"]),
  producer: () => agents(["producer"]),
  analysis: () => agents(["analysis"]),
  dashboard: () => agents(["dashboard"]),
  simulate: async () => (await import("./simulate.ts")).simulateCommand,
  replay: async () => (await import("./replay.ts")).replayFiles,
  backtest: async () => (await import("./backtest.ts")).backtestCommand,
  explain: async () => (await import("./explain.ts")).explainCommand,
  rules: async () => (await import("./rules.ts")).rules,
  dlq: async () => (await import("./dlq.ts")).dlq,
  init: async () => (await import("./init.ts")).init,
};

async function agents(
  names: readonly ("producer" | "analysis" | "dashboard")[],
): Promise<Command> {
  const { runAgents } = await import("./run_agents.ts");
  return (settings) => runAgents(names, settings);
}

/**
 * Runs a command.
 *
 * @returns 0 when done, 1 when it failed, 2 when what the user gave is wrong
 */
export async function runCommand(
  name: string,
  settings: Settings,
  files: readonly string[],
): Promise<number> {
  try {
    return await (await RUN[name]())(settings, files);
  } catch (error) {
    if (error instanceof FileFaults || error instanceof MappingFaults) {
      say(error.message);
      return 2;
    }
    if (error instanceof BusError || error instanceof RecordingError) {
      say(`kilter: ${error.message}`);
      return 1;
    }
    // Whoever read the output has enough of it (`backtest … | head`).
    if (error instanceof Deno.errors.BrokenPipe) return 1;
    if (error instanceof Deno.errors.NotCapable) {
      say(`kilter: ${error.message}`);
      say("This task may not do that; `deno task` shows what each may touch, in deno.json.");
      return 1;
    }
    say(`kilter: ${error instanceof Error ? error.stack ?? error.message : error}`);
    return 1;
  }
}
