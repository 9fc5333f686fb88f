/// <reference lib="dom" />
/** A5, A9: what people hold on to stays where it is, and the page does not grow. */
import type { Page } from "playwright-core";
import { isLive, open, until } from "../pages.ts";
import { atMost, type Bar, type BarRun, none, pass, type Row } from "./bar.ts";

/** What somebody has under the hand. */
async function held(page: Page): Promise<Record<string, string>> {
  return await page.evaluate(() => {
    const table = document.querySelector(".table");
    const row = document.querySelector(".table tr[aria-current]");
    const focused = document.activeElement;
    return {
      scroll: String(table?.scrollTop),
      "selected row": row?.querySelector("th")?.textContent ?? "none",
      "place of the selected row": String(row?.getBoundingClientRect().top),
      focus: `${focused?.tagName} ${focused?.getAttribute("href")}`,
      "selected text": String(getSelection()),
      "open menu": String(document.querySelector("#choices")?.matches(":popover-open")),
      zoom: new URLSearchParams(location.search).get("z") ?? "none",
      vehicle: new URLSearchParams(location.search).get("v") ?? "none",
    };
  });
}

async function stable(run: BarRun): Promise<Row[]> {
  const { page, context } = await open(run.browser, `${run.server.url}/`);
  await isLive(page);
  await page.getByRole("button", { name: "Zoom in" }).click();
  await page.evaluate(() => document.querySelector(".table")?.scrollTo(0, 840));
  const row = page.locator(".table tbody tr[data-row]").nth(9);
  await row.locator("td").first().click();
  const id = await row.locator("th").innerText();
  await page.locator(".choices-open").click();
  await row.locator("th a").focus();
  await page.evaluate(() => {
    const label = document.querySelector(".kpi dt");
    if (label !== null) getSelection()?.selectAllChildren(label);
  });
  // The pointer rests on the row, as it does when somebody reads it.
  await row.locator("th").hover();
  await until(() => held(page), ({ vehicle, zoom }) => vehicle === id && zoom !== "none");
  const before = await held(page);
  await pass(run.short ? 8_000 : 60_000);
  const after = await held(page);
  await context.close();
  const changed = Object.keys(before).filter((key) => before[key] !== after[key])
    .map((key) => `${key}: ${before[key]} became ${after[key]}`);
  return [
    none(`changed of ${Object.keys(before).length} held for ${run.short ? 8 : 60} s`, changed),
  ];
}

async function growth(run: BarRun): Promise<Row[]> {
  const { page, context } = await open(run.browser, `${run.server.url}/`);
  await isLive(page);
  const session = await context.newCDPSession(page);
  await session.send("HeapProfiler.enable");
  const usedBytes = async () => {
    await session.send("HeapProfiler.collectGarbage");
    return (await session.send("Runtime.getHeapUsage")).usedSize;
  };
  // Roads are learned, and code is compiled, in the first minutes.
  await pass(run.short ? 10_000 : 300_000);
  const before = await usedBytes();
  await pass(run.minutes * 60_000);
  const after = await usedBytes();
  await context.close();
  const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  return [
    atMost(run, {
      what: `heap after ${run.minutes} min (${megabytes(before)} to ${
        megabytes(after)
      } MB), growth`,
      value: (after / before - 1) * 100,
      limit: 10,
      unit: "%",
      timing: true,
    }),
  ];
}

/** The bars. */
export const STEADY_BARS: readonly Bar[] = [{ id: "A5", run: stable }, { id: "A9", run: growth }];
