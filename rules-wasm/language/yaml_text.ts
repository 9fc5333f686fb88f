/** Reads YAML with positions: nodes, their spans, and where the characters of a scalar lie. */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node as YamlNode,
  parseDocument,
  type Scalar,
} from "yaml";
import type { Span } from "./ast.ts";
import type { FaultList } from "./faults.ts";
import { FilePlace, type Place } from "./place.ts";
import { yamlFault } from "./yaml_faults.ts";

/** Longest file, UTF-16 units: 1 MiB. */
export const FILE_LENGTH_MAX = 1 << 20;

/** One value of the file. */
export type Node =
  & { readonly span: Span }
  & (
    | {
      readonly kind: "map";
      readonly entries: readonly Entry[];
      /** Keys whose values were refused: they are not missing. */
      readonly refused: readonly string[];
    }
    | { readonly kind: "list"; readonly items: readonly Node[] }
    | {
      readonly kind: "scalar";
      /** The text that the scalar stands for (`5 s`, `true`, `1.0`). */
      readonly text: string;
      /** A plain `null`, `~` or nothing at all. */
      readonly isNull: boolean;
      /** Written in quotes or as a block. */
      readonly isQuoted: boolean;
      /** Where the characters of `text` lie in the file. */
      readonly place: Place;
    }
  );

/** One key of a map with its value. */
export interface Entry {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: Node;
}

/** A map node. */
export type MapNode = Extract<Node, { kind: "map" }>;
/** A scalar node. */
export type ScalarNode = Extract<Node, { kind: "scalar" }>;

/**
 * Reads a file.
 *
 * @returns its root, or null if it is not YAML that can be used at all (faults were added then)
 */
export function readYaml(text: string, faults: FaultList): Node | null {
  const place = new FilePlace(text);
  if (text.length > FILE_LENGTH_MAX) {
    faults.add(
      place.locate(0, 0),
      `Cannot read a file of ${text.length} characters: the longest allowed is ${FILE_LENGTH_MAX}`,
    );
    return null;
  }
  const deep = deepAt(text);
  if (deep >= 0) {
    faults.add(place.locate(deep, 1), "Cannot read the file as YAML: it is nested too deeply");
    return null;
  }
  const before = faults.count;
  try {
    const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, merge: false });
    const errors = [...document.errors, ...document.warnings];
    const told = new Set<number>();
    for (const error of errors.slice(0, YAML_FAULTS_MAX)) {
      const { offset, length, why, advice } = yamlFault(error, document, text);
      // One cause has many consequences.
      if (told.has(offset)) continue;
      told.add(offset);
      faults.add(place.locate(offset, length), `Cannot read the file as YAML: ${why}`, advice);
    }
    if (document.contents === null && faults.count === before) {
      faults.add(place.locate(0, 0), "Cannot use an empty file", 'begin with "version: 1"');
      return null;
    }
    // Nodes of a broken document are mostly sound, but their faults would mislead.
    if (faults.count > before) return null;
    return new Reader(text, place, faults).node(document.contents, 0);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    faults.add(place.locate(0, 0), "Cannot read the file as YAML: it is nested too deeply");
    return null;
  }
}

/** Most faults of YAML itself that are shown: one upsets the reading of all that follows. */
const YAML_FAULTS_MAX = 20;

/** Deepest nesting of maps and lists. */
const DEPTH_MAX = 20;
/** Brackets open at a time, those of texts too, and dashes in a row: far more than any file needs. */
const OPEN_MAX = 4_000;
const DASHES_MAX = 200;

/**
 * Where a text nests so deeply that reading it would take long for nothing, or -1. One look at each
 * character; what lies within texts is counted too.
 */
function deepAt(text: string): number {
  let [open, dashes] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case "[":
      case "{":
        if (++open > OPEN_MAX) return at;
        dashes = 0;
        break;
      case "]":
      case "}":
        open = Math.max(0, open - 1);
        break;
      case "-":
      case "?":
        if (text[at + 1] === " " && ++dashes > DASHES_MAX) return at;
        break;
      case " ":
        break;
      default:
        dashes = 0;
    }
  }
  return -1;
}

class Reader {
  readonly #text: string;
  readonly #place: FilePlace;
  readonly #faults: FaultList;

  constructor(text: string, place: FilePlace, faults: FaultList) {
    this.#text = text;
    this.#place = place;
    this.#faults = faults;
  }

