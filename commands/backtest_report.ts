/** What a back-test tells people: progress, summaries, tables. */
import type { BacktestProgress, BacktestSummary, RuleSummary } from "../analysis/backtest_tally.ts";
import type { Difference, Opening, RuleComparison } from "../analysis/compare_openings.ts";
import type { Sweep } from "../analysis/sweep.ts";
import { table } from "./text_table.ts";

const DAY_MS = 86_400_000;

/** How far it is, how fast, and how long it may still take. */
export function progressText(progress: BacktestProgress, elapsedMs: number): string {
  const { samples, done, total } = progress;
  const count = (n: number) => Math.round(n).toLocaleString("en");
  if (total === 0 || done === 0) return `read ${count(samples)} samples`;
  const rate = done / Math.max(elapsedMs, 1) * 1000;
  const left = Math.max(0, total - done) / rate;
  return `${count(done)} of ${count(total)} records, ${count(rate)}/s, ${
    duration(Math.ceil(left) * 1000)
  } left`;
}

/** A duration in its two largest units. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${ms % 1000 === 0 ? seconds : Number((ms / 1000).toFixed(1))} s`;
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const two = (a: number, big: string, b: number, small: string) =>
    b === 0 ? `${a} ${big}` : `${a} ${big} ${b} ${small}`;
  if (minutes < 60) return two(minutes, "min", seconds % 60, "s");
  return hours < 24 ? two(hours, "h", minutes % 60, "min") : two(days, "d", hours % 24, "h");
}

/** A summary as lines: what was read, then a table of rules. */
export function summaryReport(summary: BacktestSummary, version: string): readonly string[] {
  const { samples, refused, late, duplicates, waiting, transitions, firstMs, lastMs } = summary;
  const span = lastMs - firstMs;
  const head = `${samples} samples, ${refused} refused, ${late} late, ${duplicates} duplicates, ` +
    `${transitions} transitions, rules ${version}`;
  const fired = summary.rules.filter((rule) => rule.fired > 0 || rule.open > 0);
  const silent = summary.rules.filter((rule) => rule.fired === 0 && rule.open === 0);
  const lines = [head];
  if (span >= 0) {
    const [from, to] = [firstMs, lastMs].map((ms) => new Date(ms).toISOString());
    lines.push(`${duration(span)} from ${from} to ${to}`);
  }
  if (waiting > 0) {
    const way = "--to a later time ends that";
    lines.push(`${waiting} samples still waited for older ones at the end; ${way}`);
  }
  if (fired.length > 0) {
    const columns = ["rule", "fired", "a day", "vehicles", "longest", "in all", "open"];
    lines.push(...table([columns, ...fired.map((rule) => ruleRow(rule, span))]));
  }
  if (samples + refused + late + duplicates === 0) {
    lines.push("nothing was read: let dev run for a while, or name recordings with --input FILE");
    return lines;
  }
  if (silent.length > 0) lines.push(`never fired: ${silent.map(({ rule }) => rule).join(", ")}`);
  return lines;
}

function ruleRow(rule: RuleSummary, spanMs: number): readonly string[] {
  const { fired, vehicles, once, totalMs, longestMs, open } = rule;
  const perDay = spanMs > 0 ? fired / spanMs * DAY_MS : NaN;
  return [
    rule.rule,
    String(fired),
    Number.isNaN(perDay) ? "" : perDay < 10 ? perDay.toFixed(1) : perDay.toFixed(0),
    String(vehicles),
    once ? "" : duration(longestMs),
    once ? "" : duration(totalMs),
    open === 0 ? "" : String(open),
  ];
}

/** One difference as JSON, as docs/proving.md describes it. */
export function differenceJson({ kind, rule, vehicle, first, second }: Difference): string {
  const side = (opening: Opening | null) =>
    opening === null ? null : {
      id: opening.id,
      onset: opening.onset,
      at: opening.at,
      until: opening.until === Infinity ? null : opening.until,
      severity: opening.severity,
    };
  const name = { "only-first": "only-rules", "only-second": "only-compare", moved: "moved" }[kind];
  return JSON.stringify({
    kind: name,
    rule,
    vehicle,
    rules: side(first),
    compare: side(second),
  });
}

/** What two rule sets have in common and apart, per rule. */
export function comparisonReport(
  rules: readonly RuleComparison[],
  first: string,
  second: string,
): readonly string[] {
  const sum = (of: (rule: RuleComparison) => number) =>
    rules.reduce((total, rule) => total + of(rule), 0);
  const head = `${sum((r) => r.same)} the same, ${sum((r) => r.moved)} at another time, ` +
    `${sum((r) => r.onlyFirst)} only of ${first}, ${sum((r) => r.onlySecond)} only of ${second}`;
  const rows = rules.map(({ rule, same, moved, onlyFirst, onlySecond }) =>
    [rule, same, moved, onlyFirst, onlySecond].map(String)
  );
  if (rows.length === 0) return [head];
  return [head, ...table([["rule", "same", "moved", "only rules", "only compare"], ...rows])];
}

/** Columns of a bar at most. */
const BAR = 40;

/** How often each value fired, as a table with a bar beside each row. */
export function sweepReport(sweep: Sweep, summary: BacktestSummary): readonly string[] {
  const byId = new Map(summary.rules.map((rule) => [rule.rule, rule]));
  const most = Math.max(1, ...summary.rules.map(({ fired }) => fired));
  const rows = sweep.values.map((value) => {
    const { fired = 0, vehicles = 0, longestMs = 0, once = false } = byId.get(String(value)) ?? {};
    const name = sweep.unit === "" ? String(value) : `${value} ${sweep.unit}`;
    return [name, String(fired), String(vehicles), once ? "" : duration(longestMs)];
  });
  const lines = table([[sweep.path, "fired", "vehicles", "longest"], ...rows]);
  return lines.map((line, i) => {
    const fired = byId.get(String(sweep.values[i - 1]))?.fired ?? 0;
    return i === 0 ? line : `${line}  ${"█".repeat(Math.round(fired / most * BAR))}`.trimEnd();
  });
}
