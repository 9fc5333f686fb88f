/** Everything that can be set, and what it is when nothing is given. */
import type { LogLevel } from "../contract/events.ts";
import { DEFAULT_PARTITIONS, TOPICS } from "../contract/topics.ts";

/** Ways to show a password to Kafka. */
export const SASL_MECHANISMS = ["plain", "scram-sha-256", "scram-sha-512"] as const;
/** One of them. */
export type SaslMechanism = typeof SASL_MECHANISMS[number];

/** Everything that can be set, with its defaults applied. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  /** Secret that callers must show; "" for none (loopback only). */
  readonly token: string;
  /** Folder of the embedded bus and the server's store. */
  readonly data: string;
  readonly bus: "embedded" | "kafka";
  readonly brokers: readonly string[];
  readonly kafkaTls: "off" | "on";
  /** Path of a certificate (PEM) to trust instead of the system's; "" for none. */
  readonly kafkaCa: string;
  readonly kafkaSasl: "none" | SaslMechanism;
  readonly kafkaUser: string;
  readonly kafkaPassword: string;
  /** Silence after which Kafka gives a member's partitions to others. */
  readonly kafkaSessionMs: number;
  /** Path of the rules file; "" for the shipped one. */
  readonly rules: string;
  /** Path of the catalog file; "" for the shipped one. */
  readonly catalog: string;
  /** Path of the file of zones; "" for none. */
  readonly zones: string;
  /** Path of a base map, PMTiles; "" for none. */
  readonly baseMap: string;
  /** Path of the file of tiles, columns and charts; "" for the shipped one. */
  readonly dashboard: string;
  readonly logLevel: LogLevel;
  readonly partitions: number;
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly fsync: "always" | "interval";
  /** Time between two checkpoints of a partition. */
  readonly checkpointMs: number;
  readonly topicTelemetry: string;
  readonly topicAnomalies: string;
  readonly topicDeadLetters: string;
  readonly topicRules: string;
  readonly topicCheckpoints: string;
  readonly vehicles: number;
  readonly seed: number;
  /** Column mapping of recordings; "" for none. */
  readonly map: string;
  /** Times real time; Infinity for as fast as possible. */
  readonly speed: number;
  readonly rebase: "now" | "";
  readonly out: string;
  readonly durationMs: number;
  readonly input: readonly string[];
  /** Epoch milliseconds of append time; NaN for none. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly batchRecords: number;
  /** Threads that evaluate, at most; 0: one for each core. */
  readonly workers: number;
  /** Ids and globs of the vehicles that a back-test tells of; none: all. */
  readonly only: readonly string[];
  /** Path of the rules to compare with; "" for none. */
  readonly compare: string;
  /** What of a rule to try many values of; "" for nothing. */
  readonly sweep: string;
  /** Reasons of the dead letters wanted; none: all. */
  readonly reasons: readonly string[];
  /** Rows of a table, at most. */
  readonly limit: number;
  /** Says what would be done and does nothing. */
  readonly dryRun: boolean;
  /** Results as JSON on stdout. */
  readonly json: boolean;
  /** Warnings are failures. */
  readonly strict: boolean;
  /** Again whenever a file changes. */
  readonly watch: boolean;
  /** Draws with ASCII alone. */
  readonly ascii: boolean;
  /** Which rule and vehicle, "" for none, and when, epoch milliseconds, to explain; NaN for none. */
  readonly rule: string;
  readonly vehicle: string;
  readonly atMs: number;
}

/** Settings while they are put together. */
export type Draft = { -readonly [K in keyof Settings]: Settings[K] };

/** Settings as they are when nothing is given. */
export const SETTINGS_DEFAULT: Settings = {
  port: 8000,
  host: "127.0.0.1",
  token: "",
  data: ".kilter",
  bus: "embedded",
  brokers: ["127.0.0.1:9092"],
  kafkaTls: "off",
  kafkaCa: "",
  kafkaSasl: "none",
  kafkaUser: "",
  kafkaPassword: "",
  kafkaSessionMs: 10_000,
  rules: "",
  catalog: "",
  zones: "",
  baseMap: "",
  dashboard: "",
  logLevel: "info",
  partitions: DEFAULT_PARTITIONS,
  retentionMs: 7 * 86_400_000,
  retentionBytes: 1024 ** 3,
  fsync: "always",
  checkpointMs: 30_000,
  topicTelemetry: TOPICS.telemetry,
  topicAnomalies: TOPICS.anomalies,
  topicDeadLetters: TOPICS.deadLetters,
  topicRules: TOPICS.rules,
  topicCheckpoints: TOPICS.checkpoints,
  vehicles: 200,
  seed: 1,
  map: "",
  speed: 1,
  rebase: "",
  out: "",
  durationMs: 3_600_000,
  input: [],
  fromMs: NaN,
  toMs: NaN,
  batchRecords: 1_000,
  workers: 0,
  only: [],
  compare: "",
  sweep: "",
  reasons: [],
  limit: 50,
  dryRun: false,
  json: false,
  strict: false,
  watch: false,
  ascii: false,
  rule: "",
  vehicle: "",
  atMs: NaN,
};
