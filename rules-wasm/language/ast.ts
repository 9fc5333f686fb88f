/**
 * The checked expression tree and rule set: what the checker makes of `rules.yaml`, and all that
 * the plan compiler and the reference engine know of it.
 *
 * Every constant is already in the unit of the side it is compared with, every conversion between
 * units is an explicit node: evaluating the tree needs no knowledge of units.
 */
import type { Catalog, SignalType } from "../../contract/catalog.ts";
import type { Severity } from "../../contract/anomaly.ts";
import { UTC_OFFSETS, type ZoneOffset } from "./time_zone.ts";
import type { Zone } from "./zone.ts";

/** Place in the source text, for faults: line and column from 1, offset and length in UTF-16 units. */
export interface Span {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
  readonly length: number;
}

/** Comparison operators. */
export type CompareOp = "<" | "<=" | ">" | ">=" | "==" | "!=";

/** Arithmetic operators. */
export type ArithmeticOp = "+" | "-" | "*" | "/";

/** A numeric or name-valued expression. Unknown is NaN; a result that is not finite is unknown. */
export type Value =
  | { readonly kind: "number"; readonly value: number }
  /** Index of a name in the signal's list, for comparison with a signal of type "name". */
  | { readonly kind: "name"; readonly value: number; readonly text: string }
  | SignalValue
  | {
    readonly kind: "arithmetic";
    readonly op: ArithmeticOp;
    readonly left: Value;
    readonly right: Value;
  }
  | { readonly kind: "negate"; readonly of: Value }
  /** `of * factor + offset`: a change of unit. */
  | {
    readonly kind: "convert";
    readonly of: Value;
    readonly factor: number;
    readonly offset: number;
  }
  /** 1 where a condition is true, 0 where it is false. */
  | { readonly kind: "truth"; readonly of: Condition }
  | ValueCall;

/** A catalog signal's value with carry-forward and staleness as rules.md says. */
export interface SignalValue {
  readonly kind: "signal";
  readonly signal: number;
  readonly type: SignalType;
}

/**
 * A part of the vehicle's position: lat or lon as they stand, both, if both are known and last came
 * at one and the same T; otherwise unknown.
 */
export interface PositionPart {
  readonly kind: "call";
  readonly fn: "latitude" | "longitude";
  /** The signals lat and lon. */
  readonly args: readonly [SignalValue, SignalValue];
}

/** Value functions; the list grows with the language. Durations are whole milliseconds. */
export type ValueCall =
  | {
    readonly kind: "call";
    readonly fn: "abs" | "sqrt" | "min" | "max" | "clamp";
    readonly args: readonly Value[];
  }
  | { readonly kind: "call"; readonly fn: "prev"; readonly args: readonly [Value] }
  | {
    readonly kind: "call";
    readonly fn: "delta" | "rate";
    readonly args: readonly [Value];
    readonly durationMs: number;
  }
  /** Seconds since the argument last came. */
  | { readonly kind: "call"; readonly fn: "age"; readonly args: readonly [Value] }
  /** Of event time: 0 to 23; 1 (Monday) to 7 (Sunday). */
  | { readonly kind: "call"; readonly fn: "hour" | "weekday" }
  | PositionPart
  /** Metres from the position at the reference. */
  | {
    readonly kind: "call";
    readonly fn: "moved";
    /** Latitude and longitude. */
    readonly args: readonly [PositionPart, PositionPart];
    readonly durationMs: number;
  }
  | {
    readonly kind: "call";
    readonly fn: WindowFunction;
    readonly args: readonly [Value];
    readonly durationMs: number;
  }
  | {
    readonly kind: "call";
    readonly fn: WeightedFunction;
    readonly args: readonly [Value];
    readonly durationMs: number;
  }
  | {
    readonly kind: "call";
    readonly fn: "count";
    readonly args: readonly [Condition];
    readonly durationMs: number;
  }
  | CustomCall<"number">;

/** A call of a custom operator; durations are numbers of milliseconds. */
export interface CustomCall<Result extends string> {
  readonly kind: "call";
  readonly fn: "custom";
  readonly result: Result;
  readonly operator: CustomReference;
  readonly args: readonly Value[];
}

/** A custom operator as it was built into the kernel. */
export interface CustomReference {
  readonly name: string;
  /** Its number there. */
  readonly index: number;
  /** Numbers that it keeps per vehicle. */
  readonly slots: number;
  /** Hash of its declaration and its source: another one keeps another state. */
  readonly hash: string;
}

/** Functions of a mean weighted by elapsed time; the duration is tau. */
export type WeightedFunction = "ewma" | "zscore";

/** Functions of the values that came within a duration. */
export type WindowFunction = "avg" | "lowest" | "highest" | "sum" | "stddev";

/** A three-valued condition. */
export type Condition =
  | { readonly kind: "boolean"; readonly value: boolean }
  /** A signal of type "boolean" used as a condition. */
  | { readonly kind: "flag"; readonly signal: number }
  | {
    readonly kind: "compare";
    readonly op: CompareOp;
    readonly left: Value;
    readonly right: Value;
    readonly term: TermText;
  }
  | { readonly kind: "and" | "or"; readonly left: Condition; readonly right: Condition }
  | { readonly kind: "not"; readonly of: Condition }
  | ConditionCall;

