import { assert, assertEquals } from "@std/assert";
import { BusError } from "../bus/port.ts";
import { logBus } from "../analysis/log_bus_fixture.ts";
import type { OperationalEvent } from "../contract/events.ts";
import { RuleHistory } from "../contract/rule_versions.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import { decodeTransition } from "../contract/anomaly.ts";
import { asBatch } from "../rules-wasm/reference/random_log.ts";
import { TRACE_START_MS, traceRules } from "../testing/engine_trace.ts";
import { createProver } from "./prover.ts";

function proverOver(bounds: () => Promise<[]>, signal = new AbortController().signal) {
  const rules = traceRules("version: 1\nrules: [{ id: r, when: x > 1 }]");
  const events: OperationalEvent[] = [];
  const prover = createProver({
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
    now: () => Date.now(),
  });
  return { prove: prover.prove, events };
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

/** A log of one drive that fired and cleared, and of the transitions that it gave. */
function drive() {
  const rules = traceRules("version: 1\nrules: [{ id: r, when: x > 1 }]");
  const text = new TextEncoder();
  const samples = [0, 2, 3, 0, 0].map((x, i) => ({
    value: text.encode(JSON.stringify({ vehicle: "V", ts: TRACE_START_MS + i * 1_000, x })),
    append: TRACE_START_MS + i * 1_000,
  }));
  const transitions = createEngine(rules, { partition: 0 })
    .push(asBatch(samples, 0, samples.length)).anomalies
    .map(({ value }) => ({ value, append: TRACE_START_MS + 4_000 }));
  return { rules, samples, transitions };
}

Deno.test("prover: what is over is proven once, and anew when it has been kept for long", async () => {
  const { rules, samples, transitions } = drive();
  let [now, reads] = [TRACE_START_MS + 5_000, 0];
  const telemetry = logBus(samples);
  const anomalies = logBus(transitions);
  const of = (topic: string) => topic === "telemetry" ? telemetry : anomalies;
  const prover = createProver({
    bus: {
      ...telemetry,
      bounds: (topic) => of(topic).bounds(topic),
      offsetAt: (topic, partition, time) => of(topic).offsetAt(topic, partition, time),
      range: (topic, ...rest) => {
        if (topic === "telemetry") reads++;
        return of(topic).range(topic, ...rest);
      },
    },
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
    events: () => {},
    now: () => now,
    signal: new AbortController().signal,
  });
  const { id } = decodeTransition(transitions[0].value);
  const ask = async () => {
    const before = reads;
    const proof = await prover.prove(id, 0);
    assert(proof?.reproduced);
    assertEquals(proof.thresholds[0]?.nearest?.value, 3);
    return reads > before;
  };
  // Samples may still come that bear on it.
  assertEquals([await ask(), await ask()], [true, true]);
  now += 600_000;
  assertEquals([await ask(), await ask(), await ask()], [true, false, false]);
  now += 700_000;
  assertEquals(await ask(), true);
  const { proofs_total, proofs_kept, proofs_kept_hits_total } = prover.metrics();
  assertEquals([proofs_total, proofs_kept, proofs_kept_hits_total], [6, 1, 2]);
});
