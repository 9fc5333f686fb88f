/** One torture: a seeded log, processes that are killed over it, and the comparison at the end. */
import { backtestLog } from "../analysis/backtest.ts";
import { readCatalog, readRules } from "../commands/files.ts";
import { decodeTransition } from "../contract/anomaly.ts";
import { decodeProgress, type Progress } from "../contract/progress.ts";
import { makeWorkload } from "../bench/workload.ts";
import { murmur2Partition } from "../bus/murmur2.ts";
import type { OutgoingRecord } from "../bus/port.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import { Seeded } from "../testing/seeded.ts";
import { Program } from "./program.ts";
import { PARTITIONS, type TortureSite } from "./torture_bus.ts";

/** What a torture is told. */
export interface TortureOptions {
  readonly samples: number;
  readonly kills: number;
  readonly seed: number;
  /** Whether the log is written while it is worked off. */
  readonly live: boolean;
  readonly say: (line: string) => void;
}

/** What came of it. */
export interface TortureReport {
  readonly kills: number;
  readonly brokerKills: number;
  readonly transitions: number;
  /** Transitions of the uninterrupted run that are not on the topic. */
  readonly lost: number;
  /** Transitions on the topic more often than in that run. */
  readonly doubled: number;
  /** Partitions whose transitions stand in another order. */
  readonly reordered: number;
  readonly restored: number;
  readonly seconds: number;
}

const VEHICLES = 400;
const SAMPLES_PER_RECORD = 50;
/** Telemetry that goes out between two kills, where the log is written meanwhile. */
const LIVE_PORTIONS = 4;
/** One kill in so many is the broker's, where there is one. */
const BROKER_SHARE = 10;
/** Longest wait for anything that must come. */
const WAIT_MS = 120_000;

/** Runs a torture. */
export async function torture(site: TortureSite, options: TortureOptions): Promise<TortureReport> {
  const startedAt = Date.now();
  const random = new Seeded(options.seed);
  const records = makeRecords(options);
  const portions = options.live ? Math.max(1, options.kills * LIVE_PORTIONS) : 1;
  const portion = Math.ceil(records.length / portions);
  let published = 0;
  const publishNext = async () => {
    const next = records.slice(published, published + portion);
    published += next.length;
    if (next.length > 0) await site.bus.publish([{ topic: site.topics.telemetry, records: next }]);
  };
  await publishNext();
  let brokerKills = 0;
  let restored = 0;
  for (let kill = 1; kill <= options.kills; kill++) {
    const before = await consumed(site);
    await using program = startAnalysis(site, random);
    await until(
      "it works",
      async () => await consumed(site) > before || await isDone(site),
      () => program.report(),
    );
    const restMs = random.below(120);
    for (let i = 0; i < LIVE_PORTIONS; i++) {
      await pause(restMs / LIVE_PORTIONS);
      if (options.live) await publishNext();
    }
    if (site.killBroker !== null && kill % BROKER_SHARE === 0) {
      brokerKills++;
      await site.killBroker();
      await pause(random.below(2_000));
    }
    await program.kill("SIGKILL");
    restored += program.said.filter((line) => line.includes("analysis.restored")).length;
    options.say(`kill ${kill} of ${options.kills}: ${await consumed(site)} records done`);
  }
  while (published < records.length) await publishNext();
  await using last = startAnalysis(site, random);
  await until("all is worked off", () => isDone(site), () => last.report());
  await last.kill("SIGTERM");
  const compared = await compare(site);
  return {
    ...compared,
    kills: options.kills,
    brokerKills,
    restored,
    seconds: Math.round((Date.now() - startedAt) / 1000),
  };
}

function startAnalysis(site: TortureSite, random: Seeded): Program {
  const flags = [...site.flags, "--checkpoint-every", "20 ms"];
  return random.chance(0.5)
    ? new Program(["analysis", ...flags], [site.dir])
    : new Program(["start", "--port", "0", ...flags], [site.dir]);
}

