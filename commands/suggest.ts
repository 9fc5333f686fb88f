/** Suggestions for mistyped names on the command line. */
import { didYouMean } from "../rules-wasm/language/faults.ts";

/** ` (did you mean "…"?)` for the candidate nearest to `name`, or "" if none is near. */
export function suggest(name: string, candidates: readonly string[]): string {
  const question = didYouMean(name, candidates);
  return question === "" ? "" : ` (${question})`;
}
