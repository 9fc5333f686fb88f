/** Back-tests for requests: one at a time, in a Worker, so that nothing waits for them. */
import type { EventSink } from "../contract/events.ts";
import type { BacktestPort, BacktestRequest } from "../server/services.ts";
import type { Settings } from "../settings.ts";
import type { TrialBounds } from "./backtest_trial.ts";
import type { BacktestCommand, BacktestMessage } from "./backtest_worker.ts";

/** What a back-test for a request is held to. */
export const TRIAL_BOUNDS: TrialBounds = { msMax: 60_000, transitionsMax: 100_000 };

/** Time beyond its bound after which a Worker that does not end is ended, milliseconds. */
const GRACE_MS = 10_000;

/** What the service is made with. */
export interface ServiceOptions {
  readonly settings: Settings;
  readonly events: EventSink;
  readonly bounds?: TrialBounds;
}

/** Runs them. */
export class BacktestService implements BacktestPort {
  #running: Running | null = null;
  #started = 0;
  #refused = 0;
  #closed = false;

  constructor(readonly options: ServiceOptions) {}

  start(request: BacktestRequest): ReadableStream<Uint8Array> | null {
    if (this.#running !== null || this.#closed) {
      this.#refused++;
      return null;
    }
    this.#started++;
    this.#running = new Running(request, this.options, () => this.#running = null);
    return this.#running.lines;
  }

  metrics(): Readonly<Record<string, number>> {
    return {
      backtests_running: this.#running === null ? 0 : 1,
      backtests_total: this.#started,
      backtests_refused_total: this.#refused,
    };
  }

  close(): void {
    this.#closed = true;
    this.#running?.end({ kind: "failed", detail: "The server stops" });
  }
}

/** One that is running: its Worker, and the lines that it has given. */
class Running {
  readonly lines: ReadableStream<Uint8Array>;
  readonly #worker: Worker;
  /** Lines that nobody has read yet; the Worker waits before they become many. */
  readonly #waiting: Uint8Array[] = [];
  readonly #hung: ReturnType<typeof setTimeout>;
  #ended = false;
  #wake = Promise.withResolvers<void>();

  constructor(
    request: BacktestRequest,
    readonly options: ServiceOptions,
    readonly onEnd: () => void,
  ) {
    this.lines = new ReadableStream({
      pull: (controller) => this.#pull(controller),
      // Whoever asked has gone.
      cancel: () => this.end(null),
    }, { highWaterMark: 0 });
    this.#worker = new Worker(new URL("./backtest_worker.ts", import.meta.url), {
      type: "module",
      name: "backtest",
    });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<BacktestMessage>) => {
      if (data.kind === "lines") this.#add(data.lines);
      else if (data.kind === "ended") this.end(null);
      else if (data.kind === "failed") this.#fail(data.error, data.bus);
    });
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#fail(event.message, false);
    });
    const { settings, bounds = TRIAL_BOUNDS } = options;
    this.#hung = setTimeout(
      () => this.#fail(`it did not end within ${bounds.msMax + GRACE_MS} ms`, false),
      bounds.msMax + GRACE_MS,
    );
    this.#send({ kind: "trial", start: { settings, request, bounds } });
  }

  /** Ends it; what it gave before can still be read. @param last a line to tell why */
  end(last: object | null): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#hung);
    this.#worker.terminate();
    if (last !== null) this.#waiting.push(new TextEncoder().encode(`${JSON.stringify(last)}\n`));
    this.#wake.resolve();
    this.onEnd();
  }

  #fail(error: string, bus: boolean): void {
    if (this.#ended) return;
    this.options.events({ level: "error", name: "backtest.failed", message: error });
    const detail = bus
      ? error
      : "The back-test ended because of a fault of its own; the server's log says more";
    this.end({ kind: "failed", detail });
  }

  #add(lines: Uint8Array): void {
    this.#waiting.push(lines);
    this.#wake.resolve();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    while (this.#waiting.length === 0 && !this.#ended) {
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
    const lines = this.#waiting.shift();
    if (lines === undefined) return controller.close();
    if (!this.#ended) this.#send({ kind: "read", bytes: lines.length });
    controller.enqueue(lines);
  }

  #send(command: BacktestCommand): void {
    this.#worker.postMessage(command);
  }
}
