/// <reference lib="deno.worker" />
/** The Worker in which some partitions of a back-test run: jobs in, pieces out. */
import { type LaneJob, Lanes } from "../analysis/backtest_lanes.ts";
import type { Piece } from "../analysis/backtest_piece.ts";
import { BusError } from "../bus/port.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import type { Settings } from "../settings.ts";
import { connectBus } from "./open_bus.ts";
import { eventLog } from "./output.ts";
import { RuleFeed } from "./rule_feed.ts";
import { turns } from "./turns.ts";

/** What the Worker is to do. */
export interface LanesStart {
  readonly settings: Settings;
  readonly ruleSet: RuleSet;
  /** With the versions that were in force instead of `ruleSet`. */
  readonly asLive: boolean;
  readonly toMs: number;
  readonly jobs: readonly LaneJob[];
  /** Output of one partition that may wait for being taken, bytes. */
  readonly heldMax: number;
}

/** What the Worker is told: first to start, then the rest. */
export type BacktestCommand =
  | { readonly kind: "lanes"; readonly start: LanesStart }
  | { readonly kind: "release"; readonly partition: number; readonly bytes: number }
  | { readonly kind: "stop" };

/** What the Worker tells. */
export type BacktestMessage =
  | { readonly kind: "piece"; readonly piece: Piece }
  | { readonly kind: "ended" }
  /** `bus`: a fault of the bus, which needs no stack to be understood. */
  | { readonly kind: "failed"; readonly error: string; readonly bus: boolean };

const stop = new AbortController();
let lanes: Lanes | null = null;

function tell(message: BacktestMessage, transfer: ArrayBuffer[] = []): void {
  self.postMessage(message, transfer);
}

async function run(start: LanesStart): Promise<void> {
  const { settings, ruleSet, toMs, jobs, heldMax } = start;
  const bus = await connectBus(settings, eventLog(settings.logLevel, Date.now), Date.now);
  try {
    const asLive = start.asLive
      ? await RuleFeed.open(bus, settings.topicRules, Date.now)
      : undefined;
    lanes = new Lanes(
      {
        ...{ bus, topic: settings.topicTelemetry, ruleSet, asLive, createEngine, toMs },
        ...{ signal: stop.signal, turn: turns() },
      },
      jobs,
      heldMax,
    );
    await lanes.run((piece) => {
      const { values, ends, appends } = piece;
      tell({ kind: "piece", piece }, [values.buffer, ends.buffer, appends.buffer]);
    });
  } finally {
    await bus.close();
  }
}

function failure(error: unknown): BacktestMessage {
  if (error instanceof BusError) return { kind: "failed", error: error.message, bus: true };
  const text = error instanceof Error ? error.stack ?? error.message : String(error);
  return { kind: "failed", error: text, bus: false };
}

self.addEventListener("message", ({ data }: MessageEvent<BacktestCommand>) => {
  switch (data.kind) {
    case "lanes":
      run(data.start).then(() => tell({ kind: "ended" }), (error) => tell(failure(error)));
      break;
    case "release":
      lanes?.release(data.partition, data.bytes);
      break;
    case "stop":
      stop.abort();
      break;
  }
});
self.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  tell(failure(event.reason));
});
