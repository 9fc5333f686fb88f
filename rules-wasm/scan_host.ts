/** The host's side of a scan: input into the kernel's memory, refusals and counts out of it. */
import { type Refusal, REFUSAL_REASONS, type SampleCounts } from "../contract/telemetry.ts";
import {
  CONTROL_OUT_OF_RANGE,
  CONTROL_REFUSAL_COUNT,
  CONTROL_REFUSED,
  CONTROL_SAMPLES,
  CONTROL_TICKS,
  CONTROL_UNKNOWN_KEYS,
  CONTROL_WRONG_TYPE,
  REFUSAL_BYTES,
  REFUSALS,
} from "./assembly/layout.ts";
import type { RecordColumns } from "./decoder_port.ts";
import type { KernelInstance } from "./scan_kernel.ts";

/**
 * Copies a batch into the kernel's input; `scanBegin(input.count)` comes next.
 *
 * @throws RangeError when the ends do not lie within the values
 */
export function writeInput({ scan, memory }: KernelInstance, input: RecordColumns): void {
  const { count, values, valueEnds, appendTimes } = input;
  const size = count === 0 ? 0 : valueEnds[count - 1];
  let from = 0;
  for (let i = 0; i < count; i++) {
    if (!(valueEnds[i] >= from)) {
      throw new RangeError(`Cannot read record ${i}: it ends at ${valueEnds[i]}, before its start`);
    }
    from = valueEnds[i];
  }
  if (size > values.length) {
    throw new RangeError(`Cannot read to byte ${size} as the values hold ${values.length}`);
  }
  scan.reserveInput(size, count);
  const { buffer } = memory;
  new Uint8Array(buffer, scan.inputAddress(), size).set(values.subarray(0, size));
  new Uint32Array(buffer, scan.endsAddress(), count).set(valueEnds.subarray(0, count));
  new Float64Array(buffer, scan.timesAddress(), count).set(appendTimes.subarray(0, count));
}

/** Takes the refusals out of the kernel's table, in the order of the text. */
export function drainRefusals(memory: WebAssembly.Memory): Refusal[] {
  const view = new DataView(memory.buffer);
  const count = view.getUint32(CONTROL_REFUSAL_COUNT, true);
  const refusals: Refusal[] = [];
  for (let i = 0; i < count; i++) {
    const at = REFUSALS + i * REFUSAL_BYTES;
    refusals.push({
      reason: REFUSAL_REASONS[view.getUint32(at + 20, true)],
      record: view.getUint32(at, true),
      index: view.getUint32(at + 4, true),
      start: view.getUint32(at + 8, true),
      end: view.getUint32(at + 12, true),
      position: view.getUint32(at + 16, true),
    });
  }
  view.setUint32(CONTROL_REFUSAL_COUNT, 0, true);
  return refusals;
}

/** The kernel's totals. */
export function readCounts(memory: WebAssembly.Memory): SampleCounts {
  const view = new DataView(memory.buffer);
  return {
    samples: view.getFloat64(CONTROL_SAMPLES, true),
    refused: view.getFloat64(CONTROL_REFUSED, true),
    unknownKeys: view.getFloat64(CONTROL_UNKNOWN_KEYS, true),
    outOfRange: view.getFloat64(CONTROL_OUT_OF_RANGE, true),
    wrongType: view.getFloat64(CONTROL_WRONG_TYPE, true),
    ticks: view.getFloat64(CONTROL_TICKS, true),
  };
}
