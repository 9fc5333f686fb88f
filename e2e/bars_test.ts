/** The bars of the dashboard in their short forms, with limits for machines that are shared. */
import { assertEquals } from "@std/assert";
import { rowText, runBars } from "./bars/run.ts";
import { findChromium } from "./harness.ts";

const chromiumPath = await findChromium();

Deno.test({
  name: chromiumPath === null
    ? "bars: skipped, since chromium is not installed"
    : "bars: every bar holds in its short form",
  ignore: chromiumPath === null,
  // The browser's driver keeps timers and pipes of its own.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    // Enough for every path through the dashboard; the full number is the task's to measure.
    const options = { only: [], short: true, vehicles: 500, minutes: 0.25 };
    const rows = await runBars(options, () => {});
    const table = rows.map(rowText).join("\n");
    assertEquals(rows.filter(({ ok }) => !ok).map(rowText), [], table);
  },
});
