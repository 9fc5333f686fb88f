/**
 * The broker of the simulation: topics of records in memory, atomic steps under epochs. Its calls
 * take effect at once; delays and losses lie between it and its clients.
 */
import { murmur2Partition } from "../../bus/murmur2.ts";
import {
  BusError,
  FencedError,
  type Headers,
  type Outgoing,
  RECORD_BYTES_MAX,
  RecordTooLargeError,
  type TopicSpec,
} from "../../bus/port.ts";
import { Seeded } from "../seeded.ts";
import { Group } from "./group.ts";

/** A record as it lies on a partition. */
export interface StoredRecord {
  readonly offset: number;
  readonly time: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
}

/** One partition. */
export class Part {
  records: StoredRecord[] = [];
  /** Everything ever appended, retention and compaction notwithstanding: for checks only. */
  readonly archive: StoredRecord[] = [];
  start = 0;
  next = 0;
  lastTime = -Infinity;
  /** Called at the next append. */
  waiting = new Set<() => void>();

  /** Records from `from` on, below `to`. */
  *from(from: number, to: number): Generator<StoredRecord> {
    let low = 0;
    for (let high = this.records.length; low < high;) {
      const middle = (low + high) >> 1;
      if (this.records[middle].offset < from) low = middle + 1;
      else high = middle;
    }
    for (; low < this.records.length && this.records[low].offset < to; low++) {
      yield this.records[low];
    }
  }
}

/** A topic. */
export interface StoredTopic {
  readonly spec: TopicSpec;
  readonly parts: readonly Part[];
}

/** A record that has found its partition. */
interface Placed {
  readonly part: Part;
  readonly name: string;
  readonly record: Omit<StoredRecord, "offset" | "time">;
}

/** What a step is committed under. */
export interface Claim {
  readonly group: Group;
  readonly partition: number;
  readonly epoch: number;
}

/** How a broker is broken on purpose, to see that the checks notice. */
export type Mutant =
  | "none"
  /** A step counts under any epoch. */
  | "no fencing"
  /** Now and then the outputs of a step stand without its progress. */
  | "outputs alone"
  /** Now and then the progress of a step stands without its outputs. */
  | "progress alone"
  /** Clients send a step again when no answer comes. */
  | "blind retries";

/** How the broker behaves where the contract leaves room. */
export interface BrokerHabits {
  /** Whether a step uses up an offset on each partition that it writes to, as Kafka's markers do. */
  readonly markers: boolean;
  /** Whether a rebalance takes every partition away, or only those that move. */
  readonly eager: boolean;
  /** Whether the old owner is fenced when the partition is assigned, or when the new one takes it. */
  readonly fencesAtOnce: boolean;
  /** Silence after which a member is taken for dead, milliseconds. */
  readonly expiryMs: number;
  readonly mutant: Mutant;
}

/** The broker. */
export class Broker {
  readonly topics = new Map<string, StoredTopic>();
  readonly groups = new Map<string, Group>();
  /** Told of every step that stands. */
  onStep: (claim: Claim, nextOffset: number, progress: Uint8Array) => void = () => {};

  constructor(
    readonly now: () => number,
    readonly habits: BrokerHabits,
    readonly random: Seeded,
    readonly note: (label: string) => void = () => {},
  ) {}

  ensureTopics(specs: readonly TopicSpec[]): void {
    for (const spec of specs) {
      const found = this.topics.get(spec.name);
      if (found === undefined) {
        const parts = Array.from({ length: spec.partitions }, () => new Part());
        this.topics.set(spec.name, { spec, parts });
      } else if (found.spec.cleanup !== spec.cleanup) {
        throw new BusError(
          `Cannot use ${spec.name}: it is kept by "${found.spec.cleanup}", not "${spec.cleanup}"`,
        );
      }
    }
  }

  topic(name: string): StoredTopic {
    const found = this.topics.get(name);
    if (found === undefined) throw new BusError(`Cannot find the topic ${name}`);
    return found;
  }

  part(name: string, partition: number): Part {
    const part = this.topic(name).parts[partition];
    if (part === undefined) throw new BusError(`Cannot find ${name}/${partition}`);
    return part;
  }

