/** What the kernel's engine is made with, and what it tells beside the port. */
import type { DurableEngine } from "./engine_port.ts";

/** How an engine is made. */
export interface EngineOptions {
  readonly partition: number;
  /** Partition that a vehicle's id belongs to, to count those that turn up elsewhere. */
  readonly partitionOf?: (key: Uint8Array) => number;
  /**
   * Memory that its kernel may take, bytes; by default and at most `KERNEL_BYTES_MAX`. It bears on
   * how many vehicles there is room for: engines that are to agree have the same.
   */
  readonly memoryBytes?: number;
}

/** A rule's openings since the engine was made. */
export interface RuleMetric {
  readonly rule: string;
  /** How often it opened or opened again. */
  readonly fired: number;
}

/** What the kernel's engine tells beside the port. */
export interface KernelEngine extends DurableEngine {
  /** Bytes of state that a vehicle takes on average, records of what rules have pending apart. */
  bytesPerVehicle(): number;
  /** Bytes of memory that the kernel has taken, state and all else. */
  memoryBytes(): number;
  /** Openings per rule, in order of the file. */
  ruleMetrics(): readonly RuleMetric[];
}

/** What one row of a change of rules clears: rules by position, in order. */
export interface Cleared {
  readonly slot: number;
  readonly rules: readonly number[];
}
