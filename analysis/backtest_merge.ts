/**
 * Merges the output of partitions: by A, then partition, then its order there.
 *
 * A transition goes out once no partition can give one that comes before it any more: that each
 * says with its clock. So the order does not depend on which thread was faster.
 */
import type { Piece } from "./backtest_piece.ts";

interface Source {
  readonly partition: number;
  /** Pieces with transitions that have not gone out, and the next of the first piece. */
  readonly pieces: Piece[];
  at: number;
  /** No transition to come has an earlier `append`. */
  clock: number;
}

/** One merging of so many partitions. */
export class Merge {
  readonly #sources: readonly Source[];
  readonly #byPartition: ReadonlyMap<number, Source>;

  /**
   * @param partitions in their order
   * @param take takes each transition as JSON
   * @param release told of the bytes of a partition that went out
   */
  constructor(
    partitions: readonly number[],
    readonly take: (value: Uint8Array) => void,
    readonly release: (partition: number, bytes: number) => void,
  ) {
    this.#sources = partitions.map((partition) => ({
      ...{ partition, pieces: [], at: 0, clock: -Infinity },
    }));
    this.#byPartition = new Map(this.#sources.map((source) => [source.partition, source]));
  }

  /** Takes a partition's next piece, and gives out what is due. */
  add(piece: Piece): void {
    const source = this.#byPartition.get(piece.partition);
    if (source === undefined) {
      throw new RangeError(
        `Cannot merge partition ${piece.partition}: it is not among those named`,
      );
    }
    source.clock = Math.max(source.clock, piece.clock);
    if (piece.appends.length > 0) source.pieces.push(piece);
    while (this.#giveOut());
  }

  /** Whether all has gone out, and nothing is to come. */
  get done(): boolean {
    return this.#sources.every(({ pieces, clock }) => pieces.length === 0 && clock === Infinity);
  }

  /** Gives out the run of transitions that come first, all of one partition. */
  #giveOut(): boolean {
    let first = -1;
    let firstKey = Infinity;
    // Of equal times the earlier partition comes first.
    this.#sources.forEach((source, i) => {
      const key = nextAppend(source);
      if (first < 0 || key < firstKey) [first, firstKey] = [i, key];
    });
    const source = this.#sources[first];
    if (source === undefined || source.pieces.length === 0) return false;
    let limit = Infinity;
    let limitAt = this.#sources.length;
    this.#sources.forEach((other, i) => {
      const key = nextAppend(other);
      if (i !== first && key < limit) [limit, limitAt] = [key, i];
    });
    this.#giveUntil(source, limit, first < limitAt);
    return true;
  }

  /** Gives out a partition's next transitions: those before `limit`, and those at it if `including`. */
  #giveUntil(source: Source, limit: number, including: boolean): void {
    let bytes = 0;
    for (let [piece] = source.pieces; piece !== undefined; [piece] = source.pieces) {
      const { values, ends, appends } = piece;
      for (; source.at < appends.length; source.at++) {
        const append = appends[source.at];
        if (append > limit || append === limit && !including) break;
        const begin = source.at === 0 ? 0 : ends[source.at - 1];
        this.take(values.subarray(begin, ends[source.at]));
        bytes += ends[source.at] - begin;
      }
      if (source.at < appends.length) break;
      source.pieces.shift();
      source.at = 0;
    }
    this.release(source.partition, bytes);
  }
}

/** `append` of a source's next transition, or the least that it can have. */
function nextAppend({ pieces, at, clock }: Source): number {
  const [piece] = pieces;
  return piece === undefined ? clock : piece.appends[at];
}
