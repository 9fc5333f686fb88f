/// <reference lib="dom" />
/** The page's end of the stream: through the SharedWorker, or directly where there is none. */
import type { StreamEventName } from "../contract/stream.ts";
import { type LinkStatus, StreamClient, WATCH_EVERY_MS } from "./stream_client.ts";
import { decodeEvent, isStreamEventName, type StreamEvent } from "./stream_events.ts";

/** What the SharedWorker posts to its tabs. */
export type WorkerMessage =
  | { readonly kind: "status"; readonly status: LinkStatus }
  | {
    readonly kind: "event";
    readonly name: StreamEventName;
    readonly text: string;
    /** Where the stream stands with it; "" for what the worker repeats from memory. */
    readonly id: string;
  };

/** What the page does with the stream. */
export interface StreamHandlers {
  /** @throws {RangeError} if the event does not fit what came before: a snapshot is asked for */
  readonly onEvent: (event: StreamEvent, id: string) => void;
  readonly onStatus: (status: LinkStatus) => void;
}

/** A worker that does not answer within this time is done without. */
const WORKER_ANSWER_MS = 3000;

/**
 * Connects the page to the stream for as long as it is open.
 *
 * @param assets where the static files lie, the worker's bundle among them
 */
export function connectStream(assets: string, handlers: StreamHandlers): void {
  if (typeof SharedWorker === "undefined") return connectDirectly(handlers);
  const worker = new SharedWorker(`${assets}stream_worker.js`, {
    type: "module",
    name: `kilter${assets}`,
  });
  const { port } = worker;
  let answered = false;
  let given = false;
  const giveUp = () => {
    if (answered || given) return;
    given = true;
    port.close();
    connectDirectly(handlers);
  };
  worker.addEventListener("error", giveUp);
  setTimeout(giveUp, WORKER_ANSWER_MS);
  port.onmessage = ({ data }: MessageEvent<unknown>) => {
    answered = true;
    if (given || !isWorkerMessage(data)) return;
    if (data.kind === "status") handlers.onStatus(data.status);
    else deliver(data, handlers, () => port.postMessage("again"));
  };
  addEventListener("pagehide", () => port.postMessage("bye"));
  // A page that comes back from the back-forward cache has left the worker: begin afresh.
  addEventListener("pageshow", (event) => {
    if ("persisted" in event && event.persisted === true) location.reload();
  });
}

function connectDirectly(handlers: StreamHandlers): void {
  const client = new StreamClient({
    open: (url) => new EventSource(url),
    now: () => Date.now(),
    random: () => Math.random(),
    onStatus: handlers.onStatus,
    onEvent: (name, text, id) => deliver({ name, text, id }, handlers, () => client.restart()),
  });
  client.watch();
  setInterval(() => client.watch(), WATCH_EVERY_MS);
}

/** Reads an event and hands it on; one that does not fit asks for a fresh snapshot. */
function deliver(
  { name, text, id }: { name: StreamEventName; text: string; id: string },
  handlers: StreamHandlers,
  again: () => void,
): void {
  try {
    handlers.onEvent(decodeEvent(name, text), id);
  } catch (fault) {
    if (!(fault instanceof SyntaxError || fault instanceof RangeError)) throw fault;
    again();
  }
}

function isWorkerMessage(value: unknown): value is WorkerMessage {
  if (typeof value !== "object" || value === null) return false;
  const { kind, name, text, id, status }: Record<string, unknown> = { ...value };
  if (kind === "status") return typeof status === "object" && status !== null;
  return kind === "event" && typeof name === "string" && isStreamEventName(name) &&
    typeof text === "string" && typeof id === "string";
}
