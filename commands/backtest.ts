/** `backtest`: what rules would have raised, over the retained log or over recordings. */
import { backtestLog, type BacktestOptions, backtestRecording } from "../analysis/backtest.ts";
import { readRecordings } from "../producer/recording.ts";
import { createDecoder } from "../rules-wasm/decoder.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { Settings } from "../settings.ts";
import { readCatalog, readRules } from "./files.ts";
import { openBus } from "./open_bus.ts";
import { eventLog, ProgressLine, say, writeData } from "./output.ts";

/** Writes the transitions as NDJSON to stdout, in the order of A, and a summary to stderr. */
export async function backtestCommand(settings: Settings): Promise<number> {
  const catalog = readCatalog(settings.catalog);
  const ruleSet = readRules(settings.rules, catalog);
  const events = eventLog(settings.logLevel, Date.now);
  const progress = new ProgressLine(() => performance.now());
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  const options: BacktestOptions = {
    ruleSet,
    createEngine,
    batchRecords: settings.batchRecords,
    fromMs: Number.isNaN(settings.fromMs) ? -Infinity : settings.fromMs,
    toMs: Number.isNaN(settings.toMs) ? Infinity : settings.toMs,
    signal: stop.signal,
    output: writeData,
    progress: (samples) => progress.show(`${samples.toLocaleString("en")} samples`),
    turn: turns(),
  };
  try {
    const summary = settings.input.length > 0
      ? await backtestRecording({
        ...options,
        lines: readRecordings(settings.input, { mapping: settings.map, catalog, events }),
        decoder: createDecoder(catalog, {
          maxVehicles: ruleSet.settings.maxVehicles,
          maxClockAheadMs: Infinity,
        }),
      })
      : await overLog(settings, options);
    progress.done();
    const { samples, refused, late, duplicates, waiting, transitions, opened } = summary;
    say(
      `${stop.signal.aborted ? "stopped early: " : ""}${samples} samples, ${refused} refused, ` +
        `${late} late, ${duplicates} duplicates, ` +
        `${transitions} transitions, rules ${ruleSet.version}`,
    );
    if (waiting > 0) {
      say(
        `  ${waiting} samples still waited for older ones at the end; --to a later time ends that`,
      );
    }
    for (const [rule, count] of opened) say(`  ${rule}: opened ${count} times`);
    return stop.signal.aborted ? 130 : 0;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}

/** Gives way to signals at most every 50 ms: a turn costs a millisecond. */
function turns(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < 50) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
  };
}

async function overLog(settings: Settings, options: BacktestOptions) {
  const bus = await openBus(settings, eventLog(settings.logLevel, Date.now), Date.now);
  try {
    return await backtestLog({ ...options, bus, topic: settings.topicTelemetry });
  } finally {
    await bus.close();
  }
}
