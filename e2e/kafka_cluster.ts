/** Three Kafka nodes, each broker and controller, so that leaders and controllers can change. */
import {
  type BrokerChild,
  clusterId,
  fetchJars,
  freePort,
  run,
  spawnBroker,
} from "./broker_process.ts";

/** A cluster whose nodes can be killed one by one. */
export interface TestCluster {
  readonly brokers: readonly string[];
  readonly nodes: number;
  /** Ends a node as a power cut does. */
  kill(node: number): Promise<void>;
  /** Starts it again on the same data and ports. */
  revive(node: number): Promise<void>;
  /** Ends all and removes their data. */
  stop(): Promise<void>;
}

const NODES = 3;
/** Copies of every partition, and those that have to be in sync for a write. */
const REPLICAS = 3;
const IN_SYNC = 2;

interface Node {
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
  readonly properties: string;
}

/** Starts one; everything in it is kept three times. */
export async function startCluster(version: string): Promise<TestCluster> {
  const classpath = `${await fetchJars(version)}/*`;
  const folder = await Deno.makeTempDir({ prefix: "kilter-cluster-" });
  const nodes = Array.from({ length: NODES }, (_, i): Node => ({
    ...{ id: i + 1, port: freePort(), controllerPort: freePort() },
    properties: `${folder}/${i + 1}.properties`,
  }));
  const voters = nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join();
  const children: (BrokerChild | null)[] = nodes.map(() => null);
  const killNow = () => children.forEach((child) => child?.kill("SIGKILL"));
  globalThis.addEventListener("unload", killNow);
  const stop = async () => {
    globalThis.removeEventListener("unload", killNow);
    killNow();
    await Promise.all(children.map((child) => child?.ended));
    await Deno.remove(folder, { recursive: true });
  };
  const revive = async (i: number) => {
    children[i] = await spawnBroker(classpath, nodes[i].properties, nodes[i].port);
  };
  try {
    const cluster = clusterId();
    for (const node of nodes) {
      await Deno.writeTextFile(node.properties, propertiesOf(node, voters, folder));
      await run("java", [
        ...["-cp", classpath, "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"],
        ...["kafka.tools.StorageTool", "format", "-t", cluster, "-c", node.properties],
      ]);
    }
    // None is up before a second one is.
    await Promise.all(nodes.map((_, i) => revive(i)));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...{ nodes: NODES, stop, revive },
    brokers: nodes.map(({ port }) => `127.0.0.1:${port}`),
    async kill(i) {
      const child = children[i];
      child?.kill("SIGKILL");
      await child?.ended;
    },
  };
}

function propertiesOf({ id, port, controllerPort }: Node, voters: string, folder: string): string {
  const replicated = ["offsets.topic", "transaction.state.log"];
  return [
    "process.roles=broker,controller",
    `node.id=${id}`,
    `controller.quorum.voters=${voters}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    "controller.listener.names=CONTROLLER",
    "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    `log.dirs=${folder}/data-${id}`,
    "auto.create.topics.enable=false",
    `default.replication.factor=${REPLICAS}`,
    `min.insync.replicas=${IN_SYNC}`,
    ...replicated.flatMap((log) => [
      `${log}.replication.factor=${REPLICAS}`,
      `${log}.num.partitions=4`,
    ]),
    `transaction.state.log.min.isr=${IN_SYNC}`,
    "group.initial.rebalance.delay.ms=0",
    "group.min.session.timeout.ms=500",
    "broker.heartbeat.interval.ms=500",
    "broker.session.timeout.ms=3000",
    "",
  ].join("\n");
}
