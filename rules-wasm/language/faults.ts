/** Collecting faults, and finding what was probably meant. */
import type { Fault, Span } from "./ast.ts";
import type { Place } from "./place.ts";

/** Most faults of one file that are told: nobody reads more, and a megabyte may hold many. */
export const FAULTS_MAX = 1_000;

/** Faults of one file, in the order of its text. */
export class FaultList {
  readonly #faults: Fault[] = [];
  #more = 0;

  /** @param file the file as the user named it */
  constructor(readonly file: string) {}

  /** Adds a fault. */
  add(span: Span, message: string, suggestion = ""): void {
    if (this.#faults.length < FAULTS_MAX) {
      this.#faults.push({ file: this.file, span, message, suggestion });
    } else this.#more++;
  }

  /** Number of faults so far. */
  get count(): number {
    return this.#faults.length + this.#more;
  }

  /** All faults, in the order of their place. */
  sorted(): readonly Fault[] {
    const sorted = [...this.#faults].sort((a, b) => a.span.offset - b.span.offset);
    const last = sorted.at(-1);
    if (this.#more === 0 || last === undefined) return sorted;
    const message = `Cannot tell all faults of this file: there are ${this.#more} more`;
    return [...sorted, { ...last, message, suggestion: "mend those above first" }];
  }
}

/** Says that something is wrong with `length` characters from `offset` on of a text. */
export type Report = (offset: number, length: number, message: string, suggestion?: string) => void;

/** A report into a list, for a text at a place. */
export function reportInto(faults: FaultList, place: Place): Report {
  return (offset, length, message, suggestion = "") =>
    faults.add(place.locate(offset, length), message, suggestion);
}

/** Longest word that `editDistance` looks at, in UTF-16 units. */
const WORD_MAX = 64;

/** Insertions, deletions, replacements and swaps of neighbours that make `b` of `a`. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/**
 * The candidate nearest to a word, upper and lower case taken as equal.
 *
 * @returns the candidate, or "" if none differs in at most a third of the word's letters
 */
export function closest(word: string, candidates: Iterable<string>): string {
  if (word.length > WORD_MAX) return "";
  const wanted = word.toLowerCase();
  let best = "";
  let bestCost = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestCost) continue;
    const cost = editDistance(wanted, candidate.toLowerCase());
    if (cost < bestCost) {
      best = candidate;
      bestCost = cost;
    }
  }
  return best;
}

/**
 * `did you mean "x"?` for the nearest candidate, or "".
 *
 * @param familiar what words of other systems stand for
 */
export function didYouMean(
  word: string,
  candidates: Iterable<string>,
  familiar: ReadonlyMap<string, string> = new Map(),
): string {
  const found = meant(word, candidates, familiar);
  return found === "" ? "" : `did you mean "${found}"?`;
}

/** The candidate that a word most likely stands for, or "". */
export function meant(
  word: string,
  candidates: Iterable<string>,
  familiar: ReadonlyMap<string, string>,
): string {
  return familiar.get(word.toLowerCase()) ?? closest(word, candidates);
}

/** Text for a message: quoted, and cut after 60 characters. */
export function quote(text: string): string {
  const cut = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return JSON.stringify(cut);
}
