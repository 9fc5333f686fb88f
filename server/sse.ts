/**
 * The hub: one encode for all browsers, and none of them can hold up or grow the server.
 *
 * Fleet frames are conflated: who has no room skips them and gets a full one later. Anomalies are
 * kept in a ring by number, so each client goes on where it stands; one that the ring has left
 * behind is told to start afresh.
 */
import type { AnomalyEvent, FleetFrame, Hello, StreamEventName } from "../contract/stream.ts";
import type { DashboardView } from "../contract/dashboard.ts";
import type { PipelineView } from "../contract/views.ts";

/** Streams open at a time unless set otherwise. */
export const CLIENTS_MAX = 500;
/** Chunks that wait for one browser at most: about a second and a half of frames. */
const CHUNKS_WAITING_MAX = 8;
/** Anomalies kept for who comes back, by number and by bytes. */
const RING_EVENTS_MAX = 4_096;
const RING_BYTES_MAX = 4 * 2 ** 20;

/** How the hub is made. */
export interface HubOptions {
  /** Differs from that of every other life of the server; letters and digits. */
  readonly epoch: string;
  readonly now: () => number;
  /** Cuts the next delta frame; null if nothing changed. */
  readonly delta: () => FleetFrame | null;
  /** Cuts a frame of every vehicle. */
  readonly full: () => FleetFrame;
  readonly pipeline: () => PipelineView;
  readonly dashboard: () => DashboardView;
  /** Default CLIENTS_MAX. */
  readonly clientsMax?: number;
}

interface Client {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** Number of the last anomaly sent. */
  seen: number;
  needsFull: boolean;
  /** Whether the dashboard has changed since it was told. */
  needsDashboard: boolean;
}

interface RingEntry {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** The hub. */
export class Hub {
  /** Frames that clients skipped since they had no room. */
  framesSkipped = 0;
  /** Streams refused since there were too many. */
  refused = 0;
  readonly #options: HubOptions;
  readonly #clients = new Set<Client>();
  readonly #ring: RingEntry[] = [];
  #ringBytes = 0;
  #seq = 0;
  #closed = false;
  /** The full frame of the current fifth of a second: many may connect at once. */
  #full: Uint8Array | null = null;
  readonly #encoder = new TextEncoder();

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** Streams open now. */
  get clients(): number {
    return this.#clients.size;
  }

  /** Where the stream stands: hand back as `Last-Event-ID` (or `?last=`) to go on from here. */
  get position(): string {
    return `${this.#options.epoch}-${this.#seq}`;
  }

