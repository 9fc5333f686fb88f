/**
 * What stands between two values of a sample: commas, braces of nested objects, the next key.
 *
 * Read once the slow way, such a token is remembered behind the node it followed; the hot loop in
 * `scan_object.ts` then confirms it with one comparison of 16 bytes.
 */
import { MALFORMED_JSON, SCRATCH, SCRATCH_BYTES } from "./layout";
import { alloc } from "./memory";
import { decodeString, fault, plainStop, skipSpace, stringEnd, stringEscaped } from "./text";
import {
  endNode,
  findKey,
  learnWay,
  matches,
  nodeIndex,
  promote,
  rootNode,
  unknownNode,
  WAY_0,
  WAY_1,
  WAY_AFTER,
  WAY_LENGTH,
  WAY_NODE,
  WAY_TEXT_MAX,
} from "./keys";
import { loseSignal } from "./scan_sample";

/** Nested objects followed by name, at most; what lies deeper is passed over as unknown. */
const DEPTH_MAX: u32 = 128;

/** Node of the key read last, or `endNode()`. */
export let tokenNode: usize = 0;
/** Depth and parent behind it: depth << 16 | index of the parent's node. */
export let tokenState: u32 = 0;

/** u32 parents of the nested objects we are in. */
let parents: usize = 0;

/** Reserves the stack of parents. */
export function setupTokens(): void {
  if (parents == 0) parents = alloc(DEPTH_MAX * 4, 4);
}

/**
 * `readToken` for `,"key":` with a key of at most 16 plain bytes right before a value that is no
 * object; 0 for anything else.
 */
function readShortToken(from: usize, before: u32, p: usize, end: usize): usize {
  if (from == rootNode() || load<u16>(p) != 0x222c) return 0;
  const stop = plainStop(v128.load(p, 2));
  if (stop == 0) return 0;
  const length = <u32>ctz(stop);
  const q = p + 2 + length;
  const c = load<u8>(q, 2);
  if (load<u16>(q) != 0x3a22 || q + 2 >= end || c <= 0x20 || c == 0x7b) return 0;
  const node = findKey(before & 0xffff, p + 2, length, true);
  tokenNode = node;
  tokenState = before;
  if (from != unknownNode() && node != unknownNode()) {
    learnWay(from, before, p, q + 2, node, before);
  }
  return q + 2;
}

/** The node of the key whose contents are [p, q). */
function keyNode(parent: u32, p: usize, q: usize): usize {
  if (!stringEscaped) return findKey(parent, p, <u32>(q - p), true);
  const length = decodeString(p, q, SCRATCH, SCRATCH_BYTES - 16);
  return length < 0 ? unknownNode() : findKey(parent, SCRATCH, length, false);
}

/** The way by which `nextToken` went, 0 if it read the token. */
export let tokenWay: usize = 0;

/** As `readToken`, by any way remembered if one fits. */
export function nextToken(from: usize, before: u32, p: usize, end: usize, row: usize): usize {
  let way = from + WAY_0;
  if (!matches(way, before, p, end)) {
    way = from + WAY_1;
    if (!matches(way, before, p, end)) {
      tokenWay = 0;
      const q = readShortToken(from, before, p, end);
      return q != 0 ? q : readToken(from, before, p, end, row);
    }
    way = promote(from);
  }
  tokenWay = way;
  tokenNode = load<u32>(way, WAY_NODE);
  tokenState = load<u32>(way, WAY_AFTER);
  return p + load<u32>(way, WAY_LENGTH);
}

/**
 * Reads on from behind a value (or from a sample's first brace, when `from` is the root) to the
 * first byte of the next value, or behind the sample's last brace.
 *
 * @returns that byte, with `tokenNode` and `tokenState` set, or 0 with a fault
 */
export function readToken(from: usize, before: u32, p: usize, end: usize, row: usize): usize {
  const start = p;
  let depth = before >> 16;
  let parent = before & 0xffff;
  let fresh = from == rootNode();
  // A token whose effect its own bytes and `before` do not tell whole is not remembered.
  let learn = from != unknownNode();
  let moved = false;
  if (fresh) p++;
  while (true) {
    p = skipSpace(p, end);
    if (p >= end) return fault(end, MALFORMED_JSON);
    let c = load<u8>(p);
    if (c == 0x7d) {
      p++;
      fresh = false;
      if (depth == 0) {
        tokenNode = endNode();
        break;
      }
      depth--;
      parent = load<u32>(parents + (depth << 2));
      moved = true;
      continue;
    }
    if (!fresh) {
      if (c != 0x2c) return fault(p, MALFORMED_JSON);
      p = skipSpace(p + 1, end);
      if (p >= end) return fault(end, MALFORMED_JSON);
      c = load<u8>(p);
    }
    if (c != 0x22) return fault(p, MALFORMED_JSON);
    const q = stringEnd(p + 1, end);
    if (q == 0) return 0;
    const node = keyNode(parent, p + 1, q);
    p = skipSpace(q + 1, end);
    if (p >= end) return fault(end, MALFORMED_JSON);
    if (load<u8>(p) != 0x3a) return fault(p, MALFORMED_JSON);
    p = skipSpace(p + 1, end);
    if (p >= end) return fault(end, MALFORMED_JSON);
    if (load<u8>(p) != 0x7b || node == unknownNode() || depth == DEPTH_MAX) {
      tokenNode = node;
      break;
    }
    // Its leaves are values, under dotted names; it is none itself, and wrong for a signal.
    if (loseSignal(node, row)) learn = false;
    store<u32>(parents + (depth << 2), parent);
    parent = nodeIndex(node);
    depth++;
    moved = true;
    fresh = true;
    p++;
  }
  tokenState = depth << 16 | parent;
  // The stack below depth 1 is always the root, so up to there the state tells all.
  if (learn && tokenNode != unknownNode() && (!moved || depth <= 1) && p - start <= WAY_TEXT_MAX) {
    learnWay(from, before, start, p, tokenNode, tokenState);
  }
  return p;
}
