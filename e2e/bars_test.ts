/** The bars of the dashboard in their short forms, with limits for machines that are shared. */
import { assertEquals } from "@std/assert";
import { cpuUsage } from "node:process";
import { type BarRow, rowText, runBars } from "./bars/run.ts";
import { findChromium } from "./harness.ts";

/** Of a processor: with less even loosened limits on time say something of the machine alone. */
const SHARE_MIN = 0.35;
/** How long is looked at what a busy process gets, milliseconds. */
const LOOK_MS = 1_500;

const chromiumPath = await findChromium();

/** The share of a processor that a process gets which wants all of it. */
function processorShare(): number {
  const before = cpuUsage();
  const from = performance.now();
  while (performance.now() - from < LOOK_MS);
  const { user, system } = cpuUsage(before);
  return (user + system) / 1000 / (performance.now() - from);
}

/** Rows of these bars, all of them for none. */
async function run(only: readonly string[]): Promise<BarRow[]> {
  // Enough vehicles for every path through the dashboard; the full number is the task's to measure.
  return await runBars({ only, short: true, vehicles: 500, minutes: 0.25 }, () => {});
}

Deno.test({
  name: chromiumPath === null ? "bars: skipped, since chromium is not installed" : "bars",
  ignore: chromiumPath === null,
  // The browser's driver keeps timers and pipes of its own.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const share = processorShare();
    const isStarved = share < SHARE_MIN;
    await t.step({
      name: isStarved
        ? `skipped, since a process gets ${Math.round(share * 100)} % of a processor here now`
        : "every bar holds in its short form",
      ignore: isStarved,
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        const first = await run([]);
        const short = new Set(first.filter(({ ok }) => !ok).map(({ bar }) => bar));
        // What others do on the machine passes, a defect stays.
        const again = short.size === 0 ? [] : await run([...short]);
        const rows = [...first.filter(({ bar }) => !short.has(bar)), ...again];
        const table = [...first, ...again].map(rowText).join("\n");
        assertEquals(rows.filter(({ ok }) => !ok).map(rowText), [], table);
      },
    });
  },
});
