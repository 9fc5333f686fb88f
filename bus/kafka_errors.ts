/** Faults of the Kafka client as sentences: what failed, where, and what to do. */
import { denialText, type KafkaSite, type Right } from "./kafka_rights.ts";
import { BusError } from "./port.ts";

/** What is known of a client's fault, from it and its causes. */
export interface Fault {
  /** Kafka's own name of the error, such as `TOPIC_AUTHORIZATION_FAILED`; "" if it has none. */
  readonly type: string;
  /** The system's code, such as `ECONNREFUSED`; "" if it has none. */
  readonly code: string;
  /** `HOST:PORT` that could not be reached; "" if it is none of that. */
  readonly broker: string;
  /** Class names of the error and its causes, outermost first. */
  readonly names: readonly string[];
  /** Message of the innermost cause. */
  readonly message: string;
}

/** Most causes that are followed. */
const CAUSES_MAX = 8;

/** Looks through an error and its causes. */
export function describeFault(error: unknown): Fault {
  let type = "";
  let code = "";
  let broker = "";
  let message = String(error);
  const names: string[] = [];
  let current = error;
  for (let depth = 0; current instanceof Error && depth < CAUSES_MAX; depth++) {
    names.push(current.name);
    if (current.message !== "") message = current.message;
    type ||= text(current, "type");
    code ||= text(current, "code");
    broker ||= text(current, "broker");
    current = nextCause(current);
  }
  return { type, code, broker, names, message };
}

/** Faults of single topics that the client has gathered into one error; none if it is no such. */
export function topicFaults(error: unknown): { readonly topic: string; readonly type: string }[] {
  let current = error;
  for (let depth = 0; current instanceof Error && depth < CAUSES_MAX; depth++) {
    const gathered: unknown = Reflect.get(current, "errors");
    if (Array.isArray(gathered)) {
      return gathered.filter((one) => one instanceof Error)
        .map((one) => ({ topic: text(one, "topic"), type: text(one, "type") }));
    }
    current = current.cause;
  }
  return [];
}

/** Whether the fault says that another producer has taken over the transactional id. */
export function isFenced(error: unknown): boolean {
  const { type, message } = describeFault(error);
  return type === "INVALID_PRODUCER_EPOCH" || type === "PRODUCER_FENCED" ||
    message.includes("PRODUCER_FENCED");
}

/** The client's class of error for a coordinator that it was not given, for whatever reason. */
const NO_COORDINATOR = "KafkaJSGroupCoordinatorNotFound";

/** Whether the fault is a coordinator that Kafka does not name: a missing right, or its own state. */
export function isWithoutCoordinator(error: unknown): boolean {
  return describeFault(error).names.includes(NO_COORDINATOR);
}

/** Names of codes that are put into words. */
const TYPES: Readonly<Record<number, string>> = {
  29: "TOPIC_AUTHORIZATION_FAILED",
  30: "GROUP_AUTHORIZATION_FAILED",
};

/** A code that Kafka answered with, where the client does not look at it. */
export class KafkaCodeError extends Error {
  override name = "KafkaCodeError";
  /** Kafka's own name of it, where it is put into words; else "". */
  get type(): string {
    return TYPES[this.errorCode] ?? "";
  }
  /** @param errorCode from Kafka's protocol guide */
  constructor(readonly errorCode: number) {
    super(`Kafka error ${errorCode}`);
  }
}

/**
 * Codes that pass by themselves when leaders have moved and brokers are up: unknown topic, no
 * leader, not the leader, storage, old or unknown epochs, offsets not known yet.
 */
const PASSING_CODES = new Set([3, 5, 6, 7, 9, 13, 56, 74, 75, 76, 78, 100, 103]);
const PASSING_TYPES = new Set([
  "UNKNOWN_TOPIC_OR_PARTITION",
  "LEADER_NOT_AVAILABLE",
  "NOT_LEADER_FOR_PARTITION",
  "REPLICA_NOT_AVAILABLE",
  "KAFKA_STORAGE_ERROR",
  "FENCED_LEADER_EPOCH",
  "UNKNOWN_LEADER_EPOCH",
]);

/** Whether a code passes by itself. */
export function isPassingCode(errorCode: number): boolean {
  return PASSING_CODES.has(errorCode);
}

/** Whether a fault only says that partitions are on the move. */
export function isPassing(error: unknown): boolean {
  return error instanceof KafkaCodeError
    ? isPassingCode(error.errorCode)
    : PASSING_TYPES.has(describeFault(error).type);
}

