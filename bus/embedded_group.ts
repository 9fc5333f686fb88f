/**
 * Groups of the embedded bus: who is in one, and who owns which partition, as tables.
 *
 * Every member looks at the tables now and then and does its own part: it removes members that have
 * not beaten for too long, gives up what is beyond its share and takes what is free within it. All
 * of it happens in transactions; every change of owner raises the partition's epoch.
 */
import type { StatementSync } from "node:sqlite";
import type { Store } from "./embedded_store.ts";
import { toNumber, toText } from "./embedded_schema.ts";

/** A right to a partition as it stands in the table. */
export interface Claim {
  readonly partition: number;
  readonly epoch: number;
}

/** What a look at the tables shows to one member. */
export interface GroupView {
  /** Whether the member is in the table still. */
  readonly joined: boolean;
  /** Partitions that the table gives to the member. */
  readonly mine: readonly Claim[];
  /** Members whose time is up, or that have ended. */
  readonly expired: readonly string[];
  /** Partitions that the member has to give up. */
  readonly excess: readonly number[];
  /** Free partitions within the member's share. */
  readonly takeable: readonly number[];
}

/** Clock steps up to which a member's expiry may lie ahead of its timeout. */
const CLOCK_STEP_MS = 60_000;

/** The tables of one group on one topic, as one member works on them. */
export class GroupTable {
  readonly #members: StatementSync;
  readonly #everyone: StatementSync;
  readonly #owners: StatementSync;
  readonly #join: StatementSync;
  readonly #beat: StatementSync;
  readonly #remove: StatementSync;
  readonly #free: StatementSync;
  readonly #release: StatementSync;
  readonly #freeAll: StatementSync;
  readonly #take: StatementSync;
  readonly #step: StatementSync;
  readonly #progress: StatementSync;

  constructor(
    store: Store,
    readonly group: string,
    readonly topic: string,
    readonly partitions: number,
    readonly memberId: string,
    readonly expiryMs: number,
  ) {
    const sql = (text: string) => store.database.prepare(text);
    this.#members = sql("SELECT id, expires FROM members WHERE grp = ? AND topic = ? ORDER BY seq");
    this.#everyone = sql("SELECT id FROM members");
    this.#owners = sql("SELECT part, member, epoch FROM owners WHERE grp = ? AND topic = ?");
    this.#join = sql(
      `INSERT OR REPLACE INTO members
       SELECT ?, ?, ?, coalesce(max(seq), 0) + 1, ? FROM members`,
    );
    this.#beat = sql("UPDATE members SET expires = ? WHERE id = ?");
    this.#remove = sql("DELETE FROM members WHERE id = ?");
    this.#free = sql(
      `UPDATE owners SET member = NULL, epoch = epoch + 1
       WHERE grp = ? AND topic = ? AND part = ? AND member = ?`,
    );
    this.#release = sql(
      `UPDATE owners SET member = NULL, epoch = epoch + 1
       WHERE grp = ? AND topic = ? AND part = ? AND member = ? AND epoch = ?`,
    );
    this.#freeAll = sql(
      `UPDATE owners SET member = NULL, epoch = epoch + 1
       WHERE grp = ? AND topic = ? AND member = ?`,
    );
    this.#take = sql(
      `INSERT INTO owners VALUES (?, ?, ?, ?, 1, 0, NULL)
       ON CONFLICT DO UPDATE SET member = excluded.member, epoch = epoch + 1`,
    );
    this.#step = sql(
      `UPDATE owners SET committed = ?, progress = ?
       WHERE grp = ? AND topic = ? AND part = ? AND member = ? AND epoch = ?`,
    );
    this.#progress = sql("SELECT progress FROM owners WHERE grp = ? AND topic = ? AND part = ?");
  }

  /** Ids of the members of all groups. */
  everyone(): ReadonlySet<string> {
    return new Set(this.#everyone.all().map(({ id }) => toText(id)));
  }

  /** Ids of the other members. */
  others(): string[] {
    const ids = this.#members.all(this.group, this.topic).map(({ id }) => toText(id));
    return ids.filter((id) => id !== this.memberId);
  }

  /**
   * What there is to do; reads only.
   *
   * @param dead members known to have ended, whatever their time
   */
  view(now: number, dead: ReadonlySet<string>): GroupView {
    const members: string[] = [];
    const expired: string[] = [];
    for (const row of this.#members.all(this.group, this.topic)) {
      const id = toText(row.id);
      const left = toNumber(row.expires) - now;
      const live = left > 0 && left < this.expiryMs + CLOCK_STEP_MS && !dead.has(id);
      if (live || id === this.memberId) members.push(id);
      else expired.push(id);
    }
    const owned = new Set<number>();
    const mine: Claim[] = [];
    for (const row of this.#owners.all(this.group, this.topic)) {
      if (row.member === null) continue;
      const owner = toText(row.member);
      const partition = toNumber(row.part);
      if (members.includes(owner)) owned.add(partition);
      if (owner === this.memberId) mine.push({ partition, epoch: toNumber(row.epoch) });
    }
    const rank = members.indexOf(this.memberId);
    const share = rank < 0 ? 0 : shareOf(this.partitions, members.length, rank);
    const takeable: number[] = [];
    for (let i = 0; i < this.partitions && takeable.length < share - mine.length; i++) {
      if (!owned.has(i)) takeable.push(i);
    }
    const excess = mine.slice(share).map(({ partition }) => partition);
    return { joined: rank >= 0, mine, expired, excess, takeable };
  }

  /** Enters the member, or enters it again; within a transaction. */
  join(now: number): void {
    this.#join.run(this.memberId, this.group, this.topic, Math.floor(now + this.expiryMs));
  }

  /** Beats and does the member's part of what a view shows; within a transaction. */
  settle(now: number, dead: ReadonlySet<string>): void {
    const seen = this.view(now, dead);
    for (const id of seen.expired) this.remove(id);
    if (seen.joined) this.#beat.run(Math.floor(now + this.expiryMs), this.memberId);
    else this.join(now);
    // Removing may have enlarged the share, entering may have made it: look again.
    const { excess, takeable } = this.view(now, dead);
    for (const partition of excess) {
      this.#free.run(this.group, this.topic, partition, this.memberId);
    }
    for (const partition of takeable) {
      this.#take.run(this.group, this.topic, partition, this.memberId);
    }
  }

  /** Gives up a claim if it still stands; within a transaction. */
  release({ partition, epoch }: Claim): void {
    this.#release.run(this.group, this.topic, partition, this.memberId, epoch);
  }

  /** Removes a member with all that it owns; within a transaction. */
  remove(memberId: string): void {
    this.#freeAll.run(this.group, this.topic, memberId);
    this.#remove.run(memberId);
  }

  /**
   * Notes a step's offset and progress if the claim still stands; within a transaction.
   *
   * @returns whether it does; nothing was written otherwise
   */
  step({ partition, epoch }: Claim, nextOffset: number, progress: Uint8Array): boolean {
    const { changes } = this.#step.run(
      nextOffset,
      progress,
      this.group,
      this.topic,
      partition,
      this.memberId,
      epoch,
    );
    return Number(changes) === 1;
  }

  /** The newest progress record of a partition, whoever wrote it. */
  progress(partition: number): Uint8Array | null {
    const value = this.#progress.get(this.group, this.topic, partition)?.progress;
    return value instanceof Uint8Array ? value : null;
  }
}

/** Partitions that the member of a rank may hold: even, the older members hold one more. */
function shareOf(partitions: number, members: number, rank: number): number {
  return Math.floor(partitions / members) + (rank < partitions % members ? 1 : 0);
}
