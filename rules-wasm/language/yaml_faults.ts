/** What is wrong with a file as YAML, in words for people who do not know YAML well. */
import { type Document, visit, type YAMLError } from "yaml";

/** A fault of YAML itself: where, what, and what to do. */
export interface YamlFault {
  readonly offset: number;
  readonly length: number;
  readonly why: string;
  readonly advice: string;
}

/** What the reader says, and how it is told. */
interface Wording {
  readonly said: RegExp;
  readonly why: string;
  readonly advice: string;
  /** Where the cause lies; by default where the reader met its consequence. */
  readonly at?: (document: Document, text: string, offset: number) => Place;
}

interface Place {
  readonly offset: number;
  readonly length: number;
}

const WORDINGS: readonly Wording[] = [
  {
    said: /^Missing closing/,
    why: "the quote that opens here is never closed",
    advice: "close it, or remove it",
    at: openQuote,
  },
  {
    said: /^(Flow|Expected flow) (map|sequence|seq).*(must|end)/i,
    why: "the bracket that opens here is never closed",
    advice: "close { with } and [ with ]; a text that begins with one of them goes in quotes",
    at: openBracket,
  },
  {
    said: /^Tabs are not allowed/,
    why: "the line is indented by a tab",
    advice: "indent with spaces",
  },
  {
    said:
      /^(Sequence item without - indicator|All (mapping|sequence) items must start at the same)/,
    why: "this line begins in another column than the lines that it belongs to",
    advice: "keys of one rule stand exactly below one another",
    at: firstOfLine,
  },
  {
    said: /^Implicit map keys need to be followed by map values/,
    why: "this is no key with a value",
    advice: 'write a colon and a space after the key, as in "when: speed > 5"',
  },
  {
    said: /^(Implicit keys need to be on a single line|The : indicator must be at most)/,
    why: "this key goes on for too long",
    advice: "close its quotes, or put the colon on the same line",
  },
  {
    said: /^Unexpected flow-error-end/,
    why: "a bracket closes here that nothing opened",
    advice: "remove it, or put the whole text in quotes",
  },
  {
    said: /^Unexpected \S+ at node end/,
    why: "there is more text after the end of the value",
    advice: 'put the whole text in quotes: "..."',
  },
  {
    said: /^Nested mappings are not allowed in compact/,
    why: 'the value holds a ": " of its own',
    advice: "put the whole text in quotes",
    at: innerColon,
  },
  {
    said: /^Unresolved tag/,
    why: 'YAML takes what begins with "!" for a tag',
    advice: 'write "not" for "!", or put the text in quotes',
  },
  {
    said: /^Source contains multiple documents/,
    why: 'another document begins at "---"',
    advice: "remove that line, or keep each document in a file of its own",
  },
  {
    said: /^Plain value cannot start with/,
    why: "a text cannot begin with this character",
    advice: "put the text in quotes",
  },
  {
    said: /^Missing directives-end/,
    why: 'a line that begins with "%" is a directive of YAML',
    advice: "put the text in quotes",
  },
];

/** What most often leads to another fault, by its code. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ["TAG_RESOLVE_FAILED", 'write "not" for "!", or put the text in quotes'],
  ["UNEXPECTED_TOKEN", "put a text with brackets, braces or quotes in it in quotes"],
  ["BAD_SCALAR_START", "put the text in quotes"],
  ["BLOCK_AS_IMPLICIT_KEY", 'a text with ": " in it goes in quotes'],
  ["TAB_AS_INDENT", "indent with spaces"],
]);

/**
 * Words a fault of the reader anew.
 *
 * @param text the file that `document` was read from
 */
export function yamlFault(error: YAMLError, document: Document, text: string): YamlFault {
  const { pos: [start, end], code, message } = error;
  if (message.includes("call stack")) {
    return { offset: start, length: 0, why: "it is nested too deeply", advice: "" };
  }
  const within = ({ offset, length }: Place): Place => {
    const from = Math.min(offset, text.length);
    return { offset: from, length: Math.max(0, Math.min(length, text.length - from)) };
  };
  const place = within({ offset: start, length: end - start });
  const wording = WORDINGS.find(({ said }) => said.test(message));
  if (wording === undefined) return { ...place, why: message, advice: ADVICE.get(code) ?? "" };
  const { why, advice, at } = wording;
  return { ...within(at?.(document, text, start) ?? place), why, advice };
}

/** The last quote that opens a scalar which goes on to the end of the file. */
function openQuote(document: Document, text: string, offset: number): Place {
  let found = offset;
  visit(document, {
    Scalar: (_key, { type, range }) => {
      const quoted = type === "QUOTE_DOUBLE" || type === "QUOTE_SINGLE";
      if (quoted && range && range[0] <= offset && range[1] >= offset) found = range[0];
    },
  });
  const line = text.indexOf("\n", found);
  const end = line === -1 ? text.length : line;
  return { offset: found, length: Math.max(1, Math.min(text.length, end) - found) };
}

/** The innermost bracket that opens before the fault and is not closed before it. */
function openBracket(document: Document, text: string, offset: number): Place {
  let found = offset;
  visit(document, {
    Collection: (_key, { flow, range }) => {
      if (flow !== true || !range || range[0] > offset) return;
      const last = text[range[1] - 1];
      const closed = last === "}" || last === "]";
      if (!closed || range[1] > offset) found = range[0];
    },
  });
  return { offset: found, length: 1 };
}

function firstOfLine(_document: Document, text: string, offset: number): Place {
  let at = offset;
  while (text[at] === " ") at++;
  const line = text.indexOf("\n", at);
  const rest = text.slice(at, line === -1 ? text.length : line).trimEnd();
  return { offset: at, length: Math.max(1, rest.length) };
}

function innerColon(_document: Document, text: string, offset: number): Place {
  const line = text.indexOf("\n", offset);
  const at = text.slice(offset, line === -1 ? text.length : line).indexOf(": ");
  return { offset: at === -1 ? offset : offset + at, length: 1 };
}
