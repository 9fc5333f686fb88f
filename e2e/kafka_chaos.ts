/** Members and brokers that stop, hang and die while records flow: nothing is lost or doubled. */
import { assert, assertEquals } from "@std/assert";
import { eventually, everything, within } from "../bus/conformance_support.ts";
import type { Bus, TopicSpec } from "../bus/port.ts";
import type { TestBroker } from "./broker.ts";
import type { TestCluster } from "./kafka_cluster.ts";
import { openBus } from "./kafka_support.ts";

/** How long the broker is away, milliseconds: `KILTER_BROKER_AWAY_MS`, else only for its restart. */
const AWAY_MS = Number(Deno.env.get("KILTER_BROKER_AWAY_MS") ?? 0);
/** Longest wait for anything that must come, milliseconds. */
const WAIT_MS = 30_000 + AWAY_MS;
const PARTITIONS = 3;

interface Topics {
  readonly input: string;
  readonly output: string;
  readonly progress: string;
}

/** Numbered records into a topic, and what must come out of it. */
class Flow {
  readonly want: string[][] = Array.from({ length: PARTITIONS }, () => []);
  sent = 0;

  constructor(readonly bus: Bus, readonly topics: Topics) {}

  async send(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const records = Array.from({ length: PARTITIONS * 5 }, () => {
        const partition = this.sent % PARTITIONS;
        const value = `v${this.sent++}`;
        this.want[partition].push(value);
        return { key: null, value: new TextEncoder().encode(value), partition };
      });
      await this.bus.publish([{ topic: this.topics.input, records }]);
    }
  }

  async copied(): Promise<(string | null)[][]> {
    const parts = this.want.map((_, partition) =>
      everything(this.bus, this.topics.output, partition)
    );
    return (await Promise.all(parts)).map((part) => part.map(({ value }) => value));
  }

  /** Waits until a number of the records sent have come out. */
  untilCopied(what: string, least: number): Promise<void> {
    return eventually(WAIT_MS, what, async () => (await this.copied()).flat().length >= least);
  }
}

function startMember(
  { brokers }: Pick<TestBroker, "brokers">,
  { input, output, progress }: Topics,
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-check",
      "--no-prompt",
      "--allow-net",
      "--allow-env",
      "--allow-read",
      new URL("./kafka_member.ts", import.meta.url).pathname,
      brokers.join(","),
      input,
      output,
      progress,
    ],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
}

async function makeTopics(bus: Bus): Promise<Topics> {
  const run = crypto.randomUUID().slice(0, 8);
  const topics = {
    input: `chaos.${run}.input`,
    output: `chaos.${run}.output`,
    progress: `chaos.${run}.progress`,
  };
  const spec = (name: string, cleanup: "delete" | "compact"): TopicSpec => ({
    name,
    partitions: PARTITIONS,
    cleanup,
    retentionMs: Infinity,
    retentionBytes: Infinity,
  });
  await bus.ensureTopics([
    spec(topics.input, "delete"),
    spec(topics.output, "delete"),
    spec(topics.progress, "compact"),
  ]);
  return topics;
}

/** The cases by what they promise. */
export const CHAOS_CASES: Readonly<Record<string, (broker: TestBroker) => Promise<void>>> = {
  "nothing is lost or doubled while members hang, wake up and are killed": async (broker) => {
    const bus = await openBus(broker.brokers);
    const children: Deno.ChildProcess[] = [];
    try {
      const topics = await makeTopics(bus);
      const flow = new Flow(bus, topics);
      const a = startMember(broker, topics);
      children.push(a);
      await flow.send(10);
      await flow.untilCopied("the first member copies", flow.sent);
      const b = startMember(broker, topics);
      children.push(b);
      const more = flow.send(20);
      a.kill("SIGSTOP");
      await more;
      await flow.untilCopied("the second has taken over from the hanging one", flow.sent);
      const rest = flow.send(20);
      a.kill("SIGCONT");
      await rest;
      await flow.untilCopied("both go on", flow.sent);
      const last = flow.send(20);
      b.kill("SIGKILL");
      await last;
      await flow.untilCopied("the first goes on alone", flow.sent);
      a.kill("SIGTERM");
      assert((await within(WAIT_MS, "the member to end", a.status)).success);
      assertEquals(await flow.copied(), flow.want);
    } finally {
      for (const child of children) await end(child);
      await bus.close();
    }
  },

  "a broker that dies and comes back interrupts and loses nothing": async (broker) => {
    const { kill, revive } = broker;
    if (kill === null || revive === null) return;
    const bus = await openBus(broker.brokers);
    const children: Deno.ChildProcess[] = [];
    const stop = new AbortController();
    try {
      const topics = await makeTopics(bus);
      const flow = new Flow(bus, topics);
      const member = startMember(broker, topics);
      children.push(member);
      const tailed: string[][] = flow.want.map(() => []);
      const tailing = (async () => {
        const { signal } = stop;
        for await (const batch of bus.tail({ topic: topics.output, from: "earliest", signal })) {
          let start = 0;
          for (const valueEnd of batch.valueEnds) {
            const value = new TextDecoder().decode(batch.values.subarray(start, valueEnd));
            tailed[batch.partition].push(value);
            start = valueEnd;
          }
        }
      })();
      await flow.send(10);
      await flow.untilCopied("records are copied", flow.sent);
      await kill();
      const during = flow.send(10);
      // It is awaited once the broker is back.
      during.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
      await revive();
      await within(WAIT_MS, "publishing to go on", during);
      await flow.untilCopied("copying goes on", flow.sent);
      await flow.send(10);
      await eventually(
        WAIT_MS,
        "reading goes on",
        () => tailed.flat().length >= flow.sent,
      );
      stop.abort();
      await tailing;
      assertEquals(await flow.copied(), flow.want);
      assertEquals(tailed, flow.want);
    } finally {
      stop.abort();
      for (const child of children) await end(child);
      await bus.close();
    }
  },
};

/**
 * Kills each node of a cluster once while records flow, so that whichever was the active controller,
 * the coordinator or a leader, another takes over from it.
 */
export async function loseEachNode(cluster: TestCluster): Promise<void> {
  const bus = await openBus(cluster.brokers);
  const children: Deno.ChildProcess[] = [];
  try {
    const topics = await makeTopics(bus);
    const flow = new Flow(bus, topics);
    for (let i = 0; i < 2; i++) children.push(startMember(cluster, topics));
    await flow.send(10);
    await flow.untilCopied("records are copied", flow.sent);
    for (let node = 0; node < cluster.nodes; node++) {
      await cluster.kill(node);
      await within(WAIT_MS, "publishing beside a dead node", flow.send(10));
      await flow.untilCopied(`copying goes on without node ${node + 1}`, flow.sent);
      await cluster.revive(node);
      await within(WAIT_MS, "publishing beside a node that is back", flow.send(10));
      await flow.untilCopied(`copying goes on with node ${node + 1}`, flow.sent);
    }
    assertEquals(await flow.copied(), flow.want);
  } finally {
    for (const child of children) await end(child);
    await bus.close();
  }
}

async function end(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof TypeError)) throw error;
  }
  await child.status;
}
