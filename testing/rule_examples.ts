/** Examples in a page about rules: fenced blocks of rules, and traces of what they must do. */
import type { Catalog } from "../contract/catalog.ts";
import type { Transition } from "../contract/anomaly.ts";
import { loadCatalog } from "../rules-wasm/language/catalog_file.ts";
import { formatFaults } from "../rules-wasm/language/format_fault.ts";
import { seconds, Trace, type TraceRow, traceRules } from "./engine_trace.ts";

/** One example: rules, or a single expression, with the trace that shows what they do. */
export interface RuleExample {
  /** Page and line of the trace, for failures. */
  readonly place: string;
  /** The heading that it stands under. */
  readonly heading: string;
  /** A whole file of rules; null for an expression by itself. */
  readonly rules: string | null;
  /** The expression, "" where there are rules. */
  readonly expression: string;
  /** `settings` of an expression's trace. */
  readonly settings: string;
  readonly catalog: Catalog;
  /** Zones as GeoJSON, "" for none. */
  readonly zones: string;
  readonly rows: readonly ExampleRow[];
}

/** One line of a trace. */
export interface ExampleRow {
  readonly text: string;
  readonly row: TraceRow;
  /** What is said to come of it, in the words of `runExample`. */
  readonly expected: string;
}

/** A fenced block: what stands behind the fence, its lines, and where. */
interface Block {
  readonly info: string;
  readonly body: string;
  readonly line: number;
  readonly heading: string;
}

function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let heading = "";
  let open: { info: string; lines: string[]; line: number } | null = null;
  page.split("\n").forEach((text, i) => {
    if (open !== null && text === "```") {
      blocks.push({ info: open.info, body: open.lines.join("\n"), line: open.line, heading });
      open = null;
    } else if (open !== null) open.lines.push(text);
    else if (text.startsWith("```")) open = { info: text.slice(3), lines: [], line: i + 1 };
    else if (text.startsWith("#")) heading = text.replace(/^#+ /, "");
  });
  return blocks;
}

/** A file made of a block, which may leave out what every file begins with. */
export function wholeFile(block: string): string {
  if (/^version:/m.test(block)) return block;
  return /^- /.test(block) ? `version: 1\nrules:\n${block}` : `version: 1\n${block}`;
}

/**
 * The examples of a page: each trace with the rules above it. A catalog (`yaml signals`) is for
 * those that follow it under its heading, zones (`json zones`) for all that follow.
 *
 * @throws {SyntaxError} naming the line that cannot be read
 */
export function examplesOf(page: string, name: string, shipped: Catalog): RuleExample[] {
  const examples: RuleExample[] = [];
  let rules: Block | null = null;
  let zones = "";
  let catalog: { heading: string; catalog: Catalog } | null = null;
  for (const block of blocksOf(page)) {
    const place = `${name}:${block.line}`;
    if (block.info === "yaml rules") rules = block;
    if (block.info === "json zones") zones = block.body;
    if (block.info === "yaml signals") {
      const loaded = loadCatalog(block.body, { file: place });
      if (!loaded.ok) throw new SyntaxError(formatFaults(loaded.faults, block.body));
      catalog = { heading: block.heading, catalog: loaded.catalog };
    }
    if (block.info !== "trace") continue;
    const lines = block.body.split("\n");
    const settings = /^settings:/.test(lines[0]) ? lines.shift() ?? "" : "";
    const expression = /^[\d.:]+(?: [a-z]| {2})/.test(lines[0]) ? "" : lines.shift() ?? "";
    if (expression === "" && rules === null) throw new SyntaxError(`${place}: no rules above it`);
    examples.push({
      place,
      heading: block.heading,
      rules: expression === "" && rules !== null ? wholeFile(rules.body) : null,
      expression,
      settings,
      catalog: catalog?.heading === block.heading ? catalog.catalog : shipped,
      zones,
      rows: lines.filter((line) => line.trim() !== "").map((line) => readRow(line, place)),
    });
  }
  return examples;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  min: 60,
  h: 3600,
  d: 86_400,
};

/** A time in seconds: `12.5 s`, `1 d 2 h`, or a time of day. */
function readTime(text: string, place: string): number {
  const clock = /^(\d+):(\d\d)(?::(\d\d))?$/.exec(text);
  if (clock !== null) {
    return Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3] ?? 0);
  }
  if (!/^(-?[\d.]+ (ms|s|min|h|d) ?)+$/.test(text)) {
    throw new SyntaxError(`${place}: Cannot read ${JSON.stringify(text)} as a time`);
  }
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/(-?[\d.]+) (\w+)/g)) {
    sum += Number(number) * UNIT_SECONDS[unit];
  }
  return Math.round(sum * 1000) / 1000;
}

