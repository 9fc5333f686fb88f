/** The dashboard agent: projections fed from the bus, served over HTTP, until told to stop. */
import type { AgentContext } from "../contract/agent.ts";
import type { Transition } from "../contract/anomaly.ts";
import type { Catalog } from "../contract/catalog.ts";
import type { Intake } from "../contract/telemetry.ts";
import type { TopicNames } from "../contract/topics.ts";
import type { Bus } from "../bus/port.ts";
import type { Decoder } from "../rules-wasm/decoder_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { pointEvents } from "../rules-wasm/point_events.ts";
import type { RuleLog } from "../rules-wasm/rule_source.ts";
import { createApp } from "./app.ts";
import { AnomalyProjection } from "./anomaly_projection.ts";
import type { BaseMap } from "./base_map.ts";
import { InFlight } from "./body.ts";
import { feedAnomalies, type FeedOptions, feedTelemetry } from "./feed.ts";
import { FleetFrameEncoder } from "./fleet_frame.ts";
import { FleetProjection } from "./fleet_projection.ts";
import { History } from "./history.ts";
import { listen, type Listener } from "./listener.ts";
import type { AssetFile, PageModel } from "./pages/model.ts";
import { aborted, every } from "./periodic.ts";
import { Persistence } from "./persistence.ts";
import { PipelineProjection } from "./pipeline_projection.ts";
import { RecordTail } from "./record_tail.ts";
import { RuleCosts } from "./rule_costs.ts";
import { RuleVersions } from "./rule_versions.ts";
import { Guard } from "./security.ts";
import { SeriesBuffer } from "./series_buffer.ts";
import type { AgentsPort, BacktestPort, LayoutPort, ProverPort, Services } from "./services.ts";
import { Hub } from "./sse.ts";
import { StaticFiles } from "./static_files.ts";
import { openStore, type Retention, RETENTION_DEFAULT, type Store } from "./store.ts";

export { BaseMap } from "./base_map.ts";
export { CannotListenError } from "./listener.ts";
export type { AgentsPort, BacktestPort, LayoutPort, ProverPort } from "./services.ts";

const FRAME_MS = 200;
const SECOND_MS = 1_000;
const STORE_MS = 250;
const BEAT_MS = 500;

/** What the dashboard is made of. */
export interface DashboardDependencies {
  readonly bus: Bus;
  readonly topics: Pick<TopicNames, "telemetry" | "anomalies">;
  readonly catalog: Catalog;
  /** The rules in force, for their pages and for which are point events. */
  readonly rules: RuleLog;
  /** null: telemetry is not taken in over HTTP. */
  readonly intake: Intake | null;
  /** Folder of `server.db`; made if it is not there. */
  readonly dataDir: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Secret that callers must show; null: none, and loopback names only. */
  readonly token: string | null;
  readonly agents: AgentsPort;
  readonly prover: ProverPort;
  readonly backtests: BacktestPort;
  /** Drawn under the fleet; null: the coastline and learned roads alone. */
  readonly baseMap: BaseMap | null;
  /** Tiles, columns and charts. */
  readonly layout: LayoutPort;
  /** A decoder of the same catalog, this agent's alone. */
  readonly decoder: Decoder;
  /** How pages become text, and the files they link. */
  readonly pages: {
    readonly render: (page: PageModel) => string;
    readonly files: readonly AssetFile[];
  };
  /** Told the address once the port is open. */
  readonly listening?: (url: string) => void;
  /** Default RETENTION_DEFAULT. */
  readonly retention?: Retention;
}

/**
 * Runs the dashboard until the context's signal aborts; then ends streams, stores what it has and
 * returns within two seconds.
 *
 * @throws {CannotListenError} if the port cannot be opened
 * @throws {Error} naming the file if the store cannot be opened, or whatever ended the feed
 */
