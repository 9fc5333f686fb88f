/** Runs bars one after another over one server, and lays out their table. */
import { findChromium, startChromium } from "../harness.ts";
import { until } from "../pages.ts";
import type { Bar, Row } from "./bar.ts";
import { LINK_BARS } from "./link_bars.ts";
import { MOTION_BARS } from "./motion_bars.ts";
import { PAGE_BARS } from "./page_bars.ts";
import { BarServer } from "./server.ts";
import { STEADY_BARS } from "./steady_bars.ts";

/** How bars are run. */
export interface BarOptions {
  /** Ids of those to run; none: all. */
  readonly only: readonly string[];
  readonly short: boolean;
  readonly vehicles: number;
  /** Minutes of A9. */
  readonly minutes: number;
}

/** A row with the bar that it belongs to. */
export interface BarRow extends Row {
  readonly bar: string;
}

/** All bars in the order of their numbers. */
export const BARS: readonly Bar[] = [...PAGE_BARS, ...MOTION_BARS, ...STEADY_BARS, ...LINK_BARS]
  .toSorted((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));

/**
 * Runs them; one that cannot be run to its end is a row that is not ok.
 *
 * @param tell given every row as it is known
 * @throws {Error} if there is no browser
 */
export async function runBars(
  options: BarOptions,
  tell: (row: BarRow) => void,
): Promise<BarRow[]> {
  const path = await findChromium();
  if (path === null) throw new Error("Cannot run the bars: chromium is not installed");
  const rows: BarRow[] = [];
  await using server = await BarServer.start(["--vehicles", String(options.vehicles)]);
  const browser = await startChromium(path);
  try {
    await until(async () => (await server.json("/api/anomalies?limit=1")).anomalies, isSome);
    for (const bar of BARS) {
      if (options.only.length > 0 && !options.only.includes(bar.id)) continue;
      let found: Row[];
      try {
        found = await bar.run({ ...options, browser, server });
      } catch (error) {
        const measured = error instanceof Error ? error.message : String(error);
        found = [{ what: "ran to its end", limit: "yes", measured, ok: false }];
      }
      for (const context of browser.contexts()) await context.close();
      for (const row of found) {
        rows.push({ bar: bar.id, ...row });
        tell({ bar: bar.id, ...row });
      }
    }
  } finally {
    await browser.close();
  }
  return rows;
}

function isSome(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
}

/** A row as a line of the table. */
export function rowText({ bar, what, limit, measured, ok }: BarRow): string {
  return `${bar.padEnd(4)} ${ok ? "ok   " : "SHORT"} ${limit.padStart(12)} ${
    measured.padStart(12)
  }  ${what}`;
}