/** Reads `TIME  [VEHICLE:] signal=value … [at TIME]  → what comes of it`. */
function readRow(text: string, place: string): ExampleRow {
  const [time, given = "", ...rest] = text.trim().split(/\s{2,}|\s+(?=[→=] )/);
  const a = readTime(time, place);
  const expected = rest.join(" ").replace(/^[→=] /, "");
  if (given === "tick") return { text, row: { a }, expected };
  const at = / at (.+)$/.exec(given);
  const vehicle = /^(\S+): /.exec(given);
  const is: Record<string, number | boolean | string> = {};
  for (const word of given.slice(vehicle?.[0].length ?? 0, at?.index).trim().split(/\s+/)) {
    const [, name, value] = /^([^=]+)=(.+)$/.exec(word) ?? [];
    if (name === undefined) throw new SyntaxError(`${place}: Cannot read ${word} in ${text}`);
    const isNumber = !Number.isNaN(Number(value));
    is[name] = isNumber ? Number(value) : value === "true" || (value === "false" ? false : value);
  }
  const row = {
    a,
    is,
    ...(at === null ? {} : { t: readTime(at[1], place) }),
    ...(vehicle === null ? {} : { v: vehicle[1] }),
  };
  return { text, row, expected };
}

/** What is left of a transition's details when those that an example names are taken away. */
function transitionText(transition: Transition, expected: string): string {
  const { kind, rule, reason, at, onset, severity, count, message } = transition;
  const all = [
    `at ${seconds(at)} s`,
    `onset ${seconds(onset)} s`,
    severity,
    `count ${count}`,
    JSON.stringify(message),
  ];
  const named = expected.split(/, (?=(?:[^"]*"[^"]*")*[^"]*$)/).slice(1);
  const why = reason === undefined || reason === "condition" ? "" : ` (${reason})`;
  return [
    `${kind} ${rule}${why}`,
    ...named.map((detail) => {
      const same = all.find((each) => each.split(" ")[0] === detail.split(" ")[0]);
      return detail.startsWith('"') ? all[4] : all.includes(detail) ? detail : same ?? severity;
    }),
  ].join(", ");
}

/** What came of each line of an example, in the words in which the page tells it. */
export function runExample(example: RuleExample): string[] {
  const { rules, expression, rows } = example;
  return rules === null ? values(expression, example) : transitions(rules, rows, example);
}

function transitions(
  rules: string,
  rows: readonly ExampleRow[],
  { catalog, zones }: RuleExample,
): string[] {
  const trace = new Trace(traceRules(rules, catalog, zones));
  return rows.map(({ row, expected }) => {
    const before = trace.engine.counts();
    const said = expected.split("; ");
    const found = trace.push([row]).map((each, i) => transitionText(each, said[i] ?? ""));
    const after = trace.engine.counts();
    if (after.late > before.late) found.push("late");
    if (after.duplicates > before.duplicates) found.push("duplicate");
    if (after.refused > before.refused) found.push("refused");
    return found.join("; ");
  });
}

/** The expression's value or truth at each row; "" where a row is not evaluated. */
function values(expression: string, example: RuleExample): string[] {
  const { rows, catalog, settings, zones } = example;
  const text = JSON.stringify(expression);
  const once = "once: true, max_gap: 1 ms";
  const file = (rules: string) =>
    traceRules(`version: 1\n${settings}\nrules: [${rules}]`, catalog, zones);
  const isValue = /^(?!.*([<>=!]|\b(and|or|not)\b))/.test(expression.replace(/\(.*\)/g, "")) &&
    !/^(rose|fell|changed|held|seq|inside|entered|left)\(/.test(expression);
  if (isValue) {
    const rule = `{ id: v, when: "true", ${once}, message: ${JSON.stringify(`{${expression}}`)} }`;
    const trace = new Trace(file(rule));
    return rows.map(({ row }) => trace.push([row]).map(({ message }) => message).join());
  }
  const no = JSON.stringify(`not (${expression})`);
  const trace = new Trace(file(
    `{ id: "true", when: ${text}, ${once} }, { id: "false", when: ${no}, ${once} }`,
  ));
  return rows.map(({ row }) =>
    trace.push([row]).map(({ rule }) => rule).join() || (row.is === undefined ? "" : "unknown")
  );
}
