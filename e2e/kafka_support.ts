/** Buses on a test broker. */
import type { BusUnderTest } from "../bus/conformance.ts";
import { type KafkaBusOptions, openKafkaBus } from "../bus/kafka_bus.ts";
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
  access: Pick<KafkaBusOptions, "tls" | "login"> = {},
): Promise<Bus> {
  const options = { sessionTimeoutMs: SESSION_TIMEOUT_MS, connectTimeoutMs, ...access };
  return openKafkaBus(
    { brokers, clientId: "kilter-test", ...options },
    { now: Date.now, events: (event) => told.push(event) },
  );
}

/**
 * A bus for one conformance case.
 *
 * @param open opens a bus on the cluster; without a password unless told otherwise
 */
export async function kafkaUnderTest(
  brokers: readonly string[],
  open: () => Promise<Bus> = () => openBus(brokers),
): Promise<BusUnderTest> {
  const bus = await open();
  const admin = new KafkaAdmin(brokers);
  return {
    bus,
    another: open,
    forget: (topic, partition, before) => admin.deleteRecords(topic, partition, before),
    close: () => bus.close(),
  };
}
