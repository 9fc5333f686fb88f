/** The embedded bus between processes: kill -9, frozen members, one group over one folder. */
import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { bytes, eventually, everything, Member, text } from "./conformance_support.ts";
import { type EmbeddedBus, openEmbeddedBus } from "./embedded_bus.ts";
import { BUS_FILE } from "./embedded_schema.ts";
import { BusError } from "./port.ts";

const WAIT_MS = 20_000;
const COPIER = new URL("../testing/bus_copier.ts", import.meta.url).pathname;
const PARTITIONS = 2;

/** A copying process and what it has said. */
class Copier {
  readonly lines: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;

  /**
   * @param bytes of one step
   * @param until file for which it waits after some steps, with its thread blocked
   * @param expiryMs silence after which it is taken for dead
   */
  constructor(dir: string, bytes: number, until = "", expiryMs = 600) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-check",
        "--quiet",
        "--allow-read",
        "--allow-write",
        COPIER,
        dir,
        "input",
        "output",
        "progress",
        String(bytes),
        String(expiryMs),
        until,
      ],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#reading = this.#read();
  }

  /** Steps said to be committed. */
  get steps(): number {
    return this.lines.filter((line) => line.startsWith("step")).length;
  }

  /** Next offset of the newest step of a partition that it said was committed. */
  committed(partition: number): number {
    const steps = this.lines.filter((line) => line.startsWith(`step ${partition} `));
    return Number(steps.at(-1)?.split(" ")[2] ?? 0);
  }

  /** Whether it has said such a line. */
  said(word: string): boolean {
    return this.lines.some((line) => line.startsWith(word));
  }

  /** Kills it as the kernel would. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#reading;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const chunk of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
    }
  }
}

/** A folder with topics and `count` records of input over both partitions. */
async function withInput(
  count: number,
  run: (bus: EmbeddedBus, dir: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "kilter-bus-" });
  const bus = await openEmbeddedBus({ dir, fsync: "always", expiryMs: 600, retainEveryMs: 0 }, {
    now: () => Date.now(),
    events: () => {},
  });
  try {
    const spec = { partitions: PARTITIONS, retentionMs: Infinity, retentionBytes: Infinity };
    await bus.ensureTopics([
      { name: "input", cleanup: "delete", ...spec },
      { name: "output", cleanup: "delete", ...spec },
      { name: "progress", cleanup: "compact", ...spec },
    ]);
    const records = Array.from({ length: count }, (_, i) => ({
      key: null,
      value: bytes(`value ${i}`),
      partition: i % PARTITIONS,
    }));
    await bus.publish([{ topic: "input", records }]);
    await run(bus, dir);
  } finally {
    await bus.close();
    await Deno.remove(dir, { recursive: true });
  }
}

async function copied(bus: EmbeddedBus): Promise<number> {
  return (await bus.bounds("output")).reduce((sum, { end }) => sum + end, 0);
}

async function assertCopiedOnce(bus: EmbeddedBus): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const values = async (topic: string) =>
      (await everything(bus, topic, partition)).map(({ value }) => value);
    assertEquals(await values("output"), await values("input"));
  }
}

Deno.test("embedded bus: a committed step survives kill -9, and none is repeated", async () => {
  const count = 60_000;
  await withInput(count, async (bus, dir) => {
    for (let kills = 0; kills < 3; kills++) {
      const before = await copied(bus);
      const copier = new Copier(dir, 200);
      try {
        await eventually(WAIT_MS, "some steps were made", () => copier.steps >= 20);
      } finally {
        await copier.kill();
      }
      assert(await copied(bus) > before);
      const bounds = await bus.bounds("output");
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const said = copier.committed(partition);
        assert(bounds[partition].end >= said, `${said} said, ${bounds[partition].end} there`);
        // Output and progress of a step came together: as many records as the progress says.
        const progress = (await everything(bus, "progress", partition)).at(-1)?.value;
        assertEquals(Number(progress ?? 0), bounds[partition].end);
      }
    }
    const last = new Copier(dir, 100_000);
    try {
      await eventually(WAIT_MS, "all is copied", async () => await copied(bus) >= count);
    } finally {
      await last.kill();
    }
    await assertCopiedOnce(bus);
  });
});

