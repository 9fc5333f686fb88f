/** From tokens to the raw syntax tree, by the grammar of the rule language. */
import type { ArithmeticOp, CompareOp } from "./ast.ts";
import { quote, type Report } from "./faults.ts";
import { type Keyword, type Mark, type Token, tokenize } from "./lexer.ts";
import type { Range, Syntax } from "./syntax.ts";

/** Deepest nesting of an expression; every later pass may recurse this deep. */
export const EXPRESSION_DEPTH_MAX = 200;

/** Longest text of one expression, UTF-16 units. */
export const EXPRESSION_LENGTH_MAX = 20_000;

/** Most arguments of one call. */
const ARGUMENTS_MAX = 32;

/** What to write for words that other languages have. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ["for", 'for is a key of its own, beside when: "for: 5 s"'],
  ["is", 'write "==" to compare'],
  ["in", 'compare with each, joined with "or"'],
  ["xor", 'write "(a or b) and not (a and b)"'],
]);

/** Ends the parsing of one expression; its fault has been reported. */
class Refused extends Error {
  override name = "Refused";
}

/**
 * Parses one expression.
 *
 * @returns the tree, or null if anything was reported
 */
export function parse(text: string, report: Report): Syntax | null {
  if (text.length > EXPRESSION_LENGTH_MAX) {
    report(
      0,
      0,
      `Cannot read an expression of ${text.length} characters: the longest allowed is ${EXPRESSION_LENGTH_MAX}`,
      "split it into several rules",
    );
    return null;
  }
  let faults = 0;
  const counted: Report = (offset, length, message, suggestion) => {
    faults++;
    report(offset, length, message, suggestion);
  };
  const tokens = tokenize(text, counted);
  if (faults > 0) return null;
  try {
    return new Parser(tokens, text, counted).whole();
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

function span(from: Range, to: Range): Range {
  return { offset: from.offset, length: to.offset + to.length - from.offset };
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #end: Token;
  readonly #text: string;
  readonly #report: Report;
  readonly #depths = new WeakMap<Syntax, number>();
  #at = 0;
  #open = 0;

  constructor(tokens: readonly Token[], text: string, report: Report) {
    this.#tokens = tokens;
    this.#text = text;
    this.#report = report;
    this.#end = { kind: "end", offset: text.length, length: 0 };
  }

  whole(): Syntax {
    if (this.#peek().kind === "end") this.#refuse(this.#peek(), "Cannot read an empty expression");
    const tree = this.#or();
    const rest = this.#peek();
    if (rest.kind !== "end") this.#unexpected(rest, "an operator or the end");
    return tree;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? this.#end;
  }

  #isMark(...marks: readonly Mark[]): boolean {
    const token = this.#peek();
    return token.kind === "mark" && marks.includes(token.text);
  }

  #isKeyword(keyword: Keyword): boolean {
    const token = this.#peek();
    return token.kind === "keyword" && token.text === keyword;
  }

  #or(): Syntax {
    let left = this.#and();
    while (this.#isKeyword("or") || this.#isMark("||")) {
      this.#at++;
      const right = this.#and();
      left = this.#node({ kind: "or", left, right, ...span(left, right) }, left, right);
    }
    return left;
  }

  #and(): Syntax {
    let left = this.#not();
    while (this.#isKeyword("and") || this.#isMark("&&")) {
      this.#at++;
      const right = this.#not();
      left = this.#node({ kind: "and", left, right, ...span(left, right) }, left, right);
    }
    return left;
  }

  #not(): Syntax {
    const token = this.#peek();
    if (!this.#isKeyword("not") && !this.#isMark("!")) return this.#compare();
    this.#at++;
    // "not not x" and "!!x" read as one would expect.
    const of = this.#deeper(token, () => this.#not());
    return this.#node({ kind: "not", of, ...span(token, of) }, of);
  }

  #compare(): Syntax {
    const left = this.#sum();
    const op = this.#compareOp();
    if (op === null) return left;
    this.#at++;
    const right = this.#sum();
    const node = this.#node(
      { kind: "compare", op, left, right, ...span(left, right) },
      left,
      right,
    );
    if (this.#compareOp() !== null) {
      this.#refuse(
        this.#peek(),
        "Cannot chain comparisons: one stands already before this one",
        'join two comparisons with "and": 1 < x and x < 3',
      );
    }
    return node;
  }

  #compareOp(): CompareOp | null {
    const token = this.#peek();
    if (token.kind !== "mark") return null;
    switch (token.text) {
      case "<":
      case "<=":
      case ">":
      case ">=":
      case "==":
      case "!=":
        return token.text;
      default:
        return null;
    }
  }

  #sum(): Syntax {
    return this.#chain(["+", "-"], () => this.#term());
  }

  #term(): Syntax {
    return this.#chain(["*", "/"], () => this.#unary());
  }

  #chain(ops: readonly ArithmeticOp[], next: () => Syntax): Syntax {
    let left = next();
    while (true) {
      const token = this.#peek();
      const op = token.kind === "mark"
        ? ops.find((candidate) => candidate === token.text)
        : undefined;
      if (op === undefined) return left;
      this.#at++;
      const right = next();
      const range = span(left, right);
      left = this.#node({ kind: "arithmetic", op, left, right, ...range }, left, right);
    }
  }

  #unary(): Syntax {
    const token = this.#peek();
    if (!this.#isMark("-")) return this.#atom();
    this.#at++;
    const of = this.#atom();
    return this.#node({ kind: "negate", of, ...span(token, of) }, of);
  }

  #atom(): Syntax {
    const token = this.#peek();
    const range = { offset: token.offset, length: token.length };
    switch (token.kind) {
      case "number":
        this.#at++;
        return { kind: "number", value: token.value, unit: token.unit, ...range };
      case "string":
        this.#at++;
        return { kind: "string", text: token.text, ...range };
      case "word":
        this.#at++;
        if (this.#isMark("(")) return this.#call(token.text, range);
        return { kind: "signal", name: token.text, ...range };
      case "keyword":
        if (token.text !== "true" && token.text !== "false") break;
        this.#at++;
        return { kind: "boolean", value: token.text === "true", ...range };
      case "mark": {
        if (token.text !== "(") break;
        this.#at++;
        const inner = this.#deeper(token, () => this.#or());
        const close = this.#expect(")", token);
        const whole = { ...inner, ...span(token, close) };
        this.#depths.set(whole, this.#depths.get(inner) ?? 1);
        return whole;
      }
      case "end":
        break;
    }
    return this.#unexpected(token, "a number, a signal or a function");
  }

  #call(name: string, nameRange: Range): Syntax {
    const open = this.#peek();
    this.#at++;
    const args: Syntax[] = [];
    while (!this.#isMark(")")) {
      if (args.length > 0) {
        if (!this.#isMark(",")) this.#unexpected(this.#peek(), '"," or ")"');
        this.#at++;
      }
      if (args.length === ARGUMENTS_MAX) {
        this.#refuse(this.#peek(), `Cannot take more than ${ARGUMENTS_MAX} arguments in one call`);
      }
      args.push(this.#deeper(open, () => this.#or()));
    }
    const close = this.#expect(")", open);
    const range = span(nameRange, close);
    return this.#node({ kind: "call", name, nameRange, args, ...range }, ...args);
  }

  #expect(mark: Mark, open: Token): Token {
    const token = this.#peek();
    if (!this.#isMark(mark)) {
      if (token.kind === "end") this.#refuse(open, 'Cannot find the ")" that closes this "("');
      this.#unexpected(token, `"${mark}"`);
    }
    this.#at++;
    return token;
  }

  /** Notes the depth of a node, so that no later pass meets a tree that it cannot recurse over. */
  #node<S extends Syntax>(node: S, ...parts: readonly Syntax[]): S {
    let depth = 1;
    for (const part of parts) depth = Math.max(depth, 1 + (this.#depths.get(part) ?? 1));
    if (depth > EXPRESSION_DEPTH_MAX) this.#tooDeep(node);
    this.#depths.set(node, depth);
    return node;
  }

  #deeper<T>(token: Token, body: () => T): T {
    if (++this.#open > EXPRESSION_DEPTH_MAX) this.#tooDeep(token);
    const result = body();
    this.#open--;
    return result;
  }

  #tooDeep(range: Range): never {
    return this.#refuse(
      range,
      `Cannot nest an expression deeper than ${EXPRESSION_DEPTH_MAX} levels`,
      "split it into several rules",
    );
  }

  #unexpected(token: Token, wanted: string): never {
    const previous = this.#tokens[this.#at - 1];
    if (token.kind === "end") {
      return this.#refuse(token, `Cannot end the expression here: ${wanted} is missing`);
    }
    const found = this.#text.slice(token.offset, token.offset + token.length);
    const lower = found.toLowerCase();
    let advice = "";
    if (token.kind === "word" && ["and", "or", "not", "true", "false"].includes(lower)) {
      advice = `write "${lower}" in lower case`;
    } else if (token.kind === "mark" && token.text === "-" && previous?.kind === "mark") {
      advice = "put the negated part in brackets: -(-x)";
    } else if (token.kind === "word") advice = WORDS.get(lower) ?? "";
    else if (token.kind === "mark" && token.text === ")") {
      advice = 'remove it, or open its "(" before';
    } else if (previous?.kind === "number" && (found === "," || token.kind === "number")) {
      advice = "write numbers without separators, and with a point: 100000, 2.5";
    }
    return this.#refuse(token, `Cannot read ${quote(found)} here: expected ${wanted}`, advice);
  }

  #refuse(range: Range, message: string, suggestion = ""): never {
    this.#report(range.offset, range.length, message, suggestion);
    throw new Refused(message);
  }
}

