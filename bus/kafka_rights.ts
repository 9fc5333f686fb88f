/** Rights on a Kafka cluster: which one a refused call lacked, and the command that grants it. */

/** A cluster as messages name it. */
export interface KafkaSite {
  /** `HOST:PORT` of some brokers, from the settings. */
  readonly brokers: readonly string[];
  /** Who this client is to the cluster, as `kafka-acls` takes it: `User:NAME`. */
  readonly principal: string;
}

/** One right, in the words of `kafka-acls`. */
export interface Right {
  readonly operation:
    | "Create"
    | "Describe"
    | "DescribeConfigs"
    | "IdempotentWrite"
    | "Read"
    | "Write";
  readonly resource: "topic" | "group" | "transactional-id" | "cluster";
  /** Name of the resource; "" for the cluster. */
  readonly name: string;
  /** Beginning that the resource shares with others that are needed too. */
  readonly prefix?: string;
  /** Another right that does in some cases, and which those are. */
  readonly or?: { readonly right: Right; readonly when: string };
}

/** Kafka's errors of missing rights, and what each is about. */
const RESOURCES: Readonly<Record<string, Right["resource"]>> = {
  TOPIC_AUTHORIZATION_FAILED: "topic",
  GROUP_AUTHORIZATION_FAILED: "group",
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "transactional-id",
  CLUSTER_AUTHORIZATION_FAILED: "cluster",
};

/** The right to read a topic; it includes that to see it. */
export function readTopic(name: string): Right {
  return { operation: "Read", resource: "topic", name };
}

/** The right to write to a topic; it includes that to see it. */
export function writeTopic(name: string): Right {
  return { operation: "Write", resource: "topic", name };
}

/** What a producer without transactions needs beside writing to a topic. */
export function idempotentWrite(topic: string): Right {
  const or = { right: writeTopic(topic), when: "from Kafka 2.8 on" };
  return { operation: "IdempotentWrite", resource: "cluster", name: "", or };
}

/** The right to see a topic, or to make it: Kafka does not tell which of them is missing. */
export function describeOrCreate(name: string): Right {
  const right = { operation: "Create", resource: "topic", name } as const;
  return { operation: "Describe", resource: "topic", name, or: { right, when: "to make it" } };
}

/** The right to join a group; it includes that to find its coordinator. */
export function readGroup(name: string): Right {
  return { operation: "Read", resource: "group", name };
}

/** The right to write under a transactional id; it includes that to find its coordinator. */
export function writeTransactions(id: string, prefix: string): Right {
  return { operation: "Write", resource: "transactional-id", name: id, prefix };
}

/** Whether Kafka's name of an error says that a right is missing. */
export function isDenial(type: string): boolean {
  return type in RESOURCES;
}

/**
 * Says who lacks which right on what, and how to grant it; null if the error is another.
 *
 * @param type Kafka's name of the error
 * @param needed the rights that the refused call needs
 */
export function denialText(
  site: KafkaSite,
  type: string,
  needed: readonly Right[],
): string | null {
  const resource = RESOURCES[type];
  if (resource === undefined) return null;
  const missing = needed.filter((right) => right.resource === resource);
  if (missing.length === 0) {
    return `${site.principal} lacks a right on a ${nameOf(resource)}; see what it has with: ` +
      `${command(site)} --list --principal ${quoted(site.principal)}`;
  }
  return `${site.principal} lacks the right ${missing.map(described).join(", ")}; grant it with: ${
    missing.flatMap((right) => granting(site, right)).join(" or ")
  }`;
}

/** "Write on the topic t" */
function described(right: Right): string {
  const { operation, resource, name, or } = right;
  const own = `${operation} on the ${nameOf(resource)}${name === "" ? "" : ` ${name}`}`;
  return or === undefined ? own : `${own} (or, ${or.when}, ${described(or.right)})`;
}

function granting(site: KafkaSite, right: Right): string[] {
  const { operation, resource, name, prefix, or } = right;
  const target = resource === "cluster"
    ? "--cluster"
    : prefix === undefined
    ? `--${resource} ${quoted(name)}`
    : `--${resource} ${quoted(prefix)} --resource-pattern-type prefixed`;
  const own = `${command(site)} --add --allow-principal ${quoted(site.principal)} ` +
    `--operation ${operation} ${target}`;
  return or === undefined ? [own] : [own, ...granting(site, or.right)];
}

function command({ brokers }: KafkaSite): string {
  return `kafka-acls --bootstrap-server ${brokers[0]}`;
}

function nameOf(resource: Right["resource"]): string {
  return resource.replace("-", " ");
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w.:\/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
