/** Partitions of a back-test spread over Workers, as many as there are cores. */
import type { RunningLanes, StartLanes } from "../analysis/backtest.ts";
import { heldBytesMax, type LaneJob } from "../analysis/backtest_lanes.ts";
import type { Piece } from "../analysis/backtest_piece.ts";
import { BusError } from "../bus/port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import type { Settings } from "../settings.ts";
import type { BacktestCommand, BacktestMessage, LanesStart } from "./backtest_worker.ts";

/** Time that Workers have to stop, milliseconds; then they are ended. */
const STOP_GRACE_MS = 1_000;

/** What is run, and how wide. */
export interface CoresOptions {
  readonly settings: Settings;
  readonly ruleSet: RuleSet;
  readonly asLive: boolean;
  readonly toMs: number;
  /** Workers at most; at least 1. */
  readonly workers: number;
  readonly signal: AbortSignal;
}

interface Hand {
  records: number;
  readonly jobs: LaneJob[];
}

/** Deals jobs out: the largest first, each to whoever has least; as many hands as there is work for. */
export function dealOut(jobs: readonly LaneJob[], hands: number): readonly (readonly LaneJob[])[] {
  const busy = jobs.filter(({ from, to }) => to > from).length;
  const dealt: Hand[] = Array.from(
    { length: Math.max(1, Math.min(hands, busy)) },
    () => ({ records: 0, jobs: [] }),
  );
  const size = ({ from, to }: LaneJob) => to - from;
  for (const job of [...jobs].sort((a, b) => size(b) - size(a))) {
    const least = dealt.reduce((a, b) => b.records < a.records ? b : a);
    least.jobs.push(job);
    least.records += size(job);
  }
  return dealt.map((hand) => hand.jobs);
}

/** Runs lanes in Workers, each with engines and a bus of its own. */
export function startInWorkers(options: CoresOptions): StartLanes {
  return (jobs, receive): RunningLanes => {
    const { settings, ruleSet, asLive, toMs, workers, signal } = options;
    const heldMax = heldBytesMax(jobs.length);
    const shared = { settings, ruleSet, asLive, toMs, heldMax };
    const running = dealOut(jobs, workers).map((own) =>
      new LaneWorker({ ...shared, jobs: own }, receive)
    );
    const byPartition = new Map(
      running.flatMap((worker) => worker.start.jobs.map(({ partition }) => [partition, worker])),
    );
    return {
      release: (partition, bytes) =>
        byPartition.get(partition)?.send({ kind: "release", partition, bytes }),
      ended: untilEnded(running, signal),
    };
  };
}

/** Waits for all of them; the first fault, or the signal, ends the others too. */
async function untilEnded(running: readonly LaneWorker[], signal: AbortSignal): Promise<void> {
  let grace: ReturnType<typeof setTimeout> | undefined;
  const late = Promise.withResolvers<void>();
  const stop = () => {
    for (const worker of running) worker.send({ kind: "stop" });
    grace = setTimeout(late.resolve, STOP_GRACE_MS);
  };
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    await Promise.race([Promise.all(running.map(({ ended }) => ended)), late.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
    clearTimeout(grace);
    for (const worker of running) worker.terminate();
  }
}

/** One Worker with its share of the partitions. */
class LaneWorker {
  readonly ended: Promise<void>;
  readonly #worker: Worker;

  constructor(readonly start: LanesStart, receive: (piece: Piece) => void) {
    const ended = Promise.withResolvers<void>();
    this.ended = ended.promise;
    // Of several that fail the first is told.
    this.ended.catch(() => {});
    this.#worker = new Worker(new URL("./backtest_worker.ts", import.meta.url), {
      type: "module",
      name: "backtest",
    });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<BacktestMessage>) => {
      try {
        if (data.kind === "piece") receive(data.piece);
        else if (data.kind === "ended") ended.resolve();
        else if (data.kind === "failed") {
          ended.reject(data.bus ? new BusError(data.error) : new Error(data.error));
        }
      } catch (error) {
        // Who reads the output may be gone.
        ended.reject(error);
      }
    });
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      const partitions = start.jobs.map(({ partition }) => partition).join(", ");
      ended.reject(new Error(`The Worker of partitions ${partitions} failed: ${event.message}`));
    });
    this.send({ kind: "lanes", start });
  }

  send(command: BacktestCommand): void {
    this.#worker.postMessage(command);
  }

  terminate(): void {
    this.#worker.terminate();
  }
}
