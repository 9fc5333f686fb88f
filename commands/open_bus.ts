/** Opens the bus that the settings name, with the topics that Kilter needs. */
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import { type KafkaBusOptions, openKafkaBus } from "../bus/kafka_bus.ts";
import { type Bus, BusError, type TopicSpec } from "../bus/port.ts";
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
 * Opens the bus for who runs on it, and sees to it that its topics are as the settings say.
 *
 * @throws {import("../bus/port.ts").BusError} with one clear line
 */
export function openBus(settings: Settings, events: EventSink, now: () => number): Promise<Bus> {
  return openWith(settings, events, now, (bus) => bus.ensureTopics(topicSpecs(settings)));
}

/**
 * Opens the bus for a command that looks at it or adds to it: what is there stays as it is, how long
 * it is kept too, whatever this command's own settings say; topics that are missing are made.
 *
 * @throws {import("../bus/port.ts").BusError} with one clear line
 */
export function visitBus(settings: Settings, events: EventSink, now: () => number): Promise<Bus> {
  return openWith(settings, events, now, async (bus) => {
    const missing: TopicSpec[] = [];
    for (const spec of topicSpecs(settings)) {
      if (!await hasTopic(bus, spec.name)) missing.push(spec);
    }
    if (missing.length > 0) await bus.ensureTopics(missing);
  });
}

/** Opens the bus, and closes it again if its topics cannot be seen to. */
async function openWith(
  settings: Settings,
  events: EventSink,
  now: () => number,
  seeToTopics: (bus: Bus) => Promise<void>,
): Promise<Bus> {
  const bus = await connectBus(settings, events, now);
  try {
    await seeToTopics(bus);
    return bus;
  } catch (error) {
    await bus.close();
    throw error;
  }
}

/** Whether the bus knows the topic. What else keeps it from answering shows when it is used. */
async function hasTopic(bus: Bus, topic: string): Promise<boolean> {
  try {
    return await bus.partitions(topic) > 0;
  } catch (error) {
    if (error instanceof BusError) return false;
    throw error;
  }
}

/** Opens the bus that the settings name; its topics are there already. */
export async function connectBus(
  settings: Settings,
  events: EventSink,
  now: () => number,
): Promise<Bus> {
  const deps = { now, events };
  return settings.bus === "kafka"
    ? await openKafkaBus(kafkaOptions(settings), deps)
    : await openEmbeddedBus({ dir: settings.data, fsync: settings.fsync }, deps);
}

/** How the settings say that Kafka is to be reached. */
function kafkaOptions(settings: Settings): KafkaBusOptions {
  const { brokers, kafkaTls, kafkaCa, kafkaSasl, kafkaUser, kafkaPassword, kafkaSessionMs } =
    settings;
  return {
    brokers,
    clientId: "kilter",
    sessionTimeoutMs: kafkaSessionMs,
    tls: kafkaTls === "off" ? false : kafkaCa === "" ? true : { ca: readCertificate(kafkaCa) },
    ...(kafkaSasl === "none"
      ? {}
      : { login: { mechanism: kafkaSasl, username: kafkaUser, password: kafkaPassword } }),
  };
}

function readCertificate(path: string): string {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BusError(`Cannot read the certificate ${path}: ${reason}`, { cause: error });
  }
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new BusError(
    `Cannot use ${path} as certificate: it is not PEM text (-----BEGIN CERTIFICATE-----)`,
  );
}
