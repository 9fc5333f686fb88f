/** Dead letters for people and for programs: a table, a JSON line, counts by reason. */
import type { Letter, LetterState } from "../analysis/letter.ts";

/** Characters of a letter's text that the table shows, and a JSON line. */
const SHOWN_CHARS = 48;
const JSON_CHARS = 500;
const VEHICLE_CHARS = 20;

/** One row of the table, kept apart from the memory of its batch. */
interface Row {
  readonly at: number;
  readonly cells: readonly string[];
}

const HEAD = ["refused at", "offset", "vehicle", "reason", "now", "text"];

/** The newest letters, at most so many. */
export class NewestLetters {
  #rows: Row[] = [];
  #dropped = 0;

  /** @param limit rows kept */
  constructor(readonly limit: number) {}

  /** Takes a letter. */
  add(letter: Letter): void {
    const { refusedAt, partition, offset, vehicle, reason, state } = letter;
    const cells = [
      new Date(refusedAt).toISOString(),
      `${partition}/${offset}`,
      shown(vehicle, VEHICLE_CHARS),
      shown(reason, 30),
      state === "refused" && letter.now !== reason ? letter.now : state,
      shown(textOf(letter, SHOWN_CHARS * 4), SHOWN_CHARS),
    ];
    this.#rows.push({ at: refusedAt, cells });
    if (this.#rows.length >= 2 * this.limit) this.#cut();
  }

  /** Lines of the table, oldest first. */
  table(): string[] {
    this.#cut();
    if (this.#rows.length === 0) return [];
    const rows = [HEAD, ...this.#rows.map(({ cells }) => cells)];
    const lines = align(rows);
    if (this.#dropped > 0) lines.push(`… and ${this.#dropped} older; --limit N shows more`);
    return [...lines, ""];
  }

  #cut(): void {
    this.#rows.sort((a, b) => a.at - b.at);
    const beyond = this.#rows.length - this.limit;
    if (beyond <= 0) return;
    this.#rows = this.#rows.slice(beyond);
    this.#dropped += beyond;
  }
}

/** Letters counted by reason and state. */
export class LetterCounts {
  readonly byReason = new Map<string, Record<LetterState, number>>();
  total = 0;

  /** Counts a letter. */
  add({ reason, state }: Letter): void {
    const states = this.byReason.get(reason) ??
      { accepted: 0, refused: 0, cut: 0, replayed: 0 };
    states[state]++;
    this.total++;
    this.byReason.set(reason, states);
  }

  /** Letters of a state, all reasons. */
  of(state: LetterState): number {
    let sum = 0;
    for (const states of this.byReason.values()) sum += states[state];
    return sum;
  }
}

/** Counts by reason, the most frequent first. */
export function countsReport(counts: LetterCounts): string[] {
  if (counts.total === 0) return ["no dead letters"];
  const sorted = [...counts.byReason].map(([reason, states]) => {
    const { accepted, refused, cut, replayed } = states;
    return { reason, total: accepted + refused + cut + replayed, states };
  }).sort((a, b) => b.total - a.total);
  const rows = sorted.map(({ reason, total, states }) => [
    shown(reason === "" ? "unknown" : reason, 30),
    ...[total, states.accepted, states.replayed, states.refused, states.cut].map(String),
  ]);
  return align([
    ["reason", "letters", "accepted now", "replayed", "refused still", "cut"],
    ...rows,
  ]);
}

/** What a replay did, or would do. */
export function replayReport(counts: LetterCounts, dryRun: boolean): string[] {
  const accepted = counts.of("accepted");
  const rest = `were replayed before ${counts.of("replayed")}, would be refused again ` +
    `${counts.of("refused")}, were cut when they were refused ${counts.of("cut")}`;
  const first = dryRun ? `would replay ${accepted}` : `replayed ${accepted}`;
  const lines = [`${first} of ${counts.total} dead letters; ${rest}`];
  return counts.total === 0 ? lines : [...lines, ...countsReport(counts)];
}

/** One letter as a line of JSON. */
export function letterJson(letter: Letter): string {
  const { partition, offset, refusedAt, reason, detail, position, source, vehicle } = letter;
  const { objects, replays, state, now, value } = letter;
  return JSON.stringify({
    partition,
    offset,
    refusedAt,
    reason,
    detail,
    // NaN becomes null: unknown.
    position,
    vehicle,
    source,
    objects,
    replays,
    state,
    now,
    bytes: value.length,
    text: textOf(letter, JSON_CHARS),
  });
}

function textOf({ value }: Letter, bytes: number): string {
  return new TextDecoder().decode(value.subarray(0, bytes));
}

/** Text on one line: control characters could drive the terminal. */
function shown(text: string, chars: number): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}]/gu, " ");
  return plain.length > chars ? `${plain.slice(0, chars - 1)}…` : plain;
}

function align(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) =>
    row.map((cell, i) => i === row.length - 1 ? cell : cell.padEnd(widths[i])).join("  ").trimEnd()
  );
}
