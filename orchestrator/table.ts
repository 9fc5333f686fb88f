/** The orchestrator's table of agents: pure transitions of state, no time and no Workers of its own. */
import type { AgentMessage, AgentStatus } from "../contract/agent.ts";

/** When and how often a failed agent is started again. */
export interface RestartPolicy {
  /** Wait before the first restart, milliseconds; doubles with each further one. */
  readonly delayMsFirst: number;
  /** Longest wait, milliseconds. */
  readonly delayMsMax: number;
  /** Failures in a row after which the agent is `failed` for good. */
  readonly failuresMax: number;
  /** An agent that has run this long is healthy: its failures in a row are forgotten. */
  readonly healthyAfterMs: number;
  /** Silence after which an agent counts as hung, milliseconds. */
  readonly beatTimeoutMs: number;
}

/** Restart policy of `dev`, `start` and the single agents. */
export const RESTART_POLICY: RestartPolicy = {
  delayMsFirst: 200,
  delayMsMax: 30_000,
  failuresMax: 8,
  healthyAfterMs: 60_000,
  beatTimeoutMs: 15_000,
};

/** One agent as the orchestrator tracks it. */
export interface AgentEntry {
  readonly status: AgentStatus;
  /** Failures without a healthy run between them. */
  readonly failuresInRow: number;
  /** Why the process should end: a restart of the agent cannot mend it; "" while it may go on. */
  readonly fatal: "" | "usage" | "hung";
  /** Events told, by metric name: the same event is a line of the log and a count. */
  readonly events: Readonly<Record<string, number>>;
}

/** A new entry, starting at `now`. */
export function startingEntry(name: string, now: number): AgentEntry {
  return {
    status: {
      name,
      state: "starting",
      restarts: 0,
      since: now,
      beat: now,
      error: "",
      retryAt: 0,
      metrics: {},
      version: "",
    },
    failuresInRow: 0,
    fatal: "",
    events: {},
  };
}

/**
 * Wait before restart number `failures` (from 1): exponential with full jitter above one half.
 *
 * @param random uniform in [0, 1)
 */
export function restartDelayMs(policy: RestartPolicy, failures: number, random: number): number {
  const doubled = policy.delayMsFirst * 2 ** Math.min(failures - 1, 30);
  return Math.round(Math.min(doubled, policy.delayMsMax) * (0.5 + random / 2));
}

/** The entry after a message from its agent. Messages that change nothing return it as it is. */
export function onMessage(entry: AgentEntry, message: AgentMessage, now: number): AgentEntry {
  const { status } = entry;
  switch (message.kind) {
    case "ready":
      return status.state === "starting" ? withState(entry, "running", now) : entry;
    case "beat":
      return {
        ...entry,
        status: {
          ...status,
          beat: now,
          metrics: { ...message.metrics, ...entry.events },
          version: message.version,
        },
      };
    case "paused":
      return status.state === "running" ? withState(entry, "paused", now) : entry;
    case "resumed":
      return status.state === "paused" ? withState(entry, "running", now) : entry;
    case "stopped":
      return withState(entry, "stopped", now);
    case "event": {
      const name = `event_${message.event.name.replace(/[^A-Za-z0-9]/g, "_")}_total`;
      const count = (entry.events[name] ?? 0) + (message.event.count ?? 1);
      return { ...entry, events: { ...entry.events, [name]: count } };
    }
    case "control":
    case "failed":
      return entry;
  }
}

/**
 * The entry after a failure: waiting for its next try, or failed for good.
 *
 * @param usage whether a restart cannot mend it
 * @param random uniform in [0, 1), for the jitter
 */
export function onFailure(
  entry: AgentEntry,
  error: string,
  usage: boolean,
  policy: RestartPolicy,
  now: number,
  random: number,
): AgentEntry {
  const { status } = entry;
  const wasHealthy = (status.state === "running" || status.state === "paused") &&
    now - status.since >= policy.healthyAfterMs;
  const failuresInRow = wasHealthy ? 1 : entry.failuresInRow + 1;
  const gaveUp = usage || failuresInRow >= policy.failuresMax;
  return {
    ...entry,
    failuresInRow,
    fatal: usage ? "usage" : entry.fatal,
    status: {
      ...status,
      state: gaveUp ? "failed" : "waiting",
      since: now,
      error,
      retryAt: gaveUp ? 0 : now + restartDelayMs(policy, failuresInRow, random),
    },
  };
}

/** The entry as it is started once more. */
export function onRestart(entry: AgentEntry, now: number): AgentEntry {
  const { status } = entry;
  return {
    ...entry,
    fatal: "",
    status: {
      ...status,
      state: "starting",
      since: now,
      beat: now,
      retryAt: 0,
      restarts: status.restarts + 1,
    },
  };
}

/**
 * The entry of an agent that stopped beating. A tight loop cannot be ended from outside its thread,
 * so it is not started a second time: the process has to go.
 */
export function onHung(entry: AgentEntry, now: number): AgentEntry {
  const seconds = Math.round((now - entry.status.beat) / 1000);
  return {
    ...entry,
    fatal: "hung",
    status: {
      ...entry.status,
      state: "failed",
      since: now,
      error: `it has not beaten for ${seconds} s`,
    },
  };
}

/** Whether the agent should have beaten by now but has not. */
export function isHung(entry: AgentEntry, policy: RestartPolicy, now: number): boolean {
  const { state, beat } = entry.status;
  return (state === "starting" || state === "running" || state === "paused") &&
    now - beat > policy.beatTimeoutMs;
}

/** The entry in another state, as of `now`. */
export function withState(
  entry: AgentEntry,
  state: AgentStatus["state"],
  now: number,
): AgentEntry {
  return { ...entry, status: { ...entry.status, state, since: now } };
}
