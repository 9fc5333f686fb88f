/**
 * Keys of the catalog as nodes, and which bytes to expect after which node.
 *
 * A node stands for a dotted prefix or a whole key; node 0 is the top of a sample. A child is found
 * by (parent, bytes of the JSON key), so `{"gps":{"lat":1}}`, `{"gps.lat":1}` and deeper mixtures
 * all lead to the node of `gps.lat`. Unknown keys get nodes too, up to a bound, so that fields
 * nobody asked for are predicted like the others.
 *
 * ```
 * node, 256 bytes
 *   0 u32 kind     4 u32 column address, 0 none    8 f64 min    16 f64 max
 *  24 u32 names   28 u32 name count
 *  64 way 0       160 way 1: what followed this node's value before
 * way, 96 bytes
 *   0 u8[64] the bytes from the value's end to the next value
 *  64 u32 length   68 u32 bits of the first 16 bytes not compared   72 u32 node they lead to
 *  76 u32 state before (depth << 16 | parent), ~0 when empty   80 u32 state after   84 u32 hits
 *  88 u32 state before again, if all of it lies in the first 16 bytes, else ~0
 * key, 32 bytes
 *   0 u32 node, 0 empty   4 u32 hash   8 u32 parent   12 u32 length   16 u32 address of the bytes
 * ```
 */
import { alloc } from "./memory";
import { equalBytes, hashBytes } from "./text";

export const KIND_NONE: u32 = 0;
export const KIND_NUMBER: u32 = 1;
export const KIND_TIME: u32 = 2;
export const KIND_BOOLEAN: u32 = 3;
export const KIND_NAME: u32 = 4;
export const KIND_VEHICLE: u32 = 5;
export const KIND_END: u32 = 6;

export const NODE_BYTES: usize = 256;
export const NODE_COLUMN: usize = 4;
export const NODE_MIN: usize = 8;
export const NODE_MAX: usize = 16;
export const NODE_NAMES: usize = 24;
export const NODE_NAME_COUNT: usize = 28;

export const WAY_0: usize = 64;
export const WAY_1: usize = 160;
const WAY_BYTES: usize = 96;
export const WAY_TEXT_MAX: usize = 64;
export const WAY_LENGTH: usize = 64;
export const WAY_IGNORE: usize = 68;
export const WAY_NODE: usize = 72;
export const WAY_BEFORE: usize = 76;
export const WAY_AFTER: usize = 80;
const WAY_HITS: usize = 84;
export const WAY_SHORT: usize = 88;
/** Bytes of a way that the hot loop compares. */
const SHORT_MAX: u32 = 16;

/** Node of the top of a sample; also what the first key follows. */
const ROOT: u32 = 0;
/** Node of the end of a sample. */
const END: u32 = 1;
/** Node of every key that has none of its own. */
const UNKNOWN: u32 = 2;
const FIRST_FREE: u32 = 3;

/** Nodes of unknown keys, at most. */
const UNKNOWN_NODES_MAX: u32 = 512;
/** Longest unknown key that gets a node. */
const UNKNOWN_KEY_BYTES_MAX: u32 = 48;
/** Hits of way 1 after which it becomes way 0. */
const PROMOTE_AFTER: u32 = 8;

let nodes: usize = 0;
let nodeCount: u32 = 0;
let unknownCount: u32 = 0;
let table: usize = 0;
let tableMask: u32 = 0;
let unknownText: usize = 0;

/** Address of a node. */
@inline
export function nodeAt(index: u32): usize {
  return nodes + <usize>index * NODE_BYTES;
}

/** Index of the node at an address. */
@inline
export function nodeIndex(node: usize): u32 {
  return <u32>((node - nodes) / NODE_BYTES);
}

@inline
export function rootNode(): usize {
  return nodes;
}

@inline
export function endNode(): usize {
  return nodeAt(END);
}

@inline
export function unknownNode(): usize {
  return nodeAt(UNKNOWN);
}

/** Makes an empty table with room for so many nodes and (parent, key) pairs of the catalog. */
export function setupKeys(catalogNodes: u32, catalogPairs: u32): void {
  nodes = alloc((catalogNodes + FIRST_FREE + UNKNOWN_NODES_MAX) * <u32>NODE_BYTES, 64);
  nodeCount = 0;
  unknownCount = 0;
  for (let i: u32 = 0; i < FIRST_FREE; i++) newNode();
  store<u32>(endNode(), KIND_END);
  let size: u32 = 64;
  while (size < (catalogPairs + UNKNOWN_NODES_MAX) * 3) size <<= 1;
  table = alloc(size * 32, 64);
  tableMask = size - 1;
  unknownText = alloc(UNKNOWN_NODES_MAX * 64, 64);
}

function newNode(): u32 {
  const node = nodeAt(nodeCount);
  forgetWay(node + WAY_0);
  forgetWay(node + WAY_1);
  return nodeCount++;
}

