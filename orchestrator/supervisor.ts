/**
 * Supervises agents: starts them, watches their beats, restarts what fails, pauses, resumes, stops.
 *
 * It knows neither Workers nor processes: an agent is whatever `spawn` makes of its name.
 */
import type {
  AgentAction,
  AgentCommand,
  AgentMessage,
  AgentName,
  AgentStatus,
} from "../contract/agent.ts";
import type { EventSink } from "../contract/events.ts";
import {
  type AgentEntry,
  isHung,
  onFailure,
  onHung,
  onMessage,
  onRestart,
  RESTART_POLICY,
  type RestartPolicy,
  startingEntry,
  withState,
} from "./table.ts";

/** A running agent as the supervisor holds it. */
export interface AgentHandle {
  send(command: AgentCommand): void;
  /** Ends it at once; it says nothing more. */
  terminate(): void;
}

/** What the supervisor is made with. */
export interface SupervisorOptions {
  readonly agents: readonly AgentName[];
  /** Starts an agent; `listen` gets all that it says. */
  readonly spawn: (name: AgentName, listen: (message: AgentMessage) => void) => AgentHandle;
  readonly policy?: RestartPolicy;
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly events: EventSink;
  /** Calls `run` every `ms` until the returned function is called. */
  readonly every: (ms: number, run: () => void) => () => void;
  /** Agent that is sent the whole table on every change, if it runs here. */
  readonly informed?: AgentName;
}

/** An agent because of which the process should end. */
export interface Fatal {
  readonly name: AgentName;
  readonly error: string;
  /** "usage": settings or surroundings have to be mended; "hung": its thread cannot be ended. */
  readonly why: "usage" | "hung";
}

/** How often beats and due restarts are looked at. */
const WATCH_MS = 100;
/** How often the informed agent gets the table though nothing changed state. */
const TABLE_MS = 500;

/** Supervises a fixed set of agents from `start` to `stop`. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #policy: RestartPolicy;
  readonly #entries = new Map<AgentName, AgentEntry>();
  readonly #handles = new Map<AgentName, AgentHandle>();
  #stopping = false;
  #stopWatch: () => void = () => {};
  #tableSentAt = 0;
  #changed: (() => void)[] = [];

  /** @param options agents to run and how to start one */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#policy = options.policy ?? RESTART_POLICY;
  }

  /** Starts every agent. */
  start(): void {
    for (const name of this.#options.agents) {
      this.#set(name, startingEntry(name, this.#options.now()));
      this.#spawn(name);
    }
    this.#stopWatch = this.#options.every(WATCH_MS, () => this.#watch());
  }

  /** The table, in the order in which the agents were named. */
  agents(): AgentStatus[] {
    return [...this.#entries.values()].map((entry) => entry.status);
  }

  /** The agent because of which the process should end, if any, with why. */
  fatal(): Fatal | null {
    for (const [name, entry] of this.#entries) {
      if (entry.fatal !== "") return { name, error: entry.status.error, why: entry.fatal };
    }
    return null;
  }

  /** Resolves when `test` holds of the table; looked at after every change. */
  until(test: () => boolean): Promise<void> {
    if (test()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = () => {
        if (!test()) return;
        this.#changed = this.#changed.filter((each) => each !== look);
        resolve();
      };
      this.#changed.push(look);
    });
  }

  /** What a person asked for; a name or state in which it means nothing is passed over with a warning. */
  act(agent: string, action: AgentAction): void {
    const name = this.#options.agents.find((each) => each === agent);
    const entry = name && this.#entries.get(name);
    if (!name || !entry) {
      this.#warn("agent.unknown", `Cannot ${action} agent "${agent}": there is none of that name`);
      return;
    }
    if (this.#stopping) return;
    if (action === "restart") {
      this.#handles.get(name)?.terminate();
      this.#set(name, onRestart({ ...entry, failuresInRow: 0 }, this.#options.now()));
      this.#spawn(name);
    } else {
      this.#handles.get(name)?.send({ kind: action });
    }
  }

  /**
   * Stops every agent, the informed one last; what has not stopped after `graceMs` is ended.
   *
   * @param graceMs milliseconds
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const now = this.#options.now();
    for (const [name, entry] of this.#entries) {
      const handle = this.#handles.get(name);
      if (handle && entry.status.state !== "failed" && entry.status.state !== "waiting") {
        this.#set(name, withState(entry, "stopping", now));
        handle.send({ kind: "stop" });
      } else {
        this.#set(name, withState(entry, "stopped", now));
      }
    }
    const stopped = () => this.agents().every((agent) => agent.state === "stopped");
    const { promise: expired, resolve: expire } = Promise.withResolvers<void>();
    const cancel = this.#options.every(graceMs, expire);
    await Promise.race([this.until(stopped), expired]);
    cancel();
    this.#stopWatch();
    for (const handle of this.#handles.values()) handle.terminate();
    this.#handles.clear();
  }

  #spawn(name: AgentName): void {
    // Messages of a handle that was replaced are not its successor's.
    let current = true;
    const handle = this.#options.spawn(name, (message) => {
      if (current) this.#listen(name, message);
    });
    this.#handles.set(name, {
      send: (command) => handle.send(command),
      terminate: () => {
        current = false;
        handle.terminate();
      },
    });
  }

  #listen(name: AgentName, message: AgentMessage): void {
    const entry = this.#entries.get(name);
    if (!entry) return;
    if (message.kind === "failed") this.#fail(name, entry, message.error, message.usage);
    else if (message.kind === "control") this.act(message.agent, message.action);
    else {
      if (message.kind === "event") this.#options.events(message.event);
      this.#set(name, onMessage(entry, message, this.#options.now()));
    }
  }

  #fail(name: AgentName, entry: AgentEntry, error: string, usage: boolean): void {
    this.#handles.get(name)?.terminate();
    this.#handles.delete(name);
    const now = this.#options.now();
    if (this.#stopping) {
      this.#set(name, withState(entry, "stopped", now));
      return;
    }
    const next = onFailure(entry, error, usage, this.#policy, now, this.#options.random());
    this.#set(name, next);
    const what = next.status.state === "failed"
      ? "it stays down"
      : `next try in ${next.status.retryAt - now} ms`;
    this.#options.events({
      level: "error",
      name: "agent.failed",
      message: usage ? error : `Agent ${name} failed (${what}): ${error}`,
    });
  }

  #watch(): void {
    const now = this.#options.now();
    for (const [name, entry] of this.#entries) {
      if (this.#stopping) break;
      if (entry.status.state === "waiting" && now >= entry.status.retryAt) {
        this.#set(name, onRestart(entry, now));
        this.#spawn(name);
      } else if (isHung(entry, this.#policy, now)) {
        const hung = onHung(entry, now);
        this.#set(name, hung);
        this.#options.events({
          level: "error",
          name: "agent.hung",
          message: `Agent ${name} hangs: ${hung.status.error}`,
        });
      }
    }
    if (now - this.#tableSentAt >= TABLE_MS) this.#sendTable();
  }

  #set(name: AgentName, entry: AgentEntry): void {
    const before = this.#entries.get(name);
    if (before === entry) return;
    this.#entries.set(name, entry);
    if (before?.status.state !== entry.status.state) {
      this.#sendTable();
      for (const look of [...this.#changed]) look();
    }
  }

  #sendTable(): void {
    this.#tableSentAt = this.#options.now();
    const { informed } = this.#options;
    if (informed) this.#handles.get(informed)?.send({ kind: "agents", agents: this.agents() });
  }

  #warn(name: string, message: string): void {
    this.#options.events({ level: "warn", name, message });
  }
}
