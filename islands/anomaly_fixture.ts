/** Anomalies for tests. */
import type { AnomalyView } from "../contract/views.ts";

/** An open anomaly; what is given goes before. */
export function anomaly(id: string, given: Partial<AnomalyView> = {}): AnomalyView {
  return {
    id,
    rule: "overheating",
    version: "3f1c0a9be77d2f40",
    vehicle: "VH-0001",
    severity: "warning",
    state: "open",
    once: false,
    onset: 1000,
    openedAt: 2000,
    append: 2100,
    at: 2000,
    clearedAt: null,
    reason: null,
    count: 1,
    message: "VH-0001 overheats",
    terms: [{ text: "coolant > 110 degC", value: 118, limit: 110, unit: "degC" }],
    source: { partition: 0, offset: "7", index: 0 },
    snoozedUntil: null,
    acknowledgedAt: null,
    assignee: "",
    notes: [],
    acts: [],
    ...given,
  };
}
