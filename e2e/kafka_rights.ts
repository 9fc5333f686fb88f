/** A user who begins without rights and is given what the refusals ask for, until all works. */
import { eventually, everything } from "../bus/conformance_support.ts";
import { type Bus, BusError, type Lease, type Outgoing, type TopicSpec } from "../bus/port.ts";
import type { OperationalEvent } from "../contract/events.ts";
import { type Grant, KafkaAdmin } from "./kafka_admin.ts";
import { openBus } from "./kafka_support.ts";
import { PASSWORD, type SecureBroker } from "./secure_broker.ts";

/** Longest wait for anything that must come, milliseconds. */
const WAIT_MS = 10_000;
/** Refusals at most: rights, and times that one is not known to the broker yet. */
const ROUNDS_MAX = 200;

/** The topics that are worked with. */
export interface RightsTopics {
  readonly input: string;
  readonly output: string;
  readonly progress: string;
}

/** What was granted until all worked, as `kafka-acls` takes it, each once. */
export interface Granted {
  readonly granted: readonly string[];
  readonly topics: RightsTopics;
  readonly group: string;
}

/**
 * Sets topics up, publishes, leases, commits and reads as a user; each refusal's command is carried
 * out, and nothing else.
 *
 * @param user one who has no rights yet
 * @param topicsAre where a refusal offers two commands, the first is for topics that exist, the last
 * for those that do not
 */
export async function refusalsUntilItWorks(
  { broker, login, ca }: SecureBroker,
  user: string,
  topicsAre: "existing" | "missing",
): Promise<Granted> {
  const run = crypto.randomUUID().slice(0, 8);
  const topics = { input: `in.${run}`, output: `out.${run}`, progress: `progress.${run}` };
  const group = `group.${run}`;
  const admin = new KafkaAdmin(broker.brokers);
  if (topicsAre === "existing") {
    for (const { name, cleanup } of specs(topics)) {
      await admin.createTopic(name, 1, {
        "cleanup.policy": cleanup,
        "retention.ms": "-1",
        ...STAMPS,
      });
    }
  }
  const granted = new Set<string>();
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const told: OperationalEvent[] = [];
    const named = { mechanism: "scram-sha-256", username: user, password: PASSWORD } as const;
    const bus = await openBus([login], told, WAIT_MS, { tls: { ca }, login: named });
    let refusal: string;
    try {
      await work(bus, told, topics, group);
      return { granted: [...granted], topics, group };
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      refusal = error.message;
    } finally {
      await bus.close();
    }
    const commands = commandsIn(refusal, `User:${user}`, topicsAre === "existing" ? 0 : -1);
    if (commands.length === 0) throw new Error(`A refusal without a command: ${refusal}`);
    for (const { text, grant } of commands) {
      granted.add(text);
      await admin.grant(grant);
    }
  }
  throw new Error(
    `It was refused ${ROUNDS_MAX} times, the rights ${[...granted].join(", ")} given`,
  );
}

const STAMPS = { "message.timestamp.type": "LogAppendTime" };

function specs({ input, output, progress }: RightsTopics): TopicSpec[] {
  const kept = { partitions: 1, retentionMs: Infinity, retentionBytes: Infinity } as const;
  return [
    { ...kept, name: input, cleanup: "delete" },
    { ...kept, name: output, cleanup: "delete" },
    { ...kept, name: progress, cleanup: "compact" },
  ];
}

/** What an analysis agent does on a bus. @throws {BusError} what it is refused, also by an event */
async function work(
  bus: Bus,
  told: readonly OperationalEvent[],
  topics: RightsTopics,
  group: string,
): Promise<void> {
  const { input: topic, output, progress: progressTopic } = topics;
  await bus.ensureTopics(specs(topics));
  const record = { key: null, value: new TextEncoder().encode("{}"), partition: 0 };
  await bus.publish([{ topic, records: [record] }]);
  const stop = new AbortController();
  const denied = () => told.find(({ name }) => name === "bus.acquire_failed");
  let over = false;
  const working = (async () => {
    const { signal } = stop;
    for await (const lease of bus.lease({ topic, group, progressTopic, signal })) {
      await step(lease, { topic: output, records: [record] });
      stop.abort();
    }
  })().finally(() => over = true);
  // It is awaited below; until then a failure is not one that nobody handles.
  working.catch(() => {});
  await eventually(WAIT_MS, "a step, or why there is none", () => over || denied() !== undefined);
  stop.abort();
  await working;
  const refusal = denied();
  if (refusal !== undefined) throw new BusError(refusal.message);
  await everything(bus, output);
}

/** Commits one step over what there is to read. */
async function step(lease: Lease, output: Outgoing): Promise<void> {
  await lease.progress();
  for await (const batch of lease.read(0)) {
    if (batch === null) continue;
    const { nextOffset } = batch;
    await lease.commit({ nextOffset, outputs: [output], progress: new Uint8Array([1]) });
    return;
  }
}

/** The commands of a refusal; where one offers several, the one at `pick`. */
function commandsIn(refusal: string, principal: string, pick: number) {
  return [...refusal.matchAll(/grant it with: (.*?)(?=; User:|$)/g)].map(([, offered]) => {
    const command = offered.split(" or kafka-acls ").at(pick) ?? "";
    const match =
      /--add --allow-principal (\S+) --operation (\w+) (--([\w-]+)( [\w.-]+)?( --resource-pattern-type prefixed)?)$/
        .exec(command);
    if (match === null) throw new Error(`Not a command that can be carried out: ${command}`);
    const [, to, operation, target, resource, name = "", prefixed] = match;
    if (to !== principal) throw new Error(`A command for another than ${principal}: ${command}`);
    const grant: Grant = {
      ...{ principal, operation, resource, name: name.trim() },
      prefixed: prefixed !== undefined,
    };
    return { text: `${operation} ${target}`, grant };
  });
}
