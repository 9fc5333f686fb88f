/** Events of the stream from their text: the one place where bytes become typed values. */
import {
  type AnomalyEvent,
  type FleetFrame,
  type Hello,
  STREAM_EVENTS,
  type StreamEventName,
} from "../contract/stream.ts";
import type { DashboardView } from "../contract/dashboard.ts";
import type { AnomalyView, PipelineView } from "../contract/views.ts";
import { isFleetFrame } from "./decode_frame.ts";

/** One event of the stream. */
export type StreamEvent =
  | { readonly kind: "hello"; readonly hello: Hello }
  | { readonly kind: "dashboard"; readonly view: DashboardView }
  | { readonly kind: "fleet"; readonly frame: FleetFrame }
  | { readonly kind: "anomaly"; readonly event: AnomalyEvent }
  | { readonly kind: "pipeline"; readonly view: PipelineView }
  | { readonly kind: "reset" };

/**
 * Reads one event.
 *
 * @throws {SyntaxError} if the text is not what the event's name promises
 */
export function decodeEvent(name: StreamEventName, text: string): StreamEvent {
  if (name === "reset") return { kind: "reset" };
  const value: unknown = JSON.parse(text);
  switch (name) {
    case "hello":
      if (isHello(value)) return { kind: "hello", hello: value };
      break;
    case "dashboard":
      if (isDashboardView(value)) return { kind: "dashboard", view: value };
      break;
    case "fleet":
      if (isFleetFrame(value)) return { kind: "fleet", frame: value };
      break;
    case "anomaly":
      if (isAnomalyEvent(value)) return { kind: "anomaly", event: value };
      break;
    case "pipeline":
      if (isPipelineView(value)) return { kind: "pipeline", view: value };
      break;
  }
  throw new SyntaxError(`Cannot read the stream's event "${name}": its fields are not as agreed`);
}

/** Whether a text names an event of the stream. */
export function isStreamEventName(name: string): name is StreamEventName {
  return STREAM_EVENTS.some((known) => known === name);
}

/** Whether a value has the fields of an anomaly that lists rely on. */
export function isAnomalyView(value: unknown): value is AnomalyView {
  const fields = fieldsOf(value);
  return fields !== null && typeof fields.id === "string" && typeof fields.rule === "string" &&
    typeof fields.vehicle === "string" && typeof fields.severity === "string" &&
    typeof fields.state === "string" && typeof fields.at === "number" &&
    Array.isArray(fields.terms) && Array.isArray(fields.notes) && Array.isArray(fields.acts);
}

function isHello(value: unknown): value is Hello {
  const fields = fieldsOf(value);
  return fields !== null && typeof fields.epoch === "string" && typeof fields.now === "number";
}

function isDashboardView(value: unknown): value is DashboardView {
  const fields = fieldsOf(value);
  return fields !== null && Array.isArray(fields.tiles) && Array.isArray(fields.columns) &&
    Array.isArray(fields.charts) && typeof fields.show === "string";
}

function isAnomalyEvent(value: unknown): value is AnomalyEvent {
  const fields = fieldsOf(value);
  return fields !== null && typeof fields.kind === "string" && isAnomalyView(fields.anomaly);
}

function isPipelineView(value: unknown): value is PipelineView {
  const fields = fieldsOf(value);
  return fields !== null && typeof fields.now === "number" &&
    typeof fields.samplesPerSecond === "number" && Array.isArray(fields.partitions) &&
    Array.isArray(fields.agents) && fieldsOf(fields.refused) !== null;
}

function fieldsOf(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null ? { ...value } : null;
}
