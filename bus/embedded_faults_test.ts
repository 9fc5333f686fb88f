/** The embedded bus when the disk, the file or the clock is not as it should be. */
import { DatabaseSync } from "node:sqlite";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { Seeded } from "../testing/seeded.ts";
import { bytes, eventually, everything, Member, records } from "./conformance_support.ts";
import { type EmbeddedBus, type EmbeddedBusOptions, openEmbeddedBus } from "./embedded_bus.ts";
import { BUS_FILE, openDatabase } from "./embedded_schema.ts";
import { Writer } from "./embedded_writer.ts";
import { BusError, OffsetGoneError, type TopicSpec } from "./port.ts";

const WAIT_MS = 20_000;
const FILLER = new URL("../testing/bus_filler.ts", import.meta.url).pathname;

async function withFolder(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "kilter-bus-" });
  try {
    await run(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function open(
  dir: string,
  clock: { ms: number } | null = null,
  options: Partial<EmbeddedBusOptions> = {},
  told: string[] = [],
): Promise<EmbeddedBus> {
  return openEmbeddedBus({ dir, fsync: "interval", retainEveryMs: 0, ...options }, {
    now: () => clock?.ms ?? Date.now(),
    events: ({ name }) => told.push(name),
  });
}

function spec(name: string, rest: Partial<TopicSpec> = {}): TopicSpec {
  const kept = { retentionMs: Infinity, retentionBytes: Infinity };
  return { name, partitions: 1, cleanup: "delete", ...kept, ...rest };
}

const record = (value: string) => ({ key: null, value: bytes(value), partition: 0 });

/** A folder with a bus of some records. */
async function fill(dir: string, count = 40, size = 20_000): Promise<void> {
  const bus = await open(dir);
  await bus.ensureTopics([spec("t")]);
  for (let i = 0; i < count; i++) {
    await bus.publish([{ topic: "t", records: [record(`${i}`.padEnd(size, "."))] }]);
  }
  await bus.close();
}

/** Runs the filler in a shell that has set things up; its files may grow to so many KiB. */
async function fillUnder(
  dir: string,
  limitKib: number,
  run: (filler: { lines: Record<string, unknown>[]; pid: number; go(): Promise<void> }) => Promise<
    void
  >,
): Promise<void> {
  const deno = ["run", "--no-check", "--quiet", "--allow-read", "--allow-write", FILLER];
  // Without the trap the kernel ends the process instead of refusing the write.
  const shell = `trap '' XFSZ; ulimit -S -f ${limitKib}; exec "$0" "$@"`;
  const child = new Deno.Command("bash", {
    args: ["-c", shell, Deno.execPath(), ...deno, dir, "80", "100000"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines: Record<string, unknown>[] = [];
  const input = child.stdin.getWriter();
  const reading = (async () => {
    let rest = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts.map((part) => JSON.parse(part)));
    }
  })();
  try {
    await run({ lines, pid: child.pid, go: () => input.write(bytes("go\n")) });
    await child.status;
  } finally {
    end(child);
    await reading;
    await input.close().catch(() => {});
    await child.status;
  }
}

function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
  }
}

Deno.test("embedded bus: on a disk without room publishing fails clearly, and goes on with room", () =>
  withFolder(async (dir) => {
    await fill(dir, 0);
    await fillUnder(dir, 3_000, async ({ lines, pid, go }) => {
      const failures = () => lines.filter(({ failed }) => failed !== undefined);
      await eventually(WAIT_MS, "it has no room", () => failures().length === 1);
      await go();
      await eventually(WAIT_MS, "it has none still", () => failures().length === 2);
      const published = lines.filter(({ published }) => published !== undefined).length;
      for (const { failed, read } of failures()) {
        assertMatch(String(failed), /^BusError: Cannot publish to t in .*bus\.sqlite: /);
        assertMatch(String(failed), /space/);
        assertEquals(String(failed).split("\n").length, 1);
        assertEquals(read, published);
      }
      const raised = await new Deno.Command("prlimit", {
        args: ["--pid", String(pid), "--fsize=unlimited:"],
      }).output();
      assert(raised.success, new TextDecoder().decode(raised.stderr));
      await go();
      await eventually(WAIT_MS, "all is published", () => lines.at(-1)?.done === true);
    });
    const bus = await open(dir);
    const values = (await everything(bus, "t")).map(({ value }) => parseInt(value ?? ""));
    assertEquals(values, Array.from({ length: 80 }, (_, i) => i));
    await bus.close();
  }));

Deno.test("embedded bus: a full file takes a transaction back whole, and later ones work", () =>
  withFolder(async (dir) => {
    const database = await openDatabase(dir, "FULL");
    database.exec("CREATE TABLE t (x BLOB)");
    const writer = new Writer(database, `${dir}/${BUS_FILE}`, true, () => {});
    const insert = (size: number) => () => {
      database.prepare("INSERT INTO t VALUES (?)").run(new Uint8Array(size));
    };
    const rows = () => Number(database.prepare("SELECT count(*) AS n FROM t").get()?.n);
    database.exec("PRAGMA max_page_count = 40");
    const both = await Promise.allSettled([
      writer.run({ action: "write a" }, insert(100)),
      writer.run({ action: "write b" }, insert(1_000_000)),
    ]);
    for (const [i, result] of both.entries()) {
      assert(result.status === "rejected" && result.reason instanceof BusError);
      assertStringIncludes(result.reason.message, `Cannot write ${"ab"[i]} in `);
      assertStringIncludes(result.reason.message, "free space on the disk");
    }
    assertEquals(rows(), 0);
    await writer.run({ action: "write c" }, insert(100));
    database.exec("PRAGMA max_page_count = 4000");
    await writer.run({ action: "write d" }, insert(1_000_000));
    assertEquals(rows(), 2);
    await writer.close();
    database.close();
  }));

Deno.test("embedded bus: a step that the file refuses ends its lease, and the partition comes again", () =>
  withFolder(async (dir) => {
    const bus = await open(dir);
    await bus.ensureTopics([spec("in"), spec("out"), spec("progress", { cleanup: "compact" })]);
    const member = new Member(bus, { topic: "in", group: "g", progressTopic: "progress" });
    const leased = async () => {
      await eventually(WAIT_MS, "it is leased", () => member.held.size === 1);
      const lease = member.held.get(0);
      assert(lease !== undefined);
      return lease;
    };
    const step = (value: string) => ({
      nextOffset: 0,
      outputs: [{ topic: "out", records: [record(value)] }],
      progress: bytes(value),
    });
    const first = await leased();
    await first.commit(step("before"));
    // A file without room, as the bus sees it: another connection refuses its rows.
    const other = new DatabaseSync(`${dir}/${BUS_FILE}`);
    other.exec(
      "CREATE TRIGGER no_room BEFORE INSERT ON batches BEGIN " +
        "SELECT RAISE(ABORT, 'database or disk is full'); END",
    );
    await assertRejects(() => first.commit(step("refused")), BusError, "free space on the disk");
    assert(first.lost.aborted);
    const second = await leased();
    assert(second !== first);
    assertEquals(new TextDecoder().decode(await second.progress() ?? undefined), "before");
    await assertRejects(() => second.commit(step("again")), BusError);
    other.exec("DROP TRIGGER no_room");
    other.close();
    await (await leased()).commit(step("after"));
    const seen = (await everything(bus, "out")).map(({ value }) => value);
    assertEquals(seen, ["before", "after"]);
    assertEquals(bus.metrics().bus_failed_steps, 2);
    await member.leave();
    await bus.close();
  }));

Deno.test("embedded bus: a folder that may only be read is one clear line", () =>
  withFolder(async (dir) => {
    await fill(dir, 1);
    for await (const { name } of Deno.readDir(dir)) await Deno.chmod(`${dir}/${name}`, 0o444);
    await Deno.chmod(dir, 0o555);
    const script = ["run", "--no-check", "--quiet", "--allow-read", "--allow-write", FILLER, dir];
    // Root may write all the same unless the right to do so is taken from it.
    const root = Deno.uid() === 0 ? ["setpriv", "--bounding-set=-dac_override"] : [];
    const [command, ...args] = [...root, Deno.execPath(), ...script, "1", "1"];
    const { code, stderr } = await new Deno.Command(command, { args, stdin: "null" }).output();
    await Deno.chmod(dir, 0o755);
    assertEquals(code, 1);
    const said = new TextDecoder().decode(stderr);
    assertMatch(said, /BusError: Cannot open .*(readonly|read-only|unable to open).*writ/);
  }));

Deno.test("embedded bus: damage is found when the file is opened, named, and left as it is", () =>
  withFolder(async (dir) => {
    await fill(dir);
    const path = `${dir}/${BUS_FILE}`;
    const sound = await Deno.readFile(path);
    const damages: Readonly<Record<string, (content: Uint8Array<ArrayBuffer>) => Uint8Array>> = {
      "cut in half": (content) => content.slice(0, Math.floor(content.length / 2)),
      "a page of zeros": (content) => content.fill(0, 8_192 * 2, 8_192 * 3),
      "a page of noise": (content) => content.fill(0xa5, 8_192 * 4, 8_192 * 5),
      "no header": (content) => content.fill(0, 0, 100),
    };
    for (const [what, damage] of Object.entries(damages)) {
      const content = damage(sound.slice());
      await Deno.writeFile(path, content);
      const error = await assertRejects(() => open(dir), BusError, undefined, what);
      assertStringIncludes(error.message, path, what);
      assertStringIncludes(error.message, "restore a copy, or choose another data folder", what);
      assertEquals(error.message.split("\n").length, 1, what);
      assertEquals(await Deno.readFile(path), content, `${what}: it was changed`);
    }
    await Deno.writeFile(path, sound);
    const bus = await open(dir);
    assertEquals((await everything(bus, "t")).length, 40);
    await bus.close();
  }));

Deno.test("embedded bus: a log without its file, and another program's file, are not written over", () =>
  withFolder(async (dir) => {
    const path = `${dir}/${BUS_FILE}`;
    await Deno.writeTextFile(`${path}-wal`, "what was committed last");
    await assertRejects(() => open(dir), BusError, "put the file back");
    await Deno.writeTextFile(path, "");
    await assertRejects(() => open(dir), BusError, "put the file back");
    assertEquals(await Deno.readTextFile(`${path}-wal`), "what was committed last");
    await Deno.remove(`${path}-wal`);
    await Deno.remove(path);
    const foreign = new DatabaseSync(path);
    foreign.exec("CREATE TABLE theirs (x)");
    foreign.close();
    await assertRejects(() => open(dir), BusError, "another program's database");
  }));

Deno.test("embedded bus: readers that lag behind retention see a gap, and nothing but what was written", () =>
  withFolder(async (dir) => {
    const seed = Math.floor(Math.random() * 1e9);
    const chance = new Seeded(seed);
    const clock = { ms: 1_800_000_000_000 };
    const bus = await open(dir, clock);
    await bus.ensureTopics([
      spec("t", { retentionMs: 1_000 }),
      spec("progress", { cleanup: "compact" }),
    ]);
    const stop = new AbortController();
    const seen: number[] = [];
    let go = Promise.withResolvers<void>();
    const options = {
      topic: "t",
      from: "earliest",
      bytesInFlight: 500,
      signal: stop.signal,
    } as const;
    const tail = (async () => {
      for await (const batch of bus.tail(options)) {
        for (const { offset, value } of records(batch)) {
          assertEquals(value, `value ${offset}`, `seed ${seed}`);
          seen.push(offset);
        }
        await go.promise;
        go = Promise.withResolvers();
      }
    })();
    let next = 0;
    for (let round = 0; round < 60; round++) {
      const many = Array.from({ length: 1 + chance.below(40) }, () => record(`value ${next++}`));
      await bus.publish([{ topic: "t", records: many }]);
      clock.ms += chance.below(800);
      if (chance.chance(0.5)) { while ((await bus.retain()).more); }
      if (chance.chance(0.6)) go.resolve();
      const [{ start }] = await bus.bounds("t");
      const from = chance.below(next);
      for (const { offset, value } of await everything(bus, "t")) {
        assertEquals(value, `value ${offset}`, `seed ${seed}`);
        assert(offset >= start, `seed ${seed}`);
      }
      if (from < start) {
        const member = new Member(bus, {
          topic: "t",
          group: `g${round}`,
          progressTopic: "progress",
        });
        await eventually(WAIT_MS, "it is leased", () => member.held.size === 1);
        const reading = member.held.get(0)?.read(from)[Symbol.asyncIterator]();
        const error = await assertRejects(async () => await reading?.next(), OffsetGoneError);
        assertEquals(error.start, start, `seed ${seed}`);
        await member.leave();
      }
    }
    await eventually(WAIT_MS, "the tail is at the end", () => {
      go.resolve();
      return seen.at(-1) === next - 1;
    });
    stop.abort();
    go.resolve();
    await tail;
    assertEquals(seen, [...new Set(seen)].sort((a, b) => a - b));
    assert(seen.length < next, `seed ${seed}: it never lagged`);
    assertEquals(seen.length + bus.metrics().bus_gap_offsets, next, `seed ${seed}`);
    await bus.close();
  }));

Deno.test("embedded bus: a clock that is set back stops neither retention nor a group", () =>
  withFolder(async (dir) => {
    const clock = { ms: 1_800_000_000_000 };
    const first = await open(dir, clock, { retainEveryMs: 20, expiryMs: 600 });
    const second = await open(dir, clock, { expiryMs: 600 });
    await first.ensureTopics([
      spec("t", { retentionMs: 10_000, partitions: 2 }),
      spec("progress", { cleanup: "compact", partitions: 2 }),
    ]);
    const options = { topic: "t", group: "g", progressTopic: "progress" };
    const members = [new Member(first, options), new Member(second, options)];
    const shared = () => members.every(({ held }) => held.size === 1);
    await eventually(WAIT_MS, "each has one", shared);
    await first.publish([{ topic: "t", records: [record("old")] }]);
    clock.ms -= 3_600_000;
    await first.publish([{ topic: "t", records: [record("new")] }]);
    const [old, young] = await everything(first, "t");
    assertEquals(young.appendTime, old.appendTime);
    await eventually(WAIT_MS, "each has one again", shared);
    // Time by that clock is enough for the retention of what is stamped later than it.
    for (let passed = 0; passed < 3_600_000 + 10_001; passed += 600_000) clock.ms += 600_000;
    await eventually(
      WAIT_MS,
      "retention goes on",
      async () => (await first.bounds("t"))[0].start === 2,
    );
    clock.ms -= 86_400_000;
    await first.publish([{ topic: "t", records: [record("later")] }]);
    // Retention takes its turns under the clock that was set back, too.
    const database = new DatabaseSync(`${dir}/${BUS_FILE}`);
    const retainedAt = () =>
      Number(database.prepare("SELECT value FROM meta WHERE name = 'retained_at'").get()?.value);
    await eventually(WAIT_MS, "retention takes its turn", () => retainedAt() === clock.ms);
    database.close();
    for (const member of members) await member.leave();
    await first.close();
    await second.close();
  }));
