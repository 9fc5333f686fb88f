/** A whole dashboard for tests: over a bus in memory, asked over HTTP. */
import type { AgentAction, AgentStatus } from "../contract/agent.ts";
import { DASHBOARD } from "../contract/dashboard_fixture.ts";
import { TOPICS } from "../contract/topics.ts";
import type { Bus } from "../bus/port.ts";
import { type DashboardDependencies, runDashboard } from "./agent.ts";
import {
  CATALOG,
  fixedRules,
  JsonDecoder,
  MemoryBus,
  RULE_SET,
  TestContext,
  until,
} from "./test_support.ts";

/** A dashboard that is running, with its bus. */
export interface Site {
  readonly url: string;
  /** Folder of its store. */
  readonly dir: string;
  readonly bus: MemoryBus;
  readonly context: TestContext;
  readonly acted: [string, AgentAction][];
  agents: AgentStatus[];
  get(path: string, init?: RequestInit): Promise<Response>;
  json(path: string): Promise<Record<string, unknown>>;
  post(path: string, body?: unknown, init?: RequestInit): Promise<Response>;
  /** Restarts the dashboard over the same bus and store. */
  restart(): Promise<void>;
}

/** An agent's row in the table. */
export function agentOf(name: string, state: AgentStatus["state"]): AgentStatus {
  const times = { since: 1, beat: 2, retryAt: 0 };
  return {
    name,
    state,
    restarts: 3,
    error: "",
    metrics: { lag_records: 7 },
    version: "",
    ...times,
  };
}

/** What a dashboard over a bus is made of. */
export function depsOf(
  dataDir: string,
  bus: Bus,
  change: Partial<DashboardDependencies>,
): DashboardDependencies {
  return {
    bus,
    topics: TOPICS,
    catalog: CATALOG,
    rules: fixedRules(RULE_SET),
    intake: null,
    baseMap: null,
    dataDir,
    host: "127.0.0.1",
    port: 0,
    token: null,
    agents: { current: () => [], onChange: () => () => {}, act: () => {} },
    prover: { prove: () => Promise.resolve(null), metrics: () => ({}) },
    backtests: { start: () => null, metrics: () => ({}), close: () => {} },
    layout: { current: () => DASHBOARD, onChange: () => () => {} },
    decoder: new JsonDecoder(),
    pages: { render: (page) => `<!doctype html>${page.kind} ${JSON.stringify(page)}`, files: [] },
    ...change,
  };
}

/** Runs a dashboard over an empty bus in memory, and ends it afterwards. */
export async function onSite(
  run: (site: Site) => Promise<void>,
  change: Partial<DashboardDependencies> = {},
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const now = () => Math.round(performance.timeOrigin + performance.now());
  const bus = new MemoryBus(now);
  const acted: [string, AgentAction][] = [];
  let url = "";
  let context = new TestContext(now);
  let running: Promise<void> = Promise.resolve();
  const start = async () => {
    context = new TestContext(now);
    const agents = {
      current: () => site.agents,
      onChange: () => () => {},
      act: (name: string, action: AgentAction) => void acted.push([name, action]),
    };
    const listening = (found: string) => url = found;
    const deps = depsOf(dir, bus, { decoder: new JsonDecoder(), agents, listening, ...change });
    running = runDashboard(context, deps);
    await Promise.race([running, until("the server listens", () => context.isReady)]);
  };
  const stop = async () => {
    context.stop();
    await running;
  };
  const site: Site = {
    get url() {
      return url;
    },
    get context() {
      return context;
    },
    dir,
    bus,
    acted,
    agents: [agentOf("analysis", "running")],
    get: (path, init) => fetch(url + path, init),
    async json(path) {
      return await (await fetch(url + path)).json();
    },
    post: (path, body, init) =>
      fetch(url + path, {
        method: "POST",
        body: body === undefined ? undefined : JSON.stringify(body),
        ...init,
      }),
    async restart() {
      await stop();
      await start();
    },
  };
  try {
    await start();
    await run(site);
  } finally {
    await stop();
    await Deno.remove(dir, { recursive: true });
  }
}

/** Waits until so many samples have come. */
export async function settled(site: Site, samples: number): Promise<void> {
  await until(`${samples} samples have come`, async () => {
    const text = await (await site.get("/metrics")).text();
    return text.includes(`kilter_samples_total ${samples}\n`);
  });
}