/** Where the pair stands in the table, or the empty place for it. */
function place(parent: u32, p: usize, length: u32, hash: u32): usize {
  let i = hash & tableMask;
  while (true) {
    const entry = table + (<usize>i << 5);
    if (load<u32>(entry) == 0) return entry;
    if (
      load<u32>(entry, 4) == hash && load<u32>(entry, 8) == parent &&
      load<u32>(entry, 12) == length && equalBytes(load<u32>(entry, 16), p, length)
    ) return entry;
    i = (i + 1) & tableMask;
  }
}

function fillPlace(entry: usize, parent: u32, p: usize, length: u32, hash: u32, node: u32): void {
  store<u32>(entry, node);
  store<u32>(entry, hash, 4);
  store<u32>(entry, parent, 8);
  store<u32>(entry, length, 12);
  store<u32>(entry, <u32>p, 16);
}

/**
 * Adds a key of the catalog with every dotted prefix and returns its node's address.
 *
 * The text is copied. Adding a key twice gives the same node.
 */
export function addKey(text: usize, length: u32): usize {
  const copy = alloc(length + 16, 16);
  memory.copy(copy, text, length);
  let node: u32 = 0;
  for (let end: u32 = 0; end <= length; end++) {
    if (end < length && load<u8>(copy + end) != 0x2e) continue;
    node = addChild(ROOT, copy, end, 0);
    // The same prefix is also reached from every shorter one.
    for (let cut: u32 = 0; cut < end; cut++) {
      if (load<u8>(copy + cut) != 0x2e) continue;
      const parent = load<u32>(place(ROOT, copy, cut, hashBytes(copy, cut, ROOT)));
      addChild(parent, copy + cut + 1, end - cut - 1, node);
    }
  }
  return nodeAt(node);
}

function addChild(parent: u32, p: usize, length: u32, node: u32): u32 {
  const hash = hashBytes(p, length, parent);
  const entry = place(parent, p, length, hash);
  if (load<u32>(entry) != 0) return load<u32>(entry);
  const made = node == 0 ? newNode() : node;
  fillPlace(entry, parent, p, length, hash, made);
  return made;
}

/**
 * The node of a key met in a sample; `unknownNode()` for one the catalog does not know, unless it
 * may get a node of its own (`learn`).
 */
export function findKey(parent: u32, p: usize, length: u32, learn: bool): usize {
  const hash = hashBytes(p, length, parent);
  const entry = place(parent, p, length, hash);
  const node = load<u32>(entry);
  if (node != 0) return nodeAt(node);
  if (!learn || unknownCount >= UNKNOWN_NODES_MAX || length > UNKNOWN_KEY_BYTES_MAX) {
    return unknownNode();
  }
  unknownCount++;
  const copy = unknownText;
  unknownText += 64;
  memory.copy(copy, p, length);
  const made = newNode();
  fillPlace(entry, parent, copy, length, hash, made);
  return nodeAt(made);
}

/** Whether a way that fits the state stands at `p`, beyond its first 16 bytes too. */
export function matches(way: usize, state: u32, p: usize, end: usize): bool {
  const length = load<u32>(way, WAY_LENGTH);
  return load<u32>(way, WAY_BEFORE) == state && p + length <= end && equalBytes(p, way, length);
}

/** Remembers that [start, p) led from a node's value to `node`. */
export function learnWay(
  from: usize,
  before: u32,
  start: usize,
  p: usize,
  node: usize,
  after: u32,
): void {
  const way = from + (load<u32>(from + WAY_0, WAY_BEFORE) == -1 ? WAY_0 : WAY_1);
  const length = <u32>(p - start);
  memory.copy(way, start, WAY_TEXT_MAX);
  store<u32>(way, length, WAY_LENGTH);
  store<u32>(way, length >= 16 ? 0 : (0xffff << length) & 0xffff, WAY_IGNORE);
  store<u32>(way, <u32>node, WAY_NODE);
  store<u32>(way, before, WAY_BEFORE);
  store<u32>(way, length <= SHORT_MAX ? before : -1, WAY_SHORT);
  store<u32>(way, after, WAY_AFTER);
  store<u32>(way, 0, WAY_HITS);
}

/** Empties a way. */
export function forgetWay(way: usize): void {
  store<u32>(way, -1, WAY_BEFORE);
  store<u32>(way, -1, WAY_SHORT);
}

/** Counts a hit of way 1; often hit, it changes places with way 0. Returns where it lies then. */
export function promote(node: usize): usize {
  const first = node + WAY_0;
  const second = node + WAY_1;
  const hits = load<u32>(second, WAY_HITS) + 1;
  store<u32>(second, hits, WAY_HITS);
  if (hits < PROMOTE_AFTER) return second;
  store<u32>(second, 0, WAY_HITS);
  for (let i: usize = 0; i < WAY_BYTES; i += 16) {
    const v = v128.load(first + i);
    v128.store(first + i, v128.load(second + i));
    v128.store(second + i, v);
  }
  return first;
}
