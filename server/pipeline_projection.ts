/** How much flows from the source to the browsers, and how far each part is behind. */
import type { AgentStatus } from "../contract/agent.ts";
import type { PipelineView } from "../contract/views.ts";

/** Rates are taken over this long, milliseconds. */
const WINDOW_MS = 5_000;
/** Readings within the window: one every 250 ms or slower. */
const READINGS_MAX = 20;

/** Counts a total and says how fast it grew over the last seconds. */
export class Rate {
  total = 0;
  readonly #readings: { at: number; total: number }[] = [];

  /** Takes a reading; call about once a second. */
  read(now: number): void {
    const last = this.#readings[this.#readings.length - 1];
    if (last !== undefined && now - last.at < WINDOW_MS / READINGS_MAX) return;
    this.#readings.push({ at: now, total: this.total });
    // One reading from before the window stays, to measure from.
    while (
      this.#readings.length > READINGS_MAX + 1 ||
      now - (this.#readings[1]?.at ?? now) >= WINDOW_MS
    ) this.#readings.shift();
  }

  /** Per second since the oldest reading; 0 before there are two. */
  perSecond(now: number): number {
    const first = this.#readings[0];
    if (first === undefined || now <= first.at) return 0;
    return (this.total - first.total) / (now - first.at) * 1000;
  }
}

/** What the projection is told from outside. */
export interface PipelineSources {
  readonly bus: string;
  readonly version: () => string;
  readonly agents: () => readonly AgentStatus[];
  readonly vehicles: () => number;
  readonly decoder: () => { readonly outOfRange: number; readonly unknownKeys: number };
  readonly hub: () => { readonly clients: number; readonly framesSkipped: number };
}

/** The projection. */
export class PipelineProjection {
  readonly samples = new Rate();
  readonly anomalies = new Rate();
  readonly #refused = new Map<string, number>();
  /** Offset behind the newest record per partition of telemetry. */
  readonly #ends = new Map<number, number>();
  readonly #sources: PipelineSources;

  constructor(sources: PipelineSources) {
    this.#sources = sources;
  }

  /** Counts a refused object. */
  refused(reason: string): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
  }

  /** Notes the end of a telemetry partition. */
  end(partition: number, end: number): void {
    this.#ends.set(partition, end);
  }

  /** Takes readings for the rates; call about once a second. */
  tick(now: number): void {
    this.samples.read(now);
    this.anomalies.read(now);
  }

  /** All of it. */
  view(now: number): PipelineView {
    const agents = this.#sources.agents();
    const analysis = agents.find((agent) => agent.name === "analysis")?.metrics ?? {};
    const { outOfRange, unknownKeys } = this.#sources.decoder();
    return {
      now,
      bus: this.#sources.bus,
      version: this.#sources.version(),
      samplesPerSecond: round(this.samples.perSecond(now)),
      anomaliesPerSecond: round(this.anomalies.perSecond(now)),
      lagRecords: analysis.lag_records ?? 0,
      lagSeconds: round(analysis.lag_seconds ?? 0),
      vehicles: this.#sources.vehicles(),
      samples: this.samples.total,
      refused: Object.fromEntries(this.#refused),
      outOfRange,
      unknownKeys,
      late: analysis.late ?? 0,
      duplicates: analysis.duplicates ?? 0,
      waiting: analysis.waiting ?? 0,
      crowded: analysis.crowded ?? 0,
      clockResets: analysis.clock_resets ?? 0,
      forgotten: analysis.forgotten ?? 0,
      misplaced: analysis.misplaced ?? 0,
      ...this.#sources.hub(),
      partitions: [...this.#ends].sort(([a], [b]) => a - b).map(([partition, end]) => ({
        partition,
        end,
        lagRecords: analysis[`lag_records_p${partition}`] ?? 0,
      })),
      agents,
    };
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
