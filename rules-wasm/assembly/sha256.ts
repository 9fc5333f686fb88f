/** SHA-256 (FIPS 180-4) of a short text, its first 64 bits. */

const ROUND_CONSTANTS = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

/** The text, and behind it its padding: a rule's id, a vehicle's and four numbers fit well. */
const TEXT_BYTES: u32 = 512;
const text = memory.data(512, 16);
/** The message schedule of a block. */
const schedule = memory.data(256, 16);
/** The hash so far. */
const hash = memory.data(32, 16);
/** Digits of a number, from the last on. */
const DIGITS_MAX: u32 = 24;
const digits = memory.data(24);

const BLOCK: u32 = 64;
const NEWLINE: u8 = 10;
const ZERO: u32 = 48;

let size: u32 = 0;

/** Begins a text. */
export function startText(): void {
  size = 0;
}

/** Puts bytes and a newline behind the text. */
export function putLine(from: usize, bytes: u32): void {
  if (size + bytes + 1 + BLOCK > TEXT_BYTES) unreachable();
  memory.copy(text + size, from, bytes);
  store<u8>(text + size + bytes, NEWLINE);
  size += bytes + 1;
}

/** Puts a whole number from 0 to 2^53, in decimal, and a newline behind the text. */
export function putNumber(x: f64): void {
  let rest = x;
  let at: u32 = DIGITS_MAX;
  // Nine digits at a time: 32-bit division is cheaper than any other.
  for (; rest >= 1e9; at -= 9) {
    const higher = Math.floor(rest / 1e9);
    putDigits(<u32>(rest - higher * 1e9), at, 9);
    rest = higher;
  }
  at -= putDigits(<u32>rest, at, 1);
  putLine(digits + at, DIGITS_MAX - at);
}

/** Writes a number's digits before `end`, at least so many. @returns how many */
function putDigits(x: u32, end: u32, least: u32): u32 {
  let rest = x;
  let count: u32 = 0;
  while (rest > 0 || count < least) {
    count++;
    store<u8>(digits + end - count, <u8>(ZERO + rest % 10));
    rest /= 10;
  }
  return count;
}

/** The first 64 bits of the hash of the text, the most significant first. */
export function hashText(): u64 {
  const blocks = (size + 9 + BLOCK - 1) / BLOCK;
  memory.fill(text + size, 0, blocks * BLOCK - size);
  store<u8>(text + size, 0x80);
  store<u32>(text + blocks * BLOCK - 4, bswap<u32>(size << 3));
  store<u32>(hash, 0x6a09e667);
  store<u32>(hash, 0xbb67ae85, 4);
  store<u32>(hash, 0x3c6ef372, 8);
  store<u32>(hash, 0xa54ff53a, 12);
  store<u32>(hash, 0x510e527f, 16);
  store<u32>(hash, 0x9b05688c, 20);
  store<u32>(hash, 0x1f83d9ab, 24);
  store<u32>(hash, 0x5be0cd19, 28);
  for (let i: u32 = 0; i < blocks; i++) compress(text + i * BLOCK);
  return (<u64>load<u32>(hash) << 32) | load<u32>(hash, 4);
}

function compress(block: usize): void {
  for (let i: usize = 0; i < 64; i += 4) {
    store<u32>(schedule + i, bswap<u32>(load<u32>(block + i)));
  }
  for (let i: usize = 64; i < 256; i += 4) {
    const w15 = load<u32>(schedule + i - 60);
    const w2 = load<u32>(schedule + i - 8);
    const s0 = rotr<u32>(w15, 7) ^ rotr<u32>(w15, 18) ^ (w15 >> 3);
    const s1 = rotr<u32>(w2, 17) ^ rotr<u32>(w2, 19) ^ (w2 >> 10);
    store<u32>(
      schedule + i,
      load<u32>(schedule + i - 64) + s0 + load<u32>(schedule + i - 28) + s1,
    );
  }
  let a = load<u32>(hash);
  let b = load<u32>(hash, 4);
  let c = load<u32>(hash, 8);
  let d = load<u32>(hash, 12);
  let e = load<u32>(hash, 16);
  let f = load<u32>(hash, 20);
  let g = load<u32>(hash, 24);
  let h = load<u32>(hash, 28);
  for (let i: usize = 0; i < 256; i += 4) {
    const s1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
    const choice = (e & f) ^ (~e & g);
    const first = h + s1 + choice + load<u32>(ROUND_CONSTANTS + i) + load<u32>(schedule + i);
    const s0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + s0 + majority;
  }
  store<u32>(hash, load<u32>(hash) + a);
  store<u32>(hash, load<u32>(hash, 4) + b, 4);
  store<u32>(hash, load<u32>(hash, 8) + c, 8);
  store<u32>(hash, load<u32>(hash, 12) + d, 12);
  store<u32>(hash, load<u32>(hash, 16) + e, 16);
  store<u32>(hash, load<u32>(hash, 20) + f, 20);
  store<u32>(hash, load<u32>(hash, 24) + g, 24);
  store<u32>(hash, load<u32>(hash, 28) + h, 28);
}
