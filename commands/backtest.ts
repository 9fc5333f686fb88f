/** `backtest`: what rules would have raised, over the retained log or over recordings. */
import { backtestLog, type LogOptions, startHere } from "../analysis/backtest.ts";
import type { BacktestOptions } from "../analysis/backtest_options.ts";
import { backtestRecording } from "../analysis/backtest_recording.ts";
import type { BacktestProgress, BacktestSummary } from "../analysis/backtest_tally.ts";
import { compareOpenings, Openings } from "../analysis/compare_openings.ts";
import { readSweep } from "../analysis/sweep.ts";
import type { Catalog } from "../contract/catalog.ts";
import type { EventSink } from "../contract/events.ts";
import { readRecordings } from "../producer/recording.ts";
import { createDecoder } from "../rules-wasm/decoder.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import type { Zone } from "../rules-wasm/language/zone.ts";
import type { Settings } from "../settings.ts";
import {
  comparisonReport,
  differenceJson,
  progressText,
  summaryReport,
  sweepReport,
} from "./backtest_report.ts";
import { startInWorkers } from "./backtest_cores.ts";
import { EngineWorker } from "./backtest_engines.ts";
import { readCatalog, readRules, readZones } from "./files.ts";
import { visitBus } from "./open_bus.ts";
import { eventLog, ProgressLine, say, writeData } from "./output.ts";
import { RuleFeed } from "./rule_feed.ts";
import { turns } from "./turns.ts";

/**
 * Bytes of a log, and samples of a recording, that one thread is left alone with: it takes some
 * tenths of a second for them, as long as others take to start.
 */
const BYTES_ALONE_MAX = 96 << 20;
const SAMPLES_ALONE_MAX = 300_000;

/** What the ways of back-testing share. */
interface Run {
  readonly settings: Settings;
  readonly catalog: Catalog;
  readonly zones: readonly Zone[];
  readonly signal: AbortSignal;
  /** Whether the versions that were in force are run: the log has to know some. */
  asLive: boolean;
}

