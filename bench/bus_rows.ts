/** The embedded bus end to end: published durably, evaluated, committed. */
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import { murmur2Partition } from "../bus/murmur2.ts";
import type { Bus, OutgoingRecord } from "../bus/port.ts";
import type { WorkerCommand } from "../commands/agent_worker.ts";
import { readTexts } from "../commands/files.ts";
import { RuleFeed } from "../commands/rule_feed.ts";
import { SETTINGS_DEFAULT } from "../commands/settings_values.ts";
import type { AgentMessage } from "../contract/agent.ts";
import { decodeProgress } from "../contract/progress.ts";
import { TOPICS } from "../contract/topics.ts";
import { makeWorkload } from "./workload.ts";

/** What the end-to-end run gave. */
export interface BusRow {
  readonly samples: number;
  readonly publishSeconds: number;
  /** From the first publish until the last step was committed. */
  readonly totalSeconds: number;
  readonly transitions: number;
}

const SAMPLES_PER_RECORD = 200;
const RECORDS_PER_PUBLISH = 40;
const PARTITIONS = 8;

/** Publishes `samples` samples at fsync `always` while the analysis agent works the shipped rules. */
export async function busRow(
  samples: number,
  now: () => number,
): Promise<BusRow> {
  const dir = await Deno.makeTempDir({ prefix: "kilter-bench-" });
  const deps = { now: Date.now, events: () => {} };
  const bus = await openEmbeddedBus({ dir, fsync: "always" }, deps);
  const kept = { cleanup: "delete", retentionMs: Infinity, retentionBytes: Infinity } as const;
  await bus.ensureTopics([
    ...[TOPICS.telemetry, TOPICS.anomalies, TOPICS.deadLetters].map((name) => ({
      name,
      partitions: PARTITIONS,
      ...kept,
    })),
    { name: TOPICS.checkpoints, partitions: PARTITIONS, ...kept, cleanup: "compact" },
    { name: TOPICS.rules, partitions: 1, ...kept },
  ]);
  const log = await RuleFeed.open(bus, TOPICS.rules, deps.now);
  const who = { author: "bench", source: "file", message: "" } as const;
  const { kind } = await log.write(readTexts(SETTINGS_DEFAULT), null, who);
  if (kind !== "written") throw new Error(`Cannot write the rules: ${kind}`);
  const analysis = await startAnalysis(dir);
  try {
    // Made before the clock starts: the producer's own work is not what is measured.
    const records = makeRecords(samples);
    const start = now();
    await publishAll(bus, records);
    const publishSeconds = (now() - start) / 1000;
    const totalSeconds = (await untilConsumed(bus, now) - start) / 1000;
    // Every transition is a record of its own.
    const written = await bus.bounds(TOPICS.anomalies);
    const transitions = written.reduce((sum, { start, end }) => sum + end - start, 0);
    return { samples, publishSeconds, totalSeconds, transitions };
  } finally {
    await analysis.stop();
    await bus.close();
    await Deno.remove(dir, { recursive: true });
  }
}

/** Starts the analysis agent in a Worker of its own, as `dev` and `start` do; resolves once it is up. */
async function startAnalysis(data: string): Promise<{ stop(): Promise<void> }> {
  const module = new URL("../commands/agent_worker.ts", import.meta.url);
  const worker = new Worker(module, { type: "module" });
  const ready = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  worker.addEventListener("message", ({ data: message }: MessageEvent<AgentMessage>) => {
    if (message.kind === "ready") ready.resolve();
    if (message.kind === "stopped") stopped.resolve();
    if (message.kind === "failed") {
      ready.reject(new Error(message.error));
      stopped.reject(new Error(message.error));
    }
  });
  const post = (command: WorkerCommand) => worker.postMessage(command);
  const settings = { ...SETTINGS_DEFAULT, data };
  post({ kind: "start", start: { name: "analysis", settings } });
  await ready.promise;
  return {
    stop: async () => {
      post({ kind: "stop" });
      await stopped.promise;
      worker.terminate();
    },
  };
}

/** Records of NDJSON, each of one partition, in the order of time. */
function makeRecords(samples: number): OutgoingRecord[] {
  const workload = makeWorkload({
    seed: 7,
    samples,
    vehicles: 10_000,
    hostile: false,
    fireRate: 0.001,
    batchRecords: 1_000,
  });
  const text = new TextEncoder();
  const records: OutgoingRecord[] = [];
  const waiting: Uint8Array[][] = Array.from({ length: PARTITIONS }, () => []);
  for (const { count, values, valueEnds } of workload.batches) {
    for (let i = 0; i < count; i++) {
      const line = values.subarray(i === 0 ? 0 : valueEnds[i - 1], valueEnds[i]);
      // `{"vehicle":"` is 12 bytes long, ids are 17.
      const partition = murmur2Partition(line.subarray(12, 29), PARTITIONS);
      waiting[partition].push(line);
      if (waiting[partition].length < SAMPLES_PER_RECORD) continue;
      records.push({ key: null, partition, value: joined(waiting[partition], text) });
      waiting[partition] = [];
    }
  }
  waiting.forEach((lines, partition) => {
    if (lines.length > 0) records.push({ key: null, partition, value: joined(lines, text) });
  });
  return records;
}

function joined(lines: readonly Uint8Array[], text: TextEncoder): Uint8Array {
  const newline = text.encode("\n");
  const bytes = new Uint8Array(lines.reduce((sum, line) => sum + line.length + 1, 0));
  let at = 0;
  for (const line of lines) {
    bytes.set(line, at);
    bytes.set(newline, at + line.length);
    at += line.length + 1;
  }
  return bytes;
}

async function publishAll(bus: Bus, records: readonly OutgoingRecord[]): Promise<void> {
  for (let at = 0; at < records.length; at += RECORDS_PER_PUBLISH) {
    await bus.publish([{
      topic: TOPICS.telemetry,
      records: records.slice(at, at + RECORDS_PER_PUBLISH),
    }]);
  }
}

/** Resolves when every partition's committed progress has reached its end. */
async function untilConsumed(bus: Bus, now: () => number): Promise<number> {
  const ends = await bus.bounds(TOPICS.telemetry);
  while (true) {
    const reached = await Promise.all(ends.map(({ end }, p) => committed(bus, p, end)));
    if (reached.every(Boolean)) return now();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function committed(bus: Bus, partition: number, end: number): Promise<boolean> {
  if (end === 0) return true;
  const { start, end: behind } = (await bus.bounds(TOPICS.checkpoints))[partition];
  let next = 0;
  for await (
    const batch of bus.range(TOPICS.checkpoints, partition, Math.max(start, behind - 1), behind)
  ) {
    const from = batch.count === 1 ? 0 : batch.valueEnds[batch.count - 2];
    next = decodeProgress(batch.values.subarray(from, batch.valueEnds[batch.count - 1])).next;
  }
  return next >= end;
}
