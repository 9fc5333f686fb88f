/** `rules check`: what is wrong with a rules file. */
import type { Settings } from "../settings.ts";
import { readCatalog, readRules } from "./files.ts";
import { say, writeData } from "./output.ts";
import { suggest } from "./suggest.ts";

/** Runs `rules ACTION FILE`; faults end it with exit code 2. */
// deno-lint-ignore require-await -- every command is asynchronous to its caller
export async function rules(settings: Settings, files: readonly string[]): Promise<number> {
  const [action, path] = files;
  if (action !== "check") {
    say(`kilter: there is no "rules ${action}"${suggest(action, ["check"])}; see rules --help`);
    return 2;
  }
  const set = readRules(path, readCatalog(settings.catalog));
  writeData(`${path}: ${set.rules.length} rules, version ${set.version}\n`);
  return 0;
}
