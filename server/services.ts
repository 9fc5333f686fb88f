/** What the routes are served from: projections, store and hub as one. */
import type { AgentAction, AgentStatus } from "../contract/agent.ts";
import type { Catalog } from "../contract/catalog.ts";
import type { DashboardView } from "../contract/dashboard.ts";
import type { Proof } from "../contract/explanation.ts";
import type { AnomalyEvent } from "../contract/stream.ts";
import type { Intake } from "../contract/telemetry.ts";
import type {
  ExplanationView,
  RuleCost,
  RuleView,
  SignalLimit,
  SignalView,
} from "../contract/views.ts";
import type { Term } from "../contract/anomaly.ts";
import type { Rule, RuleSet } from "../rules-wasm/language/ast.ts";
import { signalsOf } from "../rules-wasm/language/brings.ts";
import type { RuleLog } from "../rules-wasm/rule_source.ts";
import type { AnomalyProjection } from "./anomaly_projection.ts";
import type { BaseMap } from "./base_map.ts";
import type { InFlight } from "./body.ts";
import type { FleetProjection } from "./fleet_projection.ts";
import type { History } from "./history.ts";
import type { Persistence } from "./persistence.ts";
import type { PipelineProjection } from "./pipeline_projection.ts";
import type { RecordTail } from "./record_tail.ts";
import type { RuleCosts } from "./rule_costs.ts";
import type { RuleVersions } from "./rule_versions.ts";
import type { Hub } from "./sse.ts";

/** The orchestrator's table, as the dashboard is told of it. */
export interface AgentsPort {
  /** The table as last told. */
  current(): readonly AgentStatus[];
  /** Calls back on every change until the returned function is called. */
  onChange(callback: () => void): () => void;
  /** Passes on what a person asked for. */
  act(name: string, action: AgentAction): void;
}

/** What the dashboard shows, as its file says at any time. */
export interface LayoutPort {
  current(): DashboardView;
  /** Calls back on every change until the returned function is called. */
  onChange(callback: () => void): () => void;
}

/**
 * Evaluates anew why an anomaly fired; null if that cannot be told now.
 *
 * @param partition where the sample lies that it came from
 */
export interface ProverPort {
  prove(id: string, partition: number): Promise<Proof | null>;
  /** Gauges and counters by metric name. */
  metrics(): Readonly<Record<string, number>>;
}

/** A back-test over the log that a caller asked for, checked. */
export interface BacktestRequest {
  readonly ruleSet: RuleSet;
  /** Records with `fromMs <= A < toMs`; `toMs` is infinite for no bound. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Ids and globs of the vehicles that are wanted; none: all. */
  readonly vehicles: readonly string[];
  /** Whether the transitions themselves are wanted, beside how many they were. */
  readonly transitions: boolean;
}

/** What runs back-tests for callers. */
export interface BacktestPort {
  /** Starts one, unless another runs: then null. Its lines of JSON; cancelling them ends it. */
  start(request: BacktestRequest): ReadableStream<Uint8Array> | null;
  /** Gauges and counters by metric name. */
  metrics(): Readonly<Record<string, number>>;
  /** Ends what runs, and starts none any more. */
  close(): void;
}

/** Everything that routes need. */
export interface Services {
  readonly catalog: Catalog;
  /** The rules in force as this is read. */
  readonly ruleSet: RuleSet;
  readonly rules: RuleLog;
  readonly versions: RuleVersions;
  readonly costs: RuleCosts;
  readonly tail: RecordTail;
  /** Name of the topic that samples come on. */
  readonly telemetryTopic: string;
  readonly fleet: FleetProjection;
  readonly anomalies: AnomalyProjection;
  readonly history: History;
  readonly pipeline: PipelineProjection;
  readonly persistence: Persistence;
  readonly hub: Hub;
  readonly agents: AgentsPort;
  readonly layout: LayoutPort;
  /** null: the coastline and learned roads alone. */
  readonly baseMap: BaseMap | null;
  readonly prover: ProverPort;
  readonly backtests: BacktestPort;
  /** null where telemetry is not taken in over HTTP. */
  readonly intake: Intake | null;
  /** Bytes of the bodies that are being taken in. */
  readonly inFlight: InFlight;
  /** The server's own figures, and the bus's, by metric name. */
  readonly metrics: () => Readonly<Record<string, number>>;
  readonly busMetrics: () => Readonly<Record<string, number>>;
  readonly now: () => number;
}

