/** The embedded bus end to end: published durably, evaluated, committed. */
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import type { Bus } from "../bus/port.ts";
import type { WorkerCommand } from "../commands/agent_worker.ts";
import { readTexts } from "../commands/files.ts";
import { RuleFeed } from "../commands/rule_feed.ts";
import { SETTINGS_DEFAULT } from "../commands/settings_values.ts";
import type { AgentMessage } from "../contract/agent.ts";
import { decodeProgress } from "../contract/progress.ts";
import { TOPICS } from "../contract/topics.ts";
import { makeRecords, publishAll } from "./bus_fill.ts";

/** What the end-to-end run gave. */
export interface BusRow {
  readonly samples: number;
  readonly publishSeconds: number;
  /** From the first publish until the last step was committed. */
  readonly totalSeconds: number;
  readonly transitions: number;
}

const SAMPLES_PER_RECORD = 200;
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
    const records = makeRecords(samples, PARTITIONS, SAMPLES_PER_RECORD);
    const start = now();
    await publishAll(bus, TOPICS.telemetry, records);
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
