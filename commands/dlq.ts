/** `dlq list` and `dlq replay`: what was refused and why, and the way back. */
import { letterRanges, replayLetters } from "../analysis/dead_letter_replay.ts";
import { type Letter, type LetterSource, readLetters, readMarks } from "../analysis/letter.ts";
import type { Bus } from "../bus/port.ts";
import { createDecoder } from "../rules-wasm/decoder.ts";
import { vehicleFilter } from "../rules-wasm/vehicle_filter.ts";
import type { Settings } from "../settings.ts";
import {
  countsReport,
  LetterCounts,
  letterJson,
  NewestLetters,
  replayReport,
} from "./dlq_report.ts";
import { readCatalog, readRules, readZones } from "./files.ts";
import { topicNames, visitBus } from "./open_bus.ts";
import { eventLog, ProgressLine, say, writeData } from "./output.ts";
import { suggest } from "./suggest.ts";

/** What both actions work on. */
interface Work {
  readonly settings: Settings;
  readonly bus: Bus;
  readonly source: LetterSource;
  readonly ranges: readonly { readonly from: number; readonly to: number }[];
  readonly wanted: (letter: Letter) => boolean;
  readonly signal: AbortSignal;
  readonly line: ProgressLine;
}

const ACTIONS: Readonly<Record<string, (work: Work) => Promise<number>>> = { list, replay };

/** Runs `dlq ACTION`. */
export async function dlq(settings: Settings, [action = ""]: readonly string[]): Promise<number> {
  if (!Object.hasOwn(ACTIONS, action)) {
    const near = suggest(action, Object.keys(ACTIONS));
    say(`kilter: there is no "dlq ${action}"${near}; see dlq --help`);
    return 2;
  }
  const catalog = readCatalog(settings.catalog);
  const rules = readRules(settings.rules, catalog, readZones(settings.zones));
  const bus = await visitBus(settings, eventLog(settings.logLevel, Date.now), Date.now);
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  const line = new ProgressLine(() => performance.now());
  try {
    const topic = settings.topicDeadLetters;
    return await ACTIONS[action]({
      settings,
      bus,
      source: {
        bus,
        topic,
        decoder: createDecoder(catalog, {
          maxVehicles: rules.settings.maxVehicles,
          maxClockAheadMs: rules.settings.maxClockAheadMs,
        }),
        now: Date.now,
      },
      ranges: await letterRanges(bus, topic, settings.fromMs, settings.toMs),
      wanted: filterOf(settings),
      signal: stop.signal,
      line,
    });
  } finally {
    line.done();
    Deno.removeSignalListener("SIGINT", interrupt);
    await bus.close();
  }
}

function filterOf({ reasons, only }: Settings): (letter: Letter) => boolean {
  const vehicle = vehicleFilter(only);
  return (letter) =>
    (reasons.length === 0 || reasons.includes(letter.reason)) && vehicle(letter.vehicle);
}

async function list(work: Work): Promise<number> {
  const { settings, signal, line } = work;
  const counts = new LetterCounts();
  const newest = new NewestLetters(settings.limit);
  await eachLetter(work, (letter) => {
    counts.add(letter);
    if (settings.json) writeData(`${letterJson(letter)}\n`);
    else newest.add(letter);
  });
  line.done();
  if (!settings.json) { for (const row of newest.table()) writeData(`${row}\n`); }
  // Data are the letters: with --json the summary is talk.
  for (const row of countsReport(counts)) settings.json ? say(row) : writeData(`${row}\n`);
  return signal.aborted ? 130 : 0;
}

async function replay(work: Work): Promise<number> {
  const { settings, bus, source, ranges, wanted, signal, line } = work;
  const counts = new LetterCounts();
  const each = (letter: Letter) => {
    counts.add(letter);
    if (settings.json) writeData(`${letterJson(letter)}\n`);
    line.show(`${counts.total} dead letters`);
  };
  let complete = true;
  if (settings.dryRun) await eachLetter(work, each);
  else {
    complete = await replayLetters({
      ...source,
      bus,
      topics: topicNames(settings),
      ranges,
      wanted,
      each,
      waiting: (partitions) => line.show(`${partitions} partitions to go`),
      signal,
    });
  }
  line.done();
  for (const row of replayReport(counts, settings.dryRun)) say(row);
  if (complete && !signal.aborted) return 0;
  say("stopped early: the next replay goes on from here");
  return 130;
}

/** Letters as they lie there, a partition after the other; reads only. */
async function eachLetter(work: Work, take: (letter: Letter) => void): Promise<void> {
  const { source, ranges, wanted, signal, line } = work;
  let seen = 0;
  for (const [partition, { from, to }] of ranges.entries()) {
    if (from >= to) continue;
    const marks = await readMarks(source, partition);
    for await (const { letters } of readLetters(source, partition, marks, from, to)) {
      for (const letter of letters) if (wanted(letter)) take(letter);
      seen += letters.length;
      line.show(`${seen} dead letters`);
      // Signals have their turn.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (signal.aborted) return;
    }
  }
}
