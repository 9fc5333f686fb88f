/** Buses on a test broker. */
import type { BusUnderTest } from "../bus/conformance.ts";
import { openKafkaBus } from "../bus/kafka_bus.ts";
import type { Bus } from "../bus/port.ts";
import type { OperationalEvent } from "../contract/events.ts";
import { KafkaAdmin } from "./kafka_admin.ts";

/** Session timeout of the tests' group members, milliseconds. */
export const SESSION_TIMEOUT_MS = 2_000;

/** Opens a bus on a broker; its events go to `told`. */
export function openBus(
  brokers: readonly string[],
  told: OperationalEvent[] = [],
  connectTimeoutMs = 5_000,
): Promise<Bus> {
  return openKafkaBus(
    { brokers, clientId: "kilter-test", sessionTimeoutMs: SESSION_TIMEOUT_MS, connectTimeoutMs },
    { now: Date.now, events: (event) => told.push(event) },
  );
}

/** A bus for one conformance case. */
export async function kafkaUnderTest(brokers: readonly string[]): Promise<BusUnderTest> {
  const bus = await openBus(brokers);
  const admin = new KafkaAdmin(brokers);
  return {
    bus,
    another: () => openBus(brokers),
    forget: (topic, partition, before) => admin.deleteRecords(topic, partition, before),
    close: () => bus.close(),
  };
}
