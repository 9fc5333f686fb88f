/**
 * One suite over the bus port: what every bus promises, run against each implementation.
 *
 * A bus that cannot keep one of the promises names it with its reason in `skips`.
 */
import { LEASE_CASES } from "./conformance_lease.ts";
import { LOG_CASES } from "./conformance_log.ts";
import { type BusUnderTest, type CaseContext, within } from "./conformance_support.ts";
import type { TopicSpec } from "./port.ts";

export type { BusUnderTest } from "./conformance_support.ts";

/** How a suite is run. */
export interface ConformanceOptions {
  /** Reason by the name of a case that this bus skips. */
  readonly skips?: Readonly<Record<string, string>>;
  /** Reason for which the whole suite is skipped, if there is one. */
  readonly unavailable?: string;
  /** Longest wait for anything that must come, milliseconds; default 10,000. */
  readonly waitMs?: number;
}

const WAIT_MS = 10_000;

/**
 * Registers a test for each promise.
 *
 * @param name begins each test's name
 * @param open gives every case a bus; topics of the cases do not meet, so that they may share data
 */
export function conformance(
  name: string,
  open: (t: Deno.TestContext) => Promise<BusUnderTest>,
  options: ConformanceOptions = {},
): void {
  const cases = [...LOG_CASES, ...LEASE_CASES];
  for (const skipped of Object.keys(options.skips ?? {})) {
    if (!cases.some((one) => one.name === skipped)) {
      throw new RangeError(`Cannot skip "${skipped}": the suite has no such case`);
    }
  }
  const waitMs = options.waitMs ?? WAIT_MS;
  for (const one of cases) {
    const reason = options.unavailable ?? options.skips?.[one.name];
    if (reason !== undefined) {
      Deno.test({ name: `${name}: ${one.name} (skipped: ${reason})`, ignore: true, fn() {} });
      continue;
    }
    Deno.test(`${name}: ${one.name}`, async (t) => {
      const opened = await open(t);
      try {
        await one.run(contextOf(opened, waitMs));
      } finally {
        await within(waitMs, "the bus to close", opened.close());
      }
    });
  }
}

function contextOf(opened: BusUnderTest, waitMs: number): CaseContext {
  const run = crypto.randomUUID().slice(0, 8);
  const name = (label: string) => `conformance.${run}.${label}`;
  return {
    bus: opened.bus,
    another: () => opened.another(),
    forget: (topic, partition, before) => opened.forget(topic, partition, before),
    close: () => opened.close(),
    waitMs,
    name,
    topic: async (label: string, spec: Partial<TopicSpec> = {}) => {
      const topic = name(label);
      await opened.bus.ensureTopics([{
        name: topic,
        partitions: 1,
        cleanup: "delete",
        retentionMs: Infinity,
        retentionBytes: Infinity,
        ...spec,
      }]);
      return topic;
    },
  };
}
