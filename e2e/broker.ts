/**
 * A real Kafka broker for tests: a given one, one made from Maven's jars, or one in Docker.
 *
 * Where none can be had, the reason is told instead, so that tests are reported as skipped; with
 * `CI=true` the same is a failure.
 */
import { launchBroker } from "./broker_process.ts";
import { KAFKA_VERSION } from "./broker_version.ts";
import { startComposeBroker } from "./broker_compose.ts";

/** A broker that tests may use. */
export interface TestBroker {
  /** `HOST:PORT`, as a client takes them. */
  readonly brokers: readonly string[];
  /** Version of Kafka, or "" where it is not known. */
  readonly version: string;
  /** Ends it in order and removes its data; idempotent. */
  stop(): Promise<void>;
  /** Ends it at once, as a power cut does; its data stay. Null where the broker is not ours. */
  readonly kill: (() => Promise<void>) | null;
  /** Starts it again on the same data and ports after `kill`. Null where it is not ours. */
  readonly revive: (() => Promise<void>) | null;
}

/** A broker, or why there is none. */
export type BrokerOutcome =
  | { readonly kind: "broker"; readonly broker: TestBroker }
  | { readonly kind: "none"; readonly reason: string };

/**
 * Finds or starts a broker.
 *
 * @param version version of Kafka to start; `KILTER_TEST_BROKERS` wins over it
 */
export async function startBroker(version: string = KAFKA_VERSION): Promise<BrokerOutcome> {
  const given = readEnvironment("KILTER_TEST_BROKERS");
  if (given !== undefined && given !== "") {
    const brokers = given.split(",").map((broker) => broker.trim());
    const stop = () => Promise.resolve();
    return { kind: "broker", broker: { brokers, version: "", stop, kill: null, revive: null } };
  }
  const reasons: string[] = [];
  for (const start of [launchBroker, startComposeBroker]) {
    try {
      return { kind: "broker", broker: await start(version) };
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  return { kind: "none", reason: reasons.join("; ") };
}

/** Whether a missing broker is a failure (`CI=true`) instead of a skip. */
export function brokerIsRequired(): boolean {
  return readEnvironment("CI") === "true";
}

/**
 * Registers tests that need a broker: as they are when there is one, ignored with the reason in
 * their names when not, and as one failure where a broker is required.
 */
export function brokerTests(
  suite: string,
  outcome: BrokerOutcome,
  tests: Readonly<Record<string, (broker: TestBroker) => Promise<void>>>,
): void {
  if (outcome.kind === "broker") {
    const { broker } = outcome;
    for (const [name, run] of Object.entries(tests)) {
      Deno.test(`${suite}: ${name}`, () => run(broker));
    }
    Deno.test.afterAll(() => broker.stop());
    return;
  }
  if (brokerIsRequired()) {
    Deno.test(`${suite}: a broker can be had`, () => {
      throw new Error(`Cannot start Kafka, which CI=true demands: ${outcome.reason}`);
    });
    return;
  }
  for (const name of Object.keys(tests)) {
    Deno.test({
      name: `${suite}: ${name} (skipped: ${outcome.reason})`,
      ignore: true,
      fn: () => {},
    });
  }
}

function readEnvironment(name: string): string | undefined {
  return Deno.permissions.querySync({ name: "env", variable: name }).state === "granted"
    ? Deno.env.get(name)
    : undefined;
}
