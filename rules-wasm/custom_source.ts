/**
 * Reads the source of a custom operator: holds it to the subset that means the same in
 * AssemblyScript and in TypeScript, and writes what the AssemblyScript compiler is given.
 */
import type { CustomOperator } from "./language/custom_operators.ts";
import { didYouMean } from "./language/faults.ts";

/** What is wrong with a custom operator, each as one line for its author. */
export class CustomOperatorError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`Cannot build the custom operators:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
  }
}

/** An operator's source, read. */
export interface CustomSource {
  /** For the AssemblyScript compiler; every line where it was. */
  readonly assembly: string;
  /** The source without comments and layout: equal text, equal meaning. */
  readonly meaning: string;
}

interface Token {
  readonly kind: "space" | "number" | "word" | "text" | "mark";
  readonly text: string;
  readonly offset: number;
}

const TOKEN = new RegExp(
  [
    String.raw`(?<space>\s+|//[^\n]*|/\*[^]*?\*/)`,
    String.raw`(?<number>(?:\d\w*(?:\.\w*)?|\.\d\w*)(?:(?<=[eE])[+-]\d+)?)`,
    String.raw`(?<word>[A-Za-z_$][\w$]*)`,
    String.raw`(?<text>"[^"\n]*"|'[^'\n]*')`,
    String.raw`(?<mark>===|!==|==|!=|<=|>=|&&|\|\||\+\+|--|[-+*/]=|[-+*/<>!=?:;,.(){}])`,
  ].join("|"),
  "y",
);

