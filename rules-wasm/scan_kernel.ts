/** Kernel instances and the calls that read samples: everything of `assembly/scan_*.ts`. */
import { ABI_VERSION } from "./assembly/layout.ts";
import { writePowersOfFive } from "./number_table.ts";

/** A function of the kernel; pointers and counts are numbers. */
export type KernelFunction = (...values: number[]) => number;

/** The kernel's calls for reading samples; see `assembly/index.ts`. */
export interface ScanCalls {
  readonly start: KernelFunction;
  readonly startCatalog: KernelFunction;
  readonly setNames: KernelFunction;
  readonly addSignalKey: KernelFunction;
  readonly addVehicleKey: KernelFunction;
  readonly addTimeKey: KernelFunction;
  readonly reserveInput: KernelFunction;
  readonly inputAddress: KernelFunction;
  readonly endsAddress: KernelFunction;
  readonly timesAddress: KernelFunction;
  readonly scanBegin: KernelFunction;
  readonly scan: KernelFunction;
  readonly vehicleId: KernelFunction;
  readonly vehicleIdLength: KernelFunction;
  readonly internVehicle: KernelFunction;
  readonly freeVehicle: KernelFunction;
}

/** One instance of the kernel. */
export interface KernelInstance {
  /** Its memory; views of it go stale whenever it grows, which any call may do. */
  readonly memory: WebAssembly.Memory;
  readonly scan: ScanCalls;
  /** Another exported function by name. @throws TypeError when there is none of that name */
  export(name: string): KernelFunction;
}

let compiled: WebAssembly.Module | undefined;

/** The kernel's module, read and compiled once in this isolate. */
function kernelModule(): WebAssembly.Module {
  if (compiled === undefined) {
    const bytes = Deno.readFileSync(new URL("./kernel.wasm", import.meta.url));
    compiled = new WebAssembly.Module(bytes);
  }
  return compiled;
}

/**
 * Makes an instance of the kernel.
 *
 * @throws Error when `kernel.wasm` is of another layout than `assembly/layout.ts`
 */
export function instantiateKernel(): KernelInstance {
  const ascii = new TextDecoder("latin1");
  const number = (address: number, length: number): number =>
    Number(ascii.decode(new Uint8Array(memory.buffer, address, length)));
  const exports = new WebAssembly.Instance(kernelModule(), { host: { number } }).exports;
  const memory = memoryOf(exports);
  const named = (name: string): KernelFunction => {
    const value = exports[name];
    if (typeof value !== "function") {
      throw new TypeError(`Cannot use the kernel: it exports no function "${name}"`);
    }
    // Exported functions take and give plain numbers here; none uses i64.
    return (...values) => value(...values);
  };
  const version = named("abiVersion")();
  if (version !== ABI_VERSION) {
    throw new Error(
      `Cannot use the kernel: its layout is version ${version}, this host's ${ABI_VERSION}; run deno task build:kernel`,
    );
  }
  writePowersOfFive(memory);
  const scan: ScanCalls = {
    start: named("start"),
    startCatalog: named("startCatalog"),
    setNames: named("setNames"),
    addSignalKey: named("addSignalKey"),
    addVehicleKey: named("addVehicleKey"),
    addTimeKey: named("addTimeKey"),
    reserveInput: named("reserveInput"),
    inputAddress: named("inputAddress"),
    endsAddress: named("endsAddress"),
    timesAddress: named("timesAddress"),
    scanBegin: named("scanBegin"),
    scan: named("scan"),
    vehicleId: named("vehicleId"),
    vehicleIdLength: named("vehicleIdLength"),
    internVehicle: named("internVehicle"),
    freeVehicle: named("freeVehicle"),
  };
  return { memory, scan, export: named };
}

function memoryOf({ memory }: WebAssembly.Exports): WebAssembly.Memory {
  if (memory instanceof WebAssembly.Memory) return memory;
  throw new TypeError("Cannot use the kernel: it exports no memory");
}
