/** Costs of rules as people read them. */
import type { RuleCost } from "../contract/views.ts";
import { formatCount, formatNumber } from "./format.ts";

/** What the time is. */
export const COST_TITLE = "Time that the rule adds to a sample when it runs alone, measured on " +
  "this machine over samples of this fleet. What rules share counts for each of them.";
/** What the state is. */
export const STATE_TITLE = "Memory that the rule keeps of a vehicle: just heard, and at most.";

/** Differences below this are not told from none, nanoseconds. */
const LEAST_NS = 10;

/** Time that a rule adds to a sample: `40 ns`, `0.36 µs`; what is not known is an ellipsis. */
export function costText(cost: RuleCost | null): string {
  if (cost === null) return "…";
  const { sampleNs } = cost;
  if (sampleNs === null) return "–";
  if (sampleNs < LEAST_NS) return `< ${LEAST_NS} ns`;
  if (sampleNs < 995) return `${Math.round(sampleNs / 10) * 10} ns`;
  return `${formatNumber(sampleNs / 1000, 1)} µs`;
}

/** State that a rule keeps of a vehicle: `16 B`, `56 B to 4 KB`. */
export function stateText(cost: RuleCost | null): string {
  if (cost === null) return "…";
  const { stateBytes, stateBytesMax } = cost;
  return stateBytesMax > stateBytes
    ? `${bytesText(stateBytes)} to ${bytesText(stateBytesMax)}`
    : bytesText(stateBytes);
}

function bytesText(bytes: number): string {
  return bytes < 10_000 ? `${formatCount(bytes)} B` : `${formatNumber(bytes / 1024, 0)} KB`;
}
