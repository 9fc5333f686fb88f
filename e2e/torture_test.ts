/** Short forms of the torture; `deno task torture` does the long ones. */
import { assertEquals, assertGreater } from "@std/assert";
import { brokerTests, startBroker } from "./broker.ts";
import { type TortureSite, tortureSite } from "./torture_bus.ts";
import { torture } from "./torture_run.ts";

async function holds(site: TortureSite, seed: number, live: boolean): Promise<void> {
  const said: string[] = [];
  const report = await torture(site, {
    ...{ samples: 120_000, kills: 4, seed, live },
    say: (line) => said.push(line),
  });
  const { lost, doubled, reordered } = report;
  assertEquals(
    { lost, doubled, reordered },
    { lost: 0, doubled: 0, reordered: 0 },
    said.join("\n"),
  );
  assertGreater(report.transitions, 50);
  assertGreater(report.restored, 0);
}

for (const live of [false, true]) {
  const what = live ? "a log that is being written" : "a log that is there";
  Deno.test(`torture, embedded: killed again and again over ${what}, nothing is lost or doubled`, async () => {
    await using site = await tortureSite(null);
    await holds(site, live ? 2 : 1, live);
  });
}

brokerTests("torture, Kafka", await startBroker(), {
  "killed again and again, nothing is lost or doubled": async (broker) => {
    await using site = await tortureSite(broker);
    await holds(site, 3, true);
  },
});
