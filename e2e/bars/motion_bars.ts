/// <reference lib="dom" />
/** A3, A4, A14: frames, the answer to input, and how old what is on the screen is. */
import type { CDPSession, Page } from "playwright-core";
import { isLive, open } from "../pages.ts";
import {
  atLeast,
  atMost,
  type Bar,
  type BarRun,
  median,
  pass,
  percentile,
  type Row,
} from "./bar.ts";
import { BarServer } from "./server.ts";
import { heard, tap } from "./tap.ts";

/** Delays that the figure on the screen is made of, as the page keeps them. */
const FIGURE_DELAYS = 4096;

/** Lengths of the frames drawn within a time, milliseconds. */
async function frameLengths(page: Page, ms: number): Promise<number[]> {
  return await page.evaluate((ms) =>
    new Promise<number[]>((resolve) => {
      const lengths: number[] = [];
      let last = performance.now();
      const end = last + ms;
      const step = (now: number) => {
        lengths.push(now - last);
        last = now;
        if (now < end) requestAnimationFrame(step);
        else resolve(lengths.slice(1));
      };
      requestAnimationFrame(step);
    }), ms);
}

async function frames(run: BarRun): Promise<Row[]> {
  const { page, context } = await open(run.browser, `${run.server.url}/`);
  await isLive(page);
  await pass(5_000);
  const lengths = await frameLengths(page, run.short ? 4_000 : 20_000);
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  const session = await context.newCDPSession(page);
  const inputs = await inputDelays(page, session);
  const slowest = inputs.reduce((a, b) => a.ms > b.ms ? a : b);
  await context.close();
  return [
    atLeast(run, { what: "frames", value: 1000 / mean, limit: 50, unit: "fps", timing: true }),
    atMost(run, {
      what: "frame, p95",
      value: percentile(lengths, 0.95),
      limit: 25,
      unit: "ms",
      timing: true,
    }),
    atMost(run, {
      what: `input to paint at 4x throttle, worst of ${inputs.length} (${slowest.name})`,
      value: slowest.ms,
      limit: 200,
      unit: "ms",
      timing: true,
    }),
  ];
}

interface Input {
  readonly name: string;
  readonly ms: number;
}

/** From each input to the paint that answers it, by the browser's own Event Timing. */
async function inputDelays(page: Page, session: CDPSession): Promise<Input[]> {
  await page.evaluate(() => {
    const longest = new Map<number, { name: string; ms: number }>();
    Reflect.set(globalThis, "barsInputs", longest);
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const id: unknown = Reflect.get(entry, "interactionId");
        if (typeof id !== "number" || id === 0) continue;
        if (entry.duration <= (longest.get(id)?.ms ?? 0)) continue;
        const target: unknown = Reflect.get(entry, "target");
        const on = target instanceof Element ? target.tagName.toLowerCase() : "nothing";
        longest.set(id, { name: `${entry.name} on ${on}`, ms: entry.duration });
      }
    }).observe(Object.assign({ type: "event" }, { durationThreshold: 16 }));
  });
  await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await pass(2_000);
  const rows = page.locator(".table tbody tr[data-row] td:nth-child(3)");
  for (let k = 0; k < 5; k++) {
    await page.keyboard.press("j");
    await pass(300);
    await rows.nth(k % 2).click();
    await pass(300);
    await page.locator(".chips button").nth(k % 2).click();
    await pass(300);
    await page.locator(".map-buttons button").nth(k % 3).click();
    await pass(300);
  }
  await session.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  await pass(500);
  const delays = await page.evaluate(() => {
    const longest: unknown = Reflect.get(globalThis, "barsInputs");
    return longest instanceof Map ? [...longest.values()] : [];
  });
  if (delays.length < 5) throw new Error(`Only ${delays.length} inputs were measured`);
  return delays;
}

async function age(run: BarRun): Promise<Row[]> {
  const { page, context } = await open(run.browser, `${run.server.url}/`);
  await isLive(page);
  await tap(page);
  await pass(8_000);
  const differences: number[] = [];
  for (let k = 0; k < (run.short ? 5 : 20); k++) {
    await pass(1_000);
    const shown = await page.locator(".kpi dd").last().innerText();
    const { delays } = await heard(page);
    const own = percentile(delays.slice(-FIGURE_DELAYS), 0.95);
    differences.push(Math.abs(own - Number(/^(\d+) ms$/.exec(shown)?.[1] ?? NaN)));
  }
  const { delays } = await heard(page);
  await context.close();
  return [
    atMost(run, {
      what: `sample to paint, p95 of ${delays.length}`,
      value: percentile(delays, 0.95),
      limit: 500,
      unit: "ms",
      timing: true,
    }),
    atMost(run, {
      what: "the figure on screen is off by, median",
      value: median(differences),
      limit: 50,
      unit: "ms",
      timing: true,
    }),
  ];
}

async function crowd(run: BarRun): Promise<Row[]> {
  // Above 3,000 on the screen the map is aggregated.
  const vehicles = run.short ? 5_000 : 10_000;
  await using server = await BarServer.start(["--vehicles", String(vehicles)]);
  const { page, context } = await open(run.browser, `${server.url}/`);
  await isLive(page);
  await page.waitForFunction(
    (count) =>
      document.querySelector("canvas")?.getAttribute("aria-label")?.includes(count) ?? false,
    vehicles.toLocaleString("en"),
    { timeout: 60_000 },
  );
  const aggregated = await page.evaluate(() => document.querySelector("canvas")?.dataset.drawn);
  await pass(5_000);
  const lengths = await frameLengths(page, run.short ? 4_000 : 20_000);
  await context.close();
  return [
    {
      what: `${vehicles.toLocaleString("en")} vehicles on the map`,
      limit: "density",
      measured: aggregated ?? "",
      ok: aggregated === "density",
    },
    atMost(run, {
      what: "longest frame",
      value: Math.max(...lengths),
      limit: 200,
      unit: "ms",
      timing: true,
    }),
  ];
}

/** The bars. */
export const MOTION_BARS: readonly Bar[] = [
  { id: "A3", run: frames },
  { id: "A4", run: age },
  { id: "A14", run: crowd },
];
