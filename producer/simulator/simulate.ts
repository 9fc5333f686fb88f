/** A fleet written out as fast as it can be computed, with the truth about it beside. */
import type { Injection } from "./faults.ts";
import { Fleet } from "./fleet.ts";

/** What to simulate, and where it goes. */
export interface SimulateOptions {
  readonly vehicles: number;
  readonly seed: number;
  /** Samples a second and vehicle; default 1. */
  readonly rateHz?: number;
  /** Time of the first sample, epoch milliseconds. */
  readonly startMs: number;
  /** Simulated time, milliseconds. */
  readonly durationMs: number;
  /** Takes whole lines of NDJSON; the memory is reused once it has resolved. */
  readonly write: (lines: Uint8Array) => Promise<void>;
  /** Takes the truth, one JSON object a line, in the order in which troubles ended. */
  readonly writeTruth: (lines: Uint8Array) => Promise<void>;
  /** Ends the simulation early, between two writes. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (
    progress: { readonly samples: number; readonly simulatedMs: number },
  ) => void;
}

/** What was written. */
export interface SimulateResult {
  readonly samples: number;
  readonly injections: number;
  /** Simulated time, milliseconds; less than asked for if it was ended early. */
  readonly simulatedMs: number;
}

/** Bytes gathered before they are written. */
const WRITE_BYTES = 256 * 1024;

/**
 * Simulates a fleet. The same options give the same bytes.
 *
 * Memory stays bounded: about a write's worth of text, and what the fleet itself takes.
 */
export async function simulate(options: SimulateOptions): Promise<SimulateResult> {
  const { startMs, durationMs, signal } = options;
  const encoder = new TextEncoder();
  let truth: string[] = [];
  let injections = 0;
  let samples = 0;
  const fleet = new Fleet({
    ...options,
    onInjection: (injection) => {
      injections++;
      truth.push(truthLine(injection));
    },
  });
  const flush = async () => {
    if (fleet.text.length > 0) await options.write(fleet.text.bytes);
    fleet.text.clear();
    if (truth.length > 0) await options.writeTruth(encoder.encode(truth.join("")));
    truth = [];
  };
  let doneMs = 0;
  while (doneMs < durationMs && signal?.aborted !== true) {
    doneMs = Math.min(durationMs, doneMs + 100);
    fleet.advance(startMs + doneMs - 1, () => {
      samples++;
      fleet.text.newline();
    });
    if (fleet.text.length < WRITE_BYTES) continue;
    await flush();
    options.onProgress?.({ samples, simulatedMs: doneMs });
  }
  fleet.finish();
  await flush();
  options.onProgress?.({ samples, simulatedMs: doneMs });
  return { samples, injections, simulatedMs: doneMs };
}

/** One line of the truth; `to` is null for what outlasted the simulation. */
export function truthLine(injection: Injection): string {
  const { vehicle, kind, from, to } = injection;
  return `${JSON.stringify({ vehicle, kind, from, to })}\n`;
}
