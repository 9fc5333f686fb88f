/** Collecting faults, and finding what was probably meant. */
import type { Fault, Span } from "./ast.ts";
import type { Place } from "./place.ts";

/** Faults of one file, in the order of its text. */
export class FaultList {
  readonly #faults: Fault[] = [];

  /** @param file the file as the user named it */
  constructor(readonly file: string) {}

  /** Adds a fault. */
  add(span: Span, message: string, suggestion = ""): void {
    this.#faults.push({ file: this.file, span, message, suggestion });
  }

  /** Number of faults so far. */
  get count(): number {
    return this.#faults.length;
  }

  /** All faults, in the order of their place. */
  sorted(): readonly Fault[] {
    return [...this.#faults].sort((a, b) => a.span.offset - b.span.offset);
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

/** `did you mean "x"?` for the nearest candidate, or "". */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const found = closest(word, candidates);
  return found === "" ? "" : `did you mean "${found}"?`;
}

/** Text for a message: quoted, and cut after 60 characters. */
export function quote(text: string): string {
  const cut = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return JSON.stringify(cut);
}
