/** The kernel as the engine's scanner. */
import type { Refusal, SampleCounts } from "../contract/telemetry.ts";
import { COLUMN_BYTES, CONTROL_COLUMNS } from "./assembly/layout.ts";
import type { EngineInput } from "./engine_port.ts";
import { writeCatalog } from "./key_table.ts";
import type { RuleSet } from "./language/ast.ts";
import { drainRefusals, readCounts, writeInput } from "./scan_host.ts";
import { instantiateKernel, type KernelInstance } from "./scan_kernel.ts";
import type { Scanner } from "./scanner_port.ts";

/**
 * Makes a kernel that reads the samples of a rule set's catalog.
 *
 * @param signals numbers of the signals that get a column
 * @param vehicles slots at most
 */
export function createKernelScanner(
  ruleSet: RuleSet,
  signals: readonly number[],
  vehicles = ruleSet.settings.maxVehicles,
): { readonly kernel: KernelInstance; readonly scanner: Scanner } {
  const { catalog, settings } = ruleSet;
  const kernel = instantiateKernel();
  kernel.scan.start(vehicles, settings.maxClockAheadMs);
  const columns = catalog.signals.map((_, number) => signals.indexOf(number));
  writeCatalog(kernel, catalog, columns, signals.length);
  return { kernel, scanner: new KernelScanner(kernel, signals) };
}

class KernelScanner implements Scanner {
  readonly #text = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(readonly kernel: KernelInstance, readonly signals: readonly number[]) {}

  begin(input: EngineInput): void {
    writeInput(this.kernel, input);
    this.kernel.scan.scanBegin(input.count);
  }

  scan(stopA: number, whole: boolean): void {
    this.kernel.scan.scan(stopA, whole ? 1 : 0);
  }

  drain(): readonly Refusal[] {
    return drainRefusals(this.kernel.memory);
  }

  vehicle(slot: number): string {
    const { scan, memory } = this.kernel;
    const bytes = new Uint8Array(memory.buffer, scan.vehicleId(slot), scan.vehicleIdLength(slot));
    return this.#text.decode(bytes);
  }

  inUse(slot: number): boolean {
    return this.kernel.scan.vehicleIdLength(slot) > 0;
  }

  free(slot: number): void {
    this.kernel.scan.freeVehicle(slot);
  }

  column(signal: number): number {
    const columns = new DataView(this.kernel.memory.buffer).getUint32(CONTROL_COLUMNS, true);
    return columns + this.signals.indexOf(signal) * COLUMN_BYTES;
  }

  counts(): SampleCounts {
    return readCounts(this.kernel.memory);
  }
}
