/** What two rule sets open over the same log: what both do, what only one does, what moved. */
import type { Severity, Transition } from "../contract/anomaly.ts";

/** One opening of an anomaly. */
export interface Opening {
  readonly id: string;
  readonly rule: string;
  readonly vehicle: string;
  /** T of opening, and T of clearing; Infinity while it is open. */
  readonly at: number;
  readonly until: number;
  readonly onset: number;
  readonly severity: Severity;
}

/** One thing that differs: an opening that has no counterpart, or one that opens at another time. */
export interface Difference {
  readonly kind: "only-first" | "only-second" | "moved";
  readonly rule: string;
  readonly vehicle: string;
  readonly first: Opening | null;
  readonly second: Opening | null;
}

/** What comparing came to for one rule. */
export interface RuleComparison {
  readonly rule: string;
  readonly same: number;
  readonly moved: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
}

/** Gathers openings from transitions. Takes memory for each of them. */
export class Openings {
  readonly #all: { -readonly [K in keyof Opening]: Opening[K] }[] = [];
  readonly #open = new Map<string, number>();

  constructor(readonly isOnce: (rule: string) => boolean) {}

  /** Takes the next transition. */
  take({ kind, id, rule, vehicle, at, onset, severity }: Transition): void {
    if (kind === "opened" || kind === "reopened") {
      const once = this.isOnce(rule);
      if (!once) this.#open.set(id, this.#all.length);
      const until = once ? at : Infinity;
      this.#all.push({ id, rule, vehicle, at, until, onset, severity });
    } else if (kind === "cleared") {
      const opening = this.#all[this.#open.get(id) ?? -1];
      if (opening !== undefined) opening.until = at;
      this.#open.delete(id);
    }
  }

  /** All openings so far, by rule and vehicle, in the order of time. */
  byPlace(): ReadonlyMap<string, readonly Opening[]> {
    const places = new Map<string, Opening[]>();
    for (const opening of this.#all) {
      const key = JSON.stringify([opening.rule, opening.vehicle]);
      const own = places.get(key);
      if (own === undefined) places.set(key, [opening]);
      else own.push(opening);
    }
    for (const own of places.values()) own.sort((a, b) => a.at - b.at);
    return places;
  }
}

/**
 * Compares what two rule sets opened.
 *
 * Of one rule and vehicle, openings at the same T are the same; of the others, each is paired with
 * the first that is open at some time with it, and has moved; the rest is of one set only.
 *
 * @returns differences in the order of time, and counts per rule, those that differ most first
 */
export function compareOpenings(
  first: Openings,
  second: Openings,
): { readonly differences: readonly Difference[]; readonly rules: readonly RuleComparison[] } {
  const a = first.byPlace();
  const b = second.byPlace();
  const differences: Difference[] = [];
  const counts = new Map<string, { -readonly [K in keyof RuleComparison]: RuleComparison[K] }>();
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const { same, found } = comparePlace(a.get(key) ?? [], b.get(key) ?? []);
    const { rule = "" } = a.get(key)?.[0] ?? b.get(key)?.[0] ?? {};
    const count = counts.get(rule) ?? { rule, same: 0, moved: 0, onlyFirst: 0, onlySecond: 0 };
    counts.set(rule, count);
    count.same += same;
    for (const { kind } of found) {
      if (kind === "moved") count.moved++;
      else if (kind === "only-first") count.onlyFirst++;
      else count.onlySecond++;
    }
    for (const each of found) differences.push(each);
  }
  const at = ({ first, second }: Difference) =>
    Math.min(first?.at ?? Infinity, second?.at ?? Infinity);
  const weight = (each: RuleComparison) => each.moved + each.onlyFirst + each.onlySecond;
  return {
    differences: differences.sort((x, y) => at(x) - at(y)),
    rules: [...counts.values()].sort((x, y) => weight(y) - weight(x)),
  };
}

function comparePlace(
  first: readonly Opening[],
  second: readonly Opening[],
): { readonly same: number; readonly found: readonly Difference[] } {
  const times = new Set(second.map(({ at }) => at));
  const common = new Set(first.filter(({ at }) => times.has(at)).map(({ at }) => at));
  const restA = first.filter(({ at }) => !common.has(at));
  const restB = second.filter(({ at }) => !common.has(at));
  const found: Difference[] = [];
  // Openings of one place do not overlap one another, so that one walk finds all pairs.
  for (let i = 0, j = 0; i < restA.length || j < restB.length;) {
    const a = restA[i];
    const b = restB[j];
    const { rule = "", vehicle = "" } = a ?? b ?? {};
    const overlap = a !== undefined && b !== undefined && a.at <= b.until && b.at <= a.until;
    if (overlap) {
      found.push({ kind: "moved", rule, vehicle, first: a, second: b });
      i++;
      j++;
    } else if (b === undefined || a !== undefined && a.at < b.at) {
      if (a !== undefined) {
        found.push({ kind: "only-first", rule, vehicle, first: a, second: null });
      }
      i++;
    } else {
      found.push({ kind: "only-second", rule, vehicle, first: null, second: b });
      j++;
    }
  }
  return { same: common.size, found };
}
