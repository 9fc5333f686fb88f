/** A back-test for a caller over the network: bounded, as lines of JSON that say how it goes on. */
import { backtestLog } from "../analysis/backtest.ts";
import type { MakeEngine } from "../analysis/backtest_options.ts";
import type { BacktestProgress, BacktestSummary } from "../analysis/backtest_tally.ts";
import type { Bus } from "../bus/port.ts";
import type { BacktestRequest } from "../server/services.ts";

/** What a trial is held to. */
export interface TrialBounds {
  /** Time after which it ends with what it has, milliseconds. */
  readonly msMax: number;
  /** Transitions after which it ends. */
  readonly transitionsMax: number;
}

/** Where a trial runs. */
export interface TrialPort {
  readonly bus: Bus;
  readonly topic: string;
  readonly createEngine: MakeEngine;
  /** The caller has gone. */
  readonly signal: AbortSignal;
  /** Milliseconds of any origin. */
  readonly clock: () => number;
  /** Takes whole lines. */
  readonly send: (lines: Uint8Array<ArrayBuffer>) => void;
  /** Resolves once there is room for more lines. */
  readonly room: () => Promise<void>;
  /** Gives way to messages and timers. */
  readonly turn: () => Promise<void>;
}

/** Progress is told at most once in this time, milliseconds. */
const PROGRESS_MS = 250;
const TEXT = new TextEncoder();

/** Runs over the log; the last line that it sends is the summary. Ends early, without it, at `signal`. */
export async function runTrial(
  request: BacktestRequest,
  bounds: TrialBounds,
  port: TrialPort,
): Promise<void> {
  const { bus, topic, createEngine, signal, clock, room, turn } = port;
  const full = new AbortController();
  const both = AbortSignal.any([signal, full.signal]);
  let ended: "whole" | "time" | "transitions" = "whole";
  const late = setTimeout(() => {
    ended = "time";
    full.abort();
  }, bounds.msMax);
  let told = clock();
  let written = 0;
  let lines: Uint8Array[] = [];
  const add = (line: object) => lines.push(TEXT.encode(`${JSON.stringify(line)}\n`));
  const flush = () => {
    if (lines.length > 0) port.send(joined(lines));
    lines = [];
  };
  try {
    const summary = await backtestLog({
      ...{ bus, topic, createEngine, ...request, signal: both },
      output: (line) => {
        if (!request.transitions || written === bounds.transitionsMax) return;
        lines.push(line);
        if (++written < bounds.transitionsMax) return;
        ended = "transitions";
        full.abort();
      },
      progress: (progress: BacktestProgress) => {
        if (clock() - told < PROGRESS_MS) return;
        told = clock();
        add({ kind: "progress", ...progress });
      },
      turn: async () => {
        flush();
        await Promise.race([room(), aborted(both)]);
        await turn();
      },
    });
    if (signal.aborted) return;
    add(summaryLine(summary, request.ruleSet.version, ended));
    flush();
  } finally {
    clearTimeout(late);
  }
}

/** @param ended what ended it: the end of the log, or a bound that was reached */
function summaryLine(summary: BacktestSummary, version: string, ended: string): object {
  // A time that is none is null in JSON.
  return { kind: "summary", ended, version, ...summary };
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}

function joined(lines: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(lines.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const line of lines) {
    all.set(line, at);
    at += line.length;
  }
  return all;
}
