/** From the text of an expression to tokens. */
import type { Report } from "./faults.ts";
import { quote } from "./faults.ts";
import type { Range, UnitSyntax } from "./syntax.ts";

/** Marks of the language, longest first. */
const MARKS = [
  ...["<=", ">=", "==", "!=", "&&", "||"],
  ...["<", ">", "!", "+", "-", "*", "/", "(", ")", ","],
] as const;

/** An operator or bracket. */
export type Mark = typeof MARKS[number];

/** Words with a meaning of their own, which no signal may bear. */
export const KEYWORDS = ["and", "or", "not", "true", "false"] as const;
/** One of `KEYWORDS`. */
export type Keyword = typeof KEYWORDS[number];

/** One token. */
export type Token =
  & Range
  & (
    | { readonly kind: "number"; readonly value: number; readonly unit: UnitSyntax | null }
    | { readonly kind: "string"; readonly text: string }
    | { readonly kind: "word"; readonly text: string }
    | { readonly kind: "keyword"; readonly text: Keyword }
    | { readonly kind: "mark"; readonly text: Mark }
    | { readonly kind: "end" }
  );

const SPACE = /[ \t\r\n]+/y;
const NUMBER = /(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*/y;
const UNIT_PART = "(?:[%°]|[A-Za-zµμΩΩ])[A-Za-z0-9µμΩΩ·²³^]*";
const UNIT = new RegExp(`${UNIT_PART}(?:/${UNIT_PART})*`, "y");
const STRING = /"(?:[^"\\\n]|\\["\\])*"|'(?:[^'\\\n]|\\['\\])*'/y;

/** What a mark that other languages use is called here. */
const FOREIGN: ReadonlyMap<string, string> = new Map([
  ["=>", 'write ">="'],
  ["=<", 'write "<="'],
  ["≥", 'write ">="'],
  ["≤", 'write "<="'],
  ["≠", 'write "!="'],
  ["×", 'write "*"'],
  ["÷", 'write "/"'],
  ["−", 'write "-", the minus of the keyboard'],
  ["–", 'write "-", the minus of the keyboard'],
  ["“", 'write the straight quotes of the keyboard: "R"'],
  ["”", 'write the straight quotes of the keyboard: "R"'],
  ["„", 'write the straight quotes of the keyboard: "R"'],
  ["‘", "write the straight quotes of the keyboard: 'R'"],
  ["’", "write the straight quotes of the keyboard: 'R'"],
  ["=", 'write "==" to compare'],
  ["<>", 'write "!="'],
  ["&", 'write "and"'],
  ["|", 'write "or"'],
  ["%", "a percentage is written as a number and a unit: 5 %"],
  ["^", "write the product out: x * x"],
  ["[", "write brackets as ( )"],
  ["{", "write brackets as ( )"],
]);

function isKeyword(text: string): text is Keyword {
  return KEYWORDS.some((keyword) => keyword === text);
}

function isKeywordAt(text: string, unit: string): boolean {
  return isKeyword(text) || isKeyword(unit);
}

/**
 * Splits an expression into tokens, the last of which is "end".
 *
 * A unit belongs to the number before it: spaces may stand between the two, none within the unit.
 * Characters that begin no token are reported, once for each run of them, and passed over.
 */
export function tokenize(text: string, report: Report): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;

  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? "";
    return found;
  };

  const takeUnit = (): UnitSyntax | null => {
    const start = at;
    at += take(SPACE).length;
    const unit = take(UNIT);
    if (unit === "" || isKeywordAt(take(WORD), unit)) {
      at = start;
      return null;
    }
    const found = { text: unit, offset: at, length: unit.length };
    at += unit.length;
    return found;
  };

  while (true) {
    at += take(SPACE).length;
    if (at >= text.length) break;
    const offset = at;
    const number = take(NUMBER);
    if (number !== "") {
      at += number.length;
      const unit = takeUnit();
      const value = Number(number);
      if (!Number.isFinite(value)) {
        report(offset, number.length, `Cannot read ${quote(number)} as a number: it is too large`);
      }
      tokens.push({ kind: "number", value, unit, offset, length: at - offset });
      continue;
    }
    const word = take(WORD);
    if (word !== "") {
      at += word.length;
      const range = { offset, length: word.length };
      if (isKeyword(word)) tokens.push({ kind: "keyword", text: word, ...range });
      else tokens.push({ kind: "word", text: word, ...range });
      continue;
    }
    const string = take(STRING);
    if (string !== "") {
      at += string.length;
      const inner = string.slice(1, -1).replaceAll(/\\(.)/g, "$1");
      tokens.push({ kind: "string", text: inner, offset, length: string.length });
      continue;
    }
    const mark = MARKS.find((candidate) => text.startsWith(candidate, at));
    if (mark !== undefined && !(mark === "<" && text[at + 1] === ">")) {
      at += mark.length;
      tokens.push({ kind: "mark", text: mark, offset, length: mark.length });
      continue;
    }
    at += badRun(text, at, report);
  }
  tokens.push({ kind: "end", offset: text.length, length: 0 });
  return tokens;
}

/** Reports what begins no token at `at`; returns how much to pass over. */
function badRun(text: string, at: number, report: Report): number {
  const char = text[at] ?? "";
  if (char === '"' || char === "'") {
    const end = text.indexOf("\n", at);
    const length = (end === -1 ? text.length : end) - at;
    report(at, length, `Cannot read the text from here on: its closing ${char} is missing`);
    return length;
  }
  const two = text.slice(at, at + 2);
  const run = ["<>", "=>", "=<"].includes(two)
    ? two
    : /[^\sA-Za-z0-9_"'<>!+\-*/(),.]*/y.exec(text.slice(at))?.[0] ?? "";
  const length = Math.max(1, Math.min(run.length, 20));
  const bad = text.slice(at, at + length);
  const advice = FOREIGN.get(two) ?? FOREIGN.get(char) ?? "";
  report(at, length, `Cannot read ${quote(bad)} in an expression`, advice);
  return Math.max(1, run.length);
}