/**
 * Text of a node as written: each run of white space between two tokens is one space, brackets
 * about the whole are left out.
 */
export function writtenText(text: string, range: Range): string {
  const part = text.slice(range.offset, range.offset + range.length);
  const tokens = withoutBrackets(tokenize(part, () => {}).filter((token) => token.kind !== "end"));
  let written = "";
  let last = tokens[0]?.offset ?? 0;
  for (const token of tokens) {
    const own = part.slice(token.offset, token.offset + token.length);
    // Within a token there is white space only between a number and its unit, and within texts.
    written += token.offset > last ? " " : "";
    written += token.kind === "number" ? own.replace(/\s+/, " ") : own;
    last = token.offset + token.length;
  }
  return written;
}

function withoutBrackets(tokens: readonly Token[]): readonly Token[] {
  let inner = tokens;
  while (inner.length > 2 && closingOf(inner) === inner.length - 1) inner = inner.slice(1, -1);
  return inner;
}

/** Index of the bracket that closes the one that the tokens begin with, or -1. */
function closingOf(tokens: readonly Token[]): number {
  let open = 0;
  for (const [i, token] of tokens.entries()) {
    if (token.kind === "mark" && token.text === "(") open++;
    if (token.kind === "mark" && token.text === ")") open--;
    if (open === 0) return token.kind === "mark" && token.text === ")" ? i : -1;
  }
  return -1;
}