/** Holds the topic against one engine that never stopped. */
async function compare(
  { bus, topics }: TortureSite,
): Promise<Pick<TortureReport, "transitions" | "lost" | "doubled" | "reordered">> {
  const ruleSet = readRules("", readCatalog(""));
  const text = new TextDecoder();
  let output = "";
  await backtestLog({
    ...{ bus, topic: topics.telemetry, ruleSet, createEngine },
    ...{ fromMs: -Infinity, toMs: Infinity, signal: new AbortController().signal },
    output: (bytes) => output += text.decode(bytes),
    progress: () => {},
    turn: () => Promise.resolve(),
  });
  const expected: string[][] = Array.from({ length: PARTITIONS }, () => []);
  for (const line of output.split("\n")) {
    if (line === "") continue;
    expected[decodeTransition(new TextEncoder().encode(line)).source.partition].push(line);
  }
  let [transitions, lost, doubled, reordered] = [0, 0, 0, 0];
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const found: string[] = [];
    for await (const batch of bus.range(topics.anomalies, partition, 0, Infinity)) {
      for (let i = 0; i < batch.count; i++) {
        const begin = i === 0 ? 0 : batch.valueEnds[i - 1];
        found.push(text.decode(batch.values.subarray(begin, batch.valueEnds[i])));
      }
    }
    const wanted = expected[partition];
    transitions += wanted.length;
    const left = new Map<string, number>();
    for (const line of wanted) left.set(line, (left.get(line) ?? 0) + 1);
    let more = 0;
    for (const line of found) {
      const count = left.get(line) ?? 0;
      if (count === 0) more++;
      else left.set(line, count - 1);
    }
    const missing = [...left.values()].reduce((sum, count) => sum + count, 0);
    lost += missing;
    doubled += more;
    if (missing + more === 0 && found.some((line, i) => line !== wanted[i])) reordered++;
  }
  return { transitions, lost, doubled, reordered };
}

/** Newest progress of each partition. */
async function progressOf({ bus, topics }: TortureSite): Promise<readonly (Progress | null)[]> {
  const found: (Progress | null)[] = [];
  const text = new TextDecoder();
  for (let partition = 0; partition < PARTITIONS; partition++) {
    let newest: Progress | null = null;
    const bounds = (await bus.bounds(topics.checkpoints))[partition];
    // Each step ends with its progress: the newest lies near the end.
    for (let window = 64; newest === null; window *= 16) {
      const from = Math.max(bounds.start, bounds.end - window);
      for await (const batch of bus.range(topics.checkpoints, partition, from, bounds.end)) {
        for (let i = 0; i < batch.count; i++) {
          const key = batch.key(i);
          if (key === null || !text.decode(key).startsWith("progress/")) continue;
          const begin = i === 0 ? 0 : batch.valueEnds[i - 1];
          newest = decodeProgress(batch.values.subarray(begin, batch.valueEnds[i]));
        }
      }
      if (from <= bounds.start) break;
    }
    found.push(newest);
  }
  return found;
}

async function consumed(site: TortureSite): Promise<number> {
  return (await progressOf(site)).reduce((sum, progress) => sum + (progress?.next ?? 0), 0);
}

/** Whether all telemetry that there is has been worked off. */
export async function isDone(site: TortureSite): Promise<boolean> {
  const ends = await site.bus.bounds(site.topics.telemetry);
  const progress = await progressOf(site);
  return ends.every(({ end }, partition) => (progress[partition]?.next ?? 0) >= end);
}

/** Records of NDJSON, each of one partition, in the order of time. */
function makeRecords({ samples, seed }: TortureOptions): OutgoingRecord[] {
  const workload = makeWorkload({
    ...{ seed, samples, vehicles: VEHICLES, hostile: false, fireRate: 0.02, batchRecords: 1_000 },
    episodeSamples: 20,
  });
  const waiting: Uint8Array[][] = Array.from({ length: PARTITIONS }, () => []);
  const records: OutgoingRecord[] = [];
  const flush = (partition: number) => {
    if (waiting[partition].length === 0) return;
    records.push({ key: null, partition, value: lines(waiting[partition]) });
    waiting[partition] = [];
  };
  for (const { count, values, valueEnds } of workload.batches) {
    for (let i = 0; i < count; i++) {
      const line = values.subarray(i === 0 ? 0 : valueEnds[i - 1], valueEnds[i]);
      // `{"vehicle":"` is 12 bytes long, ids are 17.
      const partition = murmur2Partition(line.subarray(12, 29), PARTITIONS);
      waiting[partition].push(line);
      if (waiting[partition].length === SAMPLES_PER_RECORD) flush(partition);
    }
  }
  for (let partition = 0; partition < PARTITIONS; partition++) flush(partition);
  return records;
}

function lines(samples: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(samples.reduce((sum, line) => sum + line.length + 1, 0));
  let at = 0;
  for (const line of samples) {
    bytes.set(line, at);
    at += line.length;
    bytes[at++] = 10;
  }
  return bytes;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(
  what: string,
  holds: () => Promise<boolean>,
  report: () => string,
): Promise<void> {
  const end = Date.now() + WAIT_MS;
  while (!await holds()) {
    if (Date.now() > end) throw new Error(`Waited in vain until ${what}\n${report()}`);
    await pause(5);
  }
}
