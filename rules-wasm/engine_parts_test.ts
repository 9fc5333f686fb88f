/** Batches that give much: what they give comes in parts, of a bounded size each. */
import { assert, assertEquals } from "@std/assert";
import { traceBatch, type TraceRow, traceRules } from "../testing/engine_trace.ts";
import { createEngine } from "./engine.ts";
import type { Engine, EngineInput, PushMode } from "./engine_port.ts";
import type { RuleSet } from "./language/ast.ts";
import { createReferenceEngine } from "./reference/engine.ts";

const TEXT = new TextDecoder();

/** Rules that open and clear with every other sample. */
function restless(settings: string, rules: number): RuleSet {
  const each = Array.from({ length: rules }, (_, i) => `  - { id: r${i}, when: x > ${i / 1_000} }`);
  return traceRules(`version: 1\nsettings: { ${settings} }\nrules:\n${each.join("\n")}`);
}

/** Samples of a few vehicles, every other one above all limits; some of records of several. */
function hostileRows(count: number): TraceRow[] {
  return Array.from({ length: count }, (_, i): TraceRow => ({
    a: i / 100,
    v: `V-${i % 7}`,
    is: i % 11 === 5 ? { x: "no number" } : { x: Math.floor(i / 7) % 2 },
  }));
}

/** The parts that an engine gives of a batch, as text. */
function parts(
  engine: Engine,
  batch: EngineInput,
  mode: PushMode = "live",
  between: () => void = () => {},
): { readonly lines: string[]; readonly next: number }[] {
  const all: { readonly lines: string[]; readonly next: number }[] = [];
  for (let from = 0; from < batch.count;) {
    const { anomalies, refusals, next } = engine.pushPart(batch, from, mode);
    assert(next > from, `no record was taken in after ${from}`);
    const lines = [
      ...anomalies.map(({ value }) => TEXT.decode(value)),
      ...refusals.map(({ record, index, start }) => `refused ${record}/${index} at ${start}`),
    ];
    all.push({ lines, next });
    from = next;
    between();
  }
  return all;
}

/** Refusals apart: how they interleave with transitions depends on the parts. */
function sorted(all: readonly { readonly lines: string[] }[]): string[] {
  const lines = all.flatMap((part) => part.lines);
  return [
    ...lines.filter((line) => line.startsWith("{")),
    ...lines.filter((line) => !line.startsWith("{")),
  ];
}

/** Every tenth record is broken. */
function withBroken(batch: EngineInput): EngineInput {
  const values = batch.values.slice();
  for (let i = 0; i < batch.count; i += 10) values[batch.valueEnds[i] - 1] = 0x2c;
  return { ...batch, values };
}

for (const settings of ["lateness: 0 s", "lateness: 1 s", "lateness: 60 s"]) {
  Deno.test(`parts: a batch that makes each sample a dozen transitions, ${settings}`, () => {
    const rules = restless(settings, 12);
    const batch = withBroken(traceBatch(hostileRows(9_000)));
    const kernel = createEngine(rules, { partition: 0 });
    const all = parts(kernel, batch);
    assertEquals(all.at(-1)?.next, batch.count);
    const most = Math.max(...all.map(({ lines }) => lines.length));
    // A micro-batch of 1,024 rows goes beyond the limit at most, and what it releases.
    if (settings !== "lateness: 60 s") assert(most < 16_384 + 2 * 12 * 1_024, `${most} at once`);
    assert(all.length > 2, `${all.length} parts`);
    const expected = parts(createReferenceEngine(rules, { partition: 0 }), batch);
    assertEquals(sorted(all), sorted(expected));
    const whole = createEngine(rules, { partition: 0 }).push(batch);
    assertEquals(
      sorted(all).slice(0, whole.anomalies.length),
      whole.anomalies.map(({ value }) => TEXT.decode(value)),
    );
  });
}

Deno.test("parts: between two of them the engine may be asked for anything, and may be left", () => {
  const rules = restless("lateness: 1 s", 12);
  const batch = withBroken(traceBatch(hostileRows(6_000)));
  const expected = parts(createEngine(rules, { partition: 0 }), batch);
  const asked = createEngine(rules, { partition: 0 });
  const found = parts(asked, batch, "live", () => {
    asked.snapshot();
    asked.nextTimer();
  });
  assertEquals(found, expected);
  // Another engine goes on from a part's end.
  const first = createEngine(rules, { partition: 0 });
  const { next } = first.pushPart(batch, 0);
  const second = createEngine(rules, { partition: 0 });
  second.restore(first.snapshot());
  const rest = second.pushPart(batch, next);
  assertEquals(
    rest.anomalies.map(({ value }) => TEXT.decode(value)),
    expected[1].lines.filter((line) => line.startsWith("{")),
  );
});

Deno.test("parts: one tick that releases all that waits does not fill the kernel with transitions", () => {
  const rules = restless("lateness: 1 h, max_waiting: 20000, max_clock_ahead: 1 d", 40);
  const rows = hostileRows(1_500);
  const batch = traceBatch([...rows, { a: 5_000 }]);
  const kernel = createEngine(rules, { partition: 0 });
  const before = parts(kernel, traceBatch(rows));
  assertEquals(before.flatMap(({ lines }) => lines), []);
  const bytes = kernel.memoryBytes();
  const tick = parts(kernel, traceBatch([{ a: 5_000 }], rows.length));
  assert(tick[0].lines.length > 30_000, `${tick[0].lines.length}`);
  assert(kernel.memoryBytes() - bytes < 2 ** 25, `${kernel.memoryBytes() - bytes} bytes more`);
  const expected = parts(createReferenceEngine(rules, { partition: 0 }), batch);
  assertEquals(tick[0].lines, sorted(expected));
});

Deno.test("parts: what is warmed or suppressed comes in one, for it gives nothing", () => {
  const rules = restless("lateness: 0 s", 12);
  for (const mode of ["warm", "suppress"] as const) {
    const all = parts(createEngine(rules, { partition: 0 }), traceBatch(hostileRows(9_000)), mode);
    assertEquals(all.map(({ next }) => next), [9_000]);
  }
});
