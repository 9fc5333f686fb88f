/** Why an anomaly fired, or why a rule did not: what the command line, the API and pages show. */
import type { ClearReason, Source, TransitionKind } from "./anomaly.ts";

/** A condition's result; null is unknown. */
export type Known = boolean | null;

/** A value as people read it: a number, a name, true or false; null is unknown. */
export type Shown = number | string | boolean | null;

/** What was read of the log, and what was not. */
export interface LogRead {
  readonly partition: number;
  /** Offsets: the first one read, and the one behind the last. */
  readonly from: number;
  readonly to: number;
  /** Append times of the first and the last record read, epoch milliseconds; null if none was. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Records read, and those of them that may hold the vehicle. */
  readonly records: number;
  readonly kept: number;
  /** What was left out for its size or age; "" if nothing was. */
  readonly cut: string;
}

/** A signal that the rule's `when` names. */
export interface NamedSignal {
  readonly name: string;
  readonly unit: string;
}

/** A term of `when`, as its column is headed. */
export interface TermHead {
  readonly text: string;
  readonly unit: string;
}

/** A term at a sample. */
export interface TermCell {
  /** Both sides of a comparison; for another condition its result, and null. */
  readonly value: Shown;
  readonly limit: Shown;
  readonly truth: Known;
}

/** One evaluation: at a sample, or again as at the last one when time alone had passed. */
export interface EvaluatedSample {
  readonly cause: "sample" | "time";
  /** T, epoch milliseconds; of a cause that is time, when it came true. */
  readonly t: number;
  /** A, epoch milliseconds. */
  readonly append: number;
  /** Of the sample, or of the one that time was counted from. */
  readonly offset: string;
  readonly index: number;
  /** The signals named, as they stood, in their order. */
  readonly values: readonly Shown[];
  /** T at which each of them last came; null for never. */
  readonly came: readonly (number | null)[];
  readonly terms: readonly TermCell[];
  readonly when: Known;
  /** Whether the sample brings `when`: others take no part in its run. */
  readonly brought: boolean;
}

/** How far back a function of `when` looks from the opening. */
export interface Reach {
  readonly fn: string;
  readonly durationMs: number;
  /** (from, to], T. */
  readonly from: number;
  readonly to: number;
  /** Samples evaluated within. */
  readonly samples: number;
}

/** The nearest limit that would have kept an anomaly from firing. */
export interface NearestLimit {
  /** The boundary. */
  readonly value: number;
  /** Whether limits go up or down to it. */
  readonly side: "above" | "below";
  /** Whether `value` itself still fires, and only what lies beyond it does not. */
  readonly exclusive: boolean;
  /** `value` less the rule's limit. */
  readonly difference: number;
  /** What was run: the nearest number that does not fire, and its neighbour that does. */
  readonly silentAt: number;
  readonly firesAt: number;
}

/** A numeric threshold of `when`. */
export interface Threshold {
  readonly term: string;
  readonly unit: string;
  readonly limit: number;
  readonly nearest: NearestLimit | null;
  /** Why there is none; "" where there is one. */
  readonly why: string;
}

/** The shortest `for` under which an anomaly would not have fired. */
export interface NearestDuration {
  readonly forMs: number;
  readonly nearestMs: number | null;
  readonly why: string;
}

/** The rule that was evaluated. */
export interface ExplainedRule {
  readonly id: string;
  readonly source: string;
  readonly version: string;
  /** "its own": the version that raised the anomaly; "current": the one in force now instead. */
  readonly of: "its own" | "current";
  readonly forMs: number;
  readonly maxGapMs: number;
  readonly cooldownMs: number;
  readonly once: boolean;
}

/** One opening of an anomaly, and what became of it. */
export interface ExplainedOpening {
  readonly id: string;
  readonly kind: TransitionKind;
  readonly vehicle: string;
  readonly onset: number;
  readonly at: number;
  readonly append: number;
  readonly message: string;
  readonly source: Source;
  /** T of clearing; null while it is open, and for a point event. */
  readonly clearedAt: number | null;
  readonly reason: ClearReason | null;
}

/** Evaluations in the order in which they were made, those in the middle of many left out. */
export interface Trace {
  readonly signals: readonly NamedSignal[];
  readonly terms: readonly TermHead[];
  readonly samples: readonly EvaluatedSample[];
  /** How many were left out of the middle; they stand behind the sample of this position. */
  readonly omitted: number;
  readonly omittedAfter: number;
}

/** Why an anomaly fired, evaluated anew from the log. */
export interface Proof {
  readonly opening: ExplainedOpening;
  /** null where no version at hand has a rule of that id. */
  readonly rule: ExplainedRule | null;
  /** Whether evaluating the log again gives the same opening: id, onset and T. */
  readonly reproduced: boolean;
  /** Why not; "" if it does. */
  readonly why: string;
  /** Whether its terms came out the same too: weighted means remember more than was read. */
  readonly sameTerms: boolean;
  readonly log: LogRead | null;
  readonly heldMs: number;
  /**
   * T up to which nothing may open for the anomaly to be gone: that of clearing; of a point event
   * the end of its run of trues, as far as it was read. null while it stands open.
   */
  readonly until: number | null;
  readonly reaches: readonly Reach[];
  readonly trace: Trace | null;
  readonly thresholds: readonly Threshold[];
  readonly duration: NearestDuration | null;
}

/** A term that kept a rule from firing. */
export interface Hindrance {
  readonly term: string;
  readonly unit: string;
  readonly truth: Known;
  /** What it would have had to be. */
  readonly wanted: boolean;
  readonly value: Shown;
  readonly limit: Shown;
  /** Value less limit; null where one of them is no number. */
  readonly difference: number | null;
  /** Why it is unknown: which signal never came, or is stale; "" if it is not unknown. */
  readonly unknown: string;
}

/** Why a rule did not fire for a vehicle at a time; `fired` if it did. */
export type WhyNot =
  | "fired"
  | "open"
  | "condition"
  | "duration"
  | "cooldown"
  | "fired before"
  | "other vehicles"
  | "vehicle unknown"
  | "no sample"
  | "not in force";

/** The answer to: why did this rule not fire for this vehicle then? */
export interface Refutation {
  readonly rule: ExplainedRule;
  readonly vehicle: string;
  /** The time asked for, epoch milliseconds. */
  readonly time: number;
  readonly why: WhyNot;
  /** The same in a sentence. */
  readonly text: string;
  /** The last evaluation up to that time that took part in the run. */
  readonly sample: EvaluatedSample | null;
  readonly hindrances: readonly Hindrance[];
  /** T at which the run of trues began that stood then, and how long it had held. */
  readonly runFrom: number | null;
  readonly heldMs: number | null;
  /** The anomaly that fired or stood open. */
  readonly anomaly: string | null;
  readonly log: LogRead;
  readonly trace: Trace;
}
