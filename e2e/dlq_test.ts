/** `dlq` as its users start it, on both buses. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import type { Bus } from "../bus/port.ts";
import { DEAD_LETTER_HEADERS as HEADER, REPLAY_HEADERS, TOPICS } from "../contract/topics.ts";
import { Seeded } from "../testing/seeded.ts";
import { brokerTests, startBroker, type TestBroker } from "./broker.ts";
import { anomalies, Program, runKilter, spawnKilter, until, withFolder } from "./program.ts";
import { PARTITIONS, tortureSite } from "./torture_bus.ts";

const SHIPPED = new URL("../rules-wasm/signals.yaml", import.meta.url);
const text = new TextEncoder();

Deno.test("dlq: after a mended catalog a replay gives the anomaly that should have been", () =>
  withFolder(async (dir) => {
    const data = `${dir}/data`;
    const mended = `${dir}/signals.yaml`;
    const shipped = await Deno.readTextFile(SHIPPED);
    await Deno.writeTextFile(mended, shipped.replace("vehicle:\n", "vehicle:\n  - carNo\n"));
    await using first = await Program.serve(["start"], data);
    const now = Date.now();
    const samples = [-12, -6, 0].map((s) => ({ carNo: "C7", ts: now + s * 1_000, speed: 150 }));
    const bus = await openEmbeddedBus({ dir: data, fsync: "always" }, {
      now: Date.now,
      events: () => {},
    });
    const values = [...samples.map((sample) => JSON.stringify(sample)), '{"carNo":'];
    await bus.publish([{
      topic: TOPICS.telemetry,
      records: values.map((value) => ({ key: text.encode("C7"), value: text.encode(value) })),
    }]);
    const letters = async () =>
      (await bus.bounds(TOPICS.deadLetters)).reduce((sum, { end }) => sum + end, 0);
    await until("all are refused", async () => await letters() === 4, () => first.report());
    await bus.close();
    await until("they are counted by reason, read and evaluated", async () => {
      const metrics = await (await fetch(`${first.url}/metrics`)).text();
      return metrics.includes('kilter_agent_refused_no_vehicle{agent="analysis"} 3\n') &&
        metrics.includes('kilter_refused_total{reason="malformed-json"} 1\n');
    }, () => first.report());
    assertEquals(await first.kill("SIGTERM"), 0);

    const dlq = (...args: string[]) => runKilter(["dlq", ...args, "--data", data], [data]);
    const listed = await dlq("list");
    assertEquals(listed.code, 0, listed.stderr);
    assertEquals(listed.stdout.match(/no-vehicle {2,}refused {2,}\{"carNo":"C7"/g)?.length, 3);
    assertStringIncludes(listed.stdout, "malformed-json");
    const json = await dlq("list", "--json", "--reason", "malformed-json", "--catalog", mended);
    const { text: shown, state, reason } = JSON.parse(json.stdout);
    assertEquals([shown, state, reason], ['{"carNo":', "refused", "malformed-json"]);
    assertEquals((await dlq("list", "--json", "--only", "X*")).stdout, "");
    const wrong = await dlq("list", "--reason", "malformed");
    assertEquals(wrong.code, 2);
    assertStringIncludes(wrong.stderr, "must be a reason of refusal");
    assertStringIncludes((await dlq("lsit")).stderr, 'did you mean "list"?');
    assertStringIncludes((await dlq("replay")).stderr, "replayed 0 of 4 dead letters");
    const dry = await dlq("replay", "--dry-run", "--catalog", mended);
    assertStringIncludes(dry.stderr, "would replay 3 of 4 dead letters");

    await using again = await Program.serve(["start", "--catalog", mended], data);
    const run = await dlq("replay", "--catalog", mended);
    assertEquals(run.code, 0, run.stderr);
    assertStringIncludes(run.stderr, "replayed 3 of 4 dead letters; were replayed before 0");
    await until(
      "the anomaly is there",
      async () =>
        (await anomalies(again)).some(({ vehicle, rule }) =>
          vehicle === "C7" && rule === "overspeed"
        ),
      () => again.report(),
    );
    const twice = await dlq("replay", "--catalog", mended);
    assertStringIncludes(twice.stderr, "replayed 0 of 4 dead letters; were replayed before 3");
  }));

/** Puts letters there that decode, kills replays in the middle, and looks for each exactly once. */
async function killReplays(broker: TestBroker | null, kills: number, count: number): Promise<void> {
  const seed = Math.floor(Math.random() * 1e9);
  const chance = new Seeded(seed);
  await using site = await tortureSite(broker);
  const { bus, topics, flags, dir } = site;
  const padding = "x".repeat(400);
  const value = text.encode(
    `{"vehicle":"V","ts":${Date.UTC(2026, 0, 1)},"speed":1,"p":"${padding}"}`,
  );
  for (let at = 0; at < count;) {
    const records = Array.from({ length: Math.min(2_000, count - at) }, () => {
      const partition = at++ % PARTITIONS;
      const headers = {
        [HEADER.reason]: at % 2 === 0 ? "no-vehicle" : "no-time",
        [HEADER.partition]: String(partition),
      };
      return { key: text.encode("V"), value, headers, partition };
    });
    await bus.publish([{ topic: topics.deadLetters, records }]);
  }
  const sent = async () => (await letters(bus, topics.telemetry)).length;
  const replay = ["dlq", "replay", ...flags];
  for (let kill = 0; kill < kills; kill++) {
    // By halves, so that marks have gaps to fill.
    const some = kill % 2 === 0 ? ["--reason", "no-time"] : [];
    const before = await sent();
    const child = spawnKilter([...replay, ...some], [dir]);
    await until("some are sent", async () => await sent() > before + chance.below(count / 20));
    child.kill("SIGKILL");
    await child.status;
  }
  // Two at a time: one of them has each partition.
  const both = await Promise.all([runKilter(replay, [dir]), runKilter(replay, [dir])]);
  for (const { code, stderr } of both) assertEquals(code, 0, `seed ${seed}: ${stderr}`);
  const found = await letters(bus, topics.telemetry);
  assertEquals(new Set(found).size, count, `seed ${seed}: lost`);
  assertEquals(found.length, count, `seed ${seed}: doubled`);
  const last = await runKilter([...replay, "--json"], [dir]);
  assertEquals(last.code, 0, last.stderr);
  assertStringIncludes(last.stderr, `were replayed before ${count}`);
  assertEquals(last.stdout.match(/"state":"replayed"/g)?.length, count);
}

/** The letters that telemetry came from. */
async function letters(bus: Bus, topic: string): Promise<string[]> {
  const found: string[] = [];
  for (const [partition, { start, end }] of (await bus.bounds(topic)).entries()) {
    for await (const batch of bus.range(topic, partition, start, end)) {
      for (let i = 0; i < batch.count; i++) {
        const letter = batch.headers(i)[REPLAY_HEADERS.letter];
        assert(letter !== undefined);
        found.push(letter);
      }
    }
  }
  return found;
}

Deno.test("dlq: replays killed in the middle send each letter exactly once", () =>
  killReplays(null, 4, 40_000));

brokerTests("dlq on Kafka", await startBroker(), {
  "replays killed in the middle send each letter exactly once": (broker) =>
    killReplays(broker, 2, 40_000),
});
