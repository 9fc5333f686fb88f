import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decodeTransition, type Transition } from "../contract/anomaly.ts";
import { encodeRuleRecord, RuleHistory } from "../contract/rule_versions.ts";
import type { Hindrance, Proof, Refutation } from "../contract/explanation.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { asBatch, type LogRecord } from "../rules-wasm/reference/random_log.ts";
import { TRACE_START_MS, traceRules } from "../testing/engine_trace.ts";
import { explain, EXPLAIN_BOUNDS, type ExplainBounds } from "./explain.ts";
import { explainAbsence } from "./explain_not.ts";
import { findAnomaly } from "./find_anomaly.ts";
import { logBus } from "./log_bus_fixture.ts";

const rulesOf = (rules: string) => traceRules(`version: 1\nrules: ${rules}`);
const text = new TextEncoder();
const START = TRACE_START_MS;

/** Samples of V, `at` seconds after the start, each a record of its own with A = T. */
function logOf(...samples: readonly (readonly [number, Readonly<Record<string, unknown>>])[]) {
  return samples.map(([at, values]): LogRecord => {
    const t = START + at * 1_000;
    return { value: text.encode(JSON.stringify({ vehicle: "V", ts: t, ...values })), append: t };
  });
}

/** What a case is explained with. */
interface Case {
  readonly rules: RuleSet;
  readonly log: readonly LogRecord[];
  /** Offset of the oldest record kept. */
  readonly kept?: number;
  /** Offset at which the rules came into force. */
  readonly active?: number;
  /** Whether their version is known. */
  readonly known?: boolean;
  readonly bounds?: Partial<ExplainBounds>;
}

function depsOf({ rules, log, kept, active, known = true, bounds }: Case) {
  const history = new RuleHistory();
  if (active !== undefined) {
    history.take(encodeRuleRecord({
      ...{ kind: "activation", format: 1, version: rules.version, partition: 0 },
      ...{ offset: active, warmedFrom: 0, time: START },
    }));
  }
  return {
    bus: logBus(log, kept),
    topic: "vehicle.telemetry",
    rules: {
      current: () => rules,
      version: (name: string) => known && name === rules.version ? rules : null,
      history,
      catchUp: () => Promise.resolve(),
      onChange: () => () => {},
    },
    createEngine,
    bounds: { ...EXPLAIN_BOUNDS, ...bounds },
    clock: () => 0,
    turn: () => Promise.resolve(),
  };
}

function run({ rules, log, active = 0 }: Case): Transition[] {
  const engine = createEngine(rules, { partition: 0 });
  if (active > 0) engine.push(asBatch(log, 0, active), "warm");
  return engine.push(asBatch(log, active, log.length)).anomalies
    .map(({ value }) => decodeTransition(value));
}

async function proofOf(of: Case): Promise<Proof> {
  const transitions = run(of);
  assert(transitions.length > 0, "nothing fires");
  const [{ id }] = transitions;
  return await explain(transitions.filter((each) => each.id === id), depsOf(of));
}

async function refute(of: Case, at: number, vehicle = "V", rule = "r"): Promise<Refutation> {
  const question = { rule, vehicle, time: START + at * 1_000, partition: 0 };
  const answer = await explainAbsence(question, depsOf(of));
  assert(!("rules" in answer));
  return answer;
}

const FAST = rulesOf("[{ id: r, when: speed > 100 km/h, for: 2 s }]");
const DRIVE = logOf(
  ...[90, 101, 103, 102, 99, 90].map((speed, i) => [i, { speed }] as const),
);