/** Whether the fault is a lost or refused connection. */
export function isDisconnected(error: unknown): boolean {
  const { names, broker } = describeFault(error);
  return broker !== "" ||
    names.some((name) =>
      name === "KafkaJSConnectionError" || name === "KafkaJSConnectionClosedError" ||
      name === "KafkaJSRequestTimeoutError" || name === "KafkaJSBrokerNotFound"
    );
}

/**
 * Puts a client's fault into words.
 *
 * @param action what was tried, to follow "Cannot": `publish to vehicle.telemetry`
 * @param site for faults that do not name a broker, and for missing rights
 * @param needed rights that what was tried needs
 */
export function toBusError(
  action: string,
  site: KafkaSite,
  error: unknown,
  needed: readonly Right[] = [],
): BusError {
  if (error instanceof BusError) return error;
  const fault = describeFault(error);
  const denied = denialText(site, fault.type, needed);
  const reason = denied ?? explain(fault, site.brokers);
  return new BusError(`Cannot ${action}: ${reason}`, { cause: error });
}

/** Says that a cluster cannot be used from the start on, and why. */
export function toOpenError(site: KafkaSite, error: unknown): BusError {
  if (error instanceof BusError) return error;
  const { brokers } = site;
  const fault = describeFault(error);
  const where = fault.broker === "" ? brokers.join(", ") : fault.broker;
  const reason = connectionReason(fault);
  return reason === null
    ? toBusError(`use Kafka at ${brokers.join(", ")}`, site, error)
    : new BusError(`Cannot reach Kafka at ${where}: ${reason}`, { cause: error });
}

function explain(fault: Fault, brokers: readonly string[]): string {
  const where = fault.broker === "" ? brokers.join(", ") : fault.broker;
  if (fault.names.includes("KafkaJSSASLAuthenticationError")) {
    return `Kafka at ${where} refused the user name or password`;
  }
  if (fault.names.includes("KafkaJSNotImplemented")) return fault.message;
  if (fault.names.includes(NO_COORDINATOR)) {
    return "Kafka names no coordinator for it; check the cluster's internal topics";
  }
  switch (fault.type) {
    case "UNKNOWN_TOPIC_OR_PARTITION":
      return "the topic does not exist; create it or correct its name";
    case "MESSAGE_TOO_LARGE":
      return "a record is larger than the topic takes; raise its max.message.bytes to 1048588";
    case "INVALID_REPLICATION_FACTOR":
      return "the cluster's default.replication.factor is larger than its number of brokers";
    case "NOT_ENOUGH_REPLICAS":
    case "NOT_ENOUGH_REPLICAS_AFTER_APPEND":
      return "fewer replicas are in sync than min.insync.replicas demands; check the brokers";
  }
  const reason = connectionReason(fault);
  if (reason !== null) return `Kafka at ${where} cannot be reached: ${reason}`;
  return fault.type === "" || fault.message.includes(fault.type)
    ? fault.message
    : `${fault.message} (${fault.type})`;
}

/** Why there is no connection, and what to do; null if that is not the fault. */
function connectionReason(fault: Fault): string | null {
  switch (fault.code) {
    case "ECONNREFUSED":
      return "connection refused; start it, or correct the brokers setting";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "no such host; correct the brokers setting";
  }
  if (!isConnectionFault(fault)) return null;
  if (fault.message.toLowerCase().includes("closed connection")) {
    // Kafka hangs up on who does not encrypt or log in where it asks for that.
    return "it closed the connection; if it asks for encryption or a password, set kafka-tls on " +
      "and kafka-sasl, else look into its log";
  }
  const reason = fault.message.toLowerCase().includes("timeout") ? "no answer" : fault.message;
  return `${reason}; check that it runs and that the address it advertises is reachable from here`;
}

function isConnectionFault(fault: Fault): boolean {
  return fault.broker !== "" || fault.names.some((name) => name.startsWith("KafkaJSConnection"));
}

/** What lies behind an error: its cause, or the first of those that it gathers. */
function nextCause(error: Error): unknown {
  const gathered: unknown = Reflect.get(error, "errors");
  return error.cause ?? (Array.isArray(gathered) ? gathered[0] : undefined);
}

function text(error: Error, key: string): string {
  const value: unknown = Reflect.get(error, key);
  return typeof value === "string" ? value : "";
}
