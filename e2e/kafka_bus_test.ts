/** The Kafka bus against a real broker: what every bus promises, and what is Kafka's own. */
import { conformance } from "../bus/conformance.ts";
import { brokerIsRequired, brokerTests, startBroker } from "./broker.ts";
import { KAFKA_CASES } from "./kafka_cases.ts";
import { CHAOS_CASES } from "./kafka_chaos.ts";
import { kafkaUnderTest } from "./kafka_support.ts";

const outcome = await startBroker();

conformance(
  "kafka bus",
  () => {
    if (outcome.kind === "none") throw new Error(`Cannot start Kafka: ${outcome.reason}`);
    return kafkaUnderTest(outcome.broker.brokers);
  },
  outcome.kind === "none" && !brokerIsRequired() ? { unavailable: outcome.reason } : {},
);

brokerTests("kafka bus", outcome, { ...KAFKA_CASES, ...CHAOS_CASES });
