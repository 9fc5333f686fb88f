/** The kernel's start, and the catalog and bounds written by the host before the first scan. */
import {
  ABI_VERSION,
  COLUMN_BYTES,
  CONTROL_COLUMN_COUNT,
  CONTROL_COLUMNS,
  CONTROL_LAST_A,
  CONTROL_NEXT_A,
  CONTROL_ROW_COUNT,
  CONTROL_SIGNALS,
  SCRATCH,
  SIGNAL_BYTES,
  SIGNAL_COLUMN,
  SIGNAL_MAX,
  SIGNAL_MIN,
  SIGNAL_NAME_COUNT,
  SIGNAL_NAMES,
  SIGNAL_TYPE,
  TYPE_BOOLEAN,
  TYPE_NUMBER,
} from "./layout";
import { alloc } from "./memory";
import { fillNumberTables } from "./number";
import { fillTailMasks } from "./text";
import { setupTokens } from "./scan_token";
import { reserveInput, setClockAheadMax } from "./scan";
import { setupVehicles } from "./vehicles";
import {
  addKey,
  KIND_BOOLEAN,
  KIND_NAME,
  KIND_NONE,
  KIND_NUMBER,
  KIND_TIME,
  KIND_VEHICLE,
  NODE_COLUMN,
  NODE_MAX,
  NODE_MIN,
  NODE_NAME_COUNT,
  NODE_NAMES,
  setupKeys,
} from "./keys";

/** Version of the memory's layout, for the host to hold against its own. */
export function abiVersion(): u32 {
  return ABI_VERSION;
}

/** Readies a fresh instance; called once, before anything else. */
export function start(vehiclesMax: u32, clockAheadMaxMs: f64): void {
  fillNumberTables();
  fillTailMasks();
  setupTokens();
  setupVehicles(vehiclesMax);
  setClockAheadMax(clockAheadMaxMs);
  store<f64>(CONTROL_LAST_A, -Infinity);
  store<f64>(CONTROL_NEXT_A, Infinity);
  reserveInput(0, 0);
}

/**
 * Begins a catalog: signals (whose entries, see SIGNAL_*, the host writes next), columns, and
 * bounds on the nodes and pairs that its keys need. A later catalog replaces the former one.
 */
export function startCatalog(signals: u32, columns: u32, nodes: u32, pairs: u32): void {
  store<u32>(CONTROL_SIGNALS, <u32>alloc((signals + 1) * SIGNAL_BYTES, 64));
  const bytes = columns * COLUMN_BYTES;
  const base = alloc(bytes, 64);
  memory.fill(base, 0xff, bytes);
  store<u32>(CONTROL_COLUMNS, <u32>base);
  store<u32>(CONTROL_COLUMN_COUNT, columns);
  store<u32>(CONTROL_ROW_COUNT, 0);
  setupKeys(nodes, pairs);
}

function signalAt(signal: u32): usize {
  return <usize>load<u32>(CONTROL_SIGNALS) + signal * SIGNAL_BYTES;
}

/** Gives a signal its names: `count` entries (see SIGNAL_NAMES), `bytes` in all, in the scratch. */
export function setNames(signal: u32, count: u32, bytes: u32): void {
  const names = alloc(bytes + 16, 16);
  memory.copy(names, SCRATCH, bytes);
  store<u32>(signalAt(signal), <u32>names, SIGNAL_NAMES);
  store<u32>(signalAt(signal), count, SIGNAL_NAME_COUNT);
}

/** Adds the key of `length` bytes in the scratch for a signal; the first owner of a key keeps it. */
export function addSignalKey(signal: u32, length: u32): void {
  const node = addKey(SCRATCH, length);
  if (load<u32>(node) != KIND_NONE) return;
  const from = signalAt(signal);
  const type = load<u32>(from, SIGNAL_TYPE);
  store<u32>(
    node,
    type == TYPE_NUMBER ? KIND_NUMBER : type == TYPE_BOOLEAN ? KIND_BOOLEAN : KIND_NAME,
  );
  const column = load<i32>(from, SIGNAL_COLUMN);
  const address = column < 0 ? 0 : load<u32>(CONTROL_COLUMNS) + <u32>column * COLUMN_BYTES;
  store<u32>(node, address, NODE_COLUMN);
  store<f64>(node, load<f64>(from, SIGNAL_MIN), NODE_MIN);
  store<f64>(node, load<f64>(from, SIGNAL_MAX), NODE_MAX);
  store<u32>(node, load<u32>(from, SIGNAL_NAMES), NODE_NAMES);
  store<u32>(node, load<u32>(from, SIGNAL_NAME_COUNT), NODE_NAME_COUNT);
}

/** Adds the key of `length` bytes in the scratch for the vehicle id. */
export function addVehicleKey(length: u32): void {
  const node = addKey(SCRATCH, length);
  if (load<u32>(node) == KIND_NONE) store<u32>(node, KIND_VEHICLE);
}

/** Adds the key of `length` bytes in the scratch for the device's time. */
export function addTimeKey(length: u32): void {
  const node = addKey(SCRATCH, length);
  if (load<u32>(node) == KIND_NONE) store<u32>(node, KIND_TIME);
}
