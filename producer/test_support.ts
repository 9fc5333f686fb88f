/** A bus that only remembers, and what tests make of it. */
import type { Bus, Outgoing, OutgoingRecord } from "../bus/port.ts";
import type { Catalog } from "../contract/catalog.ts";
import { loadCatalog } from "../rules-wasm/language/catalog_file.ts";

/** A record as it was published; key and value as text. */
export interface Published {
  readonly topic: string;
  readonly key: string | null;
  readonly value: string;
  readonly record: OutgoingRecord;
}

/** Remembers what is published and can do nothing else. */
export class MemoryBus implements Bus {
  readonly kind = "memory";
  readonly published: Published[] = [];
  publishes = 0;
  /** Called before a publish resolves; may throw. */
  onPublish: () => void | Promise<void> = () => {};

  async publish(outgoing: readonly Outgoing[]): Promise<void> {
    this.publishes++;
    const decoder = new TextDecoder();
    const copies = outgoing.flatMap(({ topic, records }) =>
      records.map((record) => ({
        topic,
        key: record.key === null ? null : decoder.decode(record.key),
        value: decoder.decode(record.value ?? new Uint8Array()),
        record,
      }))
    );
    await this.onPublish();
    this.published.push(...copies);
  }

  /** All lines published, in order. */
  lines(): string[] {
    return this.published.flatMap(({ value }) => value.split("\n"));
  }

  /** All lines of one key. */
  linesOf(key: string | null): string[] {
    return this.published.filter((each) => each.key === key).flatMap(({ value }) =>
      value.split("\n")
    );
  }

  ensureTopics = () => Promise.resolve();
  partitions = () => Promise.resolve(1);
  bounds = () => Promise.resolve([]);
  offsetAt = () => Promise.resolve(0);
  close = () => Promise.resolve();
  metrics = () => ({});

  lease(): never {
    throw new Error("Cannot read a memory bus");
  }

  tail(): never {
    throw new Error("Cannot read a memory bus");
  }

  range(): never {
    throw new Error("Cannot read a memory bus");
  }
}

/** The catalog that ships. */
export function shippedCatalog(): Catalog {
  const path = new URL("../rules-wasm/signals.yaml", import.meta.url);
  const result = loadCatalog(Deno.readTextFileSync(path), { file: "signals.yaml" });
  if (!result.ok) throw new Error(result.faults.map((fault) => fault.message).join("; "));
  return result.catalog;
}

/** A clock that sleeping moves on. */
export class FakeClock {
  slept = 0;

  constructor(public ms: number) {}

  now = (): number => this.ms;

  sleep = (ms: number, signal: AbortSignal): Promise<void> => {
    if (!signal.aborted) {
      this.ms += Math.max(1, ms);
      this.slept++;
    }
    return Promise.resolve();
  };
}

/** Runs with a folder of its own, which is gone afterwards. */
export async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kilter-producer-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Folder of the real recordings, or null where they are not. */
export function realData(): string | null {
  const folder = `${import.meta.dirname}/../../shared/data/`;
  try {
    return Deno.statSync(folder).isDirectory ? folder : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
