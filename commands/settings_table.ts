/** The table of settings: names, help, how each is read, and which commands take it. */
import { LOG_LEVELS } from "../contract/events.ts";
import {
  brokerList,
  choice,
  duration,
  durationWithin,
  flag,
  integer,
  nonEmpty,
  type Reader,
  reasonList,
  replaySpeed,
  size,
  text,
  textList,
  timestamp,
  topicName,
} from "./readers.ts";
import { type Draft, SASL_MECHANISMS, type Settings, SETTINGS_DEFAULT } from "./settings_values.ts";

/** How one setting is given. */
export interface SettingSpec {
  /** Flag, key in the file, and (upper case, `KILTER_` before it) environment variable. */
  readonly name: string;
  /** What stands behind the flag in the help. */
  readonly hint: string;
  readonly help: string;
  /** Commands that take its flag. */
  readonly commands: readonly string[];
  /** Never shown, and no flag: it would stand in the process list. */
  readonly secret: boolean;
  /** May be given several times; the values are joined by newlines. */
  readonly repeated: boolean;
  /** Its flag stands alone; a value may follow behind `=`. */
  readonly bare: boolean;
  /** The default for people, "" where there is none. */
  readonly initial: string;
  /** Reads the text into the draft; answers the rule that it broke, or null. */
  readonly apply: (draft: Draft, text: string) => string | null;
}

/** The environment variable of a setting. */
export function environmentName(name: string): string {
  return `KILTER_${name.toUpperCase().replaceAll("-", "_")}`;
}

function setting<K extends keyof Settings>(
  key: K,
  name: string,
  hint: string,
  help: string,
  read: Reader<Settings[K]>,
  commands: readonly string[],
  traits: {
    readonly secret?: boolean;
    readonly repeated?: boolean;
    readonly bare?: boolean;
  } = {},
): SettingSpec {
  const apply = (draft: Draft, given: string) => {
    const result = read(given);
    if (typeof result === "string") return result;
    draft[key] = result.value;
    return null;
  };
  const { secret = false, repeated = false, bare = false } = traits;
  const initial = secret ? "" : showDefault(name, SETTINGS_DEFAULT[key]);
  return { name, hint, help, commands, secret, repeated, bare, initial, apply };
}

function showDefault(name: string, value: Settings[keyof Settings]): string {
  if (Array.isArray(value)) return value.join(",");
  if (value === false) return "";
  if (typeof value === "number") {
    if (Number.isNaN(value)) return "";
    if (name === "checkpoint-every" || name === "kafka-session-timeout") {
      return `${value / 1_000} s`;
    }
    if (name === "retention") return `${value / 86_400_000} d`;
    if (name === "duration") return `${value / 3_600_000} h`;
    if (name === "retention-bytes") return `${value / 1024 ** 3} GiB`;
  }
  return String(value);
}

const SERVING = ["dev", "start", "dashboard"];
const ON_BUS = [
  ...SERVING,
  "producer",
  "analysis",
  "replay",
  "backtest",
  "rules",
  "explain",
  "dlq",
];
const ALL = [...ON_BUS, "simulate", "init"];
const FLEET = ["dev", "producer", "simulate"];
const RECORDING = ["replay", "backtest"];

