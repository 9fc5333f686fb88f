/** What the API answers and the pages show: read models of vehicles, anomalies and the pipeline. */
import type { Proof } from "./explanation.ts";
import type { VersionSource } from "./rule_versions.ts";
import type { AgentStatus } from "./agent.ts";
import type { ClearReason, Severity, Source, Term } from "./anomaly.ts";

/** What a vehicle is doing; the index is the code in a fleet frame. */
export const VEHICLE_STATES = ["moving", "idle", "stopped", "stale"] as const;
/** One of `VEHICLE_STATES`: stale is older than 30 s; idle stands with the engine running. */
export type VehicleState = typeof VEHICLE_STATES[number];

/** The latest of one vehicle. */
export interface VehicleView {
  readonly id: string;
  readonly state: VehicleState;
  /** Degrees; null while no position is known. */
  readonly lat: number | null;
  readonly lon: number | null;
  /** Degrees clockwise from north; null when unknown. */
  readonly heading: number | null;
  /** T of the latest sample, epoch milliseconds. */
  readonly at: number;
  /** A of the latest sample, epoch milliseconds. */
  readonly append: number;
  /** Latest known value of each signal that ever came, by catalog name, in the catalog's unit. */
  readonly signals: Readonly<Record<string, number>>;
  /** Open (not cleared) anomalies. */
  readonly open: number;
  /** Worst severity among them, null if none. */
  readonly severity: Severity | null;
}

/** Where an anomaly stands, as people see it. */
export const ANOMALY_STATES = ["open", "acknowledged", "snoozed", "cleared"] as const;
/** One of `ANOMALY_STATES`. */
export type AnomalyState = typeof ANOMALY_STATES[number];

/** One anomaly: its transitions folded together with what people did. */
export interface AnomalyView {
  readonly id: string;
  readonly rule: string;
  /** Of the last transition but a clearing; `message`, `terms` and `source` likewise. */
  readonly version: string;
  readonly vehicle: string;
  readonly severity: Severity;
  readonly state: AnomalyState;
  /** A rule with `once`: an event that never clears. */
  readonly once: boolean;
  readonly onset: number;
  /** T of the opening (or last reopening). */
  readonly openedAt: number;
  /** A of the opening; with `openedAt` the delay. */
  readonly append: number;
  /** T of the last transition. */
  readonly at: number;
  /** T of clearing, null while open. */
  readonly clearedAt: number | null;
  readonly reason: ClearReason | null;
  readonly count: number;
  readonly message: string;
  readonly terms: readonly Term[];
  readonly source: Source;
  /** Epoch milliseconds, null if not snoozed. */
  readonly snoozedUntil: number | null;
  readonly acknowledgedAt: number | null;
  /** Name of whoever looks after it; "" for nobody. */
  readonly assignee: string;
  /** Oldest first. */
  readonly notes: readonly AnomalyNote[];
  /** What people did about it beside notes, oldest first; the first ones go beyond a bound. */
  readonly acts: readonly AnomalyAct[];
}

/** When somebody did something; `by` is the name that they gave, "" for none. */
export interface Doing {
  /** Server clock, epoch milliseconds. */
  readonly at: number;
  readonly by: string;
}

/** What a person wrote about an anomaly. */
export interface AnomalyNote extends Doing {
  readonly text: string;
}

/** What a person did about an anomaly. */
export type AnomalyAct =
  & Doing
  & (
    | { readonly kind: "acknowledged" | "unacknowledged" | "woken" }
    /** Until then, epoch milliseconds. */
    | { readonly kind: "snoozed"; readonly until: number }
    /** "" for nobody. */
    | { readonly kind: "assigned"; readonly to: string }
  );

/** One page of anomalies, newest first. */
export interface AnomalyPage {
  readonly anomalies: readonly AnomalyView[];
  /** Hand back as `cursor` for the next page; null at the end. */
  readonly cursor: string | null;
  /** Open anomalies by severity over the whole fleet, snoozed ones not counted. */
  readonly open: Readonly<Record<Severity, number>>;
}

/** What a rule costs, measured alone over samples of the fleet's own. */
export interface RuleCost {
  /** Time that it adds to a sample, nanoseconds; null if no sample could be had. */
  readonly sampleNs: number | null;
  /** Bytes of state that it keeps of a vehicle: just heard, and at most. */
  readonly stateBytes: number;
  readonly stateBytesMax: number;
}

/** One rule as the pipeline and rules pages show it. */
export interface RuleView {
  readonly id: string;
  readonly severity: Severity;
  readonly source: string;
  /** Anomalies opened since the store began. */
  readonly fired: number;
  readonly open: number;
  /** A of the latest opening that the store still has; null if there is none. */
  readonly lastFired: number | null;
  /** Id of the anomaly that opened then; "" if there is none. */
  readonly lastId: string;
  /** null until it has been measured. */
  readonly cost: RuleCost | null;
  readonly once: boolean;
  readonly runbook: string;
}

