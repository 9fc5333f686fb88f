/** Guards the number of partitions: state belongs to (partition, vehicle), and keys move with it. */
import { type Bus, progressKey } from "../bus/port.ts";
import { decodeProgress, type Progress } from "../contract/progress.ts";
import type { TopicNames } from "../contract/topics.ts";

/** Telemetry has another number of partitions than analysis began with; the message says what to do. */
export class PartitionsChangedError extends Error {
  override name = "PartitionsChangedError";
}

/** How many partitions telemetry has, held against what progress records say. */
export class PartitionCount {
  #elsewhere: Promise<Progress | null> | null = null;

  constructor(
    readonly bus: Bus,
    readonly topics: Pick<TopicNames, "telemetry" | "checkpoints">,
    readonly group: string,
  ) {}

  /**
   * Checks the progress of a partition, or where there is none (it may be a new one) that of
   * another.
   *
   * @returns the number of partitions
   * @throws {PartitionsChangedError} if there were as many as are not there now
   */
  async check(own: Progress | null): Promise<number> {
    const { telemetry } = this.topics;
    const now = await this.bus.partitions(telemetry);
    const progress = own ?? await (this.#elsewhere ??= this.#find(now));
    const before = progress?.partitions ?? 0;
    if (before === 0 || before === now) return now;
    throw new PartitionsChangedError(
      `Cannot go on over ${telemetry}: it has ${now} partitions, and had ${before} when analysis ` +
        "began over it. Vehicles have moved between partitions, and their state has not. Give " +
        "--topic-telemetry a new topic with as many partitions as are wanted, or begin anew over " +
        "this one by giving --topic-checkpoints a new name: what is retained is evaluated again",
    );
  }

  /**
   * Where the progress topic has fewer partitions than telemetry, tells whether that is because
   * telemetry was given more.
   *
   * @throws {PartitionsChangedError} if so
   */
  async checkRoom(): Promise<void> {
    const { telemetry, checkpoints } = this.topics;
    const room = await this.bus.partitions(checkpoints);
    if (room < await this.bus.partitions(telemetry)) await this.check(null);
  }

  /** The newest progress of the first partition that has any. */
  async #find(partitions: number): Promise<Progress | null> {
    const { telemetry, checkpoints } = this.topics;
    const key = progressKey(this.group, telemetry);
    const text = new TextDecoder();
    const count = Math.min(partitions, await this.bus.partitions(checkpoints));
    for (let partition = 0; partition < count; partition++) {
      let newest: Uint8Array | null = null;
      for await (const batch of this.bus.range(checkpoints, partition, 0, Infinity)) {
        for (let i = 0; i < batch.count; i++) {
          const bytes = batch.key(i);
          if (bytes === null || text.decode(bytes) !== key || batch.tombstone(i)) continue;
          newest = batch.values.slice(i === 0 ? 0 : batch.valueEnds[i - 1], batch.valueEnds[i]);
        }
      }
      if (newest !== null) return decodeProgress(newest);
    }
    return null;
  }
}
