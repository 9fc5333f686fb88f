/** The whole program beside a real Kafka broker. */
import { assertEquals } from "@std/assert";
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
});

/** Topics of this run alone: a given broker may hold those of another. */
function unusedTopics(): { readonly flags: readonly string[]; readonly telemetry: string } {
  const suffix = crypto.randomUUID().slice(0, 8);
  const names = ["telemetry", "anomalies", "dead-letters", "rules", "checkpoints"];
  const flags = names.flatMap((name) => [`--topic-${name}`, `test.${suffix}.${name}`]);
  return { flags, telemetry: `test.${suffix}.telemetry` };
}
