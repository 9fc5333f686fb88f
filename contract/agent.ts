/** Agents and their states, as the orchestrator, the API and the pipeline page speak of them. */

/** Names of the agents. */
export const AGENT_NAMES = ["producer", "analysis", "dashboard"] as const;
/** One of `AGENT_NAMES`. */
export type AgentName = typeof AGENT_NAMES[number];

/** Life of an agent: `waiting` stands between a failure and the next try. */
export type AgentState =
  | "starting"
  | "running"
  | "paused"
  | "waiting"
  | "failed"
  | "stopping"
  | "stopped";

/** One row of the orchestrator's table. */
export interface AgentStatus {
  readonly name: string;
  readonly state: AgentState;
  /** Starts after the first. */
  readonly restarts: number;
  /** Epoch milliseconds of the last change of state. */
  readonly since: number;
  /** Epoch milliseconds of the last heartbeat; 0 before the first. */
  readonly beat: number;
  /** Message of the last failure; "" if none. */
  readonly error: string;
  /** Epoch milliseconds of the next try while `waiting`; 0 otherwise. */
  readonly retryAt: number;
  /** Gauges and counters that the agent last reported, by metric name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Version of the rules that it runs; "" where that has no meaning. */
  readonly version: string;
}

/** What a supervised agent says. */
export type AgentMessage =
  | { readonly kind: "ready" }
  | {
    readonly kind: "beat";
    readonly metrics: Readonly<Record<string, number>>;
    readonly version: string;
  }
  | { readonly kind: "paused" }
  | { readonly kind: "resumed" }
  | { readonly kind: "event"; readonly event: import("./events.ts").OperationalEvent }
  /** `usage`: a fault of settings or environment that a restart cannot mend. */
  | { readonly kind: "failed"; readonly error: string; readonly usage: boolean }
  | { readonly kind: "stopped" }
  /** From the dashboard: what a person asked the orchestrator for. */
  | { readonly kind: "control"; readonly agent: string; readonly action: AgentAction };

/** What a person may ask of an agent. */
export type AgentAction = "pause" | "resume" | "restart";

/** What the orchestrator tells an agent. */
export type AgentCommand =
  | { readonly kind: "pause" }
  | { readonly kind: "resume" }
  | { readonly kind: "stop" }
  /** To the dashboard: the whole table, on every change and at least once a second. */
  | { readonly kind: "agents"; readonly agents: readonly AgentStatus[] };

/** What an agent is given beside its own dependencies; it knows nothing of Workers or processes. */
export interface AgentContext {
  /** Aborts when the agent is to stop; it then finishes its step and returns within a second. */
  readonly signal: AbortSignal;
  /** Wall clock, epoch milliseconds. */
  now(): number;
  /** Says that the agent is up; called once. */
  ready(): void;
  /** Beats with the agent's metrics; at least once a second, more often than that costs little. */
  beat(metrics: Readonly<Record<string, number>>, version?: string): void;
  /** Resolves at once, or when a pause has ended (or the signal aborts). Call between steps. */
  untilResumed(): Promise<void>;
  readonly events: import("./events.ts").EventSink;
}
