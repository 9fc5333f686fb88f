/// <reference lib="deno.worker" />
/** The Worker in which one agent runs: messages in, messages out, and nothing of its own. */
import { PartitionsChangedError } from "../analysis/partition_count.ts";
import { BusError } from "../bus/port.ts";
import type { AgentCommand, AgentContext, AgentMessage, AgentStatus } from "../contract/agent.ts";
import { CannotListenError } from "../server/agent.ts";
import { type AgentStart, runAgent } from "./agents.ts";

/** What the Worker is told: first to start, then commands. */
export type WorkerCommand = { readonly kind: "start"; readonly start: AgentStart } | AgentCommand;

const stop = new AbortController();
let pause = Promise.withResolvers<void>();
let paused = false;
let lastVersion = "";
let table: readonly AgentStatus[] = [];
const tableListeners = new Set<() => void>();

function tell(message: AgentMessage): void {
  self.postMessage(message);
}

function setPaused(value: boolean): void {
  if (paused === value) return;
  paused = value;
  if (value) pause = Promise.withResolvers<void>();
  else pause.resolve();
  tell({ kind: value ? "paused" : "resumed" });
}

const context: AgentContext = {
  signal: stop.signal,
  now: () => Date.now(),
  ready: () => tell({ kind: "ready" }),
  beat: (metrics, version = "") => {
    lastVersion = version;
    tell({ kind: "beat", metrics, version });
  },
  untilResumed: () => paused && !stop.signal.aborted ? pause.promise : Promise.resolve(),
  events: (event) => tell({ kind: "event", event }),
};

async function run(start: AgentStart): Promise<void> {
  // A paused agent does nothing but beat, so that it is not taken for hung.
  const beats = setInterval(() => {
    if (paused) tell({ kind: "beat", metrics: {}, version: lastVersion });
  }, 1_000);
  try {
    await runAgent(context, start, {
      current: () => table,
      onChange: (listener) => {
        tableListeners.add(listener);
        return () => tableListeners.delete(listener);
      },
      act: (agent, action) => tell({ kind: "control", agent, action }),
    });
    tell({ kind: "stopped" });
  } catch (error) {
    tell(failure(error));
  } finally {
    clearInterval(beats);
  }
}

function failure(error: unknown): AgentMessage {
  const usage = error instanceof CannotListenError || error instanceof PartitionsChangedError;
  if (usage || error instanceof BusError) {
    return { kind: "failed", error: error.message, usage };
  }
  const text = error instanceof Error ? error.stack ?? error.message : String(error);
  return { kind: "failed", error: text, usage: false };
}

self.addEventListener("message", ({ data }: MessageEvent<WorkerCommand>) => {
  switch (data.kind) {
    case "start":
      void run(data.start);
      break;
    case "pause":
      setPaused(true);
      break;
    case "resume":
      setPaused(false);
      break;
    case "stop":
      stop.abort(new DOMException("The agent is to stop", "AbortError"));
      pause.resolve();
      break;
    case "agents":
      table = data.agents;
      for (const listener of tableListeners) listener();
      break;
  }
});
// Neither an error in a callback nor a forgotten rejection may take the process down with it.
self.addEventListener("error", (event) => {
  event.preventDefault();
  tell(failure(event.error));
});
self.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  tell(failure(event.reason));
});
