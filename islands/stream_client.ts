/// <reference lib="dom" />
/** One EventSource with a watchdog: a cut network tells an EventSource nothing. */
import { STREAM_EVENTS, type StreamEventName } from "../contract/stream.ts";

/** Path of the stream. */
export const STREAM_PATH = "/api/stream";
/** The server beats every second; after this long without a word the connection is given up. */
export const WATCHDOG_MS = 2500;
/** How often the watchdog looks. */
export const WATCH_EVERY_MS = 100;

/** An answer begins within this time, or the network is not there: on its return all goes quickly. */
const ANSWER_MS = 1500;
/** An answer that has begun may take this long to say its first word: the whole fleet. */
const FIRST_WORD_MS = 8000;
const RETRY_MS_MIN = 300;
const RETRY_MS_SPREAD = 400;

/** Where a connection stands. */
export type LinkPhase = "connecting" | "open" | "lost";

/** What a connection says of itself. */
export interface LinkStatus {
  readonly phase: LinkPhase;
  /** Browser clock of the last word from the server, epoch milliseconds; 0 before the first. */
  readonly heardAt: number;
}

/** The part of EventSource that is used. */
export interface EventSourceLike {
  addEventListener(name: string, listener: (event: Event) => void): void;
  close(): void;
}

/** What a client is given. */
export interface StreamClientOptions {
  readonly open: (url: string) => EventSourceLike;
  /** Browser clock, epoch milliseconds. */
  readonly now: () => number;
  /** 0 to below 1; spreads reconnects. */
  readonly random: () => number;
  /** @param id the last that the stream named, with this event or before */
  readonly onEvent: (name: StreamEventName, text: string, id: string) => void;
  readonly onStatus: (status: LinkStatus) => void;
}

/** Keeps one connection alive for as long as `watch` is called. */
export class StreamClient {
  readonly #options: StreamClientOptions;
  #source: EventSourceLike | null = null;
  #status: LinkStatus = { phase: "connecting", heardAt: 0 };
  #attemptAt = 0;
  #answered = false;
  /** When to try next, while no source is there. */
  #retryAt = 0;
  #lastId = "";

  constructor(options: StreamClientOptions) {
    this.#options = options;
  }

  /** Where the connection stands. */
  get status(): LinkStatus {
    return this.#status;
  }

  /** Looks after the connection; call every `WATCH_EVERY_MS`. The first call connects. */
  watch(): void {
    const now = this.#options.now();
    if (this.#source === null) {
      if (now >= this.#retryAt) this.#connect(now);
      return;
    }
    const { phase, heardAt } = this.#status;
    if (phase === "open" && now - heardAt > WATCHDOG_MS) {
      this.#lose();
      this.#connect(now);
    } else if (phase !== "open") {
      const patience = this.#answered ? FIRST_WORD_MS : ANSWER_MS;
      if (now - this.#attemptAt > patience) this.#connect(now);
    }
  }

  /** Reconnects at once and so gets a fresh snapshot. */
  restart(): void {
    this.#connect(this.#options.now());
  }

  /** Ends the connection for good; `watch` would begin it anew. */
  close(): void {
    this.#source?.close();
    this.#source = null;
  }

  #connect(now: number): void {
    this.close();
    this.#attemptAt = now;
    this.#answered = false;
    const query = this.#lastId === "" ? "" : `?last=${encodeURIComponent(this.#lastId)}`;
    const source = this.#options.open(STREAM_PATH + query);
    this.#source = source;
    for (const name of STREAM_EVENTS) {
      source.addEventListener(name, (event) => {
        if (this.#source === source) this.#hear(name, event);
      });
    }
    source.addEventListener("open", () => {
      if (this.#source === source) this.#answered = true;
    });
    source.addEventListener("error", () => {
      if (this.#source !== source) return;
      this.close();
      this.#retryAt = this.#options.now() + RETRY_MS_MIN + this.#options.random() * RETRY_MS_SPREAD;
      this.#lose();
    });
  }

  #hear(name: StreamEventName, event: Event): void {
    if (!(event instanceof MessageEvent)) return;
    if (event.lastEventId !== "") this.#lastId = event.lastEventId;
    if (name === "reset") this.#lastId = "";
    const opened = this.#status.phase !== "open";
    this.#status = { phase: "open", heardAt: this.#options.now() };
    if (opened) this.#options.onStatus(this.#status);
    this.#options.onEvent(name, String(event.data), event.lastEventId);
  }

  #lose(): void {
    const { phase, heardAt } = this.#status;
    if (phase === "lost") return;
    if (phase === "connecting" && heardAt === 0) {
      this.#options.onStatus(this.#status);
      return;
    }
    this.#status = { phase: "lost", heardAt };
    this.#options.onStatus(this.#status);
  }
}