/** All settings, in the order of the help. */
export const SETTINGS: readonly SettingSpec[] = [
  setting(
    "port",
    "port",
    "PORT",
    "port of dashboard and API; 0: a free one",
    integer(0, 65_535),
    SERVING,
  ),
  setting(
    "host",
    "host",
    "HOST",
    "address to listen on; beyond loopback KILTER_TOKEN is needed",
    nonEmpty,
    SERVING,
  ),
  setting("token", "token", "TEXT", "secret that callers must show", text, SERVING, {
    secret: true,
  }),
  setting("data", "data", "DIR", "folder of the embedded bus and the store", nonEmpty, ON_BUS),
  setting("bus", "bus", "embedded|kafka", "which bus", choice("embedded", "kafka"), ON_BUS),
  setting("brokers", "brokers", "HOST:PORT,…", "Kafka brokers to ask first", brokerList, ON_BUS),
  setting("kafkaTls", "kafka-tls", "on|off", "encrypt to Kafka", choice("on", "off"), ON_BUS),
  setting(
    "kafkaCa",
    "kafka-ca",
    "FILE",
    "certificate (PEM) that Kafka's must come from; else the system's",
    text,
    ON_BUS,
  ),
  setting(
    "kafkaSasl",
    "kafka-sasl",
    SASL_MECHANISMS.join("|"),
    "how to show Kafka the password; none: not at all",
    choice("none", ...SASL_MECHANISMS),
    ON_BUS,
  ),
  setting("kafkaUser", "kafka-user", "NAME", "user name for Kafka", text, ON_BUS),
  setting("kafkaPassword", "kafka-password", "TEXT", "password for Kafka", text, ON_BUS, {
    secret: true,
  }),
  setting(
    "kafkaSessionMs",
    "kafka-session-timeout",
    "DURATION",
    "silence after which a process's partitions go to others",
    durationWithin(1_000, 1_800_000, "1 s", "30 min"),
    ON_BUS,
  ),
  setting(
    "rules",
    "rules",
    "FILE",
    "rules file; else the shipped rules, in a back-test of the log those that were in force",
    text,
    [
      ...SERVING,
      "analysis",
      "backtest",
      "dlq",
    ],
  ),
  setting("catalog", "catalog", "FILE", "signal catalog; else the shipped one", text, ON_BUS),
  setting(
    "dashboard",
    "dashboard",
    "FILE",
    "tiles, columns and charts; else the shipped ones",
    text,
    SERVING,
  ),
  setting(
    "baseMap",
    "base-map",
    "FILE",
    "map to draw under the fleet, PMTiles; else coastline and learned roads",
    text,
    SERVING,
  ),
  setting("zones", "zones", "FILE", "zones that rules ask about, GeoJSON; else none", text, [
    ...SERVING,
    "analysis",
    "backtest",
    "rules",
    "dlq",
  ]),
  setting(
    "vehicles",
    "vehicles",
    "N",
    "vehicles of the simulated fleet",
    integer(1, 100_000),
    FLEET,
  ),
  setting("seed", "seed", "N", "seed of the simulated fleet", integer(0, 4_294_967_295), FLEET),
  setting("out", "out", "FILE", "file to write; its ground truth goes beside it", nonEmpty, [
    "simulate",
  ]),
  setting("durationMs", "duration", "DURATION", "simulated time", duration, ["simulate"]),
  setting("map", "map", "FILE", "column mapping of the recording", text, [...RECORDING, "rules"]),
  setting(
    "only",
    "only",
    "GLOB",
    "vehicles to tell of (repeatable)",
    textList,
    ["backtest", "dlq"],
    {
      repeated: true,
    },
  ),
  setting("reasons", "reason", "NAME", "why refused (repeatable)", reasonList, ["dlq"], {
    repeated: true,
  }),
  setting("limit", "limit", "N", "rows of the table, newest", integer(1, 10_000), ["dlq"]),
  setting("dryRun", "dry-run", "", "only say what would be sent", flag, ["dlq"], { bare: true }),
  setting("compare", "compare", "FILE", "other rules, to tell what differs", nonEmpty, [
    "backtest",
  ]),
  setting(
    "sweep",
    "sweep",
    "RULE.when.limit=FROM..TO/STEP",
    "how often each would fire",
    nonEmpty,
    [
      "backtest",
    ],
  ),
  setting("json", "json", "", "results as JSON on stdout", flag, ["rules", "explain", "dlq"], {
    bare: true,
  }),
  setting("strict", "strict", "", "warnings fail, and so does what no test covers", flag, [
    "rules",
  ], { bare: true }),
  setting("rule", "rule", "ID", "rule that did not fire", nonEmpty, ["explain"]),
  setting("vehicle", "vehicle", "ID", "vehicle that it did not fire for", nonEmpty, ["explain"]),
  setting("atMs", "at", "TIME", "when it did not", timestamp, ["explain"]),
  setting("ascii", "ascii", "", "draw with ASCII alone", flag, ["rules", "explain"], {
    bare: true,
  }),
  setting("watch", "watch", "", "test again whenever a file changes", flag, ["rules"], {
    bare: true,
  }),
  setting("speed", "speed", "N|max", "times real time", replaySpeed, ["replay"]),
  setting(
    "rebase",
    "rebase",
    "now",
    "shift its times to now: at max speed its last row, else its first",
    choice("now", ""),
    ["replay"],
  ),
  setting(
    "input",
    "input",
    "FILE",
    "recording to run over, or to know the signals of (repeatable)",
    textList,
    ["backtest", "rules"],
    { repeated: true },
  ),
  setting("fromMs", "from", "TIME", "time to start at", timestamp, [
    "backtest",
    "simulate",
    "dlq",
  ]),
  setting("toMs", "to", "TIME", "append time to end at", timestamp, ["backtest", "dlq"]),
  setting(
    "batchRecords",
    "batch-records",
    "N",
    "records handed to the engine at a time",
    integer(1, 100_000),
    ["backtest"],
  ),
  setting(
    "workers",
    "workers",
    "N",
    "threads that evaluate, at most one for each partition; 0: one for each core",
    integer(0, 256),
    ["backtest"],
  ),
  setting("partitions", "partitions", "N", "partitions of new topics", integer(1, 1024), ON_BUS),
  setting(
    "retentionMs",
    "retention",
    "DURATION",
    "age beyond which records may go",
    duration,
    ON_BUS,
  ),
  setting(
    "retentionBytes",
    "retention-bytes",
    "SIZE",
    "bytes of a partition beyond which its oldest may go",
    size,
    ON_BUS,
  ),
  setting(
    "fsync",
    "fsync",
    "always|interval",
    "embedded bus: survive power loss, or only the process",
    choice("always", "interval"),
    ON_BUS,
  ),
  setting(
    "checkpointMs",
    "checkpoint-every",
    "DURATION",
    "time between two checkpoints of a partition's state",
    duration,
    ["dev", "start", "analysis"],
  ),
  setting("topicTelemetry", "topic-telemetry", "NAME", "topic of telemetry", topicName, ON_BUS),
  setting("topicAnomalies", "topic-anomalies", "NAME", "topic of anomalies", topicName, ON_BUS),
  setting(
    "topicDeadLetters",
    "topic-dead-letters",
    "NAME",
    "topic of refused telemetry",
    topicName,
    ON_BUS,
  ),
  setting("topicRules", "topic-rules", "NAME", "topic of rule versions", topicName, ON_BUS),
  setting("topicCheckpoints", "topic-checkpoints", "NAME", "topic of progress", topicName, ON_BUS),
  setting(
    "logLevel",
    "log-level",
    LOG_LEVELS.join("|"),
    "least severe events to show",
    choice(...LOG_LEVELS),
    ALL,
  ),
];
