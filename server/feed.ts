/** Reads the topics into the projections: telemetry for who is where, transitions for what is wrong. */
import type { Catalog } from "../contract/catalog.ts";
import type { AgentContext } from "../contract/agent.ts";
import { decodeTransition, type Transition } from "../contract/anomaly.ts";
import { REFUSAL_REASONS } from "../contract/telemetry.ts";
import type { AnomalyEvent } from "../contract/stream.ts";
import type { Batch, Bus } from "../bus/port.ts";
import type { DecodedRows, DecodeHandler, Decoder } from "../rules-wasm/decoder_port.ts";
import type { AnomalyProjection } from "./anomaly_projection.ts";
import type { FleetProjection } from "./fleet_projection.ts";
import type { Persistence } from "./persistence.ts";
import type { PipelineProjection } from "./pipeline_projection.ts";
import type { RecordTail } from "./record_tail.ts";
import type { RuleCosts } from "./rule_costs.ts";
import type { SeriesBuffer } from "./series_buffer.ts";

/** Bytes read ahead per partition: the projections are a convenience and keep little in flight. */
const BYTES_IN_FLIGHT = 2 * 2 ** 20;
/** After this much work in one go the event loop gets its turn, milliseconds. */
const TURN_MS = 20;
const ID = /^[0-9a-f]{16}$/;

/** What the feed reads from and writes to. */
export interface FeedOptions {
  readonly bus: Bus;
  readonly topics: { readonly telemetry: string; readonly anomalies: string };
  readonly catalog: Catalog;
  readonly decoder: Decoder;
  readonly fleet: FleetProjection;
  readonly buffer: SeriesBuffer;
  readonly anomalies: AnomalyProjection;
  readonly pipeline: PipelineProjection;
  readonly costs: RuleCosts;
  readonly tail: RecordTail;
  readonly persistence: Persistence;
  /** Where the store left off, by partition. */
  readonly positions: {
    readonly telemetry: ReadonlyMap<number, number>;
    readonly anomalies: ReadonlyMap<number, number>;
  };
  /** How far back telemetry is read at most, milliseconds of A. */
  readonly telemetryBackMs: number;
  readonly publish: (events: readonly AnomalyEvent[]) => void;
  readonly context: AgentContext;
}

/** Tails telemetry until the signal aborts. */
export async function feedTelemetry(options: FeedOptions): Promise<void> {
  const { bus, context, topics, decoder, pipeline, persistence } = options;
  const oldest = context.now() - options.telemetryBackMs;
  const from = await startOffsets(bus, topics.telemetry, options.positions.telemetry, oldest);
  for (const [partition, next] of from) persistence.telemetryNext.set(partition, next);
  const turns = new Turns(context.now);
  const handler = new TelemetryHandler(options);
  const tail = bus.tail({
    topic: topics.telemetry,
    from,
    bytesInFlight: BYTES_IN_FLIGHT,
    signal: context.signal,
  });
  for await (const batch of tail) {
    await context.untilResumed();
    if (context.signal.aborted) return;
    handler.batch = batch;
    decoder.decode(batch, handler);
    options.costs.take(batch);
    options.tail.take(batch);
    persistence.telemetryNext.set(batch.partition, batch.nextOffset);
    pipeline.end(batch.partition, batch.highWatermark);
    await persistence.keepUp(context.signal);
    await turns.take();
  }
}

/** Tails transitions until the signal aborts; from the earliest at the first start. */
export async function feedAnomalies(options: FeedOptions): Promise<void> {
  const { bus, context, topics, persistence, pipeline } = options;
  const from = await startOffsets(bus, topics.anomalies, options.positions.anomalies, null);
  for (const [partition, next] of from) persistence.transitionsNext.set(partition, next);
  const turns = new Turns(context.now);
  const tail = bus.tail({
    topic: topics.anomalies,
    from,
    bytesInFlight: BYTES_IN_FLIGHT,
    signal: context.signal,
  });
  for await (const batch of tail) {
    await context.untilResumed();
    if (context.signal.aborted) return;
    const events: AnomalyEvent[] = [];
    for (let i = 0; i < batch.count; i++) {
      const transition = readTransition(batch, i, context);
      const event = transition === null ? null : options.anomalies.apply(transition);
      if (event !== null) events.push(event);
    }
    pipeline.anomalies.total += events.length;
    persistence.transitionsNext.set(batch.partition, batch.nextOffset);
    options.publish(events);
    await persistence.keepUp(context.signal);
    await turns.take();
  }
}

