/** Writes a signal catalog into the kernel: signals, their names and the keys they come under. */
import type { Catalog, SignalType } from "../contract/catalog.ts";
import {
  CONTROL_SIGNALS,
  SCRATCH,
  SCRATCH_BYTES,
  SIGNAL_BYTES,
  SIGNAL_COLUMN,
  SIGNAL_MAX,
  SIGNAL_MIN,
  SIGNAL_NAME_COUNT,
  SIGNAL_NAMES,
  SIGNAL_TYPE,
  TYPE_BOOLEAN,
  TYPE_NAME,
  TYPE_NUMBER,
} from "./assembly/layout.ts";
import type { KernelInstance } from "./scan_kernel.ts";

/** Longest key of a catalog in UTF-8 bytes. */
const KEY_BYTES_MAX = 1024;
/** Dots in a key of a catalog, at most: the kernel follows nested objects so far by name. */
const KEY_DOTS_MAX = 100;

const TYPE_CODES: Readonly<Record<SignalType, number>> = {
  number: TYPE_NUMBER,
  boolean: TYPE_BOOLEAN,
  name: TYPE_NAME,
};

/**
 * Writes the catalog; a later one replaces it.
 *
 * @param columns the column of each signal (-1: none, its values are checked and counted only)
 * @param columnCount columns to reserve
 * @throws RangeError for a key or list of names beyond the kernel's bounds
 */
export function writeCatalog(
  kernel: KernelInstance,
  catalog: Catalog,
  columns: readonly number[],
  columnCount: number,
): void {
  const { scan, memory } = kernel;
  const keys = catalog.signals.map(keysOf);
  const vehicleKeys = catalog.vehicleKeys.map(keyBytes);
  const timeKeys = catalog.timeKeys.map(keyBytes);
  const { nodes, pairs } = bounds([...keys.flat(), ...vehicleKeys, ...timeKeys]);
  scan.startCatalog(catalog.signals.length, columnCount, nodes, pairs);

  catalog.signals.forEach((signal, i) => {
    const view = new DataView(memory.buffer);
    const at = view.getUint32(CONTROL_SIGNALS, true) + i * SIGNAL_BYTES;
    view.setUint32(at + SIGNAL_TYPE, TYPE_CODES[signal.type], true);
    view.setInt32(at + SIGNAL_COLUMN, columns[i], true);
    view.setFloat64(at + SIGNAL_MIN, signal.min, true);
    view.setFloat64(at + SIGNAL_MAX, signal.max, true);
    view.setUint32(at + SIGNAL_NAMES, 0, true);
    view.setUint32(at + SIGNAL_NAME_COUNT, 0, true);
    if (signal.type === "name") writeNames(kernel, i, signal.names);
    for (const key of keys[i]) scan.addSignalKey(i, toScratch(memory, key));
  });
  for (const key of vehicleKeys) scan.addVehicleKey(toScratch(memory, key));
  for (const key of timeKeys) scan.addTimeKey(toScratch(memory, key));
}

/** Every key of a signal as bytes, its VSS path included. */
function keysOf(signal: Catalog["signals"][number]): Uint8Array[] {
  const keys = new Set(signal.keys);
  if (signal.vss !== "") keys.add(signal.vss);
  return [...keys].map(keyBytes);
}

function keyBytes(key: string): Uint8Array {
  const bytes = new TextEncoder().encode(key);
  if (bytes.length > KEY_BYTES_MAX || key.split(".").length - 1 > KEY_DOTS_MAX) {
    throw new RangeError(
      `Cannot use the key "${
        key.slice(0, 60)
      }" as keys have at most ${KEY_BYTES_MAX} bytes and ${KEY_DOTS_MAX} dots`,
    );
  }
  return bytes;
}

/** How many nodes, and pairs of node and key, the keys make at most. */
function bounds(keys: readonly Uint8Array[]): { nodes: number; pairs: number } {
  let nodes = 0;
  let pairs = 0;
  for (const key of keys) {
    const segments = key.reduce((n, byte) => n + (byte === 0x2e ? 1 : 0), 1);
    nodes += segments;
    pairs += segments * (segments + 1) / 2;
  }
  return { nodes, pairs };
}

function toScratch(memory: WebAssembly.Memory, bytes: Uint8Array): number {
  new Uint8Array(memory.buffer, SCRATCH, SCRATCH_BYTES).set(bytes);
  return bytes.length;
}

function writeNames({ memory, scan }: KernelInstance, signal: number, names: readonly string[]) {
  const encoded = names.map((name) => new TextEncoder().encode(name));
  const size = encoded.reduce((sum, bytes) => sum + ((bytes.length + 7) & ~3), 0);
  if (size > SCRATCH_BYTES) {
    throw new RangeError(
      `Cannot use ${names.length} names of ${size} bytes as a signal takes ${SCRATCH_BYTES}`,
    );
  }
  const view = new DataView(memory.buffer);
  let at = SCRATCH;
  for (const bytes of encoded) {
    view.setUint32(at, bytes.length, true);
    new Uint8Array(memory.buffer, at + 4, bytes.length).set(bytes);
    at += (bytes.length + 7) & ~3;
  }
  scan.setNames(signal, encoded.length, size);
}
