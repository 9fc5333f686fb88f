/** `rules versions` and `rules rollback`: the versions on the log, and the way back. */
import type { Settings } from "../settings.ts";
import { ruleChange } from "../rules-wasm/rule_change.ts";
import { eventLog, say, writeData } from "./output.ts";
import { visitBus } from "./open_bus.ts";
import { RuleFeed } from "./rule_feed.ts";

/** Lists the versions, newest first: name, time, source, author, message, what it changed. */
export function listVersions(settings: Settings): Promise<number> {
  return withFeed(settings, (feed) => {
    const { versions, current } = feed.history;
    for (const each of [...versions].reverse()) {
      const mark = each === current ? "*" : " ";
      const time = new Date(each.time).toISOString();
      const said = each.message === "" ? "" : `  ${each.message}`;
      writeData(
        `${mark} ${each.version}  ${time}  ${each.source.padEnd(8)}  ${each.author}${said}${
          changeText(feed, each.base, each.version)
        }\n`,
      );
    }
    if (versions.length === 0) say(`kilter: ${settings.topicRules} has no versions yet`);
    return Promise.resolve(0);
  });
}

/**
 * Puts a version into force again.
 *
 * @param names the version's name; none for the one before the current
 */
export function rollBack(
  settings: Settings,
  names: readonly string[],
): Promise<number> {
  const name = names.at(0);
  return withFeed(settings, async (feed) => {
    const { versions, current } = feed.history;
    const target = name === undefined
      ? versions.findLast((each) => each.version === current?.base)
      : feed.history.find(name);
    if (target === undefined || current === undefined) {
      say(
        name === undefined
          ? `kilter: there is no version before ${current?.version ?? "the first"}`
          : `kilter: there is no version ${name}; see rules versions`,
      );
      return 2;
    }
    const message = `back from ${current.version} to ${target.version}`;
    const who = { author: "command line", message, source: "rollback" } as const;
    const written = await feed.write(target, current.version, who);
    switch (written.kind) {
      case "written":
        writeData(`${written.version.version} is in force again, after ${current.version}\n`);
        return 0;
      case "same":
        writeData(`${written.version} is in force already\n`);
        return 0;
      case "conflict":
        say(`kilter: version ${written.current} came first; look at it and try again`);
        return 1;
      case "faults":
        say(`kilter: version ${target.version} is wrong by now:\n${written.report}`);
        return 1;
    }
  });
}

function changeText(feed: RuleFeed, base: string, version: string): string {
  const [before, after] = [feed.version(base), feed.version(version)];
  if (before === null || after === null) return "";
  const { added, removed, changed, settings } = ruleChange(before, after);
  const parts = [
    ...added.map((id) => `+${id}`),
    ...removed.map((id) => `-${id}`),
    ...changed.map((id) => `~${id}`),
    ...(settings ? ["~settings, catalog or zones"] : []),
  ];
  return parts.length === 0 ? "" : `  (${parts.join(" ")})`;
}

async function withFeed(
  settings: Settings,
  use: (feed: RuleFeed) => Promise<number>,
): Promise<number> {
  const bus = await visitBus(settings, eventLog(settings.logLevel, Date.now), Date.now);
  try {
    return await use(await RuleFeed.open(bus, settings.topicRules, Date.now));
  } finally {
    await bus.close();
  }
}
