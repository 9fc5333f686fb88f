/** The whole program over one folder: two of it, and a disk without room. */
import { assert, assertEquals } from "@std/assert";
import { assertOnce, listed, speed, withBus } from "./folder_checks.ts";
import { Program, until, withFolder } from "./program.ts";

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
