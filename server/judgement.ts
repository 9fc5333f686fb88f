/** What people do about an anomaly: pure changes of its record, each noted with who and when. */
import type { AnomalyAct, Doing } from "../contract/views.ts";
import type { AnomalyRecord } from "./anomaly_record.ts";

/** Notes kept per anomaly; a further one is refused. */
export const NOTES_MAX = 100;
/** Other acts kept per anomaly; the first ones go. */
export const ACTS_MAX = 100;
/** A note can be taken back for this long: a slip of the finger, not a rewriting of history. */
export const UNNOTE_MS_MAX = 60_000;

/** Acknowledged, or that taken back; the same again changes nothing. */
export function acknowledged(record: AnomalyRecord, flag: boolean, who: Doing): AnomalyRecord {
  if (flag === (record.acknowledgedAt !== null)) return record;
  const kind = flag ? "acknowledged" : "unacknowledged";
  return { ...record, acknowledgedAt: flag ? who.at : null, acts: added(record, { ...who, kind }) };
}

/** Snoozed until a time, epoch milliseconds; null wakes it. */
export function snoozed(record: AnomalyRecord, until: number | null, who: Doing): AnomalyRecord {
  if (until === null && record.snoozedUntil === null) return record;
  const act: AnomalyAct = until === null
    ? { ...who, kind: "woken" }
    : { ...who, kind: "snoozed", until };
  return { ...record, snoozedUntil: until, acts: added(record, act) };
}

/** In somebody's care; "" for nobody's. */
export function assigned(record: AnomalyRecord, to: string, who: Doing): AnomalyRecord {
  if (to === record.assignee) return record;
  return { ...record, assignee: to, acts: added(record, { ...who, kind: "assigned", to }) };
}

/** With one more note. @throws {RangeError} if there are `NOTES_MAX` already */
export function noted(record: AnomalyRecord, text: string, who: Doing): AnomalyRecord {
  if (record.notes.length >= NOTES_MAX) {
    throw new RangeError(`Cannot add a note: the anomaly has ${NOTES_MAX}, which is the most`);
  }
  return { ...record, notes: [...record.notes, { ...who, text }] };
}

/** Without the note of that time. @throws {RangeError} if there is none, or it is too old */
export function unnoted(record: AnomalyRecord, writtenAt: number, now: number): AnomalyRecord {
  const at = record.notes.findLastIndex((note) => note.at === writtenAt);
  if (at < 0) throw new RangeError("Cannot take the note back: there is none of that time");
  if (now - writtenAt > UNNOTE_MS_MAX) {
    throw new RangeError(
      `Cannot take the note back: it is older than ${UNNOTE_MS_MAX / 1000} s and stands for good`,
    );
  }
  return { ...record, notes: record.notes.toSpliced(at, 1) };
}

function added(record: AnomalyRecord, act: AnomalyAct): readonly AnomalyAct[] {
  return [...record.acts, act].slice(-ACTS_MAX);
}
