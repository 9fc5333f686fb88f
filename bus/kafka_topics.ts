/** Topics: those that do not exist are created, those that do are held against what is needed. */
import type { EventSink } from "../contract/events.ts";
import type { ClientAdmin, TopicSettings } from "./kafka_client.ts";
import { describeFault, topicFaults } from "./kafka_errors.ts";
import { denialText, describeOrCreate, type KafkaSite, type Right } from "./kafka_rights.ts";
import { BusError, type TopicSpec } from "./port.ts";

/** Kafka's default limit of one record batch: a record of `RECORD_BYTES_MAX` fits, framed. */
const MESSAGE_BYTES_MAX = 1_048_588;
/** On CreateTime topics: how far a producer's stamp may lie ahead, milliseconds. */
const STAMP_AHEAD_MS_MAX = 3_600_000;
/** Segments of compacted topics are rolled at this size, so that they are cleaned soon. */
const COMPACTED_SEGMENT_BYTES = 16 << 20;
/** Answers about a topic that was made a moment ago and is not known everywhere yet. */
const NOT_YET_KNOWN: readonly (string | undefined)[] = [
  "UNKNOWN_TOPIC_OR_PARTITION",
  "LEADER_NOT_AVAILABLE",
];
/** Tries until a new topic is known everywhere, and the time between them. */
const TRIES_MAX = 50;
const TRY_MS = 100;

/** A topic as the cluster keeps it. */
export interface TopicShape {
  readonly partitions: number;
  /** Copies of a partition, of that with the fewest. */
  readonly replicas: number;
}

/** Kafka's error for a right to a topic that is missing. */
const DENIED = "TOPIC_AUTHORIZATION_FAILED";

/**
 * Creates the missing topics and checks the rest.
 *
 * @throws {BusError} naming each difference that would lose data or break order, or each right that
 * is missing
 */
export async function ensureTopics(
  admin: ClientAdmin,
  specs: readonly TopicSpec[],
  shapeOf: (topic: string) => Promise<TopicShape>,
  site: KafkaSite,
  events: EventSink,
): Promise<void> {
  // Kafka lists only those that this user may see.
  const existing = new Set(await admin.listTopics());
  const missing = specs.filter(({ name }) => !existing.has(name));
  if (missing.length > 0) refuseDenied(site, await create(admin, missing));
  // Another process may have created some of the missing ones in its own way: check them all.
  const denied: Right[] = [];
  const faults: string[] = [];
  for (const spec of specs) {
    const { name } = spec;
    const settings = await unlessDenied(() => admin.settings([name]));
    if (settings === null) {
      denied.push({ operation: "DescribeConfigs", resource: "topic", name });
    }
    const shape = await unlessDenied(() => shapeOf(name));
    if (shape === null) denied.push({ operation: "Describe", resource: "topic", name });
    if (settings === null || shape === null) continue;
    const found = settings.get(name) ?? new Map<string, string>();
    const { errors, warnings } = compareTopic(spec, shape, found);
    faults.push(...errors);
    for (const message of warnings) {
      events({ level: "warn", name: "bus.topic_differs", message });
    }
  }
  refuseDenied(site, denied);
  if (faults.length > 0) {
    throw new BusError(`Cannot use the topics on Kafka as they are: ${faults.join("; ")}`);
  }
}

/** Creates topics. @returns the rights that are missing for some of them */
async function create(admin: ClientAdmin, missing: readonly TopicSpec[]): Promise<Right[]> {
  try {
    await admin.createTopics(missing.map((spec) => ({
      topic: spec.name,
      numPartitions: spec.partitions,
      configEntries: newSettings(spec),
    })));
    return [];
  } catch (error) {
    const faults = topicFaults(error).filter(({ type }) => type !== "TOPIC_ALREADY_EXISTS");
    if (faults.length === 0 || faults.some(({ type }) => type !== DENIED)) throw error;
    return faults.map(({ topic }) => describeOrCreate(topic));
  }
}

/** @throws {BusError} if there are any */
function refuseDenied(site: KafkaSite, denied: readonly Right[]): void {
  if (denied.length === 0) return;
  const texts = denied.map((right) => denialText(site, DENIED, [right]));
  throw new BusError(`Cannot set up the topics on Kafka: ${texts.join("; ")}`);
}

/** Asks about a topic; null if the right to is missing. */
async function unlessDenied<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await onceKnown(ask);
  } catch (error) {
    if (describeFault(error).type === DENIED) return null;
    throw error;
  }
}

/** Asks about topics until all brokers have heard of the new ones. */
async function onceKnown<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (tries === TRIES_MAX || !NOT_YET_KNOWN.includes(describeFault(error).type)) throw error;
      await new Promise((resolve) => setTimeout(resolve, TRY_MS));
    }
  }
}

