/** A bus whose steps are timed. */
import type { Bus, Lease, LeaseOptions, Step } from "../bus/port.ts";

/** What steps have taken. */
export interface StepTimes {
  steps: number;
  /** Of them, those that carried a checkpoint. */
  checkpoints: number;
  /** Time spent in commits, milliseconds. */
  stepMs: number;
  /** The same of steps with a checkpoint. */
  checkpointMs: number;
  checkpointBytes: number;
}

/** Passes everything on and notes what commits take. */
export function timedBus(
  bus: Bus,
  checkpoints: string,
  now: () => number,
): { readonly bus: Bus; readonly times: StepTimes } {
  const times = { steps: 0, checkpoints: 0, stepMs: 0, checkpointMs: 0, checkpointBytes: 0 };
  const commit = async (lease: Lease, step: Step) => {
    const state = step.outputs.filter(({ topic }) => topic === checkpoints);
    const startedAt = now();
    await lease.commit(step);
    const tookMs = now() - startedAt;
    times.steps++;
    times.stepMs += tookMs;
    if (state.length === 0) return;
    times.checkpoints++;
    times.checkpointMs += tookMs;
    for (const { value } of state.flatMap(({ records }) => records)) {
      times.checkpointBytes += value?.length ?? 0;
    }
  };
  async function* lease(options: LeaseOptions): AsyncGenerator<Lease> {
    for await (const held of bus.lease(options)) {
      yield {
        topic: held.topic,
        partition: held.partition,
        lost: held.lost,
        progress: () => held.progress(),
        bounds: () => held.bounds(),
        read: (offset) => held.read(offset),
        commit: (step) => commit(held, step),
        release: () => held.release(),
      };
    }
  }
  return {
    times,
    bus: {
      kind: bus.kind,
      ensureTopics: (specs) => bus.ensureTopics(specs),
      partitions: (topic) => bus.partitions(topic),
      publish: (outgoing) => bus.publish(outgoing),
      lease,
      tail: (options) => bus.tail(options),
      range: (topic, partition, from, to) => bus.range(topic, partition, from, to),
      bounds: (topic) => bus.bounds(topic),
      offsetAt: (topic, partition, timeMs) => bus.offsetAt(topic, partition, timeMs),
      metrics: () => bus.metrics(),
      close: () => bus.close(),
    },
  };
}
