/** Severities in words and as levels. */
import { SEVERITIES, type Severity } from "../contract/anomaly.ts";

/** The words. */
export const SEVERITY_WORDS: Readonly<Record<Severity, string>> = {
  info: "Info",
  warning: "Warning",
  critical: "Critical",
};

/** Severities, worst first, as lists show them. */
export const WORST_FIRST: readonly Severity[] = [...SEVERITIES].reverse();

/** Level of a severity: 0 for none, 1 for info and up. */
export function severityLevel(severity: Severity | null): number {
  return severity === null ? 0 : 1 + SEVERITIES.indexOf(severity);
}

/** Severity of a level as frames carry it, null for none. */
export function severityOfLevel(level: number): Severity | null {
  return SEVERITIES[level - 1] ?? null;
}
