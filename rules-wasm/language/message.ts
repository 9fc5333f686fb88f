/** Messages of rules: text with placeholders `{vehicle}`, `{signal}` and `{expression}`. */
import type { MessagePart } from "./ast.ts";
import type { CatalogIndex } from "./catalog_index.ts";
import { checkValue } from "./checker.ts";
import type { Report } from "./faults.ts";

/** Longest message in the file, UTF-16 units. */
export const MESSAGE_LENGTH_MAX = 2000;

/**
 * Parses a message; `{{` and `}}` stand for braces.
 *
 * @returns its parts, neighbouring texts joined, or null if anything was reported
 */
export function parseMessage(
  text: string,
  catalog: CatalogIndex,
  report: Report,
): readonly MessagePart[] | null {
  if (text.length > MESSAGE_LENGTH_MAX) {
    report(0, 1, `Cannot use a message of more than ${MESSAGE_LENGTH_MAX} characters`);
    return null;
  }
  const parts: MessagePart[] = [];
  let literal = "";
  let sound = true;
  const flush = () => {
    if (literal !== "") parts.push({ kind: "text", text: literal });
    literal = "";
  };
  for (let at = 0; at < text.length;) {
    const char = text.charAt(at);
    if (char !== "{" && char !== "}") {
      literal += char;
      at++;
    } else if (text.charAt(at + 1) === char) {
      literal += char;
      at += 2;
    } else if (char === "}") {
      report(at, 1, 'Cannot use a single "}" in a message', 'write "}}" for a brace');
      sound = false;
      at++;
    } else {
      const end = closingBrace(text, at + 1);
      if (end === -1) {
        const advice = 'write "{{" for a brace';
        report(at, 1, 'Cannot find the "}" that closes this placeholder', advice);
        return null;
      }
      flush();
      const part = placeholder(text.slice(at + 1, end), at, catalog, report);
      if (part === null) sound = false;
      else parts.push(part);
      at = end + 1;
    }
  }
  flush();
  return sound ? parts : null;
}

/** Position of the "}" behind a placeholder, texts in quotes passed over; -1 if there is none. */
function closingBrace(text: string, from: number): number {
  let quoted = "";
  for (let at = from; at < text.length; at++) {
    const char = text.charAt(at);
    if (quoted !== "") {
      if (char === quoted) quoted = "";
    } else if (char === '"' || char === "'") quoted = char;
    else if (char === "}") return at;
  }
  return -1;
}

function placeholder(
  inner: string,
  brace: number,
  catalog: CatalogIndex,
  report: Report,
): MessagePart | null {
  if (inner.trim() === "vehicle") return { kind: "vehicle" };
  if (inner.trim() === "") {
    report(
      brace,
      inner.length + 2,
      "Cannot use an empty placeholder",
      "write {vehicle} or {speed}",
    );
    return null;
  }
  const checked = checkValue(
    inner,
    catalog,
    (offset, length, message, suggestion) =>
      report(brace + 1 + offset, length, message, suggestion),
  );
  if (checked === null) return null;
  const { value, unit, names } = checked;
  return { kind: "value", of: value, unit, ...(names === undefined ? {} : { names }) };
}
