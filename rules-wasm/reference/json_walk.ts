/**
 * Walks JSON text byte by byte, to say where it stops being JSON. Slow and obvious; the reader of
 * telemetry holds its verdict against `JSON.parse`.
 */

/** Why a walk ended: the first byte that cannot continue a valid text. */
export class WalkFault extends Error {
  override readonly name = "WalkFault";
  constructor(readonly reason: "malformed-json" | "invalid-utf8", readonly position: number) {
    super(`${reason} at byte ${position}`);
  }
}

/** A value met on the way, in the order of the text; of an object, its opening brace. */
export interface Met {
  /** Keys from the top, joined by dots; null inside arrays and beyond any key's length. */
  readonly path: string | null;
  /** Whether it lies within an array. */
  readonly inArray: boolean;
  readonly kind: "object" | "array" | "string" | "number" | "literal";
  readonly start: number;
  /** End (exclusive); that of the brace or bracket for objects and arrays. */
  readonly end: number;
}

/** Paths longer than this are not followed by name. */
const PATH_LENGTH_MAX = 4096;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const SPACE = new Set([0x20, 0x0a, 0x0d, 0x09]);
const ESCAPED = new Set([...'"\\/bfnrt'].map((c) => c.charCodeAt(0)));
const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const LITERALS = ["true", "false", "null"];

/** The first byte from `at` on that is no JSON white space, or the end. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  while (SPACE.has(bytes[at])) at++;
  return at;
}

/**
 * Walks the value whose first byte is at `at`.
 *
 * @param met takes every value, in the order of the text
 * @returns the byte behind it
 * @throws WalkFault where the text stops being JSON
 */
export function walkValue(bytes: Uint8Array, at: number, met: (value: Met) => void): number {
  /** What we are in: for an object its path, for an array null and `isArray`. */
  const levels: { isArray: boolean; path: string | null }[] = [];
  let path: string | null = "";
  let arrays = 0;
  const key = () => {
    if (bytes[at] !== QUOTE) throw malformed(bytes, at);
    const end = walkString(bytes, at);
    const { path: parent, isArray } = levels[levels.length - 1];
    const name: unknown = JSON.parse(textOf(bytes, at, end));
    const dotted = levels.length === 1 ? `${name}` : `${parent}.${name}`;
    const lost = isArray || parent === null || dotted.length > PATH_LENGTH_MAX;
    path = lost ? null : dotted;
    at = skipSpace(bytes, end);
    if (bytes[at] !== COLON) throw malformed(bytes, at);
    at = skipSpace(bytes, at + 1);
  };
  while (true) {
    const start = at;
    const byte = bytes[at];
    if (byte === 0x7b || byte === 0x5b) {
      const isArray = byte === 0x5b;
      const kind = isArray ? "array" : "object";
      met({ path, inArray: arrays > 0, kind, start, end: start + 1 });
      levels.push({ isArray, path: isArray ? null : path });
      if (isArray) arrays++;
      at = skipSpace(bytes, at + 1);
      if (bytes[at] !== (isArray ? 0x5d : 0x7d)) {
        if (isArray) path = null;
        else key();
        continue;
      }
    } else {
      at = walkScalar(bytes, at);
      const kind = byte === QUOTE ? "string" : isNumberStart(byte) ? "number" : "literal";
      met({ path, inArray: arrays > 0, kind, start, end: at });
    }
    if (levels.length === 0) return at;
    if (byte !== 0x7b && byte !== 0x5b) at = skipSpace(bytes, at);
    // Behind a value: close what ends here, or go on behind a comma.
    while (bytes[at] !== COMMA) {
      const { isArray } = levels[levels.length - 1];
      if (bytes[at] !== (isArray ? 0x5d : 0x7d)) throw malformed(bytes, at);
      levels.pop();
      if (isArray) arrays--;
      at++;
      if (levels.length === 0) return at;
      at = skipSpace(bytes, at);
    }
    at = skipSpace(bytes, at + 1);
    if (levels[levels.length - 1].isArray) path = null;
    else key();
  }
}

