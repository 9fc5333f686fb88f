/** `rules ACTION`: what is wrong with rules, before they watch anything. */
import type { Settings } from "../settings.ts";
import { say } from "./output.ts";
import { checkRules } from "./rules_check.ts";
import { suggest } from "./suggest.ts";

type Action = (settings: Settings, files: readonly string[]) => Promise<number>;

const ACTIONS: Readonly<Record<string, Action>> = { check: checkRules };

/** Runs `rules ACTION FILE…`. */
export async function rules(settings: Settings, files: readonly string[]): Promise<number> {
  const [action = "", ...paths] = files;
  if (!Object.hasOwn(ACTIONS, action)) {
    const near = suggest(action, Object.keys(ACTIONS));
    say(`kilter: there is no "rules ${action}"${near}; see rules --help`);
    return 2;
  }
  return await ACTIONS[action](settings, paths);
}
