/** What the engine needs of whoever puts samples into the kernel's columns. */
import type { Refusal, SampleCounts } from "../contract/telemetry.ts";
import type { EngineInput } from "./engine_port.ts";

/**
 * Fills the kernel's rows and columns from a batch, up to a given A at a time.
 *
 * What it did lies in the kernel's control block (assembly/layout.ts): rows, the clock, A of the
 * next record, whether the input is used up.
 */
export interface Scanner {
  /** Takes a batch in; the control block then tells A of its first record. */
  begin(input: EngineInput): void;
  /**
   * Scans rows up to the last record whose A is at most `stopA`, 1,024 at most; with `whole` not
   * beyond the end of the record at hand.
   */
  scan(stopA: number, whole: boolean): void;
  /** Refusals since the last call, in order. */
  drain(): readonly Refusal[];
  /** Id of the vehicle in a slot. */
  vehicle(slot: number): string;
  /** Whether a slot is in use. */
  inUse(slot: number): boolean;
  /** Gives a slot free: the vehicle is forgotten. */
  free(slot: number): void;
  /** Address of a signal's column; it stays there. */
  column(signal: number): number;
  counts(): SampleCounts;
}
