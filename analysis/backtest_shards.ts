/**
 * A recording's vehicles shared out among several engines, with the output of one.
 *
 * The samples come in rounds. Each engine takes in its own vehicles' of a round, then a tick at the
 * round's last A, so that it has fired the timers that one engine over all of them would have: what
 * a round causes then comes out within the round, and is put in the order of its causes.
 */
import { decodeTransition } from "../contract/anomaly.ts";
import type { EngineCounts, EngineInput } from "../rules-wasm/engine_port.ts";
import type { Piece } from "./backtest_piece.ts";
import type { OrderedBatch } from "./recording_stream.ts";

/** What one push gave: transitions as columns, and the engine's totals. */
export interface Pushed extends Pick<Piece, "values" | "ends" | "appends"> {
  readonly counts: EngineCounts;
  readonly waiting: number;
}

/** An engine that may be in another thread; pushes are taken in the order in which they are made. */
export interface DistantEngine {
  push(input: EngineInput): Promise<Pushed>;
}

/** What the engines gave of a round. */
export interface RoundResult {
  /** All transitions, in order. */
  readonly values: readonly Uint8Array[];
  /** What each engine gave, and how many samples it had. */
  readonly pushed: readonly Pushed[];
  readonly samples: readonly number[];
}

/** A transition of a round with its place among the others. */
interface Placed {
  readonly value: Uint8Array;
  readonly append: number;
  readonly shard: number;
  readonly index: number;
}

/** What orders transitions of one A: samples before timers, `absent` before forgetting. */
interface Cause {
  readonly rank: number;
  /** A and line of the sample that it comes from. */
  readonly append: number;
  readonly line: number;
}

/** Shares rounds out and puts together what comes of them. */
export class Shards {
  /** A of each vehicle's last sample of the rounds put together, by slot. */
  readonly #heard: number[] = [];
  readonly #slots = new Map<string, number>();

  /** @param vehicle id of a slot */
  constructor(
    readonly engines: readonly DistantEngine[],
    readonly vehicle: (slot: number) => string,
  ) {}

  /** Hands a round out; `put` puts it together, in the order of the rounds. */
  async push(round: OrderedBatch): Promise<() => RoundResult> {
    const shares = shareOut(round, this.engines.length);
    const columns = shares.map(({ offsets, appendTimes }) => ({ offsets, appendTimes }));
    const samples = shares.map(({ count }) => count - 1);
    const pushed = await Promise.all(shares.map((share, i) => this.engines[i].push(share)));
    return () => {
      const values = this.#ordered(pushed, columns);
      this.#hear(round);
      return { values, pushed, samples };
    };
  }

  /** A tick for all of them. */
  async tick(append: number): Promise<RoundResult> {
    const none = { count: 0, values: new Uint8Array(0), valueEnds: new Uint32Array(0) };
    const times = new Float64Array(0);
    const empty = { ...none, appendTimes: times, offsets: times, slots: new Uint32Array(0) };
    const shares = this.engines.map(() => shareOf(empty, [], append));
    const pushed = await Promise.all(shares.map((share, i) => this.engines[i].push(share)));
    const values = this.#ordered(pushed, shares);
    return { values, pushed, samples: shares.map(() => 0) };
  }

  #ordered(
    pushed: readonly Pushed[],
    shares: readonly Pick<EngineInput, "offsets" | "appendTimes">[],
  ): readonly Uint8Array[] {
    const placed = pushed.flatMap(({ values, ends, appends }, shard) =>
      [...appends].map((append, index): Placed => ({
        value: values.subarray(index === 0 ? 0 : ends[index - 1], ends[index]),
        ...{ append, shard, index },
      }))
    );
    if (pushed.length > 1) {
      const causes = new Map<Placed, Cause>();
      const causeOf = (each: Placed): Cause => {
        const known = causes.get(each) ?? this.#causeOf(each, shares[each.shard]);
        causes.set(each, known);
        return known;
      };
      placed.sort((a, b) => {
        if (a.append !== b.append) return a.append - b.append;
        if (a.shard === b.shard) return a.index - b.index;
        const [x, y] = [causeOf(a), causeOf(b)];
        return x.rank - y.rank || x.append - y.append || x.line - y.line;
      });
    }
    return placed.map(({ value }) => value);
  }

  #causeOf(
    { value, append }: Placed,
    { offsets, appendTimes }: Pick<EngineInput, "offsets" | "appendTimes">,
  ): Cause {
    const transition = decodeTransition(value);
    const line = Number(transition.source.offset);
    const at = offsets.indexOf(line);
    if (at >= 0 && appendTimes[at] === append) return { rank: 0, append, line };
    // A timer: it counts from a sample of this round, or from the vehicle's last before it.
    const slot = this.#slots.get(transition.vehicle);
    const heard = at >= 0 ? appendTimes[at] : slot === undefined ? NaN : this.#heard[slot];
    const forgotten = transition.kind === "cleared" && transition.reason === "forgotten";
    return { rank: forgotten ? 2 : 1, append: heard, line };
  }

  #hear({ slots, appendTimes }: OrderedBatch): void {
    slots.forEach((slot, i) => {
      if (this.#heard[slot] === undefined) this.#slots.set(this.vehicle(slot), slot);
      this.#heard[slot] = appendTimes[i];
    });
  }
}

/** The samples of each engine, and a tick behind them. */
function shareOut(round: OrderedBatch, shards: number): EngineInput[] {
  const rows: number[][] = Array.from({ length: shards }, () => []);
  round.slots.forEach((slot, i) => rows[slot % shards].push(i));
  const last = round.appendTimes[round.count - 1];
  return rows.map((own) => shareOf(round, own, last));
}

function shareOf(round: OrderedBatch, rows: readonly number[], tickAt: number): EngineInput {
  const { values, valueEnds, appendTimes, offsets } = round;
  const begin = (i: number) => i === 0 ? 0 : valueEnds[i - 1];
  const count = rows.length + 1;
  const bytes = rows.reduce((sum, i) => sum + valueEnds[i] - begin(i), 0);
  const share = {
    count,
    values: new Uint8Array(bytes),
    valueEnds: new Uint32Array(count).fill(bytes),
    appendTimes: new Float64Array(count).fill(tickAt),
    offsets: new Float64Array(count).fill(-1),
  };
  let end = 0;
  rows.forEach((i, row) => {
    share.values.set(values.subarray(begin(i), valueEnds[i]), end);
    end += valueEnds[i] - begin(i);
    share.valueEnds[row] = end;
    share.appendTimes[row] = appendTimes[i];
    share.offsets[row] = offsets[i];
  });
  return share;
}
