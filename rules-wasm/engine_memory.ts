/** The engine's side of the kernel: its functions, and typed views of its memory. */
import {
  CONTROL_EXHAUSTED,
  CONTROL_INSIDE,
  CONTROL_LAST_A,
  CONTROL_NEXT_A,
  CONTROL_RECORDS_DONE,
  CONTROL_VEHICLES,
} from "./assembly/layout.ts";
import * as K from "./assembly/plan_layout.ts";
import type { KernelFunction, KernelInstance } from "./scan_kernel.ts";

/** The kernel's calls for evaluating rules; see `assembly/index.ts`. */
export interface EngineCalls {
  readonly alloc: KernelFunction;
  readonly planRoom: KernelFunction;
  readonly planLoad: KernelFunction;
  readonly planColumn: KernelFunction;
  readonly addVehicles: KernelFunction;
  readonly setFilter: KernelFunction;
  readonly firedAt: KernelFunction;
  /** Address of value register 0. */
  readonly valuesAt: KernelFunction;
  readonly runStart: KernelFunction;
  readonly runRows: KernelFunction;
  /** The same where lateness is above 0; non-zero while there is more. */
  readonly runLateRows: KernelFunction;
  /** Non-zero while more timers are due. */
  readonly runTimers: KernelFunction;
  readonly runStop: KernelFunction;
  readonly markSeen: KernelFunction;
  readonly seenAt: KernelFunction;
  readonly limitVehicles: KernelFunction;
  readonly listRecords: KernelFunction;
  readonly changeRecords: KernelFunction;
  readonly changeBegin: KernelFunction;
  readonly changeRow: KernelFunction;
  readonly changeEvaluate: KernelFunction;
  readonly changeClear: KernelFunction;
  readonly changeEnd: KernelFunction;
  readonly silenceOrder: KernelFunction;
  readonly saveRoom: KernelFunction;
  readonly saveVehicles: KernelFunction;
  readonly loadVehicles: KernelFunction;
  readonly loadStates: KernelFunction;
  readonly saveWaitingBegin: KernelFunction;
  readonly saveWaiting: KernelFunction;
  readonly loadWaiting: KernelFunction;
  /** Non-zero while there is more. */
  readonly releaseWaiting: KernelFunction;
  readonly forgetVehicle: KernelFunction;
}

/** The engine's calls of a kernel instance. */
export function engineCalls(kernel: KernelInstance): EngineCalls {
  return {
    alloc: kernel.export("alloc"),
    planRoom: kernel.export("planRoom"),
    planLoad: kernel.export("planLoad"),
    planColumn: kernel.export("planColumn"),
    addVehicles: kernel.export("addVehicles"),
    setFilter: kernel.export("setFilter"),
    firedAt: kernel.export("firedAt"),
    valuesAt: kernel.export("valuesAt"),
    runStart: kernel.export("runStart"),
    runRows: kernel.export("runRows"),
    runLateRows: kernel.export("runLateRows"),
    runTimers: kernel.export("runTimers"),
    runStop: kernel.export("runStop"),
    markSeen: kernel.export("markSeen"),
    seenAt: kernel.export("seenAt"),
    limitVehicles: kernel.export("limitVehicles"),
    listRecords: kernel.export("listRecords"),
    changeRecords: kernel.export("changeRecords"),
    changeBegin: kernel.export("changeBegin"),
    changeRow: kernel.export("changeRow"),
    changeEvaluate: kernel.export("changeEvaluate"),
    changeClear: kernel.export("changeClear"),
    changeEnd: kernel.export("changeEnd"),
    silenceOrder: kernel.export("silenceOrder"),
    saveRoom: kernel.export("saveRoom"),
    saveVehicles: kernel.export("saveVehicles"),
    loadVehicles: kernel.export("loadVehicles"),
    loadStates: kernel.export("loadStates"),
    saveWaitingBegin: kernel.export("saveWaitingBegin"),
    saveWaiting: kernel.export("saveWaiting"),
    loadWaiting: kernel.export("loadWaiting"),
    releaseWaiting: kernel.export("releaseWaiting"),
    forgetVehicle: kernel.export("forgetVehicle"),
  };
}

/** Views of the kernel's memory; made anew when it has grown. */
export class EngineMemory {
  #buffer: ArrayBufferLike | null = null;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(readonly memory: WebAssembly.Memory) {}

  /** The memory as it is now; valid until the kernel is called. */
  get view(): DataView {
    this.#refresh();
    return this.#view;
  }

  /** The same, as bytes. */
  get bytes(): Uint8Array {
    this.#refresh();
    return this.#bytes;
  }

  /** The partition clock C; -Infinity before the first record. */
  get clock(): number {
    return this.view.getFloat64(CONTROL_LAST_A, true);
  }

  get nextA(): number {
    return this.view.getFloat64(CONTROL_NEXT_A, true);
  }

  get exhausted(): boolean {
    return this.view.getUint32(CONTROL_EXHAUSTED, true) !== 0;
  }

  /** Whether a record has been begun and not wholly consumed. */
  get insideRecord(): boolean {
    return this.view.getUint32(CONTROL_INSIDE, true) !== 0;
  }

  /** Records of the batch that are wholly consumed. */
  get recordsDone(): number {
    return this.view.getUint32(CONTROL_RECORDS_DONE, true);
  }

  /** Vehicle slots ever made. */
  get slots(): number {
    return this.view.getUint32(CONTROL_VEHICLES, true);
  }

  /** Transitions of the last run. */
  get transitions(): number {
    return this.view.getUint32(K.E_TRANSITIONS, true);
  }

  u32(address: number): number {
    return this.view.getUint32(address, true);
  }

  f64(address: number): number {
    return this.view.getFloat64(address, true);
  }

  /** Puts bytes at an address. */
  put(bytes: Uint8Array, address: number): void {
    this.bytes.set(bytes, address);
  }

  #refresh(): void {
    const { buffer } = this.memory;
    if (buffer === this.#buffer) return;
    this.#buffer = buffer;
    this.#view = new DataView(buffer);
    this.#bytes = new Uint8Array(buffer);
  }
}
