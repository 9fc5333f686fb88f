/** What a back-test of one partition tells, piece by piece: in the form in which it can be sent. */
import type { AnomalyRecord, Engine, EngineCounts } from "../rules-wasm/engine_port.ts";

/** How far an engine is. */
export interface EngineReport {
  /** Records that it was given since the last report. */
  readonly records: number;
  /** Least and greatest A among them; Infinity and -Infinity if there were none. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Totals of the engine. */
  readonly counts: EngineCounts;
  readonly waiting: number;
}

/** What came of some records of a partition. */
export interface Piece {
  readonly partition: number;
  /** Transitions as JSON, back to back, and where each ends. */
  readonly values: Uint8Array<ArrayBuffer>;
  readonly ends: Uint32Array<ArrayBuffer>;
  /** `append` of each, never falling. */
  readonly appends: Float64Array<ArrayBuffer>;
  /** No transition to come has an earlier `append`; Infinity with the partition's last piece. */
  readonly clock: number;
  readonly report: EngineReport;
}

/** Says how far an engine is that was given records of these append times. */
export function reportOf(engine: Engine, appendTimes: Float64Array): EngineReport {
  let firstMs = Infinity;
  let lastMs = -Infinity;
  for (const time of appendTimes) {
    if (time < firstMs) firstMs = time;
    if (time > lastMs) lastMs = time;
  }
  const [counts, waiting] = [engine.counts(), engine.waiting()];
  return { records: appendTimes.length, firstMs, lastMs, counts, waiting };
}

/** Lays transitions out as columns. */
export function columnsOf(
  anomalies: readonly AnomalyRecord[],
): Pick<Piece, "values" | "ends" | "appends"> {
  const ends = new Uint32Array(anomalies.length);
  let bytes = 0;
  anomalies.forEach(({ value }, i) => ends[i] = bytes += value.length);
  const values = new Uint8Array(bytes);
  anomalies.forEach(({ value }, i) => values.set(value, ends[i] - value.length));
  return { values, ends, appends: Float64Array.from(anomalies, ({ append }) => append) };
}
