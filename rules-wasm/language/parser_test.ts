import { assertEquals, assertStringIncludes } from "@std/assert";
import { EXPRESSION_DEPTH_MAX, parse, writtenText } from "./parser.ts";
import type { Syntax } from "./syntax.ts";

interface Said {
  readonly at: number;
  readonly length: number;
  readonly message: string;
  readonly suggestion: string;
}

function parsed(text: string): { tree: Syntax | null; said: Said[] } {
  const said: Said[] = [];
  const tree = parse(
    text,
    (at, length, message, suggestion = "") => said.push({ at, length, message, suggestion }),
  );
  return { tree, said };
}

function write(node: Syntax): string {
  switch (node.kind) {
    case "number":
      return node.unit === null ? String(node.value) : `${node.value}[${node.unit.text}]`;
    case "string":
      return JSON.stringify(node.text);
    case "boolean":
      return String(node.value);
    case "signal":
      return node.name;
    case "call":
      return `${node.name}(${node.args.map(write).join(" ")})`;
    case "negate":
      return `(- ${write(node.of)})`;
    case "not":
      return `(not ${write(node.of)})`;
    case "arithmetic":
    case "compare":
      return `(${node.op} ${write(node.left)} ${write(node.right)})`;
    case "and":
    case "or":
      return `(${node.kind} ${write(node.left)} ${write(node.right)})`;
  }
}

Deno.test("parser: precedence and association are those of the grammar", () => {
  const cases: readonly [string, string][] = [
    ["a or b and c", "(or a (and b c))"],
    ["a and b or c", "(or (and a b) c)"],
    ["a || b && !c", "(or a (and b (not c)))"],
    ["not a and b", "(and (not a) b)"],
    ["not a > 3", "(not (> a 3))"],
    ["not not a", "(not (not a))"],
    ["a - b - c", "(- (- a b) c)"],
    ["a / b * c", "(* (/ a b) c)"],
    ["a + b * c", "(+ a (* b c))"],
    ["(a + b) * c", "(* (+ a b) c)"],
    ["-a * b", "(* (- a) b)"],
    ["a * -b", "(* a (- b))"],
    ["a < b + 1", "(< a (+ b 1))"],
    ["a == b", "(== a b)"],
    ["(a < b) == true", "(== (< a b) true)"],
    ["speed > 130 km/h", "(> speed 130[km/h])"],
    ["x>12.2V and y>9%", "(and (> x 12.2[V]) (> y 9[%]))"],
    ["rate(speed, 1 s) < -12 km/h/s", "(< rate(speed 1[s]) (- 12[km/h/s]))"],
    ["trip / 2 h > 3", "(> (/ trip 2[h]) 3)"],
    ["gps.speed >= .5e2", "(>= gps.speed 50)"],
    ["mode == \"D\" or mode == 'it\\'s'", '(or (== mode "D") (== mode "it\'s"))'],
    ["hour() < 5", "(< hour() 5)"],
    ["a\n  and\tb", "(and a b)"],
    ["3 and b", "(and 3 b)"],
  ];
  for (const [text, expected] of cases) {
    const { tree, said } = parsed(text);
    assertEquals(said, [], text);
    assertEquals(tree === null ? "" : write(tree), expected, text);
  }
});

Deno.test("parser: a fault says where it is, and what to write", () => {
  const cases: readonly [string, number, number, string, string][] = [
    ["", 0, 0, "empty expression", ""],
    ["a >", 3, 0, "a number, a signal or a function is missing", ""],
    ["a = 3", 2, 1, 'Cannot read "="', 'write "==" to compare'],
    ["a <> 3", 2, 2, 'Cannot read "<>"', 'write "!="'],
    ["1 < a < 3", 6, 1, "Cannot chain comparisons", 'join two comparisons with "and"'],
    ["(a > 3", 0, 1, 'Cannot find the ")"', ""],
    ["a > 3)", 5, 1, 'Cannot read ")" here', ""],
    ["a AND b", 2, 3, 'Cannot read "AND" here', 'write "and" in lower case'],
    ["f(a b)", 4, 1, 'expected "," or ")"', ""],
    ['mode == "D', 8, 2, 'its closing " is missing', ""],
    ["a > 5 & b", 6, 1, 'Cannot read "&"', 'write "and"'],
    ["a % 2 > 1", 2, 1, 'Cannot read "%"', "a percentage"],
    ["a > 1e999", 4, 5, "it is too large", ""],
    ["a > @@@ 3", 4, 3, 'Cannot read "@@@"', ""],
    ["--a > 1", 1, 1, 'Cannot read "-" here', "brackets"],
  ];
  for (const [text, at, length, message, suggestion] of cases) {
    const { tree, said } = parsed(text);
    assertEquals(tree, null, text);
    assertEquals([said[0]?.at, said[0]?.length], [at, length], text);
    assertStringIncludes(said[0]?.message ?? "", message, text);
    assertStringIncludes(said[0]?.suggestion ?? "", suggestion, text);
  }
});

Deno.test("parser: every unreadable place of an expression is reported", () => {
  assertEquals(parsed("a # 1 and b = 2 or c ? 3").said.map((fault) => fault.at), [2, 12, 21]);
});

Deno.test("parser: deep nesting is a fault, not a stack overflow", () => {
  const deep = 100_000;
  const few = EXPRESSION_DEPTH_MAX + 1;
  for (
    const text of [
      `${"(".repeat(few)}a${")".repeat(few)}`,
      "(".repeat(19_000),
      "not ".repeat(few) + "a",
      Array.from({ length: few + 1 }, () => "a").join(" and "),
      Array.from({ length: few + 1 }, () => "a").join("+"),
      "f(".repeat(few),
    ]
  ) {
    const { tree, said } = parsed(text);
    assertEquals(tree, null);
    assertStringIncludes(said[0]?.message ?? "", "Cannot nest an expression deeper");
  }
  assertStringIncludes(parsed("(".repeat(deep)).said[0]?.message ?? "", "longest allowed");
});

Deno.test("parser: a term's text is as written, spaces normalised", () => {
  const cases: readonly [string, string][] = [
    ["speed  >   130 km/h", "speed > 130 km/h"],
    ["speed>130km/h", "speed>130km/h"],
    ["( a\n+ b ) >\t3", "( a + b ) > 3"],
    ["(speed > 3)", "speed > 3"],
    ["((a) > (b))", "(a) > (b)"],
    ['mode == "a  b"', 'mode == "a  b"'],
  ];
  for (const [text, expected] of cases) {
    assertEquals(writtenText(text, { offset: 0, length: text.length }), expected);
  }
});
