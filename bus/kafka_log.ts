/** The client library's log lines as operational events: what it retries by itself is no alarm. */
import type { EventSink } from "../contract/events.ts";

/** Time in which equal lines are told once, milliseconds, and how many texts are remembered. */
const REPEAT_MS = 10_000;
const TEXTS_MAX = 200;

/** Lines that say nothing worth an event: each commit meets the first of them. */
const ROUTINE = [
  "another concurrent operation on the same transaction",
  "Limiting retries for the idempotent producer",
  "The group is rebalancing",
  "Response ",
];

/** One line of the client's log. */
export interface LogLine {
  readonly level: "warn" | "error";
  readonly source: string;
  readonly message: string;
  /** The fault that it tells of; "" for none. */
  readonly error: string;
}

/** Makes a sink of log lines that passes each text on once in a while, with a count. */
export function logToEvents(events: EventSink, now: () => number): (line: LogLine) => void {
  const told = new Map<string, { at: number; held: number }>();
  return ({ level, source, message, error }) => {
    const text = error === "" ? message : `${message}: ${error}`;
    if (ROUTINE.some((routine) => text.includes(routine))) return;
    const key = `${source} ${text}`;
    const known = told.get(key);
    if (known !== undefined && now() - known.at < REPEAT_MS) {
      known.held++;
      return;
    }
    if (told.size >= TEXTS_MAX) told.clear();
    told.set(key, { at: now(), held: 0 });
    events({
      // The client retries what it calls an error; what it gives up is thrown to its caller.
      level: level === "error" ? "warn" : "info",
      name: "bus.client",
      message: `Kafka client (${source}): ${text}`,
      count: 1 + (known?.held ?? 0),
    });
  };
}
