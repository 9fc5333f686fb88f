/**
 * One sample: an object's bytes into one row of the columns.
 *
 * ```
 * {"vehicle":"VH-0412","ts":1763886400123,"speed":74.2}
 * └────┬─────┘        └──┬─┘             └───┬────┘    ╵
 *    token   value     token   value       token  value token (end)
 * ```
 *
 * The hot loop alternates between a token, confirmed by the bytes that followed the same value in
 * an earlier sample, and a value. Fixed-width loads may reach beyond the object, into the next
 * record or the padding behind the input; nothing is accepted that does.
 */
import { SCRATCH, SCRATCH_BYTES } from "./layout";
import {
  endNode,
  forgetWay,
  KIND_BOOLEAN,
  KIND_END,
  KIND_NONE,
  KIND_NUMBER,
  KIND_TIME,
  KIND_VEHICLE,
  NODE_COLUMN,
  NODE_MAX,
  NODE_MIN,
  NODE_NAME_COUNT,
  NODE_NAMES,
  rootNode,
  WAY_0,
  WAY_AFTER,
  WAY_IGNORE,
  WAY_LENGTH,
  WAY_NODE,
  WAY_SHORT,
} from "./keys";
import { decimalsOf, digitBits, dotBits, mantissa, numberValue, readNumber, scaled, shapeOf } from "./number";
import { readIsoTime } from "./time";
import { decodeString, equalBytes, stringEnd, stringEscaped } from "./text";
import { readLiteral, readScalar, skippedKeys, skipValue } from "./scan_value";
import { nextToken, readToken, tokenNode, tokenState, tokenWay } from "./scan_token";
import {
  countUnknown,
  loseValue,
  missing,
  missingOutOfRange,
  setTime,
  setVehicle,
  startObject,
  TIME_NONE,
  TIME_READ,
  VEHICLE_ESCAPED,
  VEHICLE_NONE,
  VEHICLE_RAW,
} from "./scan_sample";

/**
 * Reads the object whose brace is at `p` into the row at offset `row` of every column.
 *
 * @returns the byte behind it, or 0 with a fault
 */
export function readObject(p: usize, end: usize, row: usize): usize {
  startObject();
  let node = rootNode();
  let state: u32 = 0;
  while (true) {
    const from = node;
    const before = state;
    const token = p;
    let way = from + WAY_0;
    const equal = i8x16.bitmask(i8x16.eq(v128.load(p), v128.load(way)));
    const differs = ((equal | load<u32>(way, WAY_IGNORE)) ^ 0xffff) |
      (load<u32>(way, WAY_SHORT) ^ before);
    p += load<u32>(way, WAY_LENGTH);
    if (differs == 0 && p <= end) {
      node = load<u32>(way, WAY_NODE);
      state = load<u32>(way, WAY_AFTER);
    } else {
      p = nextToken(from, before, token, end, row);
      if (p == 0) return 0;
      way = tokenWay;
      node = tokenNode;
      state = tokenState;
    }

    const kind = load<u32>(node);
    if (kind - KIND_NUMBER <= KIND_TIME - KIND_NUMBER) {
      // A branch, not a sum: guessed right, it takes the load off the way to the next byte.
      let q = p;
      const first = load<u8>(p);
      if (first == 0x2d) q++;
      const v = v128.load(q);
      const dots = dotBits(v);
      const length = <u32>ctz(~(digitBits(v) | dots));
      const dot = <u32>ctz(dots | (1 << length));
      const shape = shapeOf(length, dot);
      const decimals = decimalsOf(shape);
      if (
        decimals < 16 && ((dots >> dot) & ((1 << (length - dot)) - 2)) == 0 &&
        (load<u8>(q) != 0x30 || dot == 1) && (load<u8>(q + length) | 0x20) != 0x65
      ) {
        const magnitude = scaled(mantissa(v, shape), decimals);
        const value = q == p ? magnitude : -magnitude;
        if (kind == KIND_NUMBER) setNumber(node, value, row);
        else setTime(TIME_READ, value, p);
        p = q + length;
        continue;
      }
    } else if (kind == KIND_END) return p;

    const c = load<u8>(p);
    if (way != 0 && (c <= 0x20 || c == 0x7b)) {
      // More belongs to the token than was remembered: white space, or a nested object.
      forgetWay(way);
      p = readToken(from, before, token, end, row);
      if (p == 0) return 0;
      node = tokenNode;
      state = tokenState;
      if (node == endNode()) return p;
    }
    p = valueAt(node, p, end, row);
    if (p == 0) return 0;
  }
}

/** Any value, the slow way. */
function valueAt(node: usize, p: usize, end: usize, row: usize): usize {
  const kind = load<u32>(node);
  if (kind == KIND_NUMBER) return numberValueAt(node, p, end, row);
  if (kind == KIND_TIME) return timeValueAt(node, p, end, row);
  if (kind == KIND_VEHICLE) return vehicleValueAt(node, p, end, row);
  if (kind == KIND_NONE) return unknownValueAt(p, end);
  if (kind == KIND_BOOLEAN) return booleanValueAt(node, p, end, row);
  return nameValueAt(node, p, end, row);
}