/** One version of one rule: what a version of the rules made of it. */
export interface RuleRevision {
  readonly version: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly author: string;
  readonly message: string;
  readonly change: "added" | "changed" | "removed";
  /** Its text; "" where it was removed. */
  readonly text: string;
}

/** What one version of the rules changed of another: ids of rules. */
export interface RuleChangeView {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  /** Whether settings, catalog or zones differ. */
  readonly settings: boolean;
}

/** A version of the rules, as `GET /api/rules/versions` lists them, newest first. */
export interface VersionView {
  readonly version: string;
  /** The version before it; "" for the first. */
  readonly base: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly author: string;
  readonly message: string;
  readonly source: VersionSource;
  readonly current: boolean;
  /** null where one of the two is not understood any more, or it is the first. */
  readonly change: RuleChangeView | null;
}

/** Why an anomaly fired: `GET /api/anomalies/:id`. */
export interface ExplanationView {
  readonly anomaly: AnomalyView;
  /** Its rule as the version that raised it has it; null if that version is not known any more. */
  readonly rule: RuleView | null;
  /** That rule as it is in force now; null if there is none of that id any more. */
  readonly inForce: RuleView | null;
  /** When the version that raised it came, and from whom; null if it is not known any more. */
  readonly written: Pick<VersionView, "time" | "author" | "message"> | null;
  /** Whether the version in force is the one that raised it. */
  readonly current: boolean;
  /** Signals that the rule names, from a minute before the onset to a minute after the opening. */
  readonly series: readonly SeriesView[];
  /** Limits that stand still over those signals, in the signal's unit, as the terms had them. */
  readonly limits: readonly SignalLimit[];
  /** Topic that `anomaly.source` lies on. */
  readonly topic: string;
  /** The same evaluated anew from the log; null if it was not asked for, or cannot be told now. */
  readonly proof: Proof | null;
}

/** A value that a signal was held against. */
export interface SignalLimit {
  readonly signal: string;
  /** The term as written in the rule. */
  readonly text: string;
  readonly value: number;
}

/** Flow from source to browsers. */
export interface PipelineView {
  /** Server clock, epoch milliseconds. */
  readonly now: number;
  readonly bus: string;
  readonly version: string;
  readonly samplesPerSecond: number;
  readonly anomaliesPerSecond: number;
  /** Records that analysis has not consumed yet. */
  readonly lagRecords: number;
  /** Age of the oldest record not consumed yet; 0 when none. */
  readonly lagSeconds: number;
  readonly vehicles: number;
  /** Samples since start, as the projections counted them. */
  readonly samples: number;
  /** Objects refused, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly outOfRange: number;
  readonly unknownKeys: number;
  readonly late: number;
  readonly duplicates: number;
  /** Samples that wait for older ones of their vehicle; those that had no room to wait on. */
  readonly waiting: number;
  readonly crowded: number;
  /** Vehicles whose clock was set back, that were silent for too long, in a partition not theirs. */
  readonly clockResets: number;
  readonly forgotten: number;
  readonly misplaced: number;
  /** Open streams to browsers, and frames that slow ones skipped. */
  readonly clients: number;
  readonly framesSkipped: number;
  readonly partitions: readonly {
    readonly partition: number;
    readonly end: number;
    readonly lagRecords: number;
  }[];
  readonly agents: readonly AgentStatus[];
}

/** One signal of one vehicle over time. */
export interface SeriesView {
  readonly vehicle: string;
  readonly signal: string;
  readonly unit: string;
  /** T, epoch milliseconds, ascending. */
  readonly t: readonly number[];
  readonly v: readonly number[];
}

/** Signals as pages need them. */
export interface SignalView {
  readonly name: string;
  readonly unit: string;
  readonly type: string;
  readonly names: readonly string[];
  readonly description: string;
}

/** A zone as maps draw it: `GET /api/zones`. */
export interface ZoneView {
  readonly id: string;
  readonly name: string;
  /** Closed lines of longitudes and latitudes in degrees, by turns; holes are lines like others. */
  readonly rings: readonly (readonly number[])[];
}

/** Records of telemetry as they came within a moment: `GET /api/tail`. */
export interface TailView {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  /** Records that came meanwhile, and those of them that hold the text asked for. */
  readonly seen: number;
  readonly matched: number;
  /** Some of those, evenly over the time, oldest first. */
  readonly records: readonly TailRecord[];
}

/** One record of the tail. */
export interface TailRecord {
  readonly partition: number;
  readonly offset: number;
  /** A, epoch milliseconds. */
  readonly append: number;
  readonly key: string;
  /** Its value, or the beginning of it. */
  readonly text: string;
  /** Bytes of the value. */
  readonly bytes: number;
}

/** A fault in the form of RFC 9457. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}
