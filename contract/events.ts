/** Operational events: one typed event is both the log line and the counter. */

/** Log levels, least severe first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
/** One of `LOG_LEVELS`. */
export type LogLevel = typeof LOG_LEVELS[number];

/** One thing that happened, worth a line and a count. */
export interface OperationalEvent {
  readonly level: LogLevel;
  /** Stable dotted name, also the counter's label: `bus.reconnected`, `analysis.refused`. */
  readonly name: string;
  /** Sentence for people: what, where, what to do. */
  readonly message: string;
  /** How many of them this event stands for. */
  readonly count?: number;
}

/** Where events go; never throws. */
export type EventSink = (event: OperationalEvent) => void;
