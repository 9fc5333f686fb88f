/** Puts dead letters back onto telemetry, each at most once, whatever happens meanwhile. */
import { type Bus, BusError, type Lease, type OutgoingRecord } from "../bus/port.ts";
import {
  REPLAY_GROUP,
  REPLAY_HEADERS,
  REPLAY_MARK_HEADER,
  type TopicNames,
} from "../contract/topics.ts";
import { type Letter, type LetterSource, readLetters, readMarks } from "./letter.ts";
import {
  decodeReplayProgress,
  encodeMark,
  encodeReplayProgress,
  type Marks,
  type ReplayProgress,
  toRuns,
} from "./replay_mark.ts";

/** What a replay is given. */
export interface ReplayOptions extends LetterSource {
  readonly topics: TopicNames;
  /** Letters of each partition to look at: `from <= offset < to`. */
  readonly ranges: readonly { readonly from: number; readonly to: number }[];
  /** Whether a letter is wanted. */
  readonly wanted: (letter: Letter) => boolean;
  /** Told of every letter that is wanted, once it is sent if its state is "accepted". */
  readonly each: (letter: Letter) => void;
  /** Told while partitions are waited for: those that are not done. */
  readonly waiting: (partitions: number) => void;
  readonly signal: AbortSignal;
}

/** Steps that fail one after another before the replay gives up; a fenced one is none. */
const FAILURES_MAX = 5;
/** Longest wait for marks that are committed and cannot be read yet, milliseconds, and its pauses. */
const MARKS_WAIT_MS = 40_000;
const MARKS_PAUSE_MS = 50;
/** Shortest pause between two looks at what other replays did, and how often a look goes into one. */
const LOOK_MS_MIN = 1_000;
const LOOK_SHARE = 10;

/**
 * Sends every wanted letter that decodes now and was not sent before.
 *
 * Each partition is leased, so that of several replays at a time one has it; letters and their mark
 * are one step. A replay that is killed has sent whole steps, and the next one goes on behind them.
 *
 * @returns whether every partition was gone through; otherwise the signal has aborted
 * @throws {BusError} if a partition cannot be gone through
 */
export async function replayLetters(options: ReplayOptions): Promise<boolean> {
  const { bus, topics, ranges, signal } = options;
  const todo = new Set<number>();
  for (const [partition, { from, to }] of ranges.entries()) if (from < to) todo.add(partition);
  if (todo.size === 0) return true;
  const over = new AbortController();
  const members = bus.lease({
    topic: topics.deadLetters,
    group: REPLAY_GROUP,
    progressTopic: topics.checkpoints,
    signal: AbortSignal.any([signal, over.signal]),
  });
  const held = new Set<number>();
  const others = watchOthers(options, todo, held, over);
  let failures = 0;
  try {
    options.waiting(todo.size);
    for await (const lease of members) {
      const { partition } = lease;
      if (!todo.has(partition)) continue;
      held.add(partition);
      try {
        if (!await replayPartition(lease, options)) continue;
        todo.delete(partition);
        failures = 0;
      } catch (error) {
        // A lease that was lost comes again: here if the partition stays, or with another replay.
        if (!lease.lost.aborted || !(error instanceof BusError)) throw error;
        if (++failures >= FAILURES_MAX) throw error;
      } finally {
        held.delete(partition);
      }
      if (todo.size === 0) break;
      options.waiting(todo.size);
    }
  } finally {
    over.abort();
    await others;
  }
  return todo.size === 0;
}

/**
 * Looks now and then whether another replay has gone through a partition that is waited for: it
 * may hold it for as long as it waits for one of this replay's. Ends the replay with the last.
 */
async function watchOthers(
  options: ReplayOptions,
  todo: Set<number>,
  held: ReadonlySet<number>,
  over: AbortController,
): Promise<void> {
  const ended = AbortSignal.any([options.signal, over.signal]);
  for (let pauseMs = LOOK_MS_MIN;;) {
    await pause(pauseMs, ended);
    if (ended.aborted) return;
    const startedAt = options.now();
    for (const partition of [...todo]) {
      if (held.has(partition)) continue;
      if (!await nothingLeft(partition, options, ended)) continue;
      // It may have been leased to this replay meanwhile.
      if (!held.has(partition) && todo.delete(partition)) await tellAll(partition, options);
    }
    if (todo.size === 0) over.abort();
    pauseMs = Math.max(LOOK_MS_MIN, LOOK_SHARE * (options.now() - startedAt));
  }
}

/** Whether every wanted letter of a partition that can be sent was sent. */
async function nothingLeft(
  partition: number,
  options: ReplayOptions,
  ended: AbortSignal,
): Promise<boolean> {
  const { from, to } = options.ranges[partition];
  const marks = await readMarks(options, partition);
  for await (const { letters } of readLetters(options, partition, marks, from, to)) {
    if (ended.aborted) return false;
    if (letters.some((each) => each.state === "accepted" && options.wanted(each))) return false;
  }
  return true;
}

