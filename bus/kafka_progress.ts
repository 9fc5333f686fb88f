/** Finds the newest record of one key at the end of a compacted partition. */
import { readRange, settle } from "./kafka_range.ts";
import type { KafkaReader } from "./kafka_reader.ts";
import type { KafkaSite } from "./kafka_rights.ts";
import { BusError } from "./port.ts";

/** Offsets looked through first; each further window is this many times larger. */
const WINDOW_OFFSETS = 64;
const WINDOW_GROWTH = 16;
/** Longest wait for transactions of others on the same partition, milliseconds. */
const SETTLE_MS_MAX = 40_000;

/**
 * The newest committed value of a key; null if there is none, or a tombstone.
 *
 * It looks backwards in growing windows: each step writes a progress record, so that the newest
 * lies near the end.
 */
export async function readNewest(
  reader: KafkaReader,
  site: KafkaSite,
  topic: string,
  partition: number,
  key: Uint8Array,
): Promise<Uint8Array | null> {
  if (!await settle(reader, topic, partition, SETTLE_MS_MAX)) {
    throw new BusError(
      `Cannot read progress from ${topic}/${partition}: a transaction on it stays open for more ` +
        `than ${SETTLE_MS_MAX} ms; find it with kafka-transactions`,
    );
  }
  const start = (await reader.offsets(topic, "start"))[partition];
  let high = (await reader.offsets(topic, "end"))[partition];
  for (let window = WINDOW_OFFSETS; high > start; window *= WINDOW_GROWTH) {
    const low = Math.max(start, high - window);
    let found: Uint8Array | null | undefined;
    for await (const batch of readRange(reader, site, topic, partition, low, high)) {
      for (let i = 0; i < batch.count; i++) {
        if (!sameBytes(batch.key(i), key)) continue;
        const begin = i === 0 ? 0 : batch.valueEnds[i - 1];
        found = batch.tombstone(i) ? null : batch.values.slice(begin, batch.valueEnds[i]);
      }
    }
    if (found !== undefined) return found;
    high = low;
  }
  return null;
}

function sameBytes(a: Uint8Array | null, b: Uint8Array): boolean {
  if (a === null || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
