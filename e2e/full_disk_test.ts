/** The whole program on a disk that fills up: it says so, loses nothing, and goes on with room. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertOnce, listed, speeding, withBus } from "./folder_checks.ts";
import { Program, runKilter, until } from "./program.ts";
import { SmallDisk } from "./small_disk.ts";

const DISK_MEGABYTES = 32;
/** Samples of one request, in vehicles of three each: it fills what is left of the log soon. */
const VEHICLES = 300;
const REQUESTS_MAX = 200;

const outcome = await SmallDisk.mount(DISK_MEGABYTES);
if (outcome.disk !== null) await outcome.disk.unmount();

/** A test on a disk of its own, ignored with the reason where there can be none. */
function diskTest(name: string, test: (disk: SmallDisk, data: string) => Promise<void>): void {
  const why = outcome.disk === null ? ` (skipped: ${outcome.reason})` : "";
  Deno.test({
    name: `full disk: ${name}${why}`,
    ignore: outcome.disk === null,
    fn: async () => {
      const { disk } = await SmallDisk.mount(DISK_MEGABYTES);
      assert(disk !== null);
      try {
        await test(disk, `${disk.dir}/data`);
      } finally {
        await disk.unmount();
      }
    },
  });
}

/** Where the program listens now: a restarted dashboard may have another port. */
function address(program: Program): string {
  const line = program.said.findLast((each) => each.includes("Kilter is at")) ?? "";
  return /Kilter is at (http:\/\/\S+)/.exec(line)?.[1] ?? "";
}

async function send(program: Program, prefix: string, count: number): Promise<[number, string]> {
  const body = speeding(prefix, count).map((sample) => JSON.stringify(sample)).join("\n");
  const headers = { "content-type": "application/x-ndjson" };
  const response = await fetch(`${address(program)}/api/telemetry`, {
    method: "POST",
    headers,
    body,
  });
  return [response.status, await response.text()];
}

/** Sends until there is no room; answers the names of what was accepted on the way. */
async function sendUntilRefused(program: Program): Promise<string[]> {
  const accepted: string[] = [];
  for (let i = 0; i < REQUESTS_MAX; i++) {
    const [status, text] = await send(program, `during${i}-`, VEHICLES);
    if (status !== 202) {
      assertEquals(status, 503, text);
      assertStringIncludes(text, "free space on the disk");
      return accepted;
    }
    accepted.push(`during${i}-`);
  }
  throw new Error(`The disk took ${REQUESTS_MAX} requests after it was full`);
}

async function status(program: Program, path: string): Promise<number> {
  const response = await fetch(`${address(program)}${path}`);
  await response.body?.cancel();
  return response.status;
}

function says(program: Program, word: string, from = 0): Promise<void> {
  return until(
    `it says ${word}`,
    () => Promise.resolve(program.said.slice(from).some((line) => line.includes(word))),
    () => program.report(),
  );
}

/** What was accepted stands in the log, and its anomalies on their topic, once each. */
async function assertNothingLost(data: string, prefixes: readonly string[]): Promise<void> {
  await withBus(data, async (bus) => {
    let text = "";
    for (const [partition, { end }] of (await bus.bounds("vehicle.telemetry")).entries()) {
      for await (const batch of bus.range("vehicle.telemetry", partition, 0, end)) {
        text += new TextDecoder().decode(batch.values);
      }
    }
    for (const prefix of prefixes) assert(text.includes(`"${prefix}0"`), `${prefix} is in the log`);
    await assertOnce(bus, data);
  });
}

diskTest(
  "it stays up, agents can be restarted, and it goes on once there is room",
  async (disk, data) => {
    await using program = await Program.serve(["start"], data);
    assertEquals((await send(program, "before", 10))[0], 202);
    await listed(program, "before", 10);
    await disk.fill();
    const accepted = await sendUntilRefused(program);
    await says(program, "disk is full");
    await says(program, "server.no_room");
    assertEquals(await status(program, "/healthz"), 200);
    for (const agent of ["analysis", "dashboard"]) {
      const before = program.said.length;
      const method = "POST";
      const response = await fetch(`${address(program)}/api/agents/${agent}/restart`, { method });
      await response.body?.cancel();
      if (agent === "dashboard") await says(program, "Kilter is at", before);
    }
    assertEquals(await status(program, "/healthz"), 200);
    assertEquals((await send(program, "refused", VEHICLES))[0], 503);
    await disk.free();
    await until(
      "it takes telemetry again",
      async () => (await send(program, "after", 10))[0] === 202,
      () => program.report(),
    );
    program.url = address(program);
    await listed(program, "after", 10);
    for (const prefix of accepted.slice(-1)) await listed(program, prefix, 200);
    await until("all agents run", async () => await status(program, "/readyz") === 200);
    await assertNothingLost(data, ["before", ...accepted, "after"]);
    const said = program.report();
    assert(!said.includes("agent.failed"), said);
    assertEquals(await program.kill("SIGTERM"), 0, said);
  },
);

diskTest("it stops in order, starts in spite of it, and loses nothing", async (disk, data) => {
  const accepted: string[] = [];
  {
    await using program = await Program.serve(["start"], data);
    assertEquals((await send(program, "before", 10))[0], 202);
    await listed(program, "before", 10);
    await disk.fill();
    accepted.push(...await sendUntilRefused(program));
    assertEquals(await program.kill("SIGTERM"), 0, program.report());
  }
  // Stopping gave some room back: the logs of changes are gone.
  await disk.fill();
  const elsewhere = await runKilter(["start", "--port", "0", "--data", `${disk.dir}/new`], [
    disk.dir,
  ]);
  assertEquals(elsewhere.code, 1, elsewhere.stderr);
  assertStringIncludes(elsewhere.stderr, "disk is full");
  await using program = await Program.serve(["start"], data);
  await says(program, "no_room");
  await disk.free();
  await until(
    "it takes telemetry again",
    async () => (await send(program, "after", 10))[0] === 202,
    () => program.report(),
  );
  await listed(program, "after", 10);
  await assertNothingLost(data, ["before", ...accepted, "after"]);
  const expired = program.said.filter((line) => line.includes("bus.member_expired")).length;
  assert(expired <= 2, program.report());
});
