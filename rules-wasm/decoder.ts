/** Decodes telemetry bytes into columns with the kernel, without evaluating rules. */
import type { Catalog } from "../contract/catalog.ts";
import type { SampleCounts } from "../contract/telemetry.ts";
import {
  COLUMN_BYTES,
  CONTROL_COLUMNS,
  CONTROL_EXHAUSTED,
  CONTROL_LAST_A,
  CONTROL_VEHICLES,
  ROW_END,
  ROW_INDEX,
  ROW_RECORD,
  ROW_SLOT,
  ROW_START,
  ROW_T,
} from "./assembly/layout.ts";
import type {
  DecodedRows,
  DecodeHandler,
  Decoder,
  DecoderOptions,
  RecordColumns,
} from "./decoder_port.ts";
import { writeCatalog } from "./key_table.ts";
import { instantiateKernel, type KernelInstance } from "./scan_kernel.ts";
import { drainRefusals, readCounts, writeInput } from "./scan_host.ts";

/**
 * Makes a decoder over a catalog; every signal gets a column.
 *
 * T is held against the append times of the same call to `decode`, running maximum applied.
 *
 * @throws RangeError for a catalog beyond the kernel's bounds
 */
export function createDecoder(catalog: Catalog, options: DecoderOptions): Decoder {
  const kernel = instantiateKernel();
  kernel.scan.start(options.maxVehicles, options.maxClockAheadMs);
  writeCatalog(kernel, catalog, catalog.signals.map((_, i) => i), catalog.signals.length);
  return new KernelDecoder(kernel, catalog.signals.length);
}

class KernelDecoder implements Decoder {
  /** Ids of slots asked for before; an id never changes. */
  readonly #ids: string[] = [];

  constructor(readonly kernel: KernelInstance, readonly signals: number) {}

  decode(input: RecordColumns, handler: DecodeHandler): void {
    const { scan, memory } = this.kernel;
    writeInput(this.kernel, input);
    new DataView(memory.buffer).setFloat64(CONTROL_LAST_A, -Infinity, true);
    scan.scanBegin(input.count);
    for (let exhausted = false; !exhausted;) {
      const rows = scan.scan(Infinity, 0);
      // Rows and refusals of a micro-batch are given in the order of the text.
      this.#give(rows, handler);
      exhausted = new DataView(memory.buffer).getUint32(CONTROL_EXHAUSTED, true) === 1;
    }
  }

  #give(rows: number, handler: DecodeHandler): void {
    const { memory } = this.kernel;
    const refusals = drainRefusals(memory);
    const records = new Uint32Array(memory.buffer, ROW_RECORD, rows);
    const indexes = new Uint32Array(memory.buffer, ROW_INDEX, rows);
    let from = 0;
    for (const refusal of refusals) {
      let to = from;
      while (
        to < rows && (records[to] < refusal.record ||
          records[to] === refusal.record && indexes[to] < refusal.index)
      ) to++;
      if (to > from) handler.rows(this.#view(from, to));
      handler.refused(refusal);
      from = to;
    }
    if (rows > from) handler.rows(this.#view(from, rows));
  }

  #view(from: number, to: number): DecodedRows {
    const { buffer } = this.kernel.memory;
    const count = to - from;
    const signals = this.signals;
    const columns = new DataView(buffer).getUint32(CONTROL_COLUMNS, true);
    return {
      count,
      record: new Uint32Array(buffer, ROW_RECORD + from * 4, count),
      index: new Uint32Array(buffer, ROW_INDEX + from * 4, count),
      start: new Uint32Array(buffer, ROW_START + from * 4, count),
      end: new Uint32Array(buffer, ROW_END + from * 4, count),
      slot: new Uint32Array(buffer, ROW_SLOT + from * 4, count),
      t: new Float64Array(buffer, ROW_T + from * 8, count),
      column(signal) {
        if (!(signal >= 0 && signal < signals)) {
          throw new RangeError(
            `Cannot give column ${signal} as the catalog has ${signals} signals`,
          );
        }
        return new Float64Array(buffer, columns + signal * COLUMN_BYTES + from * 8, count);
      },
    };
  }

  vehicle(slot: number): string {
    const known = this.#ids[slot];
    if (known !== undefined) return known;
    if (!(slot >= 0 && slot < this.vehicles())) {
      throw new RangeError(`Cannot give vehicle ${slot} as ${this.vehicles()} slots are in use`);
    }
    const { scan, memory } = this.kernel;
    const bytes = new Uint8Array(memory.buffer, scan.vehicleId(slot), scan.vehicleIdLength(slot));
    return this.#ids[slot] = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  }

  vehicles(): number {
    return new DataView(this.kernel.memory.buffer).getUint32(CONTROL_VEHICLES, true);
  }

  counts(): SampleCounts {
    return readCounts(this.kernel.memory);
  }
}
