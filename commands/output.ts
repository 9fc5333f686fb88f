/** What the command line writes: data to stdout, talk to stderr. */
import type { EventSink, LogLevel } from "../contract/events.ts";
import { LOG_LEVELS } from "../contract/events.ts";

const encoder = new TextEncoder();

/** Writes all of it to a synchronous stream. */
function writeAll(stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += stream.writeSync(bytes.subarray(done));
}

/** Writes data to stdout. */
export function writeData(data: string | Uint8Array): void {
  writeAll(Deno.stdout, typeof data === "string" ? encoder.encode(data) : data);
}

/** Writes a line for people to stderr. */
export function say(line: string): void {
  writeAll(Deno.stderr, encoder.encode(`${line}\n`));
}

/** A sink that writes events from `least` on to stderr, one line each: time, level, name, message. */
export function eventLog(least: LogLevel, now: () => number): EventSink {
  const from = LOG_LEVELS.indexOf(least);
  return (event) => {
    if (LOG_LEVELS.indexOf(event.level) < from) return;
    const times = event.count !== undefined && event.count > 1 ? ` (×${event.count})` : "";
    // Control characters in a message could forge lines or drive the terminal.
    const message = event.message.replace(/\p{Cc}/gu, " ");
    const time = new Date(now()).toISOString();
    say(`${time} ${event.level.padEnd(5)} ${event.name} ${message}${times}`);
  };
}

/** Shows progress on one line of a terminal; nothing where stderr is none. */
export class ProgressLine {
  readonly #startedAt: number;
  #shownAt = 0;
  #shown = false;

  /** @param now milliseconds, any origin */
  constructor(readonly now: () => number) {
    this.#startedAt = now();
  }

  /**
   * Shows the text if the command has run for a second, at most five times a second.
   *
   * @param text made only when it is shown
   */
  show(text: string | (() => string)): void {
    const now = this.now();
    if (!Deno.stderr.isTerminal() || now - this.#startedAt < 1_000) return;
    if (now - this.#shownAt < 200) return;
    this.#shownAt = now;
    this.#shown = true;
    writeAll(Deno.stderr, encoder.encode(`\r\x1b[K${typeof text === "string" ? text : text()}`));
  }

  /** Clears the line. */
  done(): void {
    if (this.#shown) writeAll(Deno.stderr, encoder.encode("\r\x1b[K"));
    this.#shown = false;
  }
}
