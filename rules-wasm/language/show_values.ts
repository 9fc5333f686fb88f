/** Ranges and durations for people. */
import type { Condition } from "./ast.ts";
import type { Possibility } from "./possible.ts";
import type { PlacedTerm } from "./rule_places.ts";

const DURATIONS = [["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1_000]] as const;

/** A duration in its largest whole unit: `90 s`, `7 d`. */
export function showDuration(ms: number): string {
  for (const [unit, size] of DURATIONS) {
    if (ms > 0 && ms % size === 0) return `${ms / size} ${unit}`;
  }
  return `${ms} ms`;
}

/** `speed is from -100 to 400 km/h` for the side of a comparison that is no constant, or "". */
export function showRange(
  condition: Extract<Condition, { kind: "compare" }>,
  { syntax, textOf }: PlacedTerm,
  possible: Possibility,
): string {
  const { left, right, term } = condition;
  if (term.names !== undefined || syntax.kind !== "compare") return "";
  const value = right.kind === "number" ? left : left.kind === "number" ? right : null;
  if (value === null) return "";
  const name = textOf(value === left ? syntax.left : syntax.right);
  const range = possible.ranges.ever(value);
  if (range === null) return `${name} is never known`;
  const unit = term.unit === "" ? "" : ` ${term.unit}`;
  const { low, high } = range;
  if (low === high) return `${name} is always ${low}${unit}`;
  if (low === -Infinity) return high === Infinity ? "" : `${name} is at most ${high}${unit}`;
  return high === Infinity
    ? `${name} is at least ${low}${unit}`
    : `${name} is from ${low} to ${high}${unit}`;
}
