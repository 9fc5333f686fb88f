/** The producer agent: the simulated fleet onto the bus, in real time. */
import type { Bus, OutgoingRecord } from "../bus/port.ts";
import type { AgentContext } from "../contract/agent.ts";
import { readLastSamples } from "./last_samples.ts";
import { Fleet } from "./simulator/fleet.ts";

/** Resolves after `ms`, or as soon as the signal aborts. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** What the simulator agent is made of. */
export interface SimulatorDependencies {
  readonly bus: Bus;
  readonly topic: string;
  readonly vehicles: number;
  readonly seed: number;
  /** Samples a second and vehicle; default 1. */
  readonly rateHz?: number;
  readonly sleep: Sleep;
}

/** Time between two publishes. */
const TICK_MS = 100;
/** Behind schedule by more than this, the agent leaves samples out instead of catching up. */
const BEHIND_MS_MAX = 2_000;
/** Most simulated time in one publish, so that catching up stays even too. */
const STEP_MS_MAX = 250;

/**
 * Runs a simulated fleet until the context's signal aborts.
 *
 * Open loop: a sample is due when the schedule says so, however long publishing takes. What was
 * missed by up to two seconds is caught up; beyond that it is left out and counted. After a pause
 * vehicles go on from where they stood, and after a restart from where the log last saw them: as if
 * they had driven on, if that was no longer ago than five minutes.
 *
 * Metrics: `samples` and `skipped` since the start, `rate` in samples a second, `behind_seconds`,
 * `vehicles`.
 *
 * @throws {BusError} if publishing fails
 */
export async function runSimulator(
  context: AgentContext,
  deps: SimulatorDependencies,
): Promise<void> {
  const { bus, topic, sleep } = deps;
  const { signal } = context;
  const last = await readLastSamples(bus, topic, deps.vehicles);
  const fleet = new Fleet({ ...deps, startMs: context.now(), resume: (id) => last.get(id) });
  last.clear();
  const rate = new Rate(context.now());
  let samples = 0;
  let skipped = 0;
  const beats = setInterval(() => {
    const now = context.now();
    context.beat({
      samples,
      skipped,
      rate: rate.at(samples, now),
      behind_seconds: Math.max(0, now - fleet.nextMs) / 1000,
      vehicles: fleet.count,
    });
  }, 500);
  context.ready();
  try {
    for (let tickAt = context.now(); !signal.aborted;) {
      const pausedAt = context.now();
      await context.untilResumed();
      if (signal.aborted) break;
      const now = context.now();
      if (now - pausedAt > TICK_MS) {
        fleet.skipTo(now);
      } else if (now - fleet.nextMs > BEHIND_MS_MAX) {
        const count = fleet.skipTo(now);
        skipped += count;
        context.events({
          level: "warn",
          name: "producer.skipped",
          message: `The simulator fell more than ${BEHIND_MS_MAX / 1000} s behind its schedule ` +
            "and left samples out; simulate fewer vehicles, or give it more of the processor",
          count,
        });
      }
      const until = Math.min(now, fleet.nextMs + STEP_MS_MAX);
      const records = take(fleet, until);
      if (records.length > 0) await bus.publish([{ topic, records }]);
      samples += records.length;
      if (until < now) continue;
      const after = context.now();
      tickAt = Math.max(tickAt + TICK_MS, after);
      await sleep(tickAt - after, signal);
    }
  } finally {
    clearInterval(beats);
  }
}

/** The samples due, one record each; their memory is the fleet's until the next call. */
function take(fleet: Fleet, untilMs: number): OutgoingRecord[] {
  const spans: number[] = [];
  fleet.text.clear();
  fleet.advance(untilMs, (vehicle, from, to) => spans.push(vehicle, from, to));
  const bytes = fleet.text.bytes;
  const records: OutgoingRecord[] = [];
  for (let k = 0; k < spans.length; k += 3) {
    records.push({ key: fleet.key(spans[k]), value: bytes.subarray(spans[k + 1], spans[k + 2]) });
  }
  return records;
}

/** Samples a second over the last few seconds. */
class Rate {
  #samples = 0;
  #perSecond = 0;

  constructor(private sinceMs: number) {}

  at(samples: number, ms: number): number {
    const elapsed = ms - this.sinceMs;
    if (elapsed >= 1_000 || this.#perSecond === 0) {
      this.#perSecond = elapsed > 0 ? (samples - this.#samples) / elapsed * 1000 : 0;
      if (elapsed >= 1_000) {
        this.#samples = samples;
        this.sinceMs = ms;
      }
    }
    return Math.round(this.#perSecond);
  }
}