Deno.test("explain: limits of every operator, inclusive and exclusive", async () => {
  const values = logOf([0, { x: 1 }], [1, { x: 5 }], [2, { x: 5 }], [3, { x: 1 }]);
  const table: readonly (readonly [string, number, boolean, "above" | "below"])[] = [
    ["x > 4", 5, false, "above"],
    ["x >= 4", 5, true, "above"],
    ["4 < x", 5, false, "above"],
    ["not (x <= 4)", 5, false, "above"],
    ["not (x < 4)", 5, true, "above"],
    ["-x < -4", -5, false, "below"],
    ["-x <= -4", -5, true, "below"],
    ["x == 5", 5, true, "above"],
    ["count(x > 4, 10 s) > 0", 2, false, "above"],
  ];
  for (const [when, value, exclusive, side] of table) {
    const rules = rulesOf(`[{ id: r, when: "${when}" }]`);
    const { thresholds, reproduced } = await proofOf({ rules, log: values });
    const found = thresholds.at(-1)?.nearest;
    assertEquals([when, reproduced, found?.value, found?.exclusive, found?.side], [
      ...[when, true, value, exclusive, side],
    ]);
  }
});

Deno.test("explain: no limit that would do is told with its reason", async () => {
  const rules = rulesOf(`[{ id: r, when: "x > 4 or y > 1" }]`);
  const { thresholds } = await proofOf({
    rules,
    log: logOf([0, { x: 5, y: 2 }], [1, { x: 1, y: 0 }]),
  });
  assertEquals(thresholds.map(({ nearest }) => nearest), [null, null]);
  assertStringIncludes(thresholds[0].why, "another part of the condition");
  const absent = rulesOf(`[{ id: r, when: absent(5 s) }]`);
  const silent = await proofOf({ rules: absent, log: logOf([0, { x: 1 }], [20, { x: 1 }]) });
  assertEquals([silent.reproduced, silent.thresholds.length], [true, 0]);
  assertStringIncludes(silent.duration?.why ?? "", "silence");
  assertEquals(silent.trace?.samples.map(({ cause }) => cause), ["sample", "time", "sample"]);
});

Deno.test("explain: a rule that came into force in the middle of a run opens there again", async () => {
  const proof = await proofOf({ rules: FAST, log: DRIVE, active: 3 });
  assertEquals([proof.reproduced, proof.opening.at, proof.opening.onset], [
    ...[true, START + 3_000, START + 1_000],
  ]);
  // Under rules that were in force from the start it opens at the same sample: one later differs.
  const late = logOf(...[101, 102, 103, 104, 105, 90].map((speed, i) => [i, { speed }] as const));
  const warmed = await proofOf({ rules: FAST, log: late, active: 4 });
  assertEquals([warmed.reproduced, warmed.opening.at], [true, START + 4_000]);
});

Deno.test("explain: what it cannot reproduce it says, and why", async () => {
  const gone = await proofOf({ rules: FAST, log: DRIVE, kept: 5 });
  assertEquals([gone.reproduced, gone.thresholds, gone.duration], [false, [], null]);
  assertStringIncludes(gone.why, "gone by the retention: the log is kept from offset 5");
  const partly = await proofOf({ rules: FAST, log: DRIVE, kept: 2 });
  assertStringIncludes(partly.why, "what came before bears on it");
  const other = await proofOf({ rules: FAST, log: DRIVE, known: false });
  assertEquals([other.rule?.of, other.reproduced], ["current", true]);
  const little = await proofOf({ rules: FAST, log: DRIVE, bounds: { bytesMax: 0 } });
  assertStringIncludes(little.why, "were read and no more");
  const [opening] = run({ rules: FAST, log: DRIVE });
  const unknown = await explain(
    [{ ...opening, rule: "none", version: "0123456789abcdef" }],
    depsOf({ rules: FAST, log: DRIVE }),
  );
  assertEquals(unknown.rule, null);
  assertStringIncludes(unknown.why, 'a rule "none"');
});

Deno.test("explain: where time is up, no limits are told, and that is said", async () => {
  let now = 0;
  const of = { rules: FAST, log: DRIVE };
  const proof = await explain(run(of), { ...depsOf(of), clock: () => now += 100_000 });
  assertEquals(proof.reproduced, true);
  assertEquals(proof.thresholds.map(({ nearest }) => nearest), [null]);
  assertStringIncludes(proof.thresholds[0].why, "no time");
  assertStringIncludes(proof.log?.cut ?? "", "time was up");
  assertStringIncludes(proof.duration?.why ?? "", "no time");
});