  /**
   * Opens a stream.
   *
   * @param lastEventId the last id that the client knows; null for none
   * @returns null if there are too many, or the hub is closed
   */
  open(lastEventId: string | null): ReadableStream<Uint8Array> | null {
    if (this.#closed || this.#clients.size >= (this.#options.clientsMax ?? CLIENTS_MAX)) {
      this.refused++;
      return null;
    }
    let client: Client | undefined;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        client = { controller, seen: this.#seq, needsFull: false, needsDashboard: false };
        this.#greet(client, lastEventId);
        this.#clients.add(client);
      },
      cancel: () => {
        if (client !== undefined) this.#clients.delete(client);
      },
    }, new CountQueuingStrategy({ highWaterMark: CHUNKS_WAITING_MAX }));
  }

  /** Sends anomalies to all at once, and keeps them for who has no room or comes back. */
  anomalies(events: readonly AnomalyEvent[]): void {
    if (events.length === 0) return;
    for (const event of events) {
      const seq = ++this.#seq;
      const bytes = this.#event("anomaly", event, `${this.#options.epoch}-${seq}`);
      this.#ring.push({ seq, bytes });
      this.#ringBytes += bytes.length;
    }
    let drop = 0;
    while (this.#ring.length - drop > RING_EVENTS_MAX || this.#ringBytes > RING_BYTES_MAX) {
      this.#ringBytes -= this.#ring[drop++]?.bytes.length ?? 0;
    }
    this.#ring.splice(0, drop);
    const chunks = new Map<number, Uint8Array | null>();
    for (const client of this.#clients) {
      if (hasRoom(client)) this.#catchUp(client, chunks);
    }
  }

  /** The dashboard has changed: all are told with the next frame, and get a full one. */
  changeDashboard(): void {
    for (const client of this.#clients) {
      client.needsDashboard = true;
      client.needsFull = true;
    }
  }

  /** Sends the next fleet frame; call five times a second. */
  frame(): void {
    const frame = this.#options.delta();
    this.#full = null;
    if (this.#clients.size === 0) return;
    let delta: Uint8Array | undefined;
    const chunks = new Map<number, Uint8Array | null>();
    for (const client of this.#clients) {
      if (!hasRoom(client)) {
        if (frame !== null) {
          client.needsFull = true;
          this.framesSkipped++;
        }
        continue;
      }
      this.#catchUp(client, chunks);
      if (!hasRoom(client)) {
        client.needsFull ||= frame !== null;
      } else if (client.needsFull) {
        const full = this.#fullFrame();
        client.controller.enqueue(client.needsDashboard ? concat([this.#layout(), full]) : full);
        client.needsDashboard = false;
        client.needsFull = false;
      } else if (frame !== null) {
        delta ??= this.#event("fleet", frame);
        client.controller.enqueue(delta);
      }
    }
  }

  /** Sends the pipeline's state, which is also the heartbeat; call once a second. */
  heartbeat(): void {
    if (this.#clients.size === 0) return;
    const bytes = this.#event("pipeline", this.#options.pipeline());
    for (const client of this.#clients) {
      if (hasRoom(client)) client.controller.enqueue(bytes);
    }
  }

  /** Ends every stream and opens no more; call before the server shuts down. */
  close(): void {
    this.#closed = true;
    for (const { controller } of this.#clients) controller.close();
    this.#clients.clear();
  }

  /** Gauges and counters by metric name. */
  metrics(): Record<string, number> {
    return {
      stream_clients: this.#clients.size,
      stream_frames_skipped_total: this.framesSkipped,
      stream_refused_total: this.refused,
      stream_ring_events: this.#ring.length,
      stream_ring_bytes: this.#ringBytes,
    };
  }

  #greet(client: Client, lastEventId: string | null): void {
    const { epoch, now } = this.#options;
    const given = lastEventId !== null && lastEventId !== "";
    const seen = given ? this.#seqOf(lastEventId) : this.#seq;
    const hello: Hello = { epoch, now: now() };
    const parts = [
      this.#encoder.encode("retry: 1000\n\n"),
      // It bears an id so that who is cut off before any anomaly can still name where it stood.
      this.#event("hello", hello, `${epoch}-${seen ?? this.#seq}`),
    ];
    if (seen === null) parts.push(this.#reset());
    const missed = seen === null ? null : this.#since(seen);
    if (missed !== null) parts.push(missed);
    parts.push(this.#layout());
    parts.push(this.#fullFrame());
    parts.push(this.#event("pipeline", this.#options.pipeline()));
    client.controller.enqueue(concat(parts));
  }

  #layout(): Uint8Array {
    return this.#event("dashboard", this.#options.dashboard());
  }

  /** It may be a little older than a delta to come, which then brings what it lacks. */
  #fullFrame(): Uint8Array {
    this.#full ??= this.#event("fleet", this.#options.full());
    return this.#full;
  }

  /** Number in an id of this epoch that the ring still follows on from; null otherwise. */
  #seqOf(id: string): number | null {
    const match = /^([0-9a-zA-Z]{1,64})-(\d{1,15})$/.exec(id);
    if (match === null || match[1] !== this.#options.epoch) return null;
    const seq = Number(match[2]);
    return seq > this.#seq || seq < this.#oldest() - 1 ? null : seq;
  }

  #oldest(): number {
    return this.#ring[0]?.seq ?? this.#seq + 1;
  }

  /** Brings a client up to the newest anomaly. @param chunks those made for others, by start */
  #catchUp(client: Client, chunks: Map<number, Uint8Array | null>): void {
    if (client.seen === this.#seq) return;
    let chunk = chunks.get(client.seen);
    if (chunk === undefined) {
      chunk = client.seen < this.#oldest() - 1 ? this.#reset() : this.#since(client.seen);
      chunks.set(client.seen, chunk);
    }
    client.seen = this.#seq;
    if (chunk !== null) client.controller.enqueue(chunk);
  }

  #since(seq: number): Uint8Array | null {
    const from = seq + 1 - this.#oldest();
    const missed = this.#ring.slice(Math.max(from, 0));
    return missed.length === 0 ? null : concat(missed.map((entry) => entry.bytes));
  }

  /** Tells a client to fetch afresh; the id makes the browser go on from here. */
  #reset(): Uint8Array {
    return this.#event("reset", {}, this.position);
  }

  #event(name: StreamEventName, data: unknown, id?: string): Uint8Array {
    const head = id === undefined ? "" : `id: ${id}\n`;
    return this.#encoder.encode(`${head}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}

function hasRoom(client: Client): boolean {
  return (client.controller.desiredSize ?? 0) > 0;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
