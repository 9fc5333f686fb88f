/** The analysis agent: a loop per partition that its group gives it. */
import type { AgentContext } from "../contract/agent.ts";
import { ANALYSIS_GROUP } from "../contract/topics.ts";
import { vehicleLimitNotice } from "../rules-wasm/plan.ts";
import { Meter } from "./meter.ts";
import { PartitionCount } from "./partition_count.ts";
import { type PartitionDependencies, runPartition } from "./partition_loop.ts";
import { type Platform, REAL_PLATFORM } from "./platform.ts";
import { Pulse } from "./pulse.ts";

/** What the agent is made with. */
export interface AnalysisDependencies
  extends
    Pick<PartitionDependencies, "bus" | "topics" | "rules" | "createEngine" | "checkpointMs"> {
  /** By default those of a real process. */
  readonly platform?: Platform;
}

/**
 * Runs until the context's signal aborts.
 *
 * @throws the first error of a partition; the others are stopped then
 */
export async function runAnalysis(
  context: AgentContext,
  deps: AnalysisDependencies,
): Promise<void> {
  const meter = new Meter();
  const version = () => deps.rules.current().version;
  const platform = deps.platform ?? REAL_PLATFORM;
  const figures = () => ({ metrics: meter.metrics(context.now()), version: version() });
  const pulse = new Pulse(context, figures, platform);
  const partitions = new PartitionCount(deps.bus, deps.topics, ANALYSIS_GROUP);
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  const running = new Set<Promise<void>>();
  const stopBeats = platform.every(
    500,
    () => context.beat(meter.metrics(context.now()), version()),
  );
  const tellRoom = () => {
    const message = vehicleLimitNotice(deps.rules.current());
    if (message === null) return;
    context.events({ level: "warn", name: "analysis.vehicles_limited", message });
  };
  tellRoom();
  const deaf = deps.rules.onChange(tellRoom);
  try {
    await partitions.checkRoom();
    const leases = deps.bus.lease({
      topic: deps.topics.telemetry,
      group: ANALYSIS_GROUP,
      progressTopic: deps.topics.checkpoints,
      signal,
    });
    context.ready();
    for await (const lease of leases) {
      const loop: Promise<void> = runPartition(lease, {
        ...deps,
        platform,
        context,
        meter,
        pulse,
        partitions,
      })
        .catch((error) => failed.abort(error))
        .finally(() => running.delete(loop));
      running.add(loop);
    }
  } finally {
    await Promise.all(running);
    stopBeats();
    deaf();
  }
  if (failed.signal.aborted) throw failed.signal.reason;
}
