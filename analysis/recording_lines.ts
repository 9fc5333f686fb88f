/** Lines of NDJSON as records of one sample, or several, each. */
import type { RecordColumns } from "../rules-wasm/decoder_port.ts";

/** Each line a record. */
export function linesAsRecords(bytes: Uint8Array): RecordColumns {
  const ends: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const newline = bytes.indexOf(10, at);
    at = newline < 0 ? bytes.length : newline + 1;
    ends.push(at);
  }
  // No clock to hold T against yet: any possible time is taken.
  const appendTimes = new Float64Array(ends.length).fill(Number.MAX_SAFE_INTEGER);
  return { count: ends.length, values: bytes, valueEnds: Uint32Array.from(ends), appendTimes };
}

/** Whether a line holds nothing but JSON's white space: a line of the recording, but no sample. */
export function isBlank({ values, valueEnds }: RecordColumns, line: number): boolean {
  const end = valueEnds[line];
  for (let at = line === 0 ? 0 : valueEnds[line - 1]; at < end; at++) {
    const byte = values[at];
    if (byte !== 32 && byte !== 9 && byte !== 10 && byte !== 13) return false;
  }
  return true;
}