/** Samples per signal of an explanation at most. */
const EXPLAINED_POINTS_MAX = 600;
/** An explanation reaches this far to both sides, milliseconds. */
const EXPLAINED_MS = 60_000;

/** The signals of a catalog as pages need them. */
export function signalViews(catalog: Catalog): SignalView[] {
  return catalog.signals.map(({ name, unit, type, names, description }) => ({
    name,
    unit,
    type,
    names,
    description,
  }));
}

/** The rules in force as pages show them, in the order of their file; sets measuring costs going. */
export function ruleViews(services: Services): RuleView[] {
  const { costs, ruleSet } = services;
  const known = costs.of(ruleSet);
  return ruleSet.rules.map((rule) => ruleView(rule, services, known));
}

/**
 * Why an anomaly fired; undefined if there is none of that id.
 *
 * @param withProof whether to evaluate it anew from the log, which takes its time
 */
export async function explain(
  services: Services,
  id: string,
  withProof: boolean,
): Promise<ExplanationView | undefined> {
  const anomaly = services.anomalies.view(id);
  if (anomaly === undefined) return undefined;
  const { catalog, ruleSet, history, versions } = services;
  const ruleIn = (set: RuleSet | null) => set?.rules.find(({ id }) => id === anomaly.rule);
  const raising = ruleIn(versions.ruleSet(anomaly.version));
  const inForce = ruleIn(ruleSet);
  const shown = raising ?? inForce;
  const nameOf = (signal: number) => catalog.signals[signal]?.name ?? "";
  const signals = shown === undefined
    ? []
    : signalsOf(shown.when).map(nameOf).filter((name) => name !== "");
  const written = versions.find(anomaly.version);
  return {
    anomaly,
    rule: raising === undefined ? null : ruleView(raising, services),
    inForce: inForce === undefined ? null : ruleView(inForce, services),
    written: written === undefined
      ? null
      : { time: written.time, author: written.author, message: written.message },
    current: anomaly.version === ruleSet.version,
    series: history.series(
      anomaly.vehicle,
      signals,
      anomaly.onset - EXPLAINED_MS,
      anomaly.openedAt + EXPLAINED_MS,
      EXPLAINED_POINTS_MAX,
    ),
    limits: raising === undefined ? [] : limitsOf(raising, anomaly.terms, catalog),
    topic: services.telemetryTopic,
    proof: withProof ? await services.prover.prove(id, anomaly.source.partition) : null,
  };
}

/** Functions whose value stands in the unit and on the scale of the signal within. */
const LEVEL_FUNCTIONS = new Set(["avg", "lowest", "highest", "ewma", "prev"]);

/** Limits that can be drawn over a signal: the term compares the signal itself, or a mean of it. */
function limitsOf(rule: Rule, terms: readonly Term[], catalog: Catalog): SignalLimit[] {
  return rule.terms.flatMap((source, k) => {
    const term = terms[k];
    if (source.kind !== "compare" || term === undefined || term.text !== source.term.text) {
      return [];
    }
    if (typeof term.limit !== "number") return [];
    const { left } = source;
    const isLevel = left.kind === "signal" ||
      (left.kind === "call" && LEVEL_FUNCTIONS.has(left.fn));
    const [signal, ...others] = signalsOf(left);
    if (!isLevel || signal === undefined || others.length > 0) return [];
    const known = catalog.signals[signal];
    if (known === undefined || known.unit !== term.unit) return [];
    return [{ signal: known.name, text: term.text, value: term.limit }];
  });
}

/** Stores what a person did and tells the browsers. */
export function settleJudgement(services: Services, event: AnomalyEvent): void {
  services.persistence.settleDurably();
  services.hub.anomalies([event]);
}

/** Whether every agent does its work (or was paused by somebody). */
export function isReady(agents: readonly AgentStatus[]): boolean {
  return agents.every(({ state }) => state === "running" || state === "paused");
}

function ruleView(
  rule: Rule,
  { anomalies }: Services,
  costs: ReadonlyMap<string, RuleCost> = new Map(),
): RuleView {
  const { id, severity, source, once, runbook } = rule;
  const cost = costs.get(id) ?? null;
  return { id, severity, source, once, runbook, ...anomalies.ofRule(id), cost };
}