/** The text of valid UTF-8 bytes. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}

function isNumberStart(byte: number): boolean {
  return byte === 0x2d || isDigit(byte);
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** The fault of a byte that no JSON text has at `at` (or of the end). */
export function malformed(bytes: Uint8Array, at: number): WalkFault {
  if (at >= bytes.length) return new WalkFault("malformed-json", bytes.length);
  if (bytes[at] >= 0x80) {
    try {
      walkCharacter(bytes, at);
    } catch (error) {
      if (error instanceof WalkFault) return new WalkFault("invalid-utf8", at);
      throw error;
    }
  }
  return new WalkFault("malformed-json", at);
}

function walkScalar(bytes: Uint8Array, at: number): number {
  if (bytes[at] === QUOTE) return walkString(bytes, at);
  if (isNumberStart(bytes[at])) return walkNumber(bytes, at);
  const literal = LITERALS.find((word) => word.charCodeAt(0) === bytes[at]);
  if (literal === undefined) throw malformed(bytes, at);
  for (const letter of literal) {
    if (bytes[at] !== letter.charCodeAt(0)) throw malformed(bytes, at);
    at++;
  }
  return at;
}

function walkString(bytes: Uint8Array, at: number): number {
  at++;
  while (bytes[at] !== QUOTE) {
    if (at >= bytes.length || bytes[at] < 0x20) throw malformed(bytes, at);
    if (bytes[at] !== BACKSLASH) {
      at = walkCharacter(bytes, at);
      continue;
    }
    at++;
    if (bytes[at] === 0x75) {
      for (let i = 0; i < 4; i++) {
        at++;
        if (at >= bytes.length || !/[0-9a-fA-F]/.test(String.fromCharCode(bytes[at]))) {
          throw malformed(bytes, at);
        }
      }
    } else if (!ESCAPED.has(bytes[at])) throw malformed(bytes, at);
    at++;
  }
  return at + 1;
}

function walkNumber(bytes: Uint8Array, at: number): number {
  const digits = () => {
    if (!isDigit(bytes[at])) throw malformed(bytes, at);
    while (isDigit(bytes[at])) at++;
  };
  if (bytes[at] === 0x2d) at++;
  if (bytes[at] === 0x30) at++;
  else digits();
  if (bytes[at] === 0x2e) {
    at++;
    digits();
  }
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    at++;
    if (bytes[at] === 0x2b || bytes[at] === 0x2d) at++;
    digits();
  }
  return at;
}

/** Code points that a sequence of so many bytes may stand for. */
const CODE_POINTS: Readonly<Record<number, readonly (readonly [number, number])[]>> = {
  2: [[0x80, 0x7ff]],
  3: [[0x800, 0xd7ff], [0xe000, 0xffff]],
  4: [[0x10000, 0x10ffff]],
};

/** The byte behind the character at `at`. @throws WalkFault at the first byte no UTF-8 has there */
function walkCharacter(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  if (lead < 0x80) return at + 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  let bits = lead & (0x7f >> length);
  const open = (left: number) =>
    lead >= 0xc0 && lead < 0xf8 &&
    CODE_POINTS[length].some(([least, most]) =>
      bits * 64 ** left <= most && (bits + 1) * 64 ** left - 1 >= least
    );
  if (!open(length - 1)) throw new WalkFault("invalid-utf8", at);
  for (let left = length - 2; left >= 0; left--) {
    at++;
    if (at >= bytes.length || (bytes[at] & 0xc0) !== 0x80) throw new WalkFault("invalid-utf8", at);
    bits = bits * 64 + (bytes[at] & 0x3f);
    if (!open(left)) throw new WalkFault("invalid-utf8", at);
  }
  return at + 1;
}
