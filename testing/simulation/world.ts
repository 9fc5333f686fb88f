/**
 * A world of its own time: what is to happen lies in a queue, ordered by simulated time and, at the
 * same time, by chance from a seed. Nothing in it waits for the real clock.
 */
import { setImmediate } from "node:timers";
import { Seeded } from "../seeded.ts";

/** Simulated time 0, epoch milliseconds: 2026-01-01. */
export const EPOCH_MS = 1_767_225_600_000;
/** Events kept to be shown beside a failure. */
const TRACE_LINES = 200;
/** What happens all the time is not worth a line. */
const ROUTINE = /wakes$|timer$|look$|ends a wait|\b(fetch|beat)\b/;

interface Event {
  readonly at: number;
  /** Decides between events of one time. */
  readonly tie: number;
  readonly number: number;
  readonly label: string;
  readonly run: () => boolean;
}

/** The queue, its clock and its trace. */
export class World {
  /** Simulated time, epoch milliseconds. */
  now = EPOCH_MS;
  /** Events that have happened. */
  events = 0;
  /** Chance for delays and order; what goes wrong has its own. */
  readonly random: Seeded;
  /** The last events, as lines for people. */
  readonly trace: string[] = [];
  #hash = 0x811c9dc5;
  #number = 0;
  readonly #heap: Event[] = [];

  /** @param keepTrace whether lines are kept; the hash always is */
  constructor(seed: number, readonly keepTrace = false) {
    this.random = new Seeded(seed);
  }

  /** Lets `run` happen in `ms`; nothing that it does may settle a promise. */
  after(ms: number, label: string, run: () => void): void {
    this.afterwards(ms, label, () => {
      run();
      return false;
    });
  }

  /** Lets `run` happen in `ms`; it returns whether it may have settled promises. */
  afterwards(ms: number, label: string, run: () => boolean): void {
    this.#push({
      at: this.now + Math.max(0, ms),
      tie: this.random.next(),
      number: this.#number++,
      label,
      run,
    });
  }

  /** Notes something in the trace and its hash. */
  note(label: string): void {
    let hash = this.#hash;
    for (let i = 0; i < label.length; i++) {
      hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
    }
    this.#hash = Math.imul(hash ^ (this.now & 0xffff_ffff), 0x01000193);
    if (!this.keepTrace || ROUTINE.test(label)) return;
    this.trace.push(`${((this.now - EPOCH_MS) / 1000).toFixed(3).padStart(9)} s  ${label}`);
    if (this.trace.length > TRACE_LINES) this.trace.shift();
  }

  /** Hash of all that has been noted. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  /** Time of the next event; Infinity if there is none. */
  get nextAt(): number {
    return this.#heap[0]?.at ?? Infinity;
  }

  /** Lets the next event happen, and all that follows from it without further events. */
  async step(): Promise<void> {
    const event = this.#pop();
    if (event === undefined) return;
    this.now = Math.max(this.now, event.at);
    this.events++;
    this.note(event.label);
    // A turn of the real event loop costs as much as many events.
    if (event.run()) await settled();
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(event);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(event, heap[parent])) break;
      heap[i] = heap[parent];
      i = parent;
    }
    heap[i] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], last)) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

function before(a: Event, b: Event): boolean {
  if (a.at !== b.at) return a.at < b.at;
  return a.tie !== b.tie ? a.tie < b.tie : a.number < b.number;
}

/** Resolves when every promise that can go on has done so. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
