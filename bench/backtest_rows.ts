/** Back-tests over the log against the engine alone over the same bytes, and what memory they take. */
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import type { Bus } from "../bus/port.ts";
import { TOPICS } from "../contract/topics.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { EngineInput } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import type { ChildFigures } from "./backtest_child.ts";
import { writeLongLog } from "./long_log.ts";
import { median, startStopwatch, type Timing } from "./measure.ts";

const PARTITIONS = 8;
/** As the task has it: batches are short-lived, and a tenth of the time goes into moving them. */
const GC = "--v8-flags=--max-semi-space-size=64";
/** Samples that the engine alone is timed over, at most, and how often. */
const ALONE_SAMPLES = 1_000_000;
const ALONE_ROUNDS = 5;

/** A back-test that was run as a process. */
export interface BacktestRun extends Timing {
  /** From the start of the process until its end. */
  readonly processMs: number;
  readonly megabytes: number;
  readonly transitions: number;
  /** Of its output. */
  readonly hash: string;
}

/** One log, back-tested in several ways. */
export interface BacktestRow {
  readonly samples: number;
  readonly bytes: number;
  readonly writeSeconds: number;
  /** The engine alone, one thread, for as many samples as the log has. */
  readonly alone: Timing;
  /** As many threads as the command takes by itself. */
  readonly plain: BacktestRun;
  readonly oneThread: BacktestRun;
  readonly twoThreads: BacktestRun;
  /** One thread over the first tenth of the log. */
  readonly tenth: BacktestRun;
}

/**
 * Makes a log and runs the shipped rules over it.
 *
 * @throws {Error} if the ways of running do not give the same bytes
 */
export async function backtestRow(
  ruleSet: RuleSet,
  vehicles: number,
  seconds: number,
  now: () => number,
): Promise<BacktestRow> {
  const dir = await Deno.makeTempDir({ prefix: "kilter-bench-" });
  try {
    const bus = await openEmbeddedBus({ dir, fsync: "interval" }, { now: Date.now, events() {} });
    try {
      const spec = { partitions: PARTITIONS, retentionMs: Infinity, retentionBytes: Infinity };
      await bus.ensureTopics([{ ...spec, name: TOPICS.telemetry, cleanup: "delete" }]);
      const start = now();
      const log = await writeLongLog({ dir, vehicles, seconds, partitions: PARTITIONS });
      const writeSeconds = (now() - start) / 1_000;
      const alone = await engineAlone(bus, ruleSet, log.samples, now);
      const plain = await run(dir, [], now);
      const oneThread = await run(dir, ["--workers", "1"], now);
      const twoThreads = await run(dir, ["--workers", "2"], now);
      if ([oneThread, twoThreads].some(({ hash }) => hash !== plain.hash)) {
        throw new Error("No figure: one thread and several do not give the same bytes");
      }
      const to = String(log.startMs + seconds * 100);
      const tenth = await run(dir, ["--workers", "1", "--to", to], now);
      return { ...log, writeSeconds, alone, plain, oneThread, twoThreads, tenth };
    } finally {
      await bus.close();
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Pushes the log's first batches of every partition, read before; one engine a partition, in turns. */
async function engineAlone(
  bus: Bus,
  ruleSet: RuleSet,
  samples: number,
  now: () => number,
): Promise<Timing> {
  const lanes: EngineInput[][] = [];
  let read = 0;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const lane: EngineInput[] = [];
    let own = 0;
    for await (const batch of bus.range(TOPICS.telemetry, partition, 0, Infinity)) {
      lane.push(batch);
      own += batch.count;
      if (own >= ALONE_SAMPLES / PARTITIONS) break;
    }
    read += own;
    lanes.push(lane);
  }
  const timings: Timing[] = [];
  for (let round = 0; round < ALONE_ROUNDS; round++) {
    const engines = lanes.map((_, partition) => createEngine(ruleSet, { partition }));
    const stopwatch = startStopwatch(now);
    const most = Math.max(...lanes.map(({ length }) => length));
    for (let at = 0; at < most; at++) {
      lanes.forEach((lane, partition) => {
        if (at < lane.length) engines[partition].push(lane[at]);
      });
    }
    timings.push(stopwatch());
  }
  const scale = samples / read;
  return {
    wallMs: scale * median(timings.map(({ wallMs }) => wallMs)),
    cpuMs: scale * median(timings.map(({ cpuMs }) => cpuMs)),
  };
}

/** Runs the command over a data folder. */
async function run(dir: string, flags: readonly string[], now: () => number): Promise<BacktestRun> {
  const child = new URL("./backtest_child.ts", import.meta.url).pathname;
  const start = now();
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    // Everything: how much memory it has had only who may do everything can ask.
    args: ["run", GC, "--no-check", "-A", child, "--data", dir, ...flags],
    stdin: "null",
  }).output();
  const processMs = now() - start;
  const said = new TextDecoder().decode(stderr).trimEnd().split("\n");
  if (!success) throw new Error(`The back-test failed:\n${said.join("\n")}`);
  const { wallMs, cpuMs, residentKb }: ChildFigures = JSON.parse(said.at(-1) ?? "");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", stdout));
  let transitions = 0;
  for (const byte of stdout) if (byte === 10) transitions++;
  const megabytes = residentKb / 1_000;
  return { wallMs, cpuMs, processMs, megabytes, transitions, hash: digest.join() };
}
