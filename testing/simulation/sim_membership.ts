/** A membership of a group, and the leases that it hands out. */
import {
  type Batch,
  FencedError,
  type Lease,
  type LeaseOptions,
  OffsetGoneError,
  type Outgoing,
  progressKey,
  RecordTooLargeError,
  type Step,
} from "../../bus/port.ts";
import type { Group } from "./group.ts";
import { fetch, type Fetched } from "./sim_batch.ts";
import { copied, type SimBus } from "./sim_bus.ts";

const IDLE_MS = 100;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One membership, until its signal aborts or its bus closes. */
export class SimMembership {
  readonly #leases = new Map<number, SimLease>();
  readonly #fresh: SimLease[] = [];
  readonly #ending = new AbortController();
  readonly #group: Group;
  #keeping: Promise<void> = Promise.resolve();
  #ended: Promise<void> | null = null;
  #nudge = Promise.withResolvers<void>();

  constructor(readonly bus: SimBus, readonly options: LeaseOptions, readonly id: string) {
    this.#group = bus.broker.group(options.group, options.topic, options.progressTopic);
  }

  /** Leases as they are assigned. */
  async *leases(): AsyncGenerator<Lease> {
    const { signal } = this.options;
    const stop = () => void this.end("the membership has ended");
    if (signal.aborted) return;
    signal.addEventListener("abort", stop);
    try {
      this.#keeping = this.#keep();
      while (!this.#ending.signal.aborted) {
        const lease = this.#fresh.shift();
        if (lease === undefined) {
          this.#nudge = Promise.withResolvers<void>();
          await this.#nudge.promise;
        } else if (!lease.lost.aborted) yield lease;
      }
    } finally {
      signal.removeEventListener("abort", stop);
      await this.end("the membership has ended");
    }
  }

  /** Ends it: its leases at once, its place in the group when the broker hears of it. */
  end(why: string): Promise<void> {
    return this.#ended ??= this.#end(why);
  }

  async #end(why: string): Promise<void> {
    this.#ending.abort();
    for (const lease of this.#leases.values()) lease.lose(why);
    this.#nudge.resolve();
    await this.#keeping;
    await this.#try(() => this.bus.process.call("leave", () => this.#group.leave(this.id)));
  }

  async #keep(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const mine = await this.#try(() => this.#call("beat", () => this.#group.beat(this.id)));
      if (signal.aborted) return;
      if (mine !== null) await this.#obey(mine);
      await this.bus.process.sleep(this.bus.habits.beatMs, signal);
    }
  }

  /** Drops what is another's by now, takes what is new. */
  async #obey(mine: ReadonlyMap<number, number>): Promise<void> {
    for (const [partition, lease] of this.#leases) {
      if (mine.get(partition) !== lease.epoch) lease.lose("the partition is another member's");
      if (lease.lost.aborted) this.#leases.delete(partition);
    }
    for (const partition of mine.keys()) {
      if (this.#leases.has(partition)) continue;
      const epoch = await this.#try(() =>
        this.#call("take", () => this.#group.take(this.id, partition))
      );
      if (this.#ending.signal.aborted) return;
      if (epoch === null) continue;
      const lease = new SimLease(this.bus, this.options, this.#group, partition, epoch);
      this.#leases.set(partition, lease);
      this.#fresh.push(lease);
      this.#nudge.resolve();
    }
  }

  #call<T>(op: string, effect: () => T): Promise<T> {
    return this.bus.process.call(op, effect);
  }

  /** What fails is tried again at the next look. */
  async #try<T>(run: () => Promise<T>): Promise<T | null> {
    try {
      return await run();
    } catch {
      return null;
    }
  }
}

/** A lease under one epoch. */
class SimLease implements Lease {
  readonly topic: string;
  readonly lost: AbortSignal;
  readonly #lost = new AbortController();

  constructor(
    readonly bus: SimBus,
    readonly options: LeaseOptions,
    readonly group: Group,
    readonly partition: number,
    readonly epoch: number,
  ) {
    this.topic = options.topic;
    this.lost = this.#lost.signal;
  }

  lose(why: string): void {
    this.#lost.abort(new FencedError(`The lease of ${this.topic}/${this.partition} ended: ${why}`));
  }

  progress(): Promise<Uint8Array | null> {
    const { progressTopic } = this.options;
    return this.bus.call("read progress", () => {
      const { records } = this.bus.broker.part(progressTopic, this.partition);
      const newest = records.findLast(({ key }) =>
        key !== null && decoder.decode(key) === this.#key
      );
      return newest?.value?.slice() ?? null;
    });
  }

  bounds(): Promise<{ start: number; end: number }> {
    return this.bus.call("find bounds", () => {
      const { start, next } = this.bus.broker.part(this.topic, this.partition);
      return { start, end: next };
    });
  }

  async *read(offset: number): AsyncGenerator<Batch | null> {
    const stop = AbortSignal.any([this.lost, this.bus.closing]);
    let at = offset;
    let ahead: Promise<Fetched | null> | null = null;
    while (!stop.aborted) {
      const found = await (ahead ?? this.#fetch(at, stop));
      ahead = null;
      if (stop.aborted) return;
      if (found === null) {
        yield null;
        continue;
      }
      at = found.nextOffset;
      const { batch } = found;
      if (batch === null) continue;
      if (this.bus.habits.ahead) {
        ahead = this.#fetch(at, stop);
        // It is awaited when the next one is asked for, if ever.
        ahead.catch(() => {});
      }
      yield batch;
      batch.spoil();
    }
  }

  async commit(step: Step): Promise<void> {
    if (this.lost.aborted) throw this.#fenced();
    const { bus, group, partition, epoch } = this;
    const progress = { key: encoder.encode(this.#key), value: step.progress, partition };
    const outgoing: Outgoing[] = copied([
      ...step.outputs,
      { topic: this.options.progressTopic, records: [progress] },
    ]);
    const claim = { group, partition, epoch };
    const send = () => bus.call("commit", () => bus.broker.step(claim, step.nextOffset, outgoing));
    try {
      if (bus.broker.habits.mutant !== "blind retries") await send();
      else await send().catch(send);
    } catch (error) {
      // What is too large was looked at before anything was sent.
      if (error instanceof RecordTooLargeError) throw error;
      this.lose(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  async release(): Promise<void> {
    if (this.lost.aborted) return;
    this.lose("it was given back");
    const { bus, group, partition, epoch } = this;
    await bus.call("release", () => group.release(partition, epoch));
  }

  #fetch(from: number, stop: AbortSignal): Promise<Fetched | null> {
    const { bus, topic, partition, options } = this;
    const part = bus.broker.part(topic, partition);
    return bus.persist(
      stop,
      () =>
        bus.process.poll("fetch", [part], options.idleMs ?? IDLE_MS, () => {
          if (from < part.start) {
            throw new OffsetGoneError(
              `Cannot read ${topic}/${partition} from ${from}: the oldest kept is ${part.start}`,
              part.start,
            );
          }
          const limits = bus.limits(options.bytesInFlight);
          return fetch(topic, partition, part, from, Infinity, limits);
        }),
    );
  }

  get #key(): string {
    return progressKey(this.options.group, this.topic);
  }

  #fenced(): FencedError {
    return new FencedError(
      `Cannot commit a step of ${this.topic}/${this.partition}: the lease has ended`,
      { cause: this.lost.reason },
    );
  }
}
