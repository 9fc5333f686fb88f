/// <reference lib="deno.worker" />
/**
 * The Worker in which back-tests run: some partitions of one, some vehicles of a recording, or a
 * whole one for a request.
 */
import { type LaneJob, Lanes } from "../analysis/backtest_lanes.ts";
import { columnsOf, type Piece } from "../analysis/backtest_piece.ts";
import type { Pushed } from "../analysis/backtest_shards.ts";
import { BusError } from "../bus/port.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { Engine, EngineInput } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import type { Settings } from "../settings.ts";
import { connectBus } from "./open_bus.ts";
import type { BacktestRequest } from "../server/services.ts";
import { runTrial, type TrialBounds } from "./backtest_trial.ts";
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

/** A back-test for a request. */
export interface TrialStart {
  readonly settings: Settings;
  readonly request: BacktestRequest;
  readonly bounds: TrialBounds;
}

/** What the Worker is told: first to start, then the rest. */
export type BacktestCommand =
  | { readonly kind: "lanes"; readonly start: LanesStart }
  | { readonly kind: "release"; readonly partition: number; readonly bytes: number }
  /** An engine of partition 0, which takes in what is pushed. */
  | { readonly kind: "engine"; readonly ruleSet: RuleSet }
  | { readonly kind: "push"; readonly input: EngineInput }
  | { readonly kind: "trial"; readonly start: TrialStart }
  /** So much of a trial's lines has been read. */
  | { readonly kind: "read"; readonly bytes: number }
  | { readonly kind: "stop" };

/** What the Worker tells. */
export type BacktestMessage =
  | { readonly kind: "piece"; readonly piece: Piece }
  | { readonly kind: "pushed"; readonly pushed: Pushed }
  | { readonly kind: "lines"; readonly lines: Uint8Array }
  | { readonly kind: "ended" }
  /** `bus`: a fault of the bus, which needs no stack to be understood. */
  | { readonly kind: "failed"; readonly error: string; readonly bus: boolean };

/** Lines of a trial that may wait for being read, bytes; those of a batch may exceed it. */
const UNREAD_BYTES_MAX = 256 << 10;
/** A trial works this long before it gives way, milliseconds. */
const TRIAL_TURN_MS = 20;

const stop = new AbortController();
let unread = 0;
let room = Promise.withResolvers<void>();
let lanes: Lanes | null = null;
let engine: Engine | null = null;

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

async function tryOut({ settings, request, bounds }: TrialStart): Promise<void> {
  const bus = await connectBus(settings, eventLog(settings.logLevel, Date.now), Date.now);
  try {
    await runTrial(request, bounds, {
      ...{ bus, topic: settings.topicTelemetry, createEngine, signal: stop.signal },
      ...{ clock: () => performance.now(), turn: turns(TRIAL_TURN_MS) },
      send: (lines) => {
        unread += lines.length;
        tell({ kind: "lines", lines }, [lines.buffer]);
      },
      room: async () => {
        while (unread > UNREAD_BYTES_MAX) {
          await room.promise;
          room = Promise.withResolvers();
        }
      },
    });
  } finally {
    await bus.close();
  }
}

function push(input: EngineInput): void {
  if (engine === null) throw new TypeError("Cannot push: no engine was asked for");
  const columns = columnsOf(engine.push(input).anomalies);
  const { values, ends, appends } = columns;
  const pushed = { ...columns, counts: engine.counts(), waiting: engine.waiting() };
  tell({ kind: "pushed", pushed }, [values.buffer, ends.buffer, appends.buffer]);
}

function ends(work: Promise<void>): void {
  work.then(() => tell({ kind: "ended" }), (error) => tell(failure(error)));
}

function failure(error: unknown): BacktestMessage {
  if (error instanceof BusError) return { kind: "failed", error: error.message, bus: true };
  const text = error instanceof Error ? error.stack ?? error.message : String(error);
  return { kind: "failed", error: text, bus: false };
}

self.addEventListener("message", ({ data }: MessageEvent<BacktestCommand>) => {
  switch (data.kind) {
    case "lanes":
      ends(run(data.start));
      break;
    case "release":
      lanes?.release(data.partition, data.bytes);
      break;
    case "engine":
    case "push":
      try {
        if (data.kind === "push") push(data.input);
        else engine = createEngine(data.ruleSet, { partition: 0 });
      } catch (error) {
        tell(failure(error));
      }
      break;
    case "trial":
      ends(tryOut(data.start));
      break;
    case "read":
      unread -= data.bytes;
      room.resolve();
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
