/** Transitions on their way from the kernel's table to records: their order, and their bytes. */
import * as K from "./assembly/plan_layout.ts";
import type { TransitionData } from "./anomaly_json.ts";
import type { AnomalyRecord } from "./engine_port.ts";

/** A transition before its bytes are made. */
export interface Written {
  readonly key: Uint8Array;
  readonly json: string;
  readonly append: number;
}

const TEXT = new TextEncoder();

/** The fixed part of a transition in the kernel's table. */
export function readTransition(view: DataView, from: number): TransitionData {
  return {
    id: hex(view.getUint32(from + K.TR_ID + 4, true)) + hex(view.getUint32(from + K.TR_ID, true)),
    kind: view.getUint32(from + K.TR_KIND, true),
    reason: view.getUint32(from + K.TR_REASON, true),
    severity: view.getUint32(from + K.TR_SEVERITY, true),
    count: view.getUint32(from + K.TR_COUNT, true),
    onset: view.getFloat64(from + K.TR_ONSET, true),
    at: view.getFloat64(from + K.TR_AT, true),
    append: view.getFloat64(from + K.TR_APPEND, true),
    sourceOffset: view.getFloat64(from + K.TR_SOURCE_OFFSET, true),
    sourceIndex: view.getUint32(from + K.TR_SOURCE_INDEX, true),
  };
}

function hex(word: number): string {
  return word.toString(16).padStart(8, "0");
}

/**
 * Numbers of the transitions by row; those of one row stay in the order in which they came: rule by
 * rule, what a clock reset clears before what its sample opens.
 */
export function inOrder(view: DataView, at: number, size: number, count: number): Iterable<number> {
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    keys[i] = view.getUint32(at + i * size + K.TR_ROW, true) * 2 ** 32 + i;
  }
  keys.sort();
  return keys.map((key) => key % 2 ** 32);
}

/** Makes the bytes of all at once: a call for each would cost several times as much. */
export function encoded(written: readonly Written[]): AnomalyRecord[] {
  if (written.length === 0) return [];
  const text = written.map(({ json }) => json).join("");
  const bytes = TEXT.encode(text);
  // As many bytes as characters: all ASCII, so that lengths in the text are lengths in the bytes.
  const ascii = bytes.length === text.length;
  let at = 0;
  return written.map(({ key, json, append }) => {
    const value = ascii ? bytes.subarray(at, at + json.length) : TEXT.encode(json);
    at += json.length;
    return { key, value, append };
  });
}
