/** A bus to torture: in a folder, or on a broker of its own that can be killed. */
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import type { Bus } from "../bus/port.ts";
import type { TestBroker } from "./broker.ts";
import { openBus, SESSION_TIMEOUT_MS } from "./kafka_support.ts";

/** Silence after which a member of the embedded bus is taken for dead, milliseconds. */
const EMBEDDED_SESSION_MS = 3_000;
/** The same on a broker that is not ours, which need not allow less. */
const GIVEN_SESSION_MS = 6_000;

/** Partitions of telemetry unless said otherwise. */
export const PARTITIONS = 4;

/** Where a torture takes place. */
export interface TortureSite extends AsyncDisposable {
  readonly bus: Bus;
  /** Partitions of telemetry. */
  readonly partitions: number;
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
  /** Silence after which the partitions of a process go to others, milliseconds. */
  readonly sessionMs: number;
  /** Ends the broker as a power cut does, and starts it again; null where there is none. */
  readonly broker: { kill(): Promise<void>; revive(): Promise<void> } | null;
}

/** How a site is made. */
export interface SiteOptions {
  /** Default `PARTITIONS`. */
  readonly partitions?: number;
  /** On Kafka; default 2,000. */
  readonly sessionMs?: number;
}

/** Makes a site with its topics; without a broker it is the embedded bus. */
export async function tortureSite(
  broker: TestBroker | null,
  options: SiteOptions = {},
): Promise<TortureSite> {
  const { partitions = PARTITIONS } = options;
  const dir = await Deno.makeTempDir({ prefix: "kilter-torture-" });
  const kind = broker === null ? "embedded" : "kafka";
  const bus: Bus = broker === null
    ? await openEmbeddedBus({ dir, fsync: "always" }, { now: Date.now, events: () => {} })
    : await openBus(broker.brokers);
  const sessionMs = broker === null
    ? EMBEDDED_SESSION_MS
    : options.sessionMs ?? (broker.kill === null ? GIVEN_SESSION_MS : SESSION_TIMEOUT_MS);
  const flags = ["--bus", kind, "--data", dir, "--partitions", String(partitions)];
  if (broker !== null) {
    flags.push("--brokers", broker.brokers.join(","), "--kafka-session-timeout", `${sessionMs} ms`);
  }
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
      partitions,
      ...kept,
    })),
    { name: topics.rules, partitions: 1, cleanup: "delete", ...forEver },
    { name: topics.checkpoints, partitions, cleanup: "compact", ...forEver },
  ]);
  const { kill, revive } = broker ?? {};
  return {
    ...{ bus, partitions, dir, flags, topics, sessionMs },
    broker: kill && revive ? { kill, revive } : null,
    async [Symbol.asyncDispose]() {
      await bus.close();
      await Deno.remove(dir, { recursive: true });
    },
  };
}
