/**
 * Holds the kernel's engine against the reference over one random log: same rules, same records,
 * the kernel's log cut into random batches. A divergence is shrunk to a small log.
 */
import { Seeded } from "../testing/seeded.ts";
import { createEngine } from "./engine.ts";
import type { Engine } from "./engine_port.ts";
import type { RuleSet } from "./language/ast.ts";
import { createReferenceEngine } from "./reference/engine.ts";
import { asBatch, type LogRecord } from "./reference/random_log.ts";

/** What one engine gave over a log, as text to compare. */
export interface Outcome {
  readonly lines: readonly string[];
  readonly counts: string;
}

/**
 * Runs an engine over a log, cut at random by `cuts` (null: one record at a time).
 *
 * @param start record at which the rules come into force: those before it warm the state
 */
export function outcome(
  engine: Engine,
  log: readonly LogRecord[],
  cuts: Seeded | null,
  start = 0,
): Outcome {
  const text = new TextDecoder();
  const lines: string[] = [];
  for (let at = 0; at < log.length;) {
    const warming = at < start;
    const end = warming ? Math.min(start, log.length) : log.length;
    const next = Math.min(end, at + (cuts === null ? 1 : 1 + cuts.below(300)));
    const { anomalies, refusals } = engine.push(asBatch(log, at, next), warming ? "warm" : "live");
    if (warming && (anomalies.length > 0 || engine.openAnomalies() > 0)) {
      lines.push(`opened while warming, records ${at} to ${next}`);
    }
    for (const { value } of anomalies) lines.push(text.decode(value));
    for (const { record, reason, index } of refusals) {
      lines.push(`refused ${at + record}/${index}: ${reason}`);
    }
    at = next;
  }
  lines.sort(byCause);
  const { samples, refused, ticks, late, duplicates } = engine.counts();
  const { crowded, clockResets, forgotten } = engine.counts();
  const rest = {
    open: engine.openAnomalies(),
    vehicles: engine.vehicles(),
    timer: engine.nextTimer(),
    waiting: engine.waiting(),
    crowded,
    clockResets,
    forgotten,
  };
  return { lines, counts: JSON.stringify({ samples, refused, ticks, late, duplicates, ...rest }) };
}

/** Refusals apart, behind: how they interleave with transitions depends on the cuts. */
function byCause(a: string, b: string): number {
  return Number(a.startsWith("refused")) - Number(b.startsWith("refused"));
}

/** What came of running both engines over a log. */
export interface Comparison {
  /** Where they part, in words; null where they agree. */
  readonly apart: string | null;
  /** Transitions that the reference gave. */
  readonly transitions: number;
}

/**
 * Runs both engines over a log.
 *
 * @param start record at which the rules come into force; 0: from the start
 */
export function compareEngines(
  ruleSet: RuleSet,
  log: readonly LogRecord[],
  seed: number,
  start = 0,
): Comparison {
  const reference = outcome(createReferenceEngine(ruleSet, { partition: 3 }), log, null, start);
  const kernel = outcome(createEngine(ruleSet, { partition: 3 }), log, new Seeded(seed), start);
  const transitions = reference.lines.filter((line) => line.startsWith("{")).length;
  return { apart: divergence(reference, kernel), transitions };
}

function divergence(reference: Outcome, kernel: Outcome): string | null {
  const at = reference.lines.findIndex((line, i) => line !== kernel.lines[i]);
  const first = at < 0 && kernel.lines.length > reference.lines.length
    ? reference.lines.length
    : at;
  if (first >= 0) {
    return `output ${first}\n  reference: ${reference.lines[first] ?? "nothing"}\n  kernel:    ${
      kernel.lines[first] ?? "nothing"
    }`;
  }
  if (reference.counts !== kernel.counts) {
    return `counts\n  reference: ${reference.counts}\n  kernel:    ${kernel.counts}`;
  }
  return null;
}

/** A smaller log over which the engines still part: pieces are left out as long as that holds. */
export function shrink(
  ruleSet: RuleSet,
  log: readonly LogRecord[],
  seed: number,
  start = 0,
): LogRecord[] {
  let small = [...log];
  for (let piece = small.length >> 1; piece >= 1; piece >>= 1) {
    for (let at = 0; at < small.length;) {
      const without = [...small.slice(0, at), ...small.slice(at + piece)];
      if (without.length > 0 && compareEngines(ruleSet, without, seed, start).apart !== null) {
        small = without;
      } else at += piece;
    }
  }
  return small;
}

/** A log as text for people. */
export function showLog(log: readonly LogRecord[]): string {
  const text = new TextDecoder();
  return log.map(({ value, append }, i) => `  ${i} A=${append} ${text.decode(value) || "tick"}`)
    .join("\n");
}
