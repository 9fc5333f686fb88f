/** One membership of a group: keeps it alive and turns what the tables say into leases. */
import { assignedEvent } from "./assigned_event.ts";
import { isDead, MemberLock } from "./embedded_member_lock.ts";
import type { BusParts } from "./embedded_parts.ts";
import { type Claim, GroupTable } from "./embedded_group.ts";
import { EmbeddedLease } from "./embedded_lease.ts";
import { isBusy, isNoRoom, toBusError } from "./embedded_schema.ts";
import type { BusError, Lease, LeaseOptions } from "./port.ts";

/** Beats within the time after which a silent member is removed. */
const BEATS_PER_EXPIRY = 6;
/** Looks at the tables within that time: how soon a member sees that others came or went. */
const LOOKS_PER_EXPIRY = 30;
/** First and longest pause before a partition is leased again after steps that failed. */
const FAILED_MS_MIN = 100;
const FAILED_MS_MAX = 5_000;
/** Pause between two tries to beat where the disk has no room, and time between two events of it. */
const NO_ROOM_MS = 500;
const NO_ROOM_EVENT_MS = 10_000;
/** Shortest and longest pause between two looks. */
const LOOK_MS_MIN = 5;
const LOOK_MS_MAX = 100;

/** Membership from the first lease asked for until `end`, the signal's abort or the loop's end. */
export class Membership {
  readonly #parts: BusParts;
  readonly #options: LeaseOptions;
  readonly #table: GroupTable;
  readonly #leases = new Map<number, EmbeddedLease>();
  /** Leases made and not yet handed out. */
  readonly #fresh: EmbeddedLease[] = [];
  readonly #ending = new AbortController();
  readonly #onSignal = () => void this.end("the membership has ended");
  #keeping: Promise<void> = Promise.resolve();
  #ended: Promise<void> | null = null;
  #beatAt = -Infinity;
  /** By partition: the lease that ended with a failed step, and when the next one is made. */
  readonly #failures = new Map<
    number,
    { readonly lease: EmbeddedLease; readonly pauseMs: number; readonly until: number }
  >();
  #noRoomToldAt = -Infinity;
  /** Tells the others that this thread lives; null where the folder takes no such file. */
  #lock: MemberLock | null = null;
  /** Members whose threads have ended, until the table no longer names them. */
  #dead: ReadonlySet<string> = new Set();
  #toldOf: string | null = null;
  readonly #expiredTold = new Set<string>();
  /** Why the membership could not be kept, if so. */
  #failure: BusError | null = null;
  /** Resolved when a lease is to be handed out, or keeping the membership failed. */
  #nudge = Promise.withResolvers<void>();

  constructor(parts: BusParts, options: LeaseOptions) {
    this.#parts = parts;
    this.#options = options;
    const { topic, group } = options;
    const { partitions } = parts.store.topic(topic);
    const id = crypto.randomUUID();
    this.#table = new GroupTable(parts.store, group, topic, partitions, id, parts.expiryMs);
  }

