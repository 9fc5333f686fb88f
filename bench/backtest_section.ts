/** The report's part about back-tests. */
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { backtestRow, type BacktestRun } from "./backtest_rows.ts";
import { print, rates } from "./report.ts";

/** Samples of the long back-test: of a day of 1,000 vehicles a tenth unless asked for more. */
const SAMPLES = Number(Deno.env.get("KILTER_BENCH_BACKTEST") ?? 8_640_000);

/** Measures and prints an hour of 100 vehicles, and a long log; the number of rows that failed. */
export async function backtestSection(ruleSet: RuleSet, now: () => number): Promise<number> {
  print("Back-test over the embedded bus, the shipped rules, as a process; equal output");
  const hour = await backtestRow(ruleSet, 100, 3_600, now);
  print(
    `  an hour of 100 vehicles: ${seconds(hour.plain.wallMs)} s after start-up (aim 1), ` +
      `${seconds(hour.plain.processMs)} s with it; ${hour.plain.transitions} transitions`,
  );
  const long = await backtestRow(ruleSet, 1_000, Math.ceil(SAMPLES / 1_000), now);
  const { samples, bytes, alone, writeSeconds } = long;
  print(
    `  ${samples.toLocaleString("en")} samples of 1,000 vehicles, ${Math.round(bytes / 1e6)} MB ` +
      `(written in ${writeSeconds.toFixed(0)} s), ${long.plain.transitions} transitions`,
  );
  print(`    ${rates("the engine alone, one thread:", samples, alone)}`);
  const told = (name: string, ran: BacktestRun, aim = "") =>
    print(
      `    ${name} ${(alone.wallMs / ran.wallMs).toFixed(2)} times its rate by the clock, ` +
        `${(alone.cpuMs / ran.cpuMs).toFixed(2)} times a CPU-second${aim}; ` +
        rates("", samples, ran).trimStart(),
    );
  told("one thread: ", long.oneThread, " (aim 0.8)");
  told("two threads:", long.twoThreads);
  const megabytes = ({ megabytes }: BacktestRun) => `${Math.round(megabytes)} MB`;
  print(
    `    memory at most: one thread ${megabytes(long.tenth)} over a tenth of it, ` +
      `${megabytes(long.oneThread)} over all of it; two threads ${megabytes(long.twoThreads)}`,
  );
  return 0;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(2);
}