export async function runDashboard(
  context: AgentContext,
  deps: DashboardDependencies,
): Promise<void> {
  const inner = new AbortController();
  const stop = () => inner.abort();
  context.signal.addEventListener("abort", stop);
  if (context.signal.aborted) stop();
  let store: Store | undefined;
  let listener: Listener | undefined;
  let parts: Parts | undefined;
  try {
    const files = await StaticFiles.load(deps.pages.files, context.events);
    const guard = await Guard.create(deps.token, () => context.now());
    store = openStore(deps.dataDir, () => context.now(), context.events);
    parts = assemble(deps, store, context);
    const { services } = parts;
    const renderer = { render: deps.pages.render, assets: files.prefix };
    const handler = createApp({ services, guard, files, renderer, events: context.events });
    listener = listen(deps.host, deps.port, handler);
    deps.listening?.(listener.url);
    context.ready();
    await work(withSignal(context, inner.signal), inner, deps, parts, store);
  } finally {
    context.signal.removeEventListener("abort", stop);
    inner.abort();
    parts?.services.hub.close();
    deps.backtests.close();
    await listener?.close();
    try {
      parts?.services.persistence.finish();
    } finally {
      store?.close();
    }
  }
}

interface Parts {
  readonly services: Services;
  readonly frames: FleetFrameEncoder;
  readonly buffer: SeriesBuffer;
}

/** Runs the feeds and everything that recurs; the first fault ends them all. */
async function work(
  context: AgentContext,
  inner: AbortController,
  deps: DashboardDependencies,
  { services, frames, buffer }: Parts,
  store: Store,
): Promise<void> {
  const { signal } = context;
  const { anomalies, fleet, hub, persistence, pipeline } = services;
  const feed: FeedOptions = {
    ...deps,
    fleet,
    buffer,
    anomalies,
    pipeline,
    costs: services.costs,
    tail: services.tail,
    persistence,
    context,
    positions: {
      telemetry: store.positions(deps.topics.telemetry),
      anomalies: store.positions(deps.topics.anomalies),
    },
    telemetryBackMs: (deps.retention ?? RETENTION_DEFAULT).seriesMs,
    publish: (events) => hub.anomalies(events),
  };
  const unsubscribe = deps.agents.onChange(onStateChange(deps.agents, () => hub.heartbeat()));
  const stopLayout = deps.layout.onChange(() => {
    frames.carry(deps.layout.current().frame);
    hub.changeDashboard();
  });
  const tasks = [
    feedTelemetry(feed).then(() => mustBeStopping(signal, deps.topics.telemetry)),
    feedAnomalies(feed).then(() => mustBeStopping(signal, deps.topics.anomalies)),
    every(FRAME_MS, signal, () => hub.frame()),
    every(STORE_MS, signal, () => persistence.tick()),
    every(BEAT_MS, signal, () => context.beat(services.metrics(), services.ruleSet.version)),
    every(SECOND_MS, signal, () => {
      const now = context.now();
      fleet.sweep(now);
      hub.anomalies(anomalies.sweep());
      pipeline.tick(now);
      hub.heartbeat();
    }),
  ];
  try {
    await Promise.race([aborted(signal), ...tasks.map((task) => task.then(() => aborted(signal)))]);
  } finally {
    unsubscribe();
    stopLayout();
    inner.abort();
    // All of them end with the signal; the first fault, if any, is the one that is told.
    await Promise.allSettled(tasks);
  }
}

function mustBeStopping(signal: AbortSignal, topic: string): void {
  if (!signal.aborted) throw new Error(`The bus ended the reading of ${topic}`);
}

/** Calls back only when an agent's state changed: the table itself comes far more often. */
function onStateChange(agents: AgentsPort, changed: () => void): () => void {
  let before = "";
  return () => {
    const states = agents.current().map(({ name, state }) => `${name} ${state}`).join("\n");
    if (states !== before) changed();
    before = states;
  };
}

