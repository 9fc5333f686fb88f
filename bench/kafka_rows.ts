/** Kafka end to end, beside what it takes to read the same records and do nothing with them. */
import { runAnalysis } from "../analysis/agent.ts";
import type { Bus, Lease } from "../bus/port.ts";
import { readTexts } from "../commands/files.ts";
import { RuleFeed } from "../commands/rule_feed.ts";
import { SETTINGS_DEFAULT } from "../commands/settings_values.ts";
import type { TestBroker } from "../e2e/broker.ts";
import { KafkaConsumer } from "../e2e/kafka_consumer.ts";
import { openBus } from "../e2e/kafka_support.ts";
import { type TortureSite, tortureSite } from "../e2e/torture_bus.ts";
import { progressOf } from "../e2e/torture_check.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import { fillLog } from "./bus_fill.ts";
import { type StepTimes, timedBus } from "./timed_bus.ts";

/** One way of working a log off. */
export interface KafkaRow {
  /** Until all was read, or committed. */
  readonly seconds: number;
}

/** What all ways gave over one log. */
export interface KafkaRows {
  readonly samples: number;
  /** The client library's own consumer, batch by batch, that counts records. */
  readonly library: KafkaRow;
  /** The bus's own reading under leases, that counts records. */
  readonly reading: KafkaRow;
  /** The analysis with the shipped rules, each step a transaction. */
  readonly endToEnd: KafkaRow & { readonly times: StepTimes };
  /** The same with a checkpoint a second instead of one in 30. */
  readonly withCheckpoints: KafkaRow & { readonly times: StepTimes };
}

const PARTITIONS = 8;
const CHECKPOINT_MS = 30_000;

/** Writes a log and works it off in each way; nothing else runs in this process meanwhile. */
export async function kafkaRows(
  broker: TestBroker,
  samples: number,
  perRecord: number,
  now: () => number,
): Promise<KafkaRows> {
  await using site = await tortureSite(broker, { partitions: PARTITIONS });
  const { telemetry } = site.topics;
  await fillLog(site.bus, telemetry, samples, perRecord);
  const ends = (await site.bus.bounds(telemetry)).map(({ end }) => end);
  const records = ends.reduce((sum, end) => sum + end, 0);
  const rules = await RuleFeed.open(site.bus, site.topics.rules, Date.now);
  const who = { author: "bench", source: "file", message: "" } as const;
  const { kind } = await rules.write(readTexts(SETTINGS_DEFAULT), null, who);
  if (kind !== "written") throw new Error(`Cannot write the rules: ${kind}`);
  // Each way once before, so that none pays for compiling.
  await consume(broker, telemetry, records, now);
  await read(site, ends, now);
  const library = await consume(broker, telemetry, records, now);
  const reading = await read(site, ends, now);
  const endToEnd = await analyse(broker, site, rules, ends, CHECKPOINT_MS, now);
  const withCheckpoints = await analyse(broker, site, rules, ends, 1_000, now);
  return { samples, library, reading, endToEnd, withCheckpoints };
}

async function consume(
  { brokers }: TestBroker,
  topic: string,
  records: number,
  now: () => number,
): Promise<KafkaRow> {
  const consumer = await KafkaConsumer.join(brokers, topic);
  try {
    const startedAt = now();
    await consumer.count(records);
    return { seconds: (now() - startedAt) / 1_000 };
  } finally {
    await consumer.leave();
  }
}

/** Leases all partitions and reads them to their ends; the time is from the first lease on. */
async function read(
  { bus, topics }: TortureSite,
  ends: readonly number[],
  now: () => number,
): Promise<KafkaRow> {
  const stop = new AbortController();
  const { signal } = stop;
  const options = {
    ...{ topic: topics.telemetry, group: `read.${crypto.randomUUID()}` },
    ...{ progressTopic: topics.checkpoints, signal },
  };
  const readAll = async (lease: Lease) => {
    const end = ends[lease.partition];
    if (end > 0) {
      for await (const batch of lease.read(0)) if (batch !== null && batch.nextOffset >= end) break;
    }
  };
  const reads: Promise<void>[] = [];
  let startedAt = 0;
  for await (const lease of bus.lease(options)) {
    if (startedAt === 0) startedAt = now();
    reads.push(readAll(lease));
    if (reads.length === ends.length) Promise.all(reads).then(() => stop.abort());
  }
  const seconds = (now() - startedAt) / 1_000;
  await Promise.all(reads);
  return { seconds };
}

/** Runs the analysis over the log with topics of its own; the time is from the first lease on. */
async function analyse(
  broker: TestBroker,
  site: TortureSite,
  rules: RuleFeed,
  ends: readonly number[],
  checkpointMs: number,
  now: () => number,
): Promise<KafkaRow & { readonly times: StepTimes }> {
  const suffix = crypto.randomUUID().slice(0, 8);
  const topics = { ...site.topics, checkpoints: `checkpoints.${suffix}` };
  const forEver = { retentionMs: Infinity, retentionBytes: Infinity };
  const own = await openBus(broker.brokers);
  try {
    await own.ensureTopics([
      { name: topics.checkpoints, partitions: PARTITIONS, cleanup: "compact", ...forEver },
    ]);
    let startedAt = 0;
    const { bus, times } = timedBus(own, topics.checkpoints, now);
    const started: Bus = {
      ...bus,
      async *lease(options) {
        for await (const lease of bus.lease(options)) {
          startedAt ||= now();
          yield lease;
        }
      },
    };
    const stop = new AbortController();
    const agent = runAnalysis({
      signal: stop.signal,
      now: Date.now,
      ready: () => {},
      beat: () => {},
      untilResumed: () => Promise.resolve(),
      events: () => {},
    }, { bus: started, topics, rules, createEngine, checkpointMs });
    agent.catch(() => {});
    const at = { ...site, topics };
    const isDone = async () => {
      const progress = await progressOf(at);
      return ends.every((end, partition) => (progress[partition]?.next ?? 0) >= end);
    };
    while (!await isDone()) await new Promise((resolve) => setTimeout(resolve, 20));
    const seconds = (now() - startedAt) / 1_000;
    stop.abort();
    await agent;
    return { seconds, times };
  } finally {
    await own.close();
  }
}
