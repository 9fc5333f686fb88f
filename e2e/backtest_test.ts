/** The command `backtest` as its users run it: spread, stopped, and in memory that does not grow. */
import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { writeLongLog } from "../bench/long_log.ts";
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import { TOPICS } from "../contract/topics.ts";
import type { MemoryFigures } from "./backtest_memory_child.ts";
import { runKilter, withFolder } from "./program.ts";

const PARTITIONS = 4;
const ROOT = new URL("../", import.meta.url);

/** A log of vehicles that send every second, kept for ever; none of the other topics is there. */
async function makeLog(dir: string, vehicles: number, seconds: number): Promise<void> {
  const bus = await openEmbeddedBus({ dir, fsync: "interval" }, { now: Date.now, events() {} });
  const spec = { partitions: PARTITIONS, retentionMs: Infinity, retentionBytes: Infinity };
  await bus.ensureTopics([{ ...spec, name: TOPICS.telemetry, cleanup: "delete" }]);
  await bus.close();
  await writeLongLog({ dir, vehicles, seconds, partitions: PARTITIONS, fireRate: 0.05 });
}

/** The first line of the summary. */
function headOf(stderr: string): string {
  return stderr.split("\n").find((line) => / samples, .* transitions, rules /.test(line)) ?? stderr;
}

Deno.test("backtest: over an old log, spread or not, all of it and the same, and the log is left as it is", () =>
  withFolder(async (data) => {
    await makeLog(data, 50, 1_300);
    const flags = ["backtest", "--data", data];
    const one = await runKilter([...flags, "--workers", "1"], [data]);
    assertEquals(one.code, 0, one.stderr);
    assertMatch(headOf(one.stderr), /^65000 samples, 0 refused,/);
    for (const workers of ["0", "3"]) {
      const more = await runKilter([...flags, "--workers", workers], [data]);
      assertEquals(more.stdout, one.stdout, more.stderr);
      assertEquals(headOf(more.stderr), headOf(one.stderr));
    }
    assertGreater(one.stdout.split("\n").length, 20);
    // Others that only look leave it alone as well.
    for (
      const command of [["rules", "versions"], ["dlq", "list"], ["explain", "0123456789abcdef"]]
    ) {
      await runKilter([...command, "--data", data], [data]);
    }
    const bus = await openEmbeddedBus({ dir: data, fsync: "interval" }, {
      now: Date.now,
      events: () => {},
    });
    try {
      await bus.retain();
      const bounds = await bus.bounds(TOPICS.telemetry);
      assertEquals(bounds.map(({ start }) => start), Array(PARTITIONS).fill(0), "all is kept");
    } finally {
      await bus.close();
    }
  }));

Deno.test("backtest: Ctrl-C ends it with the beginning of the whole, and says so", () =>
  withFolder(async (data) => {
    await makeLog(data, 200, 3_000);
    const flags = ["--data", data, "--workers", "2"];
    const whole = await runKilter(["backtest", ...flags], [data]);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "-A", "main.ts", "backtest", ...flags],
      cwd: ROOT,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const text = new TextDecoder();
    let written = "";
    for await (const chunk of child.stdout) {
      // It has begun to write: it is in the middle of it, or near its end on a fast machine.
      if (written === "") child.kill("SIGINT");
      written += text.decode(chunk, { stream: true });
    }
    const { code } = await child.status;
    const said = await new Response(child.stderr).text();
    assert(whole.stdout.startsWith(written), "it is the beginning of the whole");
    if (code === 0) assertEquals(written, whole.stdout, said);
    else {
      assertEquals(code, 130, said);
      assertMatch(said, /stopped early: this is what came before/);
    }
  }));

Deno.test("backtest: without a log there is nothing to tell, and no fault", () =>
  withFolder(async (data) => {
    const run = await runKilter(["backtest", "--data", data], [data]);
    assertEquals([run.code, run.stdout], [0, ""], run.stderr);
    assertMatch(headOf(run.stderr), /^0 samples, .* rules [0-9a-f]{16}$/);
  }));

async function memoryOf(...args: string[]): Promise<MemoryFigures> {
  const child = new URL("./backtest_memory_child.ts", import.meta.url).pathname;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", "--v8-flags=--expose-gc", child, ...args],
    cwd: ROOT,
    stdin: "null",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** What all of a log may take beyond what its first tenth takes: a byte or two for each sample. */
const GROWTH_BYTES_MAX = 1_000_000;

Deno.test("backtest: what is left in memory over a log is what its first tenth left", () =>
  withFolder(async (data) => {
    await makeLog(data, 100, 6_000);
    const { tenth, whole, transitions } = await memoryOf("log", data, "600000");
    assertGreater(transitions, 500);
    assertGreater(tenth, 1_000_000);
    assertLess(whole - tenth, GROWTH_BYTES_MAX, `${tenth} bytes, then ${whole}`);
  }));

Deno.test("backtest: what is left in memory over a recording is what its first tenth left", async () => {
  const { tenth, whole, transitions } = await memoryOf("recording", "600000");
  assertGreater(transitions, 10_000);
  assertGreater(tenth, 1_000_000);
  assertLess(whole - tenth, GROWTH_BYTES_MAX, `${tenth} bytes, then ${whole}`);
});
