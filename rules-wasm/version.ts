/** Names versions of rule sets by a hash, outside the browser. */
import { createHash } from "node:crypto";

/** The first 64 bits of a text's SHA-256 (as UTF-8), 16 hexadecimal digits. */
export function hashVersion(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex").slice(0, 16);
}
