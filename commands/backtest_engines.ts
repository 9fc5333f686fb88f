/** Engines in Workers, for the vehicles of a recording. */
import type { DistantEngine, Pushed } from "../analysis/backtest_shards.ts";
import type { EngineInput } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import type { BacktestCommand, BacktestMessage } from "./backtest_worker.ts";

/** An engine of partition 0 in a Worker of its own. */
export class EngineWorker implements DistantEngine {
  readonly #worker: Worker;
  /** Pushes under way, in their order. */
  readonly #waiting: PromiseWithResolvers<Pushed>[] = [];
  #failed: Error | null = null;

  constructor(ruleSet: RuleSet) {
    this.#worker = new Worker(new URL("./backtest_worker.ts", import.meta.url), {
      type: "module",
      name: "backtest",
    });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<BacktestMessage>) => {
      if (data.kind === "pushed") this.#waiting.shift()?.resolve(data.pushed);
      else if (data.kind === "failed") this.#fail(data.error);
    });
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#fail(event.message);
    });
    this.#send({ kind: "engine", ruleSet });
  }

  push(input: EngineInput): Promise<Pushed> {
    if (this.#failed !== null) return Promise.reject(this.#failed);
    const pushed = Promise.withResolvers<Pushed>();
    this.#waiting.push(pushed);
    this.#send({ kind: "push", input });
    return pushed.promise;
  }

  /** Ends the Worker, whatever it does. */
  close(): void {
    this.#worker.terminate();
    this.#fail("it was closed");
  }

  #fail(why: string): void {
    this.#failed = new Error(`An engine in a Worker failed: ${why}`);
    for (const pushed of this.#waiting.splice(0)) pushed.reject(this.#failed);
  }

  #send(command: BacktestCommand): void {
    this.#worker.postMessage(command);
  }
}