function assemble(deps: DashboardDependencies, store: Store, context: AgentContext): Parts {
  const { agents, bus, catalog, decoder, layout, rules } = deps;
  const now = () => context.now();
  let of: RuleSet | null = null;
  let isOne: (transition: Transition) => boolean = () => false;
  const isEvent = (transition: Transition): boolean => {
    const ruleSet = rules.current();
    if (of !== ruleSet) {
      of = ruleSet;
      isOne = pointEvents(rules, ruleSet);
    }
    return isOne(transition);
  };
  const anomalies: AnomalyProjection = new AnomalyProjection({
    table: store.anomalies,
    once: isEvent,
    vehicleChanged: (vehicle, open, severity) => fleet.setAnomalies(vehicle, open, severity),
    now,
  });
  const { maxVehicles } = rules.current().settings;
  const fleet = new FleetProjection({
    catalog,
    maxVehicles,
    anomaliesOf: (vehicle) => anomalies.ofVehicle(vehicle),
  });
  restoreFleet(fleet, store, catalog, now());
  const buffer = new SeriesBuffer(catalog.signals.length);
  const persistence = new Persistence({
    store,
    buffer,
    anomalies,
    names: {
      vehicle: (number) => fleet.ids[number] ?? "",
      signal: (index) => catalog.signals[index]?.name ?? "",
    },
    retention: deps.retention ?? RETENTION_DEFAULT,
    telemetry: deps.topics.telemetry,
    transitions: deps.topics.anomalies,
    now,
    events: context.events,
  });
  const frames = new FleetFrameEncoder(fleet, catalog, layout.current().frame);
  const pipeline: PipelineProjection = new PipelineProjection({
    bus: bus.kind,
    version: () => rules.current().version,
    agents: () => agents.current(),
    vehicles: () => fleet.size,
    decoder: () => decoder.counts(),
    hub: () => ({ clients: hub.clients, framesSkipped: hub.framesSkipped }),
  });
  const hub: Hub = new Hub({
    epoch: now().toString(36),
    now,
    delta: () => frames.delta(now()),
    full: () => frames.full(now()),
    pipeline: () => pipeline.view(now()),
    dashboard: () => layout.current(),
  });
  const inFlight = new InFlight();
  const services: Services = {
    ...{
      agents,
      anomalies,
      catalog,
      fleet,
      hub,
      inFlight,
      layout,
      now,
      persistence,
      pipeline,
      rules,
    },
    get ruleSet() {
      return rules.current();
    },
    history: new History(catalog, fleet, buffer, store.series),
    intake: deps.intake,
    baseMap: deps.baseMap,
    prover: deps.prover,
    backtests: deps.backtests,
    versions: new RuleVersions(rules),
    tail: new RecordTail(now, context.signal),
    costs: new RuleCosts({
      now,
      failed: (error) =>
        context.events({
          level: "warn",
          name: "server.cost_unknown",
          message: `What the rules cost could not be measured: ${
            error instanceof Error ? error.message : String(error)
          }`,
        }),
    }),
    telemetryTopic: deps.topics.telemetry,
    metrics: () => ({
      ...hub.metrics(),
      ...anomalies.metrics(),
      ...persistence.metrics(),
      ...inFlight.metrics(),
      ...deps.backtests.metrics(),
      ...deps.prover.metrics(),
      vehicles: fleet.size,
      samples_total: pipeline.samples.total,
      samples_late_total: fleet.late,
      samples_beyond_vehicles_total: fleet.refusedVehicles,
    }),
    busMetrics: () => bus.metrics(),
  };
  return { services, frames, buffer };
}

function restoreFleet(fleet: FleetProjection, store: Store, catalog: Catalog, now: number): void {
  const numbers = new Map(catalog.signals.map((signal, index) => [signal.name, index]));
  for (const { id, at, append, values } of store.series.vehicles()) {
    const byNumber = new Map<number, number>();
    for (const [name, value] of values) {
      const number = numbers.get(name);
      if (number !== undefined) byNumber.set(number, value);
    }
    fleet.restore({ id, at, append, values: byNumber }, now);
  }
}

/** The same context under another signal: a pause ends with that one too. */
function withSignal(context: AgentContext, signal: AbortSignal): AgentContext {
  return {
    signal,
    now: () => context.now(),
    ready: () => context.ready(),
    beat: (metrics, version) => context.beat(metrics, version),
    untilResumed: () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const stop = () => resolve();
      signal.addEventListener("abort", stop);
      context.untilResumed().then(resolve, reject);
      return promise.finally(() => signal.removeEventListener("abort", stop));
    },
    events: (event) => context.events(event),
  };
}
