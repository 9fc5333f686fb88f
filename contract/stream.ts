/**
 * The stream from server to browser (`GET /api/stream`, Server-Sent Events).
 *
 * Events: `hello` (Hello, once per connection), `dashboard` (DashboardView, at the start of a
 * connection and whenever it changes; a full frame follows), `fleet` (FleetFrame, at most 5 Hz; the first of a
 * connection is full), `anomaly` (AnomalyEvent, every one; carries `id: epoch-seq`), `pipeline`
 * (PipelineView, every second: the heartbeat), `reset` (empty: the ids known are of another epoch,
 * fetch afresh). All data are JSON on one line.
 */
import type { TransitionKind } from "./anomaly.ts";
import type { AnomalyView } from "./views.ts";

/** Names of the events. */
export const STREAM_EVENTS = [
  "hello",
  "dashboard",
  "fleet",
  "anomaly",
  "pipeline",
  "reset",
] as const;
/** One of `STREAM_EVENTS`. */
export type StreamEventName = typeof STREAM_EVENTS[number];

/** First event of a connection. */
export interface Hello {
  /** Changes when the server's memory of anomalies does. */
  readonly epoch: string;
  /** Server clock, epoch milliseconds. */
  readonly now: number;
}

/**
 * Vehicles that changed since the last frame, column by column; row k is the vehicle `i[k]`.
 * Missing values are null.
 */
export interface FleetFrame {
  readonly seq: number;
  /** Server clock, epoch milliseconds. */
  readonly now: number;
  /** Replaces all that the client knew. */
  readonly full: boolean;
  /** Vehicles numbered anew: number and id, in turn. */
  readonly ids: readonly (number | string)[];
  readonly i: readonly number[];
  /** 1e5 degrees. */
  readonly lat: readonly (number | null)[];
  readonly lon: readonly (number | null)[];
  /** Degrees clockwise from north. */
  readonly h: readonly (number | null)[];
  /** T of the latest sample as milliseconds before `now`. */
  readonly t: readonly number[];
  /** A of the latest sample as milliseconds before `now`. */
  readonly a: readonly number[];
  /** Index into VEHICLE_STATES. */
  readonly s: readonly number[];
  /** 0 no open anomaly, else 1 + index into SEVERITIES of the worst. */
  readonly x: readonly number[];
  /** Of a full frame: name and scale of each column of `c`, in turn; a delta has the same ones. */
  readonly k: readonly (string | number)[];
  /** Columns of signals, integers of value times scale. */
  readonly c: readonly (readonly (number | null)[])[];
}

/** One transition as it changes a view. */
export interface AnomalyEvent {
  readonly kind: TransitionKind | "acknowledged" | "snoozed" | "assigned" | "noted";
  readonly anomaly: AnomalyView;
}
