/**
 * A group member as a process of its own, for tests that stop and kill it: copies each record of a
 * topic to another, a batch a step, with its place as progress.
 *
 * Arguments: BROKERS INPUT OUTPUT PROGRESS
 */
import { type Batch, BusError, type Lease } from "../bus/port.ts";
import { openBus } from "./kafka_support.ts";

/** Records of a batch as they are published again. */
function copies(batch: Batch): { key: null; value: Uint8Array; partition: number }[] {
  let start = 0;
  return Array.from(batch.valueEnds, (end) => {
    const value = batch.values.slice(start, end);
    start = end;
    return { key: null, value, partition: batch.partition };
  });
}

async function copy(lease: Lease, output: string): Promise<void> {
  const progress = await lease.progress();
  const from = progress === null ? 0 : Number(new TextDecoder().decode(progress));
  for await (const batch of lease.read(from)) {
    if (batch === null) continue;
    await lease.commit({
      nextOffset: batch.nextOffset,
      outputs: [{ topic: output, records: copies(batch) }],
      progress: new TextEncoder().encode(String(batch.nextOffset)),
    });
  }
}

if (import.meta.main) {
  const [brokers, topic, output, progressTopic] = Deno.args;
  const stop = new AbortController();
  Deno.addSignalListener("SIGTERM", () => stop.abort());
  const bus = await openBus(brokers.split(","));
  const { signal } = stop;
  const work: Promise<void>[] = [];
  for await (const lease of bus.lease({ topic, group: `copy.${topic}`, progressTopic, signal })) {
    // A refused step ends the work on this lease; the bus gives a new one if the partition stays.
    work.push(
      copy(lease, output).catch((error: unknown) => {
        if (!(error instanceof BusError)) throw error;
      }),
    );
  }
  await Promise.all(work);
  await bus.close();
  Deno.exit(0);
}
