/** A bus to torture: in a folder, or on a broker of its own that can be killed. */
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import type { Bus } from "../bus/port.ts";
import type { TestBroker } from "./broker.ts";
import { openBus } from "./kafka_support.ts";

/** Partitions of telemetry. */
export const PARTITIONS = 4;

/** Where a torture takes place. */
export interface TortureSite extends AsyncDisposable {
  readonly bus: Bus;
  /** Folder of the processes. */
  readonly dir: string;
  /** Flags by which processes find the bus. */
  readonly flags: readonly string[];
  readonly topics: {
    readonly telemetry: string;
    readonly anomalies: string;
    readonly deadLetters: string;
    readonly checkpoints: string;
    readonly rules: string;
  };
  /** Kills the broker and starts it again; null where there is none. */
  readonly killBroker: (() => Promise<void>) | null;
}

/** Makes a site with its topics; without a broker it is the embedded bus. */
export async function tortureSite(broker: TestBroker | null): Promise<TortureSite> {
  const dir = await Deno.makeTempDir({ prefix: "kilter-torture-" });
  const kind = broker === null ? "embedded" : "kafka";
  const bus: Bus = broker === null
    ? await openEmbeddedBus({ dir, fsync: "always" }, { now: Date.now, events: () => {} })
    : await openBus(broker.brokers);
  const flags = ["--bus", kind, "--data", dir, "--partitions", String(PARTITIONS)];
  if (broker !== null) flags.push("--brokers", broker.brokers.join(","));
  const suffix = kind === "kafka" ? `.${crypto.randomUUID().slice(0, 8)}` : "";
  const topics = {
    telemetry: `vehicle.telemetry${suffix}`,
    anomalies: `vehicle.anomalies${suffix}`,
    deadLetters: `vehicle.telemetry.dlq${suffix}`,
    checkpoints: `kilter.checkpoints${suffix}`,
    rules: `kilter.rules${suffix}`,
  };
  flags.push("--topic-telemetry", topics.telemetry, "--topic-anomalies", topics.anomalies);
  flags.push("--topic-checkpoints", topics.checkpoints, "--topic-rules", topics.rules);
  flags.push("--topic-dead-letters", topics.deadLetters);
  const kept = { cleanup: "delete", retentionMs: 86_400_000, retentionBytes: 1e12 } as const;
  const forEver = { retentionMs: Infinity, retentionBytes: Infinity } as const;
  await bus.ensureTopics([
    ...[topics.telemetry, topics.anomalies, topics.deadLetters].map((name) => ({
      name,
      partitions: PARTITIONS,
      ...kept,
    })),
    { name: topics.rules, partitions: 1, cleanup: "delete", ...forEver },
    { name: topics.checkpoints, partitions: PARTITIONS, cleanup: "compact", ...forEver },
  ]);
  const { kill, revive } = broker ?? {};
  return {
    bus,
    dir,
    flags,
    topics,
    killBroker: kill && revive
      ? async () => {
        await kill();
        await revive();
      }
      : null,
    async [Symbol.asyncDispose]() {
      await bus.close();
      await Deno.remove(dir, { recursive: true });
    },
  };
}
