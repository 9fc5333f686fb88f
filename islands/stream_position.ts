/** Places in the stream of anomalies: the ids of its events, `epoch-number`. */

/** A place. Numbers compare within an epoch only. */
export interface StreamPosition {
  /** Differs between lives of the server. */
  readonly epoch: string;
  /** Number of the last anomaly event up to there. */
  readonly number: number;
}

/** Reads an id; null if it names no place. */
export function positionOf(id: string): StreamPosition | null {
  const match = /^([0-9a-zA-Z]+)-(\d{1,15})$/.exec(id);
  return match === null ? null : { epoch: match[1], number: Number(match[2]) };
}

/** Whether `later` brings anything that is not known at `known`; another epoch always does. */
export function isBefore(known: StreamPosition, later: StreamPosition): boolean {
  return known.epoch !== later.epoch || known.number < later.number;
}
