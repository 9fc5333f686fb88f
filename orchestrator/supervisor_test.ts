import { assert, assertEquals } from "@std/assert";
import type { AgentCommand, AgentMessage, AgentName } from "../contract/agent.ts";
import type { OperationalEvent } from "../contract/events.ts";
import { Supervisor } from "./supervisor.ts";
import { restartDelayMs, type RestartPolicy } from "./table.ts";

const POLICY: RestartPolicy = {
  delayMsFirst: 100,
  delayMsMax: 1_000,
  failuresMax: 3,
  healthyAfterMs: 10_000,
  beatTimeoutMs: 5_000,
};

/** Agents that do as the test says, on a clock that the test moves. */
function stage(agents: readonly AgentName[]) {
  let now = 1_000_000;
  const timers: { at: number; ms: number; run: () => void }[] = [];
  const spawned: { name: AgentName; say: (m: AgentMessage) => void; heard: AgentCommand[] }[] = [];
  const events: OperationalEvent[] = [];
  const supervisor = new Supervisor({
    agents,
    policy: POLICY,
    now: () => now,
    random: () => 0.5,
    events: (event) => events.push(event),
    informed: "dashboard",
    every: (ms, run) => {
      const timer = { at: now + ms, ms, run };
      timers.push(timer);
      return () => timers.splice(timers.indexOf(timer), 1);
    },
    spawn: (name, listen) => {
      const heard: AgentCommand[] = [];
      spawned.push({ name, say: listen, heard });
      return { send: (command) => heard.push(command), terminate: () => {} };
    },
  });
  const advance = (ms: number) => {
    const until = now + ms;
    while (now < until) {
      now = Math.min(until, now + 50);
      for (const timer of [...timers]) {
        if (timer.at > now) continue;
        timer.at += timer.ms;
        timer.run();
      }
    }
  };
  const latest = (name: AgentName) => spawned.findLast((each) => each.name === name);
  const state = (name: AgentName) => supervisor.agents().find((each) => each.name === name)?.state;
  return { supervisor, spawned, events, advance, latest, state };
}

Deno.test("supervisor: a failing agent is restarted with growing waits, then failed for good", () => {
  const { supervisor, spawned, advance, latest, state } = stage(["analysis"]);
  supervisor.start();
  for (let failure = 1; failure <= 3; failure++) {
    assertEquals(spawned.length, failure);
    latest("analysis")?.say({ kind: "failed", error: "boom", usage: false });
    if (failure < 3) {
      assertEquals(state("analysis"), "waiting");
      const wait = restartDelayMs(POLICY, failure, 0.5);
      assertEquals(wait, failure === 1 ? 75 : 150);
      advance(wait + 150);
    }
  }
  assertEquals(state("analysis"), "failed");
  advance(60_000);
  assertEquals(spawned.length, 3);
  assertEquals(supervisor.agents()[0].error, "boom");
  assertEquals(supervisor.fatal(), null, "the dashboard stays up and says so");
});

Deno.test("supervisor: a healthy run forgets earlier failures", () => {
  const { supervisor, advance, latest, state } = stage(["producer"]);
  supervisor.start();
  for (let round = 0; round < 6; round++) {
    latest("producer")?.say({ kind: "ready" });
    for (let s = 0; s < 11; s++) {
      advance(1_000);
      latest("producer")?.say({ kind: "beat", metrics: {}, version: "" });
    }
    latest("producer")?.say({ kind: "failed", error: "boom", usage: false });
    assertEquals(state("producer"), "waiting", `round ${round}`);
    advance(300);
  }
});

Deno.test("supervisor: what a restart cannot mend is fatal at once", () => {
  const { supervisor, spawned, advance, latest } = stage(["dashboard"]);
  supervisor.start();
  latest("dashboard")?.say({ kind: "failed", error: "port 8000 is taken", usage: true });
  advance(60_000);
  assertEquals(spawned.length, 1);
  assertEquals(supervisor.fatal(), {
    name: "dashboard",
    error: "port 8000 is taken",
    why: "usage",
  });
});

Deno.test("supervisor: an agent that stops beating is failed and fatal, never doubled", () => {
  const { supervisor, spawned, events, advance, latest, state } = stage(["analysis"]);
  supervisor.start();
  latest("analysis")?.say({ kind: "ready" });
  advance(POLICY.beatTimeoutMs + 200);
  assertEquals(state("analysis"), "failed");
  assert(supervisor.fatal());
  assertEquals(spawned.length, 1);
  assertEquals(events.map((event) => event.name), ["agent.hung"]);
});

Deno.test("supervisor: pause, resume, restart reach the agent; unknown names only warn", () => {
  const { supervisor, spawned, events, latest, state } = stage(["producer", "dashboard"]);
  supervisor.start();
  latest("producer")?.say({ kind: "ready" });
  supervisor.act("producer", "pause");
  assertEquals(latest("producer")?.heard, [{ kind: "pause" }]);
  latest("producer")?.say({ kind: "paused" });
  assertEquals(state("producer"), "paused");
  latest("dashboard")?.say({ kind: "control", agent: "producer", action: "resume" });
  latest("producer")?.say({ kind: "resumed" });
  assertEquals(state("producer"), "running");
  const old = latest("producer");
  supervisor.act("producer", "restart");
  assertEquals(spawned.length, 3);
  old?.say({ kind: "failed", error: "too late", usage: false });
  assertEquals(state("producer"), "starting", "a replaced agent is not heard any more");
  supervisor.act("nobody", "pause");
  assertEquals(events.map((event) => event.name), ["agent.unknown"]);
  assert(latest("dashboard")?.heard.some((command) => command.kind === "agents"));
});

Deno.test("supervisor: stop waits for agents, but no longer than the grace", async () => {
  const { supervisor, spawned, advance, latest, state } = stage(["producer", "analysis"]);
  supervisor.start();
  latest("producer")?.say({ kind: "ready" });
  const stopped = supervisor.stop(2_000);
  supervisor.act("analysis", "restart");
  assertEquals(spawned.length, 2, "nothing is started any more");
  latest("producer")?.say({ kind: "stopped" });
  assertEquals(state("producer"), "stopped");
  assertEquals(state("analysis"), "stopping");
  advance(2_100);
  await stopped;
});

Deno.test("supervisor: an event is a line of the log and a count among its agent's metrics", () => {
  const { supervisor, events, latest } = stage(["analysis"]);
  supervisor.start();
  const event = { level: "warn", name: "bus.member_expired", message: "gone" } as const;
  latest("analysis")?.say({ kind: "event", event });
  latest("analysis")?.say({ kind: "event", event: { ...event, count: 2 } });
  latest("analysis")?.say({ kind: "beat", metrics: { samples: 1 }, version: "" });
  assertEquals(events.length, 2);
  const [{ metrics }] = supervisor.agents();
  assertEquals(metrics, { samples: 1, event_bus_member_expired_total: 3 });
});
