/** Expected beside got on a line of time, for a terminal. */
import type { TransitionKind } from "../../contract/anomaly.ts";
import type { Rule, RuleSet } from "../language/ast.ts";
import { signalsOf } from "../language/brings.ts";
import type { RuleCase } from "./case_file.ts";
import type { CaseFailure } from "./run_case.ts";
import type { SeriesValue } from "./series_text.ts";

/** How lines are drawn. */
export interface LineStyle {
  readonly ascii: boolean;
  readonly colour: boolean;
}

/** Most columns of a line of time. */
const COLUMNS_MAX = 64;
/** Columns before the line begins. */
const MARGIN = 14;

interface Marks {
  readonly kinds: Readonly<Record<TransitionKind, string>>;
  readonly open: string;
  readonly closed: string;
  readonly heights: readonly string[];
}

const UNICODE: Marks = {
  kinds: { opened: "▲", escalated: "↑", deescalated: "↓", reopened: "△", cleared: "▼" },
  open: "━",
  closed: "┄",
  heights: [..."▁▂▃▄▅▆▇█"],
};
const ASCII: Marks = {
  kinds: { opened: "O", escalated: "E", deescalated: "D", reopened: "R", cleared: "C" },
  open: "=",
  closed: ".",
  heights: [..."0123456789"],
};

/** Draws a failure: the two lines, the signals of its rule below, and what the marks mean. */
export function timeLines(
  { rule: id, vehicle, expected, got }: CaseFailure,
  test: RuleCase,
  rules: RuleSet,
  style: LineStyle,
): readonly string[] {
  const marks = style.ascii ? ASCII : UNICODE;
  const steps = Math.floor(test.endMs / test.intervalMs) + 1;
  const columns = Math.min(COLUMNS_MAX, steps);
  const columnMs = test.endMs / Math.max(1, columns - 1) || 1;
  const columnOf = (ms: number) => Math.max(0, Math.min(columns - 1, Math.round(ms / columnMs)));
  const rule = rules.rules.find((each) => each.id === id);
  const once = rule?.once ?? false;
  const draw = (all: readonly { kind: TransitionKind; at: number }[]) => {
    const line = Array<string>(columns).fill(marks.closed);
    for (const { kind, at } of all) {
      const column = columnOf(at);
      line.fill(kind === "cleared" || once ? marks.closed : marks.open, column);
    }
    // Marks go on top of what was drawn behind them.
    for (const { kind, at } of all) line[columnOf(at)] = marks.kinds[kind];
    return line.join("");
  };
  const came = got.map(({ kind, at }) => ({ kind, at: at - test.startMs }));
  const row = (name: string, line: string) =>
    `  ${name.slice(0, MARGIN - 3).padEnd(MARGIN - 2)}${line}`;
  const rows = [
    row("", scale(columns, columnMs)),
    row("expected", paint(draw(expected), 32, style)),
    row("got", paint(draw(came), 31, style)),
    ...signalLines(rule, vehicle, test, rules, columns, columnMs, marks).map(([name, line]) =>
      row(name, line)
    ),
  ];
  const kinds = [...new Set([...expected, ...came].map(({ kind }) => kind))];
  if (kinds.length > 0) {
    rows.push(row("", kinds.map((kind) => `${marks.kinds[kind]} ${kind}`).join("  ")));
  }
  return rows;
}

/** A text in a colour of the terminal. */
export function paint(text: string, colour: number, style: LineStyle): string {
  return style.colour ? `\x1b[${colour}m${text}\x1b[0m` : text;
}

/** Times above the line, as many as there is room for. */
function scale(columns: number, columnMs: number): string {
  let text = "";
  for (let column = 0; column < columns; column += 16) {
    text = text.padEnd(column) + `${Number((column * columnMs / 1000).toPrecision(3))} s`;
  }
  return text;
}

/** What the rule's signals were: a bar for each column, from the least value to the greatest. */
function signalLines(
  rule: Rule | undefined,
  vehicle: string,
  test: RuleCase,
  rules: RuleSet,
  columns: number,
  columnMs: number,
  { heights }: Marks,
): readonly (readonly [string, string])[] {
  const series = test.vehicles.find(({ id }) => id === vehicle)?.series;
  if (rule === undefined || series === undefined) return [];
  return signalsOf(rule.when).map((number) => {
    const { name = "", names = [], unit = "" } = rules.catalog.signals[number] ?? {};
    const values = (series.get(name) ?? []).map((value) => asNumber(value, names));
    const known = values.filter((value) => !Number.isNaN(value));
    const low = Math.min(...known);
    const high = Math.max(...known);
    let line = "";
    for (let column = 0; column < columns; column++) {
      const value = values[Math.round(column * columnMs / test.intervalMs)] ?? NaN;
      const height = high > low ? (value - low) / (high - low) : 0.5;
      line += heights[Math.round(height * (heights.length - 1))] ?? " ";
    }
    const bounds = known.length === 0
      ? "never sent"
      : low === high
      ? `${low}`
      : `${low} to ${high}`;
    return [
      name,
      `${line}  ${bounds}${unit === "" || known.length === 0 ? "" : ` ${unit}`}`,
    ] as const;
  });
}

function asNumber(value: SeriesValue, names: readonly string[]): number {
  switch (typeof value) {
    case "number":
      return value;
    case "boolean":
      return Number(value);
    case "string":
      return names.indexOf(value);
    default:
      return NaN;
  }
}
