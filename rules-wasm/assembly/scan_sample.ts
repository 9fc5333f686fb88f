/** What a sample's object holds beside its columns: vehicle, time, counts. */
import { KIND_BOOLEAN, KIND_NAME, KIND_NUMBER, KIND_TIME, KIND_VEHICLE, NODE_COLUMN } from "./keys";

export const VEHICLE_NONE: u32 = 0;
/** A string without escapes. */
export const VEHICLE_RAW: u32 = 1;
/** A string with escapes. */
export const VEHICLE_ESCAPED: u32 = 2;

export const TIME_NONE: u32 = 0;
export const TIME_READ: u32 = 1;

/** How the vehicle's last value stands; `VEHICLE_*`. */
export let vehicleKind: u32 = VEHICLE_NONE;
/** Bytes of the id as written (without quotes); address and length. */
export let vehicleText: usize = 0;
export let vehicleLength: u32 = 0;
/** First byte of the vehicle's last value, 0 if none. */
export let vehicleAt: usize = 0;
/** How the time's last value stands; `TIME_*`. */
export let timeKind: u32 = TIME_NONE;
/** The time as written, ms, not yet cut; may be out of range. */
export let timeValue: f64 = 0;
/** First byte of the time's last value, 0 if none. */
export let timeAt: usize = 0;

export let unknownKeys: u32 = 0;
export let outOfRange: u32 = 0;
export let wrongType: u32 = 0;

/** Before an object. */
export function startObject(): void {
  vehicleKind = VEHICLE_NONE;
  vehicleAt = 0;
  timeKind = TIME_NONE;
  timeAt = 0;
  unknownKeys = 0;
  outOfRange = 0;
  wrongType = 0;
}

export function setVehicle(kind: u32, text: usize, length: u32, at: usize): void {
  vehicleKind = kind;
  vehicleText = text;
  vehicleLength = length;
  vehicleAt = at;
}

export function setTime(kind: u32, value: f64, at: usize): void {
  timeKind = kind;
  timeValue = value;
  timeAt = at;
}

export function countUnknown(keys: u32): void {
  unknownKeys += keys;
}

/** The value of a signal is missing; `row` is the row's offset in a column. */
@inline
export function missing(node: usize, row: usize): void {
  const column: usize = load<u32>(node, NODE_COLUMN);
  if (column != 0) store<i64>(column + row, -1);
}

export function missingOutOfRange(node: usize, row: usize): void {
  missing(node, row);
  outOfRange++;
}

/** A value that its key cannot take: the signal is missing and counted, the vehicle or time none. */
export function loseValue(node: usize, at: usize, row: usize): void {
  const kind = load<u32>(node);
  if (kind == KIND_TIME) setTime(TIME_NONE, 0, at);
  else if (kind == KIND_VEHICLE) setVehicle(VEHICLE_NONE, 0, 0, at);
  else loseSignal(node, row);
}

/**
 * A value of a wrong type for a signal.
 *
 * @returns whether the node is a signal's
 */
export function loseSignal(node: usize, row: usize): bool {
  const kind = load<u32>(node);
  if (kind != KIND_NUMBER && kind != KIND_BOOLEAN && kind != KIND_NAME) return false;
  missing(node, row);
  wrongType++;
  return true;
}
