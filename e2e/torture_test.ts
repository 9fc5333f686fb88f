/** Short forms of the torture; `deno task torture` does the long ones. */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { brokerTests, startBroker } from "./broker.ts";
import { type TortureSite, tortureSite } from "./torture_bus.ts";
import { type Comparison, differ } from "./torture_check.ts";
import { tortureGroup } from "./torture_group.ts";
import { measureRecovery } from "./torture_recovery.ts";
import { torture } from "./torture_run.ts";

function assertSame(found: Comparison, said: readonly string[]): void {
  const { transitions, lost, doubled, reordered } = found;
  assertEquals(
    { lost, doubled, reordered },
    { lost: 0, doubled: 0, reordered: 0 },
    said.join("\n"),
  );
  assertGreater(transitions, 50);
}

async function holds(site: TortureSite, seed: number, live: boolean): Promise<void> {
  const said: string[] = [`seed ${seed}`];
  const report = await torture(site, {
    ...{ samples: 120_000, kills: 5, seed, live },
    say: (line) => said.push(line),
  });
  assertSame(report, said);
  assertGreater(report.restored, 0, said.join("\n"));
  assertGreater(report.atWork, 2, said.join("\n"));
}

async function groupHolds(site: TortureSite, seed: number): Promise<void> {
  const said: string[] = [`seed ${seed}`];
  const report = await tortureGroup(site, {
    ...{ samples: 120_000, kills: 4, seed, analyses: 3 },
    say: (line) => said.push(line),
  });
  assertSame(report, said);
  const { kills, pauses, additions } = report;
  assertEquals(kills + pauses + additions, 4);
  assert(kills > 0 && pauses > 0 && additions > 0, said.join("\n"));
  assertGreater(report.rebalances, 6);
  assertGreater(report.restored, 0);
}

Deno.test("torture: the comparison finds what is lost, doubled and moved", () => {
  const line = (vehicle: string, n: number) => `{"vehicle":"${vehicle}","n":${n}}`;
  const log = [line("a", 1), line("b", 1), line("a", 2), line("b", 2)];
  const none = { lost: 0, doubled: 0, reordered: 0 };
  assertEquals(differ(log, log), none);
  // Another order of two vehicles among themselves is none of either.
  assertEquals(differ(log, [log[1], log[0], log[3], log[2]]), none);
  assertEquals(differ(log, [log[2], log[0], log[1], log[3]]), { ...none, reordered: 1 });
  assertEquals(differ(log, log.slice(1)), { ...none, lost: 1 });
  assertEquals(differ(log, [...log, log[0]]), { ...none, doubled: 1 });
  assertEquals(differ(log, [line("c", 1), ...log]), { ...none, doubled: 1 });
});

for (const live of [false, true]) {
  const what = live ? "a log that is being written" : "a log that is there";
  Deno.test(`torture, embedded: killed again and again over ${what}, nothing is lost or doubled`, async () => {
    await using site = await tortureSite(null);
    await holds(site, live ? 2 : 1, live);
  });
}

Deno.test("torture, embedded: three processes, one at a time killed, paused or added", async () => {
  await using site = await tortureSite(null, { partitions: 8 });
  await groupHolds(site, 1);
});

Deno.test("torture, embedded: a killed analysis goes on where it stopped, and soon", async () => {
  await using site = await tortureSite(null, { partitions: 8 });
  const rows = await measureRecovery(site, {
    ...{ rounds: 1, seed: 1, vehicles: 2_000, checkpointMs: 2_000, say: () => {} },
  });
  const [{ firstMs, allMs, replayed }] = rows;
  assert(firstMs <= allMs);
  assertGreater(replayed, 0);
  // Three seconds on a machine that does nothing else; `deno task torture --recovery` holds that.
  assertLess(allMs, 15_000);
});

brokerTests("torture, Kafka", await startBroker(), {
  "killed again and again over a log that is there, nothing is lost or doubled": async (broker) => {
    await using site = await tortureSite(broker);
    await holds(site, 4, false);
  },
  "killed again and again over a log that is being written, nothing is lost or doubled": async (
    broker,
  ) => {
    await using site = await tortureSite(broker);
    await holds(site, 3, true);
  },
  "three processes, one at a time killed, paused or added": async (broker) => {
    await using site = await tortureSite(broker, { partitions: 8 });
    await groupHolds(site, 1);
  },
});
