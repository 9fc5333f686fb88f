/** Truthful liveness: what the bar says, from the link, the clock and the newest sample. */
import { counted, formatAge } from "./format.ts";
import type { Pause } from "./store.ts";
import type { LinkPhase } from "./stream_client.ts";

/** Later than this the view is no longer called live, milliseconds. */
export const DELAYED_MS = 2000;
/** With nothing new for this long there is nothing to be late with: nothing is sent. */
const SILENT_MS = 30_000;
/** Samples whose own time lies further back than this are recorded ones. */
const REPLAY_MS = 10 * 60_000;

/** What the bar is told. */
export interface LiveInput {
  readonly link: LinkPhase | null;
  /** Browser clock of the last word from the server, epoch milliseconds. */
  readonly heardAt: number;
  readonly pause: Pause | null;
  /** Browser clock and server clock, epoch milliseconds. */
  readonly wall: number;
  readonly now: number;
  readonly vehicles: number;
  /** A and T of the newest sample, server clock; 0 if there is none. */
  readonly newestAppend: number;
  readonly newestTime: number;
}

/** What it says: a tone for the dot, a word, and the particulars. */
export interface LiveState {
  readonly tone: "still" | "connecting" | "live" | "delayed" | "lost" | "paused";
  readonly word: string;
  readonly detail: string;
}

/** The state to show. */
export function liveState(input: LiveInput): LiveState {
  const { link, pause, wall, now, vehicles } = input;
  if (pause !== null) {
    const anomalies = pause.anomalies === 0 ? "" : `, +${counted(pause.anomalies, "anomaly")}`;
    return {
      tone: "paused",
      word: "Paused",
      detail: `+${counted(pause.samples, "sample")}${anomalies}`,
    };
  }
  if (link === null) return { tone: "still", word: "Snapshot", detail: "" };
  if (link === "connecting") {
    return { tone: "connecting", word: "Connecting", detail: "" };
  }
  const silence = Math.max(0, wall - input.heardAt);
  if (link === "lost") {
    return { tone: "lost", word: "Reconnecting", detail: `no connection for ${wholeAge(silence)}` };
  }
  const count = counted(vehicles, "vehicle");
  if (vehicles === 0) return { tone: "live", word: "Live", detail: "no vehicle yet" };
  const behind = Math.max(0, now - input.newestAppend);
  if (behind > SILENT_MS && silence <= DELAYED_MS) {
    const age = wholeAge(behind);
    return { tone: "delayed", word: "No new data", detail: `${count} · newest ${age} ago` };
  }
  if (Math.max(behind, silence) > DELAYED_MS) {
    return { tone: "delayed", word: "Delayed", detail: `${count} · ${wholeAge(behind)} behind` };
  }
  const isReplay = input.newestAppend - input.newestTime > REPLAY_MS;
  return {
    tone: "live",
    word: isReplay ? "Live, replayed data" : "Live",
    detail: `${count} · ${formatAge(behind)} behind`,
  };
}

function wholeAge(ms: number): string {
  return formatAge(Math.max(10_000, ms)) === formatAge(10_000)
    ? `${Math.round(ms / 1000)} s`
    : formatAge(ms);
}