  #span(node: YamlNode): Span {
    const [start, end] = node.range ?? [0, 0];
    return this.#place.locate(start, end - start);
  }

  node(node: unknown, depth: number): Node | null {
    if (isScalar(node)) return this.#scalar(node);
    if (isAlias(node)) {
      this.#faults.add(
        this.#span(node),
        `Cannot use the YAML alias "*${node.source}"`,
        "write the value out",
      );
      return null;
    }
    if (isMap(node) || isSeq(node)) {
      const span = this.#span(node);
      if (depth >= DEPTH_MAX) {
        this.#faults.add(span, `Cannot nest YAML deeper than ${DEPTH_MAX} levels`);
        return null;
      }
      if (isMap(node)) return { kind: "map", span, ...this.#entries(node.items, depth + 1) };
      const items = node.items.map((item) => this.node(item, depth + 1));
      return { kind: "list", span, items: items.filter((item) => item !== null) };
    }
    return null;
  }

  #entries(
    pairs: readonly { readonly key: unknown; readonly value: unknown }[],
    depth: number,
  ): Pick<MapNode, "entries" | "refused"> {
    const entries: Entry[] = [];
    const refused: string[] = [];
    const seen = new Set<string>();
    for (const pair of pairs) {
      const key = this.node(pair.key, depth);
      if (key === null) continue;
      if (key.kind !== "scalar") {
        this.#faults.add(key.span, "Cannot use a map or list as a key");
        continue;
      }
      if (seen.has(key.text)) {
        this.#faults.add(
          key.span,
          `Cannot use the key ${JSON.stringify(key.text)} twice in one map`,
          "remove one of them",
        );
        continue;
      }
      seen.add(key.text);
      const value = pair.value === null ? this.#nothing(key.span) : this.node(pair.value, depth);
      if (value === null) refused.push(key.text);
      else entries.push({ key: key.text, keySpan: key.span, value });
    }
    return { entries, refused };
  }

  #nothing(after: Span): Node {
    const at = after.offset + after.length;
    const span = this.#place.locate(at, 0);
    const place = { locate: () => span };
    return { kind: "scalar", span, text: "", isNull: true, isQuoted: false, place };
  }

  #scalar(node: Scalar): ScalarNode {
    const isPlain = node.type === undefined || node.type === "PLAIN";
    const text = typeof node.value === "string" ? node.value : node.source ?? "";
    const [start, end] = node.range ?? [0, 0];
    const source = this.#text.slice(start, end);
    const isBlock = source.startsWith("|") || source.startsWith(">");
    const header = !isPlain && isBlock ? source.indexOf("\n") + 1 : isPlain ? 0 : 1;
    const starts = alignText(text, source, header, node.type === "QUOTE_DOUBLE");
    const place: Place = {
      locate: (offset, length) => {
        const from = starts[Math.min(offset, starts.length - 1)] ?? 0;
        const last = starts[Math.min(offset + length - 1, starts.length - 1)] ?? from;
        return this.#place.locate(start + from, length <= 0 ? 0 : Math.max(1, last + 1 - from));
      },
    };
    const isNull = isPlain && node.value === null;
    return { kind: "scalar", span: this.#span(node), text, isNull, isQuoted: !isPlain, place };
  }
}

const ESCAPE = /\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r?\n|[^])/y;

/**
 * Where each character of a scalar's text lies in its source, and one more for the end: both are
 * walked side by side, runs of white space (folded lines, indentation) are matched as wholes.
 */
function alignText(text: string, source: string, from: number, escapes: boolean): Int32Array {
  const starts = new Int32Array(text.length + 1);
  const isSpace = (char: string | undefined) => char !== undefined && /\s/.test(char);
  let at = from;
  for (let i = 0; i < text.length;) {
    const char = text[i];
    if (escapes && source[at] === "\\") {
      ESCAPE.lastIndex = at;
      const taken = ESCAPE.exec(source)?.[0] ?? "\\";
      if (/^\\\r?\n$/.test(taken)) {
        at += taken.length;
        while (isSpace(source[at])) at++;
        continue;
      }
      // An escape above U+FFFF stands for two units.
      const units = taken.startsWith("\\U") && (text.codePointAt(i) ?? 0) > 0xffff ? 2 : 1;
      starts.fill(at, i, i + units);
      i += units;
      at += taken.length;
      continue;
    }
    if (isSpace(char)) {
      starts[i++] = at;
      if (source[at] === char && !isSpace(source[at + 1])) {
        at++;
        continue;
      }
      while (isSpace(text[i]) && isSpace(source[at])) starts[i++] = at;
      while (isSpace(source[at])) at++;
      continue;
    }
    while (source[at] !== char && isSpace(source[at])) at++;
    starts[i++] = at;
    // A quote within single quotes is written twice.
    at += char === "'" && source.startsWith("''", at) && !escapes && source[0] === "'" ? 2 : 1;
  }
  starts[text.length] = Math.min(at, source.length);
  return starts;
}
