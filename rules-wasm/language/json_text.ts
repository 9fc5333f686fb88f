/** Reads JSON (RFC 8259) with the places of its values, and says where it is none. */
import { type FaultList, quote } from "./faults.ts";
import type { FilePlace } from "./place.ts";

/** One value of a file: where it stands, in UTF-16 units, and what it is. */
export type JsonNode =
  & { readonly offset: number; readonly length: number }
  & (
    | { readonly kind: "object"; readonly entries: readonly JsonEntry[] }
    | { readonly kind: "list"; readonly items: readonly JsonNode[] }
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "number"; readonly value: number }
    | { readonly kind: "word"; readonly value: boolean | null }
  );

/** One key of an object with its value. */
export interface JsonEntry {
  readonly key: string;
  readonly offset: number;
  readonly value: JsonNode;
}

/** A JSON object. */
export type JsonObject = Extract<JsonNode, { kind: "object" }>;

/** Deepest nesting of objects and lists. */
const DEPTH_MAX = 32;

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// deno-lint-ignore no-control-regex -- JSON forbids control characters in texts
const TEXT = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const WORDS = [["true", true], ["false", false], ["null", null]] as const;

/** The value that a text is; null, and one fault, if it is no JSON. A byte order mark is passed over. */
export function readJson(text: string, place: FilePlace, faults: FaultList): JsonNode | null {
  const reader = new JsonReader(text);
  const node = reader.whole();
  if (node !== null) return node;
  const { at, why } = reader.fault ?? { at: 0, why: "it is broken" };
  faults.add(place.locate(at, 1), `Cannot read the file as JSON: ${why}`);
  return null;
}

class JsonReader {
  fault: { readonly at: number; readonly why: string } | null = null;
  #at: number;

  constructor(readonly text: string) {
    this.#at = text.startsWith("\ufeff") ? 1 : 0;
  }

  whole(): JsonNode | null {
    const node = this.#value(0);
    if (node === null) return null;
    this.#take(SPACE);
    return this.#at === this.text.length ? node : this.#fail("more follows what should be its end");
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #fail(why: string, at = this.#at): null {
    this.fault ??= { at, why };
    return null;
  }

  /** What stands here instead of what was expected. */
  #unexpected(expected: string): null {
    const code = this.text.codePointAt(this.#at);
    const found = code === undefined ? "its end" : quote(String.fromCodePoint(code));
    return this.#fail(`${expected} is missing before ${found}`);
  }

  #value(depth: number): JsonNode | null {
    this.#take(SPACE);
    const offset = this.#at;
    const char = this.text[offset];
    if (char === "{" || char === "[") {
      if (depth === DEPTH_MAX) return this.#fail(`it nests deeper than ${DEPTH_MAX} levels`);
      this.#at++;
      return char === "{" ? this.#object(offset, depth + 1) : this.#list(offset, depth + 1);
    }
    if (char === '"') {
      const text = this.#string();
      return text === null ? null : { kind: "text", text, offset, length: this.#at - offset };
    }
    const number = this.#take(NUMBER);
    if (number !== "") {
      return { kind: "number", value: Number(number), offset, length: number.length };
    }
    for (const [word, value] of WORDS) {
      if (!this.text.startsWith(word, offset)) continue;
      this.#at += word.length;
      return { kind: "word", value, offset, length: word.length };
    }
    return this.#unexpected("a value");
  }

  #string(): string | null {
    const start = this.#at;
    const source = this.#take(TEXT);
    if (source === "") return this.#fail("this text has no end, or a bad escape in it", start);
    const text: unknown = JSON.parse(source);
    return typeof text === "string" ? text : null;
  }

  /** Whether another item follows, a comma before it unless it is the first; null: neither. */
  #more(first: boolean, end: string): boolean | null {
    this.#take(SPACE);
    const char = this.text[this.#at];
    if (char === end) {
      this.#at++;
      return false;
    }
    if (first) return true;
    if (char !== ",") return this.#unexpected(`"," or "${end}"`);
    this.#at++;
    return true;
  }

  #list(offset: number, depth: number): JsonNode | null {
    const items: JsonNode[] = [];
    for (;;) {
      const more = this.#more(items.length === 0, "]");
      if (more === null) return null;
      if (!more) return { kind: "list", items, offset, length: this.#at - offset };
      const item = this.#value(depth);
      if (item === null) return null;
      items.push(item);
    }
  }

  #object(offset: number, depth: number): JsonNode | null {
    const entries: JsonEntry[] = [];
    const keys = new Set<string>();
    for (;;) {
      const more = this.#more(entries.length === 0, "}");
      if (more === null) return null;
      if (!more) return { kind: "object", entries, offset, length: this.#at - offset };
      this.#take(SPACE);
      const at = this.#at;
      if (this.text[at] !== '"') return this.#unexpected("a key in quotes");
      const key = this.#string();
      if (key === null) return null;
      if (keys.has(key)) return this.#fail(`the key ${quote(key)} stands twice in one object`, at);
      keys.add(key);
      this.#take(SPACE);
      if (this.text[this.#at] !== ":") return this.#unexpected('":"');
      this.#at++;
      const value = this.#value(depth);
      if (value === null) return null;
      entries.push({ key, offset: at, value });
    }
  }
}

/** The value of a key, or undefined. */
export function field(object: JsonObject, key: string): JsonNode | undefined {
  return object.entries.find((entry) => entry.key === key)?.value;
}

/** What a value is called in messages. */
export function kindOf(node: JsonNode): string {
  switch (node.kind) {
    case "object":
      return "an object";
    case "list":
      return "a list";
    case "text":
      return quote(node.text);
    case "number":
    case "word":
      return String(node.value);
  }
}
