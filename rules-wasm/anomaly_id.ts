/** Ids of anomalies. */
import { createHash } from "node:crypto";

/** What an anomaly's id is made of. */
export interface AnomalyOrigin {
  /** Id of the rule. */
  readonly rule: string;
  readonly vehicle: string;
  /** T0: T of the first sample of the run that opened it, whole milliseconds. */
  readonly onset: number;
  readonly partition: number;
  /** Offset of the record that opened it (for silence: of the sample that it counts from). */
  readonly offset: number;
  /** Index of the object within that record. */
  readonly index: number;
}

/**
 * The id of an anomaly: the first 64 bits of SHA-256 as 16 hexadecimal digits.
 *
 * Hashed are six lines of UTF-8 text, each ended by a line feed (0x0a), numbers in decimal:
 * rule, vehicle, onset, partition, offset, index.
 */
export function anomalyId(origin: AnomalyOrigin): string {
  const { rule, vehicle, onset, partition, offset, index } = origin;
  const text = `${rule}\n${vehicle}\n${onset}\n${partition}\n${offset}\n${index}\n`;
  return createHash("sha256").update(text, "utf8").digest("hex").slice(0, 16);
}
