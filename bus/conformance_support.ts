/** What the conformance cases share: waiting with a bound, records as plain objects, members. */
import type { Batch, Bus, Headers, Lease, TopicSpec } from "./port.ts";

/** A bus opened for one case. */
export interface BusUnderTest {
  readonly bus: Bus;
  /** One more bus over the same data, as another thread or process has it; the caller closes it. */
  another(): Promise<Bus>;
  /** Makes the bus drop the records before `before`, as its retention would. */
  forget(topic: string, partition: number, before: number): Promise<void>;
  /** Closes `bus` and all that opening made. */
  close(): Promise<void>;
}

/** What a case is given. */
export interface CaseContext extends BusUnderTest {
  /** A topic name that no other case uses. */
  name(label: string): string;
  /** Creates topics with such names, "delete" and kept for ever unless told otherwise. */
  topic(label: string, spec?: Partial<TopicSpec>): Promise<string>;
  /** Longest wait for anything that must come, milliseconds. */
  readonly waitMs: number;
}

/** One promise that every bus keeps. */
export interface ConformanceCase {
  readonly name: string;
  run(context: CaseContext): Promise<void>;
}

/** A record as the cases compare it. */
export interface SeenRecord {
  readonly partition: number;
  readonly offset: number;
  readonly appendTime: number;
  readonly key: string | null;
  /** Null for a tombstone. */
  readonly value: string | null;
  readonly headers: Headers;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** UTF-8 of a text. */
export function bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Text of UTF-8 bytes. */
export function text(value: Uint8Array | null): string | null {
  return value === null ? null : decoder.decode(value);
}

/** The records of a batch. */
export function records(batch: Batch): SeenRecord[] {
  const seen: SeenRecord[] = [];
  for (let i = 0; i < batch.count; i++) {
    seen.push({
      partition: batch.partition,
      offset: batch.offsets[i],
      appendTime: batch.appendTimes[i],
      key: text(batch.key(i)),
      value: batch.tombstone(i) ? null : text(valueOf(batch, i)),
      headers: batch.headers(i),
    });
  }
  return seen;
}

/** Value i of a batch, a view. */
export function valueOf(batch: Batch, i: number): Uint8Array {
  return batch.values.subarray(i === 0 ? 0 : batch.valueEnds[i - 1], batch.valueEnds[i]);
}

/** Awaits what must come within `waitMs`. */
export async function within<T>(waitMs: number, what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Waited ${waitMs} ms in vain for ${what}`)),
    waitMs,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until a condition holds, looking every few milliseconds. */
export async function eventually(
  waitMs: number,
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = Date.now() + waitMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Waited ${waitMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** All records of a partition, by `range`. */
export async function everything(bus: Bus, topic: string, partition = 0): Promise<SeenRecord[]> {
  const seen: SeenRecord[] = [];
  for await (const batch of bus.range(topic, partition, 0, Infinity)) seen.push(...records(batch));
  return seen;
}

/** Records of a tail until there are `count` of them; ends the tail then. */
export async function tailRecords(
  context: CaseContext,
  topic: string,
  from: "earliest" | "latest" | ReadonlyMap<number, number>,
  count: number,
): Promise<SeenRecord[]> {
  const stop = new AbortController();
  const seen: SeenRecord[] = [];
  const reading = (async () => {
    for await (const batch of context.bus.tail({ topic, from, signal: stop.signal })) {
      seen.push(...records(batch));
      if (seen.length >= count) break;
    }
  })();
  try {
    await within(context.waitMs, `${count} records of ${topic}`, reading);
  } finally {
    stop.abort();
    await reading;
  }
  return seen;
}

/** A group member that keeps track of its leases. */
export class Member {
  /** Leases that are not lost, by partition. */
  readonly held = new Map<number, Lease>();
  /** Leases that were lost, in that order. */
  readonly lost: Lease[] = [];
  #stop = new AbortController();
  #running: Promise<void>;

  /** @param onLease told of every lease; what it returns is awaited by `leave` */
  constructor(
    bus: Bus,
    options: {
      topic: string;
      group: string;
      progressTopic: string;
      bytesInFlight?: number;
      idleMs?: number;
    },
    onLease: (lease: Lease) => Promise<void> = () => Promise.resolve(),
  ) {
    this.#running = this.#run(bus, { ...options, signal: this.#stop.signal }, onLease);
  }

  /** Ends the membership and waits for it, and for what `onLease` returned. */
  async leave(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(
    bus: Bus,
    options: Parameters<Bus["lease"]>[0],
    onLease: (lease: Lease) => Promise<void>,
  ): Promise<void> {
    const work: Promise<void>[] = [];
    for await (const lease of bus.lease(options)) {
      this.held.set(lease.partition, lease);
      lease.lost.addEventListener("abort", () => {
        this.lost.push(lease);
        if (this.held.get(lease.partition) === lease) this.held.delete(lease.partition);
      });
      work.push(onLease(lease));
    }
    await Promise.all(work);
  }
}

/** The lease of one partition of a one-member group, when it is there. */
export async function leaseOf(
  context: CaseContext,
  member: Member,
  partition: number,
): Promise<Lease> {
  await eventually(
    context.waitMs,
    `partition ${partition} is leased`,
    () => member.held.has(partition),
  );
  const lease = member.held.get(partition);
  if (lease === undefined) throw new Error(`Lease of partition ${partition} was lost at once`);
  return lease;
}