@inline
function setNumber(node: usize, value: f64, row: usize): void {
  // An infinity is out of range whatever the bounds are.
  if (value >= load<f64>(node, NODE_MIN) && value <= load<f64>(node, NODE_MAX)) {
    const column: usize = load<u32>(node, NODE_COLUMN);
    if (column != 0) store<f64>(column + row, value);
  } else missingOutOfRange(node, row);
}

function isNumberStart(c: u32): bool {
  return c == 0x2d || c - 0x30 < 10;
}

/** A number signal's value that is no plain number. */
function numberValueAt(node: usize, p: usize, end: usize, row: usize): usize {
  if (isNumberStart(load<u8>(p))) {
    const q = readNumber(p, end);
    if (q != 0) setNumber(node, numberValue, row);
    return q;
  }
  return otherValueAt(node, p, end, row);
}

/** A value of no type that the signal takes; null is missing, anything else wrong. */
function otherValueAt(node: usize, p: usize, end: usize, row: usize): usize {
  if (load<u8>(p) == 0x6e) {
    missing(node, row);
    return readLiteral(p, end);
  }
  loseValue(node, p, row);
  return skipValue(p, end);
}

function timeValueAt(node: usize, p: usize, end: usize, row: usize): usize {
  const c: u32 = load<u8>(p);
  if (isNumberStart(c)) {
    const q = readNumber(p, end);
    setTime(TIME_READ, numberValue, p);
    return q;
  }
  if (c != 0x22) {
    loseValue(node, p, row);
    return skipValue(p, end);
  }
  const q = stringEnd(p + 1, end);
  if (q == 0) return 0;
  let text = p + 1;
  let length = <i32>(q - text);
  if (stringEscaped) {
    length = decodeString(text, q, SCRATCH, SCRATCH_BYTES - 16);
    text = SCRATCH;
  }
  const value = length < 0 ? NaN : readIsoTime(text, text + length);
  setTime(value == value ? TIME_READ : TIME_NONE, value, p);
  return q + 1;
}

function vehicleValueAt(node: usize, p: usize, end: usize, row: usize): usize {
  const c: u32 = load<u8>(p);
  if (c == 0x22) {
    const q = stringEnd(p + 1, end);
    if (q == 0) return 0;
    const kind = q == p + 1 ? VEHICLE_NONE : stringEscaped ? VEHICLE_ESCAPED : VEHICLE_RAW;
    setVehicle(kind, p + 1, <u32>(q - p - 1), p);
    return q + 1;
  }
  if (isNumberStart(c)) {
    const q = readNumber(p, end);
    if (q == 0) return 0;
    const finite = numberValue - numberValue == 0;
    setVehicle(finite ? VEHICLE_RAW : VEHICLE_NONE, p, <u32>(q - p), p);
    return q;
  }
  loseValue(node, p, row);
  return skipValue(p, end);
}

function unknownValueAt(p: usize, end: usize): usize {
  const c = load<u8>(p);
  if (c == 0x7b) {
    const q = skipValue(p, end);
    countUnknown(skippedKeys);
    return q;
  }
  countUnknown(1);
  return c == 0x5b ? skipValue(p, end) : readScalar(p, end);
}

function booleanValueAt(node: usize, p: usize, end: usize, row: usize): usize {
  const c: u32 = load<u8>(p);
  if (c == 0x74 || c == 0x66) {
    const q = readLiteral(p, end);
    if (q != 0) setFlag(node, c == 0x74 ? 1 : 0, row);
    return q;
  }
  if (!isNumberStart(c)) return otherValueAt(node, p, end, row);
  const q = readNumber(p, end);
  if (q == 0) return 0;
  if (numberValue == 0 || numberValue == 1) setFlag(node, numberValue == 0 ? 0 : 1, row);
  else missingOutOfRange(node, row);
  return q;
}

function setFlag(node: usize, value: f64, row: usize): void {
  const column: usize = load<u32>(node, NODE_COLUMN);
  if (column != 0) store<f64>(column + row, value);
}

function nameValueAt(node: usize, p: usize, end: usize, row: usize): usize {
  if (load<u8>(p) != 0x22) return otherValueAt(node, p, end, row);
  const q = stringEnd(p + 1, end);
  if (q == 0) return 0;
  let text = p + 1;
  let length = <i32>(q - text);
  if (stringEscaped) {
    length = decodeString(text, q, SCRATCH, SCRATCH_BYTES - 16);
    text = SCRATCH;
  }
  let name: usize = load<u32>(node, NODE_NAMES);
  const count = load<u32>(node, NODE_NAME_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const bytes = load<u32>(name);
    if (<i32>bytes == length && equalBytes(name + 4, text, bytes)) {
      setFlag(node, i, row);
      return q + 1;
    }
    name += (bytes + 7) & ~3;
  }
  missingOutOfRange(node, row);
  return q + 1;
}