/** Condition functions; the list grows with the language. */
export type ConditionCall =
  | { readonly kind: "call"; readonly fn: "absent"; readonly durationMs: number }
  | { readonly kind: "call"; readonly fn: "changed"; readonly args: readonly [Value] }
  | { readonly kind: "call"; readonly fn: "rose" | "fell"; readonly args: readonly [Condition] }
  | {
    readonly kind: "call";
    readonly fn: "held";
    readonly args: readonly [Condition];
    readonly durationMs: number;
  }
  /** The position lies in a zone, or on its boundary. */
  | {
    readonly kind: "call";
    readonly fn: "inside";
    readonly zone: Zone;
    /** Latitude and longitude. */
    readonly args: readonly [PositionPart, PositionPart];
  }
  /** The second turned true, at most the duration after the first was. */
  | {
    readonly kind: "call";
    readonly fn: "seq";
    readonly args: readonly [Condition, Condition];
    readonly durationMs: number;
  }
  /** An "event" is false on samples that do not bring it. */
  | CustomCall<"condition" | "event">;

/** How a comparison is shown. */
export interface TermText {
  /** As written in the rule, spaces normalised. */
  readonly text: string;
  /** Unit of both sides as evaluated, "" for none. */
  readonly unit: string;
  /** For a comparison of a name signal: its names, to show value and limit as text. */
  readonly names?: readonly string[];
}

/** One thing that a transition shows of the rule's `when`, in order of its text. */
export type TermSource =
  | {
    readonly kind: "compare";
    readonly left: Value;
    readonly right: Value;
    readonly term: TermText;
  }
  | { readonly kind: "condition"; readonly of: Condition; readonly text: string };

/** A piece of a message: text, the vehicle's id, or a value written as `String(x)` with its unit. */
export type MessagePart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "vehicle" }
  | {
    readonly kind: "value";
    readonly of: Value;
    /** Unit written behind the number after a space ("" for none). */
    readonly unit: string;
    readonly names?: readonly string[];
  };

/** One rung of a severity ladder. */
export interface SeverityLevel {
  readonly severity: Severity;
  readonly when: Condition;
}

/** One checked rule. */
export interface Rule {
  readonly id: string;
  readonly when: Condition;
  /** What clears it; null: not `when`. */
  readonly clear: Condition | null;
  readonly forMs: number;
  readonly clearForMs: number;
  readonly cooldownMs: number;
  /** Two neighbouring trues further apart than this are not one run. */
  readonly maxGapMs: number;
  readonly once: boolean;
  /** Severity of a rule without ladder, and the lowest named of one with. */
  readonly severity: Severity;
  /** Ladder, mildest first; empty for a plain severity. */
  readonly levels: readonly SeverityLevel[];
  readonly message: readonly MessagePart[];
  /** Terms of `when`, left to right. */
  readonly terms: readonly TermSource[];
  readonly labels: Readonly<Record<string, string>>;
  /** Globs or ids that the rule is limited to; empty: all vehicles. */
  readonly vehicles: readonly string[];
  readonly runbook: string;
  /** The rule's text as it stands in the file, for people. */
  readonly source: string;
}

/** Settings that bear on meaning, from the `settings` key of `rules.yaml`. */
export interface RuleSettings {
  readonly latenessMs: number;
  readonly maxGapMs: number;
  readonly maxClockAheadMs: number;
  readonly clockResetAfterMs: number;
  readonly unknownAfterMs: number;
  readonly forgetAfterMs: number;
  readonly maxVehicles: number;
  /** Samples of one partition that may wait for older ones, where lateness is above 0. */
  readonly maxWaiting: number;
  /** Name of the time zone of `hour` and `weekday`. */
  readonly zone: string;
  /** Its offsets, oldest first: all that the engines know of it. */
  readonly zoneOffsets: readonly ZoneOffset[];
}

/** Settings as they are when the file names none. */
export const RULE_SETTINGS_DEFAULT: RuleSettings = {
  latenessMs: 0,
  maxGapMs: 120_000,
  maxClockAheadMs: 60_000,
  clockResetAfterMs: 300_000,
  unknownAfterMs: 3_600_000,
  forgetAfterMs: 30 * 86_400_000,
  maxVehicles: 100_000,
  maxWaiting: 500_000,
  zone: "UTC",
  zoneOffsets: UTC_OFFSETS,
};

/** A checked rule set with the catalog it was checked against. */
export interface RuleSet {
  readonly catalog: Catalog;
  readonly settings: RuleSettings;
  /** Zones in the order of their file. */
  readonly zones: readonly Zone[];
  /** Enabled rules in the order of the file. */
  readonly rules: readonly Rule[];
  /** 16 hexadecimal digits: 64 bits of the hash of all that bears on meaning. */
  readonly version: string;
}

/** One thing wrong with a file. */
export interface Fault {
  /** File as the user named it. */
  readonly file: string;
  readonly span: Span;
  /** What is wrong, by which rule, the value. */
  readonly message: string;
  /** What to do, or "" (`did you mean "speed"?`). */
  readonly suggestion: string;
}
