/**
 * Lanes: the partitions of a back-test that one thread works on, each with an engine of its own.
 *
 * The lane that is furthest back in A goes on first, so that what they give can be merged as it
 * comes. A lane whose output nobody has taken yet waits: memory is bounded, however long the log.
 */
import { type Bus, BusError } from "../bus/port.ts";
import type { AnomalyRecord, Engine } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import type { RuleSource } from "../rules-wasm/rule_source.ts";
import type { MakeEngine } from "./backtest_options.ts";
import { columnsOf, type Piece, reportOf } from "./backtest_piece.ts";
import { type Stretch, stretchesOf } from "./log_versions.ts";

/** The records of one partition that are to be evaluated. */
export interface LaneJob {
  readonly partition: number;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** What lanes run with. */
export interface LaneOptions {
  readonly bus: Bus;
  readonly topic: string;
  readonly ruleSet: RuleSet;
  /** Runs the versions that were in force, as the activations say, instead of `ruleSet`. */
  readonly asLive?: RuleSource;
  readonly createEngine: MakeEngine;
  /** Ends as if with a tick there; infinite: with the last record. */
  readonly toMs: number;
  readonly signal: AbortSignal;
  /** Gives way to signals, timers and messages; called after every batch. */
  readonly turn: () => Promise<void>;
}

/** Output of all lanes together that may wait for being taken, bytes, and of one lane at least. */
const HELD_BYTES_MAX = 32 << 20;
const LANE_HELD_BYTES = 256 << 10;

/** Output of each of so many lanes that may wait for being taken, bytes; a batch's may exceed it. */
export function heldBytesMax(lanes: number): number {
  return Math.max(LANE_HELD_BYTES, Math.floor(HELD_BYTES_MAX / Math.max(1, lanes)));
}

/** What one batch of a lane gave. */
interface LaneStep {
  readonly engine: Engine;
  readonly anomalies: readonly AnomalyRecord[];
  readonly appendTimes: Float64Array;
}

interface Lane {
  readonly job: LaneJob;
  readonly steps: AsyncGenerator<LaneStep>;
  clock: number;
  /** Bytes of output that nobody has taken yet. */
  held: number;
  done: boolean;
}

/** Some lanes of a back-test, to be run once. */
export class Lanes {
  readonly #lanes: readonly Lane[];
  #wake = Promise.withResolvers<void>();

  /** @param heldMax output of one lane that may wait for being taken, bytes */
  constructor(
    readonly options: LaneOptions,
    jobs: readonly LaneJob[],
    readonly heldMax: number,
  ) {
    this.#lanes = jobs.map((job) => ({
      ...{ job, steps: laneSteps(options, job) },
      ...{ clock: -Infinity, held: 0, done: false },
    }));
  }

  /**
   * Runs until every lane has come to its end, or the signal aborts.
   *
   * @param receive takes each piece; of each lane in order
   * @throws {BusError} if the log cannot be read
   */
  async run(receive: (piece: Piece) => void): Promise<void> {
    const { signal, turn } = this.options;
    const stop = () => this.#wake.resolve();
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted && this.#lanes.some(({ done }) => !done)) {
        const lane = this.#furthestBack();
        if (lane === null) {
          await this.#wake.promise;
          this.#wake = Promise.withResolvers();
          continue;
        }
        await this.#advance(lane, receive);
        await turn();
      }
    } finally {
      signal.removeEventListener("abort", stop);
      for (const { steps } of this.#lanes) await steps.return(undefined);
    }
  }

  /** So much of a lane's output has been taken. */
  release(partition: number, bytes: number): void {
    for (const lane of this.#lanes) if (lane.job.partition === partition) lane.held -= bytes;
    this.#wake.resolve();
  }

  #furthestBack(): Lane | null {
    let found: Lane | null = null;
    for (const lane of this.#lanes) {
      if (lane.done || lane.held >= this.heldMax) continue;
      if (found === null || lane.clock < found.clock) found = lane;
    }
    return found;
  }

  async #advance(lane: Lane, receive: (piece: Piece) => void): Promise<void> {
    const { value: step, done } = await lane.steps.next();
    // What was stopped has not come to its end.
    if (this.options.signal.aborted || done === true) return;
    const { engine, anomalies, appendTimes } = step;
    lane.done = appendTimes.length === 0;
    lane.clock = lane.done ? Infinity : Math.max(lane.clock, engine.clock());
    const columns = columnsOf(anomalies);
    lane.held += columns.values.length;
    receive({
      ...{ partition: lane.job.partition, ...columns, clock: lane.clock },
      report: reportOf(engine, appendTimes),
    });
  }
}

/** The lane batch by batch; the last step has no records. */
async function* laneSteps(options: LaneOptions, job: LaneJob): AsyncGenerator<LaneStep> {
  const { bus, topic, signal, createEngine } = options;
  const { partition, from, to } = job;
  let at = from;
  try {
    const stretches = stretchesIn(options, job);
    const engine = createEngine(stretches[0]?.ruleSet ?? options.ruleSet, { partition });
    for (const [i, stretch] of stretches.entries()) {
      let change = i === 0 ? null : await warmed(options, partition, stretch);
      at = stretch.from;
      for await (const batch of bus.range(topic, partition, stretch.from, stretch.to)) {
        if (signal.aborted) return;
        const caused = change === null
          ? []
          : [...engine.swap(stretch.ruleSet, change.engine, batch.appendTimes[0])];
        change = null;
        for (let first = 0; first < batch.count;) {
          const { anomalies, next } = engine.pushPart(batch, first);
          const appendTimes = batch.appendTimes.subarray(first, next);
          yield { engine, anomalies: [...caused.splice(0), ...anomalies], appendTimes };
          first = next;
        }
        at = batch.nextOffset;
      }
    }
    if (signal.aborted) return;
    yield { engine, anomalies: endAt(engine, options.toMs), appendTimes: new Float64Array(0) };
  } catch (error) {
    // The bus says itself where it failed.
    if (error instanceof BusError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Cannot evaluate ${topic}/${partition} from offset ${at} on (of ${from} to ${to}): ${why}`,
      { cause: error },
    );
  }
}

function stretchesIn({ asLive, ruleSet }: LaneOptions, { partition, from, to }: LaneJob) {
  return asLive === undefined
    ? [{ ruleSet, from, to, warmedFrom: from }]
    : stretchesOf(asLive, partition, from, to, ruleSet);
}

/** The engine aside that a change of rules was warmed with; undefined where nothing was new. */
async function warmed(
  options: LaneOptions,
  partition: number,
  { ruleSet, from, warmedFrom }: Stretch,
): Promise<{ readonly engine: Engine | undefined }> {
  if (warmedFrom >= from) return { engine: undefined };
  const { bus, topic, signal, turn } = options;
  const engine = options.createEngine(ruleSet, { partition });
  for await (const batch of bus.range(topic, partition, warmedFrom, from)) {
    if (signal.aborted) break;
    engine.push(batch, "warm");
    await turn();
  }
  return { engine };
}

/** As if a tick came at `toMs`: timers due by then fire. */
export function endAt(engine: Engine, toMs: number): readonly AnomalyRecord[] {
  if (!Number.isFinite(toMs)) return [];
  return engine.push({
    count: 1,
    values: new Uint8Array(0),
    valueEnds: Uint32Array.of(0),
    appendTimes: Float64Array.of(toMs),
    offsets: Float64Array.of(-1),
  }).anomalies;
}
