/** Anomaly transitions: what the engine writes to `vehicle.anomalies`, one JSON object a record. */

/** Severities, mildest first; the index is the kernel's level. */
export const SEVERITIES = ["info", "warning", "critical"] as const;
/** One of `SEVERITIES`. */
export type Severity = typeof SEVERITIES[number];

/** Kinds of transition; the index is the kernel's code. */
export const TRANSITION_KINDS = [
  "opened",
  "escalated",
  "deescalated",
  "reopened",
  "cleared",
] as const;
/** One of `TRANSITION_KINDS`. */
export type TransitionKind = typeof TRANSITION_KINDS[number];

/** Why an anomaly cleared; the index is the kernel's code. */
export const CLEAR_REASONS = [
  "condition",
  "unknown",
  "clock reset",
  "forgotten",
  "rule changed",
] as const;
/** One of `CLEAR_REASONS`. */
export type ClearReason = typeof CLEAR_REASONS[number];

/** One comparison (or boolean term) of a rule's `when`, as it stood at the transition. */
export interface Term {
  /** The term as written in the rule. */
  readonly text: string;
  /** Value of its left side in `unit`; a boolean for a boolean term; null when unknown. */
  readonly value: number | boolean | string | null;
  /** Value of its right side in `unit`; null for a boolean term or when unknown. */
  readonly limit: number | string | null;
  /** Unit of both, "" for none. */
  readonly unit: string;
}

/** Where the sample lies that caused a transition. */
export interface Source {
  readonly partition: number;
  /** Offset as decimal text. */
  readonly offset: string;
  /** Index of the object within its record. */
  readonly index: number;
}

/** One transition of one anomaly; field order is the order on the wire. */
export interface Transition {
  /** 16 hexadecimal digits; the same over all transitions of one anomaly. */
  readonly id: string;
  readonly kind: TransitionKind;
  /** Present on "cleared" only. */
  readonly reason?: ClearReason;
  readonly rule: string;
  /** Version of the rule set, 16 hexadecimal digits. */
  readonly version: string;
  readonly vehicle: string;
  readonly severity: Severity;
  /** T of the first sample of the run that opened it, epoch milliseconds. */
  readonly onset: number;
  /** T of this transition, epoch milliseconds. */
  readonly at: number;
  /** A of the record (or the due A of the timer) that caused it, epoch milliseconds. */
  readonly append: number;
  /** How often it has opened: 1, then one more for each reopening. */
  readonly count: number;
  readonly message: string;
  readonly terms: readonly Term[];
  readonly source: Source;
}

/**
 * Reads one transition from a record's value.
 *
 * @throws {SyntaxError} if the bytes are not a transition
 */
export function decodeTransition(bytes: Uint8Array): Transition {
  const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  if (!isTransition(value)) {
    throw new SyntaxError("Cannot read the record as an anomaly transition: fields are missing");
  }
  return value;
}

/** Whether a value has the fields of a transition. */
export function isTransition(value: unknown): value is Transition {
  if (typeof value !== "object" || value === null) return false;
  const t: Record<string, unknown> = { ...value };
  return typeof t.id === "string" && typeof t.rule === "string" &&
    typeof t.version === "string" && typeof t.vehicle === "string" &&
    typeof t.onset === "number" && typeof t.at === "number" && typeof t.append === "number" &&
    typeof t.count === "number" && typeof t.message === "string" && Array.isArray(t.terms) &&
    typeof t.source === "object" && t.source !== null &&
    TRANSITION_KINDS.some((kind) => kind === t.kind) &&
    SEVERITIES.some((severity) => severity === t.severity);
}
