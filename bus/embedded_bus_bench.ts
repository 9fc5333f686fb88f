/**
 * How fast the embedded bus is: publishing and reading back, durable and not.
 *
 * `deno run --no-check --allow-read --allow-write --allow-env bus/embedded_bus_bench.ts`
 */
import { type EmbeddedBusOptions, openEmbeddedBus } from "./embedded_bus.ts";
import type { Bus, OutgoingRecord } from "./port.ts";

/** One measured figure. */
export interface BusFigure {
  /** What was done. */
  readonly name: string;
  readonly samplesPerSecond: number;
  readonly megabytesPerSecond: number;
}

/** How much is measured. */
export interface BusBenchOptions {
  /** Samples of each figure, in whole thousands; default 400,000. */
  readonly samples?: number;
  /** Bytes of one sample; default 200. */
  readonly sampleBytes?: number;
}

const SAMPLES_PER_BLOB = 1_000;
const RECORDS_PER_CALL = 1_000;
const PARTITIONS = 8;
const TOPIC = "bench";

/**
 * Measures publishing in blobs and in single records, and reading back, at both levels of fsync.
 *
 * Takes some seconds and a temporary folder of some hundred megabytes, which it removes.
 */
export async function benchEmbeddedBus(options: BusBenchOptions = {}): Promise<BusFigure[]> {
  const asked = options.samples ?? 400_000;
  const samples = Math.ceil(asked / SAMPLES_PER_BLOB) * SAMPLES_PER_BLOB;
  const sampleBytes = options.sampleBytes ?? 200;
  const figures: BusFigure[] = [];
  for (const fsync of ["always", "interval"] as const) {
    const measure = async (name: string, run: (bus: Bus) => Promise<void>, bus: Bus) => {
      const start = performance.now();
      await run(bus);
      const seconds = (performance.now() - start) / 1_000;
      figures.push({
        name: `${name}, fsync ${fsync}`,
        samplesPerSecond: samples / seconds,
        megabytesPerSecond: samples * sampleBytes / seconds / 1e6,
      });
    };
    await withBus({ fsync }, async (bus) => {
      await measure("publish blobs of 1,000", (to) => blobs(to, samples, sampleBytes, 1), bus);
      await measure("read blobs back", (from) => readBack(from, samples * sampleBytes), bus);
    });
    await withBus({ fsync }, async (bus) => {
      const run = (to: Bus) => blobs(to, samples, sampleBytes, PARTITIONS);
      await measure("publish blobs of 1,000, eight calls at a time", run, bus);
    });
    await withBus({ fsync }, async (bus) => {
      await measure("publish 1,000 records a call", (to) => singles(to, samples, sampleBytes), bus);
      await measure("read records back", (from) => readBack(from, samples * sampleBytes), bus);
    });
  }
  return figures;
}

async function withBus(
  options: Pick<EmbeddedBusOptions, "fsync">,
  run: (bus: Bus) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "kilter-bench-" });
  try {
    const bus = await openEmbeddedBus({ dir, retainEveryMs: 0, ...options }, {
      now: () => Date.now(),
      events: () => {},
    });
    try {
      await bus.ensureTopics([{
        name: TOPIC,
        partitions: PARTITIONS,
        cleanup: "delete",
        retentionMs: Infinity,
        retentionBytes: Infinity,
      }]);
      await run(bus);
    } finally {
      await bus.close();
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** One record of many samples a call, the partitions in turn. */
async function blobs(
  bus: Bus,
  samples: number,
  sampleBytes: number,
  atOnce: number,
): Promise<void> {
  const value = noise(SAMPLES_PER_BLOB * sampleBytes);
  const count = samples / SAMPLES_PER_BLOB;
  for (let i = 0; i < count; i += atOnce) {
    const calls = Array.from({ length: Math.min(atOnce, count - i) }, (_, j) => {
      const record = { key: null, value, partition: (i + j) % PARTITIONS };
      return bus.publish([{ topic: TOPIC, records: [record] }]);
    });
    await Promise.all(calls);
  }
}

/** Many keyed records of one sample a call. */
async function singles(bus: Bus, samples: number, sampleBytes: number): Promise<void> {
  const encoder = new TextEncoder();
  const value = noise(sampleBytes);
  const records: OutgoingRecord[] = Array.from({ length: RECORDS_PER_CALL }, (_, i) => ({
    key: encoder.encode(`VEHICLE-${String(i).padStart(9, "0")}`),
    value,
  }));
  for (let i = 0; i * RECORDS_PER_CALL < samples; i++) {
    await bus.publish([{ topic: TOPIC, records }]);
  }
}

async function readBack(bus: Bus, bytes: number): Promise<void> {
  let read = 0;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    for await (const batch of bus.range(TOPIC, partition, 0, Infinity)) read += batch.values.length;
  }
  if (read !== bytes) throw new Error(`Read ${read} bytes back, published ${bytes}`);
}

function noise(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 32 + Math.imul(i, 2_654_435_761) % 90);
}

if (import.meta.main) {
  for (const { name, samplesPerSecond, megabytesPerSecond } of await benchEmbeddedBus()) {
    const rate = Math.round(samplesPerSecond).toLocaleString("en");
    const line = `${name}: ${rate} samples/s, ${Math.round(megabytesPerSecond)} MB/s\n`;
    await Deno.stdout.write(new TextEncoder().encode(line));
  }
}
