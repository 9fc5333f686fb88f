/** How far the analysis has come, and whether what it wrote is what one run over the log gives. */
import { backtestLog } from "../analysis/backtest.ts";
import { readCatalog, readRules } from "../commands/files.ts";
import { decodeTransition } from "../contract/anomaly.ts";
import { decodeProgress, type Progress } from "../contract/progress.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { TortureSite } from "./torture_bus.ts";

/** What a comparison gave. */
export interface Comparison {
  /** Transitions of the uninterrupted run. */
  readonly transitions: number;
  /** Those of them that are not on the topic. */
  readonly lost: number;
  /** Transitions on the topic more often than in that run, or not in it at all. */
  readonly doubled: number;
  /** Vehicles whose transitions stand in another order. */
  readonly reordered: number;
}

/** Longest wait for anything that must come. */
const WAIT_MS = 120_000;
/** Records looked at first for the newest progress of a partition, and how that grows. */
const WINDOW_RECORDS = 8;
const WINDOW_GROWTH = 16;
const text = new TextDecoder();

/** Holds the anomalies topic against one engine that never stopped, byte for byte. */
export async function compare({ bus, topics, partitions }: TortureSite): Promise<Comparison> {
  const ruleSet = readRules("", readCatalog(""));
  let output = "";
  await backtestLog({
    ...{ bus, topic: topics.telemetry, ruleSet, createEngine },
    ...{ fromMs: -Infinity, toMs: Infinity, signal: new AbortController().signal },
    output: (bytes) => output += text.decode(bytes),
    progress: () => {},
    turn: () => Promise.resolve(),
  });
  const expected: string[][] = Array.from({ length: partitions }, () => []);
  const encoder = new TextEncoder();
  for (const line of output.split("\n")) {
    if (line === "") continue;
    expected[decodeTransition(encoder.encode(line)).source.partition].push(line);
  }
  let [transitions, lost, doubled, reordered] = [0, 0, 0, 0];
  for (let partition = 0; partition < partitions; partition++) {
    const found: string[] = [];
    for await (const batch of bus.range(topics.anomalies, partition, 0, Infinity)) {
      for (let i = 0; i < batch.count; i++) {
        const begin = i === 0 ? 0 : batch.valueEnds[i - 1];
        found.push(text.decode(batch.values.subarray(begin, batch.valueEnds[i])));
      }
    }
    const differences = differ(expected[partition], found);
    transitions += expected[partition].length;
    lost += differences.lost;
    doubled += differences.doubled;
    reordered += differences.reordered;
  }
  return { transitions, lost, doubled, reordered };
}

/** What is missing from one list of transitions, too much in it, or in another order. */
export function differ(
  wanted: readonly string[],
  found: readonly string[],
): Omit<Comparison, "transitions"> {
  const left = new Map<string, number>();
  for (const line of wanted) left.set(line, (left.get(line) ?? 0) + 1);
  const kept: string[] = [];
  let doubled = 0;
  for (const line of found) {
    const count = left.get(line) ?? 0;
    if (count === 0) doubled++;
    else {
      left.set(line, count - 1);
      kept.push(line);
    }
  }
  const lost = [...left.values()].reduce((sum, count) => sum + count, 0);
  // What is lost, once each, is left out of the order wanted.
  const present = wanted.filter((line) => {
    const count = left.get(line) ?? 0;
    if (count > 0) left.set(line, count - 1);
    return count === 0;
  });
  const [before, after] = [byVehicle(present), byVehicle(kept)];
  const moved = [...before].filter(([vehicle, lines]) => after.get(vehicle) !== lines);
  return { lost, doubled, reordered: moved.length };
}

function byVehicle(lines: readonly string[]): Map<string, string> {
  const sorted = new Map<string, string>();
  for (const line of lines) {
    const vehicle = /"vehicle":"([^"]+)"/.exec(line)?.[1] ?? "";
    sorted.set(vehicle, `${sorted.get(vehicle) ?? ""}${line}\n`);
  }
  return sorted;
}

/** Newest progress of each partition; null before the first. */
export async function progressOf(
  { bus, topics, partitions }: TortureSite,
): Promise<readonly (Progress | null)[]> {
  const found: (Progress | null)[] = [];
  const all = await bus.bounds(topics.checkpoints);
  for (let partition = 0; partition < partitions; partition++) {
    let newest: Progress | null = null;
    const bounds = all[partition];
    // Each step ends with its progress: the newest lies near the end.
    for (let window = WINDOW_RECORDS; newest === null; window *= WINDOW_GROWTH) {
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

/** Records worked off, over all partitions. */
export async function consumed(site: TortureSite): Promise<number> {
  return (await progressOf(site)).reduce((sum, progress) => sum + (progress?.next ?? 0), 0);
}

/** Whether all telemetry that there is has been worked off. */
export async function isDone(site: TortureSite): Promise<boolean> {
  const ends = await site.bus.bounds(site.topics.telemetry);
  const progress = await progressOf(site);
  return ends.every(({ end }, partition) => (progress[partition]?.next ?? 0) >= end);
}

/** Waits so long. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until a condition holds, for at most two minutes. @throws {Error} with `report` */
export async function until(
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
