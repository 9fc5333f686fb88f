/** Names and shapes of the topics that Kilter reads and writes. */

/** Default topic names; each is a setting. */
export const TOPICS = {
  telemetry: "vehicle.telemetry",
  anomalies: "vehicle.anomalies",
  deadLetters: "vehicle.telemetry.dlq",
  rules: "kilter.rules",
  checkpoints: "kilter.checkpoints",
} as const;

/** The topic names in force. */
export type TopicNames = { readonly [K in keyof typeof TOPICS]: string };

/** Partitions of every partitioned topic unless set otherwise. */
export const DEFAULT_PARTITIONS = 8;

/** Consumer group of the analysis agents; also the prefix of their transactional ids. */
export const ANALYSIS_GROUP = "kilter-analysis";

/** Headers of a dead letter, all values UTF-8 text. */
export const DEAD_LETTER_HEADERS = {
  /** A `RefusalReason`. */
  reason: "kilter-reason",
  /** Sentence for people: what was wrong and what to do. */
  detail: "kilter-detail",
  /** Byte position of the fault within the original record's value. */
  position: "kilter-position",
  topic: "kilter-source-topic",
  partition: "kilter-source-partition",
  offset: "kilter-source-offset",
  /** Index of the object within its record (0 for a record of one object). */
  index: "kilter-source-index",
  /** Length of the original, bytes, where the value was cut. */
  truncated: "kilter-truncated",
  /** Refused objects that share the letter, where they are several. */
  objects: "kilter-objects",
  /** Length of the original key, bytes, where it was cut. */
  keyTruncated: "kilter-key-truncated",
  /** Times that the record had been replayed when it was refused; absent: never. */
  replays: "kilter-replays",
} as const;

/** Headers of telemetry that came back from the dead letters. */
export const REPLAY_HEADERS = {
  /** Times that it has been replayed, this one included. */
  replays: DEAD_LETTER_HEADERS.replays,
  /** The dead letter that it was, `PARTITION/OFFSET`. */
  letter: "kilter-letter",
} as const;

/** Header of a record on the dead letter topic that marks letters before it as replayed. */
export const REPLAY_MARK_HEADER = "kilter-replayed";

/** Consumer group of `dlq replay`; also the prefix of its transactional ids. */
export const REPLAY_GROUP = "kilter-dlq-replay";