async function tellAll(partition: number, options: ReplayOptions): Promise<void> {
  const { from, to } = options.ranges[partition];
  const marks = await readMarks(options, partition);
  for await (const { letters } of readLetters(options, partition, marks, from, to)) {
    for (const letter of letters) if (options.wanted(letter)) options.each(letter);
  }
}

function pause(ms: number, ended: AbortSignal): Promise<void> {
  if (ended.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      ended.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    ended.addEventListener("abort", end);
  });
}

/** @returns whether it came to the end */
async function replayPartition(lease: Lease, options: ReplayOptions): Promise<boolean> {
  const { topics, ranges, bus } = options;
  const { from, to } = ranges[lease.partition];
  const marks = await allMarks(lease, options);
  if (marks === null) return false;
  let { sequence, end } = marks;
  const telemetry = await bus.partitions(topics.telemetry);
  for await (
    const { letters, nextOffset } of readLetters(options, lease.partition, marks, from, to)
  ) {
    if (options.signal.aborted || lease.lost.aborted) return false;
    const wanted = letters.filter(options.wanted);
    const sent = wanted.filter(({ state }) => state === "accepted");
    if (sent.length > 0) {
      const offsets = sent.map(({ offset }) => offset);
      const runs = toRuns(offsets, letters.map(({ offset }) => offset));
      sequence++;
      end = Math.max(end, offsets[offsets.length - 1] + 1);
      await lease.commit({
        nextOffset,
        outputs: [
          { topic: topics.telemetry, records: sent.map((letter) => original(letter, telemetry)) },
          {
            topic: topics.deadLetters,
            records: [{
              key: null,
              value: encodeMark({ sequence, runs }),
              headers: { [REPLAY_MARK_HEADER]: String(sequence) },
              partition: lease.partition,
            }],
          },
        ],
        progress: encodeReplayProgress({ sequence, end }),
      });
    }
    for (const letter of wanted) options.each(letter);
  }
  return true;
}

/** The record as it came, in the partition where its vehicle's state is. */
function original(letter: Letter, partitions: number): OutgoingRecord {
  const { key, value, replays, source } = letter;
  // A topic that has fewer partitions than it had: the key decides, as for new records.
  const known = source.partition < partitions;
  const partition = known ? source.partition : letter.partition % partitions;
  return {
    key,
    value,
    headers: {
      [REPLAY_HEADERS.replays]: String(replays + 1),
      [REPLAY_HEADERS.letter]: `${letter.partition}/${letter.offset}`,
    },
    ...(known || key === null ? { partition } : {}),
  };
}

/**
 * The marks of a partition, all that were ever committed: a transaction of somebody else that hangs
 * open hides what was written after it, and the progress record tells that marks are among it.
 *
 * @returns null if the lease was lost meanwhile
 */
async function allMarks(lease: Lease, options: ReplayOptions): Promise<Marks | null> {
  const { topic, now, signal } = options;
  const bytes = await lease.progress();
  const progress = bytes === null ? null : decodeReplayProgress(bytes);
  if (bytes !== null && progress === null) {
    throw new BusError(
      `Cannot replay ${topic}/${lease.partition}: the progress of ${REPLAY_GROUP} is none of this ` +
        "program's; update the program",
    );
  }
  for (const until = now() + MARKS_WAIT_MS; !signal.aborted && !lease.lost.aborted;) {
    const marks = await readMarks(options, lease.partition);
    if (progress === null || await complete(marks, progress, lease)) return marks;
    if (now() > until) {
      throw new BusError(
        `Cannot replay ${topic}/${lease.partition}: what was replayed before cannot be read for ` +
          `${MARKS_WAIT_MS} ms; find the transaction that stays open with kafka-transactions, or, if ` +
          "the topic was deleted and made anew, give it another name",
      );
    }
    await new Promise((resolve) => setTimeout(resolve, MARKS_PAUSE_MS));
  }
  return null;
}

/** Whether no mark is missing, but for those of letters that are gone. */
async function complete(
  marks: Marks,
  { sequence, end }: ReplayProgress,
  lease: Lease,
): Promise<boolean> {
  if (marks.sequence >= sequence) return true;
  return (await lease.bounds()).start >= end;
}

/** Partitions as a bus has them, with the offsets between two append times. */
export async function letterRanges(
  bus: Bus,
  topic: string,
  fromMs: number,
  toMs: number,
): Promise<{ from: number; to: number }[]> {
  const bounds = await bus.bounds(topic);
  return await Promise.all(bounds.map(async ({ start, end }, partition) => ({
    from: Number.isFinite(fromMs) ? await bus.offsetAt(topic, partition, fromMs) : start,
    to: Number.isFinite(toMs) ? await bus.offsetAt(topic, partition, toMs) : end,
  })));
}