/** Writes the transitions as NDJSON to stdout, in the order of A, and a summary to stderr. */
export async function backtestCommand(settings: Settings): Promise<number> {
  const catalog = readCatalog(settings.catalog);
  const zones = readZones(settings.zones);
  const stop = new AbortController();
  const interrupt = () => {
    stop.abort();
    // The second one ends the process at once.
    Deno.removeSignalListener("SIGINT", interrupt);
  };
  Deno.addSignalListener("SIGINT", interrupt);
  const run: Run = { settings, catalog, zones, signal: stop.signal, asLive: false };
  try {
    if (settings.compare !== "" && settings.sweep !== "") {
      say("kilter: --compare and --sweep do not go together");
      return 2;
    }
    const ruleSet = readRules(settings.rules, catalog, zones);
    if (settings.sweep !== "") return await sweep(run, ruleSet);
    if (settings.compare !== "") return await compare(run, ruleSet);
    const asLive = settings.rules === "" && settings.input.length === 0;
    const summary = await backtest(run, ruleSet, { output: writeData }, asLive);
    const version = run.asLive ? "as they were in force" : ruleSet.version;
    for (const line of summaryReport(summary, version)) say(line);
    return ended(run);
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}

/** 0, or 130 with a word about it if Ctrl-C ended it. */
function ended({ signal }: Run): number {
  if (!signal.aborted) return 0;
  say("stopped early: this is what came before");
  return 130;
}

async function compare(run: Run, ruleSet: RuleSet): Promise<number> {
  const { settings, catalog, zones } = run;
  const other = readRules(settings.compare, catalog, zones);
  const [first, second] = [openingsOf(ruleSet), openingsOf(other)];
  await backtest(run, ruleSet, { each: (transition) => first.take(transition) });
  const summary = run.signal.aborted
    ? null
    : await backtest(run, other, { each: (transition) => second.take(transition) });
  if (run.signal.aborted || summary === null) {
    // Half a run has no counterpart: everything would seem to differ.
    say("stopped early: nothing to compare yet");
    return 130;
  }
  const { differences, rules } = compareOpenings(first, second);
  for (const difference of differences) writeData(`${differenceJson(difference)}\n`);
  for (const line of comparisonReport(rules, settings.rules || "rules.yaml", settings.compare)) {
    say(line);
  }
  return 0;
}

function openingsOf({ rules }: RuleSet): Openings {
  const once = new Set(rules.filter((rule) => rule.once).map(({ id }) => id));
  return new Openings((rule) => once.has(rule));
}

async function sweep(run: Run, ruleSet: RuleSet): Promise<number> {
  const read = readSweep(run.settings.sweep, ruleSet);
  if (typeof read === "string") {
    say(`kilter: --sweep: ${read}`);
    return 2;
  }
  const summary = await backtest(run, read.rules, {});
  for (const line of sweepReport(read, summary)) writeData(`${line}\n`);
  return ended(run);
}

/** Where a back-test's transitions go. */
type Sinks = Partial<Pick<BacktestOptions, "output" | "each">>;

/** @param asLive over the log: with the versions that were in force instead of `ruleSet` */
async function backtest(
  run: Run,
  ruleSet: RuleSet,
  sinks: Sinks,
  asLive = false,
): Promise<BacktestSummary> {
  const { settings, catalog, signal } = run;
  const events = eventLog(settings.logLevel, Date.now);
  // What is told of a recording is told at its first reading.
  let readings = 0;
  const tell = (): EventSink => readings++ === 0 ? events : () => {};
  const line = new ProgressLine(() => performance.now());
  const started = performance.now();
  const options: BacktestOptions = {
    ruleSet,
    createEngine,
    fromMs: Number.isNaN(settings.fromMs) ? -Infinity : settings.fromMs,
    toMs: Number.isNaN(settings.toMs) ? Infinity : settings.toMs,
    vehicles: settings.only,
    signal,
    output: () => {},
    ...sinks,
    progress: (progress: BacktestProgress) =>
      line.show(() => progressText(progress, performance.now() - started)),
    turn: turns(),
  };
  const engines: EngineWorker[] = [];
  try {
    if (settings.input.length === 0) return await overLog(run, options, asLive);
    return await backtestRecording({
      ...options,
      batchRecords: settings.batchRecords,
      engines: (samples) => {
        for (let i = enginesFor(settings, samples); i > 0; i--) {
          engines.push(new EngineWorker(ruleSet));
        }
        return engines;
      },
      open: () =>
        readRecordings(settings.input, { mapping: settings.map, catalog, events: tell() }),
      twice: settings.input.every(isFile),
      createDecoder: () =>
        createDecoder(catalog, {
          maxVehicles: ruleSet.settings.maxVehicles,
          maxClockAheadMs: Infinity,
        }),
    });
  } finally {
    for (const engine of engines) engine.close();
    line.done();
  }
}

async function overLog(run: Run, options: BacktestOptions, asLive: boolean) {
  const { settings } = run;
  const bus = await visitBus(settings, eventLog(settings.logLevel, Date.now), Date.now);
  try {
    const log = { ...options, bus, topic: settings.topicTelemetry };
    if (!asLive) return await backtestLog(await spread(settings, log));
    const rules = await RuleFeed.open(bus, settings.topicRules, Date.now);
    if (rules.history.current === undefined) return await backtestLog(await spread(settings, log));
    run.asLive = true;
    const asItWas = { ...log, ruleSet: rules.current(), asLive: rules };
    return await backtestLog(await spread(settings, asItWas));
  } finally {
    await bus.close();
  }
}

/** Engines in Workers for a recording: this thread reads, and evaluates a short one by itself. */
function enginesFor({ workers }: Settings, samples: number): number {
  if (workers > 0) return workers === 1 ? 0 : workers;
  return samples < SAMPLES_ALONE_MAX ? 0 : navigator.hardwareConcurrency - 1;
}

/** Whether it can be read twice, which a pipe cannot; what cannot be looked at fails when it is read. */
function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The same, over as many threads as there are cores. */
async function spread(settings: Settings, log: LogOptions): Promise<LogOptions> {
  const workers = settings.workers === 0 ? navigator.hardwareConcurrency : settings.workers;
  if (workers === 1) return log;
  const { ruleSet, toMs, signal } = log;
  const asLive = log.asLive !== undefined;
  const recordBytes = settings.workers === 0 ? await recordBytesOf(log) : Infinity;
  return {
    ...log,
    lanes: (jobs, receive) => {
      const records = jobs.reduce((sum, { from, to }) => sum + to - from, 0);
      // Asked for they come; else a short log is through before they would have started.
      const start = records * recordBytes < BYTES_ALONE_MAX
        ? startHere(log)
        : startInWorkers({ settings, ruleSet, asLive, toMs, workers, signal });
      return start(jobs, receive);
    },
  };
}

/** How long a record is, as a first look at the log shows it; 0 where there is none. */
async function recordBytesOf({ bus, topic }: LogOptions): Promise<number> {
  for (const [partition, { start, end }] of (await bus.bounds(topic)).entries()) {
    for await (const { values, count } of bus.range(topic, partition, start, end)) {
      // Ticks are no measure.
      if (values.length > 0) return values.length / count;
    }
  }
  return 0;
}
