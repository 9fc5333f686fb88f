/** Kafka behind TLS, passwords and rights: what works, and what is said when it does not. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type KafkaBusOptions, openKafkaBus } from "../bus/kafka_bus.ts";
import { BusError } from "../bus/port.ts";
import { conformance } from "../bus/conformance.ts";
import { brokerIsRequired } from "./broker.ts";
import { KAFKA_VERSION } from "./broker_version.ts";
import { refusalsUntilItWorks } from "./kafka_rights.ts";
import { kafkaUnderTest, openBus } from "./kafka_support.ts";
import { runKilter, withFolder } from "./program.ts";
import { PASSWORD, type SecureBroker, startSecureBroker } from "./secure_broker.ts";

let secure: SecureBroker | null = null;
let reason = "";
try {
  secure = await startSecureBroker(KAFKA_VERSION);
} catch (error) {
  if (brokerIsRequired()) throw error;
  reason = error instanceof Error ? error.message : String(error);
}

function secureTest(name: string, run: (broker: SecureBroker) => Promise<void>): void {
  const broker = secure;
  Deno.test({
    name: `secure Kafka: ${name}${broker === null ? ` (skipped: ${reason})` : ""}`,
    ignore: broker === null,
    fn: async () => {
      if (broker !== null) await run(broker);
    },
  });
}

Deno.test.afterAll(async () => await secure?.broker.stop());

conformance(
  "kafka bus over SASL_SSL",
  () => {
    if (secure === null) throw new Error(`Cannot start Kafka: ${reason}`);
    const { broker, login, ca } = secure;
    const named = { mechanism: "scram-sha-512", username: "kilter", password: PASSWORD } as const;
    return kafkaUnderTest(
      broker.brokers,
      () => openBus([login], [], 8_000, { tls: { ca }, login: named }),
    );
  },
  secure === null ? { unavailable: reason } : {},
);

/** Opens a bus, writes and reads a record over it, and closes it. */
async function use(options: Omit<KafkaBusOptions, "clientId">): Promise<void> {
  const bus = await openKafkaBus({ ...options, clientId: "kilter-test", connectTimeoutMs: 8_000 }, {
    now: Date.now,
    events: () => {},
  });
  try {
    const name = `secure.${crypto.randomUUID()}`;
    await bus.ensureTopics([{
      name,
      partitions: 1,
      cleanup: "delete",
      retentionMs: 3_600_000,
      retentionBytes: 1e9,
    }]);
    const value = new TextEncoder().encode("hello");
    await bus.publish([{ topic: name, records: [{ key: null, value, partition: 0 }] }]);
    let seen = 0;
    for await (const batch of bus.range(name, 0, 0, Infinity)) seen += batch.count;
    assertEquals(seen, 1);
  } finally {
    await bus.close();
  }
}

async function refusal(options: Omit<KafkaBusOptions, "clientId">): Promise<string> {
  try {
    await use(options);
  } catch (error) {
    if (error instanceof BusError) return error.message;
    throw error;
  }
  throw new Error("It was let in");
}

secureTest(
  "TLS with the broker's own certificate",
  ({ tls, ca }) => use({ brokers: [tls], tls: { ca } }),
);

for (const mechanism of ["plain", "scram-sha-256", "scram-sha-512"] as const) {
  secureTest(
    `a password over TLS, ${mechanism}`,
    ({ login, ca }) =>
      use({
        brokers: [login],
        tls: { ca },
        login: { mechanism, username: "kilter", password: PASSWORD },
      }),
  );

  secureTest(`a wrong password is named as such, ${mechanism}`, async ({ login, ca }) => {
    const message = await refusal({
      brokers: [login],
      tls: { ca },
      login: { mechanism, username: "kilter", password: "wrong" },
    });
    assertStringIncludes(message, "refused the user name or password");
  });
}

secureTest("a certificate that nobody trusted vouches for is named as such", async (broker) => {
  for (const tls of [true, { ca: broker.otherCa }]) {
    const message = await refusal({ brokers: [broker.tls], tls });
    assertStringIncludes(message, broker.tls);
    assertStringIncludes(message, "certificate");
  }
});

secureTest("a client that does not encrypt, or not log in, is told so", async (broker) => {
  assertStringIncludes(await refusal({ brokers: [broker.tls] }), "set kafka-tls on");
  const { login, ca } = broker;
  assertStringIncludes(await refusal({ brokers: [login], tls: { ca } }), "kafka-sasl");
});

secureTest("a user without rights is told which one is missing", async ({ login, ca }) => {
  const message = await refusal({
    brokers: [login],
    tls: { ca },
    login: { mechanism: "plain", username: "guest", password: PASSWORD },
  });
  assertStringIncludes(message, "User:guest lacks the right Describe on the topic secure.");
  assertStringIncludes(message, `kafka-acls --bootstrap-server ${login} --add --allow-principal`);
});

secureTest(
  "each missing right to topics that are there is named with what grants it",
  async (broker) => {
    const { granted, topics, group } = await refusalsUntilItWorks(broker, "worker", "existing");
    const { input, output, progress } = topics;
    assertEquals(
      granted.toSorted(),
      [
        ...[input, output, progress].flatMap((topic) => [
          `Describe --topic ${topic}`,
          `DescribeConfigs --topic ${topic}`,
          `Read --topic ${topic}`,
          `Write --topic ${topic}`,
        ]),
        "IdempotentWrite --cluster",
        `Read --group ${group}`,
        `Write --transactional-id ${group}-${input}- --resource-pattern-type prefixed`,
      ].toSorted(),
    );
  },
);

secureTest(
  "each missing right to topics that are to be made is named with what grants it",
  async (broker) => {
    const { granted, topics, group } = await refusalsUntilItWorks(broker, "maker", "missing");
    const { input, output, progress } = topics;
    assertEquals(
      granted.toSorted(),
      [
        ...[input, output, progress].flatMap((topic) => [
          `Create --topic ${topic}`,
          `Describe --topic ${topic}`,
          `DescribeConfigs --topic ${topic}`,
          `Read --topic ${topic}`,
          `Write --topic ${topic}`,
        ]),
        `Read --group ${group}`,
        `Write --transactional-id ${group}-${input}- --resource-pattern-type prefixed`,
      ].toSorted(),
    );
  },
);

secureTest(
  "the program takes all of it from its settings",
  ({ login, ca, broker }) =>
    withFolder(async (dir) => {
      const certificate = `${dir}/ca.pem`;
      await Deno.writeTextFile(certificate, ca);
      const suffix = crypto.randomUUID().slice(0, 8);
      const args = [
        "backtest",
        ...["--bus", "kafka", "--brokers", login, "--data", dir],
        ...["--kafka-tls", "on", "--kafka-ca", certificate],
        ...["--kafka-sasl", "scram-sha-512", "--kafka-user", "kilter"],
        ...["telemetry", "anomalies", "dead-letters", "rules", "checkpoints"].flatMap((topic) => [
          `--topic-${topic}`,
          `program.${suffix}.${topic}`,
        ]),
      ];
      const run = await runKilter(args, [dir], { KILTER_KAFKA_PASSWORD: PASSWORD });
      assertEquals(run.code, 0, run.stderr);
      const refused = await runKilter(args, [dir], { KILTER_KAFKA_PASSWORD: "wrong" });
      assertEquals(refused.code, 1, refused.stderr);
      assertStringIncludes(refused.stderr, "refused the user name or password");
      assertEquals(refused.stderr.includes("wrong"), false);
      assertEquals(broker.version, KAFKA_VERSION);
    }),
);
