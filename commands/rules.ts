/** `rules ACTION`: what is wrong with rules before they watch anything, and which ones do. */
import type { Settings } from "../settings.ts";
import { say } from "./output.ts";
import { suggest } from "./suggest.ts";

type Action = (settings: Settings, files: readonly string[]) => Promise<number>;

/** Actions load what they need and nothing else: `rules check` opens no bus. */
const ACTIONS: Readonly<Record<string, () => Promise<Action>>> = {
  check: async () => onFiles("check", (await import("./rules_check.ts")).checkRules),
  test: async () => onFiles("test", (await import("./rules_cases.ts")).testRules),
  versions: async () => (await import("./rule_versions.ts")).listVersions,
  rollback: async () => (await import("./rule_versions.ts")).rollBack,
};

/** Runs `rules ACTION …`. */
export async function rules(settings: Settings, files: readonly string[]): Promise<number> {
  const [action = "", ...rest] = files;
  if (action === "") {
    say("kilter: rules needs to know what to do: check, test, versions or rollback");
    say("See rules --help");
    return 2;
  }
  if (!Object.hasOwn(ACTIONS, action)) {
    const near = suggest(action, Object.keys(ACTIONS));
    say(`kilter: there is no "rules ${action}"${near}; see rules --help`);
    return 2;
  }
  return await (await ACTIONS[action]())(settings, rest);
}

function onFiles(name: string, run: Action): Action {
  return (settings, files) => {
    if (files.length > 0) return run(settings, files);
    say(`kilter: rules ${name} needs a file; see rules --help`);
    return Promise.resolve(2);
  };
}