Deno.test("explain: an id spelled with escapes is the vehicle's, one that only begins so is not", async () => {
  const spelled = (value: string) => ({ value: text.encode(value), append: START });
  const log = [
    spelled(`{"vehicle":"\\u0056","ts":${START},"speed":101}`),
    spelled(`{"vehicle":"V-2","ts":${START},"speed":90}`),
    ...logOf([1, { speed: 103 }], [2, { speed: 102 }]),
  ];
  const proof = await proofOf({ rules: FAST, log });
  assertEquals([proof.reproduced, proof.opening.onset], [true, START]);
  assertEquals(proof.trace?.samples.length, 3);
});

Deno.test("explain: why a rule did not fire", async () => {
  const when = "speed > 100 km/h and (rpm > 3000 rpm or coolant > 90 degC)";
  const rules = rulesOf(`[{ id: r, when: "${when}" }]`);
  const log = logOf([0, { rpm: 2000 }], [200, { speed: 90 }], [201, { speed: 110 }]);
  const told = (hindrances: readonly Hindrance[]) =>
    hindrances.map(({ term, truth, difference, unknown }) => [
      ...[term.split(" ")[0], truth, difference],
      unknown.replace(/ at .*/, ""),
    ]);
  const slow = await refute({ rules, log }, 200);
  assertEquals(slow.why, "condition");
  assertEquals(told(slow.hindrances), [
    ["speed", false, -10, ""],
    ["rpm", null, null, "rpm is stale: it last came"],
    ["coolant", null, null, "coolant never came"],
  ]);
  assertEquals(told((await refute({ rules, log }, 201)).hindrances).map(([term]) => term), [
    ...["rpm", "coolant"],
  ]);
  const negated = rulesOf(`[{ id: r, when: "not (x > 1)" }]`);
  const [hindrance] = (await refute({ rules: negated, log: logOf([0, { x: 3 }]) }, 0)).hindrances;
  assertEquals([hindrance.wanted, hindrance.truth, hindrance.difference], [false, true, 2]);
  const once = rulesOf("[{ id: r, when: x > 1, once: true, cooldown: 10 s }]");
  const twice = logOf([0, { x: 3 }], [1, { x: 3 }], [2, { x: 0 }], [3, { x: 3 }]);
  const whys = await Promise.all(
    [0, 1, 3].map(async (at) => (await refute({ rules: once, log: twice }, at)).why),
  );
  assertEquals(whys, ["fired", "fired before", "cooldown"]);
  assertEquals((await refute({ rules: FAST, log: DRIVE, active: 4 }, 3)).why, "not in force");
  assertEquals((await refute({ rules: FAST, log: DRIVE }, 2)).heldMs, 1_000);
  const question = { rule: "none", vehicle: "V", time: START, partition: 0 };
  assertEquals(await explainAbsence(question, depsOf({ rules: FAST, log: DRIVE })), {
    rules: ["r"],
  });
});

Deno.test("explain: an id is found from its first digits, unless several begin so", async () => {
  const ids = ["00112233445566aa", "00112233445566ab", "ff112233445566aa"];
  const [opening] = run({ rules: FAST, log: DRIVE });
  const log = ids.flatMap((id) =>
    ["opened", "cleared"].map((kind): LogRecord => ({
      value: text.encode(JSON.stringify({ ...opening, id, kind })),
      append: START,
    }))
  );
  const find = (begin: string) => findAnomaly(logBus(log), "a", begin, () => Promise.resolve());
  const whole = await find(ids[1]);
  assert(whole.kind === "found");
  assertEquals(whole.transitions.map(({ id, kind }) => `${id} ${kind}`), [
    ...[`${ids[1]} opened`, `${ids[1]} cleared`],
  ]);
  const several = await find("0011");
  assert(several.kind === "ambiguous");
  assertEquals([...several.ids].sort(), ids.slice(0, 2));
  assertEquals((await find("ff11")).kind, "found");
  assertEquals(await find("abcd"), { kind: "none", searched: 6 });
});
