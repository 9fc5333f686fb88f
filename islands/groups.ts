/** Groups of anomalies by rule and vehicle, kept up as events come. */
import type { AnomalyEvent } from "../contract/stream.ts";
import type { Severity } from "../contract/anomaly.ts";
import type { AnomalyState, AnomalyView } from "../contract/views.ts";
import { severityLevel } from "./severity.ts";

/** Anomalies of one rule and vehicle. */
export interface Group {
  readonly rule: string;
  readonly vehicle: string;
  readonly severity: Severity;
  /** Openings, reopenings counted too. */
  readonly count: number;
  readonly open: number;
  /** T of the first and of the last opening, epoch milliseconds. */
  readonly first: number;
  readonly last: number;
  /** Openings per bucket, oldest first. */
  readonly density: readonly number[];
  readonly latest: AnomalyView;
}

/** What the list was asked to show; "" for any. */
export interface ListFilter {
  readonly state: AnomalyState | "";
  readonly severity: Severity | "";
  readonly vehicle: string;
  readonly rule: string;
}

/** Whether an anomaly is one that the filter asks for. */
export function isListed(anomaly: AnomalyView, filter: ListFilter): boolean {
  return (filter.state === "" || anomaly.state === filter.state) &&
    (filter.severity === "" || anomaly.severity === filter.severity) &&
    (filter.vehicle === "" || anomaly.vehicle === filter.vehicle) &&
    (filter.rule === "" || anomaly.rule === filter.rule);
}

/**
 * The groups after an event, in their places: none moves; a new group comes first.
 *
 * @param known the anomaly as listed before; undefined if it was not
 */
export function withEvent(
  groups: readonly Group[],
  event: AnomalyEvent,
  known: AnomalyView | undefined,
): readonly Group[] {
  const { anomaly, kind } = event;
  const at = groups.findIndex(({ rule, vehicle }) =>
    rule === anomaly.rule && vehicle === anomaly.vehicle
  );
  const opens = (kind === "opened" && known === undefined) || kind === "reopened";
  const group = groups[at];
  if (group === undefined) return opens ? [newGroup(anomaly, groups), ...groups] : groups;
  const wasOpen = known === undefined ? 0 : Number(known.state !== "cleared");
  const isOpen = Number(anomaly.state !== "cleared");
  const isWorse = severityLevel(anomaly.severity) > severityLevel(group.severity);
  const changed: Group = {
    ...group,
    severity: isWorse ? anomaly.severity : group.severity,
    count: group.count + Number(opens),
    open: Math.max(0, group.open + isOpen - wasOpen),
    last: Math.max(group.last, anomaly.openedAt),
    density: opens
      ? group.density.map((count, k) => count + Number(k === group.density.length - 1))
      : group.density,
    latest: anomaly.openedAt >= group.latest.openedAt ? anomaly : group.latest,
  };
  return groups.with(at, changed);
}

function newGroup(anomaly: AnomalyView, groups: readonly Group[]): Group {
  const buckets = groups[0]?.density.length ?? 1;
  const density = new Array<number>(buckets).fill(0);
  density[buckets - 1] = 1;
  return {
    rule: anomaly.rule,
    vehicle: anomaly.vehicle,
    severity: anomaly.severity,
    count: 1,
    open: Number(anomaly.state !== "cleared"),
    first: anomaly.openedAt,
    last: anomaly.openedAt,
    density,
    latest: anomaly,
  };
}

/** Groups under their rules: rules in the order of their first group. */
export function byRule(groups: readonly Group[]): readonly {
  readonly rule: string;
  readonly groups: readonly Group[];
}[] {
  const rules = new Map<string, Group[]>();
  for (const group of groups) {
    const known = rules.get(group.rule);
    if (known === undefined) rules.set(group.rule, [group]);
    else known.push(group);
  }
  return [...rules].map(([rule, groups]) => ({ rule, groups }));
}