  /** Leases as they are assigned; once. */
  async *leases(): AsyncGenerator<Lease> {
    const { signal } = this.#options;
    if (signal.aborted) return;
    signal.addEventListener("abort", this.#onSignal);
    try {
      // The membership lives on while the caller is busy with a lease.
      this.#keeping = this.#keep();
      while (!this.#ending.signal.aborted) {
        const lease = this.#fresh.shift();
        if (lease !== undefined) {
          if (!lease.lost.aborted) yield lease;
        } else if (this.#failure !== null) {
          throw this.#failure;
        } else {
          this.#nudge = Promise.withResolvers<void>();
          await this.#nudge.promise;
        }
      }
    } finally {
      await this.end("the membership has ended");
    }
  }

  /** Ends the membership, its leases at once; resolves when its partitions are free. */
  end(why: string): Promise<void> {
    return this.#ended ??= this.#end(why);
  }

  async #end(why: string): Promise<void> {
    this.#ending.abort();
    this.#options.signal.removeEventListener("abort", this.#onSignal);
    for (const lease of this.#leases.values()) lease.lose(why);
    this.#leases.clear();
    this.#nudge.resolve();
    await this.#keeping;
    await this.#leave();
    this.#lock?.release();
  }

  /** Looks at the tables time and again; what a lease gave back is taken anew by that. */
  async #keep(): Promise<void> {
    const { expiryMs, store } = this.#parts;
    const pauseMs = Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, expiryMs / LOOKS_PER_EXPIRY));
    this.#takeLock();
    try {
      for (let first = true; !this.#ending.signal.aborted;) {
        try {
          await this.#look(first);
          first = false;
        } catch (error) {
          // Nobody else can write either: nothing is lost by waiting for room, or for a process that
          // was stopped within a transaction.
          if (!isNoRoom(error) && !isBusy(error)) throw error;
          this.#tellOfWait(error);
          await pause(NO_ROOM_MS, this.#ending.signal);
        }
        await pause(pauseMs, this.#ending.signal);
      }
    } catch (error) {
      this.#failure = toBusError(store.path, "keep a group", error);
      this.#nudge.resolve();
    }
  }

  async #look(first: boolean): Promise<void> {
    const now = this.#parts.now();
    const seen = this.#parts.store.attempt("look up a group", () => {
      const { dir } = this.#parts;
      const others = this.#table.others();
      this.#dead = new Set(others.filter((id) => this.#dead.has(id) || isDead(dir, id)));
      return this.#table.view(now, this.#dead);
    });
    this.#drop(seen.mine);
    this.#grantAgain(seen.mine);
    const beatMs = this.#parts.expiryMs / BEATS_PER_EXPIRY;
    // A clock that was set back must not silence the member.
    const due = Math.abs(now - this.#beatAt) >= beatMs;
    const idle = seen.joined &&
      seen.expired.length + seen.excess.length + seen.takeable.length === 0;
    if (idle && !due) return;
    for (const id of seen.expired) {
      // While the disk has no room they stay in the table, and are seen again.
      if (this.#expiredTold.has(id)) continue;
      this.#expiredTold.add(id);
      this.#parts.events({
        level: "warn",
        name: "bus.member_expired",
        message: `Member ${id} of ${this.#table.group} on ${this.#table.topic} ` +
          (this.#dead.has(id) ? "has ended" : `was silent for ${this.#parts.expiryMs} ms`) +
          ": its partitions go to the others",
      });
    }
    if (!seen.joined && !first) {
      this.#parts.events({
        level: "warn",
        name: "bus.member_rejoined",
        message: `This member of ${this.#table.group} on ${this.#table.topic} was taken for dead ` +
          "and joins anew: its thread was blocked for too long",
      });
    }
    let claims: readonly Claim[] = [];
    await this.#parts.writer.run({ action: "keep a group", durable: false }, () => {
      const at = this.#parts.now();
      this.#table.settle(at, this.#dead);
      claims = this.#table.view(at, this.#dead).mine;
    });
    this.#beatAt = now;
    this.#expiredTold.clear();
    if (this.#ending.signal.aborted) return;
    this.#drop(claims);
    this.#tellOfShare(claims);
    for (const claim of claims) {
      if (!this.#leases.has(claim.partition)) this.#grant(claim);
    }
  }

  /** Leases anew, after a growing pause, what ended with a step that failed and is still ours. */
  #grantAgain(claims: readonly Claim[]): void {
    const now = performance.now();
    for (const claim of claims) {
      const lease = this.#leases.get(claim.partition);
      if (lease === undefined || !lease.failed) continue;
      let failure = this.#failures.get(claim.partition);
      if (failure?.lease !== lease) {
        const doubled = Math.min(FAILED_MS_MAX, 2 * (failure?.pauseMs ?? 0));
        const pauseMs = lease.steps > 0 ? FAILED_MS_MIN : Math.max(FAILED_MS_MIN, doubled);
        failure = { lease, pauseMs, until: now + pauseMs };
        this.#failures.set(claim.partition, failure);
      }
      if (now >= failure.until) this.#grant(claim);
    }
  }

  #takeLock(): void {
    const { dir, events, expiryMs } = this.#parts;
    try {
      this.#lock = MemberLock.take(dir, this.#table.memberId, this.#table.everyone());
    } catch (error) {
      events({
        level: "warn",
        name: "bus.member_unlocked",
        message: `${error instanceof Error ? error.message : String(error)}; should this member ` +
          `die, its partitions come free after ${expiryMs} ms instead of at once`,
      });
    }
  }

  #tellOfShare(claims: readonly Claim[]): void {
    const { group, topic } = this.#table;
    const event = assignedEvent(group, topic, claims.map(({ partition }) => partition));
    if (event.message === this.#toldOf) return;
    this.#toldOf = event.message;
    this.#parts.events(event);
  }

  #tellOfWait(error: unknown): void {
    const now = performance.now();
    if (now - this.#noRoomToldAt < NO_ROOM_EVENT_MS) return;
    this.#noRoomToldAt = now;
    this.#parts.events({
      level: "error",
      name: isBusy(error) ? "bus.locked" : "bus.no_room",
      message: `${error instanceof Error ? error.message : String(error)}; it is tried again`,
    });
  }

  #drop(claims: readonly Claim[]): void {
    for (const [partition, lease] of this.#leases) {
      const stands = claims.some((claim) =>
        claim.partition === partition && claim.epoch === lease.claim.epoch
      );
      if (stands) continue;
      this.#leases.delete(partition);
      lease.lose("the partition is another member's");
    }
  }

  #grant(claim: Claim): void {
    const lease = new EmbeddedLease(this.#parts, this.#options, this.#table, claim);
    this.#leases.set(claim.partition, lease);
    this.#fresh.push(lease);
    this.#nudge.resolve();
  }

  async #leave(): Promise<void> {
    try {
      await this.#parts.writer.run(
        { action: "leave a group", durable: false },
        () => this.#table.remove(this.#table.memberId),
      );
    } catch (error) {
      this.#parts.events({
        level: "warn",
        name: "bus.leave_failed",
        message: `Cannot leave the group ${this.#table.group}: ${
          error instanceof Error ? error.message : String(error)
        }; its partitions come free in ${this.#parts.expiryMs} ms`,
      });
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
