/** What each agent is made of: the composition of one agent from settings. */
import { runAnalysis } from "../analysis/agent.ts";
import { murmur2Partition } from "../bus/murmur2.ts";
import type { Bus } from "../bus/port.ts";
import type { AgentAction, AgentContext, AgentName, AgentStatus } from "../contract/agent.ts";
import { runSimulator } from "../producer/agent.ts";
import { createIntake } from "../producer/intake.ts";
import { createDecoder } from "../rules-wasm/decoder.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import { BaseMap, runDashboard } from "../server/agent.ts";
import { assetFiles } from "../server/pages/assets.ts";
import { renderPage } from "../server/pages/mod.tsx";
import type { Settings } from "../settings.ts";
import { openBus, topicNames } from "./open_bus.ts";
import { BacktestService } from "./backtest_service.ts";
import { LayoutFeed } from "./layout_feed.ts";
import { createProver } from "./prover.ts";
import { RuleFeed } from "./rule_feed.ts";

/** What an agent is started with, as it goes to its Worker. */
export interface AgentStart {
  readonly name: AgentName;
  readonly settings: Settings;
}

/** The table of agents as the dashboard sees it, and what people ask of them. */
export interface AgentTable {
  current(): readonly AgentStatus[];
  onChange(listener: () => void): () => void;
  act(name: string, action: AgentAction): void;
}

/** Bodies of telemetry beyond this are refused. */
const BODY_BYTES_MAX = 16 * 1024 * 1024;

/** Runs one agent until its context's signal aborts. */
export async function runAgent(
  context: AgentContext,
  start: AgentStart,
  agents: AgentTable,
): Promise<void> {
  const bus = await openBus(start.settings, context.events, () => context.now());
  try {
    const rules = await RuleFeed.open(bus, start.settings.topicRules, () => context.now());
    const inner = new AbortController();
    const signal = AbortSignal.any([context.signal, inner.signal]);
    // What breaks the following ends the agent: it would run on under rules of yesterday.
    const following = rules.follow(signal).catch((error: unknown) => inner.abort(error));
    try {
      await RUN[start.name](under(context, signal), { bus, rules }, start, agents);
      if (inner.signal.aborted) throw inner.signal.reason;
    } finally {
      inner.abort();
      await following;
    }
  } finally {
    await bus.close();
  }
}

/** The same context, ended by a signal of its own too. */
function under(context: AgentContext, signal: AbortSignal): AgentContext {
  return {
    signal,
    now: () => context.now(),
    ready: () => context.ready(),
    beat: (metrics, version) => context.beat(metrics, version),
    untilResumed: () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const stop = () => resolve();
      if (signal.aborted) return Promise.resolve();
      signal.addEventListener("abort", stop);
      context.untilResumed().then(resolve, reject);
      return promise.finally(() => signal.removeEventListener("abort", stop));
    },
    events: (event) => context.events(event),
  };
}

/** What agents have of the bus. */
interface Site {
  readonly bus: Bus;
  readonly rules: RuleFeed;
}

type Run = (
  context: AgentContext,
  site: Site,
  start: AgentStart,
  agents: AgentTable,
) => Promise<void>;

const RUN: Readonly<Record<AgentName, Run>> = {
  producer: (context, { bus }, { settings }) =>
    runSimulator(context, {
      bus,
      topic: settings.topicTelemetry,
      vehicles: settings.vehicles,
      seed: settings.seed,
      sleep,
    }),
  analysis: async (context, { bus, rules }, { settings }) => {
    const partitions = await bus.partitions(settings.topicTelemetry);
    const partitionOf = (key: Uint8Array) => murmur2Partition(key, partitions);
    await runAnalysis(context, {
      bus,
      topics: topicNames(settings),
      rules,
      createEngine: (ruleSet, options) => createEngine(ruleSet, { ...options, partitionOf }),
      checkpointMs: settings.checkpointMs,
    });
  },
  dashboard: async (context, { bus, rules }, { settings }, agents) => {
    const { catalog, settings: { maxClockAheadMs, maxVehicles } } = rules.current();
    const decoder = () => createDecoder(catalog, { maxVehicles, maxClockAheadMs });
    const inner = new AbortController();
    const layout = new LayoutFeed(settings.dashboard, catalog, context.events);
    const following = layout.follow(AbortSignal.any([context.signal, inner.signal]), sleep);
    const running = runDashboard(context, {
      bus,
      topics: topicNames(settings),
      catalog,
      rules,
      intake: createIntake({
        bus,
        topic: settings.topicTelemetry,
        decoder: decoder(),
        now: () => context.now(),
        maxBodyBytes: BODY_BYTES_MAX,
      }),
      dataDir: settings.data,
      host: settings.host,
      port: settings.port,
      token: settings.token === "" ? null : settings.token,
      agents,
      layout,
      baseMap: settings.baseMap === "" ? null : BaseMap.open(settings.baseMap),
      prover: createProver({
        ...{ bus, rules, createEngine, events: context.events, now: () => context.now() },
        topic: settings.topicTelemetry,
        anomalies: settings.topicAnomalies,
        signal: AbortSignal.any([context.signal, inner.signal]),
      }),
      backtests: new BacktestService({ settings, events: context.events }),
      decoder: decoder(),
      pages: { render: renderPage, files: assetFiles() },
      listening: (url) =>
        context.events({
          level: "info",
          name: "dashboard.listening",
          message: `Kilter is at ${url}`,
        }),
    });
    try {
      await running;
    } finally {
      inner.abort();
      await following;
    }
  },
};

/** Resolves after `ms`, or at once when the signal aborts. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
