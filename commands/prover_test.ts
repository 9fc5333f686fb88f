import { assert, assertEquals } from "@std/assert";
import { BusError } from "../bus/port.ts";
import { logBus } from "../analysis/log_bus_fixture.ts";
import type { OperationalEvent } from "../contract/events.ts";
import { RuleHistory } from "../contract/rule_versions.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import { traceRules } from "../testing/engine_trace.ts";
import { createProver } from "./prover.ts";

function proverOver(bounds: () => Promise<[]>, signal = new AbortController().signal) {
  const rules = traceRules("version: 1\nrules: [{ id: r, when: x > 1 }]");
  const events: OperationalEvent[] = [];
  const prove = createProver({
    bus: { ...logBus([]), bounds },
    topic: "telemetry",
    anomalies: "anomalies",
    rules: {
      current: () => rules,
      version: () => rules,
      history: new RuleHistory(),
      catchUp: () => Promise.resolve(),
      onChange: () => () => {},
    },
    createEngine,
    events: (event) => events.push(event),
    signal,
  });
  return { prove, events };
}

Deno.test("prover: one at a time, a few wait, others are answered without", async () => {
  let [running, most, asked] = [0, 0, 0];
  const gate = Promise.withResolvers<void>();
  const { prove } = proverOver(async () => {
    asked++;
    most = Math.max(most, ++running);
    await gate.promise;
    running--;
    return [];
  });
  const all = Array.from({ length: 20 }, () => prove("00112233445566aa", 0));
  // Those beyond the queue are answered while the first one is still at work.
  assertEquals(await all[19], null);
  gate.resolve();
  assertEquals(new Set(await Promise.all(all)), new Set([null]));
  assertEquals([most, asked], [1, 8]);
});

Deno.test("prover: a bus that fails is told, and the next one is proven all the same", async () => {
  let calls = 0;
  const stop = new AbortController();
  const { prove, events } = proverOver(() => {
    calls++;
    return calls === 1 ? Promise.reject(new BusError("the broker is gone")) : Promise.resolve([]);
  }, stop.signal);
  assertEquals(await prove("00112233445566aa", 0), null);
  assert(events[0].message.includes("the broker is gone"));
  assertEquals(await prove("00112233445566aa", 0), null);
  assertEquals([calls, events.length], [2, 1]);
});
