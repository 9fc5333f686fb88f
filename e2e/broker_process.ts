/** A Kafka broker as a child process, from jars that Maven fetches once per version. */
import { KAFKA_VERSION } from "./broker_version.ts";
import type { TestBroker } from "./broker.ts";

/** Longest wait for a broker that starts or ends, milliseconds. */
const START_MS_MAX = 60_000;
const STOP_MS_MAX = 10_000;
/** Last output of the broker kept for error messages, characters. */
const OUTPUT_MAX = 4_000;

/** What a broker has beside its plain listener. */
export interface BrokerSetup {
  /** Further listeners: name, port, and Kafka's name of the protocol. */
  readonly listeners?: readonly (readonly [name: string, port: number, protocol: string])[];
  readonly properties?: readonly string[];
  /** Arguments of the tool that makes its storage. */
  readonly formatArgs?: readonly string[];
}

/**
 * Starts a broker of one version on free loopback ports, with its data in a temporary folder.
 *
 * @param setup what it has beside a plain listener; given the folder for its data
 * @throws if Java or Maven is missing, or the broker does not come up
 */
export async function launchBroker(
  version: string,
  setup?: (folder: string) => Promise<BrokerSetup>,
): Promise<TestBroker> {
  const jars = await fetchJars(version);
  const folder = await Deno.makeTempDir({ prefix: "kilter-kafka-" });
  const port = freePort();
  const properties = `${folder}/server.properties`;
  const { listeners = [], properties: more = [], formatArgs = [] } = await setup?.(folder) ?? {};
  await Deno.writeTextFile(
    properties,
    [...serverProperties(folder, port, freePort(), listeners), ...more, ""].join("\n"),
  );
  const classpath = `${jars}/*`;
  try {
    await run("java", [
      "-cp",
      classpath,
      "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
      "kafka.tools.StorageTool",
      "format",
      "-t",
      clusterId(),
      "-c",
      properties,
      ...formatArgs,
    ]);
    let child = await spawnBroker(classpath, properties, port);
    let stopped = false;
    let reviving: Promise<void> = Promise.resolve();
    const killNow = () => child.kill("SIGKILL");
    globalThis.addEventListener("unload", killNow);
    return {
      brokers: [`127.0.0.1:${port}`],
      version,
      async stop() {
        if (stopped) return;
        stopped = true;
        // A test that failed meanwhile leaves it half started.
        await reviving.catch(() => {});
        globalThis.removeEventListener("unload", killNow);
        await child.end();
        await Deno.remove(folder, { recursive: true });
      },
      async kill() {
        child.kill("SIGKILL");
        await child.ended;
      },
      revive() {
        reviving = spawnBroker(classpath, properties, port).then((started) => {
          child = started;
        });
        return reviving;
      },
    };
  } catch (error) {
    await Deno.remove(folder, { recursive: true });
    throw error;
  }
}

/** Writes records as Java's client does; see `broker/Produce.java`. */
export async function produceWithJava(
  brokers: readonly string[],
  topic: string,
  count: number,
  codecs: readonly string[],
): Promise<void> {
  const jars = await fetchJars(KAFKA_VERSION);
  await run("java", [
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
    "-cp",
    `${jars}/*`,
    new URL("./broker/Produce.java", import.meta.url).pathname,
    brokers.join(","),
    topic,
    String(count),
    ...codecs,
  ]);
}