  group(name: string, topic: string, progressTopic: string): Group {
    const key = `${name} ${topic}`;
    const known = this.groups.get(key);
    if (known !== undefined) return known;
    const { parts } = this.topic(topic);
    const room = this.topic(progressTopic).parts.length;
    if (room < parts.length) {
      throw new BusError(`Cannot lease ${topic}: ${progressTopic} has only ${room} partitions`);
    }
    const group = new Group(name, topic, parts.length, this);
    this.groups.set(key, group);
    return group;
  }

  publish(outgoing: readonly Outgoing[]): void {
    this.#append(this.#place(outgoing));
  }

  /** Carries out a step if its claim stands. */
  step(claim: Claim, nextOffset: number, outgoing: readonly Outgoing[]): void {
    const { mutant } = this.habits;
    const placed = this.#place(outgoing);
    if (mutant !== "no fencing" && claim.group.epoch(claim.partition) !== claim.epoch) {
      this.note(`broker refuses a step of epoch ${claim.epoch} on ${claim.partition}`);
      throw new FencedError(`Cannot commit on ${claim.partition}: another member has it`);
    }
    const torn = mutant === "outputs alone" || mutant === "progress alone";
    if (torn && placed.length > 1 && this.random.chance(0.1)) {
      this.#append(mutant === "outputs alone" ? placed.slice(0, -1) : placed.slice(-1));
      throw new BusError("Cannot commit: the broker has failed");
    }
    this.#append(placed);
    if (this.habits.markers) {
      for (const part of new Set(placed.map(({ part }) => part))) part.next++;
    }
    const progress = placed.at(-1)?.record.value;
    if (progress) this.onStep(claim, nextOffset, progress);
  }

  /** Drops the records of a partition before an offset. */
  forget(topic: string, partition: number, before: number): void {
    const part = this.part(topic, partition);
    part.start = Math.max(part.start, Math.min(before, part.next));
    part.records = part.records.filter(({ offset }) => offset >= part.start);
    this.note(`broker keeps ${topic}/${partition} from ${part.start} on`);
  }

  /** Keeps the newest record of each key alone. */
  compact(topic: string, partition: number): void {
    const part = this.part(topic, partition);
    const text = new TextDecoder();
    const newest = new Map<string, number>();
    for (const { key, offset } of part.records) if (key) newest.set(text.decode(key), offset);
    part.records = part.records.filter(({ key, offset }) =>
      key === null || newest.get(text.decode(key)) === offset
    );
    this.note(`broker compacts ${topic}/${partition} to ${part.records.length} records`);
  }

  #place(
    outgoing: readonly Outgoing[],
  ): Placed[] {
    return outgoing.flatMap(({ topic, records }) => {
      const { parts } = this.topic(topic);
      return records.map(({ key, value, headers = {}, partition }, i) => {
        if (value !== null && value.length > RECORD_BYTES_MAX) {
          throw new RecordTooLargeError(`Cannot publish record ${i} to ${topic}: it is too large`);
        }
        if (partition === undefined && key === null) {
          throw new BusError(`Cannot place record ${i} on ${topic}: no key and no partition`);
        }
        const at = partition ?? murmur2Partition(key ?? new Uint8Array(0), parts.length);
        const part = parts[at];
        if (part === undefined) throw new BusError(`Cannot place a record on ${topic}/${at}`);
        const copy = { key: key && key.slice(), value: value && value.slice() };
        return { part, name: `${topic}/${at}`, record: { ...copy, headers: { ...headers } } };
      });
    });
  }

  #append(placed: readonly Placed[]): void {
    const touched = new Set<Part>();
    for (const { part, name, record } of placed) {
      // Append times never fall, whatever the clock does.
      const time = part.lastTime = Math.max(part.lastTime, Math.floor(this.now()));
      const stored = { ...record, offset: part.next++, time };
      part.records.push(stored);
      part.archive.push(stored);
      touched.add(part);
      this.note(`broker appends ${name} ${stored.offset}`);
    }
    for (const part of touched) {
      const { waiting } = part;
      part.waiting = new Set();
      for (const wake of waiting) wake();
    }
  }
}
