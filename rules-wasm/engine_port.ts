/** What evaluates rules: the kernel's engine and the reference engine both are one. */
import type { Refusal, SampleCounts } from "../contract/telemetry.ts";
import type { RecordColumns } from "./decoder_port.ts";
import type { RuleSet } from "./language/ast.ts";

/** Records to evaluate: the columns of a bus batch, offsets included. */
export interface EngineInput extends RecordColumns {
  readonly offsets: Float64Array;
}

/** One transition as a record for the anomalies topic. */
export interface AnomalyRecord {
  /** The vehicle's id, UTF-8. */
  readonly key: Uint8Array;
  /** One `Transition` as JSON, fields in the order of the contract. */
  readonly value: Uint8Array;
  /** Its `append`, epoch milliseconds. */
  readonly append: number;
}

/** What came of a batch, in the order of its causes. */
export interface PushResult {
  readonly anomalies: readonly AnomalyRecord[];
  readonly refusals: readonly Refusal[];
}

/** What came of records of a batch, up to one of them. */
export interface PushPart extends PushResult {
  /** Records of the batch taken in by now; what is left begins here. */
  readonly next: number;
}

/**
 * What a batch does beside moving the state: "live" gives transitions, "suppress" rebuilds the same
 * state without giving them, "warm" takes samples in but opens nothing.
 */
export type PushMode = "live" | "suppress" | "warm";

/** Totals since the engine was made. */
export interface EngineCounts extends SampleCounts {
  /** Samples older than the last one evaluated of their vehicle. */
  late: number;
  /** Samples that brought nothing new. */
  duplicates: number;
  /** Samples evaluated before their time, because too many waited for older ones. */
  crowded: number;
  /** Vehicles whose clock was set back. */
  clockResets: number;
  /** Vehicles forgotten after a long silence. */
  forgotten: number;
  /** Vehicles that turned up outside their partition, where the engine can tell. */
  misplaced: number;
}

/** An engine whose state can leave it and come back, to another process or a later kernel. */
export interface DurableEngine extends Engine {
  /**
   * The state as bytes, complete and checked by a sum: vehicles, clock, operators, anomalies. Counts
   * are not in it. The same state gives the same bytes. Takes time in proportion to the vehicles.
   */
  snapshot(): Uint8Array;
  /**
   * Takes over the state of a snapshot; what the engine knew is gone, but for its counts. Of a
   * snapshot of other rules it takes what its own rules keep too: state of equal structure, and
   * rules of the same id and `when`; other anomalies are dropped without a transition.
   *
   * @throws {SnapshotError} if the bytes are no snapshot, of a newer format, damaged, or of another
   * partition; the engine is then as it was
   */
  restore(snapshot: Uint8Array): void;
}

/** Evaluates a rule set over one partition. Its output depends on nothing but what is pushed. */
export interface Engine {
  /** Takes a batch in; batches come in the order of the log. How the log is cut changes nothing. */
  push(input: EngineInput, mode?: PushMode): PushResult;
  /**
   * Takes in so many records of a batch that the result stays small: it ends behind the record with
   * which there are 16,384 transitions and refusals, or 8 Mi characters of transitions. Above that
   * there is what one record, or the micro-batch of up to 1,024 samples that it is in, causes. One after the other the parts of a batch give what `push`
   * gives of all of it; between them the engine may be asked for anything.
   *
   * @param from records of the batch that were taken in before
   */
  pushPart(input: EngineInput, from: number, mode?: PushMode): PushPart;
  /** Due A of the earliest timer, epoch milliseconds; null if none is armed. */
  nextTimer(): number | null;
  /** The partition clock C: the largest A taken in, -Infinity before the first. */
  clock(): number;
  counts(): EngineCounts;
  /** Vehicles with state. */
  vehicles(): number;
  /** Anomalies open. */
  openAnomalies(): number;
  /** Samples that wait for older ones of their vehicle now. */
  waiting(): number;
  /** Bytes that state takes. */
  stateBytes(): number;
  /**
   * Other rules come into force, between two records: before the next one that is pushed.
   *
   * What both versions keep goes on as it stands; see docs/decisions for what that is. What is new
   * is taken from `warmed`, an engine of the new rules that took in the last records in mode
   * "warm"; without it, it starts empty. `warmed` stays as it is.
   *
   * @param nextA A of the next record, if it is known: timers due before it fire first, under the
   * rules as they were
   * @returns what that causes: timers, samples that need not wait, then anomalies that clear with
   * the reason "rule changed", by vehicle as last heard, then by rule
   * @throws {RangeError} if the rules ask for what the engine does not do, or `warmed` is of other
   * rules or another partition; then nothing has changed
   */
  swap(ruleSet: RuleSet, warmed?: Engine, nextA?: number): readonly AnomalyRecord[];
}
