/** One anomaly as its transitions and what people did make it: pure folding, no time of its own. */
import type { Transition, TransitionKind } from "../contract/anomaly.ts";
import type { AnomalyState, AnomalyView } from "../contract/views.ts";

/** A point event counts as open for this long after it came, since nothing ever clears it. */
export const EVENT_OPEN_MS = 15 * 60_000;

/** Where the newest folded transition stands in its partition: what comes before it is old news. */
export interface FoldedPosition {
  /** A of the transition, epoch milliseconds. */
  readonly append: number;
  readonly offset: number;
  readonly index: number;
  /** Kinds folded at exactly this position. */
  readonly kinds: readonly TransitionKind[];
}

/** An anomaly as it is kept. */
export interface AnomalyRecord extends Omit<AnomalyView, "state"> {
  readonly last: FoldedPosition;
}

/**
 * The record after a transition; null if it has been folded before (or lies before one that was).
 *
 * @param record undefined for an anomaly not seen before
 * @param once whether its rule is a point event
 */
export function fold(
  record: AnomalyRecord | undefined,
  transition: Transition,
  once: boolean,
): AnomalyRecord | null {
  const last = nextPosition(record?.last, transition);
  if (last === null) return null;
  const { kind, append, at } = transition;
  const opens = kind === "opened" || kind === "reopened" || record === undefined;
  // What cleared it is no reason why it fired: the record goes on saying why.
  const told = kind === "cleared" && record !== undefined ? record : transition;
  return {
    id: transition.id,
    rule: transition.rule,
    version: told.version,
    vehicle: transition.vehicle,
    severity: transition.severity,
    once,
    onset: transition.onset,
    openedAt: opens ? at : record.openedAt,
    append: opens ? append : record.append,
    at,
    clearedAt: kind === "cleared" ? at : null,
    reason: kind === "cleared" ? transition.reason ?? null : null,
    count: transition.count,
    message: told.message,
    terms: told.terms,
    source: told.source,
    snoozedUntil: record?.snoozedUntil ?? null,
    // Firing again is news: it asks for a person's eyes once more.
    acknowledgedAt: kind === "reopened" ? null : record?.acknowledgedAt ?? null,
    assignee: record?.assignee ?? "",
    notes: record?.notes ?? [],
    acts: record?.acts ?? [],
    last,
  };
}

/** Where the record stands at `now`. */
export function stateOf(record: AnomalyRecord, now: number): AnomalyState {
  if (record.clearedAt !== null) return "cleared";
  if (record.snoozedUntil !== null && record.snoozedUntil > now) return "snoozed";
  return record.acknowledgedAt === null ? "open" : "acknowledged";
}

/** The record as people see it at `now`. */
export function viewOf(record: AnomalyRecord, now: number): AnomalyView {
  const { last: _, ...view } = record;
  return { ...view, state: stateOf(record, now) };
}

/** Whether a point event has been open long enough. */
export function eventIsOver(record: AnomalyRecord, now: number): boolean {
  return record.once && record.clearedAt === null && now - record.append >= EVENT_OPEN_MS;
}

function nextPosition(
  last: FoldedPosition | undefined,
  transition: Transition,
): FoldedPosition | null {
  const { append, kind, source: { index } } = transition;
  const offset = Number(transition.source.offset);
  if (last === undefined) return { append, offset, index, kinds: [kind] };
  const order = append - last.append || offset - last.offset || index - last.index;
  if (order > 0) return { append, offset, index, kinds: [kind] };
  if (order < 0 || last.kinds.includes(kind)) return null;
  return { ...last, kinds: [...last.kinds, kind] };
}
