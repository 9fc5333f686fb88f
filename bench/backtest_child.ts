/**
 * A back-test in a process of its own, as its users run it; what it took goes to stderr as JSON.
 *
 * Arguments: those of the command `backtest`.
 */
import process from "node:process";
import { say } from "../commands/output.ts";
import { readSettings } from "../settings.ts";
import { startStopwatch } from "./measure.ts";

/** What the process tells in its last line. */
export interface ChildFigures {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Kilobytes, at most. */
  readonly residentKb: number;
}

/** Most memory that this process has had resident. */
function residentKb(): number {
  if (Deno.build.os !== "linux") return process.resourceUsage().maxRSS;
  // The figure of the system's call begins with what the process had that started this one.
  const found = /^VmHWM:\s*(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"));
  return Number(found?.[1]);
}

if (import.meta.main) {
  const { backtestCommand } = await import("../commands/backtest.ts");
  const read = readSettings({
    ...{ command: "backtest", args: Deno.args, env: () => undefined },
    readText: () => undefined,
  });
  if (read.kind !== "settings") throw new Error(`Cannot read the arguments: ${Deno.args}`);
  // What it takes to start is over.
  const stopwatch = startStopwatch(() => performance.now());
  const code = await backtestCommand(read.settings);
  const figures: ChildFigures = {
    ...stopwatch(),
    residentKb: residentKb(),
  };
  say(JSON.stringify(figures));
  Deno.exit(code);
}
