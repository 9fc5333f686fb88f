/** Finds values in JSON text without parsing them: brackets and strings, nothing more. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const NEWLINE = 0x0a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** One element, or one place where an element should be and is not well formed as such. */
export interface ArrayElement {
  readonly start: number;
  readonly end: number;
  /** Byte at which the array around it is broken; -1 where it is sound. */
  readonly brokenAt: number;
}

/** Index of the first byte from `at` on that is not JSON whitespace. */
export function skipWhitespace(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && isWhitespace(bytes[at])) at++;
  return at;
}

/**
 * Splits an array at its top-level commas.
 *
 * An element is exactly the bytes between two commas, less the whitespace around it. Whether it is
 * sound JSON is left to whoever reads it; only what breaks the array itself is found here: garbage
 * behind an element, an empty place, a missing end, text behind the end.
 *
 * @param open index of the `[`
 */
export function splitArray(bytes: Uint8Array, open: number): ArrayElement[] {
  const elements: ArrayElement[] = [];
  let at = skipWhitespace(bytes, open + 1);
  if (bytes[at] === CLOSE_ARRAY) return behind(bytes, at, elements);
  for (;;) {
    const start = at;
    const valueEnd = endOfValue(bytes, start);
    let end = skipWhitespace(bytes, valueEnd);
    let brokenAt = valueEnd === start ? start : -1;
    if (end < bytes.length && bytes[end] !== COMMA && bytes[end] !== CLOSE_ARRAY) {
      // Garbage behind the value: it spoils this element, not the next.
      brokenAt = end;
      while (end < bytes.length && bytes[end] !== COMMA && bytes[end] !== CLOSE_ARRAY) {
        end = Math.max(end + 1, endOfValue(bytes, end));
      }
    }
    if (end >= bytes.length) {
      // A whole element before a missing end is sound; the end itself is what is refused.
      const whole = brokenAt < 0 && (bytes[start] === OPEN_OBJECT || bytes[start] === OPEN_ARRAY) &&
        isClosed(bytes, start, valueEnd);
      if (whole) elements.push({ start, end: valueEnd, brokenAt: -1 });
      const from = whole ? valueEnd : start;
      elements.push({ start: from, end: bytes.length, brokenAt: bytes.length });
      return elements;
    }
    elements.push({ start, end: brokenAt < 0 ? valueEnd : end, brokenAt });
    if (bytes[end] === CLOSE_ARRAY) return behind(bytes, end, elements);
    at = skipWhitespace(bytes, end + 1);
  }
}

/**
 * Splits a text of objects into its lines, if it is one of lines: empty ones are left out.
 *
 * @param start index of the first byte that is not whitespace
 * @returns null if the text is one object, or several that run over lines
 */
export function splitLines(bytes: Uint8Array, start: number): ArrayElement[] | null {
  const end = endOfValue(bytes, start);
  const isOne = skipWhitespace(bytes, end) === bytes.length && isClosed(bytes, start, end);
  if (isOne) return null;
  const lines: ArrayElement[] = [];
  let whole = false;
  for (let at = start; at < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, at);
    const stop = newline < 0 ? bytes.length : newline;
    const from = skipWhitespace(bytes, at);
    let to = stop;
    while (to > from && isWhitespace(bytes[to - 1])) to--;
    if (from < to) {
      lines.push({ start: from, end: to, brokenAt: -1 });
      // One whole object on a line of its own shows that a line's end is an object's end.
      if (!whole && bytes[from] === OPEN_OBJECT && bytes[to - 1] === CLOSE_OBJECT) {
        whole = endOfValue(bytes.subarray(0, to), from) === to && isClosed(bytes, from, to);
      }
    }
    at = stop + 1;
  }
  return whole ? lines : null;
}

function behind(bytes: Uint8Array, close: number, elements: ArrayElement[]): ArrayElement[] {
  const at = skipWhitespace(bytes, close + 1);
  if (at < bytes.length) elements.push({ start: at, end: bytes.length, brokenAt: at });
  return elements;
}

function isWhitespace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** End of the value at `at` by brackets and strings; the length where it does not end. */
function endOfValue(bytes: Uint8Array, at: number): number {
  let depth = 0;
  for (let i = at; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) {
      i = endOfString(bytes, i) - 1;
      if (depth === 0) return Math.min(i + 1, bytes.length);
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      if (depth === 0) return i;
      if (--depth === 0) return i + 1;
    } else if (depth === 0 && (byte === COMMA || isWhitespace(byte))) return i;
  }
  return bytes.length;
}

function endOfString(bytes: Uint8Array, at: number): number {
  for (let i = at + 1; i < bytes.length; i++) {
    if (bytes[i] === BACKSLASH) i++;
    else if (bytes[i] === QUOTE) return i + 1;
  }
  return bytes.length;
}

/** Whether a value that runs to the end of the bytes really ends there. */
function isClosed(bytes: Uint8Array, start: number, end: number): boolean {
  let depth = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) i = endOfString(bytes, i) - 1;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) depth--;
  }
  return depth === 0;
}
