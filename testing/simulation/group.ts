/** A group's coordinator: members, which partitions they hold, and under which epochs. */
import type { Broker } from "./broker.ts";

interface Seat {
  owner: string | null;
  /** Grows with every taking; a step under an older one is refused. */
  epoch: number;
}

/** A group on a topic. */
export class Group {
  readonly #members = new Map<string, { heardAt: number }>();
  readonly #seats: Seat[];

  constructor(
    readonly name: string,
    readonly topic: string,
    partitions: number,
    readonly broker: Broker,
  ) {
    this.#seats = Array.from({ length: partitions }, () => ({ owner: null, epoch: 0 }));
  }

  /** Members that are taken for alive. */
  get members(): number {
    return this.#members.size;
  }

  epoch(partition: number): number {
    return this.#seats[partition].epoch;
  }

  /** A member is heard of: it joins if it is new. @returns epochs by partitions that are its own */
  beat(member: string): ReadonlyMap<number, number> {
    const { now, habits } = this.broker;
    for (const [id, { heardAt }] of this.#members) {
      // A clock that was set back must not keep the dead alive.
      const silent = Math.abs(now() - heardAt) > habits.expiryMs;
      if (id !== member && silent) this.#remove(id, "is silent");
    }
    const known = this.#members.get(member);
    if (known) known.heardAt = now();
    else {
      this.#members.set(member, { heardAt: now() });
      this.broker.note(`group: ${member} joins`);
      this.rebalance();
    }
    return new Map(
      this.#seats.flatMap(({ owner, epoch }, partition): [number, number][] =>
        owner === member ? [[partition, epoch]] : []
      ),
    );
  }

  /**
   * A member takes what is its own: whoever had it before is refused from now on.
   *
   * @returns the epoch of its lease; null if it is another's
   */
  take(member: string, partition: number): number | null {
    const seat = this.#seats[partition];
    if (seat.owner !== member) return null;
    return ++seat.epoch;
  }

  /** Gives a partition back under a claim. */
  release(partition: number, epoch: number): void {
    const seat = this.#seats[partition];
    if (seat.epoch !== epoch) return;
    seat.epoch++;
    // Whoever has the seat takes it anew, or the next does.
    if (this.broker.random.chance(0.3)) this.rebalance(partition);
  }

  leave(member: string): void {
    if (this.#members.has(member)) this.#remove(member, "leaves");
  }

  /** Distributes the partitions evenly; all of them, those without an owner, or one at least. */
  rebalance(shaken?: number): void {
    const { habits, random, note } = this.broker;
    const members = random.shuffled([...this.#members.keys()]);
    if (members.length === 0) {
      this.#seats.forEach((_, partition) => this.#give(partition, null));
      return;
    }
    const most = Math.ceil(this.#seats.length / members.length);
    const held = new Map(members.map((id) => [id, 0]));
    const free: number[] = [];
    this.#seats.forEach(({ owner }, partition) => {
      const count = owner === null ? undefined : held.get(owner);
      const stays = count !== undefined && count < most && !habits.eager && partition !== shaken;
      if (stays && owner !== null) held.set(owner, count + 1);
      else free.push(partition);
    });
    for (const partition of free) {
      const [least] = members.toSorted((a, b) => (held.get(a) ?? 0) - (held.get(b) ?? 0));
      held.set(least, (held.get(least) ?? 0) + 1);
      this.#give(partition, least);
    }
    this.#even(members, held);
    note(`group: ${this.#seats.map(({ owner }) => owner ?? "-").join(" ")}`);
  }

  /** Moves partitions from who has most to who has least until they differ by one at most. */
  #even(members: readonly string[], held: Map<string, number>): void {
    for (;;) {
      const sorted = members.toSorted((a, b) => (held.get(a) ?? 0) - (held.get(b) ?? 0));
      const least = sorted[0];
      const most = sorted[sorted.length - 1];
      if ((held.get(most) ?? 0) - (held.get(least) ?? 0) < 2) return;
      this.#give(this.#seats.findIndex(({ owner }) => owner === most), least);
      held.set(most, (held.get(most) ?? 0) - 1);
      held.set(least, (held.get(least) ?? 0) + 1);
    }
  }

  #give(partition: number, owner: string | null): void {
    const seat = this.#seats[partition];
    if (seat.owner === owner && !this.broker.habits.eager) return;
    seat.owner = owner;
    if (this.broker.habits.fencesAtOnce) seat.epoch++;
  }

  #remove(member: string, why: string): void {
    this.#members.delete(member);
    for (const seat of this.#seats) if (seat.owner === member) seat.owner = null;
    this.broker.note(`group: ${member} ${why}`);
    this.rebalance();
  }
}
