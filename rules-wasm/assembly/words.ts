/**
 * Numbers in their portable form: vectors, each a u16 count and so many f64, little endian,
 * unaligned. A NaN is written with one pattern of bits, so that equal state gives equal bytes.
 */

let cursor: usize = 0;
let mark: usize = 0;
/** End of what may be read. */
let limit: usize = 0;
let vectorEnd: usize = 0;

/** Writes from here on. */
export function startWords(at: usize): void {
  cursor = at;
}

/** Reads from here on, up to `end`. */
export function startReading(at: usize, end: usize): void {
  cursor = at;
  limit = end;
}

/** Where the next word goes, or comes from. */
export function wordsAt(): usize {
  return cursor;
}

/** Goes on behind `bytes` bytes. */
export function skipBytes(bytes: usize): void {
  cursor += bytes;
}

/** Bytes left to read. */
export function bytesLeft(): usize {
  return limit > cursor ? limit - cursor : 0;
}

/** Begins a vector to write. */
export function openVector(): void {
  mark = cursor;
  cursor += 2;
}

@inline
export function put(x: f64): void {
  store<f64>(cursor, x == x ? x : NaN);
  cursor += 8;
}

/** Ends the vector that was begun. */
export function closeVector(): void {
  store<u16>(mark, <u16>((cursor - mark - 2) >> 3));
}

/** Begins a vector to read. @returns its words, -1 if it does not end within the limit */
export function readVector(): i32 {
  if (bytesLeft() < 2) return -1;
  const words = <u32>load<u16>(cursor);
  cursor += 2;
  vectorEnd = cursor + (<usize>words << 3);
  return vectorEnd > limit ? -1 : words;
}

@inline
export function take(): f64 {
  const x = load<f64>(cursor);
  cursor += 8;
  return x;
}

/** Goes on behind the vector, whatever of it was read. */
export function leaveVector(): void {
  cursor = vectorEnd;
}

// ── state that is plain numbers, unknown at first ───────────────────────────────────────────────

/** Writes numbers as they lie; nothing if all are unknown. */
export function savePlain(at: usize, words: u32): void {
  let any = false;
  for (let i: u32 = 0; i < words; i++) {
    const x = load<f64>(at + (i << 3));
    if (x == x) any = true;
  }
  for (let i: u32 = 0; any && i < words; i++) put(load<f64>(at + (i << 3)));
}

/** Reads what `savePlain` wrote. @returns whether it is as many numbers */
export function loadPlain(at: usize, words: u32, given: u32): bool {
  if (given != words) return false;
  for (let i: u32 = 0; i < words; i++) store<f64>(at + (i << 3), take());
  return true;
}
