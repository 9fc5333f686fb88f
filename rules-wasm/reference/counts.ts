/** The reference's totals. */
import type { SampleCounts } from "../../contract/telemetry.ts";
import type { EngineCounts } from "../engine_port.ts";

/** Totals before anything came. */
export function noCounts(): EngineCounts {
  return {
    samples: 0,
    refused: 0,
    unknownKeys: 0,
    outOfRange: 0,
    wrongType: 0,
    ticks: 0,
    late: 0,
    duplicates: 0,
    crowded: 0,
    clockResets: 0,
    forgotten: 0,
    misplaced: 0,
  };
}

/** Counts an accepted sample. */
export function addCounts(total: EngineCounts, of: Partial<SampleCounts>): void {
  total.samples++;
  total.unknownKeys += of.unknownKeys ?? 0;
  total.outOfRange += of.outOfRange ?? 0;
  total.wrongType += of.wrongType ?? 0;
}
