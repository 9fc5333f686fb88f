/** A bus that holds one topic, for tests over logs in memory. */
import { type Batch, type Bus, BusError } from "../bus/port.ts";
import type { LogRecord } from "../rules-wasm/reference/random_log.ts";
import { asBatch } from "../rules-wasm/reference/random_log.ts";

/** Makes one of a single partition; what is before `start` is gone. */
export function logBus(log: readonly LogRecord[], start = 0): Bus {
  return partitionedBus([log], start);
}

/**
 * Makes one of a partition for each log; of all of them what is before `start` is gone.
 *
 * @param batchRecords records of a batch
 */
export function partitionedBus(
  logs: readonly (readonly LogRecord[])[],
  start = 0,
  batchRecords = 50,
): Bus {
  const no = () => {
    throw new BusError("This bus only reads");
  };
  return {
    kind: "log",
    ensureTopics: no,
    partitions: () => Promise.resolve(logs.length),
    publish: no,
    lease: no,
    tail: no,
    async *range(topic, partition, from, to): AsyncGenerator<Batch> {
      const log = logs[partition];
      for (let at = Math.max(from, start); at < Math.min(to, log.length); at += batchRecords) {
        const end = Math.min(at + batchRecords, to, log.length);
        await Promise.resolve();
        yield {
          ...{ topic, partition, nextOffset: end, highWatermark: log.length },
          ...asBatch(log, at, end),
          key: () => null,
          headers: () => ({}),
          tombstone: () => false,
        };
      }
    },
    bounds: () => Promise.resolve(logs.map(({ length }) => ({ start, end: length }))),
    offsetAt: (_topic, partition, time) => {
      const found = logs[partition].findIndex(({ append }, i) => i >= start && append >= time);
      return Promise.resolve(found < 0 ? logs[partition].length : found);
    },
    metrics: () => ({}),
    close: () => Promise.resolve(),
  };
}
