/** A broker that asks who is there: TLS, passwords and rights, beside a plain listener for tests. */
import { type BrokerSetup, freePort, launchBroker, run } from "./broker_process.ts";
import type { TestBroker } from "./broker.ts";

/** Its users: the first may do anything, the others nothing unless a test grants it. */
const USERS = ["kilter", "guest", "worker", "maker"];

/** The password of all of them. */
export const PASSWORD = "wheels-doors+6 belts";

/** How clients reach it. */
export interface SecureBroker {
  readonly broker: TestBroker;
  /** TLS without a password. */
  readonly tls: string;
  /** TLS and a password. */
  readonly login: string;
  /** Certificate (PEM) that its own comes from. */
  readonly ca: string;
  /** Another certificate, which has nothing to do with it. */
  readonly otherCa: string;
}

/** Starts one. */
export async function startSecureBroker(version: string): Promise<SecureBroker> {
  const tls = freePort();
  const login = freePort();
  let ca = "";
  let otherCa = "";
  const broker = await launchBroker(version, async (folder): Promise<BrokerSetup> => {
    ca = await makeKey(folder, "broker");
    otherCa = await makeKey(folder, "other");
    const scram = ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) =>
      USERS.flatMap((name) => [
        "--add-scram",
        `${mechanism}=[name=${name},password=${JSON.stringify(PASSWORD)}]`,
      ])
    );
    const plain = "org.apache.kafka.common.security.plain.PlainLoginModule";
    const scramModule = "org.apache.kafka.common.security.scram.ScramLoginModule";
    const quoted = JSON.stringify(PASSWORD);
    return {
      listeners: [["TLS", tls, "SSL"], ["LOGIN", login, "SASL_SSL"]],
      formatArgs: scram,
      properties: [
        `ssl.keystore.location=${folder}/broker.p12`,
        "ssl.keystore.password=keystore",
        "ssl.keystore.type=PKCS12",
        "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        `listener.name.login.plain.sasl.jaas.config=${plain} required ` +
        `${USERS.map((name) => `user_${name}=${quoted}`).join(" ")};`,
        `listener.name.login.scram-sha-256.sasl.jaas.config=${scramModule} required;`,
        `listener.name.login.scram-sha-512.sasl.jaas.config=${scramModule} required;`,
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        // Plain and TLS listeners know no names: what comes over them may do anything.
        "super.users=User:ANONYMOUS;User:kilter",
      ],
    };
  });
  return { broker, tls: `127.0.0.1:${tls}`, login: `127.0.0.1:${login}`, ca, otherCa };
}

/** Makes a key and a certificate that vouches for itself; returns the certificate, PEM. */
async function makeKey(folder: string, name: string): Promise<string> {
  const store = ["-keystore", `${folder}/${name}.p12`, "-storepass", "keystore", "-alias", name];
  await run("keytool", [
    "-genkeypair",
    ...store,
    "-keyalg",
    "EC",
    "-groupname",
    "secp256r1",
    "-storetype",
    "PKCS12",
    "-dname",
    `CN=${name}`,
    "-ext",
    "SAN=ip:127.0.0.1,dns:localhost",
    "-ext",
    "bc:c=ca:true",
    "-validity",
    "30",
  ]);
  const file = `${folder}/${name}.pem`;
  await run("keytool", ["-exportcert", ...store, "-rfc", "-file", file]);
  return await Deno.readTextFile(file);
}
