/** Runs agents in Workers under the orchestrator, until a signal or a fault ends the process. */
import type { AgentMessage, AgentName } from "../contract/agent.ts";
import { type AgentHandle, Supervisor } from "../orchestrator/supervisor.ts";
import type { Settings } from "../settings.ts";
import type { Bus } from "../bus/port.ts";
import type { EventSink } from "../contract/events.ts";
import type { RuleLog, RuleTexts } from "../rules-wasm/rule_source.ts";
import { type AgentStart, sleep } from "./agents.ts";
import type { WorkerCommand } from "./agent_worker.ts";
import { fileHints } from "./file_hints.ts";
import { checkBaseMap, readCatalog, readDashboard, readTexts, ruleFile } from "./files.ts";
import { openBus } from "./open_bus.ts";
import { eventLog, say } from "./output.ts";
import { RuleFeed } from "./rule_feed.ts";
import { settleRules, watchRules } from "./rule_files.ts";

/** Time that agents have to stop, milliseconds; with what follows it stays below two seconds. */
const STOP_GRACE_MS = 1_600;
/** How long `/readyz` says 503 before a hung process goes, milliseconds. */
const HUNG_GRACE_MS = 3_000;

/**
 * Runs the agents until SIGINT or SIGTERM.
 *
 * @returns the exit code: 0 after a clean stop, 1 after a fault that restarts cannot mend
 */
export async function runAgents(
  agents: readonly AgentName[],
  settings: Settings,
): Promise<number> {
  const events = eventLog(settings.logLevel, Date.now);
  const texts = readTexts(settings);
  if (agents.includes("dashboard")) {
    readDashboard(settings.dashboard, readCatalog(settings.catalog));
    checkBaseMap(settings.baseMap);
  }
  const leads = agents.includes("dashboard") && agents.includes("analysis");
  const withLog = async (use: (log: RuleLog) => Promise<void>) => {
    const bus = await openBus(settings, events, Date.now);
    try {
      await use(await RuleFeed.open(bus, settings.topicRules, Date.now));
    } finally {
      await bus.close();
    }
  };
  // Faults of folder or broker are told once and before any agent starts.
  await withLog((log) => settleRules(log, texts, { path: settings.rules, leads }, events));

  const supervisor = new Supervisor({
    agents,
    spawn: (name, listen) => spawnWorker({ name, settings }, listen),
    now: Date.now,
    random: Math.random,
    events,
    every: (ms, run) => {
      const timer = setInterval(run, ms);
      return () => clearInterval(timer);
    },
    informed: "dashboard",
  });
  const asked = onSignal();
  supervisor.start();
  const ended = new AbortController();
  const watched = ruleFile(settings.rules);
  const watching = leads && watched !== null
    ? watchFile(watched, { settings, texts, events, signal: ended.signal })
    : Promise.resolve();
  const fatal = await Promise.race([
    asked.then(() => null),
    supervisor.until(() => supervisor.fatal() !== null).then(() => supervisor.fatal()),
  ]);
  if (fatal?.why === "hung") await new Promise((resolve) => setTimeout(resolve, HUNG_GRACE_MS));
  ended.abort();
  await supervisor.stop(STOP_GRACE_MS);
  await watching;
  return fatal === null ? 0 : 1;
}

/** Watches the rules file; the bus stays open meanwhile, so that a change is written at once. */
async function watchFile(
  path: string,
  { settings, texts, events, signal }: {
    readonly settings: Settings;
    readonly texts: RuleTexts;
    readonly events: EventSink;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const hints = fileHints(path);
  let held: { readonly bus: Bus; readonly feed: RuleFeed } | null = null;
  const drop = async () => {
    const last = held;
    held = null;
    await last?.bus.close();
  };
  const withLog = async (use: (log: RuleLog) => Promise<void>) => {
    try {
      if (held === null) {
        const bus = await openBus(settings, events, Date.now);
        held = { bus, feed: await RuleFeed.open(bus, settings.topicRules, Date.now) };
      }
      await use(held.feed);
    } catch (error) {
      // The next change opens it anew.
      await drop();
      throw error;
    }
  };
  try {
    await watchRules({ path, texts, events, withLog, pause: sleep, hints, signal });
  } finally {
    await hints?.close();
    await drop();
  }
}

function spawnWorker(
  start: AgentStart,
  listen: (message: AgentMessage) => void,
): AgentHandle {
  const worker = new Worker(new URL("./agent_worker.ts", import.meta.url), {
    type: "module",
    name: start.name,
  });
  worker.addEventListener("message", ({ data }: MessageEvent<AgentMessage>) => listen(data));
  // A module that does not load, or an error that escaped the Worker's own handlers.
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    listen({ kind: "failed", error: event.message, usage: false });
  });
  const post = (command: WorkerCommand) => worker.postMessage(command);
  post({ kind: "start", start });
  return { send: post, terminate: () => worker.terminate() };
}

/** Resolves at the first SIGINT or SIGTERM; the second ends the process at once. */
function onSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  const handle = () => {
    if (asked) Deno.exit(130);
    asked = true;
    say("Stopping; once more to stop at once");
    resolve();
  };
  Deno.addSignalListener("SIGINT", handle);
  Deno.addSignalListener("SIGTERM", handle);
  return promise;
}
