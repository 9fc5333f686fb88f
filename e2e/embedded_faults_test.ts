/** The whole program over one folder: two of it, and a disk without room. */
import { assert, assertEquals } from "@std/assert";
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import { everything } from "../bus/conformance_support.ts";
import type { Bus } from "../bus/port.ts";
import { TOPICS } from "../contract/topics.ts";
import { anomalies, Program, runKilter, until, withFolder } from "./program.ts";

const text = new TextEncoder();

async function withBus(data: string, run: (bus: Bus) => Promise<void>): Promise<void> {
  const bus = await openEmbeddedBus({ dir: data, fsync: "always" }, {
    now: Date.now,
    events: () => {},
  });
  try {
    await run(bus);
  } finally {
    await bus.close();
  }
}

/** Lets so many vehicles speed. */
function speed(bus: Bus, prefix: string, count: number): Promise<void> {
  const now = Date.now();
  const records = [-12, -6, 0].flatMap((seconds) =>
    Array.from({ length: count }, (_, i) => {
      const vehicle = `${prefix}${i}`;
      const sample = { vehicle, ts: now + seconds * 1_000, speed: 150, rpm: 2_000 };
      return { key: text.encode(vehicle), value: text.encode(JSON.stringify(sample)) };
    })
  );
  return bus.publish([{ topic: TOPICS.telemetry, records }]);
}

/** Transitions on the bus, as text, sorted. */
async function transitions(bus: Bus): Promise<string[]> {
  const found: string[] = [];
  for (const partition of (await bus.bounds(TOPICS.anomalies)).keys()) {
    const seen = await everything(bus, TOPICS.anomalies, partition);
    for (const { value } of seen) if (value !== null) found.push(value);
  }
  return found.sort();
}

function listed(program: Program, prefix: string, count: number): Promise<void> {
  return until(`${count} of ${prefix} are listed`, async () => {
    const found = (await anomalies(program)).filter(({ vehicle }) => vehicle.startsWith(prefix));
    return found.length === count;
  }, () => program.report());
}

/** What the analysis wrote is what one run over the log gives. */
async function assertOnce(bus: Bus, data: string): Promise<void> {
  const run = await runKilter(["backtest", "--data", data], [data]);
  assertEquals(run.code, 0, run.stderr);
  const live = await transitions(bus);
  assertEquals(live, run.stdout.split("\n").filter((line) => line !== "").sort());
}

Deno.test("two programs over one folder share its partitions, and one takes over from a dead one", () =>
  withFolder(async (data) => {
    await using first = await Program.serve(["start"], data);
    await using second = await Program.serve(["start"], data);
    await withBus(data, async (bus) => {
      await speed(bus, "both", 30);
      for (const program of [first, second]) await listed(program, "both", 30);
      await first.kill("SIGKILL");
      await speed(bus, "left", 30);
      await listed(second, "left", 30);
      await assertOnce(bus, data);
    });
  }));

Deno.test("a disk without room: the program says so, stays up, and goes on once there is room", () =>
  withFolder(async (data) => {
    // Without the trap the kernel ends the process instead of refusing the write.
    await using program = await Program.serve(["start"], data, "trap '' XFSZ");
    const limit = async (bytes: string) => {
      const args = ["--pid", String(program.pid), `--fsize=${bytes}:`];
      const { success, stderr } = await new Deno.Command("prlimit", { args }).output();
      assert(success, new TextDecoder().decode(stderr));
    };
    await withBus(data, async (bus) => {
      await speed(bus, "before", 10);
      await listed(program, "before", 10);
      await limit("4096");
      await speed(bus, "during", 30);
      await until(
        "it says so",
        () => Promise.resolve(/disk I\/O error|disk is full/.test(program.report())),
        () => program.report(),
      );
      await until(
        "the dashboard says it too",
        () => Promise.resolve(program.report().includes("server.no_room")),
        () => program.report(),
      );
      const health = await fetch(`${program.url}/healthz`);
      await health.body?.cancel();
      assertEquals(health.status, 200);
      await limit("unlimited");
      await listed(program, "during", 30);
      await speed(bus, "after", 10);
      await listed(program, "after", 10);
      await assertOnce(bus, data);
    });
    const said = program.report();
    assert(!said.includes("agent.failed"), said);
    assertEquals(await program.kill("SIGTERM"), 0, said);
  }));
