/** The Kafka bus against the last Kafka of the line before: what every bus promises. */
import { conformance } from "../bus/conformance.ts";
import { brokerIsRequired, startBroker } from "./broker.ts";
import { kafkaUnderTest } from "./kafka_support.ts";

const outcome = await startBroker("3.9.1");

conformance(
  "kafka bus on 3.9",
  () => {
    if (outcome.kind === "none") throw new Error(`Cannot start Kafka: ${outcome.reason}`);
    return kafkaUnderTest(outcome.broker.brokers);
  },
  outcome.kind === "none" && !brokerIsRequired() ? { unavailable: outcome.reason } : {},
);

if (outcome.kind === "broker") Deno.test.afterAll(() => outcome.broker.stop());