Deno.test("embedded bus: two processes share a group, and one takes over from a dead one", async () => {
  const count = 400;
  await withInput(count, async (bus, dir) => {
    const copier = new Copier(dir, 200);
    const member = new Member(bus, {
      topic: "input",
      group: "copiers",
      progressTopic: "progress",
    });
    try {
      await eventually(
        WAIT_MS,
        "each holds one",
        () => member.held.size === 1 && copier.said("lease"),
      );
      const [mine] = member.held.keys();
      const theirs = 1 - mine;
      await eventually(
        WAIT_MS,
        "the other has copied its own",
        () => copier.committed(theirs) === count / PARTITIONS,
      );
    } finally {
      await copier.kill();
    }
    await eventually(WAIT_MS, "this one takes over", () => member.held.size === 2);
    for (const lease of member.held.values()) {
      const progress = Number(text(await lease.progress()) ?? "0");
      const { end } = (await bus.bounds("output"))[lease.partition];
      assertEquals(progress, end);
    }
    await member.leave();
  });
});

Deno.test("embedded bus: a member that hung and wakes is refused its step", async () => {
  const count = 4_000;
  await withInput(count, async (bus, dir) => {
    const go = `${dir}/go`;
    const hung = new Copier(dir, 200, go);
    let other: Copier | undefined;
    try {
      // The other starts only now: before, it could have copied everything without the first.
      await eventually(WAIT_MS, "it hangs", () => hung.said("hangs"));
      other = new Copier(dir, 2_000);
      await eventually(WAIT_MS, "all is copied", async () => await copied(bus) >= count);
      await Deno.writeTextFile(go, "");
      await eventually(WAIT_MS, "it is refused", () => hung.said("fenced"));
      // It joins anew with its next beat.
      await eventually(WAIT_MS, "it is leased to again", () => {
        const fenced = hung.lines.findIndex((line) => line.startsWith("fenced"));
        return hung.lines.slice(fenced).some((line) => line.startsWith("lease"));
      });
    } finally {
      await hung.kill();
      await other?.kill();
    }
    await assertCopiedOnce(bus);
  });
});

Deno.test("embedded bus: a member that was killed is followed at once, however long silence may last", async () => {
  await withInput(400, async (_, dir) => {
    const told: string[] = [];
    const other = await openEmbeddedBus({ dir, fsync: "always", expiryMs: 3_600_000 }, {
      now: () => Date.now(),
      events: ({ name, message }) => told.push(`${name} ${message}`),
    });
    const join = () =>
      new Member(other, { topic: "input", group: "copiers", progressTopic: "progress" });
    const first = new Copier(dir, 200, undefined, 3_600_000);
    // By one that is there already, and by one that comes later.
    const member = join();
    try {
      await eventually(
        WAIT_MS,
        "each holds one",
        () => member.held.size === 1 && first.said("lease"),
      );
    } finally {
      await first.kill();
    }
    await eventually(WAIT_MS, "the other takes over", () => member.held.size === 2);
    await member.leave();
    const second = new Copier(dir, 200, undefined, 3_600_000);
    try {
      await eventually(
        WAIT_MS,
        "it holds both",
        () => second.said("lease 0") && second.said("lease 1"),
      );
    } finally {
      await second.kill();
    }
    const later = join();
    await eventually(WAIT_MS, "a later one takes over", () => later.held.size === 2);
    const expired = told.filter((line) => line.startsWith("bus.member_expired"));
    assertEquals(expired.map((line) => /has ended/.test(line)), [true, true]);
    assert(told.some((line) => line.endsWith("copiers holds partitions 0, 1 of input here")));
    await later.leave();
    assertEquals([...Deno.readDirSync(`${dir}/members`)], []);
    await other.close();
  });
});

Deno.test("embedded bus: members outlast a process that was stopped within a transaction", async () => {
  await withInput(2, async (bus, dir) => {
    const lockWaitMs = 100;
    const patient = await openEmbeddedBus({ dir, fsync: "always", expiryMs: 600, lockWaitMs }, {
      now: () => Date.now(),
      events: () => {},
    });
    const member = new Member(patient, {
      topic: "input",
      group: "copiers",
      progressTopic: "progress",
    });
    await eventually(WAIT_MS, "it holds both", () => member.held.size === 2);
    const stopped = new DatabaseSync(`${dir}/${BUS_FILE}`);
    stopped.exec("BEGIN IMMEDIATE");
    const lease = member.held.get(0);
    assert(lease !== undefined);
    const step = { nextOffset: 1, outputs: [], progress: bytes("1") };
    await assertRejects(() => lease.commit(step), BusError, "database is locked");
    // Beats fail too: they are tried again and again.
    const failed = () => patient.metrics().bus_lock_waits > 100;
    await eventually(WAIT_MS, "some beats have failed", failed);
    stopped.exec("ROLLBACK");
    stopped.close();
    await eventually(WAIT_MS, "it is leased anew", () => {
      const anew = member.held.get(0);
      return anew !== undefined && anew !== lease && !anew.lost.aborted;
    });
    await member.held.get(0)?.commit(step);
    assertEquals((await everything(bus, "progress", 0)).map(({ value }) => value), ["1"]);
    await member.leave();
    await patient.close();
  });
});