/** Fetches the broker's jars unless they are there, and returns their folder. */
export async function fetchJars(version: string): Promise<string> {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "."}/.cache`;
  const folder = `${cache}/kilter-test/kafka-${version}`;
  if (await exists(folder)) return folder;
  await Deno.mkdir(`${cache}/kilter-test`, { recursive: true });
  const partial = await Deno.makeTempDir({ dir: `${cache}/kilter-test`, prefix: "fetching-" });
  try {
    await run("mvn", [
      "-q",
      "-B",
      "-f",
      new URL("./broker/pom.xml", import.meta.url).pathname,
      `-Dkafka.version=${version}`,
      "dependency:copy-dependencies",
      `-DoutputDirectory=${partial}`,
    ]);
    await Deno.chmod(partial, 0o755);
    await Deno.rename(partial, folder);
  } catch (error) {
    await Deno.remove(partial, { recursive: true });
    // Another process may have been faster.
    if (!await exists(folder)) throw error;
  }
  return folder;
}

/** A broker as it runs. */
export interface BrokerChild {
  kill(signal: Deno.Signal): void;
  end(): Promise<void>;
  readonly ended: Promise<unknown>;
}

/** Starts a node whose storage is there; resolves once it is up. */
export async function spawnBroker(
  classpath: string,
  properties: string,
  port: number,
): Promise<BrokerChild> {
  const child = new Deno.Command("java", {
    args: [
      "-Xmx512m",
      "-XX:+UseSerialGC",
      "-XX:TieredStopAtLevel=1",
      "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
      "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
      "-cp",
      classpath,
      "kafka.Kafka",
      properties,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let output = "";
  const started = Promise.withResolvers<void>();
  const drained = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      output = (output + text).slice(-OUTPUT_MAX);
      if (output.includes("Kafka Server started")) started.resolve();
    }
  })();
  const ended = Promise.all([child.status, drained]);
  const failure = ended.then(([status]) => {
    throw new Error(`Kafka ended with code ${status.code} before it was up: ${output.trim()}`);
  });
  failure.catch(() => {});
  try {
    await within(
      Promise.race([started.promise, failure]),
      START_MS_MAX,
      () => `Kafka is not up on port ${port} after ${START_MS_MAX} ms: ${output.trim()}`,
    );
  } catch (error) {
    kill(child, "SIGKILL");
    await ended;
    throw error;
  }
  return {
    kill: (signal) => kill(child, signal),
    ended,
    async end() {
      kill(child, "SIGTERM");
      try {
        await within(ended, STOP_MS_MAX, () => "");
      } catch {
        kill(child, "SIGKILL");
        await ended;
      }
    },
  };
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof TypeError)) throw error;
  }
}

async function within<T>(
  promise: Promise<T>,
  milliseconds: number,
  message: () => string,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(message())), milliseconds);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a program to its end; throws with what it said if it fails. */
export async function run(command: string, args: string[]): Promise<void> {
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(command, { args, stdout: "piped", stderr: "piped" }).output();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot run ${command}: ${reason}`);
  }
  if (output.success) return;
  const decoder = new TextDecoder();
  const text = decoder.decode(output.stdout) + decoder.decode(output.stderr);
  throw new Error(`${command} failed with code ${output.code}: ${text.trim().slice(-OUTPUT_MAX)}`);
}

function serverProperties(
  folder: string,
  port: number,
  controllerPort: number,
  more: NonNullable<BrokerSetup["listeners"]>,
): string[] {
  const open = [["PLAINTEXT", port, "PLAINTEXT"] as const, ...more];
  const addresses = open.map(([name, at]) => `${name}://127.0.0.1:${at}`).join();
  const protocols = open.map(([name, , protocol]) => `${name}:${protocol}`).join();
  return [
    "process.roles=broker,controller",
    "node.id=1",
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=${addresses},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=${addresses}`,
    "controller.listener.names=CONTROLLER",
    `listener.security.protocol.map=${protocols},CONTROLLER:PLAINTEXT`,
    `log.dirs=${folder}/data`,
    "auto.create.topics.enable=false",
    "offsets.topic.replication.factor=1",
    "offsets.topic.num.partitions=4",
    "transaction.state.log.replication.factor=1",
    "transaction.state.log.min.isr=1",
    "transaction.state.log.num.partitions=4",
    "group.initial.rebalance.delay.ms=0",
    "group.min.session.timeout.ms=500",
    "controlled.shutdown.enable=false",
    "broker.heartbeat.interval.ms=200",
    "broker.session.timeout.ms=1000",
  ];
}

/** A cluster id as Kafka wants it: 16 bytes, base64url without padding. */
export function clusterId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  // One that begins with "-" would be taken for an option.
  bytes[0] &= 0x7f;
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** A loopback port that nobody listens on just now. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
