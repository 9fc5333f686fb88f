/** A look at the records of telemetry as they come; costs nothing while nobody looks. */
import type { TailRecord, TailView } from "../contract/views.ts";
import type { Batch } from "../bus/port.ts";
import { HttpFault } from "./problem.ts";

/** How long one look lasts, milliseconds. */
const LOOK_MS = 1_000;
/** Looks at a time, at most. */
const LOOKS_MAX = 16;
/** Letters of a record that are shown, at most. */
const TEXT_CHARS_MAX = 400;

/** One look: what has come of it so far. */
interface Look {
  /** In small letters; "" for every record. */
  readonly part: string;
  readonly limit: number;
  seen: number;
  matched: number;
  /** Every so many matching records are kept; doubles when there is no room for more. */
  stride: number;
  kept: TailRecord[];
}

/** Hands out what comes within a second, to whoever asks. */
export class RecordTail {
  readonly #looks = new Set<Look>();
  readonly #now: () => number;
  readonly #signal: AbortSignal;
  readonly #decoder = new TextDecoder();

  /** @param signal ends all looks at once */
  constructor(now: () => number, signal: AbortSignal) {
    this.#now = now;
    this.#signal = signal;
  }

  /**
   * Looks for a second.
   *
   * @param part records whose key or value hold this text, upper and lower case alike
   * @param limit records handed out at most
   * @throws {HttpFault} 503 if too many look already
   */
  async look(part: string, limit: number): Promise<TailView> {
    if (this.#looks.size >= LOOKS_MAX) {
      throw new HttpFault(503, "Too many pages look at the records: try again soon", {
        "retry-after": "2",
      });
    }
    const look: Look = {
      ...{ part: part.toLowerCase(), limit, seen: 0, matched: 0, stride: 1 },
      kept: [],
    };
    const from = this.#now();
    this.#looks.add(look);
    try {
      await waited(LOOK_MS, this.#signal);
    } finally {
      this.#looks.delete(look);
    }
    const { seen, matched, kept } = look;
    return { from, to: this.#now(), seen, matched, records: kept };
  }

  /** Takes note of a batch of telemetry. */
  take(batch: Batch): void {
    for (const look of this.#looks) this.#takeFor(look, batch);
  }

  #takeFor(look: Look, batch: Batch): void {
    look.seen += batch.count;
    for (let i = 0; i < batch.count; i++) {
      if (look.part === "" && look.matched % look.stride !== 0) {
        look.matched++;
        continue;
      }
      const from = i === 0 ? 0 : batch.valueEnds[i - 1] ?? 0;
      const value = batch.values.subarray(from, batch.valueEnds[i]);
      const text = this.#decoder.decode(value);
      const key = this.#decoder.decode(batch.key(i) ?? new Uint8Array());
      const isMeant = look.part === "" || key.toLowerCase().includes(look.part) ||
        text.toLowerCase().includes(look.part);
      if (!isMeant) continue;
      if (look.matched++ % look.stride !== 0) continue;
      look.kept.push({
        partition: batch.partition,
        offset: batch.offsets[i] ?? 0,
        append: batch.appendTimes[i] ?? 0,
        key,
        text: cut(text),
        bytes: value.length,
      });
      if (look.kept.length <= look.limit) continue;
      look.kept = look.kept.filter((_, k) => k % 2 === 0);
      look.stride *= 2;
    }
  }
}

/** The beginning of a text, no letter of it in halves. */
function cut(text: string): string {
  if (text.length <= TEXT_CHARS_MAX) return text;
  return `${text.slice(0, TEXT_CHARS_MAX).replace(/[\ud800-\udbff]$/, "")}…`;
}

function waited(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
