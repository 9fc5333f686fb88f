/** What an analysis agent counts, summed over its partitions. */
import type { Batch } from "../bus/port.ts";
import type { Engine, EngineCounts } from "../rules-wasm/engine_port.ts";

/** Running figures of one partition. */
export interface PartitionFigures {
  /** Records behind the newest. */
  lagRecords: number;
  /** Append time of the newest record consumed when there are more; null otherwise. */
  behindSince: number | null;
  /** Of the engine, what it took in again after a restart included. */
  counts: EngineCounts;
  /** Samples that wait for older ones of their vehicle. */
  waiting: number;
  vehicles: number;
  stateBytes: number;
}

/** Figures of all partitions that an agent holds, and totals that outlive a lease. */
export class Meter {
  readonly #partitions = new Map<number, PartitionFigures>();
  readonly #totals = new Map<string, number>();

  /** Adds to a total. */
  add(name: string, count: number): void {
    this.#totals.set(name, (this.#totals.get(name) ?? 0) + count);
  }

  /** Sets the figures of a partition. */
  set(partition: number, figures: PartitionFigures): void {
    this.#partitions.set(partition, figures);
  }

  /** Sets the figures of a partition after its engine has taken a batch in. */
  report(partition: number, batch: Batch, engine: Engine): void {
    const lagRecords = Math.max(0, batch.highWatermark - batch.nextOffset);
    this.set(partition, {
      lagRecords,
      behindSince: lagRecords > 0 ? batch.appendTimes[batch.count - 1] : null,
      counts: engine.counts(),
      waiting: engine.waiting(),
      vehicles: engine.vehicles(),
      stateBytes: engine.stateBytes(),
    });
  }

  /** Forgets a partition that was given back; what was counted stays counted. */
  drop(partition: number): void {
    const figures = this.#partitions.get(partition);
    if (!figures) return;
    for (const [name, count] of counted(figures)) this.add(name, count);
    this.#partitions.delete(partition);
  }

  /**
   * All of it by metric name.
   *
   * @param now clock, epoch milliseconds: what waits gets older while nothing is consumed
   */
  metrics(now: number): Record<string, number> {
    const metrics: Record<string, number> = {
      partitions: this.#partitions.size,
      lag_records: 0,
      lag_seconds: 0,
      vehicles: 0,
      waiting: 0,
      state_bytes: 0,
    };
    for (const [partition, figures] of this.#partitions) {
      metrics.lag_records += figures.lagRecords;
      const behindMs = figures.behindSince === null ? 0 : now - figures.behindSince;
      metrics.lag_seconds = Math.max(metrics.lag_seconds, behindMs / 1000);
      metrics.vehicles += figures.vehicles;
      metrics.waiting += figures.waiting;
      metrics.state_bytes += figures.stateBytes;
      metrics[`lag_records_p${partition}`] = figures.lagRecords;
    }
    for (const figures of this.#partitions.values()) {
      for (const [name, count] of counted(figures)) metrics[name] = (metrics[name] ?? 0) + count;
    }
    for (const [name, total] of this.#totals) metrics[name] = (metrics[name] ?? 0) + total;
    return metrics;
  }
}

/** The engine's counts by metric name. */
function counted({ counts }: PartitionFigures): readonly (readonly [string, number])[] {
  return [
    ["samples", counts.samples],
    ["refused", counts.refused],
    ["unknown_keys", counts.unknownKeys],
    ["out_of_range", counts.outOfRange],
    ["wrong_type", counts.wrongType],
    ["ticks", counts.ticks],
    ["late", counts.late],
    ["duplicates", counts.duplicates],
    ["crowded", counts.crowded],
    ["clock_resets", counts.clockResets],
    ["forgotten", counts.forgotten],
    ["misplaced", counts.misplaced],
  ];
}
