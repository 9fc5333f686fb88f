/// <reference lib="dom" />
/**
 * The SharedWorker that owns the stream for all tabs of a browser: browsers allow six connections
 * to a server. Entry of its own bundle.
 *
 * To a tab: `{status}` and `{name, text, id}` (see `WorkerMessage`); from a tab: `"bye"`, `"again"`.
 */
import type { StreamEventName } from "../../contract/stream.ts";
import { applyFrame, encodeColumns, FleetColumns } from "../decode_frame.ts";
import { StreamClient, WATCH_EVERY_MS } from "../stream_client.ts";
import { decodeEvent } from "../stream_events.ts";
import type { WorkerMessage } from "../stream.ts";

const ports = new Set<MessagePort>();
const columns = new FleetColumns();
/** Latest text of the events that a late tab needs beside the snapshot. */
const latest = { hello: "", dashboard: "", pipeline: "" };

const client = new StreamClient({
  open: (url) => new EventSource(new URL(url, location.origin)),
  now: () => Date.now(),
  random: () => Math.random(),
  onStatus: (status) => tellAll({ kind: "status", status }),
  onEvent: (name, text, id) => {
    tellAll({ kind: "event", name, text, id });
    if (name === "hello" || name === "dashboard" || name === "pipeline") latest[name] = text;
    if (name === "fleet") remember(text);
  },
});

/** Keeps the fleet for tabs that come later; what cannot be read asks for a fresh snapshot. */
function remember(text: string): void {
  try {
    const event = decodeEvent("fleet", text);
    if (event.kind === "fleet") applyFrame(columns, event.frame);
  } catch (fault) {
    if (!(fault instanceof SyntaxError || fault instanceof RangeError)) throw fault;
    client.restart();
  }
}

function tellAll(message: WorkerMessage): void {
  for (const port of ports) port.postMessage(message);
}

function welcome(port: MessagePort): void {
  ports.add(port);
  const tell = (message: WorkerMessage) => port.postMessage(message);
  tell({ kind: "status", status: client.status });
  const repeat = (name: StreamEventName, text: string) =>
    tell({ kind: "event", name, text, id: "" });
  if (latest.hello !== "") repeat("hello", latest.hello);
  if (latest.dashboard !== "") repeat("dashboard", latest.dashboard);
  if (columns.seq > 0 || columns.size > 0) {
    const frame = encodeColumns(columns, columns.now);
    repeat("fleet", JSON.stringify(frame));
  }
  if (latest.pipeline !== "") repeat("pipeline", latest.pipeline);
}

addEventListener("connect", (event) => {
  if (!(event instanceof MessageEvent)) return;
  const port = event.ports[0];
  port.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (data === "bye") {
      ports.delete(port);
      port.close();
    }
    if (data === "again") client.restart();
  };
  welcome(port);
});

client.watch();
setInterval(() => client.watch(), WATCH_EVERY_MS);