/** Numbers that both worlds read alike. */
const DECIMAL = /^(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

const KEYWORDS = new Set(
  "import export from function const let if else return for while do break continue true false"
    .split(" "),
);
/** Types, and what both worlds have under the same name. */
const GLOBALS = new Set(["number", "boolean", "void", "NaN", "Infinity", "isNaN", "isFinite"]);
/** What of `Math` is rounded in one way only. */
const MATH = new Set(["abs", "ceil", "floor", "max", "min", "sqrt", "trunc"]);

/** What an operator may import, and what the compiler is given for it. */
const IMPORTS: ReadonlyMap<string, string> = new Map([
  ["../slots.ts", "../slots_kernel"],
  ["../shared_math.ts", "../shared_math"],
]);

/**
 * Reads an operator's source.
 *
 * @throws {CustomOperatorError} with all that is wrong with it
 */
export function readCustomSource(operator: CustomOperator, source: string): CustomSource {
  const file = `custom/${operator.name}.ts`;
  const faults: string[] = [];
  const fault = (offset: number, message: string) => {
    const before = source.slice(0, offset).split("\n");
    faults.push(`${file}:${before.length}:${(before.at(-1) ?? "").length + 1}: ${message}`);
  };
  const all = tokenize(source, fault);
  const tokens = all.filter(({ kind }) => kind !== "space");
  checkTokens(tokens, operator, fault);
  checkFunction(tokens, operator, file, fault, faults);
  if (faults.length > 0) throw new CustomOperatorError(faults);
  return {
    assembly: all.map((token) => token.kind === "space" ? token.text : forAssembly(token)).join(""),
    meaning: tokens.map(({ text }) => text).join(" "),
  };
}

type Fault = (offset: number, message: string) => void;

function tokenize(source: string, fault: Fault): readonly Token[] {
  const tokens: Token[] = [];
  for (let offset = 0; offset < source.length;) {
    TOKEN.lastIndex = offset;
    const groups = TOKEN.exec(source)?.groups ?? {};
    const kinds = ["space", "number", "word", "text", "mark"] as const;
    const kind = kinds.find((each) => groups[each] !== undefined);
    if (kind === undefined) {
      fault(offset, foreign(source[offset]));
      // One fault tells of a place: what follows it may be anything.
      return tokens;
    }
    tokens.push({ kind, text: groups[kind], offset });
    offset += groups[kind].length;
  }
  return tokens;
}

function foreign(mark: string): string {
  if ("&|^~%".includes(mark)) {
    return `Cannot use "${mark}": an operator computes with + - * / and comparisons only`;
  }
  if ("[]".includes(mark)) {
    return 'Cannot use "[": keep numbers in slots, with get(i) and set(i, x)';
  }
  return `Cannot use ${JSON.stringify(mark)}: an operator handles numbers only`;
}

/** A whole number is 32 bits of integer for AssemblyScript, unless it is written with a fraction. */
function forAssembly({ kind, text }: Token): string {
  if (kind === "number" && /^\d+$/.test(text)) return `${text}.0`;
  return kind === "text" ? JSON.stringify(IMPORTS.get(text.slice(1, -1)) ?? "") : text;
}

/** Names, numbers and texts, one by one. */
function checkTokens(tokens: readonly Token[], operator: CustomOperator, fault: Fault): void {
  const own = new Set<string>();
  tokens.forEach(({ kind, text }, i) => {
    const before = tokens[i - 1]?.text ?? "";
    const declares = ["function", "const", "let"].includes(before) || tokens[i + 1]?.text === ":";
    if (kind === "word" && declares) own.add(text);
  });
  let depth = 0;
  let importing = false;
  tokens.forEach(({ kind, text, offset }, i) => {
    const before = tokens[i - 1]?.text ?? "";
    if (text === "{") depth++;
    else if (text === "}") depth--;
    else if (text === "import") importing = true;
    else if (text === ";") importing = false;
    else if (kind === "word" && importing && !KEYWORDS.has(text)) own.add(text);
    else if (text === "let" && depth === 0) {
      fault(
        offset,
        "Cannot keep a variable outside of a function: all vehicles would share it; keep it in a slot",
      );
    } else if (text === ">" && before === "=") {
      fault(offset, 'Cannot use "=>": write a function');
    } else if (text.startsWith("*") && before === "*") {
      fault(offset, 'Cannot use "**": write the product out');
    } else if (kind === "number" && !DECIMAL.test(text)) {
      fault(offset, `Cannot read ${text}: write it in decimal digits, such as 0.5 or 1e6`);
    } else if (kind === "text" && before !== "from") {
      fault(offset, `Cannot use the text ${text}: an operator handles numbers only`);
    } else if (kind === "text" && !IMPORTS.has(text.slice(1, -1))) {
      const may = [...IMPORTS.keys()].join(" and ");
      fault(offset, `Cannot import ${text}: an operator may import ${may}`);
    } else if (kind === "word") {
      const message = before === "."
        ? memberFault(tokens, i, operator)
        : own.has(text) || KEYWORDS.has(text) || GLOBALS.has(text) || text === "Math"
        ? ""
        : `Cannot use ${text}: it is not in the subset that both engines run`;
      if (message !== "") fault(offset, message);
    }
  });
}

/** What is wrong with what stands behind a dot. */
function memberFault(tokens: readonly Token[], i: number, operator: CustomOperator): string {
  const { text } = tokens[i];
  if (tokens[i - 2]?.text === "Math") {
    if (MATH.has(text)) return "";
    const may = [...MATH].join(", ");
    return `Cannot use Math.${text}: engines round it differently; there are ${may}, and what ../shared_math.ts has`;
  }
  if (text !== "get" && text !== "set") {
    return `Cannot use .${text}: slots have get(i) and set(i, x)`;
  }
  const place = Number(tokens[i + 2]?.text);
  const alone = [",", ")"].includes(tokens[i + 3]?.text ?? "");
  if (!alone || Number.isNaN(place) || place < operator.slots) return "";
  return outsideText(place, operator);
}

/** Tells of a place that an operator has not declared. */
export function outsideText(place: number, { slots }: CustomOperator): string {
  const has = slots === 0
    ? "no slots"
    : `${slots} slot${slots === 1 ? "" : "s"}, 0 to ${slots - 1}`;
  return `Cannot use slot ${place}: it declares ${has}`;
}

/** The function itself: exported under the operator's name, with the declared arguments. */
function checkFunction(
  tokens: readonly Token[],
  operator: CustomOperator,
  file: string,
  fault: Fault,
  faults: string[],
): void {
  const { name } = operator;
  const exported = tokens.flatMap(({ text }, i) =>
    text === "export" && tokens[i + 1]?.text === "function" ? [i + 2] : []
  );
  const at = exported.find((i) => tokens[i]?.text === name);
  if (at === undefined) {
    const found = exported.map((i) => tokens[i]?.text ?? "");
    const advice = didYouMean(name, found) === "" ? "" : ` (it exports ${found.join(", ")})`;
    faults.push(`${file}: Cannot find an exported function named ${name} in it${advice}`);
    return;
  }
  const end = tokens.findIndex(({ text }, i) => i > at && text === ")");
  const parts = tokens.slice(at + 2, end).map(({ text }) => text).join(" ").replace(/ ,$/, "");
  const given = parts === "" ? [] : parts.split(" , ");
  const types = given.map((each) => each.split(" : ")[1] ?? "");
  const wanted = ["Slots", "number", ...operator.arguments.map(() => "number")];
  const result = `${tokens[end + 1]?.text} ${tokens[end + 2]?.text}`;
  if (types.join() === wanted.join() && result === ": number") return;
  const names = [
    "state: Slots",
    "t: number",
    ...operator.arguments.map((a) => `${a.name}: number`),
  ];
  const why = types.length === wanted.length
    ? "other types"
    : `${types.length} parameter${
      types.length === 1 ? "" : "s"
    } where ${wanted.length} are called for`;
  fault(
    tokens[at].offset,
    `Cannot call ${name} as declared: it has ${why}; write function ${name}(${
      names.join(", ")
    }): number`,
  );
}
