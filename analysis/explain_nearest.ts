/** The nearest limit, and the shortest duration, at which an anomaly would not have fired. */
import type { NearestDuration, NearestLimit, Threshold } from "../contract/explanation.ts";
import type { Rule } from "../rules-wasm/language/ast.ts";
import { hasAbsent } from "../rules-wasm/language/brings.ts";
import { type Limit, withLimit } from "./explain_limits.ts";

/** Rules that are tried in one run. */
const TRIES_MAX = 96;

/** Tells of variants of one rule whether each fires where the anomaly did; null: no time left. */
export type Trial = (rules: readonly Rule[]) => Promise<readonly boolean[] | null>;

/** A limit to try, and the boundary that it stands for. */
interface Candidate {
  readonly tried: number;
  readonly value: number;
  readonly exclusive: boolean;
}

/** Would be a fault of the search: what it found is told only where a run confirms it. */
export const UNPROVEN = "a run over the log did not confirm the limit that was found";

const NO_TIME = "there was no time left to try limits";

/**
 * The nearest limit that does not fire.
 *
 * Between two observed values of the other side nothing changes, so that only those, and what lies
 * next to them, are tried. Of more than about a hundred, not all are: where a limit bears on the
 * anomaly in more than one way, a nearer one may be passed over.
 *
 * @param observed values of the comparison's other side, in any order
 */
export async function nearestLimit(
  rule: Rule,
  limit: Limit,
  observed: Iterable<number>,
  trial: Trial,
): Promise<Threshold> {
  const { value, compare: { term }, stricter } = limit;
  const head = { term: term.text, unit: term.unit, limit: value };
  const fault = (why: string): Threshold => ({ ...head, nearest: null, why });
  const values = [...new Set(observed)].filter(Number.isFinite).sort((a, b) => a - b);
  // Whether there is time at all is found out first.
  if (await trial([]) === null) return fault(NO_TIME);
  if (values.length === 0) return fault("its other side was never known");
  let nearest: NearestLimit | null = null;
  for (const side of ["above", "below"] as const) {
    if (stricter !== "either" && stricter !== side) continue;
    const candidates = candidatesOf(limit, values, side);
    const found = await firstSilent(
      candidates.length,
      (i) => withLimit(rule, limit, candidates[i].tried),
      trial,
    );
    if (found === null) return fault(NO_TIME);
    const candidate = candidates.at(found);
    if (found < 0 || candidate === undefined) continue;
    const { tried, value: boundary, exclusive } = candidate;
    const towards = side === "above" ? nextDown : nextUp;
    const firesAt = towards(tried);
    const proven = await trial([withLimit(rule, limit, tried), withLimit(rule, limit, firesAt)]);
    if (proven === null) return fault(NO_TIME);
    if (proven[0] || !proven[1]) return fault(UNPROVEN);
    const difference = boundary - value;
    if (nearest === null || Math.abs(difference) < Math.abs(nearest.difference)) {
      nearest = { value: boundary, side, exclusive, difference, silentAt: tried, firesAt };
    }
  }
  if (nearest !== null) return { ...head, nearest, why: "" };
  return fault(
    stricter === "either"
      ? "it fires at every limit among the values that came"
      : `it fires however far the limit goes ${stricter === "above" ? "up" : "down"}: another ` +
        "part of the condition holds it",
  );
}

/** The shortest `for`, above the rule's own, under which nothing fires. */
export async function nearestDuration(
  rule: Rule,
  spanMs: number,
  trial: Trial,
): Promise<NearestDuration> {
  const { forMs } = rule;
  if (hasAbsent(rule.when)) {
    return { forMs, nearestMs: null, why: "a rule of silence takes no `for`" };
  }
  if (await trial([]) === null) return { forMs, nearestMs: null, why: NO_TIME };
  const of = (i: number) => ({ ...rule, forMs: forMs + 1 + i });
  const found = await firstSilent(Math.max(0, Math.floor(spanMs) + 1 - forMs), of, trial);
  if (found === null) return { forMs, nearestMs: null, why: NO_TIME };
  if (found < 0) {
    return { forMs, nearestMs: null, why: "it fires as long as was read of the log" };
  }
  return { forMs, nearestMs: forMs + 1 + found, why: "" };
}

/** Limits to try on one side, nearest first. */
function candidatesOf(
  { op, value }: Limit,
  values: readonly number[],
  side: "above" | "below",
): Candidate[] {
  const up = side === "above";
  const beyond = up ? nextUp : nextDown;
  const at = (b: number): Candidate => ({ tried: b, value: b, exclusive: false });
  const after = (b: number): Candidate => ({ tried: beyond(b), value: b, exclusive: true });
  const further = values.filter((b) => up ? b > value : b < value);
  if (!up) further.reverse();
  const and = values.includes(value) ? [value] : [];
  switch (op) {
    case ">":
    case "<=":
      return up ? further.map(at) : [...and, ...further].map(after);
    case ">=":
    case "<":
      return up ? [...and, ...further].map(after) : further.map(at);
    case "==":
    case "!=":
      return [after(value), ...further.flatMap((b) => [at(b), after(b)])];
  }
}

/**
 * The first of a row of variants that does not fire, -1 if all do; null if time ran out. All are
 * tried where they are few; else some, ever further apart, and then those before the first found.
 */
async function firstSilent(
  count: number,
  variant: (i: number) => Rule,
  trial: Trial,
): Promise<number | null> {
  let [from, to, found] = [0, count, -1];
  let tries = spread(from, to, true);
  while (tries.length > 0) {
    const fires = await trial(tries.map(variant));
    if (fires === null) return null;
    const silent = fires.indexOf(false);
    if (silent < 0) {
      // The last one tried is always the last of its range.
      if (found < 0) return -1;
      return found;
    }
    found = tries[silent];
    from = silent === 0 ? from : tries[silent - 1] + 1;
    to = found;
    tries = spread(from, to, false);
  }
  return found;
}

/** Up to `TRIES_MAX` of the whole numbers in [from, to), the last among them. */
function spread(from: number, to: number, growing: boolean): number[] {
  const count = to - from;
  if (count <= TRIES_MAX) return Array.from({ length: count }, (_, i) => from + i);
  const found = new Set<number>();
  for (let k = 0; k < TRIES_MAX; k++) {
    const part = (k + 1) / TRIES_MAX;
    const i = growing ? Math.max(k, Math.round(count ** part)) : Math.round(part * count);
    found.add(from + Math.min(count, Math.max(1, i)) - 1);
  }
  return [...found].sort((a, b) => a - b);
}

const float = new Float64Array(1);
const bits = new BigInt64Array(float.buffer);

/** The next greater double. */
export function nextUp(x: number): number {
  if (x === 0) return Number.MIN_VALUE;
  float[0] = x;
  bits[0] += x > 0 ? 1n : -1n;
  return float[0];
}

/** The next smaller double. */
export function nextDown(x: number): number {
  return -nextUp(-x);
}
