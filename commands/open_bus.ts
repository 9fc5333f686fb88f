/** Opens the bus that the settings name, with the topics that Kilter needs. */
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import { openKafkaBus } from "../bus/kafka_bus.ts";
import type { Bus, TopicSpec } from "../bus/port.ts";
import type { EventSink } from "../contract/events.ts";
import type { TopicNames } from "../contract/topics.ts";
import type { Settings } from "../settings.ts";

/** Topic names by the settings. */
export function topicNames(settings: Settings): TopicNames {
  return {
    telemetry: settings.topicTelemetry,
    anomalies: settings.topicAnomalies,
    deadLetters: settings.topicDeadLetters,
    rules: settings.topicRules,
    checkpoints: settings.topicCheckpoints,
  };
}

/** The topics as they are to be, by the settings. */
export function topicSpecs(settings: Settings): TopicSpec[] {
  const { partitions, retentionMs, retentionBytes } = settings;
  const kept = { partitions, cleanup: "delete", retentionMs, retentionBytes } as const;
  const forEver = { retentionMs: Infinity, retentionBytes: Infinity } as const;
  return [
    { name: settings.topicTelemetry, ...kept },
    { name: settings.topicAnomalies, ...kept },
    { name: settings.topicDeadLetters, ...kept },
    { name: settings.topicRules, partitions: 1, cleanup: "delete", ...forEver },
    { name: settings.topicCheckpoints, partitions, cleanup: "compact", ...forEver },
  ];
}

/**
 * Opens the bus and sees to its topics.
 *
 * @throws {import("../bus/port.ts").BusError} with one clear line
 */
export async function openBus(
  settings: Settings,
  events: EventSink,
  now: () => number,
): Promise<Bus> {
  const deps = { now, events };
  const bus = settings.bus === "kafka"
    ? await openKafkaBus({ brokers: settings.brokers, clientId: "kilter" }, deps)
    : await openEmbeddedBus({ dir: settings.data, fsync: settings.fsync }, deps);
  try {
    await bus.ensureTopics(topicSpecs(settings));
  } catch (error) {
    await bus.close();
    throw error;
  }
  return bus;
}
