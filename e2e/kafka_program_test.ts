/** The whole program beside a real Kafka broker. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Kafka, logLevel } from "kafkajs";
import { brokerTests, startBroker } from "./broker.ts";
import { anomalies, Program, runKilter, until, withFolder } from "./program.ts";

const outcome = await startBroker();

brokerTests("program on Kafka", outcome, {
  "a foreign producer's format raises anomalies, and a back-test of the log gives the same": (
    { brokers },
  ) =>
    withFolder(async (data) => {
      const onKafka = ["--bus", "kafka", "--brokers", brokers.join(",")];
      const topics = unusedTopics();
      await using program = await Program.serve(["start", ...onKafka, ...topics.flags], data);
      const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
      const producer = kafka.producer();
      await producer.connect();
      const now = Date.now();
      const messages = [-14, -7, 0].map((seconds) => ({
        key: "V001",
        value: JSON.stringify({
          vehicle_id: "V001",
          timestamp: new Date(now + seconds * 1000).toISOString().replace("Z", ""),
          speed: 132,
          engine_temp: 112,
          fuel_level: 4,
          vibration: 5.2,
          battery_voltage: 11.2,
          gps: { lat: 28.6, lon: 77.2 },
        }),
      }));
      await producer.send({ topic: topics.telemetry, messages });
      await producer.disconnect();
      const expected = ["low-battery", "overheating", "overspeed", "vibration"];
      await until("its faults stand open", async () => {
        const rules = new Set((await anomalies(program)).map(({ rule }) => rule));
        return expected.every((rule) => rules.has(rule));
      }, () => program.report());
      // The page's own reading of telemetry is not the analysis's: either may be ahead.
      await until("its position is known", async () => {
        const listed = JSON.stringify(await program.json("/api/vehicles"));
        return listed.includes('"V001"') && listed.includes('"lat":28.6');
      }, () => program.report());
      const live = (await anomalies(program)).map(({ id }) => id).sort();
      const run = await runKilter(["backtest", ...onKafka, ...topics.flags, "--data", data], [
        data,
      ]);
      assertEquals(run.code, 0, run.stderr);
      const replayed = run.stdout.split("\n").flatMap((line) =>
        /"id":"([0-9a-f]{16})","kind":"opened"/.exec(line)?.[1] ?? []
      );
      assertEquals(replayed.sort(), live);
    }),
  "explain says of a log on Kafka what it says of the same on the embedded bus": ({ brokers }) =>
    withFolder((data) =>
      withFolder(async (other) => {
        const onKafka = ["--bus", "kafka", "--brokers", brokers.join(","), ...unusedTopics().flags];
        const [said, proof] = await explained(onKafka, data);
        assertStringIncludes(said, "the log gives the same opening");
        assertStringIncludes(said, "speed > 100 km/h: with a limit of 103 km/h");
        assertEquals([said, proof], await explained([], other));
      })
    ),
});

const EXPLAINED = `version: 1
rules:
  - id: fast
    when: speed > 100 km/h and rpm > 900 rpm
    for: 3 s
    clear: speed < 95 km/h
`;
/** Speeds of a drive, one a second, all in one request. */
const DRIVE = [90, 101, 104.5, 103, 112, 108, 107, 96, 90].map((speed, i) =>
  JSON.stringify({ vehicle: "VAN-1", ts: Date.UTC(2026, 2, 1, 12, 0, i), speed, rpm: 2000 + i })
).join("\n");

/** What `explain` says of the one anomaly of a drive, on the command line and over HTTP. */
async function explained(flags: readonly string[], data: string): Promise<readonly string[]> {
  const rules = `${data}/rules.yaml`;
  await Deno.writeTextFile(rules, EXPLAINED);
  await using program = await Program.serve(["start", "--rules", rules, ...flags], data);
  const response = await fetch(`${program.url}/api/telemetry`, { method: "POST", body: DRIVE });
  await response.body?.cancel();
  await until("it fires and clears", async () => {
    const found = await anomalies(program);
    return found.length === 1 && found[0].state === "cleared";
  }, () => program.report());
  const [{ id }] = await anomalies(program);
  const run = await runKilter(["explain", id, ...flags, "--data", data], [data]);
  assertEquals(run.code, 0, run.stderr);
  const answer = await program.json(`/api/anomalies/${id}`);
  assert(typeof answer === "object" && answer !== null && "proof" in answer);
  assert(typeof answer.proof === "object" && answer.proof !== null);
  // What arrived when, and what ticks made of the log since, are of the run.
  const said = run.stdout.replace(/^ {2}log .*$/m, "  log");
  const proof = JSON.stringify({ ...answer.proof, log: null }).replaceAll(/"append":\d+/g, "");
  return [said, proof];
}

/** Topics of this run alone: a given broker may hold those of another. */
function unusedTopics(): { readonly flags: readonly string[]; readonly telemetry: string } {
  const suffix = crypto.randomUUID().slice(0, 8);
  const names = ["telemetry", "anomalies", "dead-letters", "rules", "checkpoints"];
  const flags = names.flatMap((name) => [`--topic-${name}`, `test.${suffix}.${name}`]);
  return { flags, telemetry: `test.${suffix}.telemetry` };
}
