/**
 * A back-test in a process of its own that collects its garbage now and then and says what is left:
 * the most within the first tenth, and the most in all, as JSON on stdout. Run with --expose-gc.
 *
 * Arguments: `log`, the data folder and the records; or `recording`, the samples.
 */
import { backtestLog } from "../analysis/backtest.ts";
import { type BacktestOptions } from "../analysis/backtest_options.ts";
import { backtestRecording } from "../analysis/backtest_recording.ts";
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import { readCatalog, readRules } from "../commands/files.ts";
import { writeData } from "../commands/output.ts";
import { turns } from "../commands/turns.ts";
import { TOPICS } from "../contract/topics.ts";
import { createDecoder } from "../rules-wasm/decoder.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { Engine } from "../rules-wasm/engine_port.ts";

/** What the process says, bytes. */
export interface MemoryFigures {
  readonly tenth: number;
  readonly whole: number;
  readonly transitions: number;
}

/** Looks at the memory within a run. */
const LOOKS = 40;
const catalog = readCatalog("");

/** Blocks of a recording that is made as it is read: some vehicles that speed on and off. */
async function* blocksOf(samples: number): AsyncGenerator<Uint8Array> {
  const text = new TextEncoder();
  for (let at = 0; at < samples; at += 500) {
    const lines = Array.from({ length: 500 }, (_, i) => {
      const [vehicle, second] = [(at + i) % 100, Math.floor((at + i) / 100)];
      const speed = second % 40 < 20 ? 90 : 140;
      const t = 1_760_000_000_000 + 1_000 * second - 7 * (vehicle % 10);
      return `{"vehicle":"V-${vehicle}","ts":${t},"speed":${speed},"rpm":2000,"coolant":91.5}\n`;
    });
    yield await Promise.resolve(text.encode(lines.join("")));
  }
}

async function run(mode: string, args: readonly string[]): Promise<MemoryFigures> {
  const collect: unknown = Reflect.get(globalThis, "gc");
  if (typeof collect !== "function") throw new Error("Run it with --expose-gc");
  const engines: Engine[] = [];
  const total = Number(args.at(-1));
  const most = { tenth: 0, whole: 0 };
  let looked = 0;
  let done = 0;
  const look = async () => {
    if (done < looked * total / LOOKS) return;
    looked = Math.floor(done * LOOKS / total) + 1;
    // What buffers held is given back in a turn of its own.
    for (let i = 0; i < 3; i++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    const { heapUsed, external } = Deno.memoryUsage();
    const state = engines.reduce((sum, engine) => sum + engine.stateBytes(), 0);
    const bytes = heapUsed + external + state;
    most.whole = Math.max(most.whole, bytes);
    if (done <= total / 10) most.tenth = Math.max(most.tenth, bytes);
  };
  const turn = turns();
  const options: BacktestOptions = {
    ruleSet: readRules("", catalog),
    createEngine: (ruleSet, at) => {
      const engine = createEngine(ruleSet, at);
      engines.push(engine);
      return engine;
    },
    ...{ fromMs: -Infinity, toMs: Infinity, signal: new AbortController().signal },
    output: () => {},
    progress: (progress) => {
      // The first of two readings counts too: it holds what it holds while it goes on.
      done = progress.total === 0 ? progress.samples : progress.done;
      if (progress.total === 0 && done === total) looked = 0;
    },
    turn: async () => {
      await look();
      await turn();
    },
  };
  if (mode === "recording") {
    const { transitions } = await backtestRecording({
      ...{ ...options, batchRecords: 1_000, open: () => blocksOf(total) },
      ...{ twice: true, heldBytesMax: 1 << 20 },
      createDecoder: () => createDecoder(catalog, { maxVehicles: 1e5, maxClockAheadMs: Infinity }),
    });
    return { ...most, transitions };
  }
  const bus = await openEmbeddedBus({ dir: args[0], fsync: "interval" }, {
    now: Date.now,
    events: () => {},
  });
  try {
    const { transitions } = await backtestLog({ ...options, bus, topic: TOPICS.telemetry });
    return { ...most, transitions };
  } finally {
    await bus.close();
  }
}

if (import.meta.main) {
  const [mode = "", ...args] = Deno.args;
  writeData(`${JSON.stringify(await run(mode, args))}\n`);
}
