/** `rules test`: runs the tests of rules, once or whenever a file changes. */
import type { LineStyle } from "../rules-wasm/cases/time_line.ts";
import type { Settings } from "../settings.ts";
import {
  allPassed,
  type CaseRuns,
  coverageReport,
  fileReport,
  missing,
  runCaseFiles,
  runsJson,
} from "./case_runs.ts";
import { FileFaults } from "./files.ts";
import { say, writeData } from "./output.ts";
import { watchFiles } from "./watch_files.ts";

/**
 * Runs files of rule tests.
 *
 * @returns 0 if all passed; 2 if a file has a fault; 1 if a test failed, or, with `--strict`, if
 * something is not covered
 */
export async function testRules(settings: Settings, paths: readonly string[]): Promise<number> {
  if (!settings.watch) return report(settings, runOnce(settings, paths));
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    await watchFiles(() => watched(settings, paths), stop.signal);
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
  return 130;
}

function runOnce(settings: Settings, paths: readonly string[]): CaseRuns {
  const read: string[] = [];
  return { ...runCaseFiles(paths, settings, (path) => read.push(path)), read };
}

/** One run while watching: what is wrong is told and mended later. Answers the files it read. */
function watched(settings: Settings, paths: readonly string[]): readonly string[] {
  const read: string[] = [];
  try {
    const runs = runCaseFiles(paths, settings, (path) => read.push(path));
    report(settings, { ...runs, read });
  } catch (error) {
    if (!(error instanceof FileFaults)) throw error;
    say(error.message);
  }
  if (!settings.json) say("watching; Ctrl-C ends it");
  return read;
}

function report(settings: Settings, runs: CaseRuns): number {
  const { files, coverage } = runs;
  if (settings.json) writeData(`${JSON.stringify(runsJson(runs), null, 2)}\n`);
  else {
    const style: LineStyle = {
      ascii: settings.ascii,
      colour: Deno.stdout.isTerminal() && !Deno.noColor,
    };
    for (const run of files) {
      if (run.faults.length > 0) say(fileReport(run, style));
      else writeData(fileReport(run, style));
    }
    for (const each of coverage) writeData(coverageReport(each));
  }
  if (files.some(({ faults }) => faults.length > 0)) return 2;
  if (!allPassed(files)) return 1;
  return settings.strict && coverage.some(({ rules }) => missing(rules).length > 0) ? 1 : 0;
}
