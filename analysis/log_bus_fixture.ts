/** A bus that holds one partition of one topic, for tests over logs in memory. */
import { type Batch, type Bus, BusError } from "../bus/port.ts";
import type { LogRecord } from "../rules-wasm/reference/random_log.ts";
import { asBatch } from "../rules-wasm/reference/random_log.ts";

/** Makes one; what is before `start` is gone. */
export function logBus(log: readonly LogRecord[], start = 0): Bus {
  const no = () => {
    throw new BusError("This bus only reads");
  };
  return {
    kind: "log",
    ensureTopics: no,
    partitions: () => Promise.resolve(1),
    publish: no,
    lease: no,
    tail: no,
    async *range(topic, partition, from, to): AsyncGenerator<Batch> {
      for (let at = Math.max(from, start); at < Math.min(to, log.length); at += 50) {
        const end = Math.min(at + 50, to, log.length);
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
    bounds: () => Promise.resolve([{ start, end: log.length }]),
    offsetAt: (_topic, _partition, time) => {
      const found = log.findIndex(({ append }, i) => i >= start && append >= time);
      return Promise.resolve(found < 0 ? log.length : found);
    },
    metrics: () => ({}),
    close: () => Promise.resolve(),
  };
}