/** Differences between a topic and what is needed of it. */
export interface TopicDifferences {
  /** Those that would lose data or break order. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** Compares a topic with its specification. */
export function compareTopic(
  spec: TopicSpec,
  { partitions, replicas }: TopicShape,
  settings: TopicSettings,
): TopicDifferences {
  const errors: string[] = [];
  const warnings: string[] = [];
  const { name } = spec;
  if (partitions < spec.partitions) {
    warnings.push(`Topic ${name} has ${partitions} partitions, not ${spec.partitions}`);
  }
  const cleanup = settings.get("cleanup.policy") ?? spec.cleanup;
  if (cleanup !== spec.cleanup) {
    errors.push(
      `${name} has cleanup.policy=${cleanup}, which loses records; set it to ${spec.cleanup}`,
    );
  }
  const stamps = settings.get("message.timestamp.type");
  if (stamps === "CreateTime" && spec.cleanup === "delete") {
    const ahead = Number(settings.get("message.timestamp.after.max.ms") ?? Infinity);
    if (ahead > STAMP_AHEAD_MS_MAX) {
      errors.push(
        `${name} takes its times from producers without a bound; set ` +
          `message.timestamp.after.max.ms=${STAMP_AHEAD_MS_MAX} ` +
          `or message.timestamp.type=LogAppendTime`,
      );
    }
    warnings.push(
      `Topic ${name} has message.timestamp.type=CreateTime: the running maximum of its ` +
        "producers' times serves as append time; set it to LogAppendTime",
    );
  }
  if (spec.cleanup === "delete") compareRetention(spec, settings, errors, warnings);
  compareReplicas(name, replicas, settings, errors, warnings);
  const bytesMax = Number(settings.get("max.message.bytes") ?? MESSAGE_BYTES_MAX);
  if (bytesMax < MESSAGE_BYTES_MAX) {
    warnings.push(
      `Topic ${name} has max.message.bytes=${bytesMax}: larger records are refused; ` +
        `set it to ${MESSAGE_BYTES_MAX}`,
    );
  }
  return { errors, warnings };
}

/** What was acknowledged must outlive a broker, where there are several. */
function compareReplicas(
  name: string,
  replicas: number,
  settings: TopicSettings,
  errors: string[],
  warnings: string[],
): void {
  const inSync = Number(settings.get("min.insync.replicas") ?? 1);
  if (inSync > replicas) {
    errors.push(
      `${name} has min.insync.replicas=${inSync} and ${replicas} replicas, so that nothing can be ` +
        "written to it; lower the first or raise the second",
    );
  } else if (replicas > 1 && inSync < 2) {
    warnings.push(
      `Topic ${name} has ${replicas} replicas and min.insync.replicas=${inSync}: what one broker ` +
        "alone has acknowledged is lost with it; set it to 2",
    );
  }
  if (settings.get("unclean.leader.election.enable") === "true") {
    warnings.push(
      `Topic ${name} has unclean.leader.election.enable=true: a replica that lags behind may take ` +
        "over and lose records; set it to false",
    );
  }
}

function compareRetention(
  spec: TopicSpec,
  settings: TopicSettings,
  errors: string[],
  warnings: string[],
): void {
  const wanted: [string, number][] = [
    ["retention.ms", spec.retentionMs],
    ["retention.bytes", spec.retentionBytes],
  ];
  for (const [key, limit] of wanted) {
    const value = Number(settings.get(key) ?? -1);
    const found = value < 0 ? Infinity : value;
    if (found >= limit) continue;
    const text = `${spec.name} has ${key}=${value}, less than the ${kafkaLimit(limit)} asked for`;
    if (limit === Infinity) errors.push(`${text}: records that are kept for ever would go`);
    else warnings.push(`Topic ${text}: records go sooner`);
  }
}

function newSettings(spec: TopicSpec): [string, string][] {
  const settings: [string, string][] = [
    ["message.timestamp.type", "LogAppendTime"],
    ["cleanup.policy", spec.cleanup],
    ["max.message.bytes", String(MESSAGE_BYTES_MAX)],
  ];
  if (spec.cleanup === "delete") {
    settings.push(
      ["retention.ms", kafkaLimit(spec.retentionMs)],
      ["retention.bytes", kafkaLimit(spec.retentionBytes)],
    );
  } else {
    settings.push(
      ["segment.bytes", String(COMPACTED_SEGMENT_BYTES)],
      ["min.cleanable.dirty.ratio", "0.1"],
    );
  }
  return settings;
}

/** Kafka writes "no limit" as -1. */
function kafkaLimit(limit: number): string {
  return limit === Infinity ? "-1" : String(Math.floor(limit));
}