/**
 * Where to read on, for every partition: where the store left off, unless the topic is another by
 * now (shorter than that), and not before `oldest` by A where that is given.
 */
async function startOffsets(
  bus: Bus,
  topic: string,
  stored: ReadonlyMap<number, number>,
  oldest: number | null,
): Promise<Map<number, number>> {
  const bounds = await bus.bounds(topic);
  const from = new Map<number, number>();
  for (const [partition, { start, end }] of bounds.entries()) {
    const known = stored.get(partition) ?? start;
    const within = known > end ? start : Math.max(known, start);
    const recent = oldest === null ? start : await bus.offsetAt(topic, partition, oldest);
    from.set(partition, Math.max(within, recent));
  }
  return from;
}

/** Takes decoded rows into the projections. */
class TelemetryHandler implements DecodeHandler {
  batch: Batch | undefined;
  readonly #options: FeedOptions;
  readonly #vehicleOf: (slot: number) => string;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#vehicleOf = (slot) => options.decoder.vehicle(slot);
  }

  rows(rows: DecodedRows): void {
    const { batch } = this;
    if (batch === undefined) return;
    const { buffer, catalog, context, fleet, pipeline } = this.#options;
    const now = context.now();
    const active = activeSignals(rows, catalog.signals.length);
    fleet.applyRows(rows, batch.appendTimes, this.#vehicleOf, active, now);
    buffer.add(rows, fleet.rowVehicle, active, batch, now);
    pipeline.samples.total += rows.count;
  }

  refused(refusal: { readonly reason: typeof REFUSAL_REASONS[number] }): void {
    this.#options.pipeline.refused(refusal.reason);
  }
}

/** Catalog indices of the signals that occur in the rows: a few of many, so the rest is skipped. */
function activeSignals(rows: DecodedRows, signals: number): number[] {
  const active: number[] = [];
  for (let signal = 0; signal < signals; signal++) {
    const column = rows.column(signal);
    for (let k = 0; k < rows.count; k++) {
      const value = column[k] ?? NaN;
      if (value === value) {
        active.push(signal);
        break;
      }
    }
  }
  return active;
}

/** The transition in record i; null, told and counted, if it is none. */
function readTransition(batch: Batch, i: number, context: AgentContext): Transition | null {
  const start = i === 0 ? 0 : batch.valueEnds[i - 1] ?? 0;
  const bytes = batch.values.subarray(start, batch.valueEnds[i]);
  if (bytes.length === 0) return null;
  try {
    const transition = decodeTransition(bytes);
    const { at, append, onset, source } = transition;
    if (
      ID.test(transition.id) && Number.isSafeInteger(at) && Number.isSafeInteger(append) &&
      Number.isSafeInteger(onset) && Number.isSafeInteger(Number(source.offset))
    ) return transition;
    throw new SyntaxError("its id, times or source are impossible");
  } catch (error) {
    context.events({
      level: "warn",
      name: "server.transition_unreadable",
      message: `${batch.topic}, partition ${batch.partition}, offset ${batch.offsets[i]}: passed ` +
        `over, it is not an anomaly transition (${error instanceof Error ? error.message : error})`,
    });
    return null;
  }
}

/** Gives the event loop its turn: batches that are there already would otherwise starve it. */
class Turns {
  readonly #now: () => number;
  #since: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  async take(): Promise<void> {
    const now = this.#now();
    if (now >= this.#since && now - this.#since < TURN_MS) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#since = this.#now();
  }
}
