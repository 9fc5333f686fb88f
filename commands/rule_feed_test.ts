/** Versions of the rules over a real bus: written, refused, raced for, followed. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type EmbeddedBus, openEmbeddedBus } from "../bus/embedded_bus.ts";
import { BusError } from "../bus/port.ts";
import type { OperationalEvent } from "../contract/events.ts";
import { encodeRuleRecord } from "../contract/rule_versions.ts";
import { fileHints } from "./file_hints.ts";
import { SHIPPED } from "./files.ts";
import { RuleFeed } from "./rule_feed.ts";
import { settleRules, watchRules } from "./rule_files.ts";

const TOPIC = "kilter.rules";
const CATALOG = Deno.readTextFileSync(SHIPPED.catalog);
const ADA = { author: "ada", message: "tried it", source: "api" } as const;
const WAIT_MS = 20_000;

function texts(limit: number, message = "m") {
  const rule = `  - id: fast\n    when: speed > ${limit} km/h\n    message: "${message}"\n`;
  return { rules: `version: 1\nrules:\n${rule}`, catalog: CATALOG, zones: "" };
}

async function withBus(run: (bus: EmbeddedBus, dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "kilter-rules-" });
  const bus = await openEmbeddedBus({ dir, fsync: "interval", retainEveryMs: 0 }, {
    now: () => Date.now(),
    events: () => {},
  });
  try {
    const forEver = { retentionMs: Infinity, retentionBytes: Infinity };
    await bus.ensureTopics([{ name: TOPIC, partitions: 1, cleanup: "delete", ...forEver }]);
    await run(bus, dir);
  } finally {
    await bus.close();
    await Deno.remove(dir, { recursive: true });
  }
}

const open = (bus: EmbeddedBus) => RuleFeed.open(bus, TOPIC, () => Date.now());

async function eventually(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + WAIT_MS;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`Waited ${WAIT_MS} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("rule feed: a version is written over the one in force, and anyone finds it", () =>
  withBus(async (bus) => {
    const feed = await open(bus);
    assertEquals(
      (await assertRejects(() => Promise.resolve().then(() => feed.current()), BusError))
        .message,
      "Cannot use the rules on kilter.rules: there are none yet",
    );
    const first = await feed.write(texts(100), "", ADA);
    assert(first.kind === "written");
    const { version } = first.version;
    assertEquals((await feed.write(texts(100), version, ADA)).kind, "same");
    const second = await feed.write(texts(120), version, ADA);
    assert(second.kind === "written");
    assertEquals(second.version.base, version);
    assertEquals(await feed.write(texts(130), version, ADA), {
      kind: "conflict",
      current: second.version.version,
    });
    const other = await open(bus);
    assertEquals(other.current().version, second.version.version);
    assertEquals(other.version(version)?.rules[0].id, "fast");
    assertEquals(other.version("0000000000000000"), null);
  }));

Deno.test("rule feed: wrong rules write nothing and say where they are wrong", () =>
  withBus(async (bus) => {
    const feed = await open(bus);
    const wrong = { ...texts(1), rules: "version: 1\nrules:\n  - id: a\n    when: sped > 3\n" };
    const written = await feed.write(wrong, null, ADA);
    assert(written.kind === "faults");
    assertStringIncludes(written.report, "rules.yaml:4:11");
    assertStringIncludes(written.report, "speed");
    assertEquals((await bus.bounds(TOPIC))[0].end, 0);
  }));

Deno.test("rule feed: of two that write at once over one base one is told so", () =>
  withBus(async (bus) => {
    const [a, b] = [await open(bus), await open(bus)];
    const both = await Promise.all([a.write(texts(100), "", ADA), b.write(texts(110), "", ADA)]);
    assertEquals(both.map(({ kind }) => kind).sort(), ["conflict", "written"]);
    await Promise.all([a.catchUp(), b.catchUp()]);
    assertEquals(a.current().version, b.current().version);
    assertEquals(a.history.versions.length, 1);
  }));

Deno.test("rule feed: followers hear of each new version, once", () =>
  withBus(async (bus) => {
    const [writer, follower] = [await open(bus), await open(bus)];
    const heard: string[] = [];
    follower.onChange(() => heard.push(follower.current().version));
    const stop = new AbortController();
    const following = follower.follow(stop.signal);
    const names: string[] = [];
    for (const limit of [100, 110, 120]) {
      const written = await writer.write(texts(limit), null, ADA);
      assert(written.kind === "written");
      names.push(written.version.version);
      await follower.catchUp();
    }
    await eventually("all are heard of", () => heard.length >= 3);
    stop.abort();
    await following;
    assertEquals(heard, names);
  }));

Deno.test("rules at the start: the file's news count, but bring nothing older back", () =>
  withBus(async (bus) => {
    const feed = await open(bus);
    const events: OperationalEvent[] = [];
    const start = (limit: number, path: string, leads: boolean) =>
      settleRules(feed, texts(limit), { path, leads }, (event) => events.push(event));
    const sources = () => feed.history.versions.map(({ source }) => source).join(" ");
    await start(100, "r.yaml", true);
    await start(100, "r.yaml", true);
    assertEquals(sources(), "file");
    await feed.write(texts(110), null, ADA);
    // The file is as it was: what came over the API stays.
    await start(100, "r.yaml", true);
    assertEquals(sources(), "file api");
    assertEquals(events.map(({ name }) => name), ["rules.file_not_in_force"]);
    await start(120, "r.yaml", true);
    assertEquals(sources(), "file api file");
    // A file put back to what it was is a change of the file too, where the file leads.
    await start(100, "r.yaml", true);
    assertEquals(sources(), "file api file file");
    // One process of many with an old copy does not lead.
    await start(120, "r.yaml", false);
    assertEquals(sources(), "file api file file");
    await start(130, "r.yaml", false);
    assertEquals(sources(), "file api file file file");
    // Shipped rules of a newer program do not replace what people wrote.
    await feed.write(texts(140), null, ADA);
    await start(150, "", true);
    assertEquals(sources(), "file api file file file api");
  }));

Deno.test("rules file: each change is brought when it is right, and told when it is wrong", () =>
  withBus(async (bus, dir) => {
    const feed = await open(bus);
    const path = `${dir}/rules.yaml`;
    await Deno.writeTextFile(path, texts(100).rules);
    const events: OperationalEvent[] = [];
    await settleRules(feed, texts(100), { path, leads: true }, () => {});
    const stop = new AbortController();
    const watching = watchRules({
      path,
      texts: texts(100),
      events: (event) => events.push(event),
      withLog: async (use) => await use(await open(bus)),
      pause: () => new Promise((resolve) => setTimeout(resolve, 1)),
      hints: null,
      signal: stop.signal,
    });
    const told = () => events.map(({ name }) => name);
    try {
      await Deno.writeTextFile(path, texts(120).rules);
      await eventually("it is brought", () => told().includes("rules.version_written"));
      await Deno.writeTextFile(path, "rules: [");
      await eventually("it is refused", () => told().includes("rules.not_taken"));
      // Editors replace files.
      await Deno.remove(path);
      await Deno.writeTextFile(`${dir}/new`, `# as before\n${texts(120).rules}`);
      await Deno.rename(`${dir}/new`, path);
      await eventually("it means the same", () => told().includes("rules.same_meaning"));
    } finally {
      stop.abort();
      await watching;
    }
    await feed.catchUp();
    assertEquals(feed.history.versions.length, 2);
    assertStringIncludes(events.find(({ level }) => level === "error")?.message ?? "", "is wrong");
  }));

Deno.test("rule feed: a version whose texts mean something else by now is not taken for it", () =>
  withBus(async (bus) => {
    const record = {
      ...{ kind: "version", format: 1, version: "0123456789abcdef", base: "", time: 1 } as const,
      ...{ author: "ada", message: "", source: "api" } as const,
      ...texts(100),
    };
    const records = [{ key: null, value: encodeRuleRecord(record), partition: 0 }];
    await bus.publish([{ topic: TOPIC, records }]);
    const feed = await open(bus);
    assertEquals(feed.version("0123456789abcdef"), null);
    // It stays in force, under the name of what it means now.
    const { version } = feed.current();
    assertEquals(/^[0-9a-f]{16}$/.test(version) && version !== "0123456789abcdef", true);
  }));

Deno.test("rules file: it is brought as soon as the system hints at it, and says how long it warms", () =>
  withBus(async (bus, dir) => {
    const feed = await open(bus);
    const path = `${dir}/rules.yaml`;
    await Deno.writeTextFile(path, texts(100).rules);
    await settleRules(feed, texts(100), { path, leads: true }, () => {});
    const stop = new AbortController();
    const events: OperationalEvent[] = [];
    const hints = fileHints(path);
    assert(hints !== null);
    const aborted = Promise.withResolvers<void>();
    stop.signal.addEventListener("abort", () => aborted.resolve());
    const watching = watchRules({
      ...{ path, texts: texts(100), hints, signal: stop.signal },
      events: (event) => events.push(event),
      withLog: async (use) => await use(await open(bus)),
      // It would never look by itself.
      pause: (ms) => ms < 100 ? Promise.resolve() : aborted.promise,
    });
    const told = () => events.map(({ message }) => message.split("; ").at(-1));
    try {
      await Deno.writeTextFile(path, texts(100, "other").rules);
      await eventually("the message is brought", () => events.length === 1);
      await Deno.writeTextFile(`${dir}/new`, texts(120).rules);
      await Deno.rename(`${dir}/new`, path);
      await eventually("the limit is brought", () => events.length === 2);
    } finally {
      stop.abort();
      await watching;
      await hints.close();
    }
    assertEquals(told(), [
      "it is live with the next record",
      "it takes in the last 10 min of telemetry first, and is live then",
    ]);
  }));

Deno.test("rules file: what the bus did not take is brought again without a further save", () =>
  withBus(async (bus, dir) => {
    const feed = await open(bus);
    const path = `${dir}/rules.yaml`;
    await Deno.writeTextFile(path, texts(100).rules);
    await settleRules(feed, texts(100), { path, leads: true }, () => {});
    const stop = new AbortController();
    const names: string[] = [];
    let refused = 0;
    const watching = watchRules({
      ...{ path, texts: texts(100), hints: null, signal: stop.signal },
      events: ({ name }) => names.push(name),
      withLog: async (use) => {
        if (refused++ < 2) throw new BusError("no room");
        await use(await open(bus));
      },
      pause: () => new Promise((resolve) => setTimeout(resolve, 1)),
    });
    try {
      await Deno.writeTextFile(path, texts(120).rules);
      await eventually("it is brought", () => names.length === 3);
    } finally {
      stop.abort();
      await watching;
    }
    assertEquals(names, ["rules.not_taken", "rules.not_taken", "rules.version_written"]);
  }));

Deno.test("rules file: hints wake who asked last, and one that nobody waited for counts", () =>
  withBus(async (_bus, dir) => {
    const path = `${dir}/rules.yaml`;
    const hints = fileHints(path);
    assert(hints !== null);
    try {
      let woken = "";
      void hints.next().then(() => woken += "first ");
      const second = hints.next().then(() => woken += "second ");
      await Deno.writeTextFile(path, "a");
      await second;
      await Deno.writeTextFile(path, "b");
      await hints.next();
      assertEquals(woken, "second ");
    } finally {
      await hints.close();
    }
  }));

Deno.test("rules file: a change before the watch began is brought too", () =>
  withBus(async (bus, dir) => {
    const feed = await open(bus);
    const path = `${dir}/rules.yaml`;
    await settleRules(feed, texts(100), { path, leads: true }, () => {});
    await Deno.writeTextFile(path, texts(120).rules);
    const stop = new AbortController();
    const watching = watchRules({
      ...{ path, texts: texts(100), events: () => {}, signal: stop.signal },
      withLog: async (use) => await use(await open(bus)),
      pause: () => new Promise((resolve) => setTimeout(resolve, 1)),
      hints: null,
    });
    const follow = new AbortController();
    const following = feed.follow(follow.signal);
    try {
      await eventually("it is brought", () => feed.history.versions.length === 2);
    } finally {
      stop.abort();
      follow.abort();
      await Promise.all([watching, following]);
    }
  }));
