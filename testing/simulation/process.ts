/**
 * A process of the simulation: its clock, its events, and its calls to the broker with all that can
 * go wrong with a call. Once it is dead none of its promises is ever settled.
 */
import { BusError } from "../../bus/port.ts";
import { Seeded } from "../seeded.ts";
import type { Part } from "./broker.ts";
import type { World } from "./world.ts";

/** What can go wrong with one call. */
export type CallFault =
  /** Nothing happens, and the caller is told. */
  | "refused"
  /** Nothing happens, and no answer comes. */
  | "lost request"
  /** It takes effect, and no answer comes. */
  | "lost reply"
  /** The caller has given up when it takes effect. */
  | "late"
  /** Request and answer take long, but come in time. */
  | "slow"
  /** The process dies before the request is out. */
  | "crash before"
  /** The process dies when it has taken effect, before the answer. */
  | "crash after";

/** How calls and clocks of processes are. */
export interface Conditions {
  /** Usual longest way of a request or an answer, milliseconds. */
  readonly latencyMs: number;
  /** After it a caller without an answer gives up, milliseconds. */
  readonly timeoutMs: number;
  /** Time that passes from one look at the clock to the next within one event, at most. */
  readonly workMs: number;
}

/** What outlives a process: its number, its clock, how many calls have been made from there. */
export class Machine {
  /** Its clock minus the true time, milliseconds. */
  skewMs = 0;
  /** Simulated time until which a person has paused its agent. */
  heldUntil = -Infinity;
  /** Processes started so far. */
  starts = 0;
  readonly random: Seeded;
  readonly #calls = new Map<string, number>();

  /** @param faultOf what goes wrong with the nth call of a kind ("any": of all), from 0 */
  constructor(
    readonly index: number,
    seed: number,
    readonly faultOf: (op: string, nth: number) => CallFault | null,
  ) {
    this.random = new Seeded(seed);
  }

  /** Counts a call. @returns what goes wrong with it */
  next(op: string): CallFault | null {
    return this.#next("any") ?? this.#next(op);
  }

  #next(op: string): CallFault | null {
    const nth = this.#calls.get(op) ?? 0;
    this.#calls.set(op, nth + 1);
    return this.faultOf(op, nth);
  }
}

/** One process, from its start to its end. */
export class Process {
  /** Whether it has not crashed. */
  alive = true;
  /** Called when it crashes. */
  onCrash: () => void = () => {};
  readonly name: string;
  #pausedUntil = -Infinity;
  #busyUntil = -Infinity;
  /** Time that the event being worked on has taken so far. */
  #worked = 0;

  constructor(
    readonly world: World,
    readonly machine: Machine,
    readonly conditions: Conditions,
  ) {
    this.name = `${String.fromCharCode(97 + machine.index)}${machine.starts++}`;
  }

  /** Its wall clock; time passes while it works. */
  now(): number {
    const { workMs } = this.conditions;
    if (workMs > 0) this.#worked += this.machine.random.below(workMs + 1);
    return Math.floor(this.world.now + this.#worked + this.machine.skewMs);
  }

  /** Ends it where it stands. */
  crash(): void {
    if (!this.alive) return;
    this.alive = false;
    this.world.note(`${this.name} crashes`);
    this.onCrash();
  }

  /** Stops it for a while, as SIGSTOP and SIGCONT do. */
  pause(ms: number): void {
    this.#pausedUntil = this.world.now + ms;
    this.world.note(`${this.name} is paused for ${ms} ms`);
  }

  /** Whether it is stopped now. */
  get paused(): boolean {
    return this.world.now < this.#pausedUntil;
  }

  /** Lets `run` happen in it, unless it is dead by then; later if it is paused or busy. */
  after(ms: number, label: string, run: () => void): void {
    const { world } = this;
    world.afterwards(ms, label, () => {
      if (!this.alive) return false;
      this.#busyUntil = Math.max(this.#busyUntil, this.#pausedUntil, world.now + this.#worked);
      this.#worked = 0;
      const busy = world.now < this.#busyUntil;
      if (busy) this.after(this.#busyUntil - world.now, label, run);
      else run();
      return !busy;
    });
  }

  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      signal?.addEventListener("abort", wake);
      this.after(ms, `${this.name} wakes`, wake);
    });
  }

  /** Calls the broker. @throws {BusError} what `effect` throws, or that no answer came */
  call<T>(op: string, effect: () => T): Promise<T> {
    return this.#send(op, (reply) => reply(effect));
  }

  /**
   * Asks the broker until there is something: it answers at an append to one of the parts, or with
   * null after `waitMs`.
   */
  poll<T>(op: string, parts: readonly Part[], waitMs: number, attempt: () => T | null) {
    return this.#send<T | null>(op, (reply) => {
      let open = true;
      const look = (last: boolean) => {
        if (!open) return;
        let found: T | null = null;
        try {
          found = attempt();
        } catch (error) {
          open = false;
          return reply(() => {
            throw error;
          });
        }
        if (found === null && !last) {
          for (const part of parts) part.waiting.add(wake);
          return;
        }
        open = false;
        for (const part of parts) part.waiting.delete(wake);
        reply(() => found);
      };
      const wake = () => look(false);
      look(false);
      if (open && waitMs < Infinity) {
        this.world.after(waitMs, `broker ends a wait of ${this.name}`, () => look(true));
      }
    });
  }

  #send<T>(op: string, arrive: (reply: (result: () => T) => void) => void): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const { world, name, conditions: { timeoutMs } } = this;
    if (!this.alive) return promise;
    const fault = this.machine.next(op);
    if (fault !== null) world.note(`${name} ${op}: ${fault}`);
    const way = () => world.random.next() * this.#way(fault);
    const refuse = (why: string) => reject(new BusError(`Cannot ${op} for ${name}: ${why}`));
    if (fault === "crash before") {
      this.crash();
      return promise;
    }
    if (fault === "refused") {
      this.after(way(), `${name} ${op} is refused`, () => refuse("the broker is away"));
      return promise;
    }
    if (fault === "lost request" || fault === "lost reply" || fault === "late") {
      this.after(timeoutMs, `${name} ${op} gets no answer`, () => refuse("no answer"));
    }
    if (fault === "lost request") return promise;
    const out = fault === "late" ? timeoutMs * (1 + world.random.next()) : way();
    world.after(out, `broker: ${op} of ${name}`, () =>
      arrive((result) => {
        let answer: () => void;
        try {
          const value = result();
          answer = () => resolve(value);
        } catch (error) {
          answer = () => reject(error);
        }
        if (fault === "crash after") this.crash();
        else if (fault === null || fault === "slow") {
          this.after(way(), `${name} ${op} is answered`, answer);
        }
      }));
    return promise;
  }

  #way(fault: CallFault | null): number {
    return fault === "slow" ? this.conditions.timeoutMs * 0.45 : this.conditions.latencyMs;
  }
}
