/**
 * The writer of one thread: what is asked for in one turn goes into one transaction.
 *
 * Each job checks before it writes, so that one that is refused leaves nothing and its neighbours
 * stand. A fault of the file takes all of the transaction with it.
 */
import type { DatabaseSync } from "node:sqlite";
import { nextTurn } from "./embedded_changes.ts";
import { isBusy, toBusError } from "./embedded_schema.ts";
import { BusError } from "./port.ts";

/** Bytes of one transaction beyond which the next begins, so that others are not kept waiting. */
const TRANSACTION_BYTES_MAX = 8 << 20;
/** Pauses between tries for the lock. */
const LOCK_PAUSE_MS = 2;
/** Longest wait for the lock unless set, with nobody of this thread blocked meanwhile. */
export const LOCK_WAIT_MS = 10_000;

interface Job {
  readonly action: string;
  readonly bytes: number;
  readonly durable: boolean;
  readonly write: () => void;
  readonly done: PromiseWithResolvers<void>;
}

/** How a job is written. */
export interface JobOptions {
  /** What it does, as in "Cannot <action>". */
  readonly action: string;
  /** Bytes that it writes, about. */
  readonly bytes?: number;
  /** Whether it must survive power loss where the bus promises that; default true. */
  readonly durable?: boolean;
}

/** Writes jobs in the order in which they come. */
export class Writer {
  /** Transactions carried out. */
  transactions = 0;
  /** Times that the lock was not to be had at once. */
  lockWaits = 0;
  readonly #queue: Job[] = [];
  #running: Promise<void> | null = null;
  #soft = false;
  #closed = false;

  /**
   * @param strict whether durable jobs are synced to the disk at once
   * @param onCommit told after each transaction with a durable job: others hold no records
   * @param lockWaitMs longest wait for another's transaction to end
   */
  constructor(
    readonly database: DatabaseSync,
    readonly path: string,
    readonly strict: boolean,
    readonly onCommit: () => void,
    readonly lockWaitMs: number = LOCK_WAIT_MS,
  ) {}

  /**
   * Runs `write` in a transaction; resolves when that is committed.
   *
   * @param write checks first and throws a BusError before it has written anything, or not at all
   */
  run({ action, bytes = 0, durable = true }: JobOptions, write: () => void): Promise<void> {
    if (this.#closed) {
      return Promise.reject(new BusError(`Cannot ${action} in ${this.path}: the bus is closed`));
    }
    const done = Promise.withResolvers<void>();
    this.#queue.push({ action, bytes, durable, write, done });
    this.#running ??= this.#drain();
    return done.promise;
  }

  /** Jobs that wait for their transaction; whoever asked waits with them. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Writes what is queued; later jobs are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      // A turn in which more jobs may join.
      await nextTurn();
      const jobs: Job[] = [];
      for (let bytes = 0; this.#queue.length > 0 && bytes < TRANSACTION_BYTES_MAX;) {
        const [job] = this.#queue.splice(0, 1);
        bytes += job.bytes;
        jobs.push(job);
      }
      await this.#write(jobs);
    }
    this.#running = null;
  }

  async #write(jobs: readonly Job[]): Promise<void> {
    const refused = new Map<Job, BusError>();
    try {
      this.#synchronous(jobs.some(({ durable }) => durable));
      await this.#begin();
      try {
        for (const job of jobs) {
          try {
            job.write();
          } catch (error) {
            if (!(error instanceof BusError)) throw error;
            refused.set(job, error);
          }
        }
        this.database.exec("COMMIT");
      } catch (error) {
        if (this.database.isTransaction) this.database.exec("ROLLBACK");
        throw error;
      }
    } catch (error) {
      for (const { action, done } of jobs) done.reject(toBusError(this.path, action, error));
      return;
    }
    this.transactions++;
    for (const job of jobs) {
      const error = refused.get(job);
      if (error === undefined) job.done.resolve();
      else job.done.reject(error);
    }
    if (jobs.some(({ durable }) => durable)) this.onCommit();
  }

  /** Takes the write lock without blocking the thread for long. */
  async #begin(): Promise<void> {
    const end = performance.now() + this.lockWaitMs;
    for (;;) {
      try {
        this.database.exec("BEGIN IMMEDIATE");
        return;
      } catch (error) {
        if (!isBusy(error) || performance.now() > end) throw error;
        this.lockWaits++;
        await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE_MS));
      }
    }
  }

  #synchronous(durable: boolean): void {
    const soft = this.strict && !durable;
    if (soft === this.#soft) return;
    this.database.exec(`PRAGMA synchronous = ${soft ? "NORMAL" : "FULL"}`);
    this.#soft = soft;
  }
}
