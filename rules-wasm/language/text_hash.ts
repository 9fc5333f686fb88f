/** A hash of texts that needs no platform: FNV-1a, 64 bits. */

const BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const MASK = 0xffffffffffffffffn;

/** 64 bits of a text's UTF-8 bytes as 16 hexadecimal digits; tells versions apart, not forgeries. */
export function textHash(text: string): string {
  let hash = BASIS;
  for (const byte of new TextEncoder().encode(text)) {
    hash = ((hash ^ BigInt(byte)) * PRIME) & MASK;
  }
  return hash.toString(16).padStart(16, "0");
}
